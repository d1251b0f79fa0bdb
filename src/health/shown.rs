//! The history as JSON: of the status page and of the file, one shape for both.

use super::history::{Day, History, Incident, Stood};
use super::{Component, ComponentState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Times are Unix milliseconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The worst of the components.
    pub status: ComponentState,
    /// As of when.
    pub at: u64,
    pub components: Vec<ShownComponent>,
    /// The newest last.
    pub incidents: VecDeque<Incident>,
    /// Nothing is known of earlier days.
    pub known_since: u64,
    /// Those on which something was not well; for each component, in the order above, milliseconds degraded, in partial and in
    /// major outage.
    pub days: VecDeque<Day>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShownComponent {
    pub component: Component,
    /// For people.
    pub title: String,
    pub state: ComponentState,
    pub since: u64,
    /// By which sign; for operators alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Of the days that are known, in per cent, without an outage.
    pub uptime_percent: f64,
}

impl Shown {
    #[must_use]
    pub fn of(history: &History) -> Self {
        let components = Component::ALL.map(|component| {
            let Stood { state, since, why } = history.components[component.place()].clone();
            let uptime_percent = history.uptime(component, history.told_at) as f64 / 100.0;
            ShownComponent { component, title: component.title().to_owned(), state, since, why, uptime_percent }
        });
        Self {
            status: history.worst(),
            at: history.told_at,
            components: components.into(),
            incidents: history.incidents.clone(),
            known_since: history.known_since,
            days: history.days.clone(),
        }
    }

    /// Without what is for operators.
    #[must_use]
    pub fn for_everybody(mut self) -> Self {
        self.components.iter_mut().for_each(|component| component.why.clear());
        let lines = self.incidents.iter_mut().flat_map(|incident| &mut incident.lines);
        lines.for_each(|line| line.why.clear());
        self
    }

    pub(super) fn into_history(self) -> History {
        let mut history = History::begin(self.at);
        for shown in self.components {
            let ShownComponent { component, state, since, why, .. } = shown;
            history.components[component.place()] = Stood { state, since, why };
        }
        History { known_since: self.known_since, incidents: self.incidents, days: self.days, ..history }
    }
}
