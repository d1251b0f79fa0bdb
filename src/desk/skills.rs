//! Skills as small numbers: names are compared once, when an agent or a group of conversations is put, and never while
//! pairing. Derived from the entities; a number is only good inside one desk, and is used again when nobody names its skill.

use super::ids::AgentId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A skill that a conversation requires.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RequiredSkill {
    pub name: Arc<str>,
    /// The least level, 1 to 10.
    pub level: u8,
}

/// A skill's number in this desk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SkillId(pub u32);

/// The skills of one agent, by number, with their levels.
pub type Levels = Arc<[(SkillId, u8)]>;

#[derive(Clone, Debug, Default)]
pub struct Skills {
    by_name: BTreeMap<Arc<str>, SkillId>,
    counts: Vec<Count>,
    free: Vec<SkillId>,
    of_agent: Vec<Levels>,
}

#[derive(Clone, Debug)]
struct Count {
    name: Arc<str>,
    /// Agents who have it: how rare it is.
    agents: u32,
    /// Agents and groups that name it: the number is free when none does.
    uses: u32,
}

impl Skills {
    /// The agent has these skills now, and no others.
    pub fn put_agent(&mut self, agent: AgentId, skills: &BTreeMap<Arc<str>, u8>) {
        let mut levels: Vec<(SkillId, u8)> = skills.iter().map(|(name, level)| (self.take(name), *level)).collect();
        levels.sort_unstable();
        for (skill, _) in &levels {
            self.counts[skill.0 as usize].agents += 1;
        }
        let place = agent.0 as usize;
        if self.of_agent.len() <= place {
            self.of_agent.resize_with(place + 1, || Arc::from([]));
        }
        let before = std::mem::replace(&mut self.of_agent[place], levels.into());
        for (skill, _) in before.iter() {
            self.counts[skill.0 as usize].agents -= 1;
            self.release(*skill);
        }
    }

    /// The number of this skill, held until it is released.
    pub fn take(&mut self, name: &Arc<str>) -> SkillId {
        if let Some(skill) = self.by_name.get(name) {
            self.counts[skill.0 as usize].uses += 1;
            return *skill;
        }
        let count = Count { name: name.clone(), agents: 0, uses: 1 };
        let skill = match self.free.pop() {
            Some(skill) => {
                self.counts[skill.0 as usize] = count;
                skill
            }
            None => {
                self.counts.push(count);
                SkillId(self.counts.len() as u32 - 1)
            }
        };
        self.by_name.insert(name.clone(), skill);
        skill
    }

    pub fn release(&mut self, skill: SkillId) {
        let count = &mut self.counts[skill.0 as usize];
        count.uses -= 1;
        if count.uses == 0 {
            self.by_name.remove(&count.name);
            self.free.push(skill);
        }
    }

    /// The number of a skill that somebody names; nobody has any other.
    #[must_use]
    pub fn numbered(&self, name: &str) -> Option<SkillId> {
        self.by_name.get(name).copied()
    }

    #[must_use]
    pub fn of_agent(&self, agent: AgentId) -> &Levels {
        &self.of_agent[agent.0 as usize]
    }

    /// Agents who have this skill.
    #[must_use]
    pub fn agents_with(&self, skill: SkillId) -> u32 {
        self.counts[skill.0 as usize].agents
    }
}

/// Skills by a bit for each, of 192: whoever lacks a bit lacks the skill, and few who have it do.
#[derive(Clone, Copy, Debug)]
pub struct Mask([u64; 3]);

impl Mask {
    #[must_use]
    pub fn of(skills: &[(SkillId, u8)]) -> Self {
        let mut bits = [0; 3];
        skills.iter().for_each(|(skill, _)| bits[(skill.0 / 64 % 3) as usize] |= 1 << (skill.0 % 64));
        Self(bits)
    }

    /// Whether this skill may be one of them; never false of one that is.
    #[must_use]
    pub fn may_hold(&self, skill: SkillId) -> bool {
        self.0[(skill.0 / 64 % 3) as usize] & 1 << (skill.0 % 64) != 0
    }
}

/// The level of this skill among these; 0 for none.
#[must_use]
pub fn level_of(levels: &[(SkillId, u8)], skill: SkillId) -> u8 {
    levels.binary_search_by_key(&skill, |(held, _)| *held).map_or(0, |place| levels[place].1)
}

/// Whether these levels meet what is needed.
#[must_use]
pub fn meets(levels: &[(SkillId, u8)], needed: &[(SkillId, u8)]) -> bool {
    needed.iter().all(|(skill, level)| level_of(levels, *skill) >= *level)
}
