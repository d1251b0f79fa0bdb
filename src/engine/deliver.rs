//! Delivery of a committed turn: deltas to agents and customers, then welcomes, then replies, then closes.
//!
//! Nothing here decides; a frame speaks of the state at the end of the turn, and what is no longer so by then is
//! left to the event that ended it.

use super::clustered::Clustered;
use super::intake::ReplyTo;
use super::published::title_of;
use super::route::{Route, To};
use super::shapes::{Seen, auto_accept_left_ms, channel_names, files_of, offer_shape, text_of, wrap_up_shape};
use super::turn::Decided;
use crate::desk::Desk;
use crate::desk::command::{Author, Closer};
use crate::desk::event::{Event, OfferEnd, OfflineCause};
use crate::desk::ids::{AgentId, ConversationId};
use crate::desk::moves::Mover;
use crate::desk::settings::StatusId;
use crate::journal::Position;
use crate::presence::{Registry, Session, WorkspaceNumber};
use crate::seal::KeyRing;
use crate::wire::agent::{AuthorShape, Cause, DeliveryShape, ServerFrame, render};
use crate::wire::close::CloseCode;
use crate::wire::shown::closer_shown;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What an agent's client must know of the server's limits.
#[derive(Debug, Clone, Copy)]
pub struct FrameLimits {
    pub text_bytes_max: usize,
    pub frame_bytes_max: usize,
}

/// Everything that delivery needs besides the turn.
pub struct Delivery<'a> {
    pub desk: &'a Desk,
    pub position: Position,
    pub number: WorkspaceNumber,
    pub name: &'a str,
    pub keys: &'a KeyRing,
    pub registry: &'a Registry,
    pub limits: FrameLimits,
    pub others: Others<'a>,
}

/// Who tells those who are connected to other nodes what is in no record.
pub enum Others<'a> {
    /// There are none.
    None,
    /// This node does, which leads.
    Told(&'a Clustered),
    /// Whoever leads, and this node's too.
    Tell,
}

