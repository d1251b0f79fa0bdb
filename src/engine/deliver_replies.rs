//! What whoever asked is told: replies, the welcome of a session and its snapshot, and that nothing happened.

use super::deliver::{Delivery, Others};
use super::deliver_customers::named;
use super::intake::ReplyTo;
use super::own::with_snapshot;
use super::passing::shapes::Hinted;
use super::published::{NotDone, Replied};
use super::quota::OverQuota;
use super::shapes::clear_text;
use crate::desk::answer::Answer;
use crate::desk::files::FileRules;
use crate::desk::ids::{AgentId, CommandId};
use crate::desk::refusal::Refusal;
use crate::presence::{PublicFrame, Session};
use crate::wire::agent::{AgentShape, Done, Reply, ServerFrame, SettingsShape, StatusShape, render};
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use crate::wire::messenger::StreamEvent;
use std::sync::Arc;

/// When a session may come again that found its workspace's quota used up: somebody else must go, or an operator act.
pub const QUOTA_RETRY_MS: u64 = 30_000;

impl Delivery<'_> {
    pub(super) fn reply(&self, reply_to: ReplyTo, result: Result<Answer, Refusal>, gone: &mut Vec<Arc<Session>>) {
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
            ReplyTo::Caller(caller) | ReplyTo::Node(caller) => {
                if let Ok(typing @ Answer::Typing { .. }) = &result {
                    self.typed(typing);
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
            Ok(typing @ Answer::Typing { .. }) => {
                self.typed(&typing);
                return;
            }
            Ok(Answer::Own { agent, after }) => {
                self.own_page(session, id, agent, after);
                return;
            }
            Ok(Answer::WhyConversation(why)) => {
                session.reply(self.why_page(id, *why, |why| Done::WhyConversation { why }));
                return;
            }
            Ok(Answer::WhyAgent(why)) => {
                session.reply(self.why_page(id, *why, |why| Done::WhyAgent { why }));
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

    /// Somebody types: in a cluster those at all nodes are told, by the one that leads.
    fn typed(&self, typing: &Answer) {
        match self.others {
            Others::None => self.show_typing(typing),
            Others::Told(clustered) => clustered.hint(self.name, Hinted::Typing(typing.clone())),
            Others::Tell => {}
        }
    }

    /// To those who are connected here.
    pub(super) fn show_typing(&self, typing: &Answer) {
        let Answer::Typing { conversation, to, by, draft } = typing else { return };
        self.typing(*conversation, to, *by);
        if by.is_some() {
            self.registry.publish(self.number, *conversation, || {
                let text = draft.as_ref().map(|draft| clear_text(draft, self.keys));
                let (_, event, data) = named(None, &StreamEvent::Typing { text: text.as_deref() });
                Some(PublicFrame { public: None, event, data })
            });
        }
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
                    files: FileRules::in_force(&settings.files).map(Into::into),
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
}

fn refuse_session(session: &Session, refusal: &Refusal) {
    let code = match refusal {
        Refusal::TooManyDevices { .. } => CloseCode::TooManyDevices,
        Refusal::Quota { .. } => {
            session.mailbox().close(CloseCode::Quota.number(), CloseCode::reason_with_retry(QUOTA_RETRY_MS));
            return;
        }
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
                NotDone::Quota(_) => (CloseCode::Quota, QUOTA_RETRY_MS),
            };
            session.mailbox().close(code.number(), CloseCode::reason_with_retry(retry_after_ms));
        }
        ReplyTo::Caller(caller) | ReplyTo::Node(caller) => {
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
            NotDone::Quota(OverQuota { what, most, retry_after_ms }) => {
                WireError::quota(what.name(), most, retry_after_ms)
            }
        }
    }
}
