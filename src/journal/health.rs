//! How a journal is, told cheaply, for the status page and for whoever decides to wait.

use std::sync::Arc;
use std::time::SystemTime;

use metrics::gauge;
use tokio::sync::watch;

/// ```text
/// healthy ──disk full──▶ full ──────room again──▶ healthy
///         ──over budget─▶ kept_back ─cut, raised──▶ healthy
///         ──read-only───▶ read_only ─a commit─────▶ healthy
///         ──I/O error───▶ failing ───a commit─────▶ healthy
///         ──bad page────▶ damaged    (stays until an operator has restored it: one good
///                                     commit elsewhere in the file repairs nothing)
///         ──closed──────▶ closed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JournalState {
    Healthy,
    Full,
    KeptBack,
    ReadOnly,
    Failing,
    Damaged,
    Closed,
}

impl JournalState {
    pub const ALL: [JournalState; 7] = [
        JournalState::Healthy,
        JournalState::Full,
        JournalState::KeptBack,
        JournalState::ReadOnly,
        JournalState::Failing,
        JournalState::Damaged,
        JournalState::Closed,
    ];

    /// The word for metrics and the status page.
    pub fn word(self) -> &'static str {
        match self {
            JournalState::Healthy => "healthy",
            JournalState::Full => "full",
            JournalState::KeptBack => "kept_back",
            JournalState::ReadOnly => "read_only",
            JournalState::Failing => "failing",
            JournalState::Damaged => "damaged",
            JournalState::Closed => "closed",
        }
    }
}

/// A journal's state, since when, and the last thing that went wrong (kept after it has healed).
#[derive(Debug, Clone)]
pub struct JournalHealth {
    pub state: JournalState,
    pub since: SystemTime,
    pub last_error: Option<Arc<str>>,
}

fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(crate::clock::wall_ms())
}

/// The one cell that a journal's threads write and everybody reads.
pub(super) struct HealthCell(watch::Sender<Arc<JournalHealth>>);

impl HealthCell {
    pub fn new() -> Self {
        let cell = HealthCell(watch::Sender::new(Arc::new(JournalHealth {
            state: JournalState::Healthy,
            since: wall(),
            last_error: None,
        })));
        publish(JournalState::Healthy);
        cell
    }

    pub fn load(&self) -> Arc<JournalHealth> {
        Arc::clone(&self.0.borrow())
    }

    pub fn follow(&self) -> watch::Receiver<Arc<JournalHealth>> {
        self.0.subscribe()
    }

    pub fn state(&self) -> JournalState {
        self.0.borrow().state
    }

    /// Moves to `state`, with a sentence on why where something went wrong. Damage and closing are not left again.
    pub fn become_state(&self, state: JournalState, error: Option<&str>) {
        let old = self.load();
        let stays = match old.state {
            JournalState::Closed => true,
            JournalState::Damaged => state != JournalState::Closed,
            JournalState::Healthy
            | JournalState::Full
            | JournalState::KeptBack
            | JournalState::ReadOnly
            | JournalState::Failing => false,
        };
        let (state, since) = match stays || old.state == state {
            true => (old.state, old.since),
            false => (state, wall()),
        };
        if state == old.state && error.is_none() {
            return;
        }
        if state != old.state {
            if matches!(state, JournalState::Healthy | JournalState::Closed) && error.is_none() {
                tracing::info!(from = old.state.word(), to = state.word(), "the journal's state changed");
            } else {
                tracing::warn!(from = old.state.word(), to = state.word(), error, "the journal's state changed");
            }
            publish(state);
        }
        self.0.send_replace(Arc::new(JournalHealth {
            state,
            since,
            last_error: error.map(Arc::from).or_else(|| old.last_error.clone()),
        }));
    }
}

fn publish(current: JournalState) {
    for state in JournalState::ALL {
        let value = if state == current { 1.0 } else { 0.0 };
        gauge!("offhook_journal_state", "state" => state.word()).set(value);
    }
}
