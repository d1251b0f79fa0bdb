//! The floor on which everybody plays: where the server is, what agents are to do with offers, and what all of them noted.

use super::tally::{Ledger, Offers, Return, Statuses};
use crate::client::{Address, Answered, Call, Client};
use crate::clock;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a page in a conversation's metadata says of its customer.
pub(super) const TALK: &str = "/talk";
pub(super) const FLOOD: &str = "/flood";
pub(super) const UNREAD: &str = "/unread";
/// What an agent chooses at its first welcome, and never again.
pub(super) const CHOSEN: &str = "available";

/// What agents do with an offer once it is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hands {
    Accept,
    /// It is looked at, and not answered yet.
    Hold,
}

/// What everybody wrote down.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// By agent.
    pub here: Vec<bool>,
    pub available: usize,
    pub ledger: Ledger,
    /// Conversation -> its customer's token.
    pub tokens: BTreeMap<String, String>,
    pub offers: Offers,
    /// Offers that an agent's client has confirmed as shown.
    pub shown: std::collections::BTreeSet<String>,
    pub statuses: Statuses,
    pub back: Return,
    /// When everybody dropped.
    pub dropped_at: Option<Instant>,
    pub heard: Heard,
    pub accepts: Accepts,
    /// What should not happen to a client that does what it is told.
    pub faults: Vec<String>,
    pub talking: usize,
}

/// Answers by which clients were put off.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Heard {
    /// 503 `busy`: over HTTP, by what was asked.
    pub busy: BTreeMap<String, u64>,
    /// 503 `unavailable`: nobody serves for the moment.
    pub unavailable: u64,
    /// Handshakes that were told when to come.
    pub told_to_wait: u64,
}

impl Heard {
    pub fn busy_in_all(&self) -> u64 {
        self.busy.values().sum()
    }
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Accepts {
    pub done: u64,
    /// Put off as memory was short: never to happen.
    pub busy: u64,
    /// From the first try to the reply, in milliseconds.
    pub slowest_ms: u64,
}

pub(super) struct Floor {
    pub address: Address,
    pub hands: watch::Sender<Hands>,
    /// Between two messages of one customer, on the average.
    pub pause: Duration,
    notes: Mutex<Notes>,
}

impl Floor {
    pub fn new(address: Address, agents: usize, pause: Duration) -> Self {
        let notes = Notes { here: vec![false; agents], ..Notes::default() };
        Self { address, hands: watch::Sender::new(Hands::Accept), pause, notes: Mutex::new(notes) }
    }

    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn here(&self) -> usize {
        self.notes().here.iter().filter(|here| **here).count()
    }

    pub fn came(&self, agent: usize) {
        let mut notes = self.notes();
        notes.here[agent] = true;
        if let Some(dropped_at) = notes.dropped_at {
            notes.back.back(agent, (now() - dropped_at).as_secs_f64());
        }
    }

    pub fn went(&self, agent: usize) {
        let mut notes = self.notes();
        notes.here[agent] = false;
        if notes.dropped_at.is_some() {
            notes.back.dropped(agent);
        }
    }

    /// From now on who loses its connection has dropped with everybody else.
    pub fn all_drop(&self) {
        let mut notes = self.notes();
        notes.dropped_at = Some(now());
        notes.back = Return::default();
    }

    pub fn fault(&self, fault: String) {
        let mut notes = self.notes();
        // As many as somebody will read.
        if notes.faults.len() < 20 {
            notes.faults.push(fault);
        }
    }

    /// Counts an answer by which a client was put off, and says for how long.
    pub fn put_off(&self, asked: &str, answered: &Answered) -> Option<Duration> {
        let after = answered.retry_after()?;
        let mut notes = self.notes();
        match answered.text("code") {
            "unavailable" => notes.heard.unavailable += 1,
            _ => *notes.heard.busy.entry(asked.to_owned()).or_default() += 1,
        }
        Some(after)
    }

    /// Asks with the same id until there is an answer that waiting would not change, through restarts too.
    pub async fn persist(&self, client: &mut Client, asked: &str, call: &Call<'_>) -> Answered {
        loop {
            let pause = match client.ask_once(call).await {
                Ok(answered) => match self.put_off(asked, &answered) {
                    Some(pause) => pause,
                    None => return answered,
                },
                // Nobody is there for the moment, or the answer was lost on its way.
                Err(_) => jitter(200, 1_000),
            };
            // As long as the server asked for, or as docs/wire.md says of a connection that broke.
            tokio::time::sleep(pause).await;
        }
    }
}

pub(super) fn now() -> Instant {
    Instant::from_std(clock::instant())
}

/// A time between two, in milliseconds.
pub(super) fn jitter(from_ms: u64, to_ms: u64) -> Duration {
    let mut bits = [0; 8];
    // Without random bits all come at once, which is harder.
    let _ = getrandom::fill(&mut bits);
    Duration::from_millis(from_ms + u64::from_le_bytes(bits) % to_ms.saturating_sub(from_ms).max(1))
}
