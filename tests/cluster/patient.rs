//! What good clients share that live through troubles: where the nodes are, what an answer means, and how long to wait for one. None of them ever
//! takes silence for an answer: what was sent is sent again with the same id, to whichever node, until something is said of it.

use crate::support::random::Random;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Nothing came for so long: the node may stand still, and another is asked.
pub const NODE_PATIENCE: Duration = Duration::from_secs(3);
/// Something that is asked again and again is answered within this, whatever the troubles.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// After a connection that was not taken.
const AGAIN: Duration = Duration::from_millis(50);

/// Where the nodes are now: one that was started again is elsewhere.
#[derive(Clone)]
pub struct Places(Arc<Mutex<Vec<SocketAddr>>>);

impl Places {
    pub fn new(nodes: Vec<SocketAddr>) -> Self {
        Self(Arc::new(Mutex::new(nodes)))
    }

    pub fn is_at(&self, node: usize, address: SocketAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[node] = address;
    }

    pub fn any(&self, random: &mut Random) -> SocketAddr {
        let nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        nodes[random.below(nodes.len() as u64) as usize]
    }
}

/// What each client got done, so that it is seen when all get on again.
#[derive(Clone)]
pub struct Progress(Arc<(Vec<AtomicU64>, Notify)>);

impl Progress {
    pub fn of(clients: usize) -> Self {
        Self(Arc::new(((0..clients).map(|_| AtomicU64::new(0)).collect(), Notify::new())))
    }

    pub fn one(&self, client: usize) {
        self.0.0[client].fetch_add(1, Ordering::Relaxed);
        self.0.1.notify_waiters();
    }

    pub fn counts(&self) -> Vec<u64> {
        self.0.0.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Until every client got something done from now on.
    pub async fn of_all(&self) {
        let before = self.counts();
        loop {
            let notified = self.0.1.notified();
            if self.counts().iter().zip(&before).all(|(now, before)| now > before) {
                return;
            }
            notified.await;
        }
    }
}

/// What became of one sending.
pub enum Heard {
    /// Done, or refused: so says the desk.
    Answer(Value),
    /// Nothing happened by this sending, and never will.
    NotDone { retry_after_ms: u64, why: Value },
    /// Nobody took it.
    NotSent,
    /// It was sent, and nobody knows.
    Nothing,
}

/// What the client that asks does next.
pub enum Next {
    Answered(Value),
    /// Each sending was without effect: it may be given up.
    MayGiveUp,
    Again,
}

/// One command, from its first sending to its answer.
#[derive(Debug, Clone)]
pub struct Pursuit {
    pub id: String,
    since: Instant,
    /// A sending is without an answer: from then on only what is done, or refused, says anything.
    is_open: bool,
}

impl Pursuit {
    pub fn begin(id: String) -> Self {
        Self { id, since: Instant::now(), is_open: false }
    }

    /// Waits as long as it was told to, before it is sent again.
    pub async fn heard(&mut self, heard: Heard) -> Next {
        let mut may_give_up = false;
        let (wait, said) = match heard {
            Heard::Answer(answer) => return Next::Answered(answer),
            Heard::NotDone { retry_after_ms, why } => {
                may_give_up = !self.is_open;
                (Duration::from_millis(retry_after_ms), why.to_string())
            }
            Heard::NotSent => (AGAIN, "no connection".to_owned()),
            Heard::Nothing => {
                self.is_open = true;
                (AGAIN, "no answer".to_owned())
            }
        };
        let waited = self.since.elapsed();
        assert!(waited < ANSWER_PATIENCE, "{} has no answer after {waited:?}; at last: {said}", self.id);
        // As long as the server asked for.
        tokio::time::sleep(wait).await;
        if may_give_up { Next::MayGiveUp } else { Next::Again }
    }
}

/// What an error says, where that is that nothing happened.
pub fn not_done(error: &Value) -> Option<Heard> {
    let code = error["code"].as_str().unwrap_or_default();
    let retry_after_ms = error["retry_after_ms"].as_u64().unwrap_or(1_000);
    matches!(code, "busy" | "unavailable" | "behind").then(|| Heard::NotDone { retry_after_ms, why: error.clone() })
}
