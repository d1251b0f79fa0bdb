//! What must always hold, checked by name after every step of the simulation.

use super::Desk;
use super::agent::Connection;
use super::clocks::Clock;
use super::conversation::{Conversation, OFFERED_AT_ONCE_MAX, Pending, State};
use super::decision::{DECISIONS_PENDING_MAX, DecidedBy, WITHIN_MS_MAX};
use super::ids::{AgentId, ConversationId};
use super::load::WHOLE;
use super::wrapping::{Blocks, OPEN_ENDED};
use std::collections::BTreeSet;

impl Desk {
    /// Every invariant that one state can show.
    ///
    /// # Errors
    /// The first that does not hold, with what was found.
    pub fn check(&self) -> Result<(), String> {
        self.one_owner()?;
        self.capacity_holds()?;
        self.every_wrap_up_ends()?;
        self.only_what_is_silent_is_paused()?;
        self.one_side_is_awaited()?;
        self.clocks_run_where_they_may()?;
        self.work_that_is_over_has_its_next_status()?;
        self.offers_and_conversations_agree()?;
        self.every_decision_ends()?;
        self.nobody_waits_whom_an_agent_could_take()?;
        self.derived_is_what_entities_say()
    }

    fn one_owner(&self) -> Result<(), String> {
        for (id, agent) in self.agents() {
            for held in &agent.conversations {
                if !self.conversation(*held).is_some_and(|c| c.is_talked_in_by(id)) {
                    return Err(format!("one_owner: {id} holds {held}, which others own"));
                }
            }
        }
        for (id, conversation) in self.conversations() {
            for talker in conversation.talkers() {
                if !self.agent(talker).is_some_and(|agent| agent.conversations.contains(&id)) {
                    return Err(format!("one_owner: {talker} has {id} and does not hold it"));
                }
            }
            let Some(joined) = conversation.joined() else { continue };
            let beside_another = matches!(conversation.state, State::Active { owner } if owner != joined);
            if !beside_another || !conversation.offers.is_empty() {
                return Err(format!("one_owner: {joined} has joined {id}, which is {:?}", conversation.state));
            }
        }
        Ok(())
    }

    fn every_wrap_up_ends(&self) -> Result<(), String> {
        for (id, held) in self.conversations() {
            let State::WrapUp { owner, until, .. } = held.state else { continue };
            let here = self.agent(owner).is_some_and(|agent| agent.connection != Connection::Offline);
            if until == OPEN_ENDED && !here && held.requeue_at.is_none() {
                return Err(format!("every_wrap_up_ends: {owner} is gone, and nothing ends its wrap-up of {id}"));
            }
        }
        Ok(())
    }

    fn only_what_is_silent_is_paused(&self) -> Result<(), String> {
        for (id, held) in self.conversations().filter(|(_, held)| held.paused().is_some()) {
            if !matches!(held.state, State::Active { .. }) || held.paused().is_some_and(|percent| percent > 100) {
                return Err(format!("only_what_is_silent_is_paused: {id} is {:?} and {:?}", held.state, held.talk()));
            }
        }
        Ok(())
    }

    /// While somebody talks, one side's word is awaited, and no longer.
    fn one_side_is_awaited(&self) -> Result<(), String> {
        for (id, held) in self.conversations() {
            let talks = matches!(held.state, State::Active { .. });
            let both = held.silence().is_some() && held.awaited().is_some();
            if both || held.awaited().is_some() && !talks {
                return Err(format!("one_side_is_awaited: {id} is {:?} and {:?}", held.state, held.talk()));
            }
        }
        Ok(())
    }

    fn clocks_run_where_they_may(&self) -> Result<(), String> {
        for (id, held) in self.conversations().filter(|(_, held)| !held.clocks().is_empty()) {
            let waits = matches!(held.state, State::Waiting | State::Offered {});
            let talks = matches!(held.state, State::Active { .. });
            let kinds: BTreeSet<Clock> = held.clocks().iter().map(|running| running.clock).collect();
            let once = kinds.len() == held.clocks().len();
            if !once || !(waits || talks) || (talks && kinds.contains(&Clock::Accept)) {
                return Err(format!("clocks_run_where_they_may: {id} is {:?} with {:?}", held.state, held.clocks()));
            }
        }
        Ok(())
    }

    fn work_that_is_over_has_its_next_status(&self) -> Result<(), String> {
        match self.agents().find(|(_, agent)| agent.next_status.is_some() && agent.has_nothing_to_do()) {
            None => Ok(()),
            Some((id, _)) => {
                Err(format!("work_that_is_over_has_its_next_status: {id} has nothing to do, and not that status"))
            }
        }
    }

