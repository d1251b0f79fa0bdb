//! What was handed in by whoever started this process, by the protocol of sd_listen_fds(3): listening sockets, and the facts of the supervisor.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

/// In LISTEN_FDNAMES; in systemd's units: `FileDescriptorName=`.
pub(super) const PUBLIC: &str = "public";
pub(super) const OPERATORS: &str = "operators";
pub(super) const FACTS: &str = "facts";

#[derive(Debug, Default)]
pub struct Inherited {
    pub public: Option<TcpListener>,
    pub operators: Option<TcpListener>,
    pub(super) facts: Option<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum NotInherited {
    #[error("LISTEN_FDS, LISTEN_PID or LISTEN_FDNAMES: {0}")]
    Protocol(#[from] io::Error),
    #[error("descriptor {number} of LISTEN_FDS ({name:?}) is no listening TCP socket; ListenStream= makes one")]
    NoListener { number: usize, name: String },
    #[error(
        "descriptor {number} of LISTEN_FDS ({name:?}) is one too many; name them public and operators \
         (FileDescriptorName=), or give the public one first"
    )]
    TooMany { number: usize, name: String },
}

impl Inherited {
    /// Takes what LISTEN_FDS names, if it is meant for this process: by name, else the public socket first. Call it once, before
    /// anything is opened.
    pub fn take() -> Result<Self, NotInherited> {
        let mut taken = Self::default();
        for (place, (raw, name)) in sd_notify::listen_fds_with_names()?.enumerate() {
            // SAFETY: by the protocol these descriptors are open and ours alone, and nobody has taken them before.
            let fd = unsafe { OwnedFd::from_raw_fd(raw) };
            let number = place + 1;
            if name == FACTS {
                taken.facts = Some(fd.into());
                continue;
            }
            if !rustix::net::sockopt::socket_acceptconn(fd.as_fd()).unwrap_or(false) {
                return Err(NotInherited::NoListener { number, name });
            }
            let place = match (name.as_str(), &taken.public) {
                (PUBLIC, _) => &mut taken.public,
                (OPERATORS, _) | (_, Some(_)) => &mut taken.operators,
                (_, None) => &mut taken.public,
            };
            if place.replace(fd.into()).is_some() {
                return Err(NotInherited::TooMany { number, name });
            }
        }
        Ok(taken)
    }
}
