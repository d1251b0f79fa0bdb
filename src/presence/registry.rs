//! The roll of who can be reached: all sessions of all agents and all streams of all customers, sharded.
//!
//! Nothing here decides anything: what a session's coming or going means is the desk's to say. No guard of a map is
//! held while a frame is made, and none across an await.

use super::session::{Found, Session, WorkspaceNumber};
use super::stream::{PublicFrame, Stream};
use crate::desk::ids::{AgentId, ConversationId, SessionId};
use crate::wire::close::CloseCode;
use dashmap::DashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use tokio_tungstenite::tungstenite::Utf8Bytes;

#[derive(Debug)]
pub struct Registry {
    sessions: DashMap<SessionId, Arc<Session>>,
    by_agent: DashMap<(WorkspaceNumber, AgentId), Vec<Arc<Session>>>,
    streams: DashMap<(WorkspaceNumber, ConversationId), Vec<Arc<Stream>>>,
    streams_open: AtomicUsize,
    /// Monotonic milliseconds, which begin with the process: before the first sweep, then.
    swept_at_ms: AtomicU64,
    limits: Limits,
}

/// Two sweeps are so far apart at most, or else this process stood still in between.
const SWEEPS_APART_MS: u64 = 1_500;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub sessions_max: usize,
    pub streams_max: usize,
    pub streams_of_conversation_max: usize,
    pub stream_bytes_max: usize,
    pub ping_every_ms: u64,
    pub dead_after_ms: u64,
    /// How long after its end a token is still taken.
    pub token_leeway_s: i64,
}

/// There is no room for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no room for another connection")]
pub struct Full;

