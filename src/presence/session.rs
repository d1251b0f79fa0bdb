//! One connection of one agent's device, as everybody but its own task sees it.

use super::mailbox::Mailbox;
use crate::desk::ids::{AgentId, SessionId};
use crate::desk::settings::Role;
use crate::wire::close::CloseCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A workspace's number in this process: four bytes instead of its name.
pub type WorkspaceNumber = u32;

const NO_AGENT: u32 = u32::MAX;

#[derive(Debug)]
pub struct Session {
    pub id: SessionId,
    pub workspace: WorkspaceNumber,
    /// The token's `sub`.
    pub name: Arc<str>,
    pub role: Role,
    agent: AtomicU32,
    /// Which sign-in its token rests on; 0: none.
    signin: AtomicU64,
    /// Seconds of `clock::steady_s`, when its token ends.
    ends_at_s: AtomicU32,
    /// Tenths of a second since the process began.
    heard_at: AtomicU32,
    /// When somebody last did something at this device: tenths of a second, likewise.
    input_at: AtomicU32,
    pinged: AtomicBool,
    program: AtomicBool,
    mailbox_bytes_max: u32,
    mailbox: Mailbox,
}

/// What the sweeper finds a session to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Well,
    /// Silent for long: a ping was asked for.
    Silent,
    /// Nothing came back: it was given up.
    Dead,
    /// Its token has ended: it was told so.
    Expired,
}

impl Session {
    #[must_use]
    pub fn new(
        id: SessionId,
        workspace: WorkspaceNumber,
        name: Arc<str>,
        role: Role,
        ends_at_s: i64,
        mailbox_bytes_max: usize,
        now_ms: u64,
    ) -> Self {
        let session = Self {
            id,
            workspace,
            name,
            role,
            agent: AtomicU32::new(NO_AGENT),
            signin: AtomicU64::new(0),
            ends_at_s: AtomicU32::new(0),
            heard_at: AtomicU32::new(0),
            input_at: AtomicU32::new(0),
            pinged: AtomicBool::new(false),
            program: AtomicBool::new(false),
            mailbox_bytes_max: mailbox_bytes_max.min(u32::MAX as usize) as u32,
            mailbox: Mailbox::default(),
        };
        session.renew(ends_at_s);
        session.heard(now_ms);
        session.input(now_ms);
        session
    }

    /// The agent, once the desk has let the session in.
    #[must_use]
    pub fn agent(&self) -> Option<AgentId> {
        let agent = self.agent.load(SeqCst);
        (agent != NO_AGENT).then_some(AgentId(agent))
    }

    pub(super) fn belongs_to(&self, agent: AgentId) {
        self.agent.store(agent.0, SeqCst);
    }

