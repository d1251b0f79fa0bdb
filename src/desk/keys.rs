//! A set of conversations in the order they are taken in. Most groups that wait hold one or two, a few hold very many: a list while it is
//! short, which costs what it holds, and one in pieces beyond.

use super::conversation::WaitKey;
use super::sorted::{Sorted, SortedIter};
use std::ops::Bound;

const FEW_MAX: usize = 24;

#[derive(Clone, Debug)]
pub enum Keys {
    /// In order.
    Few(Vec<WaitKey>),
    /// Apart, since most are few.
    Many(Box<Sorted<WaitKey>>),
}

impl Default for Keys {
    fn default() -> Self {
        Keys::Few(Vec::new())
    }
}

impl Keys {
    pub fn insert(&mut self, key: WaitKey) {
        match self {
            Keys::Few(keys) => {
                if keys.len() == FEW_MAX {
                    let mut many = Sorted::default();
                    keys.drain(..).chain([key]).for_each(|key| {
                        many.insert(key);
                    });
                    *self = Keys::Many(Box::new(many));
                    return;
                }
                if let Err(place) = keys.binary_search(&key) {
                    // The first alone, as many stay: a list that grows by itself begins with four.
                    keys.reserve_exact(if keys.is_empty() { 1 } else { keys.len() });
                    keys.insert(place, key);
                }
            }
            Keys::Many(keys) => {
                keys.insert(key);
            }
        }
    }

    /// Whether it was there.
    pub fn remove(&mut self, key: &WaitKey) -> bool {
        match self {
            Keys::Few(keys) => {
                let place = keys.binary_search(key);
                place.map(|place| keys.remove(place)).is_ok()
            }
            Keys::Many(keys) => {
                let was = keys.remove(key);
                // Well below, so that it does not go to and fro.
                if keys.len() <= FEW_MAX / 2 {
                    *self = Keys::Few(keys.iter().collect());
                }
                was
            }
        }
    }

    #[must_use]
    pub fn first(&self) -> Option<WaitKey> {
        match self {
            Keys::Few(keys) => keys.first().copied(),
            Keys::Many(keys) => keys.first(),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Keys::Few(keys) => keys.len(),
            Keys::Many(keys) => keys.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        match self {
            Keys::Few(keys) => Iter::Few(keys.iter()),
            Keys::Many(keys) => Iter::Many(keys.iter()),
        }
    }

    /// Those from there on.
    #[must_use]
    pub fn from(&self, first: Bound<WaitKey>) -> Iter<'_> {
        match self {
            Keys::Few(keys) => {
                let before = |key: &WaitKey| match first {
                    Bound::Included(first) => *key < first,
                    Bound::Excluded(first) => *key <= first,
                    Bound::Unbounded => false,
                };
                Iter::Few(keys[keys.partition_point(before)..].iter())
            }
            Keys::Many(keys) => Iter::Many(keys.from(first)),
        }
    }
}

pub enum Iter<'a> {
    Few(std::slice::Iter<'a, WaitKey>),
    Many(SortedIter<'a, WaitKey>),
}

impl Iterator for Iter<'_> {
    type Item = WaitKey;

    fn next(&mut self) -> Option<WaitKey> {
        match self {
            Iter::Few(keys) => keys.next().copied(),
            Iter::Many(keys) => keys.next(),
        }
    }
}
