//! The life of one agent's connection: one task, no timer, no buffer while nothing is under way.
//!
//! Every input of the loop, and what happens to it:
//!
//! | input | what happens |
//! | --- | --- |
//! | the socket takes bytes again | the rest of the frame under way, and a pong that waits, go out |
//! | mailbox: a frame | goes under way; while one is, nothing but a close is taken from the mailbox, so a stuck socket costs one frame and the mailbox's own bound |
//! | mailbox: a snapshot is due | is asked for; it comes as a frame. If that cannot be asked, the session ends with 4202 |
//! | mailbox: ping | goes out; whoever sweeps the registry decides when, and when a silent session ends |
//! | mailbox: gone | the peer is dead: the session ends without a word, even while the socket is stuck |
//! | mailbox: close | the session ends with that code; it is heard even while the socket is stuck |
//! | client: bytes | the registry is told that the session was heard |
//! | client: text | `commands`; nothing is read before the `welcome` went out, nor while a frame is under way, so who does not read is not read from |
//! | client: ping | is answered by the socket; counts against the rate |
//! | client: pong | counts against the rate |
//! | client: binary | the session ends with 1003 |
//! | client: close | is answered with the same code, and the session ends |
//! | client: protocol broken, too large, not UTF-8 | the session ends with 1002, 1009, 1007 |
//! | the connection fails or ends | the session ends; there is nobody to tell |
//!
//! Whatever ends it, even a panic, the desk hears that the session went, before the closing is waited for.

use super::commands::{self, Manners};
use super::{AgentTokens, Desk, Door};
use crate::gateway::listen::HeldPlace;
use crate::gateway::websocket::{Broken, Message, Socket};
use crate::presence::mailbox::Out;
use crate::presence::session::Session;
use crate::telemetry::traces::{self, Kind};
use crate::telemetry::{catalogue, turned};
use crate::wire::close::CloseCode;
use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

/// How a session ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The client is told why.
    Close { code: u16, reason: Cow<'static, str> },
    /// There is nobody to tell.
    Gone,
}

impl End {
    pub(super) fn plainly(code: CloseCode) -> Self {
        End::Close { code: code.number(), reason: code.reason() }
    }

    /// For metrics: a client may close with any code, so only ours have a name.
    fn word(&self) -> &'static str {
        match self {
            End::Gone => "gone",
            End::Close { code, .. } => {
                CloseCode::ALL.iter().find(|known| known.number() == *code).map_or("other", |known| known.name())
            }
        }
    }

    /// What is told of it in the log: not that somebody signed out, nor that the server goes down.
    fn fault(&self) -> Option<&'static str> {
        let usual = [CloseCode::Normal, CloseCode::SignedOut, CloseCode::Restarting].map(CloseCode::name);
        let End::Close { .. } = self else { return None };
        Some(self.word()).filter(|word| !usual.contains(word))
    }

    pub(super) fn for_now(code: CloseCode, retry_after_ms: u64) -> Self {
        End::Close { code: code.number(), reason: CloseCode::reason_with_retry(retry_after_ms) }
    }
}

