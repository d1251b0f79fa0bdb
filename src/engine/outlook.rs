//! What a customer who waits is told of it: the place in the queue, and when the queue opens.

use crate::desk::Desk;
use crate::desk::ids::{ConversationId, QueueId};
use crate::desk::opening::Opening;
use crate::desk::time::WallTime;
use std::collections::BTreeMap;

/// As of at most a second ago.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// From 1.
    pub place: u32,
    /// Its queue is closed until then.
    pub opens_at: Option<WallTime>,
}

/// Of all that wait.
#[must_use]
pub fn outlooks(desk: &Desk) -> BTreeMap<ConversationId, Outlook> {
    let mut all = BTreeMap::new();
    for (queue, _) in desk.queues().filter(|(_, queue)| queue.waiting > 0) {
        let opens_at = opens_at(desk, queue);
        for (place, id) in desk.waiting_in(queue).into_iter().enumerate() {
            all.insert(id, Outlook { place: place as u32 + 1, opens_at });
        }
    }
    all
}

/// When a queue that is closed opens.
#[must_use]
pub fn opens_at(desk: &Desk, queue: QueueId) -> Option<WallTime> {
    desk.opening_of(queue).and_then(Opening::opens_at)
}
