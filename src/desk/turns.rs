//! An agent's queues in proportion to their weights: each conversation from a queue costs it a step of one over its weight,
//! and the queue that has gone the least far is next. A queue that had nothing for a while saves nothing up.

use super::ids::QueueId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one conversation costs a queue of weight 1.
const STEP: u64 = 1_000_000;

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Turns {
    /// Where the queue that was last taken from stood.
    clock: u64,
    /// How far each queue has gone, where that is more than the clock.
    gone: BTreeMap<QueueId, u64>,
}

impl Turns {
    /// How far this queue has gone: the least comes first.
    #[must_use]
    pub fn of(&self, queue: QueueId) -> u64 {
        self.gone.get(&queue).copied().unwrap_or(0).max(self.clock)
    }

    /// A conversation of this queue was offered.
    pub fn take(&mut self, queue: QueueId, weight: u32) {
        self.clock = self.of(queue);
        self.gone.insert(queue, self.clock + STEP / u64::from(weight.max(1)));
        let clock = self.clock;
        self.gone.retain(|_, gone| *gone > clock);
    }
}
