//! The agents of one queue, or those of them with one skill: where they are few they are looked through, where they are many
//! those with room are kept in order.
//!
//! A set in order is told each time that one of its agents changed, and an agent with many skills is in many. Looking through a
//! hundred costs less than that upkeep does, as long as agents change more often than each set is asked.

use super::Turn;
use crate::desk::ids::AgentId;
use crate::desk::settings::ChannelId;
use crate::desk::sorted::Sorted;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, btree_set};

/// Up to so many are looked through. Both ways choose alike; where assertions are checked a few are many already, so that tests and the
/// simulation go either way.
const LOOKED_THROUGH_MAX: usize = if cfg!(debug_assertions) { 2 } else { 128 };

/// An agent with its tier in the queue, and its level of the skill; 0 where the set is of no skill.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Member {
    pub agent: AgentId,
    pub tier: u8,
    pub level: u8,
}

#[derive(Clone, Debug, Default)]
pub struct Members {
    all: Sorted<Member>,
    /// Those with room, by channel, as far as any was looked for while they were many.
    in_order: Vec<Option<BTreeSet<Turn>>>,
}

impl Members {
    pub fn of(all: impl IntoIterator<Item = Member>) -> Self {
        let mut members = Self::default();
        all.into_iter().for_each(|member| members.add(member));
        members
    }

    /// Its place in the order is told apart.
    pub fn add(&mut self, member: Member) {
        self.all.insert(member);
    }

    pub fn remove(&mut self, member: Member) {
        self.all.remove(&member);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = Member> + '_ {
        self.all.iter()
    }

    /// Keep those with room on this channel in order from now on, if they are many and are not yet.
    pub fn want(&mut self, channel: ChannelId, turn: impl Fn(Member) -> Option<Turn>) {
        if self.all.len() <= LOOKED_THROUGH_MAX || self.in_order(channel).is_some() {
            return;
        }
        let place = usize::from(channel.0);
        if self.in_order.len() <= place {
            self.in_order.resize_with(place + 1, || None);
        }
        self.in_order[place] = Some(self.all.iter().filter_map(turn).collect());
    }

    #[must_use]
    pub fn in_order(&self, channel: ChannelId) -> Option<&BTreeSet<Turn>> {
        self.in_order.get(usize::from(channel.0))?.as_ref()
    }

    pub fn is_in_order(&self) -> bool {
        !self.in_order.is_empty()
    }

    /// The sets in order of the channels with these bits.
    pub fn orders(&mut self, room: u16) -> impl Iterator<Item = &mut BTreeSet<Turn>> {
        let on = self.in_order.iter_mut().enumerate().filter(move |(place, _)| room & 1 << place != 0);
        on.filter_map(|(_, set)| set.as_mut())
    }

    /// The queue goes by another rule now.
    pub fn forget_order(&mut self) {
        self.in_order.clear();
    }

    /// At most so many have to be looked at.
    #[must_use]
    pub fn at_most(&self, channel: ChannelId) -> usize {
        self.in_order(channel).map_or(self.all.len(), BTreeSet::len)
    }

    /// Those with room, in order; `turn` is where one of them stands.
    pub fn turns(&self, channel: ChannelId, turn: impl Fn(Member) -> Option<Turn>) -> Turns<'_> {
        match self.in_order(channel) {
            Some(set) => Turns::Kept(set.iter()),
            None => Turns::Found(self.all.iter().filter_map(turn).map(Reverse).collect()),
        }
    }
}

/// Agents in the order of their turns.
pub enum Turns<'a> {
    Kept(btree_set::Iter<'a, Turn>),
    Found(BinaryHeap<Reverse<Turn>>),
}

impl Iterator for Turns<'_> {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        match self {
            Turns::Kept(turns) => turns.next().copied(),
            Turns::Found(turns) => turns.pop().map(|Reverse(turn)| turn),
        }
    }
}
