//! Who administered what, from where, and how it came out: a trail on the disk, in order, from which no line can be taken unnoticed.
//!
//! ```text
//! act ──▶ bounded channel ──▶ writer thread: all that wait, one transaction, one fsync ──▶ audit.db ──▶ answered
//! ```
//!
//! Each line has its number in its workspace, and a sum over the line before it and itself. What is in a line is the gateway's business.

mod chain;
mod store;
mod writer;

pub use chain::Sum;
pub use store::{NotKept, OpenFailed, Row, STORE, each};

use crate::slices;
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use writer::Job;

/// Acts that wait for the disk.
const WAITING_MAX: usize = 1_024;

/// How long acts are kept, and how many of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `None`: for ever, as far as there are not too many.
    pub kept_ms: Option<u64>,
    pub acts_max: u64,
}

/// When it is on the disk.
type Answered = oneshot::Receiver<Result<(), NotKept>>;

/// The trail of all workspaces of this process. Dropping it writes what waits.
pub struct Trail {
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    reading: Mutex<Connection>,
}

impl Trail {
    /// Opens `audit.db` in `dir`, or makes it. Blocks on the disk.
    ///
    /// # Errors
    /// It is of a newer release, or cannot be opened.
    pub fn open(dir: &Path, limits: Limits) -> Result<Arc<Self>, OpenFailed> {
        let writing = store::open(dir)?;
        let reading = STORE.open_reading(dir)?;
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let writer = std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
            slices::long();
            writer::run(&waiting, writing, limits);
        })?;
        Ok(Arc::new(Self { jobs: Some(jobs), writer: Some(writer), reading: Mutex::new(reading) }))
    }

    /// Adds a line, and answers when it is on the disk.
    ///
    /// # Errors
    /// It is not, or nobody knows.
    pub async fn add(&self, workspace: &str, at: u64, line: String) -> Result<(), NotKept> {
        self.send(workspace, at, line)?.await.unwrap_or(Err(NotKept::Stopped))
    }

    /// The same, for a thread that may wait.
    ///
    /// # Errors
    /// It is not, or nobody knows.
    pub fn add_blocking(&self, workspace: &str, at: u64, line: String) -> Result<(), NotKept> {
        self.send(workspace, at, line)?.blocking_recv().unwrap_or(Err(NotKept::Stopped))
    }

    fn send(&self, workspace: &str, at: u64, line: String) -> Result<Answered, NotKept> {
        let (answer, answered) = oneshot::channel();
        let job = Job { workspace: workspace.into(), at, line, answer };
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => Ok(answered),
            Some(Err(TrySendError::Full(_))) => Err(NotKept::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(NotKept::Stopped),
        }
    }

    /// Of one workspace, newest first, from before a number, no older than `from` and older than `to` (Unix milliseconds). Blocks on
    /// the disk.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn page(
        &self,
        workspace: &str,
        before: Option<u64>,
        from: Option<u64>,
        to: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Row>, NotKept> {
        let db = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(store::page(&db, workspace, before, from, to, limit)?)
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the thread that writes the audit trail had panicked");
        }
    }
}
