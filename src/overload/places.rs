//! Room for connections: each is reserved with what it costs while nothing happens on it, and stays so while its agent is away
//! within its grace.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What an idle connection takes: session, task and what the desk holds of its agent, what the kernel holds for its socket,
/// and room for an accept and its reply, which comes out of no other purse.
pub const CONNECTION_BYTES: u64 = 12 * 1024;
/// All of them may take this part of the budget.
const SHARE: u64 = 2;

/// For how many connections a budget has room.
#[must_use]
pub fn places_in(budget_bytes: u64) -> u64 {
    budget_bytes / SHARE / CONNECTION_BYTES
}

#[derive(Debug)]
pub struct Places {
    most: AtomicUsize,
    open: AtomicUsize,
    /// For agents who dropped and may come back: as of the last second, and those who went since.
    kept: AtomicUsize,
}

impl Places {
    pub(super) const fn new(most: usize) -> Self {
        Self { most: AtomicUsize::new(most), open: AtomicUsize::new(0), kept: AtomicUsize::new(0) }
    }

    pub(super) fn hold(&self, budget_bytes: u64) {
        self.most.store(usize::try_from(places_in(budget_bytes)).unwrap_or(usize::MAX / 2), Relaxed);
    }

    /// How many connections the budget has room for.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most.load(Relaxed)
    }

    /// A connection is there.
    pub fn open(&self) {
        self.open.fetch_add(1, Relaxed);
    }

    /// It is gone.
    pub fn close(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    /// An agent's connection went: its place is kept until it is known whether its grace runs.
    pub fn keep_one(&self) {
        self.kept.fetch_add(1, Relaxed);
    }

    /// So many agents are within their grace.
    pub fn keep(&self, agents: usize) {
        self.kept.store(agents, Relaxed);
    }

    /// Whether every place is taken or kept.
    #[must_use]
    pub fn are_short(&self) -> bool {
        self.open.load(Relaxed).saturating_add(self.kept.load(Relaxed)) >= self.most.load(Relaxed)
    }

    #[must_use]
    pub fn amounts(&self) -> [(&'static str, usize); 3] {
        [("open", &self.open), ("kept", &self.kept), ("most", &self.most)]
            .map(|(word, held)| (word, held.load(Relaxed)))
    }
}
