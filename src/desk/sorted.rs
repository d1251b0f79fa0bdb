//! A sorted list in pieces: for very many small things that mostly come in order, where a tree's nodes would stay half empty.
//!
//! A full piece is parted where the new one belongs, so that a few streams that each grow at their end fill whole pieces.

use std::cmp::Ordering;
use std::ops::Bound;

const PIECE_MAX: usize = 64;

#[derive(Clone, Debug)]
pub struct Sorted<T> {
    /// None of them empty.
    pieces: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0 }
    }
}

/// How it is parted is only a matter of the order in which things came.
impl<T: PartialEq> PartialEq for Sorted<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.pieces.iter().flatten().eq(other.pieces.iter().flatten())
    }
}

impl<T: Copy + Ord> Sorted<T> {
    /// The piece that holds it or would, and its place there.
    fn place(&self, compare: impl Fn(&T) -> Ordering) -> (usize, Result<usize, usize>) {
        let after = self.pieces.partition_point(|piece| compare(&piece[0]) != Ordering::Greater);
        let piece = after.saturating_sub(1);
        (piece, self.pieces.get(piece).map_or(Err(0), |held| held.binary_search_by(compare)))
    }

    /// Whether it is new.
    pub fn insert(&mut self, item: T) -> bool {
        let (piece, Err(place)) = self.place(|held| held.cmp(&item)) else { return false };
        self.len += 1;
        let Some(held) = self.pieces.get_mut(piece) else {
            self.pieces.push(vec![item]);
            return true;
        };
        if held.len() < PIECE_MAX {
            held.insert(place, item);
            return true;
        }
        let rest = held.split_off(place);
        if place == 0 {
            // Before all of it.
            *held = vec![item];
        } else if rest.is_empty() {
            held.shrink_to_fit();
            self.pieces.insert(piece + 1, vec![item]);
            return true;
        } else {
            held.push(item);
        }
        self.pieces.insert(piece + 1, rest);
        true
    }

    /// Whether it was there.
    pub fn remove(&mut self, item: &T) -> bool {
        self.take(|held| held.cmp(item)).is_some()
    }

    /// The one for which this is equal, taken out.
    pub fn take(&mut self, compare: impl Fn(&T) -> Ordering) -> Option<T> {
        let (piece, Ok(place)) = self.place(compare) else { return None };
        self.len -= 1;
        let held = &mut self.pieces[piece];
        let taken = held.remove(place);
        if held.is_empty() {
            self.pieces.remove(piece);
        } else if held.capacity() >= 16 && held.len() * 4 <= held.capacity() {
            held.shrink_to(held.len() * 2);
        }
        Some(taken)
    }

    /// The one for which this is equal.
    #[must_use]
    pub fn find(&self, compare: impl Fn(&T) -> Ordering) -> Option<T> {
        let (piece, place) = self.place(compare);
        place.ok().map(|place| self.pieces[piece][place])
    }

    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.pieces.first().map(|piece| piece[0])
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn iter(&self) -> SortedIter<'_, T> {
        self.from(Bound::Unbounded)
    }

    /// Those from there on.
    #[must_use]
    pub fn from(&self, first: Bound<T>) -> SortedIter<'_, T> {
        let (piece, place) = match first {
            Bound::Unbounded => (0, 0),
            Bound::Included(first) | Bound::Excluded(first) => {
                let (piece, place) = self.place(|held| held.cmp(&first));
                (piece, place.unwrap_or_else(|place| place))
            }
        };
        let mut iter = SortedIter { pieces: &self.pieces, piece, place };
        if let Bound::Excluded(first) = first
            && self.pieces.get(piece).and_then(|held| held.get(place)) == Some(&first)
        {
            iter.next();
        }
        iter
    }
}

pub struct SortedIter<'a, T> {
    pieces: &'a [Vec<T>],
    piece: usize,
    place: usize,
}

impl<T: Copy> Iterator for SortedIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            let piece = self.pieces.get(self.piece)?;
            if let Some(item) = piece.get(self.place) {
                self.place += 1;
                return Some(*item);
            }
            (self.piece, self.place) = (self.piece + 1, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_holds_what_a_tree_would_in_the_same_order() {
        let (mut sorted, mut tree, mut dice) =
            (Sorted::default(), BTreeSet::new(), crate::simulate::dice::Dice::new(1));
        for step in 0..40_000u64 {
            // Streams that grow, and anything at all; first many come, then many go.
            let item = if dice.per_mille(700) { dice.below(3) * 1_000_000 + step } else { dice.below(3_000_000) };
            if dice.per_mille(if step < 20_000 { 700 } else { 300 }) {
                assert_eq!(sorted.insert(item), tree.insert(item));
            } else {
                let gone = tree.range(item..).next().copied().unwrap_or(item);
                assert_eq!(sorted.remove(&gone), tree.remove(&gone));
            }
            assert_eq!((sorted.len(), sorted.first()), (tree.len(), tree.first().copied()));
            if step % 1_000 == 0 {
                assert!(sorted.iter().eq(tree.iter().copied()));
                assert!(sorted.from(Bound::Included(item)).eq(tree.range(item..).copied()));
                let behind = (Bound::Excluded(item), Bound::Unbounded);
                assert!(sorted.from(behind.0).eq(tree.range(behind).copied()));
                assert_eq!(sorted.find(|held| held.cmp(&item)), tree.get(&item).copied());
            }
        }
    }

    #[test]
    fn streams_that_grow_at_their_end_fill_whole_pieces() {
        let mut sorted = Sorted::default();
        for step in 0..10_000u64 {
            sorted.insert(step % 3 * 1_000_000 + step);
        }
        assert!(sorted.pieces.len() < 10_000 / PIECE_MAX + 12, "{}", sorted.pieces.len());
    }
}
