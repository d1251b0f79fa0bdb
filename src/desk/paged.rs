//! A map by ids that are given out one after the other: pages of neighbours, so that a look takes one step in a small tree and one in
//! a page, where a tree of a million is six steps deep. What is held in a page costs its own place and no more.

use super::ids::{ConversationId, QueueId};
use std::collections::BTreeMap;
use std::ops::Index;

/// 256 bytes of pointers.
const PAGE: usize = 32;

/// An id that is a number, given out one after the other.
pub trait Numbered: Copy {
    fn number(self) -> u64;
    fn of(number: u64) -> Self;
}

impl Numbered for ConversationId {
    fn number(self) -> u64 {
        self.0
    }

    fn of(number: u64) -> Self {
        Self(number)
    }
}

impl Numbered for QueueId {
    fn number(self) -> u64 {
        self.0.into()
    }

    fn of(number: u64) -> Self {
        Self(number as u32)
    }
}

#[derive(Clone, Debug)]
pub struct Paged<K, T> {
    /// None of them empty.
    pages: BTreeMap<u64, Box<[Option<T>; PAGE]>>,
    len: usize,
    ids: std::marker::PhantomData<K>,
}

impl<K, T> Default for Paged<K, T> {
    fn default() -> Self {
        Self { pages: BTreeMap::new(), len: 0, ids: std::marker::PhantomData }
    }
}

impl<K, T: PartialEq> PartialEq for Paged<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.pages == other.pages
    }
}

fn place_of(id: impl Numbered) -> (u64, usize) {
    let number = id.number();
    (number / PAGE as u64, (number % PAGE as u64) as usize)
}

impl<K: Numbered, T> Paged<K, T> {
    #[must_use]
    pub fn get(&self, id: &K) -> Option<&T> {
        let (page, place) = place_of(*id);
        self.pages.get(&page)?[place].as_ref()
    }

    #[must_use]
    pub fn get_mut(&mut self, id: &K) -> Option<&mut T> {
        let (page, place) = place_of(*id);
        self.pages.get_mut(&page)?[place].as_mut()
    }

    #[must_use]
    pub fn contains_key(&self, id: &K) -> bool {
        self.get(id).is_some()
    }

    pub fn insert(&mut self, id: K, held: T) -> Option<T> {
        let (page, place) = place_of(id);
        let page = self.pages.entry(page).or_insert_with(|| Box::new([const { None }; PAGE]));
        let before = page[place].replace(held);
        self.len += usize::from(before.is_none());
        before
    }

    pub fn remove(&mut self, id: &K) -> Option<T> {
        let (at, place) = place_of(*id);
        let page = self.pages.get_mut(&at)?;
        let held = page[place].take()?;
        self.len -= 1;
        if page.iter().all(Option::is_none) {
            self.pages.remove(&at);
        }
        Some(held)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.pages.iter().flat_map(|(page, held)| {
            let numbered = held.iter().zip(page * PAGE as u64..);
            numbered.filter_map(|(held, number)| Some((K::of(number), held.as_ref()?)))
        })
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.pages.values().flat_map(|held| held.iter().flatten())
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pages.values_mut().flat_map(|held| held.iter_mut().flatten())
    }
}

impl<K: Numbered, T> Index<&K> for Paged<K, T> {
    type Output = T;

    /// # Panics
    /// Where it is not here: events name what is.
    fn index(&self, id: &K) -> &T {
        self.get(id).expect("events name what is here")
    }
}

impl<K: Numbered, T> FromIterator<(K, T)> for Paged<K, T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(all: I) -> Self {
        let mut made = Self::default();
        for (id, held) in all {
            made.insert(id, held);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that are near and far from one another.
    #[test]
    fn it_holds_what_a_tree_holds_in_the_same_order() {
        let (mut paged, mut tree, mut dice) = (Paged::default(), BTreeMap::new(), crate::simulate::dice::Dice::new(1));
        for step in 0..20_000u64 {
            let id = ConversationId(if dice.per_mille(50) { dice.below(u64::MAX) } else { dice.below(500) });
            if dice.per_mille(500) {
                assert_eq!(paged.insert(id, step), tree.insert(id, step));
            } else {
                assert_eq!(paged.remove(&id), tree.remove(&id));
            }
            assert_eq!(paged.get(&id), tree.get(&id));
        }
        assert!(paged.iter().eq(tree.iter().map(|(id, held)| (*id, held))));
        assert!(paged.values().eq(tree.values()));
        assert_eq!(paged.len(), tree.len());
    }

    #[test]
    fn an_empty_page_is_given_back() {
        let mut paged = Paged::default();
        paged.insert(QueueId(7), ());
        paged.insert(QueueId(7_000), ());
        assert_eq!((paged.remove(&QueueId(7)), paged.remove(&QueueId(7))), (Some(()), None));
        assert_eq!(paged.pages.len(), 1);
    }
}
