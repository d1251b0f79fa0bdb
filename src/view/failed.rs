//! What can go wrong with the view, and how it is: typed, with a sentence that says what to do.

use rusqlite::ErrorCode;
use std::path::PathBuf;
use std::sync::Arc;

/// An operation on the view that did not succeed. Nothing of it was kept: it may be tried again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ViewFailed {
    #[error("{doing}: the disk, or the view's share of it, is full")]
    Full { doing: &'static str },
    #[error("{doing}: the view cannot be written: {why}")]
    ReadOnly { doing: &'static str, why: Arc<str> },
    #[error("{doing}: view.db is damaged ({why}): restart, and it is made anew or the start says what to restore")]
    Damaged { doing: &'static str, why: Arc<str> },
    #[error(
        "{} is damaged ({why}) and the journal no longer goes back to its first record: restore view.db from a backup and \
         remove view.db.damaged if it is there",
        .path.display()
    )]
    DamagedForGood { path: PathBuf, why: Arc<str> },
    #[error("{} was written by a newer release (schema {found}, this one reads {known}): use that release", .path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{} has schema {found}, which this release (schema {known}) does not read", .path.display())]
    Older { path: PathBuf, found: i64, known: i64 },
    #[error("{doing}: {why}")]
    Sqlite { doing: &'static str, why: Arc<str> },
    #[error("{doing} in {}: {why}", .path.display())]
    File { doing: &'static str, path: PathBuf, why: Arc<str> },
    /// The view's intake or its readers have as much to do as they may have.
    #[error("the view has too much to do: try again")]
    Busy,
    #[error("reading the view took longer than it may")]
    TooSlow,
    /// Records are missing between what is stored and this batch: it must be read from the journal.
    #[error("the view of {workspace:?} stands at {stored}, the batch begins after {after}")]
    Gap { workspace: Arc<str>, stored: u64, after: u64 },
    #[error("the view has stopped")]
    Stopped,
}

impl ViewFailed {
    pub(super) fn of(doing: &'static str, error: &rusqlite::Error) -> Self {
        let why = || Arc::from(error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ViewFailed::Full { doing },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                ViewFailed::ReadOnly { doing, why: why() }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ViewFailed::Damaged { doing, why: why() },
            Some(ErrorCode::OperationInterrupted) => ViewFailed::TooSlow,
            _ => ViewFailed::Sqlite { doing, why: why() },
        }
    }

    fn standing(&self) -> Standing {
        match self {
            ViewFailed::Full { .. } => Standing::Full,
            ViewFailed::ReadOnly { .. } => Standing::ReadOnly,
            ViewFailed::Damaged { .. } | ViewFailed::DamagedForGood { .. } => Standing::Damaged,
            ViewFailed::Newer { .. }
            | ViewFailed::Older { .. }
            | ViewFailed::Sqlite { .. }
            | ViewFailed::File { .. }
            | ViewFailed::Busy
            | ViewFailed::TooSlow
            | ViewFailed::Gap { .. }
            | ViewFailed::Stopped => Standing::Failing,
        }
    }
}

/// Gives a SQLite error its place: `statement.execute(..).or_failed("…")`.
pub(super) trait OrFailed<T> {
    fn or_failed(self, doing: &'static str) -> Result<T, ViewFailed>;
}

impl<T> OrFailed<T> for rusqlite::Result<T> {
    fn or_failed(self, doing: &'static str) -> Result<T, ViewFailed> {
        self.map_err(|error| ViewFailed::of(doing, &error))
    }
}

/// The view did not reach the wanted position in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the view stands at {reached}, {wanted} was waited for")]
pub struct Behind {
    pub reached: u64,
    pub wanted: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Healthy,
    Full,
    ReadOnly,
    Damaged,
    /// Its last write failed in another way.
    Failing,
}

/// How the view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub standing: Standing,
    /// For people: what is wrong.
    pub sentence: Arc<str>,
}

impl Health {
    pub(super) fn healthy() -> Self {
        Self { standing: Standing::Healthy, sentence: "the view is written".into() }
    }

    pub(super) fn after(failed: &ViewFailed) -> Self {
        Self { standing: failed.standing(), sentence: failed.to_string().into() }
    }
}
