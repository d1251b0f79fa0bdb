//! Which waiting conversations a decision is wanted about from outside, and what is pending of that: kept so that no more is
//! asked than agents have room for, and that each question ends.
//!
//! A question stands for one place of one agent, the one whom Offhook would ask: that agent's room is spoken for until the
//! question ends, and nothing else of a queue that is decided from outside is asked about for it. It is no reservation: other
//! queues may offer to that agent meanwhile, and the outside may name anybody who fits.

use super::Desk;
use super::conversation::Conversation;
use super::decision::{
    CANDIDATES_MAX, DECISIONS_PAGE_MAX, DECISIONS_PENDING_MAX, DecidedBy, DecisionEnd, Decisions, Ended, Fitting,
    LastDecision, PendingDecision, Wanted,
};
use super::event::Event;
use super::fits::WhyNot;
use super::ids::{AgentId, ConversationId, DecisionId};
use super::load::WHOLE;
use super::need::Need;
use super::settings::{ChannelId, HELD_MAX};
use std::collections::{BTreeMap, BTreeSet};

/// How many ended decisions are kept for late answers.
const ENDED_DECISIONS_MAX: usize = 4_096;

/// Who makes the next offer of a conversation that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum NextOffer {
    #[default]
    Offhooks,
    /// The outside is to be asked, once somebody could take it.
    Outsides,
    /// The outside was asked.
    Asked,
}

/// Derived from the conversations alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Deciding {
    pending: BTreeMap<DecisionId, ConversationId>,
    /// How many are pending of each agent's room, by channel.
    spoken_for: BTreeMap<AgentId, BTreeMap<ChannelId, u32>>,
}

impl Deciding {
    pub fn add(&mut self, pending: PendingDecision, conversation: ConversationId, channel: ChannelId) {
        self.pending.insert(pending.decision, conversation);
        *self.spoken_for.entry(pending.agent).or_default().entry(channel).or_default() += 1;
    }

    pub fn remove(&mut self, pending: PendingDecision, channel: ChannelId) {
        self.pending.remove(&pending.decision).expect("a decision ends once");
        let of_agent = self.spoken_for.get_mut(&pending.agent).expect("its agent was spoken for");
        let count = of_agent.get_mut(&channel).expect("on this channel");
        *count -= 1;
        if *count == 0 {
            of_agent.remove(&channel);
            if of_agent.is_empty() {
                self.spoken_for.remove(&pending.agent);
            }
        }
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.pending.len()
    }
}

/// How the decisions of not long ago ended, for late answers.
#[derive(Clone, Debug, Default)]
pub struct EndedDecisions(BTreeMap<DecisionId, DecisionEnd>);

impl EndedDecisions {
    fn put(&mut self, decision: DecisionId, end: DecisionEnd) {
        self.0.insert(decision, end);
        if self.0.len() > ENDED_DECISIONS_MAX {
            self.0.pop_first();
        }
    }
}

