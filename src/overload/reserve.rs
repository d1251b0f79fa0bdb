//! Bytes for bursts: taken from one shared reserve before they are allocated, and given back with what they were for.
//!
//! One counter for all, so it is taken from in grains: what a connection needs while nothing is wrong is reserved with its
//! place, and never comes here.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

/// What the bytes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Frames that agents have not read.
    Mailboxes,
    /// Events that customers' streams have not read.
    Streams,
    /// Bodies of requests.
    Bodies,
    /// Pages of history under way.
    Pages,
    /// Commands that wait for their turn.
    Turns,
    /// Chunks of files on their way in or out.
    Files,
}

impl Purpose {
    pub const ALL: [Purpose; 6] =
        [Purpose::Mailboxes, Purpose::Streams, Purpose::Bodies, Purpose::Pages, Purpose::Turns, Purpose::Files];

    /// The word for metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Mailboxes => "mailboxes",
            Purpose::Streams => "streams",
            Purpose::Bodies => "bodies",
            Purpose::Pages => "pages",
            Purpose::Turns => "turns",
            Purpose::Files => "files",
        }
    }
}

/// How near to its end the reserve may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What can be said again, or asked for again.
    Ordinary,
    /// A reply, a snapshot, an answer of an agent: the last eighth is for these.
    Last,
}

/// There is nothing left for this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reserve for bursts is used up")]
pub struct Spent;

#[derive(Debug)]
pub struct Reserve {
    bytes_max: AtomicU64,
    taken: AtomicU64,
    by_purpose: [AtomicU64; Purpose::ALL.len()],
    refused: [AtomicU64; Purpose::ALL.len()],
}

impl Reserve {
    #[must_use]
    pub const fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max: AtomicU64::new(bytes_max),
            taken: AtomicU64::new(0),
            by_purpose: [const { AtomicU64::new(0) }; Purpose::ALL.len()],
            refused: [const { AtomicU64::new(0) }; Purpose::ALL.len()],
        }
    }

    pub(super) fn hold(&self, bytes_max: u64) {
        self.bytes_max.store(bytes_max, Relaxed);
    }

    /// Takes bytes, to be given back with `give`; where one owner holds them for a while, [`Reserve::guard`].
    ///
    /// # Errors
    /// Too little is left for this; nothing was taken.
    pub fn take(&self, purpose: Purpose, weight: Weight, bytes: u64) -> Result<(), Spent> {
        let bytes_max = self.bytes_max.load(Relaxed);
        let bytes_max = if weight == Weight::Last { bytes_max } else { bytes_max - bytes_max / 8 };
        // Compared and set in one step: what is refused is never seen as taken, so it refuses nobody else.
        let enough = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= bytes_max);
        if self.taken.fetch_update(AcqRel, Relaxed, enough).is_err() {
            self.refused[purpose as usize].fetch_add(1, Relaxed);
            return Err(Spent);
        }
        self.by_purpose[purpose as usize].fetch_add(bytes, Relaxed);
        Ok(())
    }

    /// Takes bytes that are never refused: there are no more of them than agents.
    pub fn take_anyway(&self, purpose: Purpose, bytes: u64) {
        self.taken.fetch_add(bytes, AcqRel);
        self.by_purpose[purpose as usize].fetch_add(bytes, Relaxed);
    }

    /// From the purpose first: what all purposes have is never seen as more than what is taken.
    pub fn give(&self, purpose: Purpose, bytes: u64) {
        self.by_purpose[purpose as usize].fetch_sub(bytes, Relaxed);
        self.taken.fetch_sub(bytes, AcqRel);
    }

    /// # Errors
    /// As `take`.
    pub fn guard(&'static self, purpose: Purpose, weight: Weight, bytes: usize) -> Result<Taken, Spent> {
        self.take(purpose, weight, bytes as u64)?;
        Ok(Taken { reserve: self, purpose, bytes: bytes as u64 })
    }

    #[must_use]
    pub fn taken_bytes(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    #[must_use]
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max.load(Relaxed)
    }

    /// Taken for this, and how often it was refused since the start.
    #[must_use]
    pub fn of(&self, purpose: Purpose) -> (u64, u64) {
        (self.by_purpose[purpose as usize].load(Relaxed), self.refused[purpose as usize].load(Relaxed))
    }
}

/// Bytes that were taken; dropped, they are given back.
#[derive(Debug)]
#[must_use]
pub struct Taken {
    reserve: &'static Reserve,
    purpose: Purpose,
    bytes: u64,
}

