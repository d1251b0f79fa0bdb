//! What a conversation needs of an agent now: its queue, channel and skills, as far as its rings have widened them, and for
//! whom it is kept. A pure function of the state; only the rings that were reached are in the conversation.

use super::Desk;
use super::able::{Presence, presence_of};
use super::conversation::Conversation;
use super::event::RequiredSkill;
use super::ids::{AgentId, QueueId};
use super::offering::Meanwhile;
use super::settings::{AgentProfile, ChannelId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What must hold of an agent, by names and numbers that do not change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Need {
    /// The conversation's own first, then those that its rings added.
    pub queues: Box<[QueueId]>,
    pub channel: ChannelId,
    pub skills: Box<[RequiredSkill]>,
    pub tiers_up_to: u8,
    /// Nobody else is offered it now.
    pub kept_for: Option<AgentId>,
    /// People are not let in yet, and a program could take it.
    pub only_programs: bool,
    /// Its queue is closed at this hour: nobody is offered it.
    pub closed: bool,
}

/// An agent's tier in a queue; 1 where none is set.
#[must_use]
pub fn tier_in(profile: &AgentProfile, queue: QueueId) -> u8 {
    profile.tiers.get(&queue).copied().unwrap_or(1)
}

impl Need {
    /// The first of the queues that this agent is in, by its place, with its tier there.
    #[must_use]
    pub fn queue_of(&self, profile: &AgentProfile) -> Option<(usize, u8)> {
        let mut places = self.queues.iter().enumerate();
        places.find(|(_, queue)| profile.queues.contains(queue)).map(|(place, queue)| (place, tier_in(profile, *queue)))
    }
}

impl Desk {
    /// What this conversation needs of an agent now.
    #[must_use]
    pub fn need_of(&self, conversation: &Conversation) -> Need {
        let offering = &self.queues[&conversation.queue].settings.offering;
        let (mut queues, mut skills) = (vec![conversation.queue], conversation.skills.clone());
        let mut tiers_up_to = offering.tiers_up_to.unwrap_or(u8::MAX);
        for ring in offering.rings.iter().take(usize::from(conversation.ring)) {
            skills.retain(|skill| !ring.drop.contains(&skill.name));
            for skill in &mut skills {
                if let Some(level) = ring.lower.get(&skill.name) {
                    skill.level = skill.level.min(*level);
                }
            }
            if let Some(tier) = ring.tiers_up_to {
                tiers_up_to = tiers_up_to.max(tier);
            }
            for name in &ring.queues {
                let queue = self.queue_names.get(name);
                queues.extend(queue.filter(|queue| !queues.contains(queue)));
            }
        }
        let mut need = Need {
            queues: queues.into(),
            channel: conversation.channel,
            skills: skills.into(),
            tiers_up_to,
            kept_for: None,
            only_programs: false,
            closed: !self.is_open(conversation.queue),
        };
        need.kept_for = self.kept_for(conversation, &need);
        need.only_programs = self.only_programs(conversation, &need);
        need
    }

    /// The agent that this conversation is kept for now: a required one always, a preferred one for its time, as long as
    /// the queue's rule for what it is doing says to wait, it could take it at all, and it has not said no.
    fn kept_for(&self, conversation: &Conversation, need: &Need) -> Option<AgentId> {
        let wished = conversation.wishes.as_ref()?.agent?;
        let Some(until) = wished.until else { return Some(wished.agent) };
        if until <= self.now.desk || conversation.cools_down(wished.agent, self.now.desk) {
            return None;
        }
        let held = &self.agents[wished.agent.0 as usize];
        let could = held.profile.active
            && need.queue_of(&held.profile).is_some_and(|(_, tier)| tier <= need.tiers_up_to)
            && has_skills(&held.profile.skills, &need.skills);
        if !could {
            return None;
        }
        self.waits_while(conversation, presence_of(held, &self.settings)).then_some(wished.agent)
    }

    /// Whether its queue's rules keep it for an agent that stands so.
    pub(super) fn waits_while(&self, conversation: &Conversation, presence: Presence) -> bool {
        let rules = &self.queues[&conversation.queue].settings.offering.preferred_agent;
        let rule = if presence.offline {
            rules.when_offline
        } else if !presence.able {
            rules.when_away
        } else if presence.room & 1 << conversation.channel.0 == 0 {
            rules.when_busy
        } else {
            Meanwhile::Wait
        };
        rule == Meanwhile::Wait
    }
}

/// Whether these levels meet what is required.
#[must_use]
pub fn has_skills(levels: &BTreeMap<Arc<str>, u8>, required: &[RequiredSkill]) -> bool {
    required.iter().all(|skill| levels.get(&skill.name).is_some_and(|level| *level >= skill.level))
}
