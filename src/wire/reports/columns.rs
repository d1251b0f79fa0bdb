//! The columns of a report: what was counted, and what follows from it by the formulas of docs/reports.md. Whole numbers alone go into
//! each, so that everybody who adds up the same comes to the same.

use serde::{Serialize, Serializer};

/// A cell of a report.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value {
    Whole(i64),
    /// In ten-thousandths.
    Share(i64),
    /// There is nothing that it could be said of.
    Nothing,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Whole(value) => serializer.serialize_i64(*value),
            Value::Share(value) => serializer.serialize_f64(*value as f64 / 10_000.0),
            Value::Nothing => serializer.serialize_none(),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Whole(value) => write!(f, "{value}"),
            Value::Share(value) => write!(f, "{:?}", *value as f64 / 10_000.0),
            Value::Nothing => Ok(()),
        }
    }
}

/// What was counted, by the names of measures; 0 for what was not.
pub trait Counts {
    fn count(&self, name: &str) -> i64;
    /// The time that so many per cent did not exceed.
    fn percentile(&self, course: &str, percent: u64) -> Option<u64>;
}

/// A column that follows from others.
pub struct Derived {
    pub name: &'static str,
    /// All that it rests on can be asked for by agent.
    pub of_agents: bool,
    formula: Formula,
}

enum Formula {
    Sum(&'static [&'static str]),
    /// The rounded quotient.
    Average(&'static [&'static str], &'static [&'static str]),
    /// A share of a whole: what is added of each, and what is taken off.
    Share(Terms, Terms),
    Percentile(&'static str, u64),
    Rating,
}

/// What is added, and what is taken off.
type Terms = (&'static [&'static str], &'static [&'static str]);

const CLOSED: &[&str] = &["closed_by_agent", "closed_by_customer", "closed_by_admin", "closed_by_system"];
const RATED: &[&str] = &["rated_1", "rated_2", "rated_3", "rated_4", "rated_5"];

const fn derived(name: &'static str, of_agents: bool, formula: Formula) -> Derived {
    Derived { name, of_agents, formula }
}

use Formula::{Average, Percentile, Rating, Share, Sum};

/// Of conversations, in the order of a report.
pub const OF_CONVERSATIONS: &[Derived] = &[
    derived("entered", false, Sum(&["opened", "reopened", "requeued", "transferred_in", "moved_in"])),
    derived("answer_ms_avg", true, Average(&["answer_ms"], &["answered"])),
    derived("answer_ms_p50", true, Percentile("answer_ms", 50)),
    derived("answer_ms_p90", true, Percentile("answer_ms", 90)),
    derived("abandon_ms_avg", false, Average(&["abandon_ms"], &["abandoned"])),
    derived("service_level", false, Share((&["answered_in_time"], &[]), (&["answered", "abandoned"], &[]))),
    derived(
        "service_level_without_short",
        false,
        Share((&["answered_in_time"], &[]), (&["answered", "abandoned"], &["abandoned_short"])),
    ),
    derived(
        "service_level_late_abandons",
        false,
        Share((&["answered_in_time"], &[]), (&["answered", "abandoned"], &["abandoned_in_time"])),
    ),
    derived(
        "service_level_abandons_met",
        false,
        Share((&["answered_in_time", "abandoned_in_time"], &[]), (&["answered", "abandoned"], &[])),
    ),
    derived("service_level_answered", true, Share((&["answered_in_time"], &[]), (&["answered"], &[]))),
    derived("abandonment", false, Share((&["abandoned"], &[]), (&["answered", "abandoned"], &[]))),
    derived(
        "abandonment_without_short",
        false,
        Share((&["abandoned"], &["abandoned_short"]), (&["answered", "abandoned"], &["abandoned_short"])),
    ),
    derived("acceptance", true, Share((&["accepted"], &[]), (&["accepted", "rejected", "expired"], &[]))),
    derived("reaction_ms_avg", true, Average(&["reaction_ms"], &["accepted"])),
    derived("first_reply_ms_avg", true, Average(&["first_reply_ms"], &["first_replies"])),
    derived("first_reply_ms_p50", true, Percentile("first_reply_ms", 50)),
    derived("first_reply_ms_p90", true, Percentile("first_reply_ms", 90)),
    derived("first_reply_level", true, Share((&["first_replies_in_time"], &[]), (&["first_replies"], &[]))),
    derived("talk_ms_avg", true, Average(&["talk_ms"], &["handled"])),
    derived("wrap_up_ms_avg", true, Average(&["wrap_up_ms"], &["handled"])),
    derived("handle_ms_avg", true, Average(&["talk_ms", "wrap_up_ms"], &["handled"])),
    derived("handle_ms_p50", true, Percentile("handle_ms", 50)),
    derived("handle_ms_p90", true, Percentile("handle_ms", 90)),
    derived("closed", true, Sum(CLOSED)),
    derived("resolution_ms_avg", true, Average(&["resolution_ms"], CLOSED)),
    derived("ratings", true, Sum(RATED)),
    derived("rating_avg", true, Rating),
    derived("satisfaction", true, Share((&["rated_4", "rated_5"], &[]), (RATED, &[]))),
];

