//! Copies a SQLite database that others write to, page by page.
//!
//! A large one is copied twice over. First as it comes, at the pace that was asked for, in read transactions of a moment each: then its
//! pages are of different moments. Then in one read transaction all pages are looked at and those that differ are copied again: then they
//! are of one moment. Only that transaction holds the database's log, and it waits for no pace: it reads, and writes little.
//!
//! SQLite's own backup begins anew when somebody else writes, or holds the log for as long as the slow copy takes.

use super::failed::{BackupFailed, OrFailed};
use super::held;
use super::meter::Meter;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Of one short transaction.
const CHUNK_PAGES: u64 = 64;
/// Smaller ones are copied at once.
const AT_ONCE_BYTES: u64 = 32 << 20;

pub(super) struct Source<'a> {
    pub path: &'a Path,
    /// What the log may grow to while the copy is made exact.
    pub wal_bytes_max: u64,
}

/// Copies a database to a file that is made; `of_that_moment` asks it what it is as it was copied.
pub(super) fn copy<T>(
    source: &Source<'_>,
    to: &Path,
    stage: &'static str,
    meter: &mut Meter<'_>,
    of_that_moment: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, BackupFailed> {
    let db = open(source.path)?;
    let made = Made { file: held::create(to)?, path: to.to_owned(), page_bytes: page_bytes(&db, source.path)? };
    let bytes = std::fs::metadata(source.path).or_failed("reading", source.path)?.len();
    meter.begin(stage, bytes);
    if bytes > AT_ONCE_BYTES {
        roughly(&db, source, &made, meter)?;
        meter.begin("making the copy exact", bytes);
    }
    let found = exactly(&db, source, &made, meter, of_that_moment)?;
    made.file.sync_all().or_failed("syncing", to)?;
    Ok(found)
}

fn open(path: &Path) -> Result<Connection, BackupFailed> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).or_failed("opening", path)?;
    db.busy_timeout(Duration::from_secs(5)).or_failed("opening", path)?;
    Ok(db)
}

fn page_bytes(db: &Connection, path: &Path) -> Result<u64, BackupFailed> {
    let bytes: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0)).or_failed("reading", path)?;
    Ok(bytes.max(512) as u64)
}

/// All pages, of no moment in particular.
fn roughly(db: &Connection, source: &Source<'_>, made: &Made, meter: &mut Meter<'_>) -> Result<(), BackupFailed> {
    let mut next = 1;
    loop {
        db.execute_batch("BEGIN").or_failed("reading", source.path)?;
        let read = pages(db, next, CHUNK_PAGES);
        db.execute_batch("COMMIT").or_failed("reading", source.path)?;
        let (chunk, count) = read.or_failed("reading", source.path)?;
        made.write(next, &chunk)?;
        meter.took(chunk.len());
        next += CHUNK_PAGES;
        if next > count {
            return Ok(());
        }
    }
}

