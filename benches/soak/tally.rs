//! What the clients of the soak write down.

use std::cell::Cell;

#[derive(Default)]
pub struct Tally {
    /// Agents' connections that ended otherwise than their agent wished.
    pub sessions_lost: Cell<u64>,
    /// Answers and ends that no client should have had.
    pub errors: Cell<u64>,
    /// Answers that said when to try again.
    pub told_to_wait: Cell<u64>,
    pub connected: Cell<u64>,
    pub started: Cell<u64>,
    pub accepted: Cell<u64>,
    /// Agents' ways to go, in the order of `Way`.
    pub left: [Cell<u64>; 6],
    /// What strangers were refused, as they should be.
    pub refused: Cell<u64>,
    pub reads: Cell<u64>,
}

pub fn add(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

impl Tally {
    pub fn error(&self, what: &str) {
        // Each is counted; the first ones say what they are.
        if self.errors.get() < 30 {
            eprintln!("unexpected: {what}");
        }
        add(&self.errors);
    }

    pub fn lost(&self, what: &str) {
        if self.sessions_lost.get() < 30 {
            eprintln!("a session was lost: {what}");
        }
        add(&self.sessions_lost);
    }

    pub fn say(&self, at_s: u64) {
        let left: Vec<u64> = self.left.iter().map(Cell::get).collect();
        eprintln!(
            "{at_s} s: {} connects, left {left:?}; {} starts, {} accepts, {} reads, {} refused as they should be; \
             told to wait {}, lost {}, unexpected {}",
            self.connected.get(),
            self.started.get(),
            self.accepted.get(),
            self.reads.get(),
            self.refused.get(),
            self.told_to_wait.get(),
            self.sessions_lost.get(),
            self.errors.get()
        );
    }
}
