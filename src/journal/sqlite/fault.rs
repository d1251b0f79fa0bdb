//! What a SQLite error means for an append: which kind of trouble the disk is in.

use rusqlite::{Connection, ffi};

use super::super::{JournalFailed, JournalState, RefusedAppend};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    Full,
    ReadOnly,
    Damaged,
    /// Nothing that was written since the last good sync can be trusted.
    FailedSync,
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub kind: FaultKind,
    pub sentence: String,
}

impl Fault {
    /// Reads the error that `db` has just returned.
    pub fn of(db: &Connection, error: &rusqlite::Error) -> Fault {
        let code = match error {
            rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code,
            _ => 0,
        };
        // SAFETY: the handle belongs to the open connection `db` and the call only reads a field.
        let errno = unsafe { ffi::sqlite3_system_errno(db.handle()) };
        Fault {
            kind: kind(code, errno),
            sentence: match errno {
                0 => error.to_string(),
                _ => format!("{error} ({})", std::io::Error::from_raw_os_error(errno)),
            },
        }
    }

    pub fn state(&self) -> JournalState {
        match self.kind {
            FaultKind::Full => JournalState::Full,
            FaultKind::ReadOnly => JournalState::ReadOnly,
            FaultKind::Damaged => JournalState::Damaged,
            FaultKind::FailedSync | FaultKind::Other => JournalState::Failing,
        }
    }

    /// The refusal, where it is certain that nothing happened.
    pub fn refusal(&self) -> RefusedAppend {
        match self.kind {
            FaultKind::Full => RefusedAppend::Full,
            FaultKind::ReadOnly => RefusedAppend::ReadOnly,
            FaultKind::Damaged => RefusedAppend::Damaged,
            FaultKind::FailedSync | FaultKind::Other => RefusedAppend::DiskFault,
        }
    }

    pub fn failed(&self) -> JournalFailed {
        match self.kind {
            FaultKind::Damaged => JournalFailed::Damaged(self.sentence.clone()),
            _ => JournalFailed::Unavailable(self.sentence.clone()),
        }
    }
}

fn kind(extended_code: i32, errno: i32) -> FaultKind {
    match extended_code {
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => return FaultKind::FailedSync,
        _ => {}
    }
    match extended_code & 0xff {
        ffi::SQLITE_FULL => FaultKind::Full,
        ffi::SQLITE_READONLY => FaultKind::ReadOnly,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => FaultKind::Damaged,
        // SQLite tells ENOSPC from other trouble when it writes pages, but not when it grows the shared index.
        ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => match errno {
            libc::ENOSPC | libc::EDQUOT => FaultKind::Full,
            libc::EROFS => FaultKind::ReadOnly,
            _ => FaultKind::Other,
        },
        _ => FaultKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_system_errors_become_the_trouble_they_mean() {
        let cases = [
            (ffi::SQLITE_IOERR_FSYNC, libc::ENOSPC, FaultKind::FailedSync),
            (ffi::SQLITE_FULL, 0, FaultKind::Full),
            (ffi::SQLITE_IOERR_SHMSIZE, libc::ENOSPC, FaultKind::Full),
            (ffi::SQLITE_IOERR_WRITE, libc::EDQUOT, FaultKind::Full),
            (ffi::SQLITE_IOERR_WRITE, libc::EROFS, FaultKind::ReadOnly),
            (ffi::SQLITE_READONLY_DBMOVED, 0, FaultKind::ReadOnly),
            (ffi::SQLITE_CORRUPT_INDEX, 0, FaultKind::Damaged),
            (ffi::SQLITE_NOTADB, 0, FaultKind::Damaged),
            (ffi::SQLITE_IOERR_WRITE, libc::EIO, FaultKind::Other),
            (ffi::SQLITE_BUSY, 0, FaultKind::Other),
        ];
        for (code, errno, meant) in cases {
            assert_eq!(kind(code, errno), meant, "{code} {errno}");
        }
    }
}
