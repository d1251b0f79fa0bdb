//! What a customer who waits is told of it: the place in the queue, how long it will take, and when the queue opens.

use crate::desk::Desk;
use crate::desk::estimates::Estimate;
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
    /// In whole seconds, so that it is not another each time.
    pub estimate: Option<Estimate>,
}

/// Of all that wait.
#[must_use]
pub fn outlooks(desk: &Desk) -> BTreeMap<ConversationId, Outlook> {
    let mut all = BTreeMap::new();
    for (queue, _) in desk.queues().filter(|(_, queue)| queue.waiting > 0) {
        let opens_at = opens_at(desk, queue);
        // One look for all of a class: there may be a million of them.
        let mut known = BTreeMap::new();
        for (place, (id, class)) in desk.waiting_with_class(queue).into_iter().enumerate() {
            let place = place as u32 + 1;
            let known = known.entry(class).or_insert_with(|| desk.estimates_of(class));
            let estimate = known.and_then(|known| known.at(place)).map(in_seconds);
            all.insert(id, Outlook { place, opens_at, estimate });
        }
    }
    all
}

fn in_seconds(estimate: Estimate) -> Estimate {
    let whole = |ms: u32| ms.div_ceil(1_000).saturating_mul(1_000);
    Estimate { p50_ms: whole(estimate.p50_ms), p90_ms: whole(estimate.p90_ms) }
}

/// When a queue that is closed opens.
#[must_use]
pub fn opens_at(desk: &Desk, queue: QueueId) -> Option<WallTime> {
    desk.opening_of(queue).and_then(Opening::opens_at)
}
