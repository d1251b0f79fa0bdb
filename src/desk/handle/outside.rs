//! What comes from a service that carries messages: a customer's next one, and what became of ours.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::Author;
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::files::Attachments;
use crate::desk::ids::ConversationId;
use crate::desk::needs::Loaded;
use crate::desk::outside::{DeliveryAsk, DeliveryState, ReceiveAsk};
use crate::desk::refusal::Refusal;

impl Desk {
    /// In the conversation of its thread, in one that may still be reopened, or in a new one. Decided here and in one step, so that of two
    /// messages that come at once the second goes on where the first began.
    pub(super) fn receive(
        &mut self,
        ask: &ReceiveAsk,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        if let Some((id, held)) = self.goes_on_in(ask, loaded) {
            if held.key != ask.open.key {
                return Err(Refusal::AnotherKey(held.key));
            }
            let author = Author::Customer(ask.open.customer);
            match self.post(id, author, &ask.text, &Attachments::default(), loaded, events) {
                Ok(Answer::Posted { conversation, number, at }) => {
                    return Ok(Answer::Received { conversation, number, at, started: false });
                }
                // What cannot be gone on with is begun anew, by the rules of what begins.
                _ => debug_assert!(events.is_empty(), "a refused message changes nothing"),
            }
        }
        match self.open(&ask.open, events)? {
            Answer::Opened { conversation, at, .. } => {
                Ok(Answer::Received { conversation, number: 1, at, started: true })
            }
            _ => unreachable!("what is opened is answered so"),
        }
    }

    fn goes_on_in<'a>(&'a self, ask: &ReceiveAsk, loaded: &'a Loaded) -> Option<(ConversationId, &'a Conversation)> {
        if let Some(id) = self.threads.newest(ask.thread) {
            return Some((id, self.conversation(id)?));
        }
        let id = ask.found?;
        let closed = self.closed(id, loaded)?;
        let may = closed.ended_at.0.saturating_add(self.settings.reopen_ms) >= self.now.wall.0;
        may.then_some((id, closed))
    }

    /// Also of what is closed: the last word of a talk arrives after its end.
    pub(super) fn report_delivery(
        &mut self,
        ask: &DeliveryAsk,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let (id, number, state) = (ask.conversation, ask.number, ask.state);
        let here = self.conversation(id);
        let held = here.or_else(|| self.closed(id, loaded)).ok_or(Refusal::NoSuchConversation(id))?;
        let channel = &self.settings.channels[usize::from(held.channel.0)].name;
        if *channel != ask.channel {
            return Err(Refusal::NoSuchConversation(id));
        }
        if !held.goes_forward(id, number, state)? {
            return Ok(Answer::Done);
        }
        let (customer, seen_now) = (held.customer, number > held.read_by_customer && held.state != State::Closed);
        let was = here.is_none().then(|| Box::new(held.clone()));
        let reason = ask.reason.clone();
        self.emit(events, Event::DeliveryReported { conversation: id, number, state, reason, was });
        if state == DeliveryState::Read && seen_now {
            self.emit(events, Event::MessagesRead { conversation: id, reader: Author::Customer(customer), number });
        }
        Ok(Answer::Done)
    }
}
