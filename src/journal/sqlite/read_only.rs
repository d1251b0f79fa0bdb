//! The embedded journal opened to be read and nothing else: for people who look into it, also while a server writes it.
//!
//! It never checkpoints, repairs or creates the database; what it takes from a running server is one reader's place in the WAL
//! for the length of one page of records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::super::health::HealthCell;
use super::super::{
    Appended, Journal, JournalFailed, JournalHealth, NewRecord, Position, RefusedAppend, Span, StoredRecord,
};
use super::readers::Readers;
use super::{FILE_NAME, Settings, schema};

/// A journal that refuses every append and cut.
pub struct ReadOnlyJournal {
    health: Arc<HealthCell>,
    readers: Arc<Readers>,
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum NothingToRead {
    #[error("there is no journal at {path}: name the data directory with --set server.data_dir=PATH")]
    Absent { path: PathBuf },
    #[error("{path} has format {format}; this release reads {}", schema::FORMAT)]
    OtherFormat { path: PathBuf, format: i64 },
    #[error("{path} cannot be read as a journal: {source}")]
    Unreadable { path: PathBuf, source: rusqlite::Error },
}

impl ReadOnlyJournal {
    /// Opens `<dir>/journal.db`. Blocks on the disk.
    pub fn open(dir: &Path) -> Result<ReadOnlyJournal, NothingToRead> {
        let path = dir.join(FILE_NAME);
        if !path.is_file() {
            return Err(NothingToRead::Absent { path });
        }
        let settings = Settings::default();
        let unreadable = |source| NothingToRead::Unreadable { path: path.clone(), source };
        let db = schema::open_reader(&path, &settings).map_err(unreadable)?;
        let format: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unreadable)?;
        if format != schema::FORMAT {
            return Err(NothingToRead::OtherFormat { path, format });
        }
        let health = Arc::new(HealthCell::new());
        Ok(ReadOnlyJournal { readers: Arc::new(Readers::new(path, &settings, Arc::clone(&health))), health })
    }

    /// As [`SqliteJournal::check_pages`](super::SqliteJournal::check_pages): one long read, so not beside a server.
    pub fn check_pages(&self) -> BoxFuture<'static, Result<Vec<String>, JournalFailed>> {
        self.readers.check_pages().boxed()
    }
}

impl Journal for ReadOnlyJournal {
    fn append(&self, _: &Arc<str>, _: NewRecord) -> BoxFuture<'static, Appended> {
        ready(Appended::Refused(RefusedAppend::ReadOnly)).boxed()
    }

    fn tail(&self, workspace: &Arc<str>) -> BoxFuture<'static, Result<Option<StoredRecord>, JournalFailed>> {
        Arc::clone(&self.readers).tail(Arc::clone(workspace)).boxed()
    }

    fn read(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
        bytes_max: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredRecord>, JournalFailed>> {
        Arc::clone(&self.readers).read(Arc::clone(workspace), after, records_max, bytes_max).boxed()
    }

    fn span(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
    ) -> BoxFuture<'static, Result<Span, JournalFailed>> {
        Arc::clone(&self.readers).span(Arc::clone(workspace), after, records_max).boxed()
    }

    fn workspaces(&self) -> BoxFuture<'static, Result<Vec<Arc<str>>, JournalFailed>> {
        Arc::clone(&self.readers).workspaces().boxed()
    }

    fn cut(&self, _: &Arc<str>, _: Position) -> BoxFuture<'static, Result<u64, JournalFailed>> {
        ready(Err(JournalFailed::Closed)).boxed()
    }

    fn forget(&self, _: &Arc<str>) -> BoxFuture<'static, Result<u64, JournalFailed>> {
        ready(Err(JournalFailed::Closed)).boxed()
    }

    fn health(&self) -> Arc<JournalHealth> {
        self.health.load()
    }
}
