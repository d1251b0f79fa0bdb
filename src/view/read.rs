//! Connections that only read: few, each used by one reader at a time on a blocking thread, and none for longer than
//! it may, because a long read keeps the write-ahead log from being reused.

use super::Settings;
use super::failed::{OrFailed, ViewFailed};
use super::health::Condition;
use super::schema;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How many instructions of SQLite's machine run between two looks at the clock: well under a millisecond's worth.
const LOOK_EVERY: i32 = 2_000;

pub(super) struct Readers {
    path: PathBuf,
    settings: Settings,
    condition: Arc<Condition>,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Reader>>,
    waiting: AtomicUsize,
    base: Instant,
}

struct Reader {
    connection: Connection,
    /// Nanoseconds after `base`.
    deadline: Arc<AtomicU64>,
}

impl Readers {
    /// Up to `connections` at once; they are opened when first needed.
    pub fn new(path: &Path, settings: Settings, condition: Arc<Condition>, connections: usize) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            free: Arc::new(Semaphore::new(connections)),
            idle: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            base: (settings.monotonic)(),
            condition,
            settings,
        })
    }

    /// Runs `read` within one read transaction: it sees one state of the view.
    ///
    /// # Errors
    /// `Busy` when too many wait or none of the connections came free in time, `TooSlow` when it took too long.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        at_most: Duration,
        read: impl FnOnce(&Connection) -> Result<T, ViewFailed> + Send + 'static,
    ) -> Result<T, ViewFailed> {
        let waits = Waits::enter(self)?;
        let acquiring = tokio::time::timeout(self.settings.read_wait, self.free.clone().acquire_owned());
        let permit = match acquiring.await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(ViewFailed::Stopped),
            Err(_) => return Err(ViewFailed::Busy),
        };
        drop(waits);
        let readers = self.clone();
        let running = tokio::task::spawn_blocking(move || {
            // Held here and not by the caller, who may go away while this still runs.
            let _permit = permit;
            readers.run(at_most, read)
        });
        match running.await {
            Ok(done) => done,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            Err(_) => Err(ViewFailed::Stopped),
        }
    }

    fn run<T>(
        &self,
        at_most: Duration,
        read: impl FnOnce(&Connection) -> Result<T, ViewFailed>,
    ) -> Result<T, ViewFailed> {
        let mut reader = match self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let deadline = (self.settings.monotonic)().duration_since(self.base) + at_most;
        reader.deadline.store(deadline.as_nanos() as u64, Ordering::Relaxed);
        let transaction = reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .or_failed("beginning to read the view")?;
        let done = read(&transaction);
        let ended = transaction.commit().or_failed("ending a read of the view");
        if let Err(damaged @ ViewFailed::Damaged { .. }) = &done {
            self.condition.failed(damaged);
        }
        // A connection on which something went wrong is not used again.
        if ended.is_ok() && !matches!(done, Err(ViewFailed::Sqlite { .. } | ViewFailed::Damaged { .. })) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
        done
    }

    fn open(&self) -> Result<Reader, ViewFailed> {
        let mut connection = schema::open_reader(&self.path, &self.settings)?;
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let (watched, base, monotonic) = (deadline.clone(), self.base, self.settings.monotonic);
        let late = move || monotonic().duration_since(base).as_nanos() as u64 > watched.load(Ordering::Relaxed);
        connection.progress_handler(LOOK_EVERY, Some(late)).or_failed("limiting a reader's time")?;
        Ok(Reader { connection, deadline })
    }
}

/// One reader that waits for a connection.
struct Waits<'a>(&'a Readers);

impl<'a> Waits<'a> {
    fn enter(readers: &'a Readers) -> Result<Self, ViewFailed> {
        if readers.waiting.fetch_add(1, Ordering::Relaxed) >= readers.settings.readers_waiting_max {
            readers.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(ViewFailed::Busy);
        }
        Ok(Self(readers))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