/// Of agents' time.
pub const OF_TIME: &[Derived] = &[
    derived("occupancy", true, Share((&["occupied_ms"], &[]), (&["occupied_ms", "idle_ms"], &[]))),
    derived("utilisation", true, Share((&["occupied_ms"], &[]), (&["connected_ms"], &[]))),
    derived("held_avg", true, Share((&["held_ms"], &[]), (&["occupied_ms"], &[]))),
];

impl Derived {
    #[must_use]
    pub fn value(&self, counts: &impl Counts) -> Value {
        let sum = |names: &[&str]| names.iter().map(|name| counts.count(name)).sum::<i64>();
        let terms = |(added, taken): Terms| sum(added) - sum(taken);
        match self.formula {
            Sum(names) => Value::Whole(sum(names)),
            Average(of, among) => quotient(sum(of), sum(among)).map_or(Value::Nothing, Value::Whole),
            Share(of, among) => share(terms(of), terms(among)),
            Percentile(course, percent) => match counts.percentile(course, percent) {
                Some(ms) => Value::Whole(ms as i64),
                None => Value::Nothing,
            },
            Rating => share((1..).zip(RATED).map(|(score, name)| score * counts.count(name)).sum(), sum(RATED)),
        }
    }
}

fn share(of: i64, among: i64) -> Value {
    quotient(of.saturating_mul(10_000), among).map_or(Value::Nothing, Value::Share)
}

/// Rounded to the nearest.
fn quotient(of: i64, among: i64) -> Option<i64> {
    (among > 0).then(|| (of + among / 2).div_euclid(among))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Given(BTreeMap<&'static str, i64>);

    impl Counts for Given {
        fn count(&self, name: &str) -> i64 {
            self.0.get(name).copied().unwrap_or_default()
        }
        fn percentile(&self, course: &str, percent: u64) -> Option<u64> {
            (course == "answer_ms").then_some(percent)
        }
    }

    fn values<const N: usize>(given: [(&'static str, i64); N]) -> impl Fn(&str) -> Value {
        let given = Given(given.into());
        move |name| OF_CONVERSATIONS.iter().chain(OF_TIME).find(|one| one.name == name).unwrap().value(&given)
    }

    #[test]
    fn the_kinds_of_service_level_differ_by_what_they_make_of_those_who_left() {
        let value = values([("answered", 8), ("answered_in_time", 6), ("abandoned", 4), ("abandoned_in_time", 1)]);
        assert_eq!(value("service_level"), Value::Share(5_000));
        assert_eq!(value("service_level_late_abandons"), Value::Share(5_455));
        assert_eq!(value("service_level_abandons_met"), Value::Share(5_833));
        assert_eq!(value("service_level_answered"), Value::Share(7_500));
        assert_eq!(value("abandonment"), Value::Share(3_333));
    }

    #[test]
    fn of_nothing_there_is_no_average() {
        let value = values([]);
        for one in ["answer_ms_avg", "service_level", "satisfaction", "occupancy", "handle_ms_p50"] {
            assert_eq!(value(one), Value::Nothing, "{one}");
        }
        assert_eq!((value("entered"), value("ratings")), (Value::Whole(0), Value::Whole(0)));
    }

    #[test]
    fn averages_are_rounded_and_handling_is_talk_and_wrap_up() {
        let value = values([("talk_ms", 100), ("wrap_up_ms", 49), ("handled", 2)]);
        assert_eq!((value("handle_ms_avg"), value("talk_ms_avg")), (Value::Whole(75), Value::Whole(50)));
    }

    #[test]
    fn satisfaction_is_the_share_of_four_and_five() {
        let value = values([("rated_1", 1), ("rated_4", 1), ("rated_5", 2)]);
        assert_eq!((value("satisfaction"), value("rating_avg")), (Value::Share(7_500), Value::Share(37_500)));
    }

    #[test]
    fn occupancy_leaves_out_who_could_not_have_taken_anything() {
        let value = values([("connected_ms", 100), ("occupied_ms", 30), ("idle_ms", 20), ("held_ms", 60)]);
        assert_eq!((value("occupancy"), value("utilisation")), (Value::Share(6_000), Value::Share(3_000)));
        assert_eq!(value("held_avg"), Value::Share(20_000));
    }

    #[test]
    fn values_are_spelled_the_same_in_json_and_csv() {
        for (value, text) in [(Value::Whole(-3), "-3"), (Value::Share(8_333), "0.8333"), (Value::Nothing, "null")] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert!(value == Value::Nothing || value.to_string() == text);
        }
    }
}