impl Desk {
    /// Decisions that are pending.
    pub fn decisions(&self) -> impl Iterator<Item = (DecisionId, ConversationId)> + '_ {
        self.deciding.pending.iter().map(|(decision, conversation)| (*decision, *conversation))
    }

    /// How this decision ended, as far as that is still known; `None` when there never was one.
    pub(super) fn ended_decision(&self, decision: DecisionId) -> Option<Option<DecisionEnd>> {
        (1..=self.last_decision).contains(&decision.0).then(|| self.ended_decisions.0.get(&decision).copied())
    }

    pub(super) fn next_offer_of(&self, conversation: &Conversation) -> NextOffer {
        let router = self.queues[&conversation.queue].settings.offering.router;
        match (&conversation.routed, router.by) {
            (Some(routed), _) if routed.pending.is_some() => NextOffer::Asked,
            (Some(routed), _) if routed.by_itself => NextOffer::Offhooks,
            (_, DecidedBy::Outside) => NextOffer::Outsides,
            (_, DecidedBy::Offhook) => NextOffer::Offhooks,
        }
    }

    /// Whether as many decisions are pending for this agent as it has room for on the channel.
    pub(super) fn is_spoken_for(&self, id: AgentId, channel: ChannelId) -> bool {
        let Some(spoken_for) = self.deciding.spoken_for.get(&id) else { return false };
        let agent = &self.agents[id.0 as usize];
        let (mut count, mut load) = (0, agent.load.clone());
        for (channel, pending) in spoken_for {
            count += pending;
            load.take(*channel, pending * WHOLE);
        }
        // With one more.
        load.take(channel, WHOLE);
        !load.is_within_on(agent, &self.settings, channel)
            || (agent.offers.len() + agent.conversations.len()) as u32 + count >= HELD_MAX
    }

    /// Whether an agent who fits would be asked now: by an offer, or, where the outside decides, by a decision about it.
    ///
    /// # Errors
    /// A decision is pending, of the conversation or of all the room that the agent has.
    pub(super) fn may_be_asked(&self, agent: AgentId, next: NextOffer, channel: ChannelId) -> Result<(), WhyNot> {
        match next {
            NextOffer::Offhooks => Ok(()),
            NextOffer::Outsides if !self.is_spoken_for(agent, channel) => Ok(()),
            NextOffer::Outsides | NextOffer::Asked => Err(WhyNot::DecisionPending),
        }
    }

    /// Both: it fits, and would be asked.
    pub(super) fn would_be_asked(
        &self,
        agent: AgentId,
        conversation: &Conversation,
        need: &Need,
        next: NextOffer,
    ) -> Result<(), WhyNot> {
        self.fits_need(agent, conversation, need)?;
        self.may_be_asked(agent, next, need.channel)
    }

    /// Somebody could take it: the outside is asked whom it is for. `only` is the one agent who would be asked, where that is known.
    pub(super) fn want_decision(&mut self, id: ConversationId, only: Option<AgentId>, events: &mut Vec<Event>) {
        let first = only.or_else(|| self.best(id, 1, NextOffer::Outsides).first().copied());
        let Some(agent) = first else { return };
        let decision = DecisionId(self.last_decision + 1);
        if self.deciding.count() >= DECISIONS_PENDING_MAX {
            self.emit(events, ended(decision, id, DecisionEnd::Crowded));
            return;
        }
        let within_ms = self.queues[&self.conversations[&id].queue].settings.offering.router.within_ms;
        let until = self.now.desk.plus_ms(within_ms);
        self.emit(events, Event::DecisionWanted { decision, conversation: id, agent, until });
    }

    /// It goes elsewhere, or Offhook decides: what was wanted of the outside is wanted no more.
    pub(super) fn withdraw_decision(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        if let Some(pending) = self.conversations[&id].pending_decision() {
            self.emit(events, ended(pending.decision, id, DecisionEnd::Withdrawn));
        }
    }

    pub(super) fn apply_decision(&mut self, event: &Event) {
        match event {
            Event::DecisionWanted { decision, conversation, agent, until } => {
                self.last_decision = self.last_decision.max(decision.0);
                let pending = PendingDecision { decision: *decision, agent: *agent, until: *until };
                self.change_conversation(*conversation, |c| {
                    c.change_routed(|routed| routed.pending = Some(pending));
                });
            }
            Event::DecisionEnded { decision, conversation, end, agent, by } => {
                self.last_decision = self.last_decision.max(decision.0);
                self.ended_decisions.put(*decision, *end);
                let asked = self.conversations[conversation].pending_decision();
                let last =
                    LastDecision { decision: *decision, end: *end, agent: *agent, by: by.clone(), at: self.now.wall };
                self.change_conversation(*conversation, |c| {
                    c.change_routed(|routed| {
                        routed.pending = None;
                        routed.by_itself = end.falls_back();
                        routed.last = Some(last);
                    });
                });
                // Whose room was spoken for may be asked about something else.
                asked.inspect(|asked| self.look_again(asked.agent));
            }
            _ => unreachable!("only decisions come here: {event:?}"),
        }
    }

    /// What one who knows of these decisions has not heard yet.
    pub(super) fn list_decisions(&mut self, known: &BTreeSet<DecisionId>) -> Decisions {
        let pending = &self.deciding.pending;
        let gone = known.iter().filter(|decision| !pending.contains_key(decision));
        let ended =
            gone.map(|decision| Ended { decision: *decision, end: self.ended_decision(*decision).flatten() }).collect();
        let fresh: Vec<ConversationId> =
            pending.iter().filter(|(decision, _)| !known.contains(decision)).map(|(_, id)| *id).collect();
        let more = fresh.len() > DECISIONS_PAGE_MAX;
        let wanted = fresh.into_iter().take(DECISIONS_PAGE_MAX).filter_map(|id| self.wanted(id)).collect();
        Decisions { wanted, ended, more }
    }

    fn wanted(&mut self, id: ConversationId) -> Option<Wanted> {
        self.settle();
        // All who fit, whether or not decisions are pending for them.
        let mut asked = self.best(id, CANDIDATES_MAX + 1, NextOffer::Offhooks);
        let more_candidates = asked.len() > CANDIDATES_MAX;
        asked.truncate(CANDIDATES_MAX);
        let held = self.conversation(id)?;
        let pending = held.pending_decision()?;
        let need = self.need_of(held);
        let queue = self.queues.get(&held.queue)?;
        let candidates = asked.into_iter().filter_map(|agent| {
            let standing = self.candidate(&self.standing_of(agent, held, &need)?);
            let agent = &self.agents[agent.0 as usize];
            let holds = (agent.offers.len() + agent.conversations.len()) as u32;
            Some(Fitting { standing, room: agent.rooms_on(&self.settings, need.channel), holds })
        });
        Some(Wanted {
            decision: pending.decision,
            conversation: id,
            ends_in_ms: pending.until.ms_since(self.now.desk),
            queue: queue.settings.name.clone(),
            channel: self.settings.channels[usize::from(held.channel.0)].name.clone(),
            customer: held.customer,
            priority: held.priority,
            preferred_skills: held.wishes.iter().flat_map(|wishes| wishes.skills.clone()).collect(),
            ring: held.ring,
            waiting_since: held.waiting_since,
            offers_made: held.offers_made,
            waiting: queue.waiting,
            expected_owner: None,
            candidates: candidates.collect(),
            more_candidates,
            skills: need.skills.into_vec(),
        })
    }
}

/// Of a decision that nobody gave.
pub(super) fn ended(decision: DecisionId, conversation: ConversationId, end: DecisionEnd) -> Event {
    Event::DecisionEnded { decision, conversation, end, agent: None, by: None }
}
