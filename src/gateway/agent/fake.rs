//! A desk without rules, for tests of the socket: it lets in, echoes, and remembers what it was handed.

use super::*;
use crate::gateway::auth::agent_token::Role;
use crate::presence::{self, registry::Registry};
use crate::wire::agent::{Done, Reply, ServerFrame, render};
use crate::wire::files::no_such_file;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::sync::mpsc;

/// What the desk was handed.
#[derive(Debug, PartialEq)]
pub enum Handed {
    Came(String),
    Went,
    Command(Command),
    Snapshot,
}

pub struct FakeDesk {
    pub monotonic_ms: AtomicU64,
    pub wall_s: AtomicI64,
    pub handed: mpsc::Sender<Handed>,
    pub refuses: Option<Refused>,
    /// Lets in, and says nothing.
    pub is_slow: bool,
    pub busy: bool,
    pub registry: Registry,
}

impl FakeDesk {
    pub fn new() -> (Self, mpsc::Receiver<Handed>) {
        let (handed, seen) = mpsc::channel(1_000);
        let desk = Self {
            monotonic_ms: AtomicU64::new(1_000_000),
            wall_s: AtomicI64::new(1_000),
            handed,
            refuses: None,
            is_slow: false,
            busy: false,
            registry: Registry::new(presence::registry::Limits {
                sessions_max: 100,
                streams_max: 0,
                streams_of_conversation_max: 0,
                stream_bytes_max: 0,
                ping_every_ms: 15_000,
                dead_after_ms: 20_000,
                token_leeway_s: 0,
            }),
        };
        (desk, seen)
    }

    /// The one session of the one agent.
    pub fn session(&self) -> Arc<Session> {
        let mut found = None;
        self.registry.each_of(0, AgentId(1), |session| found = Some(session.clone()));
        found.expect("a session is in")
    }

    fn hand(&self, handed: Handed) {
        match self.handed.try_send(handed) {
            // The test is over; its last sessions are going.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(handed)) => panic!("a test hands in fewer than a thousand: {handed:?}"),
        }
    }
}

