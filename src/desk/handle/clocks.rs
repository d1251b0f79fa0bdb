//! Clocks of service that begin and end with what happens to their conversations: each event that is decided is looked at once.

use crate::desk::Desk;
use crate::desk::clocks::{Clock, ClockEnd};
use crate::desk::command::{Author, Closer};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId};
use crate::desk::moves::Taken;
use crate::desk::time::WallTime;

impl Desk {
    /// Before an event by which a conversation may be gone from the desk: its clocks end with it.
    pub(in crate::desk) fn clocks_before(&mut self, event: &Event, events: &mut Vec<Event>) {
        let Event::ConversationEnded { conversation, by, owner, .. } = event else { return };
        if self.conversations[conversation].clocks().is_empty() {
            return;
        }
        // Whoever works here has resolved it; a customer or a rule has only ended it.
        let resolved = owner.is_some() && matches!(by, Closer::Agent(_) | Closer::Supervisor(_) | Closer::Admin);
        if resolved {
            self.end_clock(*conversation, Clock::Resolution, ClockEnd::Achieved, events);
        }
        Clock::ALL.into_iter().for_each(|clock| self.end_clock(*conversation, clock, ClockEnd::Voided, events));
    }

    /// After an event: the clocks that it sets, and those that it ends.
    pub(in crate::desk) fn clocks_after(&mut self, events: &mut Vec<Event>) {
        let now = self.now.wall;
        match events.last() {
            Some(Event::ConversationOpened { conversation, .. }) => {
                let id = *conversation;
                let since = self.conversations[&id].waiting_since;
                self.set_clock(id, Clock::Accept, since, events);
                self.set_clock(id, Clock::FirstReply, now, events);
                self.set_clock(id, Clock::Resolution, now, events);
            }
            Some(Event::ConversationReopened { conversation, owner, .. }) => {
                let (id, waits) = (*conversation, owner.is_none());
                if waits {
                    let since = self.conversations[&id].waiting_since;
                    self.set_clock(id, Clock::Accept, since, events);
                }
                self.set_clock(id, Clock::Resolution, now, events);
            }
            Some(Event::MessagePosted { conversation, author, .. }) => {
                let (id, author) = (*conversation, *author);
                self.clocks_hear(id, author, events);
            }
            Some(Event::OfferEnded { conversation, agent, end: OfferEnd::Accepted, transfer, .. }) => {
                let (id, to, from) = (*conversation, *agent, transfer.map(|transfer| transfer.from));
                if !transfer.is_some_and(|transfer| transfer.warm) {
                    self.clocks_change_hands(id, from, to, events);
                }
            }
            Some(Event::ConversationTaken { conversation, from, to, how, .. }) => {
                let (id, from, to, how) = (*conversation, *from, *to, *how);
                if how == Taken::Started {
                    self.set_clock(id, Clock::Resolution, now, events);
                } else {
                    self.clocks_change_hands(id, from, to, events);
                }
            }
            Some(Event::ConversationHandedOver { conversation, from, to, .. }) => {
                let (id, from, to) = (*conversation, *from, *to);
                self.clocks_change_hands(id, Some(from), to, events);
            }
            Some(Event::ConversationRequeued { conversation, from, .. }) => {
                let (id, from) = (*conversation, *from);
                self.set_clock(id, Clock::Accept, now, events);
                self.await_people_again(id, from, events);
            }
            Some(Event::ConversationTransferred { conversation, from, .. }) => {
                let (id, from) = (*conversation, *from);
                self.clocks_change_queue(id, events);
                let since = self.conversations[&id].waiting_since;
                self.set_clock(id, Clock::Accept, since, events);
                self.await_people_again(id, from, events);
            }
            Some(Event::ConversationMoved { conversation, .. }) => {
                let id = *conversation;
                self.clocks_change_queue(id, events);
                let since = self.conversations[&id].waiting_since;
                self.set_clock(id, Clock::Accept, since, events);
            }
            _ => {}
        }
    }

    /// Some of its clocks have come to their time.
    pub(super) fn breach_is_due(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let due = self.conversations[&id].clocks().to_vec();
        let now = self.now.wall;
        for running in due.iter().filter(|running| !running.breached && running.due <= now) {
            let (clock, queue) = (running.clock, running.queue);
            self.emit(events, Event::ClockBreached { conversation: id, clock, queue });
        }
    }

