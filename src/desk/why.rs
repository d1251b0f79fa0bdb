//! Why: for a conversation, every agent's place in the order or the first rule that excludes it; for an agent, the same for
//! what waits. Pure functions of a desk, so that a desk replayed to a position explains what was decided there.

use super::Desk;
use super::choosing::Standing;
use super::clocks::{Clock, Running};
use super::conversation::{Conversation, State};
use super::deciding::NextOffer;
use super::decision::{DecidedBy, DecisionEnd};
use super::event::RequiredSkill;
use super::fits::WhyNot;
use super::ids::{AgentId, ConversationId, DecisionId, OfferId};
use super::need::Need;
use super::offering::{AcrossQueues, AgentsBy};
use super::opening::Opening;
use super::settings::QueueSettings;
use super::time::{DeskTime, Now, WallTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Agents, or groups of conversations, that one answer names; the rest is counted by rule.
pub const NAMED_MAX: usize = 100;
/// Agents of the conversation's queues, or groups, that one answer looks at.
pub const LOOKED_AT_MAX: usize = 10_000;
/// Agents of other queues that it looks at besides: they cannot take it, whatever else is so.
const OTHERS_LOOKED_AT_MAX: usize = 100;

/// What a conversation needs now, and what each agent is to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyConversation {
    pub conversation: ConversationId,
    pub state: Arc<str>,
    pub queue: Arc<str>,
    pub needs: Needs,
    /// To whom it is offered now.
    pub offered_to: Vec<OfferedTo>,
    pub owner: Option<Arc<str>>,
    /// Its customer has been silent for long: what it takes of its owner, in hundredths of a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_weight_percent: Option<u8>,
    /// While somebody talks in it: whose word is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<WhyAwaited>,
    /// Clocks of service that run, pending or breached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<WhyClock>,
    /// Where its queue is, or was, decided from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<WhyDecision>,
    /// Those who could take it now, in the order in which they would be asked.
    pub candidates: Vec<Candidate>,
    /// The others, and the first rule that excludes each.
    pub excluded: Vec<Excluded>,
    /// How many agents each rule excludes, of those looked at.
    pub excluded_by_rule: BTreeMap<WhyNot, u32>,
    pub agents_looked_at: u32,
    pub agents: u32,
    pub at: Now,
}

/// What it needs of an agent, as far as its rings have widened it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Needs {
    pub queues: Vec<Arc<str>>,
    pub channel: Arc<str>,
    pub skills: Vec<RequiredSkill>,
    pub preferred_skills: Vec<Arc<str>>,
    /// 255: all.
    pub tiers_up_to: u8,
    pub ring: u8,
    pub kept_for: Option<Arc<str>>,
    /// People are not let in yet.
    #[serde(default)]
    pub only_programs: bool,
    /// Its queue is closed at this hour.
    #[serde(default)]
    pub closed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<WallTime>,
    pub agents_by: AgentsBy,
    pub offer_to_at_most: u8,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfferedTo {
    pub offer: OfferId,
    pub agent: Arc<str>,
}

/// Who has been silent since when, and when a rule of the queue does something about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyAwaited {
    /// `customer` or `owner`.
    pub who: Arc<str>,
    /// Desk time, as the next.
    pub since: DeskTime,
    pub rule_at: Option<DeskTime>,
}

/// A clock of service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyClock {
    pub clock: Clock,
    pub breached: bool,
    /// By whose settings it runs.
    pub queue: Option<Arc<str>>,
    pub since: WallTime,
    pub due: WallTime,
}

/// Who decides about it, and how that went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyDecision {
    /// Who makes its next offer.
    pub next_by: DecidedBy,
    /// The decision that is wanted from outside now.
    pub pending: Option<WhyPending>,
    pub last: Option<WhyLast>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyPending {
    pub decision: DecisionId,
    pub ends_in_ms: u64,
    /// Whom Offhook would ask.
    pub agent: Arc<str>,
}

/// How the last decision about it ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyLast {
    pub decision: DecisionId,
    pub end: DecisionEnd,
    /// Whom the outside named.
    pub agent: Option<Arc<str>>,
    /// The name of the key, or of the agent, that answered.
    pub by: Option<Arc<str>>,
    pub at: WallTime,
}

/// An agent who could take it, with what it is ordered by, the first first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    pub agent: Arc<str>,
    /// 0: of the conversation's own queue; then those that rings added.
    pub queue: usize,
    pub tier: u8,
    /// Programs come after the people of their tier.
    #[serde(default)]
    pub program: bool,
    /// The sum of levels over the required skills, where the queue goes by them.
    pub required_levels: u32,
    pub preferred_levels: u32,
    /// Pending offers; by `least_loaded`: the share of its total in use, in hundredths of a per cent; by `round_robin`: 0.
    pub rank: u32,
    /// Idle since, in milliseconds of desk time; by `round_robin`: the number of its last offer.
    pub then: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    pub agent: Arc<str>,
    pub rule: WhyNot,
}

