//! Conversations that change hands: transferred, picked, claimed, handed over. Each is checked first; then what is pending
//! of the conversation ends, and then it has its new owner, or waits, in one event.

use super::conversations::{owned_by, wrong_state};
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, OfferEnd, RequiredSkill};
use crate::desk::fits::WhyNot;
use crate::desk::ids::{AgentId, ConversationId, QueueId};
use crate::desk::moves::{Deed, MoveAsk, Mover, Taken, Transfer};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use crate::desk::settings::HELD_MAX;
use crate::desk::time::WallTime;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Desk {
    pub(super) fn move_conversation(
        &mut self,
        ask: &MoveAsk,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let (id, by) = (ask.conversation, ask.by);
        if !self.conversations.contains_key(&id) {
            return Err(self.not_here(id, loaded));
        }
        match &ask.deed {
            Deed::TransferToAgent { agent, warm } => self.transfer_to_agent(id, by, agent, *warm, events),
            Deed::TransferToQueue { queue, waiting_since } => {
                self.transfer_to_queue(id, by, queue, *waiting_since, events)
            }
            Deed::CancelTransfer => self.cancel_transfer(id, by, events),
            Deed::HandOver => self.hand_over(id, by, events),
            Deed::Leave => self.leave(id, by, events),
            Deed::Pick => self.pick(id, by, events),
            Deed::Assign { to, expected_owner, force } => {
                self.assign(id, by, to.as_ref(), expected_owner.as_ref(), *force, events)
            }
        }
    }

    /// The owner of an active conversation, which an agent moves only where it is its own.
    fn owner_for(&self, id: ConversationId, by: Mover) -> Result<AgentId, Refusal> {
        let held = &self.conversations[&id];
        match by {
            Mover::Agent(agent) => owned_by(id, held, agent)?,
            Mover::Supervisor(_) | Mover::Admin => {}
        }
        match held.state {
            State::Active { owner } => Ok(owner),
            State::Waiting | State::Offered {} | State::WrapUp { .. } | State::Closed => Err(wrong_state(id, held)),
        }
    }

    fn agent_for(&self, name: &Arc<str>) -> Result<AgentId, Refusal> {
        self.agent_named(name).ok_or_else(|| Refusal::NoSuchAgent(name.clone()))
    }

    fn unable(&self, agent: AgentId, rule: WhyNot) -> Refusal {
        Refusal::AgentUnable { agent: self.agents[agent.0 as usize].profile.name.clone(), rule }
    }

    /// Whether a supervisor may give one more to this agent, whatever its limits: what one agent holds is bounded even so.
    fn may_be_forced_on(&self, agent: AgentId) -> bool {
        let held = &self.agents[agent.0 as usize];
        self.is_here(agent).is_ok() && ((held.offers.len() + held.conversations.len()) as u32) < HELD_MAX
    }

    /// Before it goes to other hands: what is offered or asked about it ends, and who has joined is gone.
    pub(super) fn stand_down(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        self.withdraw_decision(id, events);
        for pending in self.conversations[&id].offers.clone() {
            self.end_offer(pending.offer, OfferEnd::Withdrawn, None, events);
        }
        let held = &self.conversations[&id];
        if let Some(agent) = held.joined() {
            let public = held.public + 1;
            self.emit(events, Event::ConversationLeft { conversation: id, agent, public });
        }
    }

    fn transfer_to_agent(
        &mut self,
        id: ConversationId,
        by: Mover,
        name: &Arc<str>,
        warm: bool,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let from = self.owner_for(id, by)?;
        let to = self.agent_for(name)?;
        let held = &self.conversations[&id];
        if held.is_held_by(to) {
            return Err(Refusal::AlreadyThere { conversation: id, agent: name.clone() });
        }
        self.may_be_given(to, held, false).map_err(|rule| self.unable(to, rule))?;
        self.stand_down(id, events);
        let offer = self.make_offer(id, to, Some(Transfer { from, warm }), events);
        Ok(Answer::TransferOffered { offer })
    }

    fn transfer_to_queue(
        &mut self,
        id: ConversationId,
        by: Mover,
        name: &Arc<str>,
        asked_since: Option<WallTime>,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let held = &self.conversations[&id];
        let waits = matches!(held.state, State::Waiting | State::Offered {});
        if waits && matches!(by, Mover::Supervisor(_) | Mover::Admin) {
            super::admin::ensure(asked_since.is_none(), "waiting_since", || "absent: what waits keeps its age".into())?;
            return self.move_waiting(id, by, name, events);
        }
        let from = self.owner_for(id, by)?;
        let queue = self.queue_with_room(name)?;
        let held = &self.conversations[&id];
        let waiting_since = asked_since.unwrap_or(self.now.wall);
        // As old as it is at most, so that it overtakes nobody by more than its age.
        let its_own = held.opened_at.min(held.waiting_since) <= waiting_since && waiting_since <= self.now.wall;
        super::admin::ensure(its_own, "waiting_since", || "from when it was opened to now".into())?;
        let skills = self.required_in(held, queue);
        let cool_ms = self.settings.cool_downs.rejected_ms;
        let cool_down_until = (cool_ms > 0).then(|| self.now.desk.plus_ms(cool_ms));
        self.stand_down(id, events);
        let public = self.conversations[&id].public + 1;
        let conversation = id;
        let transferred = Event::ConversationTransferred {
            conversation,
            from,
            queue,
            skills,
            waiting_since,
            by,
            cool_down_until,
            public,
        };
        self.emit(events, transferred);
        Ok(Answer::Done)
    }

    fn queue_with_room(&self, name: &Arc<str>) -> Result<QueueId, Refusal> {
        let queue = *self.queue_names.get(name).ok_or_else(|| Refusal::NoSuchQueue(name.clone()))?;
        let queue = self.queue_taking(queue)?;
        self.room_in(queue)?;
        Ok(queue)
    }

    /// What nobody owns goes to another queue as by a rule, at its old age.
    fn move_waiting(
        &mut self,
        id: ConversationId,
        by: Mover,
        name: &Arc<str>,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        if self.queue_names.get(name) == Some(&self.conversations[&id].queue) {
            return Ok(Answer::Done);
        }
        let queue = self.queue_with_room(name)?;
        self.stand_down(id, events);
        let held = &self.conversations[&id];
        let (skills, moves, public) = (self.required_in(held, queue), held.spell.moves, Some(held.public + 1));
        let by = Some(by);
        self.emit(events, Event::ConversationMoved { conversation: id, queue, skills, moves, public, by });
        Ok(Answer::Done)
    }

    /// What it requires in another queue: its own skills, and those of that queue instead of those of its old one.
    pub(super) fn required_in(&self, held: &Conversation, queue: QueueId) -> Vec<RequiredSkill> {
        let before = &self.queues[&held.queue].settings.skills;
        let own = held.skills.iter().filter(|skill| before.get(&skill.name) != Some(&skill.level));
        let own: BTreeMap<Arc<str>, u8> = own.map(|skill| (skill.name.clone(), skill.level)).collect();
        super::conversations::required(&own, &self.queues[&queue].settings.skills)
    }

    fn cancel_transfer(&mut self, id: ConversationId, by: Mover, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        self.owner_for(id, by)?;
        let held = &self.conversations[&id];
        if held.offers.is_empty() && held.joined().is_none() {
            return Err(Refusal::NobodyJoined(id));
        }
        self.stand_down(id, events);
        Ok(Answer::Done)
    }

    fn hand_over(&mut self, id: ConversationId, by: Mover, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        self.owner_for(id, by)?;
        if self.hand_over_to_joined(id, events) { Ok(Answer::Done) } else { Err(Refusal::NobodyJoined(id)) }
    }

    /// Whether there was somebody who had joined.
    pub(super) fn hand_over_to_joined(&mut self, id: ConversationId, events: &mut Vec<Event>) -> bool {
        let held = &self.conversations[&id];
        let (Some(from), Some(to)) = (held.state.owner(), held.joined()) else { return false };
        let public = held.public + 1;
        self.emit(events, Event::ConversationHandedOver { conversation: id, from, to, public });
        true
    }

    fn leave(&mut self, id: ConversationId, by: Mover, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let held = &self.conversations[&id];
        let joined = by.agent().filter(|agent| held.joined() == Some(*agent));
        let agent = joined.ok_or(Refusal::NotYours(id))?;
        let public = held.public + 1;
        self.emit(events, Event::ConversationLeft { conversation: id, agent, public });
        Ok(Answer::Done)
    }

    fn pick(&mut self, id: ConversationId, by: Mover, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let to = by.agent().ok_or(Refusal::NotYours(id))?;
        let held = &self.conversations[&id];
        let queue = &self.queues[&held.queue].settings;
        if !queue.moves.pick {
            return Err(Refusal::PickNotAllowed(queue.name.clone()));
        }
        if held.state != State::Waiting {
            return Err(wrong_state(id, held));
        }
        match self.fits(to, held) {
            // That it said no before is its own to take back.
            Ok(()) | Err(WhyNot::CoolingDown) => {}
            Err(rule) => return Err(self.unable(to, rule)),
        }
        self.stand_down(id, events);
        self.take(id, to, Taken::Picked, by, false, events);
        Ok(Answer::Taken { conversation: id })
    }

    fn assign(
        &mut self,
        id: ConversationId,
        by: Mover,
        to: Option<&Arc<str>>,
        expected_owner: Option<&Arc<str>>,
        force: bool,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let own = match by {
            Mover::Agent(_) => return Err(Refusal::NotYours(id)),
            Mover::Supervisor(agent) => Some(agent),
            Mover::Admin => None,
        };
        let to = match to {
            Some(name) => self.agent_for(name)?,
            None => own.ok_or_else(|| Refusal::NoSuchAgent("".into()))?,
        };
        let held = &self.conversations[&id];
        let owner = match held.state {
            State::Waiting | State::Offered {} => None,
            State::Active { owner } => Some(owner),
            State::WrapUp { .. } | State::Closed => return Err(wrong_state(id, held)),
        };
        let owner_name = owner.map(|owner| self.agents[owner.0 as usize].profile.name.clone());
        if owner_name.as_ref() != expected_owner {
            return Err(Refusal::OwnerChanged { conversation: id, owner: owner_name });
        }
        if owner == Some(to) {
            let agent = self.agents[to.0 as usize].profile.name.clone();
            return Err(Refusal::AlreadyThere { conversation: id, agent });
        }
        let forced = match self.may_be_given(to, held, own == Some(to)) {
            Ok(()) => false,
            Err(_) if force && self.may_be_forced_on(to) => true,
            Err(rule) => return Err(self.unable(to, rule)),
        };
        self.stand_down(id, events);
        let how = if own == Some(to) { Taken::Claimed } else { Taken::Reassigned };
        self.take(id, to, how, by, forced, events);
        Ok(Answer::Taken { conversation: id })
    }

    /// Nothing of it may be pending any more.
    pub(super) fn take(
        &mut self,
        id: ConversationId,
        to: AgentId,
        how: Taken,
        by: Mover,
        forced: bool,
        events: &mut Vec<Event>,
    ) {
        let held = &self.conversations[&id];
        let (from, public) = (held.state.owner(), held.public + 1);
        self.emit(events, Event::ConversationTaken { conversation: id, from, to, how, by, forced, public });
    }
}
