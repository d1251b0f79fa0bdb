//! The one reader of the real clocks. Everything else is handed its times.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the process began, by the monotonic clock.
#[must_use]
pub fn monotonic_ms() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// Milliseconds since the Unix epoch; 0 if the clock is set before it.
#[must_use]
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Nanoseconds since the Unix epoch; 0 if the clock is set before it.
#[must_use]
pub fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Unix seconds by the wall clock as it was when the process began, and by the monotonic clock from there on: what was given so
/// long is not over, nor goes on for ever, because somebody sets the clock.
#[must_use]
pub fn steady_s() -> i64 {
    static BEGAN: OnceLock<(u64, u64)> = OnceLock::new();
    let (wall_began_ms, began_ms) = *BEGAN.get_or_init(|| (wall_ms(), monotonic_ms()));
    ((wall_began_ms + monotonic_ms() - began_ms) / 1_000) as i64
}

/// A point to measure a duration from, for metrics.
#[must_use]
pub fn stopwatch() -> Stopwatch {
    Stopwatch(Instant::now())
}

/// Runs from when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// For libraries that ask for the monotonic clock themselves.
#[must_use]
pub fn instant() -> Instant {
    Instant::now()
}
