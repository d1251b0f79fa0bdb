//! Clocks of service, and opening hours.

use super::parties::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A clock of service runs from now on, or goes on by what another queue sets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClockSet {
    /// The conversation's id.
    pub conversation: String,
    /// `accept`, `first_reply`, `next_reply` or `resolution`.
    pub clock: Word,
    /// By whose settings.
    pub queue: Arc<str>,
    /// From when it counts, in Unix milliseconds.
    pub since: u64,
    /// When its time is over, in Unix milliseconds.
    pub due: u64,
}

/// Its time is over. It runs on, to be achieved late or voided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClockBreached {
    /// The conversation's id.
    pub conversation: String,
    /// Which.
    pub clock: Word,
    /// By whose settings.
    pub queue: Arc<str>,
}

/// It ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClockEnded {
    /// The conversation's id.
    pub conversation: String,
    /// Which.
    pub clock: Word,
    /// By whose settings.
    pub queue: Arc<str>,
    /// `achieved` or `voided`.
    pub end: Word,
    /// It was breached before.
    pub late: bool,
    /// From its beginning.
    pub took_ms: u64,
}

/// The queues with these hours are open, or closed, from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HoursTurned {
    /// The hours' name.
    pub hours: Arc<str>,
    /// Whether they are open.
    pub open: bool,
    /// Until when, in Unix milliseconds; null: that is not known.
    pub until: Option<u64>,
}
