//! The tables of view.db, and how a connection to it is opened.
//!
//! Keys are packed (`keys`), so that tables are in the order of time and the only index that is written at random is the customers'.
//! An event is one row, whoever reads it: messages and what the customer sees are found through the columns beside
//! its JSON.

use super::Settings;
use super::failed::{OrFailed, ViewFailed};
use super::{imported, labels, reports, sorting};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::Path;

/// In `PRAGMA user_version`.
pub const SCHEMA: i64 = 1;

const TABLES: &str = "
CREATE TABLE workspace (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL
);
CREATE TABLE entity (
  workspace INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (workspace, kind, id)
) WITHOUT ROWID;
-- agent: its last owner. closed_at: NULL while it is open; its body is empty then.
CREATE TABLE conversation (
  key INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  agent INTEGER,
  customer INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  body BLOB NOT NULL
);
CREATE INDEX conversation_open ON conversation (key) WHERE closed_at IS NULL;
CREATE INDEX conversation_closed ON conversation (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX conversation_queue ON conversation (queue, key);
CREATE INDEX conversation_agent ON conversation (agent, key) WHERE agent IS NOT NULL;
CREATE INDEX conversation_customer ON conversation (customer, key);
-- Bodies of the open ones, close together: after a reboot they are read in one go, wherever their rows lie.
CREATE TABLE open_conversation (
  key INTEGER PRIMARY KEY,
  body BLOB NOT NULL
);
-- number: of a message. public: of what its customer may see. command, remembered: of the message's author.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  place INTEGER NOT NULL,
  at INTEGER NOT NULL,
  number INTEGER,
  public INTEGER,
  command INTEGER,
  remembered BLOB,
  body BLOB NOT NULL
);
CREATE INDEX event_place ON event (conversation, place, public, number);
CREATE INDEX event_command ON event (conversation, command) WHERE command IS NOT NULL;
-- ended: NULL while it is pending.
CREATE TABLE offer (
  key INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  ended INTEGER
);
-- Becomes outcome_sorted, beside what is recent (`sorting`).
CREATE TABLE outcome (
  id INTEGER PRIMARY KEY,
  workspace INTEGER NOT NULL,
  key INTEGER NOT NULL,
  at INTEGER NOT NULL,
  remembered BLOB NOT NULL,
  answer BLOB NOT NULL
);
CREATE INDEX outcome_key ON outcome (key);
CREATE TABLE synced (
  id INTEGER PRIMARY KEY,
  times INTEGER NOT NULL
);
INSERT INTO synced VALUES (1, 0);
";

/// Opens the one connection that writes, and makes the tables in an empty file.
pub(super) fn open_writer(path: &Path, settings: &Settings) -> Result<Connection, ViewFailed> {
    let doing = "opening the view";
    let mut connection = Connection::open(path).or_failed(doing)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).or_failed(doing)?;
    connection.pragma_update(None, "journal_mode", "WAL").or_failed(doing)?;
    connection.pragma_update(None, "synchronous", "NORMAL").or_failed(doing)?;
    connection.pragma_update(None, "wal_autocheckpoint", 128).or_failed(doing)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).or_failed(doing)?;
    connection.pragma_update(None, "cache_size", -settings.writer_cache_kib).or_failed(doing)?;
    connection.set_prepared_statement_cache_capacity(64);
    if let Some(bytes_max) = settings.bytes_max {
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).or_failed(doing)?;
        connection.pragma_update(None, "max_page_count", pages_max(bytes_max, page_bytes)).or_failed(doing)?;
    }
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).or_failed(doing)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).or_failed(doing)?;
    if found > SCHEMA {
        return Err(ViewFailed::Newer { path: path.into(), found, known: SCHEMA });
    }
    if found < SCHEMA && (found != 0 || tables != 0) {
        return Err(ViewFailed::Older { path: path.into(), found, known: SCHEMA });
    }
    if found == 0 {
        let making = connection.transaction().or_failed(doing)?;
        making.execute_batch(TABLES).or_failed(doing)?;
        making.pragma_update(None, "user_version", SCHEMA).or_failed(doing)?;
        making.commit().or_failed(doing)?;
    }
    connection.execute_batch(labels::TABLES).or_failed(doing)?;
    connection.execute_batch(imported::TABLES).or_failed(doing)?;
    connection.execute_batch(reports::TABLES).or_failed(doing)?;
    sorting::make_tables(&mut connection)?;
    Ok(connection)
}

fn pages_max(bytes_max: u64, page_bytes: i64) -> i64 {
    i64::try_from(bytes_max).unwrap_or(i64::MAX) / page_bytes.max(1)
}

/// Whether this release reads the file, if there is one. Changes nothing.
pub fn check_format(path: &Path) -> Result<(), ViewFailed> {
    if !path.is_file() {
        return Ok(());
    }
    let doing = "asking the view for its format";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_failed(doing)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).or_failed(doing)?;
    match found {
        // Made, and not yet furnished.
        0 | SCHEMA => Ok(()),
        found if found > SCHEMA => Err(ViewFailed::Newer { path: path.into(), found, known: SCHEMA }),
        found => Err(ViewFailed::Older { path: path.into(), found, known: SCHEMA }),
    }
}

/// How far the view in a file has each workspace, without opening it for anything else; nothing where there is no file.
///
/// # Errors
/// It cannot be read.
pub fn reached(path: &Path) -> Result<HashMap<String, u64>, ViewFailed> {
    if !path.is_file() {
        return Ok(HashMap::new());
    }
    let doing = "asking the view how far it is";
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).or_failed(doing)?;
    let mut select = connection.prepare("SELECT name, position FROM workspace").or_failed(doing)?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))).or_failed(doing)?;
    rows.collect::<rusqlite::Result<_>>().or_failed(doing)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path, settings: &Settings) -> Result<Connection, ViewFailed> {
    let doing = "opening a reader of the view";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_failed(doing)?;
    connection.busy_timeout(std::time::Duration::from_secs(1)).or_failed(doing)?;
    connection.pragma_update(None, "query_only", true).or_failed(doing)?;
    connection.pragma_update(None, "cache_size", -settings.reader_cache_kib).or_failed(doing)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}
