//! Reports: what happened, counted while the journal is projected, so that no report ever looks through conversations.
//!
//! ```text
//!   events ──Fold (pure)──▶ cells: quarter of an hour × agent × queue × channel ──report──▶ intervals and groups
//!                    ▲ └──▶ what is known of each conversation and agent
//!                    └───── (loaded when an event names them)
//! ```
//!
//! Cells and what they rest on are written in the transaction that projects the same turns, so they are exact after a kill; they follow
//! from the events alone, so a view that is made anew gives the same.

mod agents;
mod conversations;
#[cfg(test)]
mod desk_tests;
mod facts;
mod fold;
mod histogram;
mod live;
pub mod measures;
mod missed;
mod offers;
mod person;
mod read;
mod seed;
mod sums;
mod table;
mod talk;
#[cfg(test)]
mod tests;

pub use histogram::Course;
pub use read::{Found, Group, Wanted};
pub use sums::Sums;

pub(super) use live::Counted;
pub(super) use missed::{Missed, OldReports};
pub(super) use read::report;
pub(super) use table::{TABLES, remove_talk, reported};

/// What a cell spans. Offsets of time zones are whole multiples of it.
pub const BUCKET_MS: u64 = 900_000;

/// Which cells: the same counts by queue and channel, and by agent, queue and channel; and the time of agents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cube {
    Queues,
    Agents,
    Time,
}

impl Cube {
    /// In the file. It never changes its meaning.
    pub(super) fn number(self) -> u8 {
        match self {
            Cube::Queues => 1,
            Cube::Agents => 2,
            Cube::Time => 3,
        }
    }
}

pub(super) fn bucket_of(wall_ms: u64) -> u32 {
    u32::try_from(wall_ms / BUCKET_MS).unwrap_or(u32::MAX)
}