impl Registry {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            sessions: DashMap::new(),
            by_agent: DashMap::new(),
            streams: DashMap::new(),
            streams_open: AtomicUsize::new(0),
            swept_at_ms: AtomicU64::new(0),
            limits,
        }
    }

    /// Takes a session in, before the desk has heard of it.
    ///
    /// # Errors
    /// All places are taken.
    pub fn admit(&self, session: Session) -> Result<Arc<Session>, Full> {
        if self.sessions.len() >= self.limits.sessions_max {
            return Err(Full);
        }
        let session = Arc::new(session);
        self.sessions.insert(session.id, session.clone());
        Ok(session)
    }

    /// The desk has let it in: from now on it hears what its agent is told. `false` when its connection is gone already:
    /// then nobody else tells the desk so.
    #[must_use]
    pub fn bind(&self, session: &Arc<Session>, agent: AgentId) -> bool {
        session.belongs_to(agent);
        let mut of_agent = self.by_agent.entry((session.workspace, agent)).or_default();
        if !of_agent.iter().any(|held| held.id == session.id) {
            of_agent.reserve_exact(1);
            of_agent.push(session.clone());
        }
        drop(of_agent);
        // Looked up after the agent was written: whoever removes the session meanwhile sees one of the two.
        let here = self.sessions.contains_key(&session.id);
        if !here {
            self.remove(session);
        }
        here
    }

    /// Its connection is gone. By its own id, in the step that removes it, so that a device that is back already
    /// is not removed by its predecessor.
    pub fn remove(&self, session: &Session) {
        self.sessions.remove(&session.id);
        let Some(agent) = session.agent() else { return };
        self.by_agent.remove_if_mut(&(session.workspace, agent), |_, of_agent| {
            of_agent.retain(|held| held.id != session.id);
            of_agent.is_empty()
        });
    }

    /// Do something for each device of an agent.
    pub fn each_of(&self, workspace: WorkspaceNumber, agent: AgentId, mut act: impl FnMut(&Arc<Session>)) {
        if let Some(of_agent) = self.by_agent.get(&(workspace, agent)) {
            of_agent.iter().for_each(&mut act);
        }
    }

    /// Closes every device that came by this sign-in, bound to an agent or not yet. Looks through all: people sign out seldom.
    pub fn close_of_signin(&self, signin: u64, code: CloseCode, reason: &'static str) -> Vec<SessionId> {
        let of = self.sessions.iter().filter(|session| session.signin() == signin);
        of.inspect(|session| session.close_for(code, reason)).map(|session| session.id).collect()
    }

    /// A delta to all devices of an agent. `frame` is made only if there is one.
    pub fn tell(&self, workspace: WorkspaceNumber, agent: AgentId, frame: impl FnOnce() -> Option<Utf8Bytes>) {
        // No guard is held while the frame is made: that may read a key from the disk, or tell somebody else.
        let Some(of_agent) = self.by_agent.get(&(workspace, agent)).map(|held| held.clone()) else { return };
        let Some(frame) = frame() else { return };
        for session in of_agent {
            session.tell(frame.clone());
        }
    }

    /// Follow a conversation, from now on.
    ///
    /// # Errors
    /// All places for streams are taken, or all those for this conversation.
    pub fn follow(&self, workspace: WorkspaceNumber, conversation: ConversationId) -> Result<Arc<Stream>, Full> {
        if self.streams_open.load(Relaxed) >= self.limits.streams_max {
            return Err(Full);
        }
        let stream = Arc::new(Stream::default());
        let mut of_conversation = self.streams.entry((workspace, conversation)).or_default();
        if of_conversation.len() >= self.limits.streams_of_conversation_max {
            return Err(Full);
        }
        of_conversation.push(stream.clone());
        self.streams_open.fetch_add(1, Relaxed);
        Ok(stream)
    }

    pub fn unfollow(&self, workspace: WorkspaceNumber, conversation: ConversationId, stream: &Arc<Stream>) {
        let mut removed = false;
        self.streams.remove_if_mut(&(workspace, conversation), |_, of_conversation| {
            let before = of_conversation.len();
            of_conversation.retain(|held| !Arc::ptr_eq(held, stream));
            removed = of_conversation.len() < before;
            of_conversation.is_empty()
        });
        if removed {
            self.streams_open.fetch_sub(1, Relaxed);
        }
    }

    #[must_use]
    pub fn is_followed(&self, workspace: WorkspaceNumber, conversation: ConversationId) -> bool {
        self.streams.contains_key(&(workspace, conversation))
    }

    /// An event to all streams of a conversation. `frame` is made only if there is one.
    pub fn publish(
        &self,
        workspace: WorkspaceNumber,
        conversation: ConversationId,
        frame: impl FnOnce() -> Option<PublicFrame>,
    ) {
        let Some(of_conversation) = self.streams.get(&(workspace, conversation)).map(|held| held.clone()) else {
            return;
        };
        let Some(frame) = frame() else { return };
        for stream in of_conversation {
            stream.push(frame.clone(), self.limits.stream_bytes_max);
        }
    }

    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams_open.load(Relaxed)
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Look after every session: pings, dead peers, tokens that ended. To be called about once a second.
    ///
    /// Time in which this process stood still (a paused machine, a starved one) is nobody's silence: what its peers said
    /// meanwhile is still to be read, and giving them up together would be a storm of our own making.
    pub fn sweep(&self, now_ms: u64, steady_s: i64) {
        let apart_ms = now_ms.saturating_sub(self.swept_at_ms.swap(now_ms, Relaxed));
        let stood_still_ms = if apart_ms > SWEEPS_APART_MS { apart_ms } else { 0 };
        for session in &self.sessions {
            if stood_still_ms > 0 {
                session.overlook(now_ms, stood_still_ms);
            }
            match session.sweep(
                now_ms,
                steady_s - self.limits.token_leeway_s,
                self.limits.ping_every_ms,
                self.limits.dead_after_ms,
            ) {
                Found::Dead => metrics::counter!("offhook_dead_peers_total").increment(1),
                Found::Well | Found::Silent | Found::Expired => {}
            }
        }
    }

    /// The server goes down in order: everybody is told when to come back, each another moment, so that the next server takes them in evenly.
    pub fn close_all(&self) {
        let mut sessions = Spread::over(self.sessions.len());
        for session in &self.sessions {
            session.close_restarting(sessions.next_ms());
        }
        let mut streams = Spread::over(self.streams());
        for of_conversation in &self.streams {
            of_conversation.iter().for_each(|stream| stream.end(streams.next_ms()));
        }
    }

    /// The same for one workspace's agents, whose sessions are void: they are to come again, to any node.
    pub fn close_of_workspace(&self, workspace: WorkspaceNumber) {
        let here = || self.sessions.iter().filter(|session| session.workspace == workspace);
        let mut sessions = Spread::over(here().count());
        for session in here() {
            session.close_restarting(sessions.next_ms());
        }
    }
}

/// A restart takes about as long.
const FIRST_BACK_MS: u32 = 200;
/// As fast as one server takes sessions in without being late with anything else.
const BACK_PER_MS: usize = 5;
/// Well within every grace.
const SPREAD_MS_MAX: u32 = 5_000;

/// When each of so many is to come back: in the order of the map, which is that of no name.
struct Spread {
    width_ms: u32,
    count: u64,
    place: u64,
}

impl Spread {
    fn over(count: usize) -> Self {
        let width_ms = u32::try_from(count / BACK_PER_MS).unwrap_or(SPREAD_MS_MAX).clamp(FIRST_BACK_MS, SPREAD_MS_MAX);
        Self { width_ms, count: count.max(1) as u64, place: 0 }
    }

