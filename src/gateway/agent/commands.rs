//! Frames of a client become commands, each with one reply: from the desk through the mailbox, or from here where the desk
//! need not be asked.

use super::rate::Rate;
use super::session::{End, Present};
use super::{AgentTokens, Desk};
use crate::desk::command::{Ask, Author, Closer, Command, Worker};
use crate::desk::files::{Attachments, FileId};
use crate::desk::ids::{AgentId, CommandId, ConversationId, Principal};
use crate::desk::labels::LabelAsk;
use crate::desk::moves::{Deed, MoveAsk, Mover};
use crate::desk::refusal::Refusal;
use crate::desk::settings::Role;
use crate::gateway::auth::agent_token::TokenError;
use crate::gateway::auth::signin_token::mark;
use crate::gateway::signin::ROLE_CHANGED;
use crate::overload::{Purpose, Rung, Weight, memory};
use crate::telemetry::catalogue;
use crate::wire::agent::{
    AgentFrame, Done, Drained, HistoryFrom, LabelFrame, Reply, ServerFrame, StartFrame, WhyOf, parse, render,
};
use crate::wire::close::CloseCode;
use crate::wire::error::{Code, WireError};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How long a client is to stay away after commands far beyond the rate.
const FAR_BEYOND_RATE_MS: u64 = 10_000;
/// When a page of history may be asked for again.
const HISTORY_RETRY_MS: u64 = 250;

/// How a client has behaved on this connection.
#[derive(Debug, Default)]
pub(super) struct Manners {
    rate: Rate,
    over_rate_in_a_row: u16,
    bad_in_a_row: u8,
}

impl Manners {
    /// `Ok(Err(retry_after_ms))`: not now.
    fn may<D: Desk, T: AgentTokens>(&mut self, present: &Present<D, T>) -> Result<Result<(), u64>, End> {
        let limits = &present.door.limits;
        // Asked each time: who is a program from now on has its rate from now on.
        let rate = if present.session.is_program() { limits.program_commands } else { limits.commands };
        let taken = self.rate.take(present.door.desk.monotonic_ms(), rate.per_s, rate.burst);
        self.over_rate_in_a_row = if taken.is_ok() { 0 } else { self.over_rate_in_a_row.saturating_add(1) };
        if self.over_rate_in_a_row > limits.over_rate_max {
            return Err(End::for_now(CloseCode::RateLimited, FAR_BEYOND_RATE_MS));
        }
        Ok(taken)
    }

    /// For what has no reply: counts it, and ends the session far beyond the rate.
    pub(super) fn may_go_on<D: Desk, T: AgentTokens>(&mut self, present: &Present<D, T>) -> Result<(), End> {
        self.may(present).map(|_| ())
    }
}

/// Takes one text frame. `Some`: the session ends.
pub(super) fn take<D: Desk, T: AgentTokens>(text: &str, present: &Present<D, T>, manners: &mut Manners) -> Option<End> {
    let Present { door, session } = present;
    if session.ends_at_s() <= door.desk.steady_s() {
        return Some(End::Close { code: CloseCode::Unauthorized.number(), reason: TokenError::Expired.code().into() });
    }
    let may = match manners.may(present) {
        Ok(may) => may,
        Err(end) => return Some(end),
    };
    let parsed = parse(text, &door.limits.frame);
    if let Err(bad) = &parsed {
        metrics::counter!(catalogue::BAD_INPUT_TOTAL, "code" => bad.error.code.name()).increment(1);
    }
    manners.bad_in_a_row = if parsed.is_ok() { 0 } else { manners.bad_in_a_row.saturating_add(1) };
    if manners.bad_in_a_row >= door.limits.bad_frames_max {
        return Some(End::plainly(CloseCode::BadFrames));
    }
    let (id, done) = match (parsed, may) {
        (Err(bad), _) => (bad.id, Err(*bad.error)),
        (Ok((id, _)), Err(retry_after_ms)) => {
            let scope = if session.is_program() { "program" } else { "agent" };
            metrics::counter!(catalogue::RATE_LIMITED_TOTAL, "scope" => scope).increment(1);
            (Some(id), Err(WireError::rate_limited(retry_after_ms)))
        }
        // Before the `welcome` nothing is read, so there is an agent.
        (Ok((id, frame)), Ok(())) => {
            if frame.is_input() {
                session.input(door.desk.monotonic_ms());
            }
            (Some(id), session.agent().map_or(Err(WireError::internal()), |agent| obey(frame, id, agent, present)))
        }
    };
    let reply = match (&done, id) {
        (Ok(None), _) | (Ok(Some(_)), None) => return None,
        (Ok(Some(members)), Some(id)) => Reply::done(id, None, *members),
        (Err(error), id) => Reply::error(id, None, error),
    };
    session.reply(render(&ServerFrame::Reply(reply)));
    None
}

