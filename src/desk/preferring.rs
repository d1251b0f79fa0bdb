//! Waiting conversations that prefer an agent for a time, by that agent: what it does decides who may take them. Most agents are
//! preferred by nobody, and each change of an agent asks, so that is told by a bit.

use super::ids::{AgentId, ConversationId};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default)]
pub struct Preferring {
    of: BTreeSet<(AgentId, ConversationId)>,
    /// A bit for each agent that is preferred.
    bits: Vec<u64>,
}

impl PartialEq for Preferring {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl Preferring {
    pub fn add(&mut self, agent: AgentId, conversation: ConversationId) {
        self.of.insert((agent, conversation));
        let (word, bit) = place_of(agent);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= bit;
    }

    /// Gives whether it was the last of this agent.
    pub fn remove(&mut self, agent: AgentId, conversation: ConversationId) -> bool {
        let was = self.of.remove(&(agent, conversation));
        if !was || self.of(agent).next().is_some() {
            return false;
        }
        let (word, bit) = place_of(agent);
        self.bits[word] &= !bit;
        true
    }

    /// Whether anybody prefers this agent.
    #[must_use]
    pub fn is_for(&self, agent: AgentId) -> bool {
        let (word, bit) = place_of(agent);
        self.bits.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Those that prefer this agent.
    pub fn of(&self, agent: AgentId) -> impl Iterator<Item = ConversationId> + '_ {
        let all = (agent, ConversationId(0))..=(agent, ConversationId(u64::MAX));
        self.of.range(all).map(|(_, conversation)| *conversation)
    }

    /// The agents that are preferred.
    pub fn agents(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.bits.iter().enumerate().flat_map(|(word, bits)| {
            (0..64).filter(move |place| bits >> place & 1 != 0).map(move |place| AgentId(word as u32 * 64 + place))
        })
    }
}

fn place_of(agent: AgentId) -> (usize, u64) {
    ((agent.0 / 64) as usize, 1 << (agent.0 % 64))
}
