//! A journal that is filled from a backup, or from a cluster: in great steps, since nobody uses it until all of it is there.

use super::super::StoredRecord;
use super::super::carry::{CarryFailed, Sink};
use super::{FILE_NAME, OpenFailed, Settings, Synchronous, schema};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Bodies of one transaction.
const STEP_BYTES: usize = 16 << 20;

/// To be ended, or what was added last is not there.
pub struct Restoring {
    db: Connection,
    workspaces: HashMap<String, i64>,
    step_bytes: usize,
}

impl Restoring {
    /// Makes the journal in a directory that has none.
    ///
    /// # Errors
    /// It could not be made.
    pub fn begin(dir: &Path) -> Result<Self, OpenFailed> {
        // Without a sync each: one that is broken off is begun anew.
        Self::open(dir, Synchronous::Off)
    }

    /// Makes the journal, or goes on behind what is in it. After each step it is sound, whatever becomes of the machine.
    ///
    /// # Errors
    /// It could not be made, or opened.
    pub fn go_on(dir: &Path) -> Result<Self, OpenFailed> {
        Self::open(dir, Synchronous::Normal)
    }

    fn open(dir: &Path, synchronous: Synchronous) -> Result<Self, OpenFailed> {
        let path = dir.join(FILE_NAME);
        let settings = Settings { synchronous, ..Settings::default() };
        let db = schema::open_writer(&path, &settings)?;
        let workspaces = named(&db).and_then(|named| db.execute_batch("BEGIN").map(|()| named));
        let workspaces = workspaces.map_err(|source| OpenFailed::Sqlite { path, source })?;
        Ok(Self { db, workspaces, step_bytes: 0 })
    }

    /// # Errors
    /// As SQLite has it: also where the workspace has a record at that position.
    pub fn add(&mut self, workspace: &str, record: &StoredRecord) -> rusqlite::Result<()> {
        let workspace = self.number_of(workspace)?;
        let sql = "INSERT INTO record(workspace, position, turn, body) VALUES (?1, ?2, ?3, ?4)";
        let (position, turn) = (record.position.0 as i64, record.turn.0.to_be_bytes());
        self.db.prepare_cached(sql)?.execute((workspace, position, turn, &record.body[..]))?;
        self.step_bytes += record.body.len();
        if self.step_bytes > STEP_BYTES {
            self.step_bytes = 0;
            self.db.execute_batch("COMMIT")?;
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.db.execute_batch("BEGIN")?;
        }
        Ok(())
    }

    fn remove(&mut self, workspace: &str) -> rusqlite::Result<()> {
        let workspace = self.number_of(workspace)?;
        self.db.execute("DELETE FROM record WHERE workspace = ?1", [workspace]).map(|_| ())
    }

    fn number_of(&mut self, workspace: &str) -> rusqlite::Result<i64> {
        if let Some(number) = self.workspaces.get(workspace) {
            return Ok(*number);
        }
        self.db.execute("INSERT INTO workspace(name) VALUES (?1)", [workspace])?;
        let number = self.db.last_insert_rowid();
        self.workspaces.insert(workspace.to_owned(), number);
        Ok(number)
    }

    /// Everything is in the file when this returns, which is still to be synced.
    ///
    /// # Errors
    /// It is not.
    pub fn end(self) -> rusqlite::Result<()> {
        self.db.execute_batch("COMMIT")?;
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.db.close().map_err(|(_, error)| error)
    }
}

fn named(db: &Connection) -> rusqlite::Result<HashMap<String, i64>> {
    let mut select = db.prepare("SELECT name, id FROM workspace")?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn not_written(error: rusqlite::Error) -> CarryFailed {
    CarryFailed::NotWritten { doing: FILE_NAME, why: error.to_string() }
}

impl Sink for Restoring {
    async fn add(&mut self, workspace: &Arc<str>, records: &[StoredRecord]) -> Result<(), CarryFailed> {
        records.iter().try_for_each(|record| self.add(workspace, record)).map_err(not_written)
    }

    async fn forget(&mut self, workspace: &Arc<str>) -> Result<(), CarryFailed> {
        self.remove(workspace).map_err(not_written)
    }
}
