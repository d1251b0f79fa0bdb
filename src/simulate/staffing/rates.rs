//! When customers arrive: a rate for each hour of the run, by chance or evenly.

use super::draw::exponential;
use crate::simulate::dice::Dice;

const HOUR_MS: f64 = 3_600_000.0;

/// Arrivals in an hour, for each hour of the run; the last one goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct Rates {
    pub per_hour: Vec<f64>,
    /// At random (a Poisson process), or evenly spaced.
    pub poisson: bool,
}

impl Rates {
    /// How many are expected until then.
    #[must_use]
    pub fn expected(&self, length_ms: u64) -> f64 {
        let hours = (length_ms as f64 / HOUR_MS).ceil() as usize;
        let left = |hour: usize| (length_ms as f64 / HOUR_MS - hour as f64).clamp(0.0, 1.0);
        (0..hours).map(|hour| self.at(hour) * left(hour)).sum()
    }

    fn at(&self, hour: usize) -> f64 {
        self.per_hour.get(hour).or(self.per_hour.last()).copied().unwrap_or(0.0)
    }

    /// The first arrival after that moment; `None` when none comes before the end. One draw each, so that the n-th customer
    /// of a seed is the same person however fast they come.
    pub fn next(&self, after_ms: f64, end_ms: f64, dice: &mut Dice) -> Option<f64> {
        let mut ahead = if self.poisson { exponential(dice) } else { 1.0 };
        let mut at = after_ms;
        while at < end_ms {
            let hour = (at / HOUR_MS).floor();
            let until = ((hour + 1.0) * HOUR_MS).min(end_ms);
            let rate = self.at(hour as usize) / HOUR_MS;
            let here = (until - at) * rate;
            if here > ahead {
                return Some(at + ahead / rate);
            }
            ahead -= here;
            at = until;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_hour(rates: &Rates, hours: usize) -> Vec<usize> {
        let (mut dice, mut at, end) = (Dice::new(3), 0.0, hours as f64 * HOUR_MS);
        let mut counts = vec![0; hours];
        while let Some(next) = rates.next(at, end, &mut dice) {
            assert!(next >= at && next < end);
            counts[(next / HOUR_MS) as usize] += 1;
            at = next;
        }
        counts
    }

    #[test]
    fn each_hour_has_its_own_rate_and_the_last_goes_on() {
        let poisson = Rates { per_hour: vec![4_000.0, 0.0, 1_000.0], poisson: true };
        let counts = by_hour(&poisson, 4);
        assert!((3_700..4_300).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
        assert!((880..1_120).contains(&counts[2]) && (880..1_120).contains(&counts[3]), "{counts:?}");
        assert_eq!(poisson.expected(4 * 3_600_000), 6_000.0);
        let even = Rates { per_hour: vec![60.0], poisson: false };
        assert_eq!(even.next(0.0, HOUR_MS, &mut Dice::new(0)), Some(60_000.0));
        assert!(by_hour(&Rates { per_hour: vec![0.0], poisson: true }, 2).iter().all(|count| *count == 0));
    }
}
