//! What a scenario file holds besides a workspace: the run, who arrives, who is there. Shapes and their checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::times::{clock_min, shifts_of_day, unix_min};
use crate::cli::apply::declared::Wrong;
use crate::cli::apply::merge::Members;
use crate::desk::command::{AgentAsk, AskedAgent, OpenAsk};
use crate::simulate::staffing::{Answering, Draw, Rates, Stream};

/// Bounds that keep a run's memory and time in hand.
const HOURS_MAX: f64 = 24.0 * 31.0;
const REPLICATIONS_MAX: u32 = 10_000;
const PER_HOUR_MAX: f64 = 10_000_000.0;
const LIST_MAX: usize = 1_000;
const AGENTS_MAX: u32 = 100_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Run {
    pub begin: String,
    pub hours: f64,
    pub warm_up_minutes: f64,
    pub accepted_within_s: f64,
    pub replications: u32,
    pub seed: u64,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            begin: "2026-01-05T08:00".to_owned(),
            hours: 10.0,
            warm_up_minutes: 0.0,
            accepted_within_s: 30.0,
            replications: 20,
            seed: 1,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArrivalsEntry {
    queue: Arc<str>,
    #[serde(default = "chat")]
    channel: Arc<str>,
    #[serde(default)]
    per_hour: Option<Value>,
    #[serde(default)]
    every_s: Option<f64>,
    #[serde(default)]
    evenly: bool,
    handling_s: Draw,
    #[serde(default)]
    patience_s: Option<Draw>,
    #[serde(default)]
    priority: Option<i32>,
    #[serde(default)]
    skills: BTreeMap<Arc<str>, u8>,
    #[serde(default)]
    preferred_skills: Vec<Arc<str>>,
    #[serde(default)]
    preferred_agent: Option<Arc<str>>,
    #[serde(default)]
    required_agent: Option<Arc<str>>,
}

fn chat() -> Arc<str> {
    "chat".into()
}

/// What is no member of this is one of the agents' own, which are checked as such.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StaffEntry {
    pub name: String,
    #[serde(default = "one")]
    pub count: u32,
    #[serde(default)]
    shifts: Option<Vec<Shift>>,
    #[serde(default)]
    by_hour: Option<Vec<u32>>,
    #[serde(default)]
    accept_s: Option<Draw>,
    #[serde(default)]
    rejected: f64,
    #[serde(default)]
    ignored: f64,
    #[serde(default)]
    back_s: Option<Draw>,
    /// Of the agents that this makes, as `[[agents]]` has them.
    #[serde(flatten)]
    pub profile: Members,
}

fn one() -> u32 {
    1
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    from: String,
    to: String,
}

/// The entry, or the first field that does not fit.
pub(super) fn entry<T: DeserializeOwned>(field: &str, value: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." { field.to_owned() } else { format!("{field}.{path}") };
        Wrong::at(at, error.inner().to_string())
    })
}

pub(super) fn entries<T: DeserializeOwned>(section: &str, value: Value) -> Result<Vec<T>, Wrong> {
    let Value::Array(list) = value else { return Err(Wrong::at(section, format!("a list of tables: [[{section}]]"))) };
    ensure(list.len() <= LIST_MAX, section, || format!("at most {LIST_MAX}"))?;
    let numbered = list.into_iter().enumerate();
    numbered.map(|(place, value)| entry(&format!("{section}[{place}]"), value)).collect()
}

pub(super) fn ensure(holds: bool, field: &str, what: impl FnOnce() -> String) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(Wrong::at(field, what())) }
}

impl Run {
    pub fn check(&self) -> Result<(), Wrong> {
        unix_min(&self.begin).ok_or_else(|| Wrong::at("run.begin", "a day and a time, as 2026-11-23T08:00 (UTC)"))?;
        ensure(self.hours > 0.0 && self.hours <= HOURS_MAX, "run.hours", || {
            format!("more than 0, at most {HOURS_MAX}")
        })?;
        let warm = self.warm_up_minutes >= 0.0 && self.warm_up_minutes < self.hours * 60.0;
        ensure(warm, "run.warm_up_minutes", || "0 or more, less than the run".into())?;
        let within = (0.0..=2_592_000.0).contains(&self.accepted_within_s);
        ensure(within, "run.accepted_within_s", || "0 to 2592000 (30 days)".into())?;
        ensure((1..=REPLICATIONS_MAX).contains(&self.replications), "run.replications", || {
            format!("1 to {REPLICATIONS_MAX}")
        })
    }

    pub fn length_ms(&self) -> u64 {
        (self.hours * 3_600_000.0).round() as u64
    }

    /// Minutes since 1970.
    pub fn begin_min(&self) -> u64 {
        unix_min(&self.begin).unwrap_or(0)
    }

    /// How many hours of the run have a number of their own.
    fn hours_listed(&self) -> usize {
        self.hours.ceil() as usize
    }
}

impl ArrivalsEntry {
    pub fn stream(&self, field: &str, run: &Run, has_queue: impl Fn(&str) -> bool) -> Result<Stream, Wrong> {
        let at = |name: &str| format!("{field}.{name}");
        ensure(has_queue(&self.queue), &at("queue"), || format!("there is no queue {:?}: declare it", self.queue))?;
        draw_ok(&self.handling_s, &at("handling_s"))?;
        self.patience_s.as_ref().map_or(Ok(()), |draw| draw_ok(draw, &at("patience_s")))?;
        let both = self.preferred_agent.is_some() && self.required_agent.is_some();
        ensure(!both, &at("required_agent"), || "preferred_agent is there too: one of them".into())?;
        let wished = self.required_agent.as_ref().or(self.preferred_agent.as_ref());
        let preferred_agent =
            wished.map(|name| AskedAgent { name: name.clone(), required: self.required_agent.is_some() });
        let open = OpenAsk {
            channel: self.channel.clone(),
            queue: self.queue.clone(),
            priority: self.priority,
            skills: self.skills.clone(),
            preferred_skills: self.preferred_skills.clone(),
            preferred_agent,
            ..OpenAsk::default()
        };
        let rates = Rates { per_hour: self.per_hour(field, run)?, poisson: !self.evenly };
        Ok(Stream { open, rates, handling: self.handling_s.clone(), patience: self.patience_s.clone() })
    }

