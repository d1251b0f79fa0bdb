//! What a customer says of itself, said anew.

use super::conversations::wrong_state;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::conversation::State;
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use std::sync::Arc;

impl Desk {
    /// By its own customer, until it is closed.
    pub(super) fn describe(
        &mut self,
        id: ConversationId,
        customer: CustomerId,
        about: &Arc<str>,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let here = self.conversation(id);
        let held = here.or_else(|| self.closed(id, loaded)).ok_or(Refusal::NoSuchConversation(id))?;
        if held.customer != customer {
            return Err(Refusal::NoSuchConversation(id));
        }
        if held.state == State::Closed {
            return Err(wrong_state(id, held));
        }
        if held.about.as_ref() != Some(about) {
            self.emit(events, Event::ConversationDescribed { conversation: id, about: about.clone() });
        }
        Ok(Answer::Done)
    }
}
