//! Why a backup was not taken, found or brought back; the sentence says what to do.

use crate::journal::JournalFailed;
use crate::journal::sqlite::{NothingToRead, OpenFailed};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum BackupFailed {
    #[error("{doing} {}: {source}", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{doing} {}: {source}", path.display())]
    Sqlite { doing: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    #[error(transparent)]
    Nothing(#[from] NothingToRead),
    #[error(transparent)]
    Making(#[from] OpenFailed),
    #[error("{} is damaged: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error("{} was made by a newer release (format {found}; this one reads {known}): use that release", path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    /// What whoever called can mend.
    #[error("{0}")]
    Refused(String),
}

impl BackupFailed {
    pub(super) fn damaged(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.to_string() }
    }

    /// Whether what was read is not what was written; otherwise it could not be read.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// Says what was being done, and to what.
pub(super) trait OrFailed<T> {
    fn or_failed(self, doing: &'static str, path: &Path) -> Result<T, BackupFailed>;
}

impl<T> OrFailed<T> for io::Result<T> {
    fn or_failed(self, doing: &'static str, path: &Path) -> Result<T, BackupFailed> {
        self.map_err(|source| BackupFailed::Disk { doing, path: path.to_owned(), source })
    }
}

impl<T> OrFailed<T> for rusqlite::Result<T> {
    fn or_failed(self, doing: &'static str, path: &Path) -> Result<T, BackupFailed> {
        self.map_err(|source| BackupFailed::Sqlite { doing, path: path.to_owned(), source })
    }
}