impl Taken {
    /// Gives back what it did not come to, or takes what it came to beyond.
    ///
    /// # Errors
    /// Too little is left; what was taken stays.
    pub fn resize_to(&mut self, bytes: usize) -> Result<(), Spent> {
        let bytes = bytes as u64;
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.reserve.take(self.purpose, Weight::Ordinary, more)?,
            None => self.reserve.give(self.purpose, self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

/// A queue that is charged in grains, beyond what is reserved with its owner's place: so the shared counter is left alone
/// while nothing is wrong. What it holds follows from its size, and takes no room of its own.
#[derive(Debug, Clone, Copy)]
pub struct Grains {
    pub purpose: Purpose,
    pub own_bytes: usize,
    pub grain_bytes: usize,
}

impl Grains {
    fn of(self, bytes: usize) -> u64 {
        (bytes.saturating_sub(self.own_bytes).div_ceil(self.grain_bytes) * self.grain_bytes) as u64
    }

    /// The queue grows; `None` for what is never refused.
    ///
    /// # Errors
    /// Too little is left; it must not.
    pub fn grow(self, reserve: &Reserve, from: usize, to: usize, weight: Option<Weight>) -> Result<(), Spent> {
        let more = self.of(to).saturating_sub(self.of(from));
        match weight {
            _ if more == 0 => Ok(()),
            Some(weight) => reserve.take(self.purpose, weight, more),
            None => {
                reserve.take_anyway(self.purpose, more);
                Ok(())
            }
        }
    }

    /// It has shrunk.
    pub fn shrink(self, reserve: &Reserve, from: usize, to: usize) {
        let less = self.of(from).saturating_sub(self.of(to));
        if less > 0 {
            reserve.give(self.purpose, less);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.reserve.give(self.purpose, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_eighth_is_for_what_cannot_be_said_again() {
        let reserve = Reserve::new(800);
        reserve.take(Purpose::Mailboxes, Weight::Ordinary, 700).unwrap();
        assert_eq!(reserve.take(Purpose::Mailboxes, Weight::Ordinary, 1), Err(Spent));
        reserve.take(Purpose::Mailboxes, Weight::Last, 100).unwrap();
        assert_eq!(reserve.take(Purpose::Pages, Weight::Last, 1), Err(Spent));
        reserve.take_anyway(Purpose::Turns, 5);
        assert_eq!(reserve.taken_bytes(), 805);
        assert_eq!((reserve.of(Purpose::Mailboxes), reserve.of(Purpose::Pages)), ((800, 1), (0, 1)));
    }

    #[test]
    fn a_queue_takes_grains_beyond_its_own_room_and_gives_them_all_back() {
        let reserve = Reserve::new(1_000_000);
        let grains = Grains { purpose: Purpose::Mailboxes, own_bytes: 4_096, grain_bytes: 16_384 };
        let mut bytes = 0;
        let mut steps = 0_u64;
        for round in 0..2_000_usize {
            let to = round * 7_919 % 100_000;
            if to > bytes {
                let before = reserve.taken_bytes();
                grains.grow(&reserve, bytes, to, Some(Weight::Ordinary)).unwrap();
                steps += u64::from(reserve.taken_bytes() != before);
            } else {
                grains.shrink(&reserve, bytes, to);
            }
            bytes = to;
            assert!(reserve.taken_bytes() + 4_096 >= bytes as u64 && reserve.taken_bytes() < bytes as u64 + 16_384);
        }
        assert!(steps > 100);
        grains.shrink(&reserve, bytes, 0);
        assert_eq!(reserve.taken_bytes(), 0);
        let spent = grains.grow(&reserve, 0, 2_000_000, Some(Weight::Last));
        assert_eq!((spent, reserve.taken_bytes()), (Err(Spent), 0));
        grains.grow(&reserve, 0, 2_000_000, None).unwrap();
        assert!(reserve.taken_bytes() >= 1_995_904);
    }

    #[test]
    fn what_a_guard_took_comes_back_with_it() {
        static RESERVE: Reserve = Reserve::new(800);
        let mut taken = RESERVE.guard(Purpose::Bodies, Weight::Ordinary, 600).unwrap();
        assert_eq!(RESERVE.guard(Purpose::Bodies, Weight::Ordinary, 600).unwrap_err(), Spent);
        taken.resize_to(100).unwrap();
        assert_eq!(RESERVE.taken_bytes(), 100);
        taken.resize_to(700).unwrap();
        assert_eq!((taken.resize_to(701), RESERVE.taken_bytes()), (Err(Spent), 700));
        drop(taken);
        assert_eq!(RESERVE.taken_bytes(), 0);
        assert!(RESERVE.guard(Purpose::Bodies, Weight::Ordinary, 600).is_ok());
    }

    #[test]
    fn takers_at_once_never_take_more_than_there_is() {
        static RESERVE: Reserve = Reserve::new(1_000);
        let rounds = |_| {
            std::thread::spawn(|| {
                for _ in 0..20_000 {
                    if let Ok(taken) = RESERVE.guard(Purpose::Pages, Weight::Last, 300) {
                        assert!(RESERVE.of(Purpose::Pages).0 <= 1_000, "three of them fit");
                        drop(taken);
                    }
                }
            })
        };
        for thread in (0..4).map(rounds).collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        assert_eq!((RESERVE.taken_bytes(), RESERVE.of(Purpose::Pages).0), (0, 0));
    }
}
