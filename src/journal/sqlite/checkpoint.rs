//! Moves the WAL's pages into the journal's file, on a thread and a connection of its own.
//!
//! A passive checkpoint beside a busy writer never quite catches up, and a WAL that is never wholly copied never
//! starts over. So when it has grown too large, and a pass has just been made, the writer does the small rest itself.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::fault::{Fault, FaultKind};
use super::schema;
use super::settings::Settings;

pub(super) struct Checkpointer {
    ask: Option<SyncSender<()>>,
    pass_made: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub fn start(path: PathBuf, settings: Settings) -> io::Result<Checkpointer> {
        // One pass covers whatever was asked for before it, so one place is enough.
        let (ask, asked) = sync_channel::<()>(1);
        let pass_made = Arc::new(AtomicBool::new(false));
        let made = Arc::clone(&pass_made);
        let thread = std::thread::Builder::new().name("journal-checkpoint".to_owned()).spawn(move || {
            let mut db = None;
            while asked.recv().is_ok() {
                pass(&mut db, &path, &settings);
                made.store(true, Ordering::Release);
            }
        })?;
        Ok(Checkpointer { ask: Some(ask), pass_made, thread: Some(thread) })
    }

    /// Asks for a pass. Never waits.
    pub fn ask(&self) {
        if let Some(ask) = &self.ask {
            let _ = ask.try_send(());
        }
    }

    /// Whether a pass was made since this was last asked.
    pub fn pass_was_made(&self) -> bool {
        self.pass_made.swap(false, Ordering::Acquire)
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

fn pass(db: &mut Option<Connection>, path: &std::path::Path, settings: &Settings) {
    if db.is_none() {
        match schema::open_checkpointer(path, settings) {
            Ok(opened) => *db = Some(opened),
            Err(error) => tracing::warn!(%error, "the journal's checkpointer cannot open it"),
        }
    }
    let Some(db) = db else { return };
    if let Err(fault) = passive(db) {
        match fault.kind {
            FaultKind::FailedSync => (settings.on_failed_sync)(&fault.sentence),
            _ => tracing::warn!(error = fault.sentence, "a checkpoint of the journal failed"),
        }
    }
}

/// Copies all of it, and waits for a pass that is under way and for readers, so that the WAL starts over with the next
/// commit.
pub(super) fn whole(db: &Connection) -> Result<(), Fault> {
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).map_err(|error| Fault::of(db, &error))
}

/// Copies what can be copied without waiting for anybody.
pub(super) fn passive(db: &Connection) -> Result<(), Fault> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(|error| Fault::of(db, &error))
}
