//! Which command ids were used and are no longer remembered here: surely not, or perhaps. Two bytes an id.
//!
//! Without it, every new id would have to be asked of the view once more ids were used in a day than are remembered: a
//! trip in each turn. A blocked Bloom filter: an id's eight bits lie in one cache line. One in some hundred new ids is
//! asked of the view in vain.

use super::ids::{CommandId, Principal};
use super::time::WallTime;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

const LINE_WORDS: usize = 8;
const LINES: usize = 8_192;
/// Ids that one segment takes: sixteen bits each.
const SEGMENT_IDS: u32 = (LINES * LINE_WORDS * 64 / 16) as u32;
/// 8 MiB in all, when more than four million ids were used in a day.
const SEGMENTS_MAX: usize = 16;

/// Ids in the order in which they were forgotten, in segments of half a mebibyte.
#[derive(Clone, PartialEq, Default)]
pub struct Forgotten {
    segments: VecDeque<Segment>,
}

#[derive(Clone, PartialEq)]
struct Segment {
    lines: Box<[[u64; LINE_WORDS]]>,
    ids: u32,
    last_at: WallTime,
}

impl Forgotten {
    /// Takes an id that was used at that time. Answers with the last time that fell out for it, when something did.
    pub fn add(&mut self, at: WallTime, by: Principal, id: CommandId) -> Option<WallTime> {
        let mut dropped = None;
        if self.segments.back().is_none_or(|last| last.ids >= SEGMENT_IDS) {
            if self.segments.len() >= SEGMENTS_MAX {
                dropped = self.segments.pop_front().map(|first| first.last_at);
            }
            self.segments.push_back(Segment {
                lines: vec![[0; LINE_WORDS]; LINES].into_boxed_slice(),
                ids: 0,
                last_at: at,
            });
        }
        if let Some(segment) = self.segments.back_mut() {
            let (line, bits) = place(by, id);
            segment.lines[line].iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
            segment.ids += 1;
            segment.last_at = at;
        }
        dropped
    }

    /// Whether this id may have been used. `false` is certain.
    #[must_use]
    pub fn may_hold(&self, by: Principal, id: CommandId) -> bool {
        let (line, bits) = place(by, id);
        let holds = |segment: &Segment| segment.lines[line].iter().zip(bits).all(|(word, bit)| word & bit != 0);
        self.segments.iter().any(holds)
    }

    /// Gives back the first segment if all its ids were used before that, and answers with the last time in it.
    pub fn expire(&mut self, before: WallTime) -> Option<WallTime> {
        self.segments.pop_front_if(|first| first.last_at < before).map(|first| first.last_at)
    }
}

impl std::fmt::Debug for Forgotten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Forgotten({} ids)", self.segments.iter().map(|segment| u64::from(segment.ids)).sum::<u64>())
    }
}

/// The line of an id, and its one bit in each word of it.
fn place(by: Principal, id: CommandId) -> (usize, [u64; LINE_WORDS]) {
    let mut hasher = DefaultHasher::new();
    (by, id).hash(&mut hasher);
    let hash = hasher.finish();
    let line = (hash >> 51) as usize % LINES;
    (line, std::array::from_fn(|word| 1 << (hash >> (6 * word) & 63)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_forgotten_id_is_taken_for_a_new_one_and_few_new_ones_for_forgotten() {
        let mut forgotten = Forgotten::default();
        let id = |n: u32| CommandId(u128::from(n) << 64);
        for n in 0..SEGMENT_IDS * 2 {
            assert_eq!(forgotten.add(WallTime(u64::from(n)), Principal::Visitor, id(n)), None);
        }
        assert!((0..SEGMENT_IDS * 2).all(|n| forgotten.may_hold(Principal::Visitor, id(n))));
        let asked = 100_000;
        let fresh =
            (SEGMENT_IDS * 2..SEGMENT_IDS * 2 + asked).filter(|n| forgotten.may_hold(Principal::Visitor, id(*n)));
        assert!(fresh.count() < asked as usize / 100);
    }

    #[test]
    fn what_falls_out_for_want_of_room_is_told_and_the_old_is_given_back() {
        let mut forgotten = Forgotten::default();
        let most = SEGMENT_IDS * SEGMENTS_MAX as u32;
        let mut told = Vec::new();
        for n in 0..most + 1 {
            told.extend(forgotten.add(WallTime(u64::from(n)), Principal::Visitor, CommandId(u128::from(n))));
        }
        assert_eq!(told, [WallTime(u64::from(SEGMENT_IDS) - 1)]);
        while forgotten.expire(WallTime(u64::from(most))).is_some() {}
        assert_eq!(forgotten.segments.len(), 1);
    }
}
