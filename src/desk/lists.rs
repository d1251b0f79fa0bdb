//! Where groups of waiting conversations are looked for: by the agent they are kept for, or by queue, channel and rarest skill.
//!
//! An agent that became free looks at the list without a skill and at those of its own skills. What stands first in each is kept beside
//! its skill, so that most lists are passed by without a look into them.

use super::conversation::WaitKey;
use super::ids::{AgentId, QueueId};
use super::settings::ChannelId;
use super::skills::{Mask, SkillId};
use std::collections::{BTreeMap, BTreeSet};

/// A group in a list: by its first conversation, with a mask of its skills so that most that an agent lacks are passed by
/// without a look at the group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Listed {
    pub first: WaitKey,
    pub mask: Mask,
    pub at: u32,
}

/// Where groups are looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum List {
    KeptFor(AgentId, ChannelId),
    Of(QueueId, ChannelId, Option<SkillId>),
}

#[derive(Clone, Debug, Default)]
pub struct Lists {
    kept: BTreeMap<(AgentId, ChannelId), BTreeSet<Listed>>,
    of: BTreeMap<(QueueId, ChannelId), OfQueue>,
}

/// The lists of one queue and channel, in the order of their skills, none first; none of them is empty.
#[derive(Clone, Debug, Default)]
pub struct OfQueue {
    heads: Vec<(Option<SkillId>, WaitKey)>,
    sets: Vec<BTreeSet<Listed>>,
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
                if set.is_empty() {
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
    pub fn kept_for(&self, agent: AgentId, channel: ChannelId) -> Option<&BTreeSet<Listed>> {
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
                self.sets.insert(place, BTreeSet::from([listed]));
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

    /// The list of this skill, where something in it comes before `best`.
    #[must_use]
    pub fn before(&self, skill: Option<SkillId>, best: Option<WaitKey>) -> Option<&BTreeSet<Listed>> {
        let place = self.place(skill).ok()?;
        best.is_none_or(|best| self.heads[place].1 < best).then(|| &self.sets[place])
    }

    /// The skills that it has lists for.
    pub fn skills(&self) -> impl Iterator<Item = Option<SkillId>> + '_ {
        self.heads.iter().map(|(skill, _)| *skill)
    }
}
