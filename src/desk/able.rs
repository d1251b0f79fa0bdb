//! The agents that could take something now, longest idle first, in one ordered set for each queue and each skill
//! (with the channel they have room on). A decision walks the smallest set that holds all candidates.

use super::agent::Agent;
use super::conversation::Conversation;
use super::ids::{AgentId, QueueId};
use super::settings::{ChannelId, Settings};
use super::time::DeskTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Pool {
    Queue(QueueId, ChannelId),
    Skill(Arc<str>, ChannelId),
}

/// Whose turn it is: fewest pending offers (so that a burst does not pile onto one agent), then longest idle, then id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Turn {
    pending: u32,
    idle_since: DeskTime,
    agent: AgentId,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Able {
    pools: BTreeMap<Pool, BTreeSet<Turn>>,
}

impl Able {
    /// Put an agent into the sets it belongs to; none if it cannot take anything.
    pub fn add(&mut self, id: AgentId, agent: &Agent, settings: &Settings) {
        self.each(id, agent, settings, |pools, pool, entry| {
            pools.entry(pool).or_default().insert(entry);
        });
    }

    /// Take it out again. Must be called with the agent as it was when it was added.
    pub fn remove(&mut self, id: AgentId, agent: &Agent, settings: &Settings) {
        self.each(id, agent, settings, |pools, pool, entry| {
            if let Some(set) = pools.get_mut(&pool) {
                set.remove(&entry);
                if set.is_empty() {
                    pools.remove(&pool);
                }
            }
        });
    }

    fn each(
        &mut self,
        id: AgentId,
        agent: &Agent,
        settings: &Settings,
        mut act: impl FnMut(&mut BTreeMap<Pool, BTreeSet<Turn>>, Pool, Turn),
    ) {
        if !agent.is_able(settings) {
            return;
        }
        let entry = Turn { pending: agent.offers.len() as u32, idle_since: agent.idle_since, agent: id };
        for place in 0..settings.channels.len() {
            let channel = ChannelId(place as u8);
            if !agent.room_on(settings, channel) {
                continue;
            }
            for queue in &agent.profile.queues {
                act(&mut self.pools, Pool::Queue(*queue, channel), entry);
            }
            for skill in agent.profile.skills.keys() {
                act(&mut self.pools, Pool::Skill(skill.clone(), channel), entry);
            }
        }
    }

    /// Who could take this conversation, longest idle first; a superset, to be tested for the rest.
    pub fn candidates(&self, conversation: &Conversation) -> impl Iterator<Item = AgentId> + '_ {
        let channel = conversation.channel;
        let mut smallest = self.pools.get(&Pool::Queue(conversation.queue, channel));
        for skill in &conversation.skills {
            let pool = self.pools.get(&Pool::Skill(skill.name.clone(), channel));
            if pool.map_or(0, BTreeSet::len) < smallest.map_or(0, BTreeSet::len) {
                smallest = pool;
            }
        }
        smallest.into_iter().flatten().map(|turn| turn.agent)
    }

    /// Agents of this queue with room on some channel.
    #[must_use]
    pub fn in_queue(&self, queue: QueueId) -> usize {
        let pools = self.pools.range(Pool::Queue(queue, ChannelId(0))..=Pool::Queue(queue, ChannelId(u8::MAX)));
        let mut sets = pools.map(|(_, set)| set);
        let Some(first) = sets.next() else { return 0 };
        let rest: Vec<_> = sets.collect();
        if rest.is_empty() {
            return first.len();
        }
        first.iter().chain(rest.into_iter().flatten()).map(|turn| turn.agent).collect::<BTreeSet<_>>().len()
    }
}
