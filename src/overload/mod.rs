//! Staying up: one memory budget, reserved before it is used, and a ladder by which work is shed when it runs short; and the same,
//! with two steps, of the disk.
//!
//! A process has one memory, as it has one allocator and one recorder of metrics, so there is one account of it: [`memory`].
//! Until [`start`] has set a budget nothing is refused, which is how tests of other modules meet it.

pub mod budget;
pub mod descriptors;
mod disk;
pub mod ladder;
mod meter;
pub mod pace;
mod places;
mod reserve;
mod sockets;

pub use budget::Budget;
pub use disk::{Disk, DiskMarks, DiskMeter, disk};
pub use ladder::{Marks, Rung};
pub use meter::start;
pub use places::{Places, places_in};
pub use reserve::{Grains, Purpose, Reserve, Spent, Taken, Weight};

use crate::telemetry::catalogue::SHED_TOTAL;
use crate::wire::error::{Code, WireError};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Bursts may take this part of the budget together.
pub const RESERVE_SHARE: u64 = 4;
/// What is shed may be asked for again after this, and up to as much more, so that not all come back at once.
const RETRY_MS: u64 = 2_000;

static MEMORY: Memory = Memory::new();

/// The process's account of its memory.
#[must_use]
pub fn memory() -> &'static Memory {
    &MEMORY
}

#[derive(Debug)]
pub struct Memory {
    pub reserve: Reserve,
    pub places: Places,
    budget_bytes: AtomicU64,
    used_bytes: AtomicU64,
    /// 0: none.
    rung: AtomicU8,
    spread: AtomicU32,
}

/// Not now: memory is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", .rung.sentence())]
pub struct Shed {
    pub rung: Rung,
    pub retry_after_ms: u64,
}

impl Memory {
    const fn new() -> Self {
        Self {
            reserve: Reserve::new(u64::MAX / 2),
            places: Places::new(usize::MAX / 2),
            budget_bytes: AtomicU64::new(u64::MAX),
            used_bytes: AtomicU64::new(0),
            rung: AtomicU8::new(0),
            spread: AtomicU32::new(0),
        }
    }

    fn hold(&self, budget_bytes: u64) {
        self.budget_bytes.store(budget_bytes, Relaxed);
        self.reserve.hold(budget_bytes / RESERVE_SHARE);
        self.places.hold(budget_bytes);
    }

    #[must_use]
    pub fn budget_bytes(&self) -> u64 {
        self.budget_bytes.load(Relaxed)
    }

    /// What counts against the budget, as of a quarter of a second ago.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Relaxed)
    }

    fn measured(&self, used_bytes: u64) {
        self.used_bytes.store(used_bytes, Relaxed);
    }

    /// What is in force, as of a quarter of a second ago.
    #[must_use]
    pub fn rung(&self) -> Option<Rung> {
        Rung::ALL.get(usize::from(self.rung.load(Relaxed)).checked_sub(1)?).copied()
    }

    fn put(&self, rung: Option<Rung>) {
        self.rung.store(rung.map_or(0, |rung| rung as u8), Relaxed);
    }

    /// Whether work of this rung is shed now. One relaxed load: ask before anything is done for it.
    #[must_use]
    pub fn is_shed(&self, rung: Rung) -> bool {
        self.rung.load(Relaxed) >= rung as u8
    }

    /// To be asked once for each piece of such work: what is shed is counted.
    ///
    /// # Errors
    /// What to answer; nothing happened.
    pub fn admit(&self, rung: Rung) -> Result<(), Shed> {
        if self.is_shed(rung) { Err(self.shed(rung)) } else { Ok(()) }
    }

    /// Whether an agent who was not here before is sent away: for memory, or since its place is kept for one who was.
    #[must_use]
    pub fn newcomers_are_shed(&self) -> bool {
        self.is_shed(Rung::Newcomers) || self.places.are_short()
    }

    /// Counts one, and says what to answer.
    pub fn shed(&self, rung: Rung) -> Shed {
        metrics::counter!(SHED_TOTAL, "rung" => rung.word()).increment(1);
        let spread = u64::from(self.spread.fetch_add(1, Relaxed) % 16);
        Shed { rung, retry_after_ms: RETRY_MS + RETRY_MS / 16 * spread }
    }
}

/// Whether a new conversation of an anonymous visitor may begin. Two relaxed loads while nothing is wrong.
///
/// # Errors
/// What to answer; nothing happened.
pub fn admit_stranger() -> Result<(), WireError> {
    memory().admit(Rung::Starts)?;
    if disk().is_low() { Err(disk().refuse_start()) } else { Ok(()) }
}

impl From<Shed> for WireError {
    fn from(shed: Shed) -> Self {
        WireError::new(Code::Busy, shed.rung.sentence()).after_ms(shed.retry_after_ms)
    }
}

impl From<Spent> for WireError {
    fn from(_: Spent) -> Self {
        WireError::new(Code::Busy, "memory is short: there is no room for this now").after_ms(RETRY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_budget_nothing_is_refused() {
        assert!(Rung::ALL.into_iter().all(|rung| memory().admit(rung).is_ok()));
        assert!(memory().reserve.guard(Purpose::Pages, Weight::Ordinary, 1 << 40).is_ok());
    }

    #[test]
    fn a_rung_sheds_itself_and_all_before_it_and_says_when_to_come_back() {
        let memory = Memory::new();
        memory.put(Some(Rung::Typing));
        let shed: Vec<bool> = Rung::ALL.into_iter().map(|rung| memory.is_shed(rung)).collect();
        assert_eq!(shed, [true, true, false, false, false]);
        let hints: std::collections::BTreeSet<u64> =
            (0..64).map(|_| memory.admit(Rung::Observers).unwrap_err().retry_after_ms).collect();
        assert_eq!(hints.len(), 16, "they do not all come back at once");
        assert!(hints.iter().all(|ms| (RETRY_MS..2 * RETRY_MS).contains(ms)));
        let error = WireError::from(memory.admit(Rung::Typing).unwrap_err());
        assert!(error.code == Code::Busy && error.retry_after_ms >= Some(RETRY_MS), "{error:?}");
        assert_eq!(memory.admit(Rung::History), Ok(()));
        memory.put(None);
        assert_eq!(memory.rung(), None);
    }

    #[test]
    fn places_kept_for_who_comes_back_are_nobody_elses() {
        let memory = Memory::new();
        memory.hold(64 << 20);
        let most = memory.places.most();
        (0..most - 2).for_each(|_| memory.places.open());
        memory.places.keep(1);
        assert!(!memory.newcomers_are_shed());
        memory.places.open();
        assert!(memory.newcomers_are_shed());
        memory.places.keep(0);
        assert!(!memory.newcomers_are_shed());
    }
}
