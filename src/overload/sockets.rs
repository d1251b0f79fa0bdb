//! What the kernel holds for this process's sockets: asked of each socket, so that neither another process of the same
//! network namespace nor one on the other end of a loopback connection is counted (/proc/net/sockstat counts both).
//!
//! Asking is one cheap call a socket. With many sockets a part of them is asked at each reading, and the rest are as
//! they were: within two seconds each has been asked.

use std::ffi::c_int;
use std::mem::size_of;

/// Asked together.
const SLICE: usize = 1_024;
/// Readings until each socket has been asked again.
const READINGS: usize = 8;

#[derive(Debug, Default)]
pub struct Sockets {
    /// The sum of each slice of descriptors, as asked last.
    slices: Vec<u64>,
    next: usize,
}

impl Sockets {
    /// Bytes held now. `descriptors`: how many there may be.
    pub fn held_bytes(&mut self, descriptors: usize) -> u64 {
        self.read(descriptors, held_by)
    }

    fn read(&mut self, descriptors: usize, held_by: impl Fn(c_int) -> u64) -> u64 {
        self.slices.resize(descriptors.div_ceil(SLICE), 0);
        for _ in 0..self.slices.len().div_ceil(READINGS) {
            let slice = self.next % self.slices.len();
            let first = slice * SLICE;
            let descriptors = (first..first + SLICE).filter_map(|descriptor| c_int::try_from(descriptor).ok());
            self.slices[slice] = descriptors.map(&held_by).sum();
            self.next = slice + 1;
        }
        self.slices.iter().sum()
    }
}

/// Of a descriptor that is no socket, or not open: 0.
fn held_by(descriptor: c_int) -> u64 {
    // The kernel's SK_MEMINFO_VARS, in its order.
    let mut amounts = [0_u32; 9];
    let mut length = size_of::<[u32; 9]>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `amounts`, and knows what is no socket.
    let failed = unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            amounts.as_mut_ptr().cast(),
            std::ptr::from_mut(&mut length),
        )
    };
    if failed != 0 {
        return 0;
    }
    let [received, _, _, _, forward, queued, options, backlog, _] = amounts;
    [received, queued, forward, options, backlog].into_iter().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    #[test]
    fn what_a_peer_does_not_read_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_theirs, _) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let before = held_by(ours.as_raw_fd());
        while ours.write(&[0; 16 * 1024]).is_ok() {}
        let stuck = held_by(ours.as_raw_fd());
        assert!(stuck >= before + 16 * 1024, "{before} and then {stuck}");
        assert_eq!(held_by(-1), 0);
    }

    #[test]
    fn many_sockets_are_asked_in_turns_and_none_is_forgotten() {
        let mut sockets = Sockets::default();
        let one_each = |_| 1;
        assert_eq!(sockets.read(SLICE, one_each), SLICE as u64, "few are asked each time");
        let many = 20 * SLICE;
        let sums: Vec<u64> = (0..READINGS).map(|_| sockets.read(many, one_each)).collect();
        assert!(sums[0] < sums[1], "{sums:?}");
        assert_eq!(*sums.last().unwrap(), many as u64, "{sums:?}");
        assert_eq!(sockets.read(SLICE, one_each), SLICE as u64, "those that are gone are forgotten");
        assert_eq!(sockets.read(0, one_each), 0);
    }
}
