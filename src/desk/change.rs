//! The three ways an entity is changed, each of which keeps everything derived from it in step: indexes, counts,
//! loads and deadlines. Nothing else in the desk writes to them.

use super::Desk;
use super::agent::{Agent, Connection};
use super::conversation::{Conversation, Pending, Spell, State};
use super::deadlines::{ByWall, Deadline, Deadlines};
use super::estimating::Stood;
use super::ids::{AgentId, ConversationId, OfferId};
use super::load::{Load, WHOLE};
use super::offer::Offer;
use super::settings::{QueueSettings, Settings};
use super::time::DeskTime;
use super::wrapping::OPEN_ENDED;
use std::sync::Arc;

/// `requeue_at` of a conversation that goes back only at its customer's next message.
pub(super) const AT_NEXT_MESSAGE: DeskTime = DeskTime(u64::MAX);

impl Desk {
    pub(super) fn change_agent(&mut self, id: AgentId, change: impl FnOnce(&mut Agent)) {
        let agent = &mut self.agents[id.0 as usize];
        let before = grace_of(agent);
        change(agent);
        let now = grace_of(agent);
        if before != now {
            before.inspect(|at| self.deadlines.clear(*at, Deadline::AgentGrace(id)));
            now.inspect(|at| self.deadlines.set(*at, Deadline::AgentGrace(id)));
        }
        if agent.next_status.is_some() && agent.has_nothing_to_do() {
            self.finished.insert(id);
        }
        self.able.mark(id);
        if self.preferring.is_for(id) {
            self.preferred_changed.insert(id);
        }
        self.touched.agents.insert(id);
    }

    /// The agent has something new to look at (queues, skills, limits or channels changed).
    pub(super) fn look_again(&mut self, id: AgentId) {
        self.unpaired_agents.insert(id);
    }

    pub(super) fn add_conversation(&mut self, id: ConversationId, conversation: Conversation) {
        self.threads.add(id, &conversation);
        self.conversations.insert(id, Box::new(conversation));
        self.attach(id);
        self.wait_began(id);
    }

    pub(super) fn change_conversation(&mut self, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
        self.detach(id);
        let conversation = self.conversations.get_mut(&id).expect("events name conversations that are here");
        let (before, was_paused) = (conversation.state, conversation.paused().is_some());
        let (waited, stood) = (is_waiting(before), Stood::of(conversation));
        let queue = conversation.queue;
        change(conversation);
        conversation.settle_silence(before, self.now.desk);
        let woke = was_paused && conversation.paused().is_none();
        if conversation.queue != queue {
            // Who decided there has no say here.
            conversation.routed = None;
        }
        if !waited && is_waiting(conversation.state) {
            let offers_before = conversation.offers_made;
            conversation.spell = Spell { from: self.now.wall, offers_before, ..Spell::default() };
        }
        self.attach(id);
        if woke {
            let talkers: Vec<AgentId> = self.conversations[&id].talkers().collect();
            talkers.into_iter().for_each(|talker| self.look_at_limits(talker));
        }
        self.waited_on(id, stood);
    }

    /// It is closed: only its last state goes on, to the view.
    pub(super) fn drop_conversation(&mut self, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
        self.detach(id);
        let mut conversation = self.conversations.remove(&id).expect("events name conversations that are here");
        conversation.next_breach().inspect(|at| self.deadlines.clear_by_wall(*at, ByWall::clock(id)));
        self.threads.remove(id, &conversation);
        let before = conversation.state;
        let stood = Stood::of(&conversation);
        change(&mut conversation);
        conversation.settle_silence(before, self.now.desk);
        self.touched.conversations.insert(id, Some(conversation));
        self.wait_ended(stood, true);
    }

    pub(super) fn add_offer(&mut self, id: OfferId, offer: Offer) {
        self.deadlines.set(offer.due().0, Deadline::Offer(id));
        self.offers.insert(id, offer);
        self.touched.offers.insert(id);
    }

    pub(super) fn change_offer(&mut self, id: OfferId, change: impl FnOnce(&mut Offer)) {
        let offer = self.offers.get_mut(&id).expect("events name offers that are pending");
        self.deadlines.clear(offer.due().0, Deadline::Offer(id));
        change(offer);
        self.deadlines.set(offer.due().0, Deadline::Offer(id));
        self.touched.offers.insert(id);
    }

    pub(super) fn drop_offer(&mut self, id: OfferId) -> Offer {
        let offer = self.offers.remove(&id).expect("an offer ends once");
        self.deadlines.clear(offer.due().0, Deadline::Offer(id));
        self.touched.offers.insert(id);
        offer
    }

