//! Full, read-only, damaged and failing disks: what is refused, what is unknown, and that it heals by itself.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rusqlite::ffi;

use super::super::super::RefusedAppend;
use super::super::fault_vfs::{self, Faults};
use super::super::{OpenFailed, Synchronous};
use super::*;

/// A journal on a disk that can be broken, and what was said of failed syncs.
struct Broken {
    dir: TempDir,
    journal: SqliteJournal,
    faults: Arc<Faults>,
    endings: Arc<Mutex<Vec<String>>>,
}

fn breakable() -> Broken {
    let dir = tempfile::tempdir().unwrap();
    let faults = fault_vfs::break_in(dir.path());
    let endings = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&endings);
    let settings = Settings {
        vfs: Some(fault_vfs::NAME),
        on_failed_sync: Arc::new(move |reason| told.lock().unwrap().push(reason.to_owned())),
        ..settings()
    };
    let journal = SqliteJournal::open(dir.path(), settings).unwrap();
    Broken { dir, journal, faults, endings }
}

fn refused(why: RefusedAppend) -> Appended {
    Appended::Refused(why)
}

#[tokio::test]
async fn a_full_database_refuses_and_recovers_by_itself() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 1).await;
    let set_pages_max = |pages: i64| {
        journal.aside(move |db| {
            db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        });
    };
    set_pages_max(1);
    let large = journal.append(&name("acme"), sized(1, 100_000)).await;
    assert_eq!(large, refused(RefusedAppend::Full));
    assert_eq!(journal.health().state, JournalState::Full);
    assert!(journal.health().last_error.as_ref().unwrap().contains("full"));
    set_pages_max(1 << 30);
    journal.becomes(JournalState::Healthy).await;
    let again = journal.append(&name("acme"), sized(1, 100_000)).await;
    assert_eq!(again, Appended::Committed(Position(2)));
}

#[tokio::test]
async fn on_a_full_disk_the_reserve_is_for_accepts_and_closes() {
    let Broken { dir, journal, faults, .. } = breakable();
    let reserve = dir.path().join("reserve");
    fill(&journal, "acme", 1).await;
    assert!(reserve.exists());
    *faults.full_while.lock().unwrap() = Some(reserve.clone());
    let ordinary = journal.append(&name("acme"), sound(1)).await;
    assert_eq!(ordinary, refused(RefusedAppend::Full));
    assert!(reserve.exists(), "an ordinary append does not use it up");

    let hold = journal.hold_up();
    let message = journal.append(&name("other"), sound(0));
    let accept = journal.append(&name("acme"), last_resort(sound(1)));
    drop(hold);
    assert_eq!(message.await, refused(RefusedAppend::Full));
    assert_eq!(accept.await, Appended::Committed(Position(2)));

    faults.full_while.lock().unwrap().take();
    journal.becomes(JournalState::Healthy).await;
    assert!(reserve.exists(), "the room is kept back again");
    let ordinary = journal.append(&name("other"), sound(0)).await;
    assert_eq!(ordinary, Appended::Committed(Position(1)));
}

#[tokio::test]
async fn while_the_reserve_is_gone_ordinary_appends_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let no_disk_has_this = Settings { kept_back_bytes: 1 << 60, ..settings() };
    let journal = SqliteJournal::open(dir.path(), no_disk_has_this).unwrap();
    assert_eq!(journal.health().state, JournalState::Full);
    let ordinary = journal.append(&name("acme"), sound(0)).await;
    assert_eq!(ordinary, refused(RefusedAppend::Full));
    let accept = journal.append(&name("acme"), last_resort(sound(0))).await;
    assert_eq!(accept, Appended::Committed(Position(1)));
    assert_eq!(journal.health().state, JournalState::Full);
}

#[tokio::test]
async fn beyond_the_disk_budget_only_accepts_and_closes_commit_until_a_cut() {
    let dir = tempfile::tempdir().unwrap();
    let budget = Settings {
        disk_budget_bytes: Some(1 << 20),
        wal_bytes_max: 128 * 1024,
        kept_back_bytes: 1 << 20,
        ..settings()
    };
    let journal = SqliteJournal::open(dir.path(), budget).unwrap();
    let acme = name("acme");
    let mut at = 0;
    while journal.append(&acme, sized(at, 32 * 1024)).await != refused(RefusedAppend::KeptBack) {
        at += 1;
        assert!(at < 100, "the budget was never seen");
    }
    assert_eq!(journal.health().state, JournalState::KeptBack);
    let accept = last_resort(sized(at, 32 * 1024));
    assert_eq!(journal.append(&acme, accept).await, Appended::Committed(Position(at + 1)));
    at += 1;
    let mut refusal = Appended::Committed(Position(at));
    while let Appended::Committed(Position(now)) = refusal {
        at = now;
        refusal = journal.append(&acme, last_resort(sized(at, 128 * 1024))).await;
        assert!(at < 200, "what is kept back never ended");
    }
    assert_eq!(refusal, refused(RefusedAppend::Full));
}