impl Desk for FakeDesk {
    fn monotonic_ms(&self) -> u64 {
        self.monotonic_ms.load(Ordering::Relaxed)
    }
    fn wall_s(&self) -> i64 {
        self.wall_s.load(Ordering::Relaxed)
    }
    fn steady_s(&self) -> i64 {
        self.wall_s()
    }
    fn agent_of_ticket(&self, ticket: &str) -> Option<(String, String)> {
        ticket.strip_prefix("ohr1.").map(|agent| ("demo".to_owned(), agent.to_owned()))
    }
    fn admit(&self, new: NewSession) -> Result<Arc<Session>, Refused> {
        if let Some(refused) = &self.refuses {
            return Err(refused.clone());
        }
        let (claims, mailbox_bytes_max) = (new.claims, 16 << 20);
        let role = claims.role;
        let name: Arc<str> = claims.agent.into();
        let session = Session::new(new.id, 0, name, role, claims.expires_at_s, mailbox_bytes_max, 0);
        let session = self.registry.admit(session).expect("a test has few sessions");
        self.hand(Handed::Came(session.name.to_string()));
        if self.is_slow {
            return Ok(session);
        }
        let _ = self.registry.bind(&session, AgentId(1));
        session.reply(format!(r#"{{"type":"welcome","returning":{}}}"#, new.returning).into());
        Ok(session)
    }
    fn is_named(&self, workspace: WorkspaceNumber, name: &str) -> bool {
        workspace == 0 && name == "demo"
    }
    fn went(&self, session: &Arc<Session>) {
        self.registry.remove(session);
        self.hand(Handed::Went);
    }
    fn submit(&self, session: &Arc<Session>, command: Command, id: CommandId) -> Result<(), WireError> {
        if self.busy {
            return Err(WireError::busy(70));
        }
        self.hand(Handed::Command(command));
        session.reply(render(&ServerFrame::Reply(Reply::done(id, Some(7), Done::Plain {}))));
        Ok(())
    }
    fn snapshot(&self, _: &Arc<Session>) -> Result<(), WireError> {
        self.hand(Handed::Snapshot);
        if self.busy { Err(WireError::busy(70)) } else { Ok(()) }
    }
    fn watch(&self, _: &Arc<Session>, _: CommandId, _: Watched, _: WatchedPage, _: u32) -> Result<(), WireError> {
        Ok(())
    }
    fn unwatch(&self, _: &Arc<Session>, _: Watched) {}
    fn health(&self, session: &Session, id: CommandId) {
        session.reply(render(&ServerFrame::Reply(Reply::done(id, None, Done::Health { at: 1, components: &[] }))));
    }
    fn agent_named(&self, _: &Session, name: &str) -> Option<AgentId> {
        (name == "bob").then_some(AgentId(2))
    }
    fn directory(&self, _: &Arc<Session>, _: CommandId, _: Watched, _: Option<&str>, _: u32) -> Result<(), WireError> {
        Ok(())
    }
    fn history(
        &self,
        _: Arc<Session>,
        id: CommandId,
        _: ConversationId,
        _: HistoryFrom,
        _: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static {
        let page = Done::History { messages: &[], more: false };
        std::future::ready(render(&ServerFrame::Reply(Reply::done(id, Some(7), page))))
    }
    fn notes(
        &self,
        _: Arc<Session>,
        id: CommandId,
        _: ConversationId,
        _: u32,
        _: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static {
        let page = Done::Notes { notes: &[], more: false };
        std::future::ready(render(&ServerFrame::Reply(Reply::done(id, Some(7), page))))
    }
    fn start(
        &self,
        _: Arc<Session>,
        _: AgentId,
        _: StartFrame,
    ) -> impl Future<Output = Result<StartAsk, WireError>> + Send + 'static {
        std::future::ready(Err(WireError::new(crate::wire::error::Code::NoSuchCustomer, "nobody is known here")))
    }
    fn seal_text(&self, _: &Arc<Session>, _: ConversationId, text: &str) -> Result<Arc<str>, WireError> {
        Ok(text.into())
    }
    fn attached(
        &self,
        _: Arc<Session>,
        _: ConversationId,
        files: Vec<FileId>,
    ) -> impl Future<Output = Result<Attachments, WireError>> + Send + 'static {
        std::future::ready(files.is_empty().then(Attachments::default).ok_or_else(no_such_file))
    }
    fn seal_labels(
        &self,
        _: &Arc<Session>,
        _: ConversationId,
        _: LabelChange<PlainValue>,
    ) -> Result<LabelChange, WireError> {
        Ok(LabelChange::default())
    }
    fn label_rules(&self, _: &Arc<Session>, _: CommandId, _: &Arc<str>) -> Result<(), WireError> {
        Ok(())
    }
    fn fingerprint(&self, body: &[u8]) -> u64 {
        body.len() as u64
    }
}

/// Takes `name/workspace/role/expiry` for a token.
pub struct FakeTokens;

impl AgentTokens for FakeTokens {
    fn hear<'a>(&'a self, _: &'a str, _: i64) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn verify(&self, token: &str, now_s: i64) -> Result<AgentClaims, TokenError> {
        let parts: Vec<_> = token.split('/').collect();
        let [agent, workspace, role, expires_at_s] = parts.as_slice() else { return Err(TokenError::Malformed) };
        let role = if *role == "agent" { Role::Agent } else { Role::Supervisor };
        let expires_at_s = expires_at_s.parse().map_err(|_| TokenError::Malformed)?;
        if expires_at_s <= now_s {
            return Err(TokenError::Expired);
        }
        let (agent, workspace) = ((*agent).to_owned(), (*workspace).to_owned());
        Ok(AgentClaims { agent, workspace, role, name: None, expires_at_s, signin: None })
    }
}
