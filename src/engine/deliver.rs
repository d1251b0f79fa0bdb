//! Delivery of a committed turn: deltas to agents and customers, then welcomes, then replies, then closes.
//!
//! Nothing here decides; a frame speaks of the state at the end of the turn, and what is no longer so by then is
//! left to the event that ended it.

use super::intake::ReplyTo;
use super::outlook::{Outlook, opens_at};
use super::own::with_snapshot;
use super::published::{NotDone, Replied, queue_title, title_of};
use super::route::{Route, To};
use super::shapes::{Seen, auto_accept_left_ms, channel_names, offer_shape, text_of, wrap_up_shape};
use super::turn::Decided;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Author, Closer};
use crate::desk::conversation::State;
use crate::desk::event::{Event, OfferEnd, OfflineCause};
use crate::desk::ids::{AgentId, CommandId, ConversationId};
use crate::desk::moves::Mover;
use crate::desk::refusal::Refusal;
use crate::desk::settings::StatusId;
use crate::journal::Position;
use crate::presence::{PublicFrame, Registry, Session, WorkspaceNumber};
use crate::seal::KeyRing;
use crate::wire::agent::{
    AgentShape, AuthorShape, Cause, Done, Reply, ServerFrame, SettingsShape, StatusShape, render,
};
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use crate::wire::messenger::{MessageShape, StreamEvent, TitleShape};
use crate::wire::shown::{author_shown, closer_shown, notice_shown, state_shown};
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
            Event::MessagePosted { conversation, number, author, text, .. } => {
                let text = text_of(*author, text, self.keys);
                return Some(render(&ServerFrame::Message {
                    position,
                    conversation: *conversation,
                    number: *number,
                    author: self.author(*author),
                    text: &text,
                    at,
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
                ServerFrame::ConversationGone { position, conversation, cause, wrap_up }
            }
            Event::ConversationRequeued { conversation, .. } => ServerFrame::ConversationGone {
                position,
                conversation: *conversation,
                cause: Cause::Requeued,
                wrap_up: None,
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
            let (cause, wrap_up) = (Cause::Closed, None);
            return Some(render(&ServerFrame::ConversationGone { position, conversation, cause, wrap_up }));
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

    fn title(&self, agent: AgentId) -> Arc<str> {
        self.desk.agent(agent).map(|held| title_of(&held.profile)).unwrap_or_default()
    }

    fn to_customer(&self, event: &Event, id: ConversationId, at: u64) -> Option<PublicFrame> {
        let (public, event, data) = match event {
            Event::ConversationOpened { public, .. } => named(Some(*public), &StreamEvent::Opened { at }),
            Event::MessagePosted { number, author, text, public, .. } => {
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

    fn reply(&self, reply_to: ReplyTo, result: Result<Answer, Refusal>, gone: &mut Vec<Arc<Session>>) {
        match reply_to {
            ReplyTo::Session { session, id } => self.reply_frame(&session, id, result),
            ReplyTo::Welcome { session, ticket } => match result {
                Ok(Answer::Welcome { agent }) => {
                    if !self.registry.bind(&session, agent) {
                        gone.push(session);
                        return;
                    }
                    self.welcome(&session, agent, &ticket);
                }
                Ok(_) => unreachable!("a session that came is welcomed or refused"),
                Err(refusal) => refuse_session(&session, &refusal),
            },
            ReplyTo::Caller(caller) => {
                if let Ok(Answer::Typing { conversation, to, by }) = &result {
                    self.typing(*conversation, to, *by);
                }
                // A caller who went away has its answer by asking again.
                let _ = caller.send(Ok(Replied { position: self.position, result }));
            }
            ReplyTo::Nobody => {}
        }
    }

    fn reply_frame(&self, session: &Arc<Session>, id: CommandId, result: Result<Answer, Refusal>) {
        let position = Some(self.position.0);
        let members = match result {
            Ok(Answer::Typing { conversation, to, by }) => {
                self.typing(conversation, &to, by);
                let (_, event, data) = named(None, &StreamEvent::Typing {});
                self.registry.publish(self.number, conversation, || Some(PublicFrame { public: None, event, data }));
                return;
            }
            Ok(Answer::Own { after }) => {
                self.own_page(session, id, after);
                return;
            }
            Ok(Answer::Waiting(page)) => {
                session.reply(self.waiting_page(id, &page));
                return;
            }
            Ok(
                Answer::Accepted { conversation }
                | Answer::Taken { conversation }
                | Answer::Opened { conversation, .. },
            ) => Done::Accepted { conversation },
            Ok(Answer::TransferOffered { offer }) => Done::TransferOffered { offer },
            Ok(Answer::Noted { note, at, .. }) => Done::Noted { note, at: at.0 },
            Ok(Answer::Posted { number, at, .. }) => Done::Posted { number, at: at.0 },
            Ok(_) => Done::Plain {},
            Err(refusal) => {
                metrics::counter!("offhook_refusals_total", "code" => refusal.code()).increment(1);
                let error = WireError::from(&refusal);
                session.reply(render(&ServerFrame::Reply(Reply::error(Some(id), position, &error))));
                return;
            }
        };
        session.reply(render(&ServerFrame::Reply(Reply::done(id, position, members))));
    }

    fn welcome(&self, session: &Arc<Session>, agent: AgentId, ticket: &str) {
        session.be_program(self.desk.agent(agent).is_some_and(|held| held.profile.program));
        let settings = self.desk.settings();
        let statuses: Vec<StatusShape<'_>> = settings
            .statuses
            .iter()
            .map(|status| StatusShape { name: &status.name, available: status.available })
            .collect();
        let channels: Vec<&str> = settings.channels.iter().map(|channel| &*channel.name).collect();
        let title = self.title(agent);
        let frame = with_snapshot(self.desk, self.keys, agent, self.limits.frame_bytes_max, |snapshot| {
            render(&ServerFrame::Welcome {
                session: session.id,
                position: self.position.0,
                ticket,
                agent: AgentShape { name: &session.name, title: &title, role: session.role },
                workspace: self.name,
                settings: SettingsShape {
                    statuses: &statuses,
                    channels: &channels,
                    reject_reasons: &settings.reject_reasons,
                    text_bytes_max: self.limits.text_bytes_max,
                    frame_bytes_max: self.limits.frame_bytes_max,
                },
                snapshot,
            })
        });
        if let Some(frame) = frame {
            session.reply(frame);
        }
    }

    /// A fresh snapshot of its own state to a session that fell behind.
    pub fn snapshot(&self, session: &Arc<Session>) {
        let Some(agent) = session.agent() else { return };
        let frame = with_snapshot(self.desk, self.keys, agent, self.limits.frame_bytes_max, |snapshot| {
            render(&ServerFrame::Snapshot { position: self.position.0, snapshot })
        });
        if let Some(frame) = frame {
            metrics::counter!("offhook_snapshots_total", "why" => "overflow").increment(1);
            session.snapshot(frame);
        }
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

fn named(public: Option<u32>, event: &StreamEvent<'_>) -> (Option<u32>, &'static str, Utf8Bytes) {
    (public, event.name(), event.data())
}

fn refuse_session(session: &Session, refusal: &Refusal) {
    let code = match refusal {
        Refusal::TooManyDevices { .. } => CloseCode::TooManyDevices,
        _ => CloseCode::Forbidden,
    };
    session.close_now(code);
}

/// Tell whoever asked that nothing happened, and when to try again.
pub fn not_done(reply_to: ReplyTo, not_done: NotDone) {
    match reply_to {
        ReplyTo::Session { session, id } => {
            let error = WireError::from(not_done);
            session.reply(render(&ServerFrame::Reply(Reply::error(Some(id), None, &error))));
        }
        ReplyTo::Welcome { session, .. } => {
            let (code, retry_after_ms) = match not_done {
                NotDone::Busy { retry_after_ms } => (CloseCode::Busy, retry_after_ms),
                NotDone::Unavailable { retry_after_ms, .. } => (CloseCode::Unavailable, retry_after_ms),
            };
            session.mailbox().close(code.number(), CloseCode::reason_with_retry(retry_after_ms));
        }
        ReplyTo::Caller(caller) => {
            let _ = caller.send(Err(not_done));
        }
        ReplyTo::Nobody => {}
    }
}

impl From<NotDone> for WireError {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Busy { retry_after_ms } => WireError::busy(retry_after_ms),
            NotDone::Unavailable { retry_after_ms, why } => WireError::unavailable(retry_after_ms, why),
        }
    }
}
