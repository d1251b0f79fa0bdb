//! Two settings side by side, on the same customers: each figure's difference has an interval of its own, which is mostly much
//! narrower than that of either, since what chance did to one day it did to both.

use super::interval::Figure;
use super::report::{Figures, Measure, OF_AGENTS, OF_CUSTOMERS, Report};
use super::tally::Tally;
use serde::Serialize;

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Compared {
    pub first: Report,
    pub second: Report,
    /// Second less first, replication by replication.
    pub difference: Differences,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Differences {
    pub customers: Figures,
    pub agents: Figures,
}

impl Compared {
    /// Both lists in the order of the seeds.
    #[must_use]
    pub fn of(first: &[Tally], second: &[Tally]) -> Self {
        let all = |tallies: &[Tally]| tallies.iter().map(Tally::all).collect::<Vec<_>>();
        let agents = |tallies: &[Tally]| tallies.iter().map(|tally| tally.agents).collect::<Vec<_>>();
        let difference = Differences {
            customers: differences(&OF_CUSTOMERS, &all(first), &all(second)),
            agents: differences(&OF_AGENTS, &agents(first), &agents(second)),
        };
        Self { first: Report::of(first), second: Report::of(second), difference }
    }
}

fn differences<T>(measures: &[Measure<T>], first: &[T], second: &[T]) -> Figures {
    let of = |measure: &Measure<T>| {
        let pairs = first.iter().zip(second);
        let less = pairs.map(|(first, second)| Some((measure.of)(second)? - (measure.of)(first)?));
        Some((measure.name, Figure::of(less)?))
    };
    measures.iter().filter_map(of).collect()
}
