//! The one thread that writes the journal: takes work, keeps its health true, and heals by itself.
//!
//! | what comes | what happens |
//! | --- | --- |
//! | appends | one group, one transaction ([`group`](super::group)) |
//! | a cut | one bounded step of it ([`cut`](super::cut)), after the group |
//! | nothing for half a second while not healthy | a probe that writes, and takes the reserve back |
//! | a failed sync | the process ends; where a test prevents that, nothing is written any more |
//! | closing | what waits is committed, then the files are closed |

use crate::overload::disk;
use crate::slices;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use metrics::gauge;
use rusqlite::Connection;

use super::super::health::HealthCell;
use super::super::{JournalState, Position};
use super::checkpoint::{self, Checkpointer};
use super::fault::{Fault, FaultKind};
use super::inbox::Inbox;
use super::reserve::Reserve;
use super::schema;
use super::settings::Settings;

const PROBE_EVERY: Duration = Duration::from_millis(500);
/// As much as a small group needs, so that a probe does not call a disk healthy that takes nothing.
const PROBE_BYTES: i64 = 64 * 1024;

/// What the writer knows of a workspace: its row, and its last position. Dropped whenever it may be wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    pub workspace: i64,
    pub last: Position,
}

pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) tails: HashMap<Arc<str>, Tail>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) health: Arc<HealthCell>,
    pub(super) settings: Settings,
    pub(super) reserve: Reserve,
    pub(super) commits: Arc<AtomicU64>,
    /// Set once a sync has failed: nothing more may be written.
    pub(super) ended: bool,
    wal_path: PathBuf,
    checkpointer: Checkpointer,
    /// Written to the WAL since the checkpointer was last asked.
    wal_bytes_since_pass: u64,
    pub(super) used_bytes: u64,
}

impl Writer {
    pub fn start(
        db: Connection,
        path: PathBuf,
        settings: Settings,
        inbox: Arc<Inbox>,
        health: Arc<HealthCell>,
        commits: Arc<AtomicU64>,
    ) -> io::Result<JoinHandle<()>> {
        let dir = path.parent().map(PathBuf::from).unwrap_or_default();
        let mut wal_path = path.clone().into_os_string();
        wal_path.push("-wal");
        let mut writer = Writer {
            db,
            tails: HashMap::new(),
            inbox,
            health,
            reserve: Reserve::new(&dir, settings.kept_back_bytes),
            commits,
            ended: false,
            wal_path: PathBuf::from(wal_path),
            checkpointer: Checkpointer::start(path, settings.clone())?,
            settings,
            wal_bytes_since_pass: 0,
            used_bytes: 0,
        };
        writer.measure();
        writer.settle();
        std::thread::Builder::new().name("journal-writer".to_owned()).spawn(move || {
            slices::short();
            writer.run();
        })
    }

    fn run(mut self) {
        let _closing = Closing { inbox: Arc::clone(&self.inbox), health: Arc::clone(&self.health) };
        while !self.ended
            && let Some(work) = self.inbox.take(self.patience())
        {
            #[cfg(test)]
            for aside in work.asides {
                aside(&self.db);
            }
            let idle = work.appends.is_empty() && work.cut.is_none();
            if !work.appends.is_empty() {
                self.commit_group(work.appends);
            }
            if let Some(cut) = work.cut {
                self.cut_step(cut);
            }
            if idle && self.health.state() != JournalState::Healthy {
                self.probe();
            }
            self.keep_wal_bounded();
        }
    }

    fn patience(&self) -> Option<Duration> {
        match self.health.state() {
            // A probe cannot tell that damage is gone.
            JournalState::Healthy | JournalState::Damaged | JournalState::Closed => None,
            JournalState::Full | JournalState::KeptBack | JournalState::ReadOnly | JournalState::Failing => {
                Some(PROBE_EVERY)
            }
        }
    }

    /// Writes something that changes no record, to learn whether the disk takes writes again.
    fn probe(&mut self) {
        if self.health.state() == JournalState::KeptBack {
            // The disk is well; only the count can change.
            self.measure();
            return self.settle();
        }
        let written = self
            .clean_start()
            .and_then(|()| {
                let sql = "INSERT OR REPLACE INTO probe(id, filler) VALUES (1, zeroblob(?1))";
                self.db.prepare_cached(sql)?.execute([PROBE_BYTES])
            })
            .map_err(|error| Fault::of(&self.db, &error));
        match written {
            Ok(_) => {
                self.measure();
                self.settle();
            }
            Err(fault) => self.note(&fault),
        }
    }

