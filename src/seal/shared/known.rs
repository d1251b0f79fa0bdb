//! What a node knows of the cluster's keys: which numbers it has taken in, and which erased ones the bucket may still hold. Pure.

use super::block::Block;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Known {
    /// By first number.
    blocks: BTreeMap<u64, Held>,
    /// Erased, and not seen to be gone from the bucket: its block is not here yet, or was seen with it. Never taken in.
    erased: BTreeSet<u64>,
    /// Up to which revision of the bucket everything was taken in.
    pub seen: u64,
    /// Why the keys of this node are not those of the cluster.
    pub refused: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    end: u64,
    revision: u64,
}

impl Known {
    /// Whether what became of a number is known: without a key here, it was erased.
    pub fn has(&self, number: u64) -> bool {
        self.erased.contains(&number) || self.block_of(number).is_some()
    }

    /// The first number of the block that it is in.
    pub fn block_of(&self, number: u64) -> Option<u64> {
        let (first, held) = self.blocks.range(..=number).next_back()?;
        (number < held.end).then_some(*first)
    }

    /// A block is in the store now. Returns the revision that this one replaced, if it did.
    pub fn take_in(&mut self, block: &Block, revision: u64) -> Option<u64> {
        let before = self.blocks.get(&block.first).map(|held| held.revision);
        if before.is_some_and(|before| before >= revision) {
            return None;
        }
        self.blocks.insert(block.first, Held { end: block.end, revision });
        let here: Vec<u64> = self.erased.range(block.first..block.end).copied().collect();
        let gone = here.into_iter().filter(|number| !block.has(*number));
        for number in gone {
            self.erased.remove(&number);
        }
        before
    }

    pub fn erase(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.erased.extend(numbers);
    }

    /// From that revision on their block is without them. Revisions before it may still come here, and are not to bring them back.
    pub fn gone(&mut self, first: u64, revision: u64, numbers: &[u64]) {
        if self.blocks.get(&first).is_some_and(|held| held.revision >= revision) {
            for number in numbers {
                self.erased.remove(number);
            }
        }
    }

    /// Those of some blocks that are not to be taken in.
    pub fn erased_in(&self, blocks: &[Block]) -> BTreeSet<u64> {
        blocks.iter().flat_map(|block| self.erased.range(block.first..block.end)).copied().collect()
    }

    /// What has to be taken out of blocks that are known, by their first numbers.
    pub fn to_take_out(&self) -> BTreeMap<u64, Vec<u64>> {
        self.by_block(self.erased.iter().copied())
    }

    /// Numbers by the first numbers of the blocks that they are in; without those whose block is not known.
    pub fn by_block(&self, numbers: impl IntoIterator<Item = u64>) -> BTreeMap<u64, Vec<u64>> {
        let mut by_block: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for number in numbers {
            if let Some(first) = self.block_of(number) {
                by_block.entry(first).or_default().push(number);
            }
        }
        by_block
    }

    /// At which revision the block of a number came; 0 if it did not.
    pub fn revision_of(&self, number: u64) -> u64 {
        self.block_of(number).and_then(|first| self.blocks.get(&first)).map_or(0, |held| held.revision)
    }

    /// Stretches below `end` that are in no block: from, to.
    pub fn gaps(&self, end: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut next = 1;
        for (first, held) in self.blocks.range(..end) {
            if *first > next {
                gaps.push((next, *first));
            }
            next = next.max(held.end);
        }
        if next < end {
            gaps.push((next, end));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::store::WRAPPED_BYTES;

    fn block(first: u64, end: u64, without: &[u64]) -> Block {
        let keys = (first..end).filter(|number| !without.contains(number));
        Block { first, end, keys: keys.map(|number| (number, [0; WRAPPED_BYTES])).collect() }
    }

    #[test]
    fn only_numbers_of_blocks_that_came_are_known_whatever_came_after_them() {
        let mut known = Known::default();
        assert!(!known.has(1));
        known.take_in(&block(257, 513, &[]), 9);
        assert!(known.has(257) && known.has(512));
        assert!(!known.has(1) && !known.has(256) && !known.has(513), "a block that comes late is not erased");
        assert_eq!(known.gaps(600), [(1, 257), (513, 600)]);
        known.take_in(&block(1, 257, &[]), 10);
        assert!(known.has(1) && known.has(256));
        assert_eq!(known.gaps(513), []);
        assert_eq!((known.block_of(256), known.block_of(257), known.block_of(513)), (Some(1), Some(257), None));
    }

    #[test]
    fn a_block_that_was_put_anew_names_the_one_before_it_and_an_older_one_changes_nothing() {
        let mut known = Known::default();
        assert_eq!(known.take_in(&block(1, 5, &[]), 3), None);
        assert_eq!(known.take_in(&block(1, 5, &[2]), 7), Some(3));
        assert_eq!(known.take_in(&block(1, 5, &[2]), 7), None, "the same again");
        assert_eq!(known.take_in(&block(1, 5, &[]), 3), None, "the older one again");
        assert_eq!(known.take_in(&block(1, 5, &[2, 4]), 8), Some(7));
        assert_eq!((known.revision_of(4), known.revision_of(5)), (8, 0));
    }

    #[test]
    fn what_is_erased_is_remembered_until_its_block_is_seen_without_it() {
        let mut known = Known::default();
        known.erase([2, 3, 700]);
        assert!(known.has(2), "it is known to be erased, with its block or without");
        assert!(known.to_take_out().is_empty(), "nothing can be done before their blocks are here");
        known.take_in(&block(1, 5, &[3]), 4);
        assert_eq!(known.to_take_out(), BTreeMap::from([(1, vec![2])]));
        assert_eq!(known.erased_in(&[block(1, 5, &[]), block(513, 769, &[])]), BTreeSet::from([2, 700]));
        known.take_in(&block(1, 5, &[2, 3]), 6);
        assert!(known.to_take_out().is_empty());
        assert!(known.has(2) && known.has(3));
        known.take_in(&block(513, 769, &[]), 7);
        assert_eq!(known.to_take_out(), BTreeMap::from([(513, vec![700])]));
        known.gone(513, 8, &[700]);
        assert_eq!(known.erased_in(&[block(513, 769, &[])]), BTreeSet::from([700]), "it may come once more");
        known.gone(513, 7, &[700]);
        assert!(known.to_take_out().is_empty() && known.has(700));
    }
}
