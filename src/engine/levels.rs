//! The service level of each queue as it is now: how many clocks of accepting were achieved in time, and how many were breached, lately
//! and in a day. Counted from the events of this process, in memory of a fixed size for each queue; the whole of it is in the metrics.

use crate::desk::clocks::{Clock, ClockEnd};
use crate::desk::event::Event;
use crate::desk::ids::QueueId;
use crate::wire::agent::{KeptShape, ServiceShape};
use std::collections::BTreeMap;

/// Of a day so many, so that what is a day old goes in parts.
const PARTS: u64 = 288;
const PART_MS: u64 = 86_400_000 / PARTS;
const LATELY_PARTS: u64 = 30 * 60_000 / PART_MS;
/// Queues that are counted; further ones have none.
const QUEUES_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub struct Levels {
    /// Unix milliseconds.
    since: u64,
    of: BTreeMap<QueueId, Level>,
}

/// Only parts in which something was, oldest first: of most days few.
#[derive(Debug, Default)]
struct Level(Vec<Part>);

#[derive(Debug, Clone, Copy)]
struct Part {
    number: u64,
    kept: KeptShape,
}

impl Levels {
    /// Counts from now on.
    #[must_use]
    pub fn since(wall_ms: u64) -> Self {
        Self { since: wall_ms, of: BTreeMap::new() }
    }

    pub fn count(&mut self, events: &[Event], wall_ms: u64) {
        for event in events {
            let (queue, achieved) = match event {
                Event::ClockBreached { clock: Clock::Accept, queue, .. } => (*queue, false),
                Event::ClockEnded { clock: Clock::Accept, queue, end: ClockEnd::Achieved, late: false, .. } => {
                    (*queue, true)
                }
                _ => continue,
            };
            if !self.of.contains_key(&queue) && self.of.len() >= QUEUES_MAX {
                continue;
            }
            let kept = self.of.entry(queue).or_default().part(wall_ms / PART_MS);
            if achieved {
                kept.achieved = kept.achieved.saturating_add(1);
            } else {
                kept.breached = kept.breached.saturating_add(1);
            }
        }
    }

    /// `within_ms`: the time that the queue's settings give. Without, it is told as long as something was counted.
    pub fn of(&mut self, queue: QueueId, within_ms: Option<u64>, wall_ms: u64) -> Option<ServiceShape> {
        let now = wall_ms / PART_MS;
        let level = self.of.get_mut(&queue);
        let (lately, day) = level.map_or_else(Default::default, |level| {
            level.forget(now);
            (level.sum(now, LATELY_PARTS), level.sum(now, PARTS))
        });
        let told = within_ms.is_some() || day != KeptShape::default();
        told.then_some(ServiceShape { within_ms, counted_since: self.since, lately, day })
    }
}

impl Level {
    /// The part with this number; a clock that was set back counts in the newest.
    fn part(&mut self, number: u64) -> &mut KeptShape {
        if self.0.last().is_none_or(|last| last.number < number) {
            self.forget(number);
            self.0.push(Part { number, kept: KeptShape::default() });
        }
        &mut self.0.last_mut().expect("one is there now").kept
    }

    fn forget(&mut self, now: u64) {
        let old = self.0.iter().take_while(|part| part.number + PARTS <= now).count();
        self.0.drain(..old);
    }

    fn sum(&self, now: u64, parts: u64) -> KeptShape {
        let within = self.0.iter().filter(|part| part.number + parts > now);
        within.fold(KeptShape::default(), |sum, part| KeptShape {
            achieved: sum.achieved.saturating_add(part.kept.achieved),
            breached: sum.breached.saturating_add(part.kept.breached),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ids::ConversationId;

    const HOUR_MS: u64 = 3_600_000;
    const QUEUE: QueueId = QueueId(1);

    fn achieved_of(queue: QueueId) -> Event {
        let (conversation, clock, end) = (ConversationId(1), Clock::Accept, ClockEnd::Achieved);
        Event::ClockEnded { conversation, clock, queue, end, late: false, took_ms: 0 }
    }

    fn achieved() -> Event {
        achieved_of(QUEUE)
    }

    fn breached() -> Event {
        Event::ClockBreached { conversation: ConversationId(1), clock: Clock::Accept, queue: QUEUE }
    }

    #[test]
    fn what_was_lately_and_in_a_day_is_told_and_goes_in_parts() {
        let mut levels = Levels::since(7);
        let noon = 1_000_000 * HOUR_MS;
        assert_eq!(levels.of(QUEUE, None, noon), None, "there is no clock");
        levels.count(&[achieved(), achieved(), breached()], noon);
        levels.count(&[breached()], noon + HOUR_MS);
        let told = levels.of(QUEUE, Some(30_000), noon + HOUR_MS).expect("there is one");
        assert_eq!(told.lately, KeptShape { achieved: 0, breached: 1 });
        assert_eq!(told.day, KeptShape { achieved: 2, breached: 2 });
        assert_eq!((told.within_ms, told.counted_since), (Some(30_000), 7));
        let told = levels.of(QUEUE, None, noon + 24 * HOUR_MS).expect("something was counted");
        assert_eq!(told.day, KeptShape { achieved: 0, breached: 1 });
        assert_eq!(levels.of(QUEUE, None, noon + 26 * HOUR_MS), None);
    }

    #[test]
    fn it_stays_as_small_as_a_day() {
        let mut levels = Levels::since(0);
        for part in 0..3 * PARTS {
            levels.count(&[achieved()], part * PART_MS);
        }
        assert_eq!(levels.of[&QUEUE].0.len() as u64, PARTS);
        // A clock that is set back is no other day.
        levels.count(&[achieved()], 0);
        assert_eq!(levels.of[&QUEUE].0.len() as u64, PARTS);
    }

    #[test]
    fn queues_beyond_the_bound_have_none_and_those_before_go_on() {
        let mut levels = Levels::since(0);
        let queues: Vec<QueueId> = (1..=QUEUES_MAX as u32 + 1).map(QueueId).collect();
        for queue in &queues {
            levels.count(&[achieved_of(*queue), achieved_of(queues[0])], 0);
        }
        assert_eq!((levels.of.len(), size_of::<Part>(), PARTS), (QUEUES_MAX, 16, 288), "as the list of bounds says");
        assert_eq!(levels.of(queues[QUEUES_MAX], None, 0), None);
        let told = levels.of(queues[0], None, 0).expect("it was counted");
        assert_eq!(told.day.achieved as usize, QUEUES_MAX + 2);
    }

    #[test]
    fn only_accepting_in_time_counts_as_that() {
        let mut levels = Levels::since(0);
        let (conversation, clock) = (ConversationId(1), Clock::Accept);
        let late =
            Event::ClockEnded { conversation, clock, queue: QUEUE, end: ClockEnd::Achieved, late: true, took_ms: 0 };
        let void =
            Event::ClockEnded { conversation, clock, queue: QUEUE, end: ClockEnd::Voided, late: false, took_ms: 0 };
        levels.count(&[late, void], 0);
        assert_eq!(levels.of(QUEUE, None, 0), None);
    }
}