    /// Give back everything that stands for this conversation elsewhere.
    fn detach(&mut self, id: ConversationId) {
        let conversation = &self.conversations[&id];
        let (state, channel, takes) = (conversation.state, conversation.channel, conversation.takes());
        let paused = u32::from(conversation.paused().is_some());
        let now = self.now.desk;
        let rules = (&*self.settings, &*self.queues[&conversation.queue].settings);
        deadlines_of(conversation, rules, id, now, |at, what| self.deadlines.clear(at, what));
        if state == State::Waiting {
            self.stop_waiting(id);
        }
        if let Some(pending) = self.conversations[&id].pending_decision() {
            self.deciding.remove(pending, channel);
        }
        let conversation = &self.conversations[&id];
        let queue = self.queues.get_mut(&conversation.queue).expect("a conversation's queue is here");
        if let Some(count) = count_of(queue, state) {
            *count -= 1;
        }
        queue.paused -= paused;
        let (talkers, offers) = ([state.owner(), conversation.joined()], conversation.offers.clone());
        for Pending { offer, agent } in offers {
            self.change_agent(agent, |agent| {
                agent.load.give_back(channel, WHOLE);
                agent.offers.retain(|held| *held != offer);
            });
        }
        for talker in talkers.into_iter().flatten() {
            self.change_agent(talker, |agent| {
                if state.owner() == Some(talker) {
                    agent.drop_owned(state, channel, takes);
                } else {
                    agent.load.give_back(channel, takes);
                }
                agent.paused -= paused;
                agent.conversations.retain(|held| *held != id);
            });
        }
    }

    fn attach(&mut self, id: ConversationId) {
        let conversation = &self.conversations[&id];
        let (state, channel, takes) = (conversation.state, conversation.channel, conversation.takes());
        let paused = u32::from(conversation.paused().is_some());
        let now = self.now.desk;
        let rules = (&*self.settings, &*self.queues[&conversation.queue].settings);
        deadlines_of(conversation, rules, id, now, |at, what| self.deadlines.set(at, what));
        if let Some(pending) = conversation.pending_decision() {
            self.deciding.add(pending, id, channel);
        }
        if state == State::Waiting {
            self.start_waiting(id);
        }
        let conversation = &self.conversations[&id];
        let queue = self.queues.get_mut(&conversation.queue).expect("a conversation's queue is here");
        if let Some(count) = count_of(queue, state) {
            *count += 1;
        }
        queue.paused += paused;
        let (talkers, offers) = ([state.owner(), conversation.joined()], conversation.offers.clone());
        for Pending { offer, agent } in offers {
            self.change_agent(agent, |agent| {
                agent.load.take(channel, WHOLE);
                let place = agent.offers.partition_point(|held| *held < offer);
                agent.offers.insert(place, offer);
            });
        }
        for talker in talkers.into_iter().flatten() {
            self.change_agent(talker, |agent| {
                if state.owner() == Some(talker) {
                    agent.take_owned(state, channel, takes);
                } else {
                    agent.load.take(channel, takes);
                }
                agent.paused += paused;
                let place = agent.conversations.partition_point(|held| *held < id);
                agent.conversations.insert(place, id);
            });
        }
        self.touched.conversations.insert(id, None);
    }

    /// Settings decide who is able: all sets are made anew.
    pub(super) fn change_settings(&mut self, settings: Settings) {
        self.change_pauses(&settings);
        self.settings = Arc::new(settings);
        for agent in (0..self.agents.len() as u32).map(AgentId) {
            self.look_at_limits(agent);
            self.able.mark(agent);
            self.unpaired_agents.insert(agent);
        }
        self.preferred_seen.clear();
        self.preferred_changed.extend(self.preferring.agents());
        self.forget_hours();
        self.touched.settings = true;
    }

