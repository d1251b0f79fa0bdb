//! The two clocks, as plain values. Neither type can read a clock: both times are handed in.

use serde::{Deserialize, Serialize};

/// Milliseconds of desk time: the monotonic clock that offers, delivery, grace, cool-downs and wrap-up run on.
/// It stands still while the workspace cannot commit and goes on after a restart where the last record left it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeskTime(pub u64);

impl DeskTime {
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this; 0 when `earlier` is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds since the Unix epoch, for age, reports and people. Never goes back within a journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime(pub u64);

/// Both clocks, read once for a whole turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Now {
    #[serde(rename = "desk_ms")]
    pub desk: DeskTime,
    #[serde(rename = "wall_ms")]
    pub wall: WallTime,
}
