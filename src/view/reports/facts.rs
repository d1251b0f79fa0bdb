//! What counting needs to know of a workspace's settings, as they were when something happened.

use super::measures::{ANSWER_WITHIN_MS, FIRST_REPLY_WITHIN_MS};
use crate::desk::ids::QueueId;
use crate::desk::settings::{QueueSettings, Settings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    /// A bit for each status that is an available one.
    pub available: u64,
    /// Of queues that have clocks: within how many milliseconds to answer, and to reply.
    #[serde(default)]
    within: BTreeMap<QueueId, (Option<u64>, Option<u64>)>,
}

impl Facts {
    /// Whether it changed which statuses are available ones.
    pub fn available_of(settings: &Settings) -> u64 {
        let places = settings.statuses.iter().enumerate().take(64);
        places.fold(0, |bits, (place, status)| bits | u64::from(status.available) << place)
    }

    pub fn put_queue(&mut self, queue: QueueId, settings: &QueueSettings) {
        match (settings.service.accept_ms, settings.service.first_reply_ms) {
            (None, None) => {
                self.within.remove(&queue);
            }
            within => {
                self.within.insert(queue, within);
            }
        }
    }

    pub fn remove_queue(&mut self, queue: QueueId) {
        self.within.remove(&queue);
    }

    pub fn answer_within_ms(&self, queue: QueueId) -> u64 {
        self.within.get(&queue).and_then(|(answer, _)| *answer).unwrap_or(ANSWER_WITHIN_MS)
    }

    pub fn first_reply_within_ms(&self, queue: QueueId) -> u64 {
        self.within.get(&queue).and_then(|(_, reply)| *reply).unwrap_or(FIRST_REPLY_WITHIN_MS)
    }

    /// The status of an agent that never chose one: the first that is not available.
    pub fn away(&self) -> u8 {
        self.available.trailing_ones() as u8
    }
}
