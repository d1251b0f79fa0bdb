//! Lengths of time that are drawn: how long a conversation takes, a customer waits, an agent thinks. In milliseconds.

use crate::simulate::dice::Dice;
use serde::Deserialize;
use std::sync::Arc;

/// A distribution, as a scenario writes it: `{ exponential = 240 }`, `{ lognormal = { mean = 240, cv = 0.8 } }`,
/// `{ fixed = 240 }` or `{ values = [120, 300] }`, in seconds.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Draw {
    Fixed(f64),
    /// By its mean.
    Exponential(f64),
    Lognormal {
        mean: f64,
        /// Standard deviation over mean.
        cv: f64,
    },
    /// One of these, each as likely as the others.
    Values(Arc<[f64]>),
}

/// Why a distribution cannot be drawn from; `member` is the part at fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct DrawFault {
    pub member: &'static str,
    pub what: &'static str,
}

/// The longest that anything takes: 30 days.
const LONGEST_S: f64 = 30.0 * 86_400.0;

impl Draw {
    /// # Errors
    /// The first member that is no length of time.
    pub fn check(&self) -> Result<(), DrawFault> {
        let fault = |member, what| Err(DrawFault { member, what });
        let length = |s: f64| (0.0..=LONGEST_S).contains(&s);
        match self {
            Draw::Fixed(s) if !length(*s) => fault("fixed", "0 to 2592000 seconds (30 days)"),
            Draw::Exponential(s) if !length(*s) => fault("exponential", "a mean of 0 to 2592000 seconds (30 days)"),
            Draw::Lognormal { mean, .. } if !length(*mean) || *mean == 0.0 => {
                fault("lognormal.mean", "more than 0 and at most 2592000 seconds (30 days)")
            }
            Draw::Lognormal { cv, .. } if !(0.0..=100.0).contains(cv) => fault("lognormal.cv", "0 to 100"),
            Draw::Values(values) if values.is_empty() || values.len() > 1_000_000 => fault("values", "1 to 1000000"),
            Draw::Values(values) if !values.iter().all(|s| length(*s)) => {
                fault("values", "each 0 to 2592000 seconds (30 days)")
            }
            _ => Ok(()),
        }
    }

    pub fn ms(&self, dice: &mut Dice) -> u64 {
        let s = match self {
            Draw::Fixed(s) => *s,
            Draw::Exponential(mean) => mean * exponential(dice),
            Draw::Lognormal { mean, cv } => {
                let spread = (1.0 + cv * cv).ln();
                mean * (spread.sqrt() * normal(dice) - spread / 2.0).exp()
            }
            Draw::Values(values) => dice.pick(values).copied().unwrap_or(0.0),
        };
        (s.min(LONGEST_S) * 1_000.0).round() as u64
    }
}

/// Dice of their own for one thing of a seed, so that what is drawn for it does not depend on what else was drawn.
pub fn dice_of(seed: u64, parts: [u64; 3]) -> Dice {
    let mixed = parts.into_iter().fold(seed, |mixed, part| Dice::new(mixed ^ part).roll());
    Dice::new(mixed)
}

/// 0 to 1, never 1.
pub fn share(dice: &mut Dice) -> f64 {
    (dice.roll() >> 11) as f64 / (1u64 << 53) as f64
}

/// Of mean 1.
pub fn exponential(dice: &mut Dice) -> f64 {
    -(1.0 - share(dice)).ln()
}

/// Of mean 0 and deviation 1 (Box and Muller).
fn normal(dice: &mut Dice) -> f64 {
    let radius = (2.0 * exponential(dice)).sqrt();
    radius * (std::f64::consts::TAU * share(dice)).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distribution_has_the_mean_and_spread_that_it_says() {
        let drawn = |draw: Draw| {
            let mut dice = Dice::new(1);
            let all: Vec<f64> = (0..200_000).map(|_| draw.ms(&mut dice) as f64 / 1_000.0).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let spread = all.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / all.len() as f64;
            (mean, spread.sqrt() / mean)
        };
        let near = |(mean, cv): (f64, f64), wanted: (f64, f64)| {
            assert!(
                (mean / wanted.0 - 1.0).abs() < 0.02 && (cv - wanted.1).abs() < 0.03,
                "{mean} {cv}, not {wanted:?}"
            );
        };
        near(drawn(Draw::Exponential(240.0)), (240.0, 1.0));
        near(drawn(Draw::Lognormal { mean: 300.0, cv: 0.8 }), (300.0, 0.8));
        near(drawn(Draw::Fixed(5.0)), (5.0, 0.0));
        near(drawn(Draw::Values([100.0, 300.0].into())), (200.0, 0.5));
    }

    #[test]
    fn what_is_no_length_of_time_is_named() {
        let member = |draw: Draw| draw.check().unwrap_err().member;
        assert_eq!(member(Draw::Exponential(-1.0)), "exponential");
        assert_eq!(member(Draw::Fixed(f64::NAN)), "fixed");
        assert_eq!(member(Draw::Lognormal { mean: 10.0, cv: -0.1 }), "lognormal.cv");
        assert_eq!(member(Draw::Values([].into())), "values");
        assert!(Draw::Exponential(0.0).check().is_ok());
    }
}
