//! How many wait and work over the run: means over equal slots, for the picture.

/// Slots of a run, however long it is.
pub const SLOTS: usize = 160;

/// What is counted at every moment.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Level {
    pub waiting: f64,
    pub staffed: f64,
    pub busy: f64,
    /// Agents by the share of their capacity in use.
    pub load: f64,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    slot_ms: f64,
    /// While it is filled: time by level.
    pub slots: Vec<Level>,
}

impl Series {
    #[must_use]
    pub fn new(length_ms: u64) -> Self {
        Self { slot_ms: (length_ms as f64 / SLOTS as f64).max(1.0), slots: vec![Level::default(); SLOTS] }
    }

    /// The level stood so from `from` to `to`.
    pub fn stood(&mut self, from: u64, to: u64, level: Level) {
        let (mut at, to) = (from as f64, to as f64);
        while at < to {
            let slot = (at / self.slot_ms) as usize;
            let Some(held) = self.slots.get_mut(slot) else { return };
            let until = ((slot + 1) as f64 * self.slot_ms).min(to);
            let share = (until - at) / self.slot_ms;
            held.waiting += level.waiting * share;
            held.staffed += level.staffed * share;
            held.busy += level.busy * share;
            held.load += level.load * share;
            // A slot's end that rounds to itself must not hold this up.
            at = if until > at { until } else { to };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_the_mean_of_its_time() {
        let mut series = Series::new(160_000);
        series.stood(0, 1_500, Level { waiting: 4.0, ..Level::default() });
        series.stood(1_500, 160_000, Level { waiting: 2.0, ..Level::default() });
        let waiting: Vec<f64> = series.slots.iter().map(|slot| slot.waiting).collect();
        assert_eq!(waiting[..3], [4.0, 3.0, 2.0]);
        assert!((waiting[SLOTS - 1] - 2.0).abs() < 1e-9);
    }
}
