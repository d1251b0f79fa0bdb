//! The two clocks, as plain values. Neither type can read a clock: both times are handed in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Milliseconds of desk time: the monotonic clock that offers, delivery, grace, cool-downs and wrap-up run on.
/// It stands still while the workspace cannot commit and goes on after a restart where the last record left it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
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

/// A desk time or none, in eight bytes where `Option<DeskTime>` takes sixteen: each of a million conversations has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Option<DeskTime>", into = "Option<DeskTime>")]
pub struct DeskTimeOrNone(u64);

impl DeskTimeOrNone {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn get(self) -> Option<DeskTime> {
        // `DeskTime(u64::MAX)`, which stands for never, is kept as it is.
        (self.0 > 0).then(|| DeskTime(if self.0 == u64::MAX { self.0 } else { self.0 - 1 }))
    }

    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0 > 0
    }

    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0 == 0
    }
}

impl From<Option<DeskTime>> for DeskTimeOrNone {
    fn from(at: Option<DeskTime>) -> Self {
        at.map_or(Self::NONE, |at| Self(at.0.saturating_add(1)))
    }
}

impl From<DeskTimeOrNone> for Option<DeskTime> {
    fn from(at: DeskTimeOrNone) -> Self {
        at.get()
    }
}

/// Milliseconds since the Unix epoch, for age, reports and people. Never goes back within a journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WallTime(pub u64);

/// Both clocks, read once for a whole turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Now {
    #[serde(rename = "desk_ms")]
    pub desk: DeskTime,
    #[serde(rename = "wall_ms")]
    pub wall: WallTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_none_is_what_was_put_in() {
        for at in [None, Some(DeskTime(0)), Some(DeskTime(7)), Some(DeskTime(u64::MAX))] {
            assert_eq!(DeskTimeOrNone::from(at).get(), at);
            assert_eq!(DeskTimeOrNone::from(at).is_some(), at.is_some());
        }
        assert_eq!(serde_json::to_string(&DeskTimeOrNone::from(Some(DeskTime(7)))).unwrap(), "7");
        assert!(serde_json::from_str::<DeskTimeOrNone>("null").unwrap().is_none());
    }
}