/// Why an agent is idle: for each group of what waits in its queues, what stands against it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyAgent {
    pub agent: Arc<str>,
    /// The rule about the agent alone by which nothing is offered to it.
    pub excluded: Option<WhyNot>,
    /// The conversation that it would take next.
    pub next: Option<ConversationId>,
    pub offers: Vec<OfferId>,
    pub conversations: Vec<ConversationId>,
    /// Those that are paused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<ConversationId>,
    /// The share of its total that is in use, in hundredths of a per cent.
    #[serde(default)]
    pub share_held: u32,
    pub across_queues: AcrossQueues,
    pub groups: Vec<WhyGroup>,
    /// Waiting conversations that each rule keeps from it, of the groups looked at, by the first of each group.
    pub waiting_by_rule: BTreeMap<WhyNot, u32>,
    pub groups_looked_at: u32,
    pub at: Now,
}

/// Conversations that need the same of an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhyGroup {
    pub queue: Arc<str>,
    pub channel: Arc<str>,
    pub skills: Vec<RequiredSkill>,
    pub waiting: u32,
    /// The one that is first of them.
    pub first: ConversationId,
    /// Why that one is not offered to this agent; absent: it could be.
    pub rule: Option<WhyNot>,
}

impl Desk {
    /// `None` when the desk does not hold it: closed, or never opened.
    #[must_use]
    pub fn why_conversation(&self, id: ConversationId) -> Option<WhyConversation> {
        let conversation = self.conversation(id)?;
        let (need, next) = (self.need_of(conversation), self.next_offer_of(conversation));
        let queue = &self.queues[&conversation.queue].settings;
        let wished: Vec<Arc<str>> = conversation.wishes.iter().flat_map(|wishes| wishes.skills.clone()).collect();
        let mut standings: Vec<Standing> = Vec::new();
        let mut excluded: Vec<(AgentId, WhyNot)> = Vec::new();
        let mut excluded_by_rule: BTreeMap<WhyNot, u32> = BTreeMap::new();
        let mut looked_at = 0;
        for agent in self.whom_to_look_at(&need) {
            looked_at += 1;
            // While a decision is pending, those whom the outside may name; else those who would be asked.
            let next = if next == NextOffer::Asked { NextOffer::Offhooks } else { next };
            match self.would_be_asked(agent, conversation, &need, next) {
                Ok(()) => standings.extend(self.standing_of(agent, conversation, &need)),
                Err(rule) => {
                    *excluded_by_rule.entry(rule).or_default() += 1;
                    if excluded.len() < NAMED_MAX {
                        excluded.push((agent, rule));
                    }
                }
            }
        }
        standings.sort_unstable();
        excluded.sort_unstable();
        let excluded = excluded.into_iter().map(|(agent, rule)| Excluded { agent: self.name_of(agent), rule });
        let candidates = standings.iter().take(NAMED_MAX).map(|standing| self.candidate(standing));
        let offered_to = conversation.offers.iter();
        let offered_to =
            offered_to.map(|pending| OfferedTo { offer: pending.offer, agent: self.name_of(pending.agent) }).collect();
        Some(WhyConversation {
            conversation: id,
            state: conversation.state.name().into(),
            queue: queue.name.clone(),
            needs: Needs {
                queues: need.queues.iter().map(|queue| self.queues[queue].settings.name.clone()).collect(),
                channel: self.settings.channels[usize::from(need.channel.0)].name.clone(),
                skills: need.skills.to_vec(),
                preferred_skills: wished,
                tiers_up_to: need.tiers_up_to,
                ring: conversation.ring,
                kept_for: need.kept_for.map(|agent| self.name_of(agent)),
                only_programs: need.only_programs,
                closed: need.closed,
                opens_at: self.opening_of(conversation.queue).and_then(Opening::opens_at),
                agents_by: queue.offering.agents_by,
                offer_to_at_most: queue.offering.offer_to_at_most,
            },
            offered_to,
            owner: conversation.state.owner().map(|owner| self.name_of(owner)),
            paused_weight_percent: conversation.paused(),
            awaited: why_awaited(conversation, queue),
            clocks: conversation.clocks().iter().map(|running| self.why_clock(running)).collect(),
            decision: self.why_decision(conversation),
            candidates: candidates.collect(),
            excluded: excluded.collect(),
            excluded_by_rule,
            agents_looked_at: looked_at,
            agents: self.agents.len() as u32,
            at: self.now,
        })
    }

