//! Endpoints on disk, `webhooks.db`: what they are set to, synced before it is acknowledged, and how far each has been told, now and then.
//! An old place costs what was sent since being sent again.

use super::endpoint::{Endpoint, Held};
use crate::store_file::{OpenFailed, StoreFile};
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub const STORE: StoreFile = StoreFile {
    name: "webhooks.db",
    format: 1,
    tables: "
    CREATE TABLE endpoint(
        workspace TEXT NOT NULL, name TEXT NOT NULL, spec TEXT NOT NULL, cursor TEXT NOT NULL, failing_ms INTEGER,
        PRIMARY KEY(workspace, name)
    ) WITHOUT ROWID;
",
    advice: "restore it, or move it away and set the webhooks again",
};

/// It could not be written; the sentence is for the log.
#[derive(Debug, thiserror::Error)]
#[error("webhooks cannot be written: {0}")]
pub struct NotKept(String);

impl NotKept {
    pub(super) fn of(why: &impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl From<rusqlite::Error> for NotKept {
    fn from(error: rusqlite::Error) -> Self {
        Self::of(&error)
    }
}

#[derive(Debug)]
pub(super) struct Store(Mutex<Connection>);

impl Store {
    pub fn open(dir: &Path) -> Result<Self, OpenFailed> {
        Self::of(STORE.open(dir)?).map_err(|source| STORE.failed(dir, source))
    }

    fn of(db: Connection) -> rusqlite::Result<Self> {
        db.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        Ok(Self(Mutex::new(db)))
    }

    /// All that there are. One that cannot be read is left out with a complaint: it stops no other.
    pub fn load(&self) -> Result<Vec<Endpoint>, NotKept> {
        let db = self.lock();
        let mut select = db.prepare("SELECT workspace, name, spec, cursor, failing_ms FROM endpoint")?;
        let read = |row: &rusqlite::Row<'_>| {
            let text = |at: usize| row.get::<_, String>(at);
            Ok((text(0)?, text(1)?, text(2)?, text(3)?, row.get::<_, Option<i64>>(4)?))
        };
        let mut found = Vec::new();
        for row in select.query_map([], read)? {
            let (workspace, name, spec, cursor, failing_ms) = row?;
            let (Ok(spec), Ok(cursor)) = (serde_json::from_str(&spec), cursor.parse()) else {
                tracing::error!(workspace, name, "a webhook cannot be read and is left out: set it again");
                continue;
            };
            let failing_ms = failing_ms.and_then(|ms| u64::try_from(ms).ok());
            found.push(Endpoint::new(workspace.into(), name.into(), spec, cursor, failing_ms));
        }
        Ok(found)
    }

    /// On disk when this answers.
    pub fn put(&self, workspace: &str, name: &str, held: &Held) -> Result<(), NotKept> {
        let db = self.lock();
        db.pragma_update(None, "synchronous", "FULL")?;
        let spec = serde_json::to_string(&held.spec).map_err(|error| NotKept::of(&error))?;
        let cursor = held.cursor.to_string();
        db.execute(
            "INSERT INTO endpoint VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT(workspace, name) DO UPDATE SET spec = ?3, cursor = ?4, failing_ms = ?5",
            params![workspace, name, spec, cursor, held.failing_ms.map(|ms| ms as i64)],
        )?;
        Ok(())
    }

    /// On disk when this answers.
    pub fn remove(&self, workspace: &str, name: &str) -> Result<(), NotKept> {
        let db = self.lock();
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute("DELETE FROM endpoint WHERE workspace = ?1 AND name = ?2", params![workspace, name])?;
        Ok(())
    }

    /// How far it is; not synced. One that was removed meanwhile stays so.
    pub fn keep_place(&self, endpoint: &Endpoint) -> Result<(), NotKept> {
        let held = endpoint.held();
        let db = self.lock();
        db.pragma_update(None, "synchronous", "NORMAL")?;
        let cursor = held.cursor.to_string();
        db.prepare_cached("UPDATE endpoint SET cursor = ?3, failing_ms = ?4 WHERE workspace = ?1 AND name = ?2")?
            .execute(params![&*endpoint.workspace, &*endpoint.name, cursor, held.failing_ms.map(|ms| ms as i64)])?;
        Ok(())
    }

    /// A connection is whole between statements, so a panic elsewhere taints nothing.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
