//! Bad days from a seed: the shipped turn code, driven through torn writes, full disks, unknown outcomes, crashes,
//! lagging views and jumping clocks by clients that remember what they were told, and judged from outside.
//!
//! The same seed gives the same run, byte for byte: nothing here reads a clock or the system's randomness.

pub mod dice;
mod journal;
mod judge;
mod judge_clients;
mod judge_routing;
mod judge_waiting;
pub mod notation;
mod people;
mod run;
mod sabotage;
mod serving;
mod starting;
mod view;
mod world;

pub use run::{Fault, Mode, Plan, Ran, run};
pub use sabotage::Sabotage;
