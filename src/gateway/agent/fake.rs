//! A desk without rules, for tests of the socket: it lets in, echoes, and remembers what it was handed.

use super::*;
use crate::wire::agent::{Done, Reply, ServerFrame, render};
use futures_util::task::AtomicWaker;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use tokio::sync::mpsc;

/// What the desk was handed.
#[derive(Debug, PartialEq)]
pub enum Handed {
    Came(String),
    Went,
    Command(Command),
    Snapshot,
}

pub struct FakeSession {
    pub agent: OnceLock<AgentId>,
    pub claims: AgentClaims,
    pub expires_at_s: AtomicI64,
    pub mailbox: Mutex<VecDeque<Out>>,
    pub waker: AtomicWaker,
}

pub struct FakeDesk {
    pub monotonic_ms: AtomicU64,
    pub wall_s: AtomicI64,
    pub handed: mpsc::Sender<Handed>,
    pub refuses: Option<Refused>,
    pub busy: bool,
    pub sessions: Mutex<Vec<Arc<FakeSession>>>,
}

impl FakeDesk {
    pub fn new() -> (Self, mpsc::Receiver<Handed>) {
        let (handed, seen) = mpsc::channel(1_000);
        let desk = Self {
            monotonic_ms: AtomicU64::new(1_000_000),
            wall_s: AtomicI64::new(1_000),
            handed,
            refuses: None,
            busy: false,
            sessions: Mutex::default(),
        };
        (desk, seen)
    }

    fn hand(&self, handed: Handed) {
        match self.handed.try_send(handed) {
            // The test is over; its last sessions are going.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(handed)) => panic!("a test hands in fewer than a thousand: {handed:?}"),
        }
    }
}

impl FakeSession {
    pub fn push(&self, out: Out) {
        self.mailbox.lock().unwrap().push_back(out);
        self.waker.wake();
    }
}

impl Session for FakeSession {
    fn agent(&self) -> Option<AgentId> {
        self.agent.get().copied()
    }
    fn role(&self) -> Role {
        self.claims.role
    }
    fn name(&self) -> &str {
        &self.claims.name
    }
    fn workspace(&self) -> &str {
        &self.claims.workspace
    }
    fn expires_at_s(&self) -> i64 {
        self.expires_at_s.load(Ordering::Relaxed)
    }
    fn renew(&self, _: Role, expires_at_s: i64) {
        self.expires_at_s.store(expires_at_s, Ordering::Relaxed);
    }
    fn heard(&self) {}
    fn push_reply(&self, frame: Utf8Bytes) -> Result<(), Overflow> {
        self.push(Out::Frame(frame));
        Ok(())
    }
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Out> {
        self.waker.register(cx.waker());
        self.mailbox.lock().unwrap().pop_front().map_or(Poll::Pending, Poll::Ready)
    }
    fn poll_close(&self, cx: &mut Context<'_>) -> Poll<(u16, Cow<'static, str>)> {
        self.waker.register(cx.waker());
        let close = |out: &Out| matches!(out, Out::Close { .. });
        let mut mailbox = self.mailbox.lock().unwrap();
        match mailbox.iter().position(close).and_then(|place| mailbox.remove(place)) {
            Some(Out::Close { code, reason }) => Poll::Ready((code, reason)),
            _ => Poll::Pending,
        }
    }
}

impl Desk for FakeDesk {
    type Session = FakeSession;

    fn monotonic_ms(&self) -> u64 {
        self.monotonic_ms.load(Ordering::Relaxed)
    }
    fn wall_s(&self) -> i64 {
        self.wall_s.load(Ordering::Relaxed)
    }
    fn admit(&self, new: NewSession) -> Result<Arc<FakeSession>, Refused> {
        if let Some(refused) = &self.refuses {
            return Err(refused.clone());
        }
        let session = Arc::new(FakeSession {
            agent: OnceLock::new(),
            expires_at_s: AtomicI64::new(new.claims.expires_at_s),
            claims: new.claims,
            mailbox: Mutex::default(),
            waker: AtomicWaker::new(),
        });
        self.hand(Handed::Came(session.claims.name.to_string()));
        session.agent.set(AgentId(1)).unwrap();
        let welcome = format!(r#"{{"type":"welcome","ticket":{}}}"#, serde_json::json!(new.ticket));
        session.push(Out::Frame(welcome.into()));
        self.sessions.lock().unwrap().push(session.clone());
        Ok(session)
    }
    fn went(&self, _: &Arc<FakeSession>) {
        self.hand(Handed::Went);
    }
    fn submit(&self, session: &Arc<FakeSession>, command: Command, id: CommandId) -> Result<(), WireError> {
        if self.busy {
            return Err(WireError::busy(70));
        }
        self.hand(Handed::Command(command));
        session.push(Out::Frame(render(&ServerFrame::Reply(Reply::done(id, Some(7), Done::Plain {})))));
        Ok(())
    }
    fn snapshot(&self, _: &Arc<FakeSession>) -> Result<(), WireError> {
        self.hand(Handed::Snapshot);
        if self.busy { Err(WireError::busy(70)) } else { Ok(()) }
    }
    fn watch(&self, _: &Arc<FakeSession>, _: CommandId, _: Watched, _: Option<&str>, _: u32) -> Result<(), WireError> {
        Ok(())
    }
    fn unwatch(&self, _: &Arc<FakeSession>, _: Watched) {}
    fn history(
        &self,
        _: Arc<FakeSession>,
        id: CommandId,
        _: ConversationId,
        _: HistoryFrom,
        _: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static {
        let page = Done::History { messages: &[], more: false };
        std::future::ready(render(&ServerFrame::Reply(Reply::done(id, Some(7), page))))
    }
    fn seal_text(&self, _: &Arc<FakeSession>, _: ConversationId, text: &str) -> Result<Arc<str>, WireError> {
        Ok(text.into())
    }
    fn fingerprint(&self, body: &[u8]) -> u64 {
        body.len() as u64
    }
}

/// Takes `name/workspace/role/expiry` for a token.
pub struct FakeTokens;

impl AgentTokens for FakeTokens {
    fn verify(&self, token: &str, now_s: i64) -> Result<AgentClaims, AuthError> {
        let malformed = AuthError { reason: "malformed" };
        let parts: Vec<_> = token.split('/').collect();
        let [name, workspace, role, expires_at_s] = parts.as_slice() else { return Err(malformed) };
        let role = match *role {
            "agent" => Role::Agent,
            "supervisor" => Role::Supervisor,
            _ => return Err(malformed),
        };
        let expires_at_s = expires_at_s.parse().map_err(|_| malformed)?;
        if expires_at_s <= now_s {
            return Err(AuthError { reason: "expired" });
        }
        Ok(AgentClaims { name: (*name).into(), workspace: (*workspace).into(), role, title: None, expires_at_s })
    }
}
