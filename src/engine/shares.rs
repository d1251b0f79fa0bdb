//! Who asks how much of the server lately: when it is late, those who ask for more than their share are refused first.
//!
//! Lateness is one for all, since workspaces share processors and a disk. If everybody were refused for it, one tenant's flood would
//! be every tenant's outage; so a new conversation is refused for it only where its workspace has asked for at least as much as there is for
//! each of those who ask. Of one workspace alone that is always so. What is counted is what was asked and not what was done: who is
//! refused and asks on has no smaller share for it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Asks are counted by so long, and looked back on for one to two of these.
const WINDOW_MS: u64 = 500;

/// Asks of this window and of the one before. One word: which window in the upper half, the count below.
#[derive(Debug, Default)]
struct Lately {
    now: AtomicU64,
    before: AtomicU64,
}

impl Lately {
    /// Counts some; says whether they are the first of their window.
    fn add(&self, window: u64, count: u64) -> bool {
        let held = self.now.load(Relaxed);
        if window_of(held) == window {
            self.now.fetch_add(count, Relaxed);
            return false;
        }
        // Two who begin a window at once lose one count: nothing rests on it.
        let first = self.now.compare_exchange(held, word(window, count), Relaxed, Relaxed).is_ok();
        if first {
            self.before.store(held, Relaxed);
        }
        first
    }

    /// Of this window, and of the one before.
    fn counts(&self, window: u64) -> [u64; 2] {
        let (now, before) = (self.now.load(Relaxed), self.before.load(Relaxed));
        let of = |held: u64, wanted: u64| if window_of(held) == wanted { held & u64::from(u32::MAX) } else { 0 };
        let last = window.wrapping_sub(1);
        [of(now, window), of(now, last) + of(before, last)]
    }

    fn count(&self, window: u64) -> u64 {
        self.counts(window).iter().sum()
    }
}

fn window_of(word: u64) -> u64 {
    word >> 32
}

fn word(window: u64, count: u64) -> u64 {
    window << 32 | count
}

/// What one workspace asks.
#[derive(Debug, Default)]
pub struct Share(Lately);

/// What all of them ask, and how many do.
#[derive(Debug, Default)]
pub struct Shares {
    asks: Lately,
    askers: Lately,
}

impl Shares {
    /// A workspace asks for something.
    pub fn ask(&self, share: &Share, now_ms: u64) {
        let window = window(now_ms);
        self.asks.add(window, 1);
        if share.0.add(window, 1) {
            self.askers.add(window, 1);
        }
    }

    /// Whether it has asked for as much as there is for each, or more.
    #[must_use]
    pub fn is_used_up(&self, share: &Share, now_ms: u64) -> bool {
        let window = window(now_ms);
        // A window that has just begun has not heard of all of them.
        let [now, before] = self.askers.counts(window);
        let askers = now.max(before).max(1);
        share.0.count(window) >= self.asks.count(window) / askers
    }
}

fn window(now_ms: u64) -> u64 {
    // From 1, so that what never was counted is of no window.
    (now_ms / WINDOW_MS + 1) & u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_always_at_its_share() {
        let (shares, one) = (Shares::default(), Share::default());
        for ms in 0..3_000 {
            shares.ask(&one, ms);
            assert!(shares.is_used_up(&one, ms), "{ms}");
        }
    }

    #[test]
    fn who_floods_is_over_its_share_and_its_neighbour_is_not() {
        let (shares, loud, quiet) = (Shares::default(), Share::default(), Share::default());
        for ms in 0..5_000 {
            (0..4).for_each(|_| shares.ask(&loud, ms));
            if ms % 20 == 0 {
                shares.ask(&quiet, ms);
            }
            assert!(shares.is_used_up(&loud, ms), "{ms}");
            assert!(!shares.is_used_up(&quiet, ms), "{ms}");
        }
    }

    #[test]
    fn what_was_asked_long_ago_is_forgotten() {
        let (shares, loud, quiet) = (Shares::default(), Share::default(), Share::default());
        (0..1_000).for_each(|_| shares.ask(&loud, 0));
        shares.ask(&quiet, 10 * WINDOW_MS);
        assert_eq!((loud.0.count(window(10 * WINDOW_MS)), quiet.0.count(window(10 * WINDOW_MS))), (0, 1));
        assert!(shares.is_used_up(&quiet, 10 * WINDOW_MS));
    }
}
