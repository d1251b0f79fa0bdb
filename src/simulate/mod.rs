//! What could happen, by the shipped code: [`staffing`] asks how a workspace would do under a load, [`shadow`] what it would
//! have done with another system's; and bad days from a seed.
//!
//! The bad days: the shipped turn code, driven through torn writes, full disks, unknown outcomes, crashes,
//! lagging views and jumping clocks by clients that remember what they were told, and judged from outside.
//!
//! The same seed gives the same run, byte for byte: nothing here reads a clock or the system's randomness.

pub mod dice;
mod journal;
mod judge;
mod judge_clients;
mod judge_clocks;
mod judge_customers;
mod judge_decisions;
mod judge_hours;
mod judge_imports;
mod judge_moves;

mod judge_routing;
mod judge_seen;
mod judge_silence;
mod judge_waiting;
mod kinds;
mod kinds_of_events;
pub mod notation;
mod people;
mod run;
mod sabotage;
mod serving;
pub mod shadow;
pub mod staffing;
mod starting;
mod view;
mod world;

pub use kinds::Kinds;
pub use run::{Fault, Mode, Plan, Ran, journal_of, records_of, run};
pub use sabotage::Sabotage;
