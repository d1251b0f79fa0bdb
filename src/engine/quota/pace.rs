//! So many a second of a whole workspace, with a few seconds' worth at once. One word of memory, and no lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many seconds' worth may come at once: what gathers while a page loads, or a shop's tab comes back.
const BURST_S: u64 = 5;

/// When all of it will be there again, in monotonic microseconds.
#[derive(Debug, Default)]
pub(super) struct Pace(AtomicU64);

impl Pace {
    /// Takes one. `per_s` is not 0.
    ///
    /// # Errors
    /// The milliseconds until there is one again.
    pub(super) fn take(&self, per_s: u64, now_ms: u64) -> Result<(), u64> {
        let taken = self.0.fetch_update(Relaxed, Relaxed, |full_at| next(full_at, per_s, now_ms).ok());
        taken.map(|_| ()).map_err(|full_at| next(full_at, per_s, now_ms).err().unwrap_or(1))
    }

    /// Whether there is one, which is not taken.
    ///
    /// # Errors
    /// As `take`.
    pub(super) fn has(&self, per_s: u64, now_ms: u64) -> Result<(), u64> {
        next(self.0.load(Relaxed), per_s, now_ms).map(|_| ())
    }
}

/// What is held once one was taken; or the milliseconds until one may be.
fn next(full_at_us: u64, per_s: u64, now_ms: u64) -> Result<u64, u64> {
    let now_us = now_ms.saturating_mul(1_000);
    let each_us = (1_000_000 / per_s).max(1);
    let full_at_us = full_at_us.max(now_us) + each_us;
    let most_us = now_us + BURST_S * 1_000_000;
    if full_at_us > most_us { Err((full_at_us - most_us).div_ceil(1_000).max(1)) } else { Ok(full_at_us) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_seconds_worth_at_once_then_one_at_a_time_and_the_wait_is_told() {
        let pace = Pace::default();
        for _ in 0..10 {
            assert_eq!(pace.take(2, 1_000), Ok(()));
        }
        assert_eq!((pace.take(2, 1_000), pace.has(2, 1_200)), (Err(500), Err(300)));
        assert_eq!((pace.has(2, 1_500), pace.take(2, 1_500), pace.take(2, 1_500)), (Ok(()), Ok(()), Err(500)));
    }

    #[test]
    fn a_rate_that_is_changed_holds_at_once() {
        let pace = Pace::default();
        for _ in 0..5 {
            pace.take(1, 0).unwrap();
        }
        assert_eq!(pace.take(1, 0), Err(1_000));
        assert_eq!(pace.take(1_000, 1), Ok(()));
    }
}
