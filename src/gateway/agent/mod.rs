//! The agents' socket: `GET /v1/agent`. `entrance` says who may come in and when, `upgrade` lets a client in or tells it why
//! not, `session` is the life of one connection, `commands` turns frames into commands.
//!
//! What lies behind is met as two traits, so that the socket can be tried without it: tokens are verified by
//! `AgentTokens`, and `Desk` is whatever holds the workspaces and the registry of sessions.

mod commands;
mod directory;
mod entrance;
mod pages;
mod rate;
mod real;
mod session;
mod upgrade;

pub use real::AgentDesks;
pub use upgrade::{described, routes};

use crate::clock;
use crate::desk::command::{Command, StartAsk};
use crate::desk::files::{Attachments, FileId};
use crate::desk::ids::{AgentId, CommandId, ConversationId, SessionId};
use crate::desk::labels::{LabelChange, PlainValue};
use crate::gateway::auth::agent_token::{AgentClaims, AgentKeys, TokenError};
use crate::gateway::auth::client_address::TrustedProxies;
use crate::gateway::auth::origin::OriginRules;
use crate::gateway::http::buckets::Buckets;
use crate::overload::pace::{Pace, PaceLimits};
use crate::presence::session::{Session, WorkspaceNumber};
use crate::wire::agent::{HistoryFrom, Limits, StartFrame, Watched, WatchedPage};
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Who verifies agents' tokens.
pub trait AgentTokens: Send + Sync + 'static {
    /// `expires_at_s` of the claims is when a session that rests on the token ends.
    ///
    /// # Errors
    /// When the token is not good at `now_s` (Unix seconds).
    fn verify(&self, token: &str, now_s: i64) -> Result<AgentClaims, TokenError>;
    /// Waits for what this token rests on, where that is on its way from another node.
    fn hear<'a>(&'a self, token: &'a str, now_s: i64) -> BoxFuture<'a, ()>;
}

impl AgentTokens for AgentKeys {
    fn verify(&self, token: &str, now_s: i64) -> Result<AgentClaims, TokenError> {
        let claims = AgentKeys::verify(self, token, now_s)?;
        // Without the leeway, a token that was let in by it would be put out again at once.
        Ok(AgentClaims { expires_at_s: claims.expires_at_s.saturating_add(self.leeway_s()), ..claims })
    }

    fn hear<'a>(&'a self, token: &'a str, now_s: i64) -> BoxFuture<'a, ()> {
        AgentKeys::hear(self, token, now_s).boxed()
    }
}

impl<T: AgentTokens> AgentTokens for Arc<T> {
    fn verify(&self, token: &str, now_s: i64) -> Result<AgentClaims, TokenError> {
        T::verify(self, token, now_s)
    }

    fn hear<'a>(&'a self, token: &'a str, now_s: i64) -> BoxFuture<'a, ()> {
        T::hear(self, token, now_s)
    }
}

/// Who wants a session.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: SessionId,
    pub claims: AgentClaims,
    /// It showed a ticket of ours: an agent that was here before, which is not said to be this one.
    pub returning: bool,
}

/// A session is not let in: the code tells the client what to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub code: CloseCode,
    pub reason: Cow<'static, str>,
}

impl Refused {
    #[must_use]
    pub fn plainly(code: CloseCode) -> Self {
        Self { code, reason: code.reason() }
    }

    #[must_use]
    pub fn for_now(code: CloseCode, retry_after_ms: u64) -> Self {
        Self { code, reason: CloseCode::reason_with_retry(retry_after_ms) }
    }
}

