//! `audit.db`: one row an act.

use super::chain::Sum;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name in the data directory.
pub const FILE_NAME: &str = "audit.db";
pub const FORMAT: i64 = 1;
const TABLES: &str = "
    CREATE TABLE act(
        workspace TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, line TEXT NOT NULL, sum BLOB NOT NULL,
        PRIMARY KEY(workspace, number)
    ) WITHOUT ROWID;
";

#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    #[error("{path} has format {format}, of a newer release; this one reads {FORMAT}")]
    NewerFormat { path: PathBuf, format: i64 },
    #[error("cannot open {path}: {source}; move it away if it is damaged, and keep it: it says who did what")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
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

pub(super) fn open(path: &Path) -> Result<Connection, OpenFailed> {
    let failed = |source| OpenFailed::Sqlite { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    let format: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if format > FORMAT {
        return Err(OpenFailed::NewerFormat { path: path.to_owned(), format });
    }
    furnish(&db, format).map_err(failed)?;
    Ok(db)
}

fn furnish(db: &Connection, format: i64) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::from_secs(2))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // What was answered is in it after power is lost, too.
    db.pragma_update(None, "synchronous", "FULL")?;
    if format == 0 {
        let tx = db.unchecked_transaction()?;
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "user_version", FORMAT)?;
        tx.commit()?;
    }
    Ok(())
}

pub(super) fn open_reading(path: &Path) -> Result<Connection, OpenFailed> {
    let failed = |source| OpenFailed::Sqlite { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
    Ok(db)
}

/// Whether this release reads the trail in `dir`, if there is one. Changes nothing.
///
/// # Errors
/// It is of a newer release, or cannot be read.
pub fn check_format(dir: &Path) -> Result<(), OpenFailed> {
    let path = dir.join(FILE_NAME);
    if !path.is_file() {
        return Ok(());
    }
    let failed = |source| OpenFailed::Sqlite { path: path.clone(), source };
    let db = open_reading(&path)?;
    match db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)? {
        format if format > FORMAT => Err(OpenFailed::NewerFormat { path, format }),
        _ => Ok(()),
    }
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
pub fn each(dir: &Path, workspace: &str, mut of: impl FnMut(Row, bool)) -> Result<(), OpenFailed> {
    let path = dir.join(FILE_NAME);
    let failed = |source| OpenFailed::Sqlite { path: path.clone(), source };
    let db = open_reading(&path)?;
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
