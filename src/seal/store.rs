//! The key store on disk: `keys.db`, one row for each key, wrapped.
//!
//! Two connections: one that makes and erases keys and may wait for the disk, and one that reads, so that reading never
//! waits for an fsync.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row};

use super::master::{Master, MasterKeyFailed};
use super::sealed::{self, CLEAR_KEY_BYTES, ClearKey};
use super::shared::Block;
use super::{KeyNumber, SealFailed};
use crate::store_file::StoreFile;

/// The file's name in the data directory.
pub const KEYS_FILE_NAME: &str = "keys.db";

pub const FORMAT: i64 = 1;
const CHECK_TEXT: &[u8] = b"offhook";

/// A wrapped key: nonce, ciphertext, tag.
pub(super) const WRAPPED_BYTES: usize = sealed::MORE_BYTES + CLEAR_KEY_BYTES;
pub(super) type Wrapped = [u8; WRAPPED_BYTES];

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
    #[error(
        "{dir} has not the {what} of this cluster; copy master.key and server.key from another node of this cluster"
    )]
    OtherCluster { dir: PathBuf, what: String },
    #[error(
        "{dir} has keys that are not the cluster's: {why}. Start this node with an empty directory and the cluster's master.key and server.key"
    )]
    OtherKeys { dir: PathBuf, why: String },
    #[error("of the keys of the other nodes none came for {limit_s} s, and they are not all here")]
    NotTakenIn { limit_s: u64 },
    #[error("the keys that nodes share could not be used")]
    Shared(#[source] SealFailed),
}

/// Why blocks of other nodes were not taken in; none of them was.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// A number that is here has another key there.
    OtherKey(KeyNumber),
    Failed(SealFailed),
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
        let tx = db.transaction().map_err(unavailable)?;
        let (made, block) = self.fresh(next_number(&tx)?, count)?;
        insert(&tx, &block.keys, block.end)?;
        tx.commit().map_err(unavailable)?;
        Ok(made)
    }

    /// Keys for numbers from `first` on, clear and as a block of wrapped ones. They are nowhere yet.
    pub fn fresh(&self, first: u64, count: usize) -> Result<(Vec<(KeyNumber, ClearKey)>, Block), SealFailed> {
        let mut made = Vec::with_capacity(count);
        let mut block = Block { first, end: first.saturating_add(count as u64), keys: Vec::with_capacity(count) };
        let no_randomness = |error: getrandom::Error| SealFailed::Unavailable(error.to_string());
        for number in first..block.end {
            let mut bytes = [0; CLEAR_KEY_BYTES];
            getrandom::fill(&mut bytes).map_err(no_randomness)?;
            let wrapped = sealed::encrypt(&self.wrapping, &number.to_le_bytes(), &bytes).map_err(no_randomness)?;
            block.keys.push((number, wrapped.try_into().expect("a key wraps to one length")));
            made.push((KeyNumber(number), ClearKey(bytes)));
        }
        Ok((made, block))
    }

    /// The next number that has no key here.
    pub fn next_number(&self) -> Result<u64, SealFailed> {
        next_number(&lock(&self.writing))
    }

    /// Adds keys of blocks that are not here yet, but none that is erased; on the disk when this returns. All of them, or none. Whether one
    /// unwraps is found out when it is used.
    pub fn take_in(&self, blocks: &[Block], erased: &BTreeSet<u64>) -> Result<(), NotTaken> {
        let mut db = lock(&self.writing);
        let tx = db.transaction().map_err(unavailable)?;
        for block in blocks {
            let here: BTreeMap<u64, Wrapped> = rows(&tx, block.first, block.end, usize::MAX)?.into_iter().collect();
            let mut new = Vec::new();
            for (number, wrapped) in &block.keys {
                match here.get(number) {
                    Some(held) if held == wrapped => {}
                    Some(_) => return Err(NotTaken::OtherKey(KeyNumber(*number))),
                    None if erased.contains(number) => {}
                    None => new.push((*number, *wrapped)),
                }
            }
            insert(&tx, &new, block.end)?;
        }
        tx.commit().map_err(unavailable)?;
        Ok(())
    }

    /// Keys from a number on and before another, wrapped as they are; so many at most.
    pub fn rows(&self, from: u64, to: u64, rows_max: usize) -> Result<Vec<(u64, Wrapped)>, SealFailed> {
        rows(&lock(&self.reading), from, to, rows_max)
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
        self.unwrap(number.0, &wrapped).map(Some)
    }

    fn unwrap(&self, number: u64, wrapped: &[u8]) -> Result<ClearKey, SealFailed> {
        sealed::decrypt(&self.wrapping, &number.to_le_bytes(), wrapped)
            .and_then(|clear| clear.try_into().ok())
            .map(ClearKey)
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
            insert(&lock(&self.writing), &[], highest.0.saturating_add(1))?;
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

fn next_number(db: &Connection) -> Result<u64, SealFailed> {
    let next: i64 = db.query_row("SELECT next_number FROM ring", [], |row| row.get(0)).map_err(unavailable)?;
    Ok(next.unsigned_abs())
}

/// SQLite counts in signed numbers; no key has one beyond.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Adds keys, and lets no number before `end` be given out again: a counter of its own, and not the highest row, since an erased number
/// must never come again.
fn insert(db: &Connection, keys: &[(u64, Wrapped)], end: u64) -> Result<(), SealFailed> {
    let mut insert = db.prepare_cached("INSERT INTO key(number, wrapped) VALUES (?1, ?2)").map_err(unavailable)?;
    for (number, wrapped) in keys {
        insert.execute((signed(*number), wrapped)).map_err(unavailable)?;
    }
    let mut next = db.prepare_cached("UPDATE ring SET next_number = ?1 WHERE next_number < ?1").map_err(unavailable)?;
    next.execute([signed(end)]).map(|_| ()).map_err(unavailable)
}

fn rows(db: &Connection, from: u64, to: u64, rows_max: usize) -> Result<Vec<(u64, Wrapped)>, SealFailed> {
    let sql = "SELECT number, wrapped FROM key WHERE number >= ?1 AND number < ?2 ORDER BY number LIMIT ?3";
    let mut find = db.prepare_cached(sql).map_err(unavailable)?;
    let bounds = (signed(from), signed(to), signed(rows_max as u64));
    let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?));
    let found = find.query_map(bounds, row).map_err(unavailable)?;
    found.collect::<Result<_, _>>().map_err(unavailable)
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(2))?;
    // What is used again soon is in the cache of keys.
    db.pragma_update(None, "cache_size", -256)?;
    Ok(db)
}

impl From<SealFailed> for NotTaken {
    fn from(failed: SealFailed) -> Self {
        Self::Failed(failed)
    }
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
