//! What an operator may set of the embedded journal, and what happens when a sync fails.

use std::sync::Arc;

/// What is done when a sync has failed: told why, and not expected to return.
pub type FailedSync = Arc<dyn Fn(&str) + Send + Sync>;

/// How a commit reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Each commit is synced. The only choice that keeps the promise that what was acknowledged is still there.
    #[default]
    Full,
    /// Commits survive `kill -9`, and the last of them not a power cut.
    Normal,
    /// Nothing is ever synced. Exists so that the durability test can prove that it notices the loss.
    Off,
}

impl Synchronous {
    pub(super) fn pragma(self) -> &'static str {
        match self {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
            Synchronous::Off => "OFF",
        }
    }
}

#[derive(Clone)]
pub struct Settings {
    pub synchronous: Synchronous,
    /// Size of the reserve file, given up to accepts and closes when the disk is full; 0 makes none. Also how far they
    /// may go beyond the disk budget.
    pub kept_back_bytes: u64,
    /// Above this, only accepts and closes are taken. Counts used pages and the WAL.
    pub disk_budget_bytes: Option<u64>,
    /// Appends that wait for the writer.
    pub inbox_records_max: usize,
    /// Bodies of appends that wait for the writer.
    pub inbox_bytes_max: usize,
    /// The WAL is made to start over when it has grown beyond this.
    pub wal_bytes_max: u64,
    /// The longest that one read may take.
    pub read_limit_ms: u64,
    /// Called once when a sync has failed; [`end_process`] unless a test wants to see it.
    pub on_failed_sync: FailedSync,
    /// Another SQLite VFS, by name, for tests that break the disk.
    #[doc(hidden)]
    pub vfs: Option<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            synchronous: Synchronous::Full,
            kept_back_bytes: 16 << 20,
            disk_budget_bytes: None,
            inbox_records_max: 16_384,
            inbox_bytes_max: 64 << 20,
            wal_bytes_max: 32 << 20,
            read_limit_ms: 5_000,
            on_failed_sync: Arc::new(end_process),
            vfs: None,
        }
    }
}

/// Ends the process at once. After a failed sync the kernel may have thrown the unwritten pages away and will call
/// the next sync a success, so only what a fresh start reads from the disk can be trusted.
pub fn end_process(reason: &str) {
    tracing::error!(
        reason,
        "the disk could not make the journal durable; ending now, to start again from what the disk has. Nothing \
         was acknowledged that is lost. If this comes again, look for disk errors in the kernel's log and replace \
         the disk"
    );
    std::process::abort();
}
