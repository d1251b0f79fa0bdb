//! Refuses to keep a journal on a network file system, where locks and fsync do not mean what SQLite needs.
//!
//! FUSE and 9p are let through: they are how containers and virtual machines show local directories. GlusterFS
//! comes as FUSE and cannot be told apart.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// `f_type` values of statfs(2), from the kernel's `magic.h` and each file system's own headers.
const NETWORK_FILE_SYSTEMS: [(u32, &str); 8] = [
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x5346_414F, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x0BD0_0BD0, "Lustre"),
];

#[derive(Debug, thiserror::Error)]
pub enum NotLocal {
    #[error(
        "{dir} is on {file_system}, a network file system, where a power cut or a second machine can destroy the \
         journal; choose a directory on a local disk, or run on NATS JetStream"
    )]
    Network { dir: PathBuf, file_system: &'static str },
    #[error("cannot ask what file system {dir} is on")]
    Unreadable { dir: PathBuf, source: io::Error },
}

/// Fails if `dir` is on a network file system.
pub fn require(dir: &Path) -> Result<(), NotLocal> {
    let file_system_type =
        file_system_type(dir).map_err(|source| NotLocal::Unreadable { dir: dir.to_owned(), source })?;
    judge(dir, file_system_type)
}

/// The verdict on a `statfs` type, apart from asking for it.
pub fn judge(dir: &Path, file_system_type: u32) -> Result<(), NotLocal> {
    match NETWORK_FILE_SYSTEMS.iter().find(|(magic, _)| *magic == file_system_type) {
        None => Ok(()),
        Some((_, file_system)) => Err(NotLocal::Network { dir: dir.to_owned(), file_system }),
    }
}

fn file_system_type(dir: &Path) -> io::Result<u32> {
    let path = CString::new(dir.as_os_str().as_bytes())?;
    let mut answer = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `path` is a C string and `answer` has room for what the call writes.
    if unsafe { libc::statfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it has written the struct. All known magics fit 32 bits.
    Ok(unsafe { answer.assume_init() }.f_type as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_refused_by_name() {
        for (magic, name) in NETWORK_FILE_SYSTEMS {
            let refused = judge(Path::new("/srv/offhook"), magic).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }

    #[test]
    fn local_disks_fuse_and_9p_are_taken() {
        for magic in [0xEF53, 0x0102_1994, 0x9123_683E, 0x6573_5546, 0x0102_1997] {
            judge(Path::new("/srv/offhook"), magic).unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        require(dir.path()).unwrap();
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let refused = require(&dir.path().join("nowhere")).unwrap_err();
        assert!(matches!(refused, NotLocal::Unreadable { .. }));
    }
}