/// Those that differ, in one transaction.
fn exactly<T>(
    db: &Connection,
    source: &Source<'_>,
    made: &Made,
    meter: &mut Meter<'_>,
    of_that_moment: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, BackupFailed> {
    db.execute_batch("BEGIN").or_failed("reading", source.path)?;
    let mut next = 1;
    let count = loop {
        let (chunk, count) = pages(db, next, CHUNK_PAGES).or_failed("reading", source.path)?;
        if !made.holds(next, &chunk)? {
            made.write(next, &chunk)?;
        }
        meter.saw(chunk.len());
        next += CHUNK_PAGES;
        if next > count {
            break count;
        }
        look_at_the_log(source)?;
    };
    let found = of_that_moment(db).or_failed("reading", source.path)?;
    db.execute_batch("COMMIT").or_failed("reading", source.path)?;
    made.file.set_len(count * made.page_bytes).or_failed("writing", &made.path)?;
    Ok(found)
}

/// Pages from `first` on, and how many there are in all at that moment.
fn pages(db: &Connection, first: u64, most: u64) -> rusqlite::Result<(Vec<u8>, u64)> {
    let count: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let count = count.max(0) as u64;
    let mut chunk = Vec::new();
    let mut page = db.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    for number in first..(first + most).min(count + 1) {
        page.query_row([number as i64], |row| {
            chunk.extend_from_slice(row.get_ref(0)?.as_blob()?);
            Ok(())
        })?;
    }
    Ok((chunk, count))
}

fn look_at_the_log(source: &Source<'_>) -> Result<(), BackupFailed> {
    let mut log = source.path.as_os_str().to_owned();
    log.push("-wal");
    let bytes = std::fs::metadata(&log).map_or(0, |log| log.len());
    if bytes <= source.wal_bytes_max {
        return Ok(());
    }
    Err(BackupFailed::Refused(format!(
        "{} has grown to {} MB while its database was read, which is more than --wal-bytes-max allows: take the whole backup \
         when less is written, or allow more",
        Path::new(&log).display(),
        bytes / 1_000_000
    )))
}

struct Made {
    file: File,
    path: PathBuf,
    page_bytes: u64,
}

impl Made {
    fn at(&self, page: u64) -> u64 {
        (page - 1) * self.page_bytes
    }

    fn write(&self, first: u64, chunk: &[u8]) -> Result<(), BackupFailed> {
        self.file.write_all_at(chunk, self.at(first)).or_failed("writing", &self.path)
    }

    fn holds(&self, first: u64, chunk: &[u8]) -> Result<bool, BackupFailed> {
        let mut found = vec![0; chunk.len()];
        match self.file.read_exact_at(&mut found, self.at(first)) {
            Ok(()) => Ok(found == chunk),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error).or_failed("reading", &self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(dir: &Path, rows: i64) -> (PathBuf, Connection) {
        let path = dir.join("source.db");
        let db = Connection::open(&path).unwrap();
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        db.execute_batch("CREATE TABLE row(id INTEGER PRIMARY KEY, text TEXT)").unwrap();
        fill(&db, 1, rows);
        (path, db)
    }

    fn fill(db: &Connection, from: i64, to: i64) {
        let sql = "WITH RECURSIVE n(id) AS (SELECT ?1 UNION ALL SELECT id + 1 FROM n WHERE id < ?2)
                   INSERT OR REPLACE INTO row SELECT id, hex(randomblob(500)) FROM n";
        db.execute(sql, [from, to]).unwrap();
    }

    fn rows(path: &Path) -> (i64, String) {
        let db = Connection::open(path).unwrap();
        let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        db.query_row("SELECT count(*), max(text) FROM row", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    #[test]
    fn a_database_that_is_written_to_is_copied_as_of_one_moment() {
        let dir = tempfile::tempdir().unwrap();
        let (path, db) = database(dir.path(), 100);
        let source = Source { path: &path, wal_bytes_max: 1 << 30 };
        let reader = open(&path).unwrap();
        let to = dir.path().join("copy.db");
        let made = Made { file: held::create(&to).unwrap(), path: to.clone(), page_bytes: 4_096 };
        let mut said = Vec::<u8>::new();
        let mut meter = Meter::new(0, &mut said);
        roughly(&reader, &source, &made, &mut meter).unwrap();
        // Changed, grown, and shorter than it once was.
        fill(&db, 50, 3_000);
        let count = |db: &Connection| db.query_row("SELECT count(*) FROM row", [], |row| row.get::<_, i64>(0));
        assert_eq!(exactly(&reader, &source, &made, &mut meter, count).unwrap(), 3_000);
        assert_eq!(rows(&to), rows(&path));
        db.execute_batch("DELETE FROM row WHERE id > 10; VACUUM").unwrap();
        assert_eq!(exactly(&reader, &source, &made, &mut meter, count).unwrap(), 10);
        assert_eq!(rows(&to), rows(&path));
    }

    #[test]
    fn a_log_that_grows_too_large_ends_the_copy_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let (path, _db) = database(dir.path(), 3_000);
        let source = Source { path: &path, wal_bytes_max: 1_000 };
        let (mut said, to) = (Vec::<u8>::new(), dir.path().join("copy.db"));
        let refused = copy(&source, &to, "copying", &mut Meter::new(0, &mut said), |_| Ok(())).unwrap_err().to_string();
        assert!(refused.contains("--wal-bytes-max"), "{refused}");
    }
}
