//! In which order work is shed when memory runs short. Pure: a level of use goes in, the rung that is in force comes out.
//!
//! ```text
//!   level ≥ a rung's mark ──────────────▶ that rung, at once
//!   level < its mark less the gap ──────▶ one rung down, a reading
//! ```
//!
//! What is never shed is on no rung: an accept or reject, the return of an agent within its grace, and messages in owned
//! conversations, which are limited per sender.

/// What is shed, the first first. Whatever is in force sheds all before it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rung {
    /// Supervisors' live rows of queues and agents.
    Observers = 1,
    /// Signals that somebody types.
    Typing,
    /// Pages of messages, notes, conversations and search.
    History,
    /// New conversations of visitors whom no token of their company names.
    Starts,
    /// Connections of agents who were not here before.
    Newcomers,
}

impl Rung {
    pub const ALL: [Rung; 5] = [Rung::Observers, Rung::Typing, Rung::History, Rung::Starts, Rung::Newcomers];

    /// The word for metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Rung::Observers => "observers",
            Rung::Typing => "typing",
            Rung::History => "history",
            Rung::Starts => "starts",
            Rung::Newcomers => "newcomers",
        }
    }

    /// What a client is told.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Rung::Observers => "memory is short: live rows are not sent for now",
            Rung::Typing => "memory is short: typing is not passed on for now",
            Rung::History => "memory is short: history is not read for now",
            Rung::Starts => "memory is short: no new conversation is begun for now",
            Rung::Newcomers => "memory is short: nobody new is let in for now",
        }
    }

    fn place(self) -> usize {
        self as usize - 1
    }
}

/// Where each rung begins, in thousandths of the budget, ascending; and how far below its mark it is left again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    pub begin: [u32; Rung::ALL.len()],
    pub gap: u32,
}

/// Which rung is in force.
#[derive(Debug, Clone)]
pub struct Ladder {
    marks: Marks,
    rung: Option<Rung>,
}

impl Ladder {
    #[must_use]
    pub fn new(marks: Marks) -> Self {
        Self { marks, rung: None }
    }

    /// Takes a reading, in thousandths, and says what is in force from now on.
    pub fn read(&mut self, level: u32) -> Option<Rung> {
        let reached = Rung::ALL.into_iter().rev().find(|rung| level >= self.marks.begin[rung.place()]);
        let Some(now) = self.rung else {
            self.rung = reached;
            return reached;
        };
        if reached > self.rung {
            self.rung = reached;
        } else if level + self.marks.gap < self.marks.begin[now.place()] {
            // One at a time: what was shed comes back, and is seen, before the next is let in.
            self.rung = now.place().checked_sub(1).map(|below| Rung::ALL[below]);
        }
        self.rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks { begin: [700, 750, 800, 850, 900], gap: 50 };

    /// Readings, and the rung after each.
    fn script(readings: &str) -> String {
        let mut ladder = Ladder::new(MARKS);
        let words = readings.split(' ').map(|level| ladder.read(level.parse().unwrap()).map_or("none", Rung::word));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rungs_come_in_their_order_as_the_level_rises() {
        assert_eq!(script("0 699 700 750 800 850 900"), "none none observers typing history starts newcomers");
    }

    #[test]
    fn a_leap_takes_all_rungs_on_its_way_at_once() {
        assert_eq!(script("100 990"), "none newcomers");
    }

    #[test]
    fn a_rung_is_left_only_well_below_its_mark() {
        assert_eq!(script("700 690 651 650 649 649 699"), "observers observers observers observers none none none");
    }

    #[test]
    fn rungs_are_left_one_at_a_time() {
        let after = "newcomers starts history typing observers none none";
        assert_eq!(script("950 0 0 0 0 0 0"), after);
    }

    #[test]
    fn a_level_that_swings_about_a_mark_changes_nothing() {
        assert_eq!(script("810 790 805 760 820 751"), "history history history history history history");
    }

    #[test]
    fn whatever_is_read_the_rung_fits_the_level() {
        // Every way of five readings out of a grid, which meets each edge from both sides.
        let grid = [0, 649, 650, 699, 700, 749, 750, 800, 849, 850, 899, 900, 2_000];
        for path in 0..grid.len().pow(4) {
            let mut ladder = Ladder::new(MARKS);
            let mut before = None;
            for step in 0..4 {
                let level = grid[path / grid.len().pow(step) % grid.len()];
                let now = ladder.read(level);
                for rung in Rung::ALL {
                    let (begin, in_force) = (MARKS.begin[rung.place()], now >= Some(rung));
                    assert!(in_force || level < begin, "{rung:?} is not in force at {level}");
                    let was = before >= Some(rung);
                    assert!(!in_force || was || level >= begin, "{rung:?} came into force at {level}");
                }
                before = now;
            }
        }
    }
}
