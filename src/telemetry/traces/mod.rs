//! OpenTelemetry traces: from a request, through the turn that decided it and the commit that kept it, to who was told.
//!
//! ```text
//!   GET /v1/… ─┐                          ┌─▶ journal append ─▶ journal commit (links to each append of its group)
//!   agent frame├─▶ command ──links──▶ turn┼─▶ deliver
//!              ┘                          └─▶ webhook
//! ```
//!
//! Many commands share a turn, so it is part of the first one's trace and has a link to each of them, as each has one to it. Off, which
//! is how it is without an endpoint, all of this is one look at a pointer: no span is made, and a command is no larger for it than by that.
//!
//! It is the process's, like the metrics: a handle in each session and command would cost more than it tells.

mod context;
mod export;
mod span;
mod turns;

pub use context::Context;
pub use export::{Exporting, Settings, start};
pub use span::{Kind, Open};
pub use turns::{of_turn, remember_turn};

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::task::futures::TaskLocalFuture;

/// Requests whose callers sample them are sampled too, but no more than so many a second: anybody may say that he does.
const PARENTS_PER_S: u64 = 100;

/// What a command carries where its request is sampled.
pub type Trace = Option<Box<Open>>;

struct Traces {
    queue: export::Queue,
    /// Of 2^64.
    sampled: u64,
    parents: AtomicU64,
    turns: turns::Turns,
}

static TRACES: OnceLock<Traces> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Context;
}

/// Whether spans are kept at all.
#[must_use]
pub fn are_on() -> bool {
    TRACES.get().is_some()
}

/// A span of which nothing was before here, where it is sampled: as its caller's is, by `traceparent`, or else by the ratio.
#[must_use]
pub fn root(traceparent: Option<&str>, kind: Kind, name: impl FnOnce() -> String, now_ms: u64) -> Trace {
    let traces = TRACES.get()?;
    let parent = traceparent.and_then(Context::parse);
    let context = parent.map_or_else(Context::fresh, |(parent, _)| parent.child());
    let by_parent = parent.is_some_and(|(_, sampled)| sampled) && traces.may_follow(now_ms);
    // Of the trace's own number, so that all who sample by the same ratio sample the same traces.
    let by_ratio = || parent.is_none_or(|(_, sampled)| sampled) && (context.trace as u64) < traces.sampled;
    (by_parent || by_ratio())
        .then(|| Box::new(Open::new(context, parent.map(|(parent, _)| parent.span), kind, name().into())))
}

/// What is done for this span, in this task: what it asks for goes on in its trace.
pub fn under<F: Future>(context: Context, doing: F) -> TaskLocalFuture<Context, F> {
    CURRENT.scope(context, doing)
}

/// The same of what is done at once.
pub fn at_once_under<T>(context: Context, doing: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(context, doing)
}

/// The span that is being done in this task.
#[must_use]
pub fn current() -> Option<Context> {
    if !are_on() {
        return None;
    }
    CURRENT.try_with(|context| *context).ok()
}

/// A span of what is asked for in this task, where that is sampled.
#[must_use]
pub fn part(name: impl FnOnce() -> String) -> Trace {
    current().map(|context| Box::new(Open::child(context, name().into())))
}

impl Traces {
    /// The second in the upper half, how many there were in the lower.
    fn may_follow(&self, now_ms: u64) -> bool {
        let second = (now_ms / 1_000) << 32;
        let count = |held: u64| {
            let had = if held & !u64::from(u32::MAX) == second { held } else { second };
            (had - second < PARENTS_PER_S).then_some(had + 1)
        };
        self.parents.fetch_update(Relaxed, Relaxed, count).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_who_sample_everything_are_followed_so_often_a_second() {
        let traces = Traces {
            queue: export::Queue::default(),
            sampled: 0,
            parents: AtomicU64::new(0),
            turns: turns::Turns::default(),
        };
        let followed = |ms| (0..1_000).filter(|_| traces.may_follow(ms)).count() as u64;
        assert_eq!((followed(5_000), followed(5_999), followed(6_000)), (PARENTS_PER_S, 0, PARENTS_PER_S));
    }

    #[test]
    fn off_there_are_no_spans() {
        assert!(!are_on());
        assert!(root(None, Kind::Server, || unreachable!("nobody asks for its name"), 0).is_none());
        assert!(at_once_under(Context::fresh(), current).is_none());
        assert_eq!(size_of::<Trace>(), size_of::<usize>());
    }
}
