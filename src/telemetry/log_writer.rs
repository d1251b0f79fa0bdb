//! Standard error for the log, which waits for nobody: whoever reads it may have stopped, and the server goes on.
//!
//! A write to a full pipe waits until somebody reads. One thread after the other would stand there with its next line, and with
//! them turns and answers: a log that is not read for half a minute would be an outage. So a line that may have to wait is
//! left out and counted. Nothing is kept for later, so that the last words of a process that aborts are written when it says them.

use super::catalogue::LOG_LINES_LEFT_OUT_TOTAL;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use tracing_subscriber::fmt::MakeWriter;

/// Makes [`Line`]s.
#[derive(Debug, Clone, Copy, Default)]
pub struct WaitsForNobody;

/// Writes one line of the log.
#[derive(Debug)]
pub struct Line;

impl<'a> MakeWriter<'a> for WaitsForNobody {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

impl Write for Line {
    /// The subscriber writes each line whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // One thread at a time looks and writes.
        let mut stderr = io::stderr().lock();
        if takes_at_once(stderr.as_raw_fd(), line.len()) {
            stderr.write_all(line)?;
        } else {
            metrics::counter!(LOG_LINES_LEFT_OUT_TOTAL).increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether so many bytes can be written without waiting. A pipe is used to its half: it is filled page by page, of which a line may leave
/// the half empty; and the supervisor, which has the same one, may write between this look and the write.
fn takes_at_once(fd: RawFd, bytes: usize) -> bool {
    // SAFETY: asks for a number about a descriptor; what is no pipe is answered with an error.
    let capacity = unsafe { libc::fcntl(fd, libc::F_GETPIPE_SZ) };
    if let Some(capacity) = usize::try_from(capacity).ok().filter(|capacity| *capacity > 0) {
        let mut unread: libc::c_int = 0;
        // SAFETY: FIONREAD writes one int, which lives until then.
        let asked = unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut unread) };
        return asked == 0 && usize::try_from(unread).unwrap_or(0) + bytes <= capacity / 2;
    }
    let mut poll = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one descriptor is looked at, and nothing is waited for. A file always takes what is written.
    unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_pipe_that_nobody_reads_takes_lines_to_its_half_and_never_waits() {
        let (_reader, mut writer) = io::pipe().unwrap();
        let line = [b'x'; 700];
        let mut written = 0;
        while takes_at_once(writer.as_raw_fd(), line.len()) {
            writer.write_all(&line).unwrap();
            written += line.len();
        }
        assert!((16_384..=65_536).contains(&written), "{written}");
    }

    #[test]
    fn a_pipe_that_is_read_again_takes_lines_again() {
        use std::io::Read;
        let (mut reader, mut writer) = io::pipe().unwrap();
        while takes_at_once(writer.as_raw_fd(), 1_000) {
            writer.write_all(&[b'x'; 1_000]).unwrap();
        }
        assert!(!takes_at_once(writer.as_raw_fd(), 1_000));
        reader.read_exact(&mut [0; 1_000]).unwrap();
        assert!(takes_at_once(writer.as_raw_fd(), 1_000));
    }

    #[test]
    fn a_socket_that_nobody_reads_takes_nothing_more() {
        let (_reader, mut writer) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        let mut lines = 0;
        while takes_at_once(writer.as_raw_fd(), 100) {
            writer.write_all(&[b'x'; 100]).unwrap();
            lines += 1;
        }
        assert!(lines > 10);
    }

    #[test]
    fn a_file_takes_everything() {
        let file = tempfile::tempfile().unwrap();
        assert!(takes_at_once(file.as_raw_fd(), 1 << 20));
    }
}
