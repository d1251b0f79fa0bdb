//! What a server says to whoever runs it, by the protocol of sd_notify(3): one datagram of lines, `READY=1` and the like. Both ends of it.

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::ffi::OsStr;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use tokio::io::unix::AsyncFd;

pub(super) const SOCKET: &str = "NOTIFY_SOCKET";
const BYTES_MAX: usize = 4_096;

/// Tells whoever runs this process, if it wants to be told. Never waits: who does not listen misses it.
pub fn tell(words: &str) {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    let told = address(&socket).and_then(|address| {
        let from = UnixDatagram::unbound()?;
        from.set_nonblocking(true)?;
        from.send_to_addr(words.as_bytes(), &address)
    });
    if let Err(error) = told {
        tracing::debug!(%error, "whoever runs this process does not listen");
    }
}

/// `@` stands for the zero byte of a name that is in no directory.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        path => SocketAddr::from_pathname(OsStr::from_bytes(path)),
    }
}

/// One datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// Who sent it, as the kernel knows.
    pub pid: u32,
    pub words: String,
}

impl Notice {
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.words.lines().filter_map(|line| line.split_once('='))
    }
}

/// Where a child's words arrive. Its name is in no directory, so that a full disk keeps nobody from starting; anybody on the machine can
/// write to it, so it matters who did.
pub(super) struct Notices {
    socket: AsyncFd<UnixDatagram>,
    name: String,
}

impl Notices {
    pub fn open() -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("offhook-{}-{:016x}", std::process::id(), u64::from_le_bytes(random));
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        socket.set_nonblocking(true)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        // SAFETY: the descriptor is the socket's own, and open as long as it.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Self { socket, name })
    }

    /// For the child's NOTIFY_SOCKET.
    pub fn address(&self) -> String {
        format!("@{}", self.name)
    }

    pub async fn next(&self) -> io::Result<Notice> {
        loop {
            let mut readable = self.socket.readable().await?;
            if let Ok(received) = readable.try_io(|socket| receive(socket.get_ref())) {
                return received;
            }
        }
    }
}

fn receive(socket: &UnixDatagram) -> io::Result<Notice> {
    let mut bytes = [0; BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1), ScmRights(1))];
    let mut more = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut more, RecvFlags::CMSG_CLOEXEC)?;
    // Descriptors that somebody sends along are closed by being dropped here.
    let pid = more.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(who) => u32::try_from(who.pid.as_raw_nonzero().get()).ok(),
        _ => None,
    });
    let words = String::from_utf8_lossy(&bytes[..received.bytes.min(BYTES_MAX)]).into_owned();
    Ok(Notice { pid: pid.unwrap_or(0), words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_told_arrives_with_the_number_of_who_told_it() {
        let notices = Notices::open().unwrap();
        let to = address(OsStr::new(&notices.address())).unwrap();
        let from = UnixDatagram::unbound().unwrap();
        from.send_to_addr(b"READY=1\nSTATUS=well\nno word", &to).unwrap();
        let notice = notices.next().await.unwrap();
        assert_eq!(notice.pid, std::process::id());
        assert_eq!(notice.lines().collect::<Vec<_>>(), [("READY", "1"), ("STATUS", "well")]);
    }

    #[test]
    fn addresses_are_paths_or_abstract_names() {
        assert_eq!(address(OsStr::new("/run/notify")).unwrap().as_pathname(), Some("/run/notify".as_ref()));
        assert_eq!(address(OsStr::new("@name")).unwrap().as_abstract_name(), Some(b"name".as_ref()));
        assert!(address(OsStr::new(&"x".repeat(200))).is_err());
    }
}