    /// Everything derived, made anew from the entities: after a load, and to check the upkeep against.
    pub(super) fn derive(&mut self) {
        self.deadlines = Deadlines::default();
        self.waiting = super::waiting::Waiting::default();
        self.skills = super::skills::Skills::default();
        self.able = super::able::Able::default();
        self.preferring = super::preferring::Preferring::default();
        self.programs = super::programs::Programs::default();
        self.deciding = super::deciding::Deciding::default();
        self.threads = super::outside::Threads::default();
        self.preferred_seen.clear();
        self.look_who_skips_busy();
        for (id, queue) in self.queues.iter() {
            self.able.put_queue(id, queue.settings.offering.agents_by);
        }
        self.active_agents = self.agents.iter().map(|agent| u32::from(agent.profile.active)).sum();
        for (place, agent) in self.agents.iter().enumerate() {
            let id = AgentId(place as u32);
            self.skills.put_agent(id, &agent.profile.skills);
            self.able.mark_moved(id);
        }
        for queue in self.queues.values_mut() {
            *queue = super::Queue::new(queue.settings.clone());
        }
        for agent in &mut self.agents {
            (agent.load, agent.paused, agent.blocked) = (Load::default(), 0, 0);
        }
        for (id, conversation) in self.conversations.iter() {
            let rules = (&*self.settings, &*self.queues[&conversation.queue].settings);
            let now = self.now.desk;
            self.threads.add(id, conversation);
            deadlines_of(conversation, rules, id, now, |at, what| self.deadlines.set(at, what));
            conversation.next_breach().inspect(|at| self.deadlines.set_by_wall(*at, ByWall::clock(id)));
            let paused = u32::from(conversation.paused().is_some());
            if let Some(queue) = self.queues.get_mut(&conversation.queue) {
                queue.paused += paused;
                count_of(queue, conversation.state).into_iter().for_each(|count| *count += 1);
            }
            let (state, channel, takes) = (conversation.state, conversation.channel, conversation.takes());
            for pending in &conversation.offers {
                self.agents[pending.agent.0 as usize].load.take(channel, WHOLE);
            }
            if let Some(joined) = conversation.joined() {
                self.agents[joined.0 as usize].load.take(channel, takes);
            }
            for talker in conversation.talkers() {
                self.agents[talker.0 as usize].paused += paused;
            }
            if let Some(pending) = conversation.pending_decision() {
                self.deciding.add(pending, id, channel);
            }
            if let Some(owner) = state.owner() {
                self.agents[owner.0 as usize].take_owned(state, channel, takes);
            }
        }
        for (id, offer) in &self.offers {
            self.deadlines.set(offer.due().0, Deadline::Offer(*id));
        }
        for (place, agent) in self.agents.iter().enumerate() {
            grace_of(agent).inspect(|at| self.deadlines.set(*at, Deadline::AgentGrace(AgentId(place as u32))));
        }
        let waiting = self.conversations.iter().filter(|(_, held)| held.state == State::Waiting).map(|(id, _)| id);
        for id in waiting.collect::<Vec<_>>() {
            self.start_waiting(id);
        }
        self.settle();
    }

    /// Time goes on: agents whose cool-down is over may be offered those conversations again.
    pub(super) fn advance(&mut self, now: super::time::Now) {
        debug_assert!(now.desk >= self.now.desk, "desk time never goes back");
        self.now.wall = self.now.wall.max(now.wall);
        let mut preferring = Vec::new();
        // One step for each cool-down that ends, so that the next one of the same conversation is not skipped.
        while let Some((at, id)) = self.deadlines.cool_down_by(now.desk) {
            self.deadlines.clear(at, Deadline::CoolDown(id));
            let conversation = &self.conversations[&id];
            conversation.next_wake(at).inspect(|until| self.deadlines.set(*until, Deadline::CoolDown(id)));
            if conversation.state == State::Waiting {
                if conversation.wished_agent().is_some() || self.is_programs_first(conversation) {
                    preferring.push(id);
                } else {
                    self.unpaired_conversations.insert(self.key_of(id));
                }
            }
        }
        self.now.desk = self.now.desk.max(now.desk);
        for id in preferring {
            self.stop_waiting(id);
            self.start_waiting(id);
        }
    }
}

/// Also while it is offered: should that fail, it is the same wait.
fn is_waiting(state: State) -> bool {
    matches!(state, State::Waiting | State::Offered {})
}

fn grace_of(agent: &Agent) -> Option<DeskTime> {
    match agent.connection {
        Connection::Reconnecting { until } => Some(until),
        Connection::Offline | Connection::Online | Connection::Unreachable => None,
    }
}

fn count_of(queue: &mut super::Queue, state: State) -> Option<&mut u32> {
    match state {
        State::Waiting => Some(&mut queue.waiting),
        State::Offered { .. } => Some(&mut queue.offered),
        State::Active { .. } => Some(&mut queue.active),
        State::WrapUp { .. } => Some(&mut queue.wrap_up),
        State::Closed => None,
    }
}

/// The deadlines that a conversation has at `now`.
fn deadlines_of(
    conversation: &Conversation,
    (settings, queue): (&Settings, &QueueSettings),
    id: ConversationId,
    now: DeskTime,
    mut each: impl FnMut(DeskTime, Deadline),
) {
    match conversation.state {
        State::WrapUp { until, .. } => {
            let until = conversation.requeue_at.get().unwrap_or(until).min(until);
            if until != OPEN_ENDED {
                each(until, Deadline::WrapUp(id));
            }
        }
        State::Waiting | State::Offered { .. } => {
            conversation.next_wake(now).inspect(|until| each(*until, Deadline::CoolDown(id)));
            conversation.pending_decision().inspect(|pending| each(pending.until, Deadline::Decision(id)));
        }
        State::Active { .. } => {
            if let Some(at) = conversation.requeue_at.get().filter(|at| *at != AT_NEXT_MESSAGE) {
                each(at, Deadline::Requeue(id));
            }
            conversation.pause_at(settings).inspect(|at| each(*at, Deadline::Pause(id)));
            conversation.silence_rule_at(queue).inspect(|at| each(*at, Deadline::Silence(id)));
        }
        State::Closed => {}
    }
}
