//! The reserve file: room that is kept back, so that on a full disk accepts and closes still commit.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::now;

/// Between two attempts to take the room back.
const ATTEMPT_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
    last_attempt: Option<Instant>,
}

impl Reserve {
    pub fn new(dir: &Path, bytes: u64) -> Reserve {
        Reserve { path: dir.join("reserve"), bytes, held: false, last_attempt: None }
    }

    /// Whether the room is kept back, or none is to be.
    pub fn is_held(&self) -> bool {
        self.held || self.bytes == 0
    }

    /// Whether giving it up would make room.
    pub fn can_be_released(&self) -> bool {
        self.held && self.bytes > 0
    }

    /// Takes the room, where that is due. Fails if the disk does not have it.
    pub fn hold_when_due(&mut self) -> io::Result<()> {
        let due = self.last_attempt.is_none_or(|last| last.elapsed() >= ATTEMPT_EVERY);
        if self.is_held() || !due {
            return Ok(());
        }
        self.last_attempt = Some(now());
        match allocate(&self.path, self.bytes) {
            Ok(()) => {
                self.held = true;
                Ok(())
            }
            Err(error) => {
                // A part of it would take the last room from those it is kept for.
                let _ = fs::remove_file(&self.path);
                Err(error)
            }
        }
    }

    /// Gives the room up.
    pub fn release(&mut self) {
        self.held = false;
        self.last_attempt = Some(now());
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::error!(%error, path = %self.path.display(), "cannot delete the journal's reserve file");
        }
    }
}

fn allocate(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.len() > bytes {
        file.set_len(bytes)?;
    }
    let length = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
    // Where the file system cannot allocate, the C library writes instead, so the room is real either way.
    // SAFETY: the descriptor belongs to `file`, which outlives the call.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length) } {
        0 => file.sync_all(),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_real_and_can_be_given_up() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::new(dir.path(), 1 << 20);
        reserve.hold_when_due().unwrap();
        assert!(reserve.can_be_released());
        let written = fs::metadata(dir.path().join("reserve")).unwrap();
        assert!(written.blocks() * 512 >= 1 << 20);
        reserve.release();
        assert!(!reserve.is_held() && !dir.path().join("reserve").exists());
    }

    #[test]
    fn a_reserve_of_nothing_makes_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::new(dir.path(), 0);
        reserve.hold_when_due().unwrap();
        assert!(reserve.is_held() && !reserve.can_be_released());
        assert!(!dir.path().join("reserve").exists());
    }

    #[test]
    fn room_that_the_disk_does_not_have_leaves_no_part_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::new(dir.path(), 1 << 60);
        assert!(reserve.hold_when_due().is_err());
        assert!(!reserve.is_held() && !dir.path().join("reserve").exists());
    }
}