    fn per_hour(&self, field: &str, run: &Run) -> Result<Vec<f64>, Wrong> {
        let (at, hours) = (format!("{field}.per_hour"), run.hours_listed());
        let rates = match (&self.per_hour, self.every_s) {
            (None, Some(s)) => {
                let within = (0.000_36..=2_592_000.0).contains(&s);
                ensure(within, &format!("{field}.every_s"), || "more than 0, at most 2592000 (30 days)".into())?;
                vec![3_600.0 / s]
            }
            (Some(_), Some(_)) => return Err(Wrong::at(at, "every_s is there too: one of them")),
            (None, None) => return Err(Wrong::at(at, "needed: a number, or a list with one for each hour of the run")),
            (Some(Value::Array(list)), None) => {
                let rates: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
                let rates = rates.ok_or_else(|| Wrong::at(&at, "a list of numbers"))?;
                ensure(rates.len() == hours, &at, || {
                    format!("{} numbers for a run of {hours} hours: one for each", rates.len())
                })?;
                rates
            }
            (Some(value), None) => {
                vec![value.as_f64().ok_or_else(|| Wrong::at(&at, "a number, or a list with one for each hour"))?]
            }
        };
        let fit = rates.iter().all(|rate| (0.0..=PER_HOUR_MAX).contains(rate));
        ensure(fit, &at, || format!("each 0 to {PER_HOUR_MAX}"))?;
        Ok(rates)
    }
}

impl StaffEntry {
    pub fn check(&self, field: &str) -> Result<(), Wrong> {
        let at = |name: &str| format!("{field}.{name}");
        ensure(!self.name.is_empty() && self.name.len() <= 100, &at("name"), || "1 to 100 bytes".into())?;
        entry::<AgentAsk>(field, Value::Object(self.profile.clone()))?;
        ensure((1..=AGENTS_MAX).contains(&self.count), &at("count"), || format!("1 to {AGENTS_MAX}"))?;
        for (share, name) in [(self.rejected, "rejected"), (self.ignored, "ignored")] {
            ensure((0.0..=1.0).contains(&share), &at(name), || "a share, 0 to 1".into())?;
        }
        ensure(self.rejected + self.ignored <= 1.0, &at("ignored"), || "more than all, with rejected".into())?;
        self.accept_s.as_ref().map_or(Ok(()), |draw| draw_ok(draw, &at("accept_s")))?;
        self.back_s.as_ref().map_or(Ok(()), |draw| draw_ok(draw, &at("back_s")))
    }

    pub fn answering(&self) -> Arc<Answering> {
        let plain = Answering::default();
        Arc::new(Answering {
            accept: self.accept_s.clone().unwrap_or(plain.accept),
            rejected: self.rejected,
            ignored: self.ignored,
            back: self.back_s.clone().unwrap_or(plain.back),
        })
    }

    /// The shifts of its `nth` agent, from 0; with `by_hour`, of the hours in which so many are there.
    pub fn shifts(&self, field: &str, run: &Run, nth: u32) -> Result<Vec<(u64, u64)>, Wrong> {
        match (&self.shifts, &self.by_hour) {
            (Some(_), Some(_)) => Err(Wrong::at(format!("{field}.by_hour"), "shifts is there too: one of them")),
            (None, None) => Ok(vec![(0, run.length_ms())]),
            (Some(shifts), None) => {
                let mut all = Vec::new();
                for (place, shift) in shifts.iter().enumerate() {
                    let minute = |text: &str, name: &str| {
                        let wrong = || Wrong::at(format!("{field}.shifts[{place}].{name}"), "a time of day, as 09:30");
                        clock_min(text).ok_or_else(wrong)
                    };
                    let (from, to) = (minute(&shift.from, "from")?, minute(&shift.to, "to")?);
                    all.extend(shifts_of_day(from, to, run.begin_min(), run.length_ms()));
                }
                Ok(joined(all))
            }
            (None, Some(by_hour)) => {
                let (at, hours) = (format!("{field}.by_hour"), run.hours_listed());
                ensure(by_hour.len() == hours, &at, || {
                    format!("{} numbers for a run of {hours} hours: one for each", by_hour.len())
                })?;
                let most = by_hour.iter().copied().max().unwrap_or(0);
                ensure(most <= self.count, &at, || format!("at most count, which is {}", self.count))?;
                let there = by_hour.iter().enumerate().filter(|(_, count)| **count > nth);
                let hour = |hour: usize| (hour as u64 * 3_600_000).min(run.length_ms());
                Ok(joined(there.map(|(place, _)| (hour(place), hour(place + 1))).collect()))
            }
        }
    }
}

/// In order, and those that touch or overlap as one.
fn joined(mut shifts: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    shifts.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (from, to) in shifts {
        match all.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

fn draw_ok(draw: &Draw, field: &str) -> Result<(), Wrong> {
    draw.check().map_err(|fault| Wrong::at(format!("{field}.{}", fault.member), fault.what))
}
