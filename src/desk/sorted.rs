//! A sorted list in pieces: for very many small things that mostly come in order, where a tree's nodes would stay half empty.
//!
//! A full piece is parted where the new one belongs, so that a few streams that each grow at their end fill whole pieces.

use std::ops::Bound;

const PIECE_MAX: usize = 128;

#[derive(Clone, Debug)]
pub struct Sorted<T> {
    /// None of them empty.
    pieces: Vec<Vec<T>>,
    /// The first of each piece, side by side: the piece is found without a look into the others.
    firsts: Vec<T>,
    len: usize,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), firsts: Vec::new(), len: 0 }
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
    fn place(&self, item: &T) -> (usize, Result<usize, usize>) {
        let after = self.firsts.partition_point(|first| first <= item);
        let piece = after.saturating_sub(1);
        (piece, self.pieces.get(piece).map_or(Err(0), |held| held.binary_search(item)))
    }

    /// Whether it is new.
    pub fn insert(&mut self, item: T) -> bool {
        let (piece, Err(place)) = self.place(&item) else { return false };
        self.len += 1;
        let Some(held) = self.pieces.get_mut(piece) else {
            self.pieces.push(vec![item]);
            self.firsts.push(item);
            return true;
        };
        if held.len() < PIECE_MAX {
            if held.len() == held.capacity() {
                // By half, where a list that grows by itself doubles: many lists stay short.
                held.reserve_exact((held.len() / 2).max(1));
            }
            held.insert(place, item);
            self.firsts[piece] = held[0];
            return true;
        }
        let mut rest = held.split_off(place);
        if place == 0 {
            // Before all of it.
            *held = vec![item];
            self.firsts[piece] = item;
        } else if rest.is_empty() {
            held.shrink_to_fit();
            rest = vec![item];
        } else {
            held.push(item);
        }
        self.firsts.insert(piece + 1, rest[0]);
        self.pieces.insert(piece + 1, rest);
        true
    }

    /// Whether it was there.
    pub fn remove(&mut self, item: &T) -> bool {
        let (piece, Ok(place)) = self.place(item) else { return false };
        self.len -= 1;
        let held = &mut self.pieces[piece];
        held.remove(place);
        if held.is_empty() {
            self.pieces.remove(piece);
            self.firsts.remove(piece);
            return true;
        }
        self.firsts[piece] = held[0];
        if held.capacity() >= 16 && held.len() * 4 <= held.capacity() {
            held.shrink_to(held.len() * 2);
        }
        true
    }

    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.firsts.first().copied()
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
                let (piece, place) = self.place(&first);
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
