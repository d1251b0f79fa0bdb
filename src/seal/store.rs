//! The key store on disk: `keys.db`, one row for each key, wrapped.
//!
//! Two connections: one that makes and erases keys and may wait for the disk, and one that reads, so that reading never
//! waits for an fsync.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::master::{Master, MasterKeyFailed};
use super::sealed::{self, ClearKey};
use super::{KeyNumber, SealFailed};
use crate::store_file::StoreFile;

/// The file's name in the data directory.
pub const KEYS_FILE_NAME: &str = "keys.db";

pub const FORMAT: i64 = 1;
const CHECK_TEXT: &[u8] = b"offhook";

const TABLES: &str = "
    CREATE TABLE key(number INTEGER PRIMARY KEY, wrapped BLOB NOT NULL);
    CREATE TABLE ring(id INTEGER PRIMARY KEY, next_number INTEGER NOT NULL, wrapped_check BLOB NOT NULL);
";

/// Opened in ways of its own, and checked like the others.
pub const STORE: StoreFile =
    StoreFile { name: KEYS_FILE_NAME, format: FORMAT, tables: TABLES, advice: "restore it from its backup" };

/// Why the key ring did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    #[error(transparent)]
    Master(#[from] MasterKeyFailed),
    #[error("{path} was not wrapped with this master.key; restore the two from the same backup")]
    WrongMasterKey { path: PathBuf },
    #[error("{path} is damaged ({reason}); restore it from its backup")]
    Damaged { path: PathBuf, reason: String },
    #[error("{path} has format {format}, of a newer release; this one reads {FORMAT}")]
    NewerFormat { path: PathBuf, format: i64 },
    #[error("cannot open {path}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("cannot read {path}, which says whose keys are erased")]
    Erasures { path: PathBuf, source: std::io::Error },
    #[error("keys that were erased are here again, and cannot be erased")]
    Unerased(#[source] SealFailed),
    #[error("no first keys could be made")]
    FirstKeys(#[source] SealFailed),
    #[error("cannot start the thread that makes keys")]
    Thread(#[from] std::io::Error),
}

pub(super) struct Store {
    writing: Mutex<Connection>,
    reading: Mutex<Connection>,
    wrapping: ClearKey,
}

impl Store {
    /// Opens or creates the store and the master key beside it.
    pub fn open(dir: &Path) -> Result<(Store, Master), OpenFailed> {
        let path = dir.join(KEYS_FILE_NAME);
        let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                OpenFailed::Damaged { path: path.clone(), reason: error.to_string() }
            }
            _ => OpenFailed::Sqlite { path: path.clone(), source: error },
        };
        let writing = open_writing(&path).map_err(failed)?;
        let format: i64 = writing.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        if format > FORMAT {
            return Err(OpenFailed::NewerFormat { path, format });
        }
        let master = Master::open(dir, format == 0)?;
        if format == 0 {
            let check = sealed::encrypt(&master.wrapping, b"check", CHECK_TEXT).map_err(MasterKeyFailed::from)?;
            make_tables(&writing, &check).map_err(failed)?;
        }
        let check: Vec<u8> =
            writing.query_row("SELECT wrapped_check FROM ring", [], |row| row.get(0)).map_err(failed)?;
        if sealed::decrypt(&master.wrapping, b"check", &check).as_deref() != Some(CHECK_TEXT) {
            return Err(OpenFailed::WrongMasterKey { path });
        }
        let reading = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        let store = Store { writing: Mutex::new(writing), reading: Mutex::new(reading), wrapping: master.wrapping };
        Ok((store, master))
    }

    /// Makes `count` keys, and returns when they are on the disk.
    pub fn make(&self, count: usize) -> Result<Vec<(KeyNumber, ClearKey)>, SealFailed> {
        let mut db = lock(&self.writing);
        let mut made = Vec::with_capacity(count);
        let no_randomness = |error: getrandom::Error| SealFailed::Unavailable(error.to_string());
        let tx = db.transaction().map_err(unavailable)?;
        let first: i64 = tx.query_row("SELECT next_number FROM ring", [], |row| row.get(0)).map_err(unavailable)?;
        let mut insert = tx.prepare_cached("INSERT INTO key(number, wrapped) VALUES (?1, ?2)").map_err(unavailable)?;
        for number in first..first.saturating_add(count as i64) {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(no_randomness)?;
            let wrapped = sealed::encrypt(&self.wrapping, &number.to_le_bytes(), &bytes).map_err(no_randomness)?;
            insert.execute((number, wrapped)).map_err(unavailable)?;
            made.push((KeyNumber(number as u64), ClearKey(bytes)));
        }
        drop(insert);
        // A counter of its own, and not the highest row: an erased number must never come again.
        tx.execute("UPDATE ring SET next_number = next_number + ?1", [count as i64]).map_err(unavailable)?;
        tx.commit().map_err(unavailable)?;
        Ok(made)
    }

    /// Reads and unwraps a key; `None` if it was erased.
    pub fn load(&self, number: KeyNumber) -> Result<Option<ClearKey>, SealFailed> {
        let Ok(row_number) = i64::try_from(number.0) else {
            return Ok(None);
        };
        let wrapped: Option<Vec<u8>> = {
            let db = lock(&self.reading);
            let mut find = db.prepare_cached("SELECT wrapped FROM key WHERE number = ?1").map_err(unavailable)?;
            find.query_row([row_number], |row| row.get(0)).optional().map_err(unavailable)?
        };
        let Some(wrapped) = wrapped else {
            return Ok(None);
        };
        sealed::decrypt(&self.wrapping, &row_number.to_le_bytes(), &wrapped)
            .and_then(|clear| clear.try_into().ok())
            .map(|clear| Some(ClearKey(clear)))
            .ok_or_else(|| SealFailed::Damaged(format!("key {number} does not unwrap")))
    }

    /// Deletes keys, and returns when neither the file nor its WAL holds them. Says `Unavailable` also where the keys
    /// are deleted but the WAL could not be emptied: then erase them again.
    pub fn erase(&self, numbers: &[KeyNumber]) -> Result<(), SealFailed> {
        let mut db = lock(&self.writing);
        let tx = db.transaction().map_err(unavailable)?;
        for number in numbers {
            let Ok(number) = i64::try_from(number.0) else {
                continue;
            };
            tx.prepare_cached("DELETE FROM key WHERE number = ?1")
                .and_then(|mut delete| delete.execute([number]))
                .map_err(unavailable)?;
        }
        tx.commit().map_err(unavailable)?;
        // secure_delete overwrites in the pages, but older copies of them stand in the WAL until it is cut off.
        let busy: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(unavailable)?;
        match busy {
            false => Ok(()),
            true => Err(SealFailed::Unavailable(
                "the keys are deleted, but a reader held on to older pages; erase them again".to_owned(),
            )),
        }
    }

    /// Erases those that are here though they were erased, as a restored copy has them; and lets none of those numbers be given
    /// out again, as an older copy would.
    pub fn keep_erased(&self, numbers: &[KeyNumber]) -> Result<(), SealFailed> {
        let mut here = Vec::new();
        for number in numbers {
            here.extend(self.is_here(*number)?.then_some(*number));
        }
        if let Some(highest) = numbers.iter().max() {
            let next = i64::try_from(highest.0).unwrap_or(i64::MAX).saturating_add(1);
            let sql = "UPDATE ring SET next_number = ?1 WHERE next_number < ?1";
            lock(&self.writing).execute(sql, [next]).map_err(unavailable)?;
        }
        if here.is_empty() { Ok(()) } else { self.erase(&here) }
    }

    fn is_here(&self, number: KeyNumber) -> Result<bool, SealFailed> {
        let Ok(number) = i64::try_from(number.0) else { return Ok(false) };
        let db = lock(&self.reading);
        let mut find = db.prepare_cached("SELECT 1 FROM key WHERE number = ?1").map_err(unavailable)?;
        find.exists([number]).map_err(unavailable)
    }

    #[cfg(test)]
    pub fn writing(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writing)
    }
}

