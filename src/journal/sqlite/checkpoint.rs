//! Moves the WAL's pages into the journal's file, on a thread and a connection of its own.
//!
//! A passive checkpoint beside a busy writer never quite catches up, and a WAL that is never wholly copied never
//! starts over. So it is repeated until what is left is little; and when the WAL holds too much, and a pass has just been
//! made, the writer does the small rest itself. A WAL that started over is written over, and a sync of what is written over
//! waits for nothing but its own bytes: that is worth more than a small file.
//!
//! Pages that were copied are read next at a start, if ever, and the system may forget them. Under a memory cap they would
//! otherwise stand where the view's pages are wanted, and each page that the writer writes would first look for one to forget.

use crate::slices;
use rustix::fs::Advice;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::fault::{Fault, FaultKind};
use super::schema;
use super::settings::Settings;

/// Pages that one pass may leave to the next: a sync's worth.
const LEFT_PAGES: u64 = 32;
/// Passes in a row: each copies what was written while the one before it was made.
const PASSES_MAX: u32 = 4;

pub(super) struct Checkpointer {
    ask: Option<SyncSender<()>>,
    /// Pages in the WAL when the last pass ended; 0 once that was asked.
    wal_pages: Arc<AtomicU64>,
    /// Held while passes are made.
    passing: Arc<Mutex<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub fn start(path: PathBuf, settings: Settings) -> io::Result<Checkpointer> {
        // One pass covers whatever was asked for before it, so one place is enough.
        let (ask, asked) = sync_channel::<()>(1);
        let wal_pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&wal_pages);
        let passing = Arc::new(Mutex::new(()));
        let pass = Arc::clone(&passing);
        let thread = std::thread::Builder::new().name("journal-checkpoint".to_owned()).spawn(move || {
            slices::long();
            let mut db = None;
            let written = Written::of(&path);
            while asked.recv().is_ok() {
                let _passing = pass.lock().unwrap_or_else(PoisonError::into_inner);
                let pages = passes(&mut db, &path, &settings).unwrap_or(0);
                seen.store(pages, Ordering::Release);
                written.may_be_forgotten();
            }
        })?;
        Ok(Checkpointer { ask: Some(ask), wal_pages, passing, thread: Some(thread) })
    }

    /// Asks for a pass. Never waits.
    pub fn ask(&self) {
        if let Some(ask) = &self.ask {
            let _ = ask.try_send(());
        }
    }

    /// Waits until the passes that are being made are over, and holds off the next: SQLite refuses two checkpoints at once, and
    /// its busy handler is not asked.
    pub fn between_passes(&self) -> MutexGuard<'_, ()> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that the WAL holds, if a pass was made since this was last asked: next to all of it is copied.
    pub fn passed_bytes(&self) -> Option<u64> {
        let pages = self.wal_pages.swap(0, Ordering::Acquire);
        (pages > 0).then_some(pages * schema::PAGE_BYTES)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The journal's file, for what the system keeps of it. Never closed: that would take away all locks that this process has on
/// it (fcntl(2)), and SQLite's connections rest on these.
struct Written(Option<ManuallyDrop<File>>);

impl Written {
    fn of(path: &Path) -> Self {
        Self(File::open(path).ok().map(ManuallyDrop::new))
    }

    /// What is not synced yet stays. Best effort: without it more is kept than is read again.
    fn may_be_forgotten(&self) {
        if let Some(file) = &self.0 {
            let _ = rustix::fs::fadvise(&**file, 0, None, Advice::DontNeed);
        }
    }
}

/// Pages in the WAL when the last pass was made.
fn passes(db: &mut Option<Connection>, path: &Path, settings: &Settings) -> Option<u64> {
    if db.is_none() {
        match schema::open_checkpointer(path, settings) {
            Ok(opened) => *db = Some(opened),
            Err(error) => tracing::warn!(%error, "the journal's checkpointer cannot open it"),
        }
    }
    let db = db.as_ref()?;
    let mut pages = None;
    for _ in 0..PASSES_MAX {
        match passive(db) {
            Ok(pass) => {
                pages = Some(pass.in_wal);
                if pass.in_wal.saturating_sub(pass.copied) <= LEFT_PAGES {
                    break;
                }
            }
            Err(fault) if fault.kind == FaultKind::FailedSync => {
                (settings.on_failed_sync)(&fault.sentence);
                return None;
            }
            Err(fault) => {
                tracing::warn!(error = fault.sentence, "a checkpoint of the journal failed");
                break;
            }
        }
    }
    pages
}

/// Copies all of it, and waits for readers, so that the WAL starts over with the next commit. To be called between passes.
pub(super) fn whole(db: &Connection) -> Result<(), Fault> {
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).map_err(|error| Fault::of(db, &error))
}

/// What a pass found: pages.
pub(super) struct Pass {
    in_wal: u64,
    copied: u64,
}

/// Copies what can be copied without waiting for anybody.
pub(super) fn passive(db: &Connection) -> Result<Pass, Fault> {
    let pages = |row: &rusqlite::Row<'_>, column| row.get(column).map(|pages: i64| pages.max(0) as u64);
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok(Pass { in_wal: pages(row, 1)?, copied: pages(row, 2)? })
    })
    .map_err(|error| Fault::of(db, &error))
}
