//! Labels: set by whoever owns a conversation or wraps it up, and by supervisors; and what an owner may not finish without.

use super::conversations::{owned_by, wrong_state};
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Closer, Worker};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::labels::{LabelAsk, Labels, ThenEnd};
use crate::desk::moves::Mover;
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;

impl Desk {
    /// What does not hold is refused before anything is said, the end that is asked for with it too.
    pub(super) fn label(
        &mut self,
        ask: &LabelAsk,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let (id, by) = (ask.conversation, ask.by);
        let held = self.conversations.get(&id).ok_or_else(|| self.not_here(id, loaded))?;
        if let Mover::Agent(agent) = by {
            owned_by(id, held, agent)?;
        }
        let may = match (held.state, ask.then) {
            (State::Active { .. }, ThenEnd::Nothing | ThenEnd::Talk) => true,
            (State::WrapUp { .. }, ThenEnd::Nothing | ThenEnd::WrapUp) => true,
            (State::Active { .. } | State::WrapUp { .. }, _) => false,
            (State::Waiting | State::Offered {} | State::Closed, _) => false,
        };
        if !may {
            return Err(wrong_state(id, held));
        }
        let of_queue = &self.queues[&held.queue].settings.labels;
        let labels = self.settings.labels.labelled(of_queue, held.labels.as_deref(), &ask.change)?;
        let finishes = match ask.then {
            ThenEnd::Nothing => false,
            ThenEnd::Talk => self.wrap_up_after(held).is_none(),
            ThenEnd::WrapUp => true,
        };
        if finishes && by.agent() == held.state.owner() {
            self.is_labelled(id, held, Some(&labels))?;
        }
        if held.labels.as_deref().unwrap_or(&Labels::default()) != &labels {
            self.emit(events, Event::ConversationLabelled { conversation: id, by, labels: Box::new(labels) });
        }
        match ask.then {
            ThenEnd::Nothing => Ok(Answer::Done),
            ThenEnd::Talk => self.close(id, closer(by), loaded, events),
            ThenEnd::WrapUp => self.wrap_up_done(id, worker(by), loaded, events),
        }
    }

    /// Whether its owner may finish it with these labels.
    pub(super) fn is_labelled(
        &self,
        id: ConversationId,
        held: &Conversation,
        labels: Option<&Labels>,
    ) -> Result<(), Refusal> {
        let of_queue = &self.queues[&held.queue].settings.labels;
        let missing = self.settings.labels.missing(of_queue, labels);
        missing.map_or(Ok(()), |field| Err(Refusal::LabelMissing { conversation: id, field }))
    }

    /// An owner who closes without wrap-up will not come by again; nobody else is asked for labels.
    pub(super) fn may_close_unlabelled(
        &self,
        id: ConversationId,
        held: &Conversation,
        by: Closer,
    ) -> Result<(), Refusal> {
        let by = match by {
            Closer::Agent(agent) | Closer::Supervisor(agent) => agent,
            Closer::Customer(_) | Closer::Admin | Closer::System => return Ok(()),
        };
        let finishes = held.state.owner() == Some(by) && self.wrap_up_after(held).is_none();
        if finishes { self.is_labelled(id, held, held.labels.as_deref()) } else { Ok(()) }
    }
}

fn closer(by: Mover) -> Closer {
    match by {
        Mover::Agent(agent) => Closer::Agent(agent),
        Mover::Supervisor(agent) => Closer::Supervisor(agent),
        Mover::Admin => Closer::Admin,
    }
}

fn worker(by: Mover) -> Worker {
    match by {
        Mover::Agent(agent) => Worker::Owner(agent),
        Mover::Supervisor(agent) => Worker::Supervisor(agent),
        Mover::Admin => Worker::Admin,
    }
}