/// The workspaces, and the registry of sessions.
pub trait Desk: Send + Sync + 'static {
    /// Monotonic milliseconds.
    fn monotonic_ms(&self) -> u64 {
        clock::monotonic_ms()
    }
    /// Unix seconds.
    fn wall_s(&self) -> i64 {
        (clock::wall_ms() / 1_000) as i64
    }
    /// Unix seconds of a wall clock that nobody sets: what a session ends by.
    fn steady_s(&self) -> i64 {
        clock::steady_s()
    }
    /// When a session ends whose token is good until then by the wall clock as it is now.
    fn ends_at_s(&self, expires_at_s: i64) -> i64 {
        expires_at_s.saturating_sub(self.wall_s()).saturating_add(self.steady_s())
    }
    /// Whether this is the name of that workspace.
    fn is_named(&self, workspace: WorkspaceNumber, name: &str) -> bool;

    /// The agent that a return ticket was made for, where it is one of ours and still good.
    fn agent_of_ticket(&self, ticket: &str) -> Option<(String, String)>;

    /// Makes room for a session and hands in `SessionCame`. Once that is committed, the `welcome` or a close is in the mailbox.
    ///
    /// # Errors
    /// When there is no such workspace, or no room now.
    fn admit(&self, session: NewSession) -> Result<Arc<Session>, Refused>;
    /// The socket is gone: removes the session and hands in `SessionWent`.
    fn went(&self, session: &Arc<Session>);

    /// Hands in a command, whose reply goes into the session's mailbox.
    ///
    /// # Errors
    /// What to answer at once; nothing happened.
    fn submit(&self, session: &Arc<Session>, command: Command, id: CommandId) -> Result<(), WireError>;
    /// Asks for a snapshot into the mailbox.
    ///
    /// # Errors
    /// As `submit`.
    fn snapshot(&self, session: &Arc<Session>) -> Result<(), WireError>;
    /// Subscribes to a page of rows; the reply with them goes into the mailbox.
    ///
    /// # Errors
    /// As `submit`.
    fn watch(
        &self,
        session: &Arc<Session>,
        id: CommandId,
        what: Watched,
        page: WatchedPage,
        limit: u32,
    ) -> Result<(), WireError>;
    fn unwatch(&self, session: &Arc<Session>, what: Watched);
    /// How the server's components stand; the reply goes into the mailbox.
    fn health(&self, session: &Session, id: CommandId);
    /// Another agent of the session's workspace.
    fn agent_named(&self, session: &Session, name: &str) -> Option<AgentId>;
    /// A page of names, for everybody who works here; the reply goes into the mailbox.
    ///
    /// # Errors
    /// While memory is short.
    fn directory(
        &self,
        session: &Arc<Session>,
        id: CommandId,
        what: Watched,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(), WireError>;
    /// One page of messages, as the whole reply: bounded in bytes as a frame is.
    fn history(
        &self,
        session: Arc<Session>,
        id: CommandId,
        conversation: ConversationId,
        from: HistoryFrom,
        limit: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static;

    /// One page of internal notes, as the whole reply.
    fn notes(
        &self,
        session: Arc<Session>,
        id: CommandId,
        conversation: ConversationId,
        after: u32,
        limit: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static;
    /// What an agent begins with a customer who is known here: looked up and sealed.
    fn start(
        &self,
        session: Arc<Session>,
        agent: AgentId,
        frame: StartFrame,
    ) -> impl Future<Output = Result<StartAsk, WireError>> + Send + 'static;

    /// Seals a text with the key of the conversation's customer.
    ///
    /// # Errors
    /// When the agent may not write there, or the key cannot be had.
    fn seal_text(
        &self,
        session: &Arc<Session>,
        conversation: ConversationId,
        text: &str,
    ) -> Result<Arc<str>, WireError>;
    /// The files of a conversation that a message is going to name.
    fn attached(
        &self,
        session: Arc<Session>,
        conversation: ConversationId,
        files: Vec<FileId>,
    ) -> impl Future<Output = Result<Attachments, WireError>> + Send + 'static;
    /// Checks labels against the workspace's rules, and seals those that must be with the key of the conversation's customer.
    ///
    /// # Errors
    /// The value that does not hold; and as `seal_text`.
    fn seal_labels(
        &self,
        session: &Arc<Session>,
        conversation: ConversationId,
        change: LabelChange<PlainValue>,
    ) -> Result<LabelChange, WireError>;
    /// What may be set in conversations of a queue; the reply goes into the mailbox.
    ///
    /// # Errors
    /// When there is no such queue.
    fn label_rules(&self, session: &Arc<Session>, id: CommandId, queue: &Arc<str>) -> Result<(), WireError>;
    /// A keyed hash of a command's body: the body may hold a text in the clear, which its hash in the journal must not tell.
    fn fingerprint(&self, body: &[u8]) -> u64;
}

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug)]
pub struct CommandRate {
    pub per_s: u32,
    pub burst: u32,
}

