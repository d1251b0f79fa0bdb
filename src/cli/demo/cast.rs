//! Who plays in the demo, what they say, and the dice they throw.

use std::time::Duration;

pub(super) const AGENTS: [(&str, &str); 8] = [
    ("ada", "Ada"),
    ("grace", "Grace"),
    ("alan", "Alan"),
    ("barbara", "Barbara"),
    ("edsger", "Edsger"),
    ("frances", "Frances"),
    ("ken", "Ken"),
    ("radia", "Radia"),
];

pub(super) const CUSTOMERS: [&str; 10] =
    ["Zoë", "Amir", "Lena", "Oluwaseun", "Mei", "Pablo", "Ingrid", "Tomás", "Noor", "Jakub"];

/// What a customer says, in order; the page that it writes from decides its queue.
pub(super) struct Talk {
    pub page: &'static str,
    pub lines: &'static [&'static str],
}

pub(super) const TALKS: [Talk; 5] = [
    Talk {
        page: "/account/invoices",
        lines: &["My last invoice has me down twice.", "Number 4711, from Tuesday.", "Perfect, thank you!"],
    },
    Talk {
        page: "/pricing",
        lines: &["Is there a plan for twelve people?", "And can we pay by the year?", "Then we will start on Monday."],
    },
    Talk {
        page: "/help",
        lines: &["I cannot sign in since this morning.", "It says the code is wrong.", "Now it works."],
    },
    Talk { page: "/orders", lines: &["Where is my parcel?", "Order 20 417.", "Oh, the neighbour has it. Sorry!"] },
    Talk { page: "/pricing", lines: &["Do you have a discount for schools?", "About two hundred pupils."] },
];

pub(super) const ANSWERS: [&str; 6] = [
    "Hello! Let me look.",
    "One moment, I have it here.",
    "I see. Could you tell me a little more?",
    "That is mended now.",
    "Good question: yes, that works.",
    "Done. Is there anything else?",
];

pub(super) const REJECT_REASONS: [&str; 3] = ["busy", "not_mine", "break"];

/// A small generator (xorshift64*): what the demo does need not be hard to guess.
pub(super) struct Dice(u64);

impl Dice {
    pub fn thrown() -> Self {
        let mut seed = [0; 8];
        // Without random bits the demo plays the same piece each time, which harms nobody.
        let _ = getrandom::fill(&mut seed);
        Self(u64::from_le_bytes(seed) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap_or(0)
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// A time between two, in milliseconds.
    pub fn pause(&mut self, from_ms: usize, to_ms: usize) -> Duration {
        Duration::from_millis((from_ms + self.below(to_ms.saturating_sub(from_ms))) as u64)
    }
}
