//! Where groups of waiting conversations are looked for: by the agent they are kept for, or by queue, channel and rarest skill.
//!
//! An agent that became free looks at the list without a skill and at those of its own skills. What stands first in each is kept beside
//! its skill, so that most lists are passed by without a look into them.

use super::conversation::WaitKey;
use super::ids::{AgentId, QueueId};
use super::settings::ChannelId;
use super::skills::{Mask, SkillId, level_of};
use super::sorted::Sorted;
use std::collections::BTreeMap;

/// A group in a list: by its first conversation, with the two rarest skills that it needs, so that those that an agent cannot take are
/// passed by without a look at the group, or nearly all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Listed {
    pub first: WaitKey,
    pub at: u32,
    pub rarest: Rarest,
}

/// The two rarest skills that a group needs, with their levels, in as few bytes as they take: a million groups may be listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rarest {
    second: u32,
    level: u8,
    second_level: u8,
    pub more: bool,
}

const NO_SKILL: u32 = u32::MAX;

impl Rarest {
    /// Of skills from the rarest on.
    #[must_use]
    pub fn of(by_rarity: &[(SkillId, u8)]) -> Self {
        let level = by_rarity.first().map_or(0, |(_, level)| *level);
        let (second, second_level) = by_rarity.get(1).map_or((NO_SKILL, 0), |(skill, level)| (skill.0, *level));
        Self { second, level, second_level, more: by_rarity.len() > 2 }
    }

    /// All that is needed is to be looked at in the group.
    #[must_use]
    pub fn unknown() -> Self {
        Self { second: NO_SKILL, level: 0, second_level: 0, more: true }
    }

    /// Whether these levels, of which that of the list's own skill is given, meet what is needed of the two.
    #[must_use]
    pub fn is_met(&self, own: u8, levels: &[(SkillId, u8)], mask: &Mask) -> bool {
        let second = SkillId(self.second);
        let has_second =
            self.second == NO_SKILL || mask.may_hold(second) && level_of(levels, second) >= self.second_level;
        has_second && self.level <= own
    }
}

/// Where groups are looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum List {
    KeptFor(AgentId, ChannelId),
    Of(QueueId, ChannelId, Option<SkillId>),
}

#[derive(Clone, Debug, Default)]
pub struct Lists {
    kept: BTreeMap<(AgentId, ChannelId), Sorted<Listed>>,
    of: BTreeMap<(QueueId, ChannelId), OfQueue>,
}

/// The lists of one queue and channel, in the order of their skills, none first; none of them is empty.
#[derive(Clone, Debug, Default)]
pub struct OfQueue {
    heads: Vec<(Option<SkillId>, WaitKey)>,
    sets: Vec<Sorted<Listed>>,
}

impl Lists {
    pub fn insert(&mut self, list: List, listed: Listed) {
        match list {
            List::KeptFor(agent, channel) => {
                self.kept.entry((agent, channel)).or_default().insert(listed);
            }
            List::Of(queue, channel, skill) => self.of.entry((queue, channel)).or_default().insert(skill, listed),
        }
    }

    pub fn remove(&mut self, list: List, listed: &Listed) {
        match list {
            List::KeptFor(agent, channel) => {
                let Some(set) = self.kept.get_mut(&(agent, channel)) else { return };
                set.remove(listed);
                if set.first().is_none() {
                    self.kept.remove(&(agent, channel));
                }
            }
            List::Of(queue, channel, skill) => {
                let Some(of_queue) = self.of.get_mut(&(queue, channel)) else { return };
                of_queue.remove(skill, listed);
                if of_queue.heads.is_empty() {
                    self.of.remove(&(queue, channel));
                }
            }
        }
    }

    /// What is kept for this agent.
    #[must_use]
    pub fn kept_for(&self, agent: AgentId, channel: ChannelId) -> Option<&Sorted<Listed>> {
        self.kept.get(&(agent, channel))
    }

    /// What waits in this queue on this channel; `None` where nothing does.
    #[must_use]
    pub fn of(&self, queue: QueueId, channel: ChannelId) -> Option<&OfQueue> {
        self.of.get(&(queue, channel))
    }
}

impl OfQueue {
    fn place(&self, skill: Option<SkillId>) -> Result<usize, usize> {
        self.heads.binary_search_by_key(&skill, |(held, _)| *held)
    }

    fn insert(&mut self, skill: Option<SkillId>, listed: Listed) {
        match self.place(skill) {
            Ok(place) => {
                self.sets[place].insert(listed);
                self.heads[place].1 = self.heads[place].1.min(listed.first);
            }
            Err(place) => {
                self.heads.insert(place, (skill, listed.first));
                let mut set = Sorted::default();
                set.insert(listed);
                self.sets.insert(place, set);
            }
        }
    }

    fn remove(&mut self, skill: Option<SkillId>, listed: &Listed) {
        let Ok(place) = self.place(skill) else { return };
        self.sets[place].remove(listed);
        match self.sets[place].first() {
            Some(first) => self.heads[place].1 = first.first,
            None => {
                self.heads.remove(place);
                self.sets.remove(place);
            }
        }
    }

    /// The list of this skill, with what is first of it.
    #[must_use]
    pub fn of(&self, skill: Option<SkillId>) -> Option<(WaitKey, &Sorted<Listed>)> {
        let place = self.place(skill).ok()?;
        Some((self.heads[place].1, &self.sets[place]))
    }

    /// The skills that it has lists for.
    pub fn skills(&self) -> impl Iterator<Item = SkillId> + '_ {
        self.heads.iter().filter_map(|(skill, _)| *skill)
    }
}
