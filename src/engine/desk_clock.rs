//! Desk time out of a monotonic clock: in steps of at most a second, standing still while nothing can be committed.

use crate::desk::time::{DeskTime, Now, WallTime};

/// A process that was stopped for an hour leaps no further than this.
pub const STEP_MS_MAX: u64 = 1_000;

/// The two clocks of one workspace, as of the last turn.
#[derive(Clone, Copy, Debug)]
pub struct DeskClock {
    now: Now,
    /// The monotonic reading that `now.desk` was taken at.
    read_at_ms: u64,
    stands: bool,
}

impl DeskClock {
    /// Goes on from where the last record left off.
    #[must_use]
    pub fn from_record(last: Now, monotonic_ms: u64) -> Self {
        Self { now: last, read_at_ms: monotonic_ms, stands: false }
    }

    /// Both times for a turn. A wall clock that was set back stands until it has caught up.
    pub fn advance(&mut self, monotonic_ms: u64, wall_ms: u64) -> Now {
        let elapsed_ms = monotonic_ms.saturating_sub(self.read_at_ms).min(STEP_MS_MAX);
        self.read_at_ms = monotonic_ms.max(self.read_at_ms);
        if !self.stands {
            self.now.desk = self.now.desk.plus_ms(elapsed_ms);
        }
        self.now.wall = self.now.wall.max(WallTime(wall_ms));
        self.now
    }

    /// Nothing can be committed: desk time stands still, so that no offer runs out meanwhile.
    pub fn stand(&mut self) {
        self.stands = true;
    }

    pub fn go_on(&mut self, monotonic_ms: u64) {
        self.stands = false;
        self.read_at_ms = monotonic_ms;
    }

    #[must_use]
    pub fn desk(&self) -> DeskTime {
        self.now.desk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_process_leaps_one_second_at_most() {
        let mut clock = DeskClock::from_record(Now { desk: DeskTime(5_000), wall: WallTime(100) }, 10);
        assert_eq!(clock.advance(310, 400).desk, DeskTime(5_300));
        assert_eq!(clock.advance(3_600_310, 3_600_400).desk, DeskTime(6_300));
    }

    #[test]
    fn it_stands_while_nothing_commits_and_leaps_nowhere_after() {
        let mut clock = DeskClock::from_record(Now::default(), 0);
        clock.stand();
        assert_eq!(clock.advance(900, 900).desk, DeskTime(0));
        clock.go_on(1_500);
        assert_eq!(clock.advance(1_600, 1_600).desk, DeskTime(100));
    }

    #[test]
    fn wall_time_never_goes_back() {
        let mut clock = DeskClock::from_record(Now::default(), 0);
        assert_eq!(clock.advance(1, 5_000).wall, WallTime(5_000));
        assert_eq!(clock.advance(2, 1_000).wall, WallTime(5_000));
        assert_eq!(clock.advance(3, 6_000).wall, WallTime(6_000));
    }
}