/// Whoever paces the handshakes hears, by this being dropped, that the first frame has come, or never will.
#[derive(Debug)]
pub(super) struct Welcome(#[allow(dead_code, reason = "dropped for the one who waits")] oneshot::Sender<()>);

impl Welcome {
    pub(super) fn to_come() -> (Self, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        (Self(tell), told)
    }
}

/// Starts the session's task. `place` is the connection's, and is given back with its end.
pub(super) fn start<S, D: Desk, T: AgentTokens>(
    socket: Socket<S>,
    door: Arc<Door<D, T>>,
    session: Arc<Session>,
    place: Option<HeldPlace>,
    welcome: Welcome,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The guard is made here, so that a task that never runs (the runtime is going down) is no session left behind.
    tokio::spawn(run(socket, Present { door, session }, place, welcome));
}

/// The session is in the registry; dropped, it is not.
pub(super) struct Present<D: Desk, T> {
    pub(super) door: Arc<Door<D, T>>,
    pub(super) session: Arc<Session>,
}

impl<D: Desk, T> Drop for Present<D, T> {
    fn drop(&mut self) {
        self.door.desk.went(&self.session);
    }
}

pub(super) async fn run<S, D: Desk, T: AgentTokens>(
    mut socket: Socket<S>,
    present: Present<D, T>,
    place: Option<HeldPlace>,
    welcome: Welcome,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut welcome = Some(welcome);
    let mut manners = Manners::default();
    // With what this side ends the session for. (Nothing of it is held while the session is idle.)
    let (end, why) = loop {
        let next = poll_fn(|cx| poll_next(&mut socket, &present, cx)).await;
        let dead = matches!(next, Next::Out(Out::Gone)).then_some("dead");
        let end = match next {
            Next::Out(Out::Frame(frame)) => {
                welcome = None;
                socket.send_text(frame);
                None
            }
            Next::Out(Out::Ping) => {
                socket.send_ping();
                None
            }
            Next::Out(Out::Snapshot) => {
                let asked = present.door.desk.snapshot(&present.session);
                asked.is_err().then(|| End::plainly(CloseCode::Resync))
            }
            Next::Out(Out::Gone) => Some(End::Gone),
            Next::Out(Out::Close { code, reason }) => Some(End::Close { code, reason }),
            Next::Message(Message::Close(code)) => break (by_its_client(code), None),
            Next::Message(message) => heard(message, &present, &mut manners),
            Next::Broken(broken) => Some(end_of(&broken)),
        };
        if let Some(end) = end {
            let why = dead.or(end.fault());
            break (end, why);
        }
    };
    if let Some(why) = why {
        turned::session_dropped(why, present.session.id);
    }
    drop((present, welcome));
    metrics::counter!(catalogue::SESSIONS_CLOSED_TOTAL, "code" => end.word()).increment(1);
    if let End::Close { code, reason } = end {
        // Boxed, so that an idle session is not as large as a closing one.
        Box::pin(socket.close(code, reason)).await;
    }
    drop(place);
}

enum Next {
    Out(Out),
    Message(Message),
    Broken(Broken),
}

/// Writing first, then the mailbox, then reading: what was committed is told before more is asked.
fn poll_next<S, D: Desk, T: AgentTokens>(
    socket: &mut Socket<S>,
    present: &Present<D, T>,
    cx: &mut Context<'_>,
) -> Poll<Next>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Present { door, session } = present;
    match socket.poll_flush(cx) {
        Poll::Pending => return session.mailbox().poll_end(cx).map(Next::Out),
        Poll::Ready(Err(error)) => return Poll::Ready(Next::Broken(Broken::Failed(error))),
        Poll::Ready(Ok(())) => {}
    }
    if let Poll::Ready(out) = session.mailbox().poll_next(cx) {
        return Poll::Ready(Next::Out(out));
    }
    if session.agent().is_none() {
        return Poll::Pending;
    }
    let message = socket.poll_message(cx);
    if socket.take_heard() {
        session.heard(door.desk.monotonic_ms());
    }
    message.map(|message| message.map_or_else(Next::Broken, Next::Message))
}

fn heard<D: Desk, T: AgentTokens>(message: Message, present: &Present<D, T>, manners: &mut Manners) -> Option<End> {
    match message {
        Message::Text(text) => match traces::root(None, Kind::Server, || "agent frame".to_owned(), 0) {
            None => commands::take(&text, present, manners),
            Some(span) => {
                let taken = traces::at_once_under(span.context(), || commands::take(&text, present, manners));
                span.end();
                taken
            }
        },
        // The server pings four times a minute: a flood of either is nobody's heartbeat.
        Message::Ping | Message::Pong => manners.may_go_on(present).err(),
        Message::Binary => Some(End::plainly(CloseCode::Binary)),
        Message::Close(code) => Some(by_its_client(code)),
    }
}

fn by_its_client(code: Option<u16>) -> End {
    End::Close { code: code.unwrap_or(CloseCode::Normal.number()), reason: Cow::Borrowed("") }
}

fn end_of(broken: &Broken) -> End {
    match broken {
        Broken::Protocol(what) => End::Close { code: CloseCode::Protocol.number(), reason: Cow::Borrowed(what) },
        Broken::TooLarge => End::plainly(CloseCode::TooLarge),
        Broken::NotUtf8 => End::plainly(CloseCode::NotUtf8),
        Broken::Gone | Broken::Failed(_) => End::Gone,
    }
}
