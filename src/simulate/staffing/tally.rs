//! What happened in one replication: counts, waits, and the time of agents.

use super::series::Series;
use super::waits::Waits;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tally {
    pub queues: BTreeMap<Arc<str>, QueueTally>,
    pub agents: AgentsTally,
    pub series: Series,
    /// All customers, of the warm-up too: the size of the work.
    pub conversations: u64,
}

/// Customers by the queue that they arrived at.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct QueueTally {
    pub arrived: u64,
    /// No agent was offered it in the moment of its arrival.
    pub delayed: u64,
    pub accepted: u64,
    pub accepted_in_time: u64,
    pub abandoned: u64,
    /// Not let in: the queue was full, or closed.
    pub refused: u64,
    /// Ended by a rule of the workspace before anybody accepted.
    pub ended_by_rule: u64,
    pub left_waiting: u64,
    /// From arrival to accept, of the accepted.
    pub waits: Waits,
    /// From arrival to giving up, of those who gave up.
    pub patience: Waits,
    pub offers: u64,
    pub rejected: u64,
    pub expired: u64,
}

/// Milliseconds of all agents together, after the warm-up.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct AgentsTally {
    /// Available, or still with a conversation.
    pub staffed_ms: f64,
    /// With at least one offer, conversation or wrap-up.
    pub busy_ms: f64,
    /// By share of capacity in use.
    pub load_ms: f64,
}

impl QueueTally {
    pub fn merge(&mut self, other: &QueueTally) {
        self.arrived += other.arrived;
        self.delayed += other.delayed;
        self.accepted += other.accepted;
        self.accepted_in_time += other.accepted_in_time;
        self.abandoned += other.abandoned;
        self.refused += other.refused;
        self.ended_by_rule += other.ended_by_rule;
        self.left_waiting += other.left_waiting;
        self.waits.merge(&other.waits);
        self.patience.merge(&other.patience);
        self.offers += other.offers;
        self.rejected += other.rejected;
        self.expired += other.expired;
    }
}

impl Tally {
    /// All queues together.
    #[must_use]
    pub fn all(&self) -> QueueTally {
        let mut all = QueueTally::default();
        self.queues.values().for_each(|queue| all.merge(queue));
        all
    }
}
