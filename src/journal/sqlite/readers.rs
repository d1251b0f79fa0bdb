//! Reading beside the writer: a few read-only connections, used on blocking threads and limited in time.
//!
//! The limit is looked at between rows: finding and copying one is bounded by the size of a record.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::Semaphore;

use super::super::health::HealthCell;
use super::super::{JournalFailed, JournalState, Position, Span, StoredRecord};
use super::fault::{Fault, FaultKind};
use super::settings::Settings;
use super::{lock, now, schema, stored};

const CONNECTIONS_MAX: usize = 4;
const ROWS_AT_ONCE_MAX: usize = 65_536;

pub(super) struct Readers {
    path: PathBuf,
    settings: Settings,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
    health: Arc<HealthCell>,
}

impl Readers {
    pub fn new(path: PathBuf, settings: &Settings, health: Arc<HealthCell>) -> Readers {
        Readers {
            path,
            settings: settings.clone(),
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            health,
        }
    }

    pub async fn tail(self: Arc<Self>, workspace: Arc<str>) -> Result<Option<StoredRecord>, JournalFailed> {
        self.run(move |db, _| {
            db.prepare_cached(
                "SELECT position, turn, body FROM record
                 WHERE workspace = (SELECT id FROM workspace WHERE name = ?1)
                 ORDER BY position DESC LIMIT 1",
            )?
            .query_row([&*workspace], stored)
            .optional()
            .map_err(Unread::from)
        })
        .await
    }

    pub async fn read(
        self: Arc<Self>,
        workspace: Arc<str>,
        after: Position,
        records_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, JournalFailed> {
        self.run(move |db, deadline| {
            let Ok(after) = i64::try_from(after.0) else {
                return Ok(Vec::new());
            };
            let mut statement = db.prepare_cached(
                "SELECT position, turn, body FROM record
                 WHERE workspace = (SELECT id FROM workspace WHERE name = ?1) AND position > ?2
                 ORDER BY position LIMIT ?3",
            )?;
            let limit = records_max.clamp(1, ROWS_AT_ONCE_MAX) as i64;
            let mut rows = statement.query((&*workspace, after, limit))?;
            let (mut records, mut bytes) = (Vec::new(), 0_usize);
            while let Some(row) = rows.next()? {
                let size = row.get_ref(2)?.as_blob().map_or(0, <[u8]>::len);
                bytes = bytes.saturating_add(size);
                // Fewer than asked for is an answer, so a slow disk still makes progress.
                if !records.is_empty() && (bytes > bytes_max || now() > deadline) {
                    break;
                }
                records.push(stored(row)?);
            }
            Ok(records)
        })
        .await
    }

    pub async fn span(
        self: Arc<Self>,
        workspace: Arc<str>,
        after: Position,
        records_max: usize,
    ) -> Result<Span, JournalFailed> {
        self.run(move |db, deadline| {
            let mut span = Span { records: 0, bytes: 0, to: after };
            let Ok(after) = i64::try_from(after.0) else {
                return Ok(span);
            };
            // The length alone is read: of a large body not its pages.
            let mut statement = db.prepare_cached(
                "SELECT position, length(body) FROM record
                 WHERE workspace = (SELECT id FROM workspace WHERE name = ?1) AND position > ?2
                 ORDER BY position LIMIT ?3",
            )?;
            let limit = records_max.clamp(1, ROWS_AT_ONCE_MAX) as i64;
            let mut rows = statement.query((&*workspace, after, limit))?;
            while let Some(row) = rows.next()? {
                let (position, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
                span.records += 1;
                span.bytes += bytes.max(0) as u64;
                span.to = Position(position.max(0) as u64);
                if now() > deadline {
                    return Err(Unread::TooSlow);
                }
            }
            Ok(span)
        })
        .await
    }

    pub async fn workspaces(self: Arc<Self>) -> Result<Vec<Arc<str>>, JournalFailed> {
        self.run(|db, deadline| {
            let mut statement = db.prepare_cached("SELECT name FROM workspace ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut names = Vec::new();
            while let Some(row) = rows.next()? {
                if now() > deadline {
                    return Err(Unread::TooSlow);
                }
                names.push(Arc::from(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?));
            }
            Ok(names)
        })
        .await
    }

    /// The one reading without a limit in time: it is asked for by a person, on a journal that serves nobody.
    pub fn check_pages(self: &Arc<Self>) -> impl Future<Output = Result<Vec<String>, JournalFailed>> + use<> {
        let readers = Arc::clone(self);
        async move {
            let checked = readers.run(|db, _| {
                let mut statement = db.prepare("PRAGMA integrity_check(100)")?;
                let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
                let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
                Ok(lines.into_iter().filter(|line| line != "ok").collect())
            });
            match checked.await {
                // Some damage ends the check itself; that is an answer to what was asked.
                Err(JournalFailed::Damaged(sentence)) => Ok(vec![sentence]),
                checked => checked,
            }
        }
    }

    /// Closes the idle connections. Reads that go on close theirs as they end.
    pub fn close(&self) {
        self.turns.close();
        lock(&self.idle).clear();
    }

    async fn run<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Connection, Instant) -> Result<T, Unread> + Send + 'static,
    ) -> Result<T, JournalFailed> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| JournalFailed::Closed)?;
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            self.run_blocking(work)
        });
        read.await.map_err(|error| JournalFailed::Unavailable(error.to_string()))?
    }

    fn run_blocking<T>(
        &self,
        work: impl FnOnce(&Connection, Instant) -> Result<T, Unread>,
    ) -> Result<T, JournalFailed> {
        let limit_ms = self.settings.read_limit_ms;
        let deadline = now() + Duration::from_millis(limit_ms);
        let idle = lock(&self.idle).pop();
        let db = match idle {
            Some(db) => db,
            None => schema::open_reader(&self.path, &self.settings)
                .map_err(|error| JournalFailed::Unavailable(error.to_string()))?,
        };
        match work(&db, deadline) {
            Ok(found) => {
                if !self.turns.is_closed() {
                    lock(&self.idle).push(db);
                }
                Ok(found)
            }
            Err(Unread::TooSlow) => Err(JournalFailed::TooSlow { limit_ms }),
            // The connection is not used again: the next read opens a fresh one.
            Err(Unread::Sqlite(error)) => Err(self.failed(&db, &error)),
        }
    }

    fn failed(&self, db: &Connection, error: &rusqlite::Error) -> JournalFailed {
        if let rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) = error
        {
            return JournalFailed::Damaged(format!("a record's columns are not as written: {error}"));
        }
        let fault = Fault::of(db, error);
        if fault.kind == FaultKind::Damaged {
            self.health.become_state(JournalState::Damaged, Some(&fault.sentence));
        }
        fault.failed()
    }
}

enum Unread {
    TooSlow,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Unread::Sqlite(error)
    }
}
