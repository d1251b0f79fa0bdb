//! Which event an endpoint is sent next, as a value without clock, network and chance: in order for each conversation, others beside one
//! that fails, and slowly where everything fails.
//!
//! ```text
//!   put ──▶ ready ──next──▶ flying ──done──▶ gone; the next of its lane is ready
//!             ▲                └────failed──▶ waiting, for longer each time ──▶ ready
//! ```

use crate::feed::Place;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Events, and their bytes, that one endpoint has waiting here at most; what comes after them waits in the journal.
pub const EVENTS_MAX: usize = 1_000;
pub const BYTES_MAX: usize = 1 << 20;
/// Failures in a row after which the endpoint is asked one thing at a time.
const DOUBTED_AFTER: u32 = 3;

/// One event that an endpoint is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub place: Place,
    /// Its conversation; those of none are in order among themselves.
    pub lane: Arc<str>,
    /// What is sent, and again at each attempt.
    pub body: Bytes,
}

/// How long to wait after a failure.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    pub first_ms: u64,
    pub most_ms: u64,
}

impl Delays {
    /// After so many failures: doubled each time, and between half of that and all of it, as `chance` says.
    #[must_use]
    pub fn after(self, failures: u32, chance: u16) -> u64 {
        let doubled = self.first_ms.saturating_mul(1 << failures.saturating_sub(1).min(32)).min(self.most_ms);
        doubled / 2 + doubled / 2 * u64::from(chance) / u64::from(u16::MAX)
    }
}

#[derive(Debug, Default)]
struct Lane {
    items: VecDeque<(Item, Place)>,
    failures: u32,
    waits_until_ms: u64,
    is_flying: bool,
}

#[derive(Debug)]
pub struct Schedule {
    delays: Delays,
    at_once_max: usize,
    /// Only lanes that have something.
    lanes: BTreeMap<Arc<str>, Lane>,
    ready: BTreeSet<(Place, Arc<str>)>,
    waiting: BTreeSet<(u64, Arc<str>)>,
    /// What is not done, with the place from which one would go on with it.
    undone: BTreeMap<Place, Place>,
    read_to: Place,
    flying: usize,
    bytes: usize,
    /// Of all lanes, in a row.
    failures: u32,
    shut_until_ms: u64,
}

impl Schedule {
    #[must_use]
    pub fn new(from: Place, delays: Delays, at_once_max: usize) -> Self {
        Self {
            delays,
            at_once_max,
            lanes: BTreeMap::new(),
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
            undone: BTreeMap::new(),
            read_to: from,
            flying: 0,
            bytes: 0,
            failures: 0,
            shut_until_ms: 0,
        }
    }

    /// From where to read on.
    #[must_use]
    pub fn read_to(&self) -> Place {
        self.read_to
    }

    #[must_use]
    pub fn has_room(&self) -> bool {
        self.undone.len() < EVENTS_MAX && self.bytes < BYTES_MAX
    }

    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Behind it everything is done.
    #[must_use]
    pub fn cursor(&self) -> Place {
        self.undone.first_key_value().map_or(self.read_to, |(_, from)| *from)
    }

    /// Whether something failed and was not delivered since.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.lanes.values().any(|lane| lane.failures > 0)
    }

    /// In order of places.
    pub fn put(&mut self, item: Item) {
        debug_assert!(item.place > self.read_to);
        let (from, place) = (self.read_to, item.place);
        self.read_to = place;
        self.undone.insert(place, from);
        self.bytes += item.body.len();
        let lane = self.lanes.entry(item.lane.clone()).or_default();
        if lane.items.is_empty() {
            self.ready.insert((place, item.lane.clone()));
        }
        lane.items.push_back((item, from));
    }

    /// All up to there was put in, or is not wanted.
    pub fn was_read_to(&mut self, place: Place) {
        self.read_to = self.read_to.max(place);
    }

    /// What to send now, the oldest first. It is flying until it is done, or has failed.
    pub fn next(&mut self, now_ms: u64) -> Option<Item> {
        while let Some((until_ms, _)) = self.waiting.first()
            && *until_ms <= now_ms
        {
            let (_, name) = self.waiting.pop_first()?;
            let first = self.lanes[&name].items.front().map(|(item, _)| item.place)?;
            self.ready.insert((first, name));
        }
        if self.is_full() || now_ms < self.shut_until_ms {
            return None;
        }
        let (_, name) = self.ready.pop_first()?;
        let lane = self.lanes.get_mut(&name)?;
        lane.is_flying = true;
        self.flying += 1;
        lane.items.front().map(|(item, _)| item.clone())
    }

    /// When `next` is worth asking again, by time alone.
    #[must_use]
    pub fn next_at_ms(&self) -> Option<u64> {
        // Then something lands first.
        if self.is_full() {
            return None;
        }
        let waiting = self.waiting.first().map(|(until_ms, _)| (*until_ms).max(self.shut_until_ms));
        let shut = (!self.ready.is_empty() && self.shut_until_ms > 0).then_some(self.shut_until_ms);
        [waiting, shut].into_iter().flatten().min()
    }

    /// It took this one.
    pub fn done(&mut self, lane: &Arc<str>) {
        (self.failures, self.shut_until_ms) = (0, 0);
        let Some(held) = self.landed(lane) else { return };
        held.failures = 0;
        let Some((item, _)) = held.items.pop_front() else { return };
        let next = held.items.front().map(|(item, _)| item.place);
        self.bytes -= item.body.len();
        self.undone.remove(&item.place);
        match next {
            Some(place) => drop(self.ready.insert((place, lane.clone()))),
            None => drop(self.lanes.remove(lane)),
        }
    }

    /// It did not. `retry_after_ms`: it said itself how long it is to be left alone.
    pub fn failed(&mut self, lane: &Arc<str>, now_ms: u64, retry_after_ms: Option<u64>, chance: u16) {
        let delays = self.delays;
        self.failures += 1;
        let failures = self.failures;
        let Some(held) = self.landed(lane) else { return };
        held.failures += 1;
        held.waits_until_ms = now_ms + delays.after(held.failures, chance);
        let waiting = (held.waits_until_ms, lane.clone());
        self.waiting.insert(waiting);
        if failures >= DOUBTED_AFTER {
            self.shut_until_ms = now_ms + delays.after(failures + 1 - DOUBTED_AFTER, chance);
        }
        if let Some(ms) = retry_after_ms {
            self.shut_until_ms = self.shut_until_ms.max(now_ms + ms.min(delays.most_ms));
        }
    }

    /// Whether as many are flying as may.
    fn is_full(&self) -> bool {
        self.flying >= if self.failures >= DOUBTED_AFTER { 1 } else { self.at_once_max }
    }

    fn landed(&mut self, lane: &Arc<str>) -> Option<&mut Lane> {
        let held = self.lanes.get_mut(lane).filter(|held| held.is_flying)?;
        held.is_flying = false;
        self.flying -= 1;
        Some(held)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
