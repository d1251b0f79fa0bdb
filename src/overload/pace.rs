//! Who is let in when everybody comes at once: so many are served at a time, a bounded line waits, and whoever finds no room
//! is told when to come, before anything is done for it.
//!
//! Nothing here is a rate that somebody must guess. As many are served at once as keep both the processors and the journal's
//! group commit busy; how fast that goes is measured while the line is not empty, and what is told to those outside it is
//! their place behind it at that speed. So they come back spread out, about when there is room, and not all together.
//!
//! Who comes back goes before who is new, in the line and in what is told: it takes the place of a new one if it must.

use crate::clock;
use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// Until it has been measured.
const RATE_AT_FIRST: f64 = 1_000.0;
const RATE_LEAST: f64 = 20.0;
/// So long a time is measured at once.
const WINDOW_MS: u64 = 200;
const RETRY_MS_MIN: u64 = 100;
/// Nobody is told to stay away for longer: who has not been heard of for as long as that is not waited for either.
const RETRY_MS_MAX: u64 = 30_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comer {
    /// Was here before, as a ticket of ours says.
    Returning,
    New,
}

impl Comer {
    /// In metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Returning => "returning",
            Self::New => "new",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct PaceLimits {
    /// Served at once: being checked, and waiting for their first answer.
    pub at_once: usize,
    /// In line behind them.
    pub waiting_max: usize,
}

/// There is no room now: come back then, and not before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Later {
    pub retry_after_ms: u64,
}

/// The one door that all go through.
#[derive(Debug)]
pub struct Pace {
    limits: PaceLimits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    served: usize,
    /// Returning ones, and new ones.
    lines: [VecDeque<oneshot::Sender<Result<(), Later>>>; 2],
    /// Until when the places behind each line have been promised to those who were told to come back.
    promised_until_ms: [u64; 2],
    speed: Speed,
    hasher: RandomState,
    told: u64,
}

/// What is done in a second, as long as there is always something to do.
#[derive(Debug)]
struct Speed {
    per_s: f64,
    since_ms: u64,
    done: u32,
}

/// A place among those who are served; given back when dropped.
#[derive(Debug)]
pub struct Served(Arc<Pace>);

/// A place in the line. It becomes a place among those who are served, or the answer that one of those who come back took it.
#[derive(Debug)]
pub struct InLine {
    pace: Arc<Pace>,
    turn: oneshot::Receiver<Result<(), Later>>,
}

/// What becomes of who comes.
#[derive(Debug)]
pub enum Entry {
    Now(Served),
    Wait(InLine),
    Later(Later),
}

