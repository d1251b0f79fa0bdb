//! Many replications as figures with their intervals.

use super::interval::Figure;
use super::series::Level;
use super::tally::{AgentsTally, QueueTally, Tally};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a figure is written for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Count,
    Percent,
    Ms,
}

/// One figure of a replication: its name in JSON, and for people.
pub struct Measure<T: 'static> {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    pub of: fn(&T) -> Option<f64>,
}

/// What is said of customers, in the order in which it is said.
pub const OF_CUSTOMERS: [Measure<QueueTally>; 17] = [
    Measure { name: "arrived", title: "arrived", unit: Unit::Count, of: |t| Some(t.arrived as f64) },
    Measure {
        name: "service_level",
        title: "accepted in time",
        unit: Unit::Percent,
        of: |t| share(t.accepted_in_time, t.arrived),
    },
    Measure { name: "delayed", title: "found no agent free", unit: Unit::Percent, of: |t| share(t.delayed, t.arrived) },
    Measure { name: "wait_mean_ms", title: "wait, mean", unit: Unit::Ms, of: |t| t.waits.mean_ms() },
    Measure { name: "wait_p50_ms", title: "wait, half within", unit: Unit::Ms, of: |t| t.waits.quantile_ms(0.5) },
    Measure { name: "wait_p90_ms", title: "wait, 90 % within", unit: Unit::Ms, of: |t| t.waits.quantile_ms(0.9) },
    Measure { name: "wait_p99_ms", title: "wait, 99 % within", unit: Unit::Ms, of: |t| t.waits.quantile_ms(0.99) },
    Measure { name: "wait_all_mean_ms", title: "wait, those who gave up too", unit: Unit::Ms, of: waited_by_all },
    Measure { name: "abandoned", title: "gave up", unit: Unit::Percent, of: |t| share(t.abandoned, t.arrived) },
    Measure {
        name: "abandoned_after_mean_ms",
        title: "gave up after, mean",
        unit: Unit::Ms,
        of: |t| t.patience.mean_ms(),
    },
    Measure { name: "refused", title: "not let in", unit: Unit::Percent, of: |t| share(t.refused, t.arrived) },
    Measure {
        name: "ended_by_rule",
        title: "ended by a rule",
        unit: Unit::Percent,
        of: |t| share(t.ended_by_rule, t.arrived),
    },
    Measure { name: "accepted", title: "accepted", unit: Unit::Count, of: |t| Some(t.accepted as f64) },
    Measure {
        name: "left_waiting",
        title: "still waiting at the end",
        unit: Unit::Count,
        of: |t| Some(t.left_waiting as f64),
    },
    Measure { name: "offers", title: "offers made", unit: Unit::Count, of: |t| Some(t.offers as f64) },
    Measure {
        name: "offers_rejected",
        title: "offers rejected",
        unit: Unit::Percent,
        of: |t| share(t.rejected, t.offers),
    },
    Measure {
        name: "offers_expired",
        title: "offers run out",
        unit: Unit::Percent,
        of: |t| share(t.expired, t.offers),
    },
];

/// What is said of agents.
pub const OF_AGENTS: [Measure<AgentsTally>; 3] = [
    Measure {
        name: "occupancy",
        title: "time with work",
        unit: Unit::Percent,
        of: |t| (t.staffed_ms > 0.0).then(|| t.busy_ms / t.staffed_ms),
    },
    Measure {
        name: "load",
        title: "capacity in use",
        unit: Unit::Percent,
        of: |t| (t.staffed_ms > 0.0).then(|| t.load_ms / t.staffed_ms),
    },
    Measure {
        name: "staffed_hours",
        title: "agents' hours",
        unit: Unit::Count,
        of: |t| Some(t.staffed_ms / 3_600_000.0),
    },
];

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn waited_by_all(t: &QueueTally) -> Option<f64> {
    let count = t.waits.count + t.patience.count;
    (count > 0).then(|| (t.waits.sum_ms() + t.patience.sum_ms()) as f64 / count as f64)
}

/// Figures by their names; absent where no replication had one.
pub type Figures = BTreeMap<&'static str, Figure>;

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    pub replications: usize,
    /// Of all replications together.
    pub conversations: u64,
    pub customers: Figures,
    pub agents: Figures,
    pub queues: BTreeMap<Arc<str>, Figures>,
    /// Means of equal parts of the run, from its beginning to its end.
    pub over_time: Vec<Moment>,
}

/// How it stood in one part of the run: means over the replications.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Moment {
    pub waiting: f64,
    /// Of ten replications one had fewer, one had more.
    pub waiting_p10: f64,
    pub waiting_p90: f64,
    pub agents: f64,
    pub agents_busy: f64,
    pub capacity_in_use: f64,
}

impl Report {
    #[must_use]
    pub fn of(tallies: &[Tally]) -> Self {
        let all: Vec<QueueTally> = tallies.iter().map(Tally::all).collect();
        let names: BTreeSet<&Arc<str>> = tallies.iter().flat_map(|tally| tally.queues.keys()).collect();
        let nothing = QueueTally::default();
        let queue = |name: &Arc<str>| {
            let of_queue = tallies.iter().map(|tally| tally.queues.get(name).unwrap_or(&nothing));
            (name.clone(), figures(&OF_CUSTOMERS, of_queue))
        };
        Self {
            replications: tallies.len(),
            conversations: tallies.iter().map(|tally| tally.conversations).sum(),
            customers: figures(&OF_CUSTOMERS, all.iter()),
            agents: figures(&OF_AGENTS, tallies.iter().map(|tally| &tally.agents)),
            queues: names.into_iter().map(queue).collect(),
            over_time: over_time(tallies),
        }
    }
}

fn figures<'a, T: 'a>(measures: &[Measure<T>], tallies: impl Iterator<Item = &'a T> + Clone) -> Figures {
    let of = |measure: &Measure<T>| Some((measure.name, Figure::of(tallies.clone().map(measure.of))?));
    measures.iter().filter_map(of).collect()
}

fn over_time(tallies: &[Tally]) -> Vec<Moment> {
    let slots = tallies.first().map_or(0, |tally| tally.series.slots.len());
    let moment = |slot: usize| {
        let levels: Vec<Level> = tallies.iter().map(|tally| tally.series.slots[slot]).collect();
        let mut waiting: Vec<f64> = levels.iter().map(|level| level.waiting).collect();
        waiting.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| waiting[((waiting.len() - 1) as f64 * share).round() as usize];
        let mean = |of: fn(&Level) -> f64| levels.iter().map(of).sum::<f64>() / levels.len() as f64;
        Moment {
            waiting: mean(|level| level.waiting),
            waiting_p10: at(0.1),
            waiting_p90: at(0.9),
            agents: mean(|level| level.staffed),
            agents_busy: mean(|level| level.busy),
            capacity_in_use: mean(|level| level.load),
        }
    };
    (0..slots).map(moment).collect()
}
