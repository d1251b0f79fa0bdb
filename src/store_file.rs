//! A small store on the disk: one SQLite file in the data directory, which says in which format it is (`user_version`). Opened, and checked
//! beside a running server, in the same way wherever there is one.

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Another process reads it now and then: an audit, a backup.
const BUSY: Duration = Duration::from_secs(2);

pub struct StoreFile {
    /// In the data directory.
    pub name: &'static str,
    /// The newest that this release reads, and the one that it makes.
    pub format: i64,
    /// What a new one is made of.
    pub tables: &'static str,
    /// For whoever has one that cannot be opened.
    pub advice: &'static str,
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    #[error("{path} has format {format}, of a newer release; this one reads {known}")]
    NewerFormat { path: PathBuf, format: i64, known: i64 },
    #[error("cannot open {path}: {source}; {advice}")]
    Sqlite { path: PathBuf, source: rusqlite::Error, advice: &'static str },
}

impl StoreFile {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// It is of a newer release, or cannot be opened.
    pub fn open(&self, dir: &Path) -> Result<Connection, OpenFailed> {
        let failed = |source| self.failed(dir, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(dir.join(self.name), flags).map_err(failed)?;
        let format = format_of(&db).map_err(failed)?;
        if format > self.format {
            return Err(self.newer(dir, format));
        }
        self.furnish(&db, format).map_err(failed)?;
        Ok(db)
    }

    /// Opens the one that is there, beside whoever writes it.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open_reading(&self, dir: &Path) -> Result<Connection, OpenFailed> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(dir.join(self.name), flags);
        let opened = opened.and_then(|db| db.busy_timeout(BUSY).map(|()| db));
        opened.map_err(|source| self.failed(dir, source))
    }

    /// Whether this release reads the one in `dir`, if there is one. Changes nothing.
    ///
    /// # Errors
    /// It is of a newer release, or cannot be read.
    pub fn check(&self, dir: &Path) -> Result<(), OpenFailed> {
        if !dir.join(self.name).is_file() {
            return Ok(());
        }
        match format_of(&self.open_reading(dir)?) {
            Ok(format) if format > self.format => Err(self.newer(dir, format)),
            Ok(_) => Ok(()),
            Err(source) => Err(self.failed(dir, source)),
        }
    }

    /// What reading it or writing it came to.
    #[must_use]
    pub fn failed(&self, dir: &Path, source: rusqlite::Error) -> OpenFailed {
        OpenFailed::Sqlite { path: dir.join(self.name), source, advice: self.advice }
    }

    fn newer(&self, dir: &Path, format: i64) -> OpenFailed {
        OpenFailed::NewerFormat { path: dir.join(self.name), format, known: self.format }
    }

    fn furnish(&self, db: &Connection, format: i64) -> rusqlite::Result<()> {
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "cache_size", -256)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        if format == 0 {
            let tx = db.unchecked_transaction()?;
            tx.execute_batch(self.tables)?;
            tx.pragma_update(None, "user_version", self.format)?;
            tx.commit()?;
        }
        Ok(())
    }
}

/// 0 for one that was made and not yet furnished.
fn format_of(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: StoreFile =
        StoreFile { name: "a.db", format: 1, tables: "CREATE TABLE a(b INTEGER);", advice: "find another" };

    #[test]
    fn what_is_not_there_is_sound_and_made_and_what_is_newer_or_no_store_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(FILE.check(dir.path()).is_ok());
        assert!(matches!(FILE.open_reading(dir.path()), Err(OpenFailed::Sqlite { .. })), "reading makes none");
        let db = FILE.open(dir.path()).unwrap();
        db.execute("INSERT INTO a VALUES (7)", []).unwrap();
        assert!(FILE.check(dir.path()).is_ok());
        let kept: i64 = FILE.open(dir.path()).unwrap().query_row("SELECT b FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 7);
        db.pragma_update(None, "user_version", 2).unwrap();
        for refused in [FILE.check(dir.path()), FILE.open(dir.path()).map(drop)] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.ends_with("a.db has format 2, of a newer release; this one reads 1"), "{refused}");
        }
        drop(db);
        std::fs::write(dir.path().join(FILE.name), "no store at all, but long enough to be looked at").unwrap();
        for refused in [FILE.check(dir.path()), FILE.open(dir.path()).map(drop)] {
            assert!(refused.unwrap_err().to_string().ends_with("; find another"));
        }
    }
}
