//! What customers' streams are told of a committed turn: the events that a customer may see, and how its conversation stands.

use super::deliver::Delivery;
use super::outlook::{Outlook, opens_at};
use super::published::queue_title;
use super::shapes::{files_of, text_of};
use crate::desk::command::Author;
use crate::desk::conversation::State;
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::presence::PublicFrame;
use crate::wire::messenger::{MessageShape, StreamEvent, TitleShape};
use crate::wire::shown::{author_shown, closer_shown, notice_shown, state_shown};
use tokio_tungstenite::tungstenite::Utf8Bytes;

impl Delivery<'_> {
    pub(super) fn to_customer(&self, event: &Event, id: ConversationId, at: u64) -> Option<PublicFrame> {
        let (public, event, data) = match event {
            Event::ConversationOpened { public, .. } => named(Some(*public), &StreamEvent::Opened { at }),
            Event::MessagePosted { number, author, text, public, files, .. } => {
                let text = text_of(*author, text, self.keys);
                let title = match author {
                    Author::Agent(agent) => Some(self.title(*agent)),
                    Author::Customer(_) | Author::System(_) => None,
                };
                let message = MessageShape {
                    number: *number,
                    author: author_shown(*author),
                    notice: notice_shown(*author),
                    agent: title.as_deref().map(|title| TitleShape { title }),
                    text: &text,
                    at,
                    files: &files_of(files, self.keys),
                };
                named(Some(*public), &StreamEvent::Message(message))
            }
            Event::OfferEnded { public, agent, .. } => {
                let title = self.title(*agent);
                named(*public, &StreamEvent::Joined { agent: TitleShape { title: &title }, at })
            }
            Event::ConversationRequeued { public, .. } => named(Some(*public), &StreamEvent::Requeued { at }),
            Event::ConversationEnded { public, by, .. } => {
                named(Some(*public), &StreamEvent::Ended { by: closer_shown(*by), at })
            }
            Event::ConversationReopened { public, .. } => named(Some(*public), &StreamEvent::Reopened { at }),
            Event::ConversationTransferred { public, .. } => named(Some(*public), &StreamEvent::Requeued { at }),
            Event::ConversationTaken { public, to, .. } => {
                let title = self.title(*to);
                named(Some(*public), &StreamEvent::Joined { agent: TitleShape { title: &title }, at })
            }
            Event::ConversationHandedOver { public, from: agent, .. }
            | Event::ConversationLeft { public, agent, .. } => {
                let title = self.title(*agent);
                named(Some(*public), &StreamEvent::Left { agent: TitleShape { title: &title }, at })
            }
            Event::ConversationMoved { public, queue, .. } => {
                let queue = self.desk.queue(*queue).map(|held| queue_title(&held.settings)).unwrap_or_default();
                named(*public, &StreamEvent::Moved { queue: &queue, at })
            }
            Event::MessagesRead { number, .. } => named(None, &StreamEvent::Read { number: *number }),
            Event::ConversationRated { score, .. } => named(None, &StreamEvent::Rated { score: *score, at }),
            _ => return None,
        };
        debug_assert!(
            public.is_none() || self.desk.conversation(id).is_none_or(|held| held.public >= public.unwrap_or(0))
        );
        Some(PublicFrame { public, event, data })
    }

    /// How the conversation stands for its customer now; with what it waits for where it waits.
    pub fn publish_state(&self, id: ConversationId, outlook: Option<Outlook>) {
        self.registry.publish(self.number, id, || {
            let held = self.desk.conversation(id);
            let owner = held.and_then(|held| held.state.owner());
            let waits = held.filter(|held| matches!(held.state, State::Waiting | State::Offered {}));
            let opens_at = waits.and_then(|held| opens_at(self.desk, held.queue));
            let title = owner.map(|owner| self.title(owner));
            let (_, event, data) = named(
                None,
                &StreamEvent::State {
                    state: state_shown(held.map_or(State::Closed, |held| held.state)),
                    place: outlook.map(|outlook| outlook.place),
                    opens_at: opens_at.map(|at| at.0),
                    estimate: outlook.and_then(|outlook| outlook.estimate),
                    agent: title.as_deref().map(|title| TitleShape { title }),
                    agent_connection: owner.and_then(|owner| self.desk.agent(owner)).map(|held| held.connection.name()),
                },
            );
            Some(PublicFrame { public: None, event, data })
        });
    }
}

pub(super) fn named(public: Option<u32>, event: &StreamEvent<'_>) -> (Option<u32>, &'static str, Utf8Bytes) {
    (public, event.name(), event.data())
}
