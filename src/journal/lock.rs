//! The data directory's lock: one process at a time, for as long as it lives.
//!
//! The kernel lets go of the lock when the process ends however it ends, so a leftover file blocks nobody. The
//! file is never deleted: a second process could otherwise lock a name that is no longer there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held from the first touch of the data directory until the process ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockFailed {
    #[error(
        "{dir} is in use by the process {} (it holds {dir}/lock); stop that process first, or give this one \
         another data directory",
        pid.map_or_else(|| "of an unknown number".to_owned(), |pid| pid.to_string())
    )]
    Held { dir: String, pid: Option<u32> },
    #[error("cannot lock {path}")]
    Disk { path: PathBuf, source: io::Error },
}

impl DataLock {
    /// Takes `<dir>/lock` without waiting, and writes this process's number into it.
    pub fn take(dir: &Path) -> Result<DataLock, LockFailed> {
        let path = dir.join("lock");
        let failed = |source| LockFailed::Disk { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockFailed::Held { dir: dir.display().to_string(), pid: written_pid(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The number is for people; a full disk must not keep the server from starting.
        if let Err(error) = write_pid(&mut file) {
            tracing::warn!(%error, path = %path.display(), "cannot write the process number into the lock");
        }
        Ok(DataLock { _file: file })
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn written_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let _held = DataLock::take(dir.path()).unwrap();
        let refused = DataLock::take(dir.path()).unwrap_err();
        assert!(matches!(refused, LockFailed::Held { pid: Some(pid), .. } if pid == std::process::id()));
        let sentence = refused.to_string();
        assert!(sentence.contains(&std::process::id().to_string()), "{sentence}");
        assert!(sentence.contains("stop that process"), "{sentence}");
    }

    #[test]
    fn a_leftover_lock_file_blocks_nobody() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("lock"), "4294967295 and more than a number").unwrap();
        drop(DataLock::take(dir.path()).unwrap());
        let _again = DataLock::take(dir.path()).unwrap();
        let written = std::fs::read_to_string(dir.path().join("lock")).unwrap();
        assert_eq!(written.trim(), std::process::id().to_string());
    }

    #[test]
    fn a_directory_that_is_not_there_is_a_disk_error() {
        let dir = tempfile::tempdir().unwrap();
        let refused = DataLock::take(&dir.path().join("nowhere")).unwrap_err();
        assert!(matches!(refused, LockFailed::Disk { .. }));
    }
}