/// Whether a copy of the keys was wrapped with the master key beside it. Changes nothing.
///
/// # Errors
/// It was not, or one of the two cannot be read.
pub fn check_wrapping(dir: &Path, db: &Connection) -> Result<(), OpenFailed> {
    let path = dir.join(KEYS_FILE_NAME);
    let failed = |source| OpenFailed::Sqlite { path: path.clone(), source };
    let master = Master::open(dir, false)?;
    let check: Vec<u8> = db.query_row("SELECT wrapped_check FROM ring", [], |row| row.get(0)).map_err(failed)?;
    match sealed::decrypt(&master.wrapping, b"check", &check).as_deref() {
        Some(CHECK_TEXT) => Ok(()),
        _ => Err(OpenFailed::WrongMasterKey { path }),
    }
}

fn open_writing(path: &Path) -> rusqlite::Result<Connection> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    Ok(db)
}

fn make_tables(db: &Connection, check: &[u8]) -> rusqlite::Result<()> {
    let tx = db.unchecked_transaction()?;
    tx.execute_batch(TABLES)?;
    tx.execute("INSERT INTO ring VALUES (1, 1, ?1)", [check])?;
    tx.pragma_update(None, "user_version", FORMAT)?;
    tx.commit()
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(2))?;
    Ok(db)
}

fn unavailable(error: rusqlite::Error) -> SealFailed {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => SealFailed::Damaged(error.to_string()),
        _ => SealFailed::Unavailable(error.to_string()),
    }
}

/// A connection is whole between statements, so a panic elsewhere taints nothing.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