/// `Ok(None)`: the reply comes through the mailbox, from whom it was handed to.
fn obey<D: Desk, T: AgentTokens>(
    frame: AgentFrame,
    id: CommandId,
    agent: AgentId,
    present: &Present<D, T>,
) -> Result<Option<Done<'static>>, WireError> {
    let Present { door, session } = present;
    match frame {
        AgentFrame::History { conversation, from, limit } => {
            history(present, id, conversation, from, limit).map(|()| None)
        }
        AgentFrame::Watch { .. } | AgentFrame::Unwatch { .. } if !session.is_supervisor() => {
            Err(WireError::new(Code::Forbidden, "only supervisors and admins watch"))
        }
        AgentFrame::Watch { what, page, limit } => door.desk.watch(session, id, what, page, limit).map(|()| None),
        AgentFrame::Unwatch { what } => {
            door.desk.unwatch(session, what);
            Ok(Some(Done::Plain {}))
        }
        AgentFrame::Directory { what, cursor, limit } => {
            door.desk.directory(session, id, what, cursor.as_deref(), limit).map(|()| None)
        }
        // That it came was all: it is noted already, and nobody waits for an answer.
        AgentFrame::Input => Ok(None),
        AgentFrame::Move { deed: Deed::Assign { .. }, .. }
        | AgentFrame::Drain(_)
        | AgentFrame::ForceStatus { .. }
        | AgentFrame::Held { .. }
        | AgentFrame::Why(_)
        | AgentFrame::Health
            if !session.is_supervisor() =>
        {
            Err(WireError::new(Code::Forbidden, "only supervisors and admins do this"))
        }
        AgentFrame::Health => {
            door.desk.health(session, id);
            Ok(None)
        }
        AgentFrame::Notes { conversation, after, limit } => {
            notes(present, id, conversation, after, limit).map(|()| None)
        }
        AgentFrame::LabelRules { queue } => door.desk.label_rules(session, id, &queue).map(|()| None),
        AgentFrame::Start(frame) => start(present, id, agent, *frame).map(|()| None),
        AgentFrame::Refresh { token } => refresh(&token, present).map(Some),
        AgentFrame::Send { conversation, text, files } if !files.is_empty() => {
            send_with_files(present, id, agent, (conversation, text, files)).map(|()| None)
        }
        AgentFrame::Typing { .. } if memory().is_shed(Rung::Typing) => Err(memory().shed(Rung::Typing).into()),
        frame => {
            // Typing is passed on and forgotten, and a look changes nothing: not worth remembering by their ids.
            let looks = matches!(
                frame,
                AgentFrame::Waiting { .. } | AgentFrame::Own { .. } | AgentFrame::Held { .. } | AgentFrame::Why(_)
            );
            let remembered = !looks && !matches!(frame, AgentFrame::Typing { .. });
            let fingerprint = if remembered { door.desk.fingerprint(&frame.body()) } else { 0 };
            let ask = ask(frame, agent, present)?;
            let principal = Principal::Agent(agent);
            let command = Command { principal, id: remembered.then_some(id), fingerprint, ask };
            door.desk.submit(session, command, id).map(|()| None)
        }
    }
}