    /// Rolls back what an earlier failure may have left open.
    pub(super) fn clean_start(&self) -> rusqlite::Result<()> {
        match self.db.is_autocommit() {
            true => Ok(()),
            false => self.db.execute_batch("ROLLBACK"),
        }
    }

    /// Takes note of a fault. After a failed sync this normally does not return.
    pub(super) fn note(&mut self, fault: &Fault) {
        if fault.kind == FaultKind::FailedSync {
            self.ended = true;
            (self.settings.on_failed_sync)(&fault.sentence);
        }
        self.health.become_state(fault.state(), Some(&fault.sentence));
    }

    /// After a success: healthy, unless the room that is kept back is gone.
    pub(super) fn settle(&mut self) {
        let mut error = None;
        if let Err(failed) = self.reserve.hold_when_due() {
            error = Some(format!("no room on the disk for the journal's reserve: {failed}"));
        }
        let state = match (self.reserve.is_held(), self.is_over_budget()) {
            (false, _) => JournalState::Full,
            (true, true) => JournalState::KeptBack,
            (true, false) => JournalState::Healthy,
        };
        self.health.become_state(state, error.as_deref());
    }

    pub(super) fn is_over_budget(&self) -> bool {
        let budget = self.settings.disk_budget_bytes;
        // The meter sees the whole directory, once a second; this sees the journal, at each commit.
        disk().is_critical() || budget.is_some_and(|budget| self.used_bytes > budget)
    }

    /// Even accepts and closes have an end: what was kept back for them.
    pub(super) fn is_beyond_kept_back(&self) -> bool {
        self.settings
            .disk_budget_bytes
            .is_some_and(|budget| self.used_bytes > budget.saturating_add(self.settings.kept_back_bytes))
    }

    /// Counts used pages and the WAL. Pages that a cut has freed are used again before the file grows.
    pub(super) fn measure(&mut self) {
        let pages: rusqlite::Result<(i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT page_count - freelist_count, page_size
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            )
            .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))));
        match pages {
            Ok((count, size)) => {
                self.used_bytes = count.saturating_mul(size).max(0) as u64 + self.wal_bytes();
                gauge!("offhook_journal_bytes").set(self.used_bytes as f64);
            }
            Err(error) => tracing::warn!(%error, "the journal's size cannot be read"),
        }
    }

    fn wal_bytes(&self) -> u64 {
        std::fs::metadata(&self.wal_path).map_or(0, |found| found.len())
    }

    fn keep_wal_bounded(&mut self) {
        if self.ended {
            return;
        }
        self.wal_bytes_since_pass += schema::pages_written(&self.db) * schema::PAGE_BYTES;
        if self.wal_bytes_since_pass >= self.settings.wal_bytes_max / 32 {
            self.wal_bytes_since_pass = 0;
            self.checkpointer.ask();
        }
        // A checkpointer that gets no time must not let it grow for ever: then the writer does all of it.
        let far_beyond = self.wal_bytes() > self.settings.wal_bytes_max.saturating_mul(4);
        let passed = self.checkpointer.passed_bytes();
        let done = match passed {
            _ if far_beyond => {
                let _no_pass = self.checkpointer.between_passes();
                checkpoint::whole(&self.db)
            }
            Some(bytes) if bytes > self.settings.wal_bytes_max => checkpoint::passive(&self.db).map(drop),
            _ => Ok(()),
        };
        if let Err(fault) = done {
            match fault.kind {
                FaultKind::FailedSync => self.note(&fault),
                _ => tracing::warn!(error = fault.sentence, "a checkpoint of the journal failed"),
            }
        }
    }
}

/// However the thread ends, nobody waits for it afterwards.
struct Closing {
    inbox: Arc<Inbox>,
    health: Arc<HealthCell>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        let error = std::thread::panicking().then_some("the journal's writer thread panicked");
        self.health.become_state(JournalState::Closed, error);
        self.inbox.close_now();
    }
}
