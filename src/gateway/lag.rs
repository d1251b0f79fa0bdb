//! How late the gateway's own threads are: what a request waits before anybody looks at it.
//!
//! The intake cannot see requests that no thread has read yet. A task that wants to wake every few milliseconds sees them: it
//! stands in the same queue. While it is late, new conversations are refused before anything is done for them, so that
//! what is here already is not late too.

use crate::clock;
use crate::telemetry::catalogue;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(2);
/// Beyond this, new conversations are refused.
pub const START_LAG_MS_MAX: u32 = 4;

#[derive(Debug, Default)]
pub struct Lag {
    ms: AtomicU32,
}

impl Lag {
    /// Measures for ever; spawn it among what it measures.
    pub async fn watch(&self) {
        loop {
            let stopwatch = clock::stopwatch();
            tokio::time::sleep(EVERY).await;
            let late_s = (stopwatch.seconds() - EVERY.as_secs_f64()).max(0.0);
            self.ms.store((late_s * 1_000.0) as u32, Relaxed);
            metrics::gauge!(catalogue::GATEWAY_LAG_SECONDS).set(late_s);
        }
    }

    /// As of a few milliseconds ago.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.ms.load(Relaxed) > START_LAG_MS_MAX
    }

    /// How long it is best to stay away.
    #[must_use]
    pub fn retry_after_ms(&self) -> u64 {
        u64::from(self.ms.load(Relaxed)).saturating_mul(10).clamp(500, 5_000)
    }
}