impl Delivery<'_> {
    /// Tell everybody what a committed turn brought. Gives back sessions that were let in and are gone already.
    pub fn deliver(&self, decided: Decided<ReplyTo>) -> Vec<Arc<Session>> {
        let mut states = BTreeSet::new();
        for Route { event, to } in &decided.routes {
            let event = &decided.events[*event];
            match to {
                To::Agent(agent) => {
                    if let Some((conversation, cause)) = came_to(*agent, event) {
                        self.tell_owner(*agent, conversation, cause);
                    }
                    self.registry.tell(self.number, *agent, || self.to_agent(*agent, event, decided.now.wall.0));
                }
                To::Customer(id) => {
                    self.registry.publish(self.number, *id, || self.to_customer(event, *id, decided.now.wall.0));
                }
                To::CustomerState(id) => {
                    states.insert(*id);
                }
            }
        }
        for id in states {
            self.publish_state(id, None);
        }
        // Before whoever changed it is answered.
        for event in &decided.events {
            if let Event::AgentPut { agent, profile } = event {
                self.registry.each_of(self.number, *agent, |session| session.be_program(profile.program));
            }
        }
        let mut gone = Vec::new();
        for (reply_to, result) in decided.replies {
            self.reply(reply_to, result, &mut gone);
        }
        for event in &decided.events {
            if let Event::AgentOffline { agent, cause, .. } = event {
                self.close_sessions(*agent, *cause);
            }
        }
        gone
    }

    fn to_agent(&self, to: AgentId, event: &Event, at: u64) -> Option<Utf8Bytes> {
        let position = self.position.0;
        let desk = self.desk;
        let frame = match event {
            Event::StatusChanged { agent, status, cause, channels, by } => {
                return self.status(*agent, *status, *channels, Cause::from(*cause), by.and_then(Mover::agent));
            }
            Event::NextStatusSet { agent: _, status } => {
                let status = status.and_then(|status| desk.settings().statuses.get(usize::from(status.0)));
                ServerFrame::NextStatus { position, status: status.map(|status| &*status.name) }
            }
            Event::AgentUnreachable { agent } | Event::AgentReachable { agent } => {
                let held = desk.agent(*agent)?;
                let reachable = matches!(event, Event::AgentReachable { .. });
                let cause = if reachable { Cause::Reachable } else { Cause::Unreachable };
                return self.status(*agent, held.status, held.channels, cause, None);
            }
            Event::OfferMade { offer, conversation, agent, transfer: Some(transfer), .. } if *agent != to => {
                return self.transfer_made(*offer, *conversation, *agent, transfer.warm);
            }
            Event::OfferMade { offer, conversation, .. } => {
                let held = desk.offer(*offer)?;
                let seen = Seen::new(*conversation, desk.conversation(*conversation)?, self.keys);
                return Some(render(&ServerFrame::Offer { position, offer: offer_shape(*offer, held, &seen, desk) }));
            }
            Event::OfferDelivered { offer, .. } => {
                let auto_accept_left_ms = desk.offer(*offer).and_then(|held| auto_accept_left_ms(held, desk));
                ServerFrame::OfferDelivered { position, offer: *offer, auto_accept_left_ms }
            }
            Event::OfferEnded { offer, conversation, agent, end, reason, transfer: Some(transfer), .. }
                if *agent != to =>
            {
                return self.transfer_ended(*offer, *conversation, *agent, *end, reason.as_deref(), transfer.warm);
            }
            Event::OfferEnded { offer, conversation, end, reason, .. } => {
                let (offer, conversation) = (*offer, *conversation);
                ServerFrame::OfferEnded { position, offer, conversation, end: end.name(), reason: reason.as_deref() }
            }
            Event::MessagePosted { conversation, number, author, text, files, .. } => {
                let text = text_of(*author, text, self.keys);
                let sent = desk.conversation(*conversation).and_then(|held| held.sent(*number));
                return Some(render(&ServerFrame::Message {
                    position,
                    conversation: *conversation,
                    number: *number,
                    author: self.author(*author),
                    text: &text,
                    at,
                    files: &files_of(files, self.keys),
                    delivery: sent.map(DeliveryShape::from),
                }));
            }
            Event::MessagesRead { conversation, reader, number } => {
                let reader = if matches!(reader, Author::Agent(_)) { "agent" } else { "customer" };
                ServerFrame::Read { position, conversation: *conversation, reader, number: *number }
            }
            Event::ConversationEnded { conversation, by, .. } => {
                return self.conversation_ended(*conversation, *by);
            }
            Event::WrapUpExtended { conversation, .. } => {
                let (left_ms, wrap_up) = wrap_up_shape(desk, desk.conversation(*conversation)?)?;
                ServerFrame::WrapUp { position, conversation: *conversation, left_ms, wrap_up }
            }
            Event::WrapUpEnded { conversation, cause, .. } => {
                let (conversation, cause, wrap_up) = (*conversation, Cause::Closed, Some(*cause));
                ServerFrame::ConversationGone { position, conversation, cause, wrap_up, by: None }
            }
            Event::ConversationRequeued { conversation, .. } => ServerFrame::ConversationGone {
                position,
                conversation: *conversation,
                cause: Cause::Requeued,
                wrap_up: None,
                by: None,
            },
            Event::ConversationTransferred { .. }
            | Event::ConversationTaken { .. }
            | Event::ConversationHandedOver { .. }
            | Event::ConversationLeft { .. }
            | Event::NotePosted { .. }
            | Event::ConversationPaused { .. }
            | Event::ConversationWoken { .. }
            | Event::OwnerReminded { .. }
            | Event::ClockSet { .. }
            | Event::ClockBreached { .. }
            | Event::ClockEnded { .. }
            | Event::ConversationLabelled { .. }
            | Event::ConversationDescribed { .. }
            | Event::ConversationRated { .. }
            | Event::DeliveryReported { .. }
            | Event::AgentDraining { .. } => return self.moved(to, event, at),
            _ => return None,
        };
        Some(render(&frame))
    }

    fn status(
        &self,
        agent: AgentId,
        status: StatusId,
        channels: u16,
        cause: Cause,
        by: Option<AgentId>,
    ) -> Option<Utf8Bytes> {
        let settings = self.desk.settings();
        let set = settings.statuses.get(usize::from(status.0))?;
        Some(render(&ServerFrame::Status {
            position: self.position.0,
            status: &set.name,
            available: set.available,
            channels: &channel_names(settings, channels),
            connection: self.desk.agent(agent)?.connection.name(),
            cause,
            by: by.and_then(|by| self.desk.agent(by)).map(|by| &*by.profile.name),
        }))
    }

    fn tell_owner(&self, owner: AgentId, conversation: ConversationId, cause: Cause) {
        self.registry.tell(self.number, owner, || {
            let held = self.desk.conversation(conversation)?;
            let seen = Seen::new(conversation, held, self.keys);
            let shape = seen.shape(self.desk);
            Some(render(&ServerFrame::Conversation { position: self.position.0, conversation: shape, cause }))
        });
    }

    fn conversation_ended(&self, conversation: ConversationId, by: Closer) -> Option<Utf8Bytes> {
        let position = self.position.0;
        // Without wrap-up it is closed already.
        let Some(held) = self.desk.conversation(conversation) else {
            let (cause, by) = (Cause::Closed, Some(closer_shown(by)));
            return Some(render(&ServerFrame::ConversationGone { position, conversation, cause, wrap_up: None, by }));
        };
        let seen = Seen::new(conversation, held, self.keys);
        let conversation = seen.shape(self.desk);
        Some(render(&ServerFrame::ConversationEnded { position, conversation, by: closer_shown(by) }))
    }

    fn author(&self, author: Author) -> AuthorShape<'_> {
        match author {
            Author::Agent(agent) => AuthorShape::Agent(self.desk.agent(agent).map_or("", |held| &held.profile.name)),
            Author::Customer(customer) => AuthorShape::Customer(customer),
            Author::System(notice) => AuthorShape::System(notice.name()),
        }
    }

    pub(super) fn title(&self, agent: AgentId) -> Arc<str> {
        self.desk.agent(agent).map(|held| title_of(&held.profile)).unwrap_or_default()
    }

    fn close_sessions(&self, agent: AgentId, cause: OfflineCause) {
        let code = match cause {
            OfflineCause::SignedOut => CloseCode::SignedOut,
            OfflineCause::Deactivated => CloseCode::Forbidden,
            OfflineCause::GraceOver => return,
        };
        // A device that came in the same turn is the desk's own again.
        let here = self.desk.agent(agent).map(|held| held.sessions.as_slice()).unwrap_or_default();
        self.registry.each_of(self.number, agent, |session| {
            if !here.contains(&session.id) {
                session.close_now(code);
            }
        });
    }
}

/// The conversation that this event gave to this agent.
fn came_to(agent: AgentId, event: &Event) -> Option<(ConversationId, Cause)> {
    let (conversation, to, cause) = match event {
        Event::OfferEnded { conversation, agent, end: OfferEnd::Accepted, transfer, .. } => {
            let joins = transfer.is_some_and(|transfer| transfer.warm);
            (conversation, *agent, if joins { Cause::Joined } else { Cause::Accepted })
        }
        Event::ConversationReopened { conversation, owner: Some(owner), .. } => (conversation, *owner, Cause::Reopened),
        Event::ConversationTaken { conversation, to, how, .. } => (conversation, *to, Cause::from(*how)),
        Event::ConversationHandedOver { conversation, to, .. } => (conversation, *to, Cause::HandedOver),
        _ => return None,
    };
    (to == agent).then_some((*conversation, cause))
}