fn ask<D: Desk, T: AgentTokens>(frame: AgentFrame, agent: AgentId, present: &Present<D, T>) -> Result<Ask, WireError> {
    Ok(match frame {
        AgentFrame::SetStatus { status, channels } => Ask::SetStatus { agent, status, channels },
        AgentFrame::Ready => Ask::Ready { agent },
        AgentFrame::NextStatus { status } => Ask::SetNextStatus { agent, status },
        AgentFrame::ForceStatus { agent: name, status } => {
            Ask::ForceStatus { agent: name, status, by: mover(agent, present.session.role) }
        }
        AgentFrame::Delivered { offer } => Ask::ConfirmDelivery { agent, offer },
        AgentFrame::Accept { offer } => Ask::Accept { agent, offer },
        AgentFrame::Reject { offer, reason } => Ask::Reject { agent, offer, reason },
        AgentFrame::Send { conversation, text, files: _ } => {
            let text = present.door.desk.seal_text(&present.session, conversation, &text)?;
            Ask::Post { conversation, author: Author::Agent(agent), text, files: Attachments::default() }
        }
        AgentFrame::Read { conversation, number } => Ask::Read { conversation, reader: Author::Agent(agent), number },
        AgentFrame::Typing { conversation, draft } => {
            let seal = |text: String| present.door.desk.seal_text(&present.session, conversation, &text);
            Ask::Typing { conversation, author: Author::Agent(agent), draft: draft.map(seal).transpose()? }
        }
        AgentFrame::Close { conversation } => Ask::Close { conversation, by: closer(agent, present.session.role) },
        AgentFrame::WrapUpDone { conversation } => {
            Ask::WrapUpDone { conversation, by: worker(agent, present.session.role) }
        }
        AgentFrame::ExtendWrapUp { conversation } => Ask::ExtendWrapUp { agent, conversation },
        AgentFrame::SignOut => Ask::SignOut { agent },
        AgentFrame::Own { after } => Ask::ListOwn { agent, after },
        AgentFrame::Held { agent: name, after } => {
            let named = present.door.desk.agent_named(&present.session, &name);
            Ask::ListOwn { agent: named.ok_or(Refusal::NoSuchAgent(name))?, after }
        }
        AgentFrame::Why(WhyOf::Conversation(conversation)) => Ask::WhyConversation { conversation },
        AgentFrame::Why(WhyOf::Agent(agent)) => Ask::WhyAgent { agent },
        AgentFrame::Move { conversation, deed } => {
            Ask::Move(MoveAsk { conversation, by: mover(agent, present.session.role), deed })
        }
        AgentFrame::Waiting { queue, after, limit } => {
            Ask::ListWaiting { by: mover(agent, present.session.role), queue, after, limit: limit as usize }
        }
        AgentFrame::Note { conversation, text } => {
            let text = present.door.desk.seal_text(&present.session, conversation, &text)?;
            Ask::Note { conversation, by: mover(agent, present.session.role), text }
        }
        AgentFrame::Label(frame) => {
            let LabelFrame { conversation, change, then } = *frame;
            let change = present.door.desk.seal_labels(&present.session, conversation, change)?;
            let by = mover(agent, present.session.role);
            Ask::Label(Box::new(LabelAsk { conversation, by, change, then }))
        }
        AgentFrame::Drain(Drained::Agent { agent, on }) => Ask::DrainAgent { agent, draining: on },
        AgentFrame::Drain(Drained::Queue { queue, draining }) => Ask::DrainQueue { queue, draining },
        AgentFrame::Input
        | AgentFrame::Health
        | AgentFrame::Notes { .. }
        | AgentFrame::LabelRules { .. }
        | AgentFrame::Start(_)
        | AgentFrame::History { .. }
        | AgentFrame::Directory { .. }
        | AgentFrame::Watch { .. }
        | AgentFrame::Unwatch { .. }
        | AgentFrame::Refresh { .. } => {
            unreachable!("these are answered without a command")
        }
    })
}

/// A supervisor may close any conversation, an agent its own: the desk tells them apart by this.
fn closer(agent: AgentId, role: Role) -> Closer {
    match role {
        Role::Agent => Closer::Agent(agent),
        Role::Supervisor | Role::Admin => Closer::Supervisor(agent),
    }
}

fn worker(agent: AgentId, role: Role) -> Worker {
    match role {
        Role::Agent => Worker::Owner(agent),
        Role::Supervisor | Role::Admin => Worker::Supervisor(agent),
    }
}

/// Whether it must own what it moves.
fn mover(agent: AgentId, role: Role) -> Mover {
    match role {
        Role::Agent => Mover::Agent(agent),
        Role::Supervisor | Role::Admin => Mover::Supervisor(agent),
    }
}

/// The customer is looked up beside the session, as pages are; then the command goes its way.
fn start<D: Desk, T: AgentTokens>(
    present: &Present<D, T>,
    id: CommandId,
    agent: AgentId,
    frame: StartFrame,
) -> Result<(), WireError> {
    let Present { door, session } = present;
    let fingerprint = door.desk.fingerprint(&AgentFrame::Start(Box::new(frame.clone())).body());
    let permit = door.histories.clone().try_acquire_owned().map_err(|_| WireError::busy(HISTORY_RETRY_MS))?;
    let (door, session) = (door.clone(), session.clone());
    let looked_up = door.desk.start(session.clone(), agent, frame);
    tokio::spawn(async move {
        let begun = looked_up.await.and_then(|start| {
            let (principal, ask) = (Principal::Agent(agent), Ask::Start(Box::new(start)));
            door.desk.submit(&session, Command { principal, id: Some(id), fingerprint, ask }, id)
        });
        drop(permit);
        if let Err(error) = begun {
            session.reply(render(&ServerFrame::Reply(Reply::error(Some(id), None, &error))));
        }
    });
    Ok(())
}

