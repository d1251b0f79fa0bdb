//! What is really used, four times a second: it corrects what was reserved, and says which rung of the ladder is in force.

use super::budget::{Budget, Group};
use super::disk::DiskMeter;
use super::ladder::{Ladder, Marks, Rung};
use super::reserve::Purpose;
use super::sockets::Sockets;
use super::{Memory, memory};
use crate::telemetry::catalogue as names;
use crate::telemetry::memory::{Status, allocator_bytes, status};
use metrics::{counter, gauge};
use std::io;
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(250);
/// Readings of memory to one of the disk.
const DISK_EVERY: u64 = 4;

/// Sets the budget, and measures against it as long as the process lives.
///
/// On a thread of its own: when all others are late is when it is needed.
///
/// # Errors
/// The thread could not be started.
pub fn start(budget: &Budget, marks: Marks, mut disk: DiskMeter) -> io::Result<()> {
    memory().hold(budget.bytes);
    let mut meter = Meter { group: budget.group().cloned(), sockets: Sockets::default(), ladder: Ladder::new(marks) };
    // In force before the first connection comes.
    meter.read(memory());
    disk.read();
    std::thread::Builder::new().name("meter".to_owned()).spawn(move || {
        for reading in 1_u64.. {
            // Neither the allocator nor the kernel says when memory grows: it is measured, at this pace.
            std::thread::sleep(EVERY);
            meter.read(memory());
            if reading.is_multiple_of(DISK_EVERY) {
                disk.read();
            }
        }
    })?;
    Ok(())
}

struct Meter {
    /// Whose limit the budget comes from: others in it use it up too.
    group: Option<Group>,
    sockets: Sockets,
    ladder: Ladder,
}

impl Meter {
    fn read(&mut self, memory: &Memory) {
        let Status { rss_anon_bytes, descriptors } = status();
        let sockets_bytes = self.sockets.held_bytes(descriptors);
        let own_bytes = rss_anon_bytes.unwrap_or(0) + sockets_bytes;
        let group_bytes = self.group.as_ref().and_then(Group::held_bytes).unwrap_or(0);
        let used_bytes = own_bytes.max(group_bytes);
        memory.measured(used_bytes);
        let budget_bytes = memory.budget_bytes();
        let level =
            level(used_bytes, budget_bytes).max(level(memory.reserve.taken_bytes(), memory.reserve.bytes_max()));
        let before = memory.rung();
        let rung = self.ladder.read(level);
        memory.put(rung);
        if rung != before {
            say(before, rung, used_bytes, budget_bytes);
        }

        let kinds = gauge_of_memory;
        kinds("sockets", sockets_bytes);
        kinds("used", used_bytes);
        kinds("budget", budget_bytes);
        if let Some(bytes) = rss_anon_bytes {
            kinds("rss_anon", bytes);
        }
        if let Some(bytes) = allocator_bytes() {
            kinds("allocated", bytes.allocated as u64);
            kinds("active", bytes.active as u64);
            kinds("resident", bytes.resident as u64);
            kinds("retained", bytes.retained as u64);
        }
        kinds("databases", databases_bytes());
        for purpose in Purpose::ALL {
            let (taken_bytes, refused) = memory.reserve.of(purpose);
            gauge!(names::RESERVE_BYTES, "purpose" => purpose.word()).set(taken_bytes as f64);
            counter!(names::RESERVE_REFUSED_TOTAL, "purpose" => purpose.word()).absolute(refused);
        }
        for (kind, count) in memory.places.amounts() {
            gauge!(names::PLACES, "kind" => kind).set(count as f64);
        }
        for each in Rung::ALL {
            let in_force = rung >= Some(each);
            gauge!(names::LADDER_RUNG, "rung" => each.word()).set(if in_force { 1.0 } else { 0.0 });
        }
    }
}

/// Pages and everything else that SQLite holds, for all stores. It allocates with the C library, which the allocator's account knows
/// nothing of. Each page cache has a bound that it comes to in hours where little is read.
fn databases_bytes() -> u64 {
    // SAFETY: reads a counter that SQLite keeps under a lock of its own.
    u64::try_from(unsafe { rusqlite::ffi::sqlite3_memory_used() }).unwrap_or(0)
}

fn gauge_of_memory(kind: &'static str, bytes: u64) {
    gauge!(names::MEMORY_BYTES, "kind" => kind).set(bytes as f64);
}

/// In thousandths.
pub(super) fn level(used: u64, most: u64) -> u32 {
    u32::try_from(used.saturating_mul(1_000) / most.max(1)).unwrap_or(u32::MAX)
}

fn say(before: Option<Rung>, rung: Option<Rung>, used_bytes: u64, budget_bytes: u64) {
    let (used_mib, budget_mib) = (used_bytes >> 20, budget_bytes >> 20);
    match rung {
        Some(rung) if before < Some(rung) => {
            tracing::warn!(
                shed = rung.word(),
                used_mib,
                budget_mib,
                "memory is short: this and what stands before it is shed"
            );
        }
        Some(rung) => tracing::info!(shed = rung.word(), used_mib, budget_mib, "less is shed"),
        None => tracing::info!(used_mib, budget_mib, "memory is no longer short: nothing is shed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        let marks = Marks { begin: [700, 750, 800, 850, 900], gap: 50 };
        Meter { group: None, sockets: Sockets::default(), ladder: Ladder::new(marks) }
    }

    #[test]
    fn what_is_used_is_measured_against_the_budget() {
        static MEMORY: Memory = Memory::new();
        let mut meter = meter();
        MEMORY.hold(1 << 40);
        meter.read(&MEMORY);
        assert_eq!(MEMORY.rung(), None, "no test takes a terabyte");
        MEMORY.hold(1 << 20);
        meter.read(&MEMORY);
        assert_eq!(MEMORY.rung(), Some(Rung::Newcomers), "no process runs in a megabyte");
    }

    #[test]
    fn a_reserve_that_runs_out_sheds_as_memory_does() {
        static MEMORY: Memory = Memory::new();
        let mut meter = meter();
        MEMORY.hold(1 << 40);
        let bytes = MEMORY.reserve.bytes_max() / 100 * 72;
        let taken = MEMORY.reserve.guard(Purpose::Pages, super::super::Weight::Ordinary, bytes as usize).unwrap();
        meter.read(&MEMORY);
        assert_eq!(MEMORY.rung(), Some(Rung::Observers));
        drop(taken);
        meter.read(&MEMORY);
        assert_eq!(MEMORY.rung(), None);
    }

    #[test]
    fn levels_are_thousandths() {
        assert_eq!([level(1, 2), level(0, 0), level(u64::MAX, 1)], [500, 0, u32::MAX]);
    }
}