    fn next_ms(&mut self) -> u32 {
        let place = (self.place % self.count) * u64::from(self.width_ms) / self.count;
        self.place += 1;
        FIRST_BACK_MS + place as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::settings::Role;

    #[test]
    fn those_who_are_sent_away_come_back_evenly_and_soon() {
        let of = |count: usize| {
            let mut spread = Spread::over(count);
            (0..count).map(|_| spread.next_ms()).collect::<Vec<_>>()
        };
        assert_eq!(of(2), [200, 300]);
        let many = of(15_000);
        assert_eq!((many[0], many[7_500], many[14_999]), (200, 1_700, 3_199));
        assert!(of(200_000).iter().all(|ms| *ms < FIRST_BACK_MS + SPREAD_MS_MAX));
    }

    fn registry() -> Registry {
        Registry::new(Limits {
            sessions_max: 3,
            streams_max: 3,
            streams_of_conversation_max: 2,
            stream_bytes_max: 1_000,
            ping_every_ms: 15_000,
            dead_after_ms: 20_000,
            token_leeway_s: 0,
        })
    }

    fn session(id: u128) -> Session {
        Session::new(SessionId(id), 0, "ada".into(), Role::Agent, i64::MAX, 1_000, 0)
    }

    #[test]
    fn a_predecessor_does_not_remove_who_came_back() {
        let registry = registry();
        let old = registry.admit(session(1)).unwrap();
        assert!(registry.bind(&old, AgentId(0)));
        let new = registry.admit(session(2)).unwrap();
        assert!(registry.bind(&new, AgentId(0)));
        registry.remove(&old);
        let mut left = Vec::new();
        registry.each_of(0, AgentId(0), |held| left.push(held.id));
        assert_eq!(left, [SessionId(2)]);
        registry.remove(&old);
        registry.remove(&new);
        assert!(!registry.bind(&new, AgentId(0)), "its connection is gone already");
        assert_eq!((registry.sessions(), registry.by_agent.len()), (0, 0));
    }

    #[test]
    fn what_this_process_stood_still_is_nobodys_silence() {
        let registry = registry();
        let held = registry.admit(session(1)).unwrap();
        let is_given_up = || {
            let waker = std::task::Waker::noop();
            let out = held.mailbox().poll_end(&mut std::task::Context::from_waker(waker));
            out.is_ready()
        };
        // Before the first sweep, too.
        registry.sweep(70_000, 0);
        assert!(!is_given_up());
        held.heard(70_000);
        let begin = 70;
        for second in begin + 1..=begin + 14 {
            registry.sweep(second * 1_000, 0);
        }
        // A minute that nobody saw, then all goes on: there are still the six seconds in which it is pinged and may answer.
        for second in begin + 74..=begin + 79 {
            registry.sweep(second * 1_000, 0);
            assert!(!is_given_up(), "after {second} s");
        }
        registry.sweep((begin + 80) * 1_000, 0);
        assert!(is_given_up());
    }

    #[test]
    fn devices_of_one_sign_in_are_closed_bound_or_not_and_no_others() {
        use crate::presence::mailbox::Out;
        let registry = registry();
        let held: Vec<_> = (0..3).map(|id| registry.admit(session(id)).unwrap()).collect();
        held[0].rest_on(7);
        held[1].rest_on(7);
        assert!(registry.bind(&held[1], AgentId(0)));
        registry.close_of_signin(7, CloseCode::SignedOut, "signed_out");
        let waker = std::task::Waker::noop();
        let closed = held.iter().map(|session| {
            let out = session.mailbox().poll_end(&mut std::task::Context::from_waker(waker));
            matches!(out, std::task::Poll::Ready(Out::Close { code: 4000, .. }))
        });
        assert_eq!(closed.collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn places_are_bounded_and_come_free_again() {
        let registry = registry();
        let held: Vec<_> = (0..3).map(|id| registry.admit(session(id)).unwrap()).collect();
        assert_eq!(registry.admit(session(9)).unwrap_err(), Full);
        registry.remove(&held[0]);
        assert!(registry.admit(session(9)).is_ok());

        let first = registry.follow(0, ConversationId(1)).unwrap();
        let _second = registry.follow(0, ConversationId(1)).unwrap();
        assert_eq!(registry.follow(0, ConversationId(1)).unwrap_err(), Full);
        registry.unfollow(0, ConversationId(1), &first);
        registry.unfollow(0, ConversationId(1), &first);
        assert_eq!(registry.streams(), 1);
    }
}
