//! `audit.db`: one row an act.

use super::chain::Sum;
use crate::store_file::{self, StoreFile};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;

pub const STORE: StoreFile = StoreFile {
    name: "audit.db",
    format: 1,
    tables: "
    CREATE TABLE act(
        workspace TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, line TEXT NOT NULL, sum BLOB NOT NULL,
        PRIMARY KEY(workspace, number)
    ) WITHOUT ROWID;
",
    advice: "move it away if it is damaged, and keep it: it says who did what",
};

#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    #[error(transparent)]
    Store(#[from] store_file::OpenFailed),
    #[error("cannot start the thread of the audit trail")]
    Thread(#[from] std::io::Error),
}

/// Why an act is not in the trail, or the trail cannot be read; the sentence is for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotKept {
    #[error("too many acts wait for the disk")]
    Busy,
    #[error("the audit trail is closed")]
    Stopped,
    #[error("the audit trail: {0}")]
    Failed(String),
}

impl From<rusqlite::Error> for NotKept {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub number: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// JSON.
    pub line: String,
    pub sum: Sum,
}

/// For its one writer.
pub(super) fn open(dir: &Path) -> Result<Connection, store_file::OpenFailed> {
    let db = STORE.open(dir)?;
    // What was answered is in it after power is lost, too.
    db.pragma_update(None, "synchronous", "FULL").map_err(|source| STORE.failed(dir, source))?;
    Ok(db)
}

/// The last of a workspace: its number and its sum.
pub(super) fn last(db: &Connection, workspace: &str) -> rusqlite::Result<Option<(u64, Sum)>> {
    let sql = "SELECT number, sum FROM act WHERE workspace = ?1 ORDER BY number DESC LIMIT 1";
    let found =
        db.prepare_cached(sql)?.query_row([workspace], |row| Ok((row.get::<_, i64>(0)? as u64, Sum(row.get(1)?))));
    found.optional()
}

pub(super) fn add(db: &Connection, workspace: &str, row: &Row) -> rusqlite::Result<()> {
    let sql = "INSERT INTO act VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = db.prepare_cached(sql)?;
    insert.execute(params![workspace, row.number as i64, row.at as i64, row.line, row.sum.0]).map(drop)
}

/// Forgets those up to a number, and those that are older; never the last, on which the next rests.
pub(super) fn forget(db: &Connection, workspace: &str, up_to: u64, before: u64, last: u64) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM act WHERE workspace = ?1 AND number < ?4 AND (number <= ?2 OR at < ?3)";
    db.execute(sql, params![workspace, up_to as i64, before as i64, last as i64])
}

pub(super) fn page(
    db: &Connection,
    workspace: &str,
    before: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let sql = "SELECT number, at, line, sum FROM act
               WHERE workspace = ?1 AND number < ?2 AND at >= ?3 AND at < ?4 ORDER BY number DESC LIMIT ?5";
    let most = |value: Option<u64>| value.map_or(i64::MAX, |value| i64::try_from(value).unwrap_or(i64::MAX));
    let least = i64::try_from(from.unwrap_or(0)).unwrap_or(i64::MAX);
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map(params![workspace, most(before), least, most(to), limit as i64], row)?;
    rows.collect()
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let number = |column| row.get::<_, i64>(column).map(|number| number as u64);
    Ok(Row { number: number(0)?, at: number(1)?, line: row.get(2)?, sum: Sum(row.get(3)?) })
}

/// Every act of a workspace, oldest first, with whether it follows from the one before it. Safe beside a running server.
///
/// # Errors
/// There is no trail, or it cannot be read.
pub fn each(dir: &Path, workspace: &str, mut of: impl FnMut(Row, bool)) -> Result<(), store_file::OpenFailed> {
    let failed = |source| STORE.failed(dir, source);
    let db = STORE.open_reading(dir)?;
    let sql = "SELECT number, at, line, sum FROM act WHERE workspace = ?1 ORDER BY number";
    let mut select = db.prepare(sql).map_err(failed)?;
    let mut before: Option<(u64, Sum)> = None;
    for found in select.query_map([workspace], row).map_err(failed)? {
        let found = found.map_err(failed)?;
        // The oldest that is kept follows from what is forgotten.
        let follows = match before {
            None => found.number > 1 || found.sum == Sum::default().after(workspace, 1, &found.line),
            Some((number, sum)) => {
                found.number == number + 1 && found.sum == sum.after(workspace, found.number, &found.line)
            }
        };
        before = Some((found.number, found.sum));
        of(found, follows);
    }
    Ok(())
}
