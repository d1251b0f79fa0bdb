//! What clients were answered since somebody last looked: well, slowly, or not at all through our own fault.
//!
//! What a client is refused for its own fault (a bad token, too high a rate, an offer that is gone) is an answer, and a good one.
//! Counted where the answer is given, from any thread, for the whole process: as metrics are.

use super::{Component, Each};
use crate::telemetry::catalogue;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Of one component.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// In time.
    pub well: u64,
    /// As it should be, but late.
    pub slow: u64,
    /// `unavailable`, `busy`, 5xx; or nothing.
    pub failed: u64,
}

impl Answers {
    #[must_use]
    pub fn total(self) -> u64 {
        self.well + self.slow + self.failed
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { well: self.well + other.well, slow: self.slow + other.slow, failed: self.failed + other.failed }
    }
}

#[derive(Debug)]
struct Counts {
    well: AtomicU64,
    slow: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    const fn new() -> Self {
        Self { well: AtomicU64::new(0), slow: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }
}

/// The counters of the process.
#[derive(Debug)]
pub struct Experience {
    counts: Each<Counts>,
    slow_after_ms: AtomicU64,
}

pub static EXPERIENCE: Experience = Experience::new();

impl Experience {
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [const { Counts::new() }; Component::ALL.len()], slow_after_ms: AtomicU64::new(u64::MAX) }
    }

    /// What takes longer is slow.
    pub fn set_slow_after_ms(&self, ms: u64) {
        self.slow_after_ms.store(ms, Relaxed);
    }

    pub fn answered(&self, component: Component, took_ms: u64) {
        let counts = &self.counts[component.place()];
        let count = if took_ms > self.slow_after_ms.load(Relaxed) { &counts.slow } else { &counts.well };
        count.fetch_add(1, Relaxed);
    }

    pub fn failed(&self, component: Component) {
        self.counts[component.place()].failed.fetch_add(1, Relaxed);
    }

    /// What was counted since this was last called; the metrics are told now, so that an answer costs no more than a number.
    #[must_use]
    pub fn take(&self) -> Each<Answers> {
        Component::ALL.map(|component| {
            let take = |count: &AtomicU64, word: &'static str| {
                let count = count.swap(0, Relaxed);
                let name = component.name();
                metrics::counter!(catalogue::COMPONENT_ANSWERS_TOTAL, "component" => name, "outcome" => word)
                    .increment(count);
                count
            };
            let Counts { well, slow, failed } = &self.counts[component.place()];
            Answers { well: take(well, "well"), slow: take(slow, "slow"), failed: take(failed, "failed") }
        })
    }
}

impl Default for Experience {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_taken_once_and_late_ones_are_slow() {
        let experience = Experience::new();
        experience.set_slow_after_ms(100);
        experience.answered(Component::Messenger, 100);
        experience.answered(Component::Messenger, 101);
        experience.failed(Component::Api);
        let taken = experience.take();
        assert_eq!(taken[Component::Messenger.place()], Answers { well: 1, slow: 1, failed: 0 });
        assert_eq!(taken[Component::Api.place()], Answers { failed: 1, ..Answers::default() });
        assert_eq!(experience.take(), Each::default());
    }
}