    /// `None` for an agent that there is not.
    #[must_use]
    pub fn why_agent(&self, id: AgentId) -> Option<WhyAgent> {
        let held = self.agent(id)?;
        let mut groups = Vec::new();
        let mut waiting_by_rule: BTreeMap<WhyNot, u32> = BTreeMap::new();
        let mut looked_at = 0;
        let waiting = held.profile.queues.iter().flat_map(|queue| self.waiting.groups_in(*queue));
        for (group, first) in waiting.take(LOOKED_AT_MAX) {
            looked_at += 1;
            let conversation = &self.conversations[&first.conversation];
            debug_assert_eq!(conversation.state, State::Waiting, "groups hold what waits");
            let rule = self.would_be_asked(id, conversation, &group.common.need, group.common.next_offer).err();
            if let Some(rule) = rule {
                *waiting_by_rule.entry(rule).or_default() += group.len() as u32;
            }
            if groups.len() < NAMED_MAX {
                groups.push(WhyGroup {
                    queue: self.queues[&group.common.queue].settings.name.clone(),
                    channel: self.settings.channels[usize::from(group.common.need.channel.0)].name.clone(),
                    skills: group.common.need.skills.to_vec(),
                    waiting: group.len() as u32,
                    first: first.conversation,
                    rule,
                });
            }
        }
        let is_paused = |id: &ConversationId| self.conversations[id].paused().is_some();
        Some(WhyAgent {
            agent: held.profile.name.clone(),
            excluded: self.may_be_offered(id).err(),
            next: self.first_for(id),
            offers: held.offers.clone(),
            conversations: held.conversations.clone(),
            paused: held.conversations.iter().filter(|id| is_paused(id)).copied().collect(),
            share_held: held.share_held(&self.settings),
            across_queues: self.settings.across_queues,
            groups,
            waiting_by_rule,
            groups_looked_at: looked_at,
            at: self.now,
        })
    }

    fn why_clock(&self, running: &Running) -> WhyClock {
        // A queue that was removed has no name any more.
        let queue = self.queues.get(&running.queue).map(|queue| queue.settings.name.clone());
        let (since, due) = (running.since, running.due);
        WhyClock { clock: running.clock, breached: running.breached, queue, since, due }
    }

    /// The standing of an agent, for people.
    pub(super) fn candidate(&self, standing: &Standing) -> Candidate {
        Candidate {
            agent: self.name_of(standing.agent),
            queue: standing.queue,
            tier: standing.tier,
            program: standing.program,
            required_levels: standing.required.0,
            preferred_levels: standing.preferred.0,
            rank: standing.first,
            then: standing.second,
        }
    }

    fn why_decision(&self, conversation: &Conversation) -> Option<WhyDecision> {
        let next_by = match self.next_offer_of(conversation) {
            NextOffer::Offhooks => DecidedBy::Offhook,
            NextOffer::Outsides | NextOffer::Asked => DecidedBy::Outside,
        };
        let routed = conversation.routed.as_deref();
        if routed.is_none() && next_by == DecidedBy::Offhook {
            return None;
        }
        let pending = conversation.pending_decision().map(|pending| WhyPending {
            decision: pending.decision,
            ends_in_ms: pending.until.ms_since(self.now.desk),
            agent: self.name_of(pending.agent),
        });
        let last = routed.and_then(|routed| routed.last.as_ref()).map(|last| WhyLast {
            decision: last.decision,
            end: last.end,
            agent: last.agent.map(|agent| self.name_of(agent)),
            by: last.by.clone(),
            at: last.at,
        });
        Some(WhyDecision { next_by, pending, last })
    }

    /// Those of its queues with room on its channel first, so that however many there are, who could take it is among them; then
    /// the others of its queues, and a few of the other queues.
    fn whom_to_look_at<'a>(&'a self, need: &'a Need) -> impl Iterator<Item = AgentId> + 'a {
        let members = |with_room: bool| {
            let queues = need.queues.iter().enumerate();
            queues.flat_map(move |(place, queue)| {
                let members = self.able.members_of(*queue);
                members.filter(move |agent| {
                    let profile = &self.agents[agent.0 as usize].profile;
                    // Once, where it is in several of them.
                    self.able.has_room_on(*agent, need.channel) == with_room
                        && (place == 0 || need.queue_of(profile).is_some_and(|(first, _)| first == place))
                })
            })
        };
        let of_queues = members(true).chain(members(false)).take(LOOKED_AT_MAX);
        let others = self.agents().filter(|(_, held)| need.queue_of(&held.profile).is_none()).map(|(id, _)| id);
        of_queues.chain(others.take(OTHERS_LOOKED_AT_MAX))
    }

    fn name_of(&self, agent: AgentId) -> Arc<str> {
        self.agents[agent.0 as usize].profile.name.clone()
    }
}

fn why_awaited(held: &Conversation, queue: &QueueSettings) -> Option<WhyAwaited> {
    held.state.owner()?;
    let silent = held.silence().map(|silence| ("customer", silence.since));
    let (who, since) = silent.or_else(|| Some(("owner", held.awaited()?.since)))?;
    Some(WhyAwaited { who: who.into(), since, rule_at: held.silence_rule_at(queue) })
}