#[tokio::test]
async fn a_cut_brings_the_journal_back_inside_its_budget() {
    let dir = tempfile::tempdir().unwrap();
    let unlimited = SqliteJournal::open(dir.path(), settings()).unwrap();
    for at in 0..40 {
        unlimited.append(&name("acme"), sized(at, 64 * 1024)).await;
    }
    drop(unlimited);
    let budget = Settings { disk_budget_bytes: Some(2 << 20), ..settings() };
    let journal = SqliteJournal::open(dir.path(), budget).unwrap();
    assert_eq!(journal.health().state, JournalState::KeptBack);
    assert_eq!(journal.append(&name("acme"), sound(40)).await, refused(RefusedAppend::KeptBack));
    assert_eq!(journal.cut(&name("acme"), Position(40)).await.unwrap(), 39);
    journal.becomes(JournalState::Healthy).await;
    assert_eq!(journal.append(&name("acme"), sound(40)).await, Appended::Committed(Position(41)));
}

#[tokio::test]
async fn a_read_only_disk_refuses_and_recovers() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 1).await;
    journal.aside(|db| db.pragma_update(None, "query_only", true).unwrap());
    assert_eq!(journal.append(&name("acme"), sound(1)).await, refused(RefusedAppend::ReadOnly));
    assert_eq!(journal.health().state, JournalState::ReadOnly);
    journal.aside(|db| db.pragma_update(None, "query_only", false).unwrap());
    assert_eq!(journal.append(&name("acme"), sound(1)).await, Appended::Committed(Position(2)));
    assert_eq!(journal.health().state, JournalState::Healthy);
    assert!(journal.health().last_error.is_some(), "what went wrong is still told");
}

#[tokio::test]
async fn a_write_error_at_commit_is_read_back_and_refused() {
    let Broken { journal, faults, endings, .. } = breakable();
    fill(&journal, "acme", 1).await;
    faults.write.store(ffi::SQLITE_IOERR_WRITE, Ordering::SeqCst);
    assert_eq!(journal.append(&name("acme"), sound(1)).await, refused(RefusedAppend::DiskFault));
    assert_eq!(journal.health().state, JournalState::Failing);
    faults.write.store(ffi::SQLITE_OK, Ordering::SeqCst);
    assert_eq!(journal.append(&name("acme"), sound(1)).await, Appended::Committed(Position(2)));
    assert_eq!(journal.health().state, JournalState::Healthy);
    assert!(endings.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_failing_journal_heals_while_nobody_writes() {
    let Broken { journal, faults, .. } = breakable();
    faults.write.store(ffi::SQLITE_IOERR_WRITE, Ordering::SeqCst);
    assert_eq!(journal.append(&name("acme"), sound(0)).await, refused(RefusedAppend::DiskFault));
    faults.write.store(ffi::SQLITE_OK, Ordering::SeqCst);
    journal.becomes(JournalState::Healthy).await;
}

#[tokio::test]
async fn a_failed_sync_ends_the_process_and_answers_unknown() {
    let Broken { journal, faults, endings, .. } = breakable();
    fill(&journal, "acme", 1).await;
    faults.sync.store(ffi::SQLITE_IOERR_FSYNC, Ordering::SeqCst);
    let ended = journal.append(&name("acme"), sound(1)).await;
    assert!(matches!(ended, Appended::Unknown(_)), "{ended:?}");
    assert_eq!(endings.lock().unwrap().len(), 1);
    faults.sync.store(ffi::SQLITE_OK, Ordering::SeqCst);
    journal.becomes(JournalState::Closed).await;
    assert_eq!(journal.append(&name("acme"), sound(1)).await, refused(RefusedAppend::Closed));
}

#[tokio::test]
async fn a_damaged_page_refuses_and_is_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open_in(dir.path());
    fill(&journal, "acme", 300).await;
    drop(journal);
    // Breaks the page that the workspaces' names are found by, which opening does not read.
    let path = dir.path().join("journal.db");
    let page: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_workspace_1'", [], |row| {
            row.get(0)
        })
        .unwrap();
    let page = page as usize;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let journal = open_in(dir.path());
    assert_eq!(journal.append(&name("acme"), sound(300)).await, refused(RefusedAppend::Damaged));
    assert_eq!(journal.health().state, JournalState::Damaged);
    assert!(journal.tail(&name("acme")).await.is_err());
    assert!(!journal.check_pages().await.unwrap().is_empty());
}

#[test]
fn a_damaged_file_does_not_open_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("journal.db"), vec![0xA5; 8192]).unwrap();
    let failed = SqliteJournal::open(dir.path(), settings()).err().unwrap();
    assert!(matches!(failed, OpenFailed::Damaged { .. }));
    let said = failed.to_string();
    assert!(said.contains("journal.db") && said.contains("offhook journal verify"), "{said}");
}

#[test]
fn a_newer_format_does_not_open() {
    let (dir, journal) = opened();
    journal.aside(|db| db.pragma_update(None, "user_version", 2).unwrap());
    drop(journal);
    let failed = SqliteJournal::open(dir.path(), settings()).err().unwrap();
    assert!(matches!(failed, OpenFailed::NewerFormat { format: 2, .. }));
}

#[test]
fn commits_are_synced_unless_a_test_asks_otherwise() {
    let synchronous = |journal: &SqliteJournal| {
        journal.aside(|db| db.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap())
    };
    let (dir, journal) = opened();
    assert_eq!(synchronous(&journal), 2);
    drop(journal);
    let off = Settings { synchronous: Synchronous::Off, ..settings() };
    assert_eq!(synchronous(&SqliteJournal::open(dir.path(), off).unwrap()), 0);
}
