//! File descriptors are a budget like memory: what connections may take is less than what the system allows, so that the
//! journal, the view and the operators' port still get theirs when clients have taken all the rest.

use std::io;

/// What is never given to clients: databases with their logs, the operators' port, and connections that are only told to
/// come back.
const KEPT: u64 = 256;
/// A small limit is shared: half of it at most is kept back.
const KEPT_SHARE: u64 = 2;

/// How many descriptors there are, and for whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptors {
    /// The most that the process may have open.
    pub limit: u64,
    /// Of those, for connections on the public port.
    pub connections: usize,
}

/// Raises the process's limit as far as the system allows without more rights, and shares it out.
///
/// # Errors
/// When the system does not say what the limit is.
pub fn raise() -> io::Result<Descriptors> {
    let mut held = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is ours and is written as a whole.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut held) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if held.rlim_cur < held.rlim_max {
        let wanted = libc::rlimit { rlim_cur: held.rlim_max, rlim_max: held.rlim_max };
        // SAFETY: the struct is read only.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) } == 0 {
            held = wanted;
        }
    }
    Ok(shared(held.rlim_cur))
}

fn shared(limit: u64) -> Descriptors {
    let kept = KEPT.min(limit / KEPT_SHARE);
    Descriptors { limit, connections: usize::try_from(limit - kept).unwrap_or(usize::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_kept_whatever_the_limit() {
        assert_eq!(shared(20_000).connections, 19_744);
        assert_eq!(shared(256).connections, 128);
        assert_eq!(shared(1).connections, 1);
        assert!(shared(u64::MAX).connections > 1 << 40);
    }

    #[test]
    fn the_system_says_what_the_limit_is() {
        let there = raise().unwrap();
        assert!(there.limit >= 16 && (there.connections as u64) < there.limit);
    }
}