impl Pace {
    #[must_use]
    pub fn new(limits: PaceLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::new(State {
                served: 0,
                lines: [VecDeque::new(), VecDeque::new()],
                promised_until_ms: [0; 2],
                speed: Speed { per_s: RATE_AT_FIRST, since_ms: 0, done: 0 },
                hasher: RandomState::new(),
                told: 0,
            }),
        })
    }

    /// Somebody comes.
    #[must_use]
    pub fn enter(self: &Arc<Self>, comer: Comer) -> Entry {
        self.enter_at(comer, clock::monotonic_ms())
    }

    fn enter_at(self: &Arc<Self>, comer: Comer, now_ms: u64) -> Entry {
        let mut state = self.lock();
        if state.served < self.limits.at_once {
            if state.served == 0 {
                state.speed.begin(now_ms);
            }
            state.served += 1;
            return Entry::Now(Served(self.clone()));
        }
        if state.waiting() >= self.limits.waiting_max {
            // Those who gave up while they waited.
            state.lines.iter_mut().for_each(|line| line.retain(|waiting| !waiting.is_closed()));
        }
        if state.waiting() >= self.limits.waiting_max {
            let last = if comer == Comer::Returning { state.lines[1].pop_back() } else { None };
            let Some(last) = last else { return Entry::Later(state.later(comer, now_ms)) };
            let later = state.later(Comer::New, now_ms);
            // It may have gone meanwhile: then nobody need be told.
            let _ = last.send(Err(later));
        }
        let (tell, turn) = oneshot::channel();
        state.lines[comer as usize].push_back(tell);
        Entry::Wait(InLine { pace: self.clone(), turn })
    }

    /// When one who finds no room elsewhere is to come back.
    #[must_use]
    pub fn later(&self, comer: Comer) -> Later {
        self.lock().later(comer, clock::monotonic_ms())
    }

    /// Those who are served, and those in line.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let state = self.lock();
        (state.served, state.waiting())
    }

    fn gave_back(&self, now_ms: u64) {
        let mut state = self.lock();
        let busy = state.waiting() > 0;
        state.speed.did_one(busy, now_ms);
        while let Some(next) = state.lines[0].pop_front().or_else(|| state.lines[1].pop_front()) {
            if next.send(Ok(())).is_ok() {
                return;
            }
        }
        state.served -= 1;
        if state.served == 0 {
            // What a storm took is given back.
            state.lines.iter_mut().for_each(|line| line.shrink_to(64));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.lines.iter().map(VecDeque::len).sum()
    }

    /// A place behind all who wait and all who were told to come back before, with jitter.
    fn later(&mut self, comer: Comer, now_ms: u64) -> Later {
        let each_ms = 1_000.0 / self.speed.per_s;
        let returning_until_ms = self.promised_until_ms[0];
        let (ahead, behind_ms) = match comer {
            Comer::Returning => (self.lines[0].len(), returning_until_ms),
            // Whoever comes back comes first, in what is promised too.
            Comer::New => (self.waiting(), returning_until_ms.max(self.promised_until_ms[1])),
        };
        let line_ends_ms = now_ms as f64 + ahead as f64 * each_ms;
        let at_ms = (behind_ms as f64).max(line_ends_ms) + each_ms;
        let most_ms = now_ms + RETRY_MS_MAX;
        self.promised_until_ms[comer as usize] = (at_ms.ceil() as u64).min(most_ms);
        self.told = self.told.wrapping_add(1);
        let chance = (self.hasher.hash_one(self.told) >> 32) as f64 / f64::from(u32::MAX);
        let wait_ms = (at_ms - now_ms as f64).min(RETRY_MS_MAX as f64);
        // Around its place; where there are no more places, anywhere in the last half of the time.
        let jittered_ms =
            if at_ms as u64 >= most_ms { wait_ms * (0.5 + chance / 2.0) } else { wait_ms * (0.9 + chance / 4.0) };
        Later { retry_after_ms: (jittered_ms as u64 + (chance * 100.0) as u64).clamp(RETRY_MS_MIN, RETRY_MS_MAX) }
    }
}

impl Speed {
    fn begin(&mut self, now_ms: u64) {
        (self.since_ms, self.done) = (now_ms, 0);
    }

    /// `busy`: somebody waited for this one's place, so that the speed is ours and not that of those who come.
    fn did_one(&mut self, busy: bool, now_ms: u64) {
        if !busy {
            self.begin(now_ms);
            return;
        }
        self.done += 1;
        let took_ms = now_ms.saturating_sub(self.since_ms);
        if took_ms >= WINDOW_MS {
            let measured = f64::from(self.done) * 1_000.0 / took_ms as f64;
            self.per_s = f64::midpoint(self.per_s, measured).max(RATE_LEAST);
            self.begin(now_ms);
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.gave_back(clock::monotonic_ms());
    }
}

impl Future for InLine {
    type Output = Result<Served, Later>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let turn = ready!(Pin::new(&mut self.turn).poll(cx));
        Poll::Ready(match turn {
            Ok(Ok(())) => Ok(Served(self.pace.clone())),
            Ok(Err(later)) => Err(later),
            // A sender is dropped with the pace, which this one holds.
            Err(_) => Err(self.pace.later(Comer::New)),
        })
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        self.turn.close();
        // Its turn had come when it went: the place is the next one's.
        if let Ok(Ok(())) = self.turn.try_recv() {
            self.pace.gave_back(clock::monotonic_ms());
        }
    }
}

#[cfg(test)]
mod tests;
