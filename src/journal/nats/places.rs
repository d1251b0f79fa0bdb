//! Which sequence in the stream a workspace's position has, as far as it is known. Pure but for its lock; two places a workspace.

use crate::journal::Position;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A record's position in its workspace, and its sequence in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub position: Position,
    pub sequence: u64,
}

#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<Arc<str>, Known>>);

#[derive(Debug, Default, Clone, Copy)]
struct Known {
    /// The last record that was seen or written.
    tail: Option<Place>,
    /// Where the last reading ended: the next one begins there.
    read_to: Option<Place>,
}

impl Places {
    /// The last record is this one, or was a moment ago.
    pub fn tail_is(&self, workspace: &Arc<str>, place: Place) {
        let mut known = self.lock();
        let known = known.entry(workspace.clone()).or_default();
        // An answer that was long under way does not take back what is known by now.
        if known.tail.is_none_or(|tail| tail.sequence < place.sequence) {
            known.tail = Some(place);
        }
    }

    pub fn read_to(&self, workspace: &Arc<str>, place: Place) {
        self.lock().entry(workspace.clone()).or_default().read_to = Some(place);
    }

    /// Its records are gone.
    pub fn forget(&self, workspace: &str) {
        self.lock().remove(workspace);
    }

    /// What sequence this position has.
    pub fn sequence_of(&self, workspace: &str, position: Position) -> Option<u64> {
        if position == Position::NOTHING {
            return Some(0);
        }
        let known = self.lock().get(workspace).copied().unwrap_or_default();
        [known.tail, known.read_to]
            .into_iter()
            .flatten()
            .find(|place| place.position == position)
            .map(|place| place.sequence)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A search for the first sequence behind a position, among messages of which each says its own: halves what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Search {
    after: Position,
    /// All up to here are at or before the position.
    low: u64,
    /// All from here on are behind it.
    high: u64,
}

impl Search {
    /// `end`: a sequence that is surely behind it, or one more than the last.
    pub fn new(after: Position, end: u64) -> Self {
        Self { after, low: 0, high: end }
    }

    /// The sequence to look at next, or after it the first message of the workspace; `None` when the search is over.
    pub fn probe(&self) -> Option<u64> {
        (self.high - self.low > 1).then(|| self.low + (self.high - self.low) / 2)
    }

    /// What was found there: the first message at or behind the sequence that was looked at.
    pub fn found(&mut self, probed: u64, place: Option<Place>) {
        match place {
            Some(place) if place.position <= self.after => {
                self.low = place.sequence;
                if place.position == self.after {
                    self.high = self.low + 1;
                }
            }
            _ => self.high = probed,
        }
    }

    /// Where to begin to read: no message behind the position comes before it.
    pub fn begin(&self) -> u64 {
        self.low + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_the_first_behind_a_position_in_few_looks() {
        // Of three workspaces that share a stream unevenly.
        let sequences: Vec<u64> = (1..=1_000_u64).filter(|n| n % 7 == 3 || n % 11 == 0).collect();
        let places: Vec<Place> = (1..)
            .zip(&sequences)
            .map(|(position, &sequence)| Place { position: Position(position), sequence })
            .collect();
        for first in [0, 40] {
            // Also where the beginning was cut off.
            let places = &places[first..];
            for after in 0..=places.len() as u64 + first as u64 + 2 {
                let mut search = Search::new(Position(after), 1_001);
                let mut looks = 0;
                while let Some(probe) = search.probe() {
                    search.found(probe, places.iter().find(|place| place.sequence >= probe).copied());
                    looks += 1;
                }
                assert!(looks <= 11, "{looks} looks");
                let wanted = places.iter().find(|place| place.position.0 > after);
                let first_read = places.iter().find(|place| place.sequence >= search.begin());
                assert_eq!(first_read, wanted, "after {after}");
            }
        }
    }

    #[test]
    fn an_answer_that_was_long_under_way_takes_nothing_back() {
        let (places, acme) = (Places::default(), Arc::<str>::from("acme"));
        let place = |position, sequence| Place { position: Position(position), sequence };
        places.tail_is(&acme, place(5, 50));
        places.tail_is(&acme, place(4, 40));
        assert_eq!(places.sequence_of("acme", Position(5)), Some(50));
        assert_eq!(places.sequence_of("acme", Position(4)), None);
        places.read_to(&acme, place(4, 40));
        assert_eq!(places.sequence_of("acme", Position(4)), Some(40));
        assert_eq!(places.sequence_of("other", Position(0)), Some(0));
    }
}