    fn clocks_hear(&mut self, id: ConversationId, author: Author, events: &mut Vec<Event>) {
        match author {
            Author::Agent(agent) if !self.is_program(agent) => {
                self.end_clock(id, Clock::FirstReply, ClockEnd::Achieved, events);
                self.end_clock(id, Clock::NextReply, ClockEnd::Achieved, events);
            }
            Author::Customer(_) => {
                let held = &self.conversations[&id];
                let of_program = held.state.owner().is_some_and(|owner| self.is_program(owner));
                if !of_program && held.clock(Clock::FirstReply).is_none() {
                    self.set_clock(id, Clock::NextReply, self.now.wall, events);
                }
            }
            Author::Agent(_) | Author::System(_) => {}
        }
    }

    /// It is `to`'s now.
    fn clocks_change_hands(&mut self, id: ConversationId, from: Option<AgentId>, to: AgentId, events: &mut Vec<Event>) {
        if self.is_program(to) {
            Clock::OF_PEOPLE.into_iter().for_each(|clock| self.end_clock(id, clock, ClockEnd::Voided, events));
            return;
        }
        self.end_clock(id, Clock::Accept, ClockEnd::Achieved, events);
        if let Some(from) = from {
            self.await_people_again(id, from, events);
        }
    }

    /// A program has given it to people: who has not heard from one yet waits for that from now on.
    fn await_people_again(&mut self, id: ConversationId, from: AgentId, events: &mut Vec<Event>) {
        let answered = self.conversations[&id].talk().is_some_and(|talk| talk.answered);
        if !answered && self.is_program(from) {
            self.set_clock(id, Clock::FirstReply, self.now.wall, events);
        }
    }

    /// It is in another queue: clocks that run go on by what that one sets, or are void.
    fn clocks_change_queue(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let held = &self.conversations[&id];
        let queue = held.queue;
        for running in held.clocks().iter().filter(|running| running.queue != queue).copied().collect::<Vec<_>>() {
            match self.queues[&queue].settings.service.ms(running.clock) {
                Some(ms) => {
                    let due = WallTime(running.since.0.saturating_add(ms));
                    let (clock, since) = (running.clock, running.since);
                    self.breach_what_is_over(id, clock, events);
                    self.emit(events, Event::ClockSet { conversation: id, clock, queue, since, due });
                }
                None => self.end_clock(id, running.clock, ClockEnd::Voided, events),
            }
        }
    }

    /// The clock begins, if its queue has it and it does not run.
    fn set_clock(&mut self, id: ConversationId, clock: Clock, since: WallTime, events: &mut Vec<Event>) {
        let held = &self.conversations[&id];
        let queue = held.queue;
        let Some(ms) = self.queues[&queue].settings.service.ms(clock) else { return };
        if held.clock(clock).is_some() {
            return;
        }
        let due = WallTime(since.0.saturating_add(ms));
        self.emit(events, Event::ClockSet { conversation: id, clock, queue, since, due });
    }

    /// The clock ends, if it runs. Where its time had come and nobody has said so yet, that is said first.
    fn end_clock(&mut self, id: ConversationId, clock: Clock, end: ClockEnd, events: &mut Vec<Event>) {
        self.breach_what_is_over(id, clock, events);
        let Some(running) = self.conversations[&id].clock(clock) else { return };
        let (queue, late) = (running.queue, running.breached);
        let took_ms = self.now.wall.0.saturating_sub(running.since.0);
        self.emit(events, Event::ClockEnded { conversation: id, clock, queue, end, late, took_ms });
    }

    fn breach_what_is_over(&mut self, id: ConversationId, clock: Clock, events: &mut Vec<Event>) {
        let running = self.conversations[&id].clock(clock).filter(|running| !running.breached);
        if let Some(running) = running.filter(|running| running.due <= self.now.wall) {
            self.emit(events, Event::ClockBreached { conversation: id, clock, queue: running.queue });
        }
    }

    fn is_program(&self, agent: AgentId) -> bool {
        self.agents[agent.0 as usize].profile.program
    }
}