    /// What an agent holds is counted right, and within its limits, but for what was forced on it and where they were lowered.
    fn capacity_holds(&self) -> Result<(), String> {
        for (id, agent) in self.agents() {
            let states = || agent.conversations.iter().filter_map(|id| Some(self.conversation(*id)?.state));
            let blocked = states().filter(|state| state.wrap_up_blocks() == Some(Blocks::Agent)).count();
            if blocked != agent.blocked as usize {
                return Err(format!("capacity_holds: {blocked} wrap-ups block {id}, which counts {}", agent.blocked));
            }
            let talks = agent.conversations.iter().filter_map(|id| self.conversation(*id));
            let held = agent.offers.len() as u32 * WHOLE + talks.map(Conversation::takes).sum::<u32>();
            if held != agent.load.sum() {
                return Err(format!("capacity_holds: {id} holds {held} and counts {:?}", agent.load));
            }
            if !agent.over_limit && !self.is_within_limits(id) {
                return Err(format!("capacity_holds: {id} holds {:?}, which nobody forced", agent.load));
            }
        }
        Ok(())
    }

    fn offers_and_conversations_agree(&self) -> Result<(), String> {
        for (id, offer) in self.offers() {
            let held = self.conversation(offer.conversation);
            let pending = Pending { offer: id, agent: offer.agent };
            let is_offered = |held: &Conversation| held.state == State::Offered {} || held.transfer().is_some();
            if !held.is_some_and(|held| is_offered(held) && held.offers.contains(&pending)) {
                return Err(format!(
                    "offers_and_conversations_agree: {id} is pending, {} is {held:?}",
                    offer.conversation
                ));
            }
            if !self.agent(offer.agent).is_some_and(|agent| agent.offers.contains(&id)) {
                return Err(format!("offers_and_conversations_agree: {} does not hold {id}", offer.agent));
            }
        }
        let offered: usize = self.conversations().map(|(_, c)| c.offers.len()).sum();
        if offered != self.offers().count() {
            return Err(format!("offers_and_conversations_agree: {offered} offered"));
        }
        for (id, held) in self.conversations() {
            let agents: BTreeSet<AgentId> = held.offers.iter().map(|pending| pending.agent).collect();
            let at_most = held.offers.len() <= OFFERED_AT_ONCE_MAX && agents.len() == held.offers.len();
            let transferred = matches!(held.state, State::Active { .. }) && held.offers.len() == 1;
            let pending = held.state == State::Offered {} || transferred;
            if !at_most || held.offers.is_empty() == pending || held.transfer().is_some() != transferred {
                return Err(format!("offers_and_conversations_agree: {id} is {:?} with {:?}", held.state, held.offers));
            }
        }
        Ok(())
    }

    /// What the outside is asked about waits, in a queue that it decides, and is asked about once and not for long.
    fn every_decision_ends(&self) -> Result<(), String> {
        for (id, held) in self.conversations() {
            let Some(pending) = held.pending_decision() else { continue };
            let outside = self.queue(held.queue).map(|queue| queue.settings.offering.router.by);
            let waits = held.state == State::Waiting && outside == Some(DecidedBy::Outside);
            let soon = pending.until.ms_since(self.now.desk) <= WITHIN_MS_MAX;
            if !waits || !soon || !self.decisions().any(|listed| listed == (pending.decision, id)) {
                return Err(format!(
                    "every_decision_ends: {pending:?} is pending about {id}, which is {:?}",
                    held.state
                ));
            }
        }
        let pending = self.decisions().count();
        if pending > DECISIONS_PENDING_MAX {
            return Err(format!("every_decision_ends: {pending} are pending"));
        }
        Ok(())
    }

    /// No lost wake-up: by a scan over all pairs, which the desk itself never makes. A decision that is pending counts like an
    /// offer, and speaks for the room of one agent; both end by themselves.
    fn nobody_waits_whom_an_agent_could_take(&self) -> Result<(), String> {
        if self.has_unpaired() {
            return Ok(());
        }
        for (id, conversation) in self.conversations().filter(|(_, c)| c.state == State::Waiting) {
            let (need, next) = (self.need_of(conversation), self.next_offer_of(conversation));
            let mut agents = self.agents().map(|(agent, _)| agent);
            let asked = agents.find(|agent| self.would_be_asked(*agent, conversation, &need, next).is_ok());
            if let Some(agent) = asked {
                return Err(format!("nobody_waits_whom_an_agent_could_take: {id} waits and {agent} could take it"));
            }
        }
        Ok(())
    }

    fn derived_is_what_entities_say(&self) -> Result<(), String> {
        let mut derived = self.clone();
        derived.derive();
        self.able.check()?;
        match derived.difference(self) {
            None => Ok(()),
            Some(field) => Err(format!("derived_is_what_entities_say: {field} was not kept in step")),
        }
    }

    /// Who owns what, for checks from outside.
    pub fn owners(&self) -> impl Iterator<Item = (ConversationId, AgentId)> + '_ {
        self.conversations().filter_map(|(id, c)| Some((id, c.state.owner()?)))
    }
}
