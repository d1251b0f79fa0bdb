//! How late the gateway's own threads are: what a request waits before anybody looks at it.
//!
//! The intake cannot see requests that no thread has read yet. A task that wants to wake every few milliseconds sees them: it
//! stands in the same queue. While it stays late, new conversations are refused before anything is done for them, so that
//! what is here already is not late too. One late moment is no flood: another process, or a slow page, makes those. So it must
//! last; but for a second after a flood, the next one is believed at once (CoDel, RFC 8289, does the same with packets).
//!
//! Each lane has its own: that those who were refused stand behind one another is nothing to who comes for the first time.

use crate::clock;
use crate::telemetry::catalogue;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(2);
/// Later than this is late.
pub const LATE_MS: u32 = 4;
/// How long it must stay late before new conversations are refused.
pub const LASTING_MS: u64 = 100;
/// How long after they were refused the next late moment counts at once.
const REMEMBERED_MS: u64 = 1_000;

thread_local! {
    static IN_THE_BACK: Cell<bool> = const { Cell::new(false) };
}

/// The calling thread serves those who were refused before.
pub fn serves_the_back() {
    IN_THE_BACK.set(true);
}

/// Of both lanes.
#[derive(Debug, Default)]
pub struct Lag {
    front: Late,
    back: Late,
}

/// How late one lane's threads are, while new conversations are refused for it; else 0. In milliseconds.
#[derive(Debug, Default)]
struct Late(AtomicU32);

impl Lag {
    /// Measures for ever; spawn it among what it measures.
    pub async fn watch(&self) {
        let lane = if IN_THE_BACK.get() { "back" } else { "front" };
        let gauge = metrics::gauge!(catalogue::GATEWAY_LAG_SECONDS, "lane" => lane);
        let mut judge = Judge::default();
        loop {
            let stopwatch = clock::stopwatch();
            // How much longer than this it takes is what is measured.
            tokio::time::sleep(EVERY).await;
            // What was just woken goes first; what asks again goes behind all that waits, as a request does.
            tokio::task::yield_now().await;
            let late_s = (stopwatch.seconds() - EVERY.as_secs_f64()).max(0.0);
            gauge.set(late_s);
            let late_ms = (late_s * 1_000.0) as u32;
            let lasts = judge.lasts(late_ms, clock::monotonic_ms());
            self.here().0.store(if lasts { late_ms } else { 0 }, Relaxed);
        }
    }

    /// Whether the calling thread's lane is, as of a few milliseconds ago.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.here().0.load(Relaxed) > 0
    }

    /// How long it is best to stay away.
    #[must_use]
    pub fn retry_after_ms(&self) -> u64 {
        u64::from(self.here().0.load(Relaxed)).saturating_mul(10).clamp(500, 5_000)
    }

    fn here(&self) -> &Late {
        if IN_THE_BACK.get() { &self.back } else { &self.front }
    }
}

/// Tells what lasts from what passes.
#[derive(Debug, Default)]
struct Judge {
    late_since_ms: Option<u64>,
    refused_at_ms: Option<u64>,
}

impl Judge {
    fn lasts(&mut self, late_ms: u32, now_ms: u64) -> bool {
        if late_ms <= LATE_MS {
            self.late_since_ms = None;
            return false;
        }
        let since_ms = *self.late_since_ms.get_or_insert(now_ms);
        let again = self.refused_at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < REMEMBERED_MS);
        let lasts = again || now_ms.saturating_sub(since_ms) >= LASTING_MS;
        if lasts {
            self.refused_at_ms = Some(now_ms);
        }
        lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_moment_passes_and_what_lasts_is_believed() {
        let mut judge = Judge::default();
        assert!(!judge.lasts(600, 1_000), "one moment, however long");
        assert!(!judge.lasts(0, 1_010));
        assert!(!judge.lasts(40, 1_030) && !judge.lasts(40, 1_072) && !judge.lasts(40, 1_114));
        assert!(judge.lasts(40, 1_156), "late for a tenth of a second");
        assert!(!judge.lasts(LATE_MS, 1_162));
        assert!(judge.lasts(LATE_MS + 1, 1_500), "again soon: at once");
        assert!(!judge.lasts(0, 1_600));
        assert!(!judge.lasts(LATE_MS + 1, 2_600), "a second later: as if for the first time");
    }
}