/// Bounds on agents' connections.
#[derive(Clone, Debug)]
pub struct AgentLimits {
    pub frame_bytes_max: usize,
    pub frame: Limits,
    /// Commands of one session of a person, and of a program.
    pub commands: CommandRate,
    pub program_commands: CommandRate,
    /// Refused for their rate in a row, before the session is closed.
    pub over_rate_max: u16,
    pub bad_frames_max: u8,
    /// Handshakes: served at once, and in line.
    pub pace: PaceLimits,
    /// How long one that is let in counts as being served: a commit that takes longer says nothing about how many could be.
    pub served_max: Duration,
    /// Sessions that one agent may begin.
    pub connects_per_min: u32,
    /// Tokens that were not good, from one address.
    pub bad_tokens_per_min: u32,
    /// Upgrades that are in between: answered, and not yet a session.
    pub upgrades_max: usize,
    /// Sockets that are only open to be told why they are not let in.
    pub refusals_max: usize,
    pub refusals_per_s: u32,
    /// Pages of history under way, of all sessions.
    pub histories_max: usize,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 64 * 1024,
            frame: Limits::default(),
            commands: CommandRate { per_s: 20, burst: 40 },
            program_commands: CommandRate { per_s: 500, burst: 1_500 },
            over_rate_max: 100,
            bad_frames_max: 20,
            pace: PaceLimits { at_once: 256, waiting_max: 512 },
            served_max: Duration::from_secs(1),
            connects_per_min: 30,
            bad_tokens_per_min: 600,
            upgrades_max: 4_096,
            refusals_max: 512,
            refusals_per_s: 500,
            histories_max: 64,
        }
    }
}

/// All that agents' connections share.
pub struct Door<D, T> {
    desk: D,
    tokens: T,
    origins: OriginRules,
    proxies: TrustedProxies,
    limits: AgentLimits,
    pace: Arc<Pace>,
    /// By agent: sessions begun, and tickets that gave priority.
    connects: Buckets,
    tickets: Buckets,
    /// By address.
    faults: Buckets,
    upgrades: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    refusal_rate: std::sync::Mutex<rate::Rate>,
    histories: Arc<Semaphore>,
    threads: Handle,
}

impl<D: Desk, T: AgentTokens> Door<D, T> {
    /// `threads`: where sessions live.
    #[must_use]
    pub fn new(
        desk: D,
        tokens: T,
        origins: OriginRules,
        proxies: TrustedProxies,
        limits: AgentLimits,
        threads: Handle,
    ) -> Self {
        let a_minute = |count: u32| Buckets::new(count, 60_000.0 / f64::from(count), entrance::SENDERS_MAX);
        Self {
            desk,
            tokens,
            origins,
            proxies,
            pace: Pace::new(limits.pace),
            connects: a_minute(limits.connects_per_min),
            tickets: Buckets::new(entrance::TICKETS_BURST, entrance::TICKET_EACH_MS, entrance::SENDERS_MAX),
            faults: a_minute(limits.bad_tokens_per_min),
            upgrades: Arc::new(Semaphore::new(limits.upgrades_max)),
            refusals: Arc::new(Semaphore::new(limits.refusals_max)),
            refusal_rate: std::sync::Mutex::default(),
            histories: Arc::new(Semaphore::new(limits.histories_max)),
            limits,
            threads,
        }
    }

    pub fn desk(&self) -> &D {
        &self.desk
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