    /// Whether its agent is a program, as committed.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.program.load(Relaxed)
    }

    pub fn be_program(&self, program: bool) {
        self.program.store(program, Relaxed);
    }

    #[must_use]
    pub fn is_supervisor(&self) -> bool {
        self.role >= Role::Supervisor
    }

    /// The sign-in that its token rests on, by its mark; 0: none.
    #[must_use]
    pub fn signin(&self) -> u64 {
        self.signin.load(SeqCst)
    }

    /// Its token rests on this sign-in from now on.
    pub fn rest_on(&self, signin: u64) {
        self.signin.store(signin, SeqCst);
    }

    /// A new token: the session goes on until that one ends.
    pub fn renew(&self, ends_at_s: i64) {
        self.ends_at_s.store(ends_at_s.clamp(0, i64::from(u32::MAX)) as u32, Relaxed);
    }

    #[must_use]
    pub fn ends_at_s(&self) -> i64 {
        i64::from(self.ends_at_s.load(Relaxed))
    }

    /// Bytes came from the peer: one relaxed store, which the desk never hears of.
    pub fn heard(&self, now_ms: u64) {
        self.heard_at.store((now_ms / 100) as u32, Relaxed);
        self.pinged.store(false, Relaxed);
    }

    /// So much of its silence does not count.
    pub fn overlook(&self, now_ms: u64, silence_ms: u64) {
        let heard_at = u64::from(self.heard_at.load(Relaxed));
        let overlooked = (heard_at + silence_ms.div_ceil(100)).min(now_ms / 100) as u32;
        // It may speak this very moment.
        self.heard_at.fetch_max(overlooked, Relaxed);
    }

    /// Somebody did something at this device: presence, which the desk never hears of.
    pub fn input(&self, now_ms: u64) {
        self.input_at.store((now_ms / 100) as u32, Relaxed);
    }

    /// Monotonic milliseconds; when it connected counts as the first.
    #[must_use]
    pub fn input_at_ms(&self) -> u64 {
        u64::from(self.input_at.load(Relaxed)) * 100
    }

    /// Look after it: ask for a ping, give it up, or tell it that its token has ended.
    pub fn sweep(&self, now_ms: u64, steady_s: i64, ping_every_ms: u64, dead_after_ms: u64) -> Found {
        if steady_s >= self.ends_at_s() {
            let code = CloseCode::Unauthorized;
            // As where a command finds the token over: a client tells by the reason that a new token is all it needs.
            self.mailbox.close(code.number(), "token_expired");
            return Found::Expired;
        }
        let heard_ms = u64::from(self.heard_at.load(Relaxed)) * 100;
        let silent_ms = now_ms.saturating_sub(heard_ms);
        if silent_ms >= dead_after_ms {
            self.mailbox.give_up();
            return Found::Dead;
        }
        if silent_ms >= ping_every_ms && !self.pinged.swap(true, Relaxed) {
            self.mailbox.ask_ping();
            return Found::Silent;
        }
        Found::Well
    }

    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// A delta; an overflow becomes a snapshot by itself, and is counted.
    pub fn tell(&self, frame: Utf8Bytes) {
        if self.mailbox.push(frame, self.mailbox_bytes_max as usize).is_err() {
            metrics::counter!("offhook_mailbox_overflows_total").increment(1);
        }
    }

    /// A reply, which is never dropped: a session that cannot take it is closed, to come back at once.
    pub fn reply(&self, frame: Utf8Bytes) {
        if self.mailbox.push_reply(frame, self.mailbox_bytes_max as usize).is_err() {
            self.close_now(CloseCode::TooSlow);
        }
    }

    pub fn snapshot(&self, frame: Utf8Bytes) {
        if self.mailbox.push_snapshot(frame, self.mailbox_bytes_max as usize).is_err() {
            self.close_now(CloseCode::TooSlow);
        }
    }

    /// The server goes down in order, and takes this one in again then.
    pub fn close_restarting(&self, retry_after_ms: u32) {
        let reason = CloseCode::reason_with_retry(u64::from(retry_after_ms));
        self.mailbox.close(CloseCode::Restarting.number(), reason);
    }

    /// The same, with a reason of its own.
    pub fn close_for(&self, code: CloseCode, reason: &'static str) {
        self.mailbox.close(code.number(), reason);
    }

    pub fn close_now(&self, code: CloseCode) {
        self.mailbox.close(code.number(), code.reason());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(SessionId(1), 0, "ada".into(), Role::Agent, 100, 1_000, 0)
    }

    #[test]
    fn a_silent_peer_is_pinged_once_and_then_given_up() {
        let session = session();
        assert_eq!(session.sweep(14_900, 0, 15_000, 20_000), Found::Well);
        assert_eq!(session.sweep(15_000, 0, 15_000, 20_000), Found::Silent);
        assert_eq!(session.sweep(16_000, 0, 15_000, 20_000), Found::Well);
        assert_eq!(session.sweep(20_000, 0, 15_000, 20_000), Found::Dead);
    }

    #[test]
    fn a_pong_keeps_it() {
        let session = session();
        assert_eq!(session.sweep(15_000, 0, 15_000, 20_000), Found::Silent);
        session.heard(15_100);
        assert_eq!(session.sweep(30_000, 0, 15_000, 20_000), Found::Well);
        assert_eq!(session.sweep(30_100, 0, 15_000, 20_000), Found::Silent);
    }

    #[test]
    fn an_ended_token_ends_the_session_unless_it_was_renewed() {
        let session = session();
        session.renew(200);
        assert_eq!(session.sweep(0, 199, 15_000, 20_000), Found::Well);
        assert_eq!(session.sweep(0, 200, 15_000, 20_000), Found::Expired);
    }
}
