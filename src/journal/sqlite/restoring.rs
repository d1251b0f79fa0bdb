//! A journal that is filled from a backup: in great steps and without a sync each, since nobody uses it until all of it is there.

use super::super::StoredRecord;
use super::{FILE_NAME, OpenFailed, Settings, Synchronous, schema};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;

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
        let path = dir.join(FILE_NAME);
        let settings = Settings { synchronous: Synchronous::Off, ..Settings::default() };
        let db = schema::open_writer(&path, &settings)?;
        db.execute_batch("BEGIN").map_err(|source| OpenFailed::Sqlite { path, source })?;
        Ok(Self { db, workspaces: HashMap::new(), step_bytes: 0 })
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
