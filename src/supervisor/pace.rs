//! How soon a server that ended is started again: at once, then ever later, and never not at all.
//!
//! Each end takes a step up, and each two seconds of serving take one back. So who dies now and then is back at once, however often
//! that is, and who dies at each start costs the machine little.

/// The first wait that is one; each further one is twice as long.
const FIRST_MS: u64 = 200;
/// So much serving takes one step back.
const STEP_BACK_MS: u64 = 2_000;
/// Beyond it a doubling changes nothing any more.
const STEPS_MAX: u32 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    step: u32,
    delay_ms_max: u64,
}

impl Pace {
    pub fn new(delay_ms_max: u64) -> Self {
        Self { step: 0, delay_ms_max }
    }

    /// A server ended by itself after so long of serving (0: it never served). How long to wait.
    pub fn ended(&mut self, served_ms: u64) -> u64 {
        let back = u32::try_from(served_ms / STEP_BACK_MS).unwrap_or(u32::MAX);
        self.step = self.step.saturating_sub(back);
        let delay_ms = match self.step {
            0 => 0,
            step => (FIRST_MS << (step - 1)).min(self.delay_ms_max),
        };
        self.step = (self.step + 1).min(STEPS_MAX);
        delay_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_dies_at_each_start_is_started_ever_later_and_never_given_up() {
        let mut pace = Pace::new(10_000);
        let waits: Vec<u64> = (0..9).map(|_| pace.ended(0)).collect();
        assert_eq!(waits, [0, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert!((0..1_000).all(|_| pace.ended(0) == 10_000));
    }

    #[test]
    fn who_served_a_while_is_back_at_once() {
        let mut pace = Pace::new(10_000);
        assert!((0..100).all(|_| pace.ended(2_900) == 0), "killed every three seconds");
        assert_eq!((0..10).map(|_| pace.ended(0)).max(), Some(10_000));
        assert_eq!(pace.ended(60_000), 0);
    }
}
