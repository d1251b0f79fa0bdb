//! The journal's file: its tables, its pragmas, and opening it.
//!
//! `record.id` is given out in order of append over all workspaces, so that inserts always go to the end of the table:
//! random keys or a `WITHOUT ROWID` table take a third of the rate.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::super::local_disk::NotLocal;
use super::settings::Settings;

pub const FORMAT: i64 = 1;
/// SQLite's default since 2016, and what the journal has always had.
pub(super) const PAGE_BYTES: u64 = 4_096;

const TABLES: &str = "
    CREATE TABLE workspace(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE record(
        id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, position INTEGER NOT NULL,
        turn BLOB NOT NULL, body BLOB NOT NULL);
    CREATE UNIQUE INDEX record_place ON record(workspace, position);
    CREATE TABLE probe(id INTEGER PRIMARY KEY, filler BLOB NOT NULL);
";

/// Why the journal did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    #[error(transparent)]
    NotLocal(#[from] NotLocal),
    #[error(
        "{path} is damaged ({reason}); keep a copy, see with `offhook journal verify` how far it can be read, \
         and restore the last backup"
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("{path} has format {format}, of a newer release; this one reads {FORMAT}")]
    NewerFormat { path: PathBuf, format: i64 },
    #[error("cannot open {path}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("cannot start the journal's threads")]
    Thread(#[from] io::Error),
}

/// Opens the writer's connection, making the tables at the first opening.
pub(super) fn open_writer(path: &Path, settings: &Settings) -> Result<Connection, OpenFailed> {
    open_and_check(path, settings).map_err(|error| match error {
        Refusal::Newer(format) => OpenFailed::NewerFormat { path: path.to_owned(), format },
        Refusal::Sqlite(source) => match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                OpenFailed::Damaged { path: path.to_owned(), reason: source.to_string() }
            }
            _ => OpenFailed::Sqlite { path: path.to_owned(), source },
        },
    })
}

enum Refusal {
    Newer(i64),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Refusal::Sqlite(error)
    }
}

fn open_and_check(path: &Path, settings: &Settings) -> Result<Connection, Refusal> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut db = connect(path, flags, settings)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", settings.synchronous.pragma())?;
    db.pragma_update(None, "cache_size", -8_192)?;
    db.pragma_update_and_check(None, "journal_size_limit", settings.wal_bytes_max.min(1 << 40) as i64, |_| Ok(()))?;
    let format: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match format {
        0 => {
            let tx = db.transaction()?;
            tx.execute_batch(TABLES)?;
            tx.pragma_update(None, "user_version", FORMAT)?;
            tx.commit()?;
        }
        FORMAT => {}
        newer => return Err(Refusal::Newer(newer)),
    }
    // Touches the ends of the table and of its index, where a torn file shows first.
    db.query_row("SELECT max(id) FROM record", [], |_| Ok(()))?;
    db.query_row("SELECT max(workspace) FROM record INDEXED BY record_place", [], |_| Ok(()))?;
    Ok(db)
}

/// A connection for the checkpointer: the same file, its own lock state.
pub(super) fn open_checkpointer(path: &Path, settings: &Settings) -> rusqlite::Result<Connection> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, settings)?;
    db.pragma_update(None, "synchronous", settings.synchronous.pragma())?;
    db.pragma_update(None, "cache_size", -512)?;
    Ok(db)
}

pub(super) fn open_reader(path: &Path, settings: &Settings) -> rusqlite::Result<Connection> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, settings)?;
    // What is read again soon is in the page cache of the system.
    db.pragma_update(None, "cache_size", -512)?;
    Ok(db)
}

/// Pages that this connection has written to the WAL since this was last asked. The length of the WAL does not say: it
/// is written from the start again. Nor do the bodies: a record of 500 bytes dirties three pages or more.
pub(super) fn pages_written(db: &Connection) -> u64 {
    let (mut pages, mut highest) = (0, 0);
    // SAFETY: the handle belongs to the open connection `db`, and the two places outlive the call.
    unsafe {
        ffi::sqlite3_db_status(db.handle(), ffi::SQLITE_DBSTATUS_CACHE_WRITE, &mut pages, &mut highest, 1);
    }
    u64::try_from(pages).unwrap_or(0)
}

fn connect(path: &Path, flags: OpenFlags, settings: &Settings) -> rusqlite::Result<Connection> {
    // One thread at a time uses a connection, so SQLite need not lock it.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = match settings.vfs {
        None => Connection::open_with_flags(path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
    };
    db.busy_timeout(std::time::Duration::from_secs(2))?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(db)
}