/// The files are looked up beside the session, as pages are; then the command goes its way.
fn send_with_files<D: Desk, T: AgentTokens>(
    present: &Present<D, T>,
    id: CommandId,
    agent: AgentId,
    (conversation, text, files): (ConversationId, String, Vec<FileId>),
) -> Result<(), WireError> {
    let Present { door, session } = present;
    let sealed = door.desk.seal_text(session, conversation, &text)?;
    let looked_up = door.desk.attached(session.clone(), conversation, files.clone());
    let fingerprint = door.desk.fingerprint(&AgentFrame::Send { conversation, text, files }.body());
    let permit = door.histories.clone().try_acquire_owned().map_err(|_| WireError::busy(HISTORY_RETRY_MS))?;
    let (door, session) = (door.clone(), session.clone());
    tokio::spawn(async move {
        let sent = looked_up.await.and_then(|files| {
            let ask = Ask::Post { conversation, author: Author::Agent(agent), text: sealed, files };
            let command = Command { principal: Principal::Agent(agent), id: Some(id), fingerprint, ask };
            door.desk.submit(&session, command, id)
        });
        drop(permit);
        if let Err(error) = sent {
            session.reply(render(&ServerFrame::Reply(Reply::error(Some(id), None, &error))));
        }
    });
    Ok(())
}

fn notes<D: Desk, T: AgentTokens>(
    present: &Present<D, T>,
    id: CommandId,
    conversation: ConversationId,
    after: u32,
    limit: u32,
) -> Result<(), WireError> {
    let page = present.door.desk.notes(present.session.clone(), id, conversation, after, limit);
    page_beside(present, page)
}

/// A page is read beside the session, so that no accept waits for a disk; and by a bounded number of all sessions at once.
fn history<D: Desk, T: AgentTokens>(
    present: &Present<D, T>,
    id: CommandId,
    conversation: ConversationId,
    from: HistoryFrom,
    limit: u32,
) -> Result<(), WireError> {
    let page = present.door.desk.history(present.session.clone(), id, conversation, from, limit);
    page_beside(present, page)
}

/// The page goes into the mailbox when it is read.
fn page_beside<D: Desk, T: AgentTokens>(
    present: &Present<D, T>,
    page: impl Future<Output = Utf8Bytes> + Send + 'static,
) -> Result<(), WireError> {
    let Present { door, session } = present;
    memory().admit(Rung::History)?;
    let permit = door.histories.clone().try_acquire_owned().map_err(|_| WireError::busy(HISTORY_RETRY_MS))?;
    let taken = memory().reserve.guard(Purpose::Pages, Weight::Ordinary, door.limits.frame_bytes_max)?;
    let session = session.clone();
    tokio::spawn(async move {
        let page = page.await;
        drop(permit);
        // The mailbox counts it from here on.
        drop(taken);
        session.reply(page);
    });
    Ok(())
}

/// A new token of the same agent for the same session.
fn refresh<D: Desk, T: AgentTokens>(token: &str, present: &Present<D, T>) -> Result<Done<'static>, WireError> {
    let Present { door, session } = present;
    let claims = door
        .tokens
        .verify(token, door.desk.wall_s())
        .map_err(|error| WireError::unauthorized(error.code()).at("token"))?;
    if *claims.agent != *session.name || !door.desk.is_named(session.workspace, &claims.workspace) {
        return Err(WireError::unauthorized("token_other_agent").at("token"));
    }
    // What it may do was settled when it came: it comes again, and is what it is now.
    if claims.role != session.role {
        session.close_for(CloseCode::Unauthorized, ROLE_CHANGED);
        return Err(WireError::unauthorized(ROLE_CHANGED).at("token"));
    }
    session.rest_on(claims.signin.map_or(0, mark));
    // The sign-in may have ended between the look and the word for it; from here on its end closes this session.
    if claims.signin.is_some()
        && let Err(error) = door.tokens.verify(token, door.desk.wall_s())
    {
        session.close_for(CloseCode::Unauthorized, error.code());
        return Err(WireError::unauthorized(error.code()).at("token"));
    }
    session.renew(door.desk.ends_at_s(claims.expires_at_s));
    Ok(Done::Refreshed { expires_at: u64::try_from(claims.expires_at_s).unwrap_or(0).saturating_mul(1_000) })
}
