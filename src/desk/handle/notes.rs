//! Internal notes: by those who talk in a conversation, or wrap it up, by supervisors and administrators; never for its customer.

use super::conversations::wrong_state;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::conversation::State;
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::moves::Mover;
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use std::sync::Arc;

impl Desk {
    pub(super) fn note_down(
        &mut self,
        id: ConversationId,
        by: Mover,
        text: &Arc<str>,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let held = self.conversations.get(&id).ok_or_else(|| self.not_here(id, loaded))?;
        let author = match by {
            Mover::Agent(agent) if !held.is_talked_in_by(agent) => return Err(Refusal::NotYours(id)),
            by => by.agent(),
        };
        if held.state == State::Closed {
            return Err(wrong_state(id, held));
        }
        let (note, after) = (held.notes() + 1, held.last_number);
        self.emit(events, Event::NotePosted { conversation: id, note, author, text: text.clone(), after });
        Ok(Answer::Noted { conversation: id, note, at: self.now.wall })
    }
}
