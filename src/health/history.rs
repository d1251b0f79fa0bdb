//! What became of each component: incidents with their lines, and how long each was not well on each of ninety days. Pure.
//!
//! Bounded in everything, so that the file it is kept in is: the oldest goes first. Times are Unix milliseconds, days are UTC's.

use super::rules::Judged;
use super::{Component, ComponentState, Each};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days that are remembered.
pub const DAYS: u64 = 90;
const INCIDENTS_MAX: usize = 100;
/// Of one incident; beyond them its last line is written over.
const LINES_MAX: usize = 20;
const TEXT_BYTES_MAX: usize = 200;
pub const DAY_MS: u64 = 86_400_000;
/// Of a day: less of a state does not make it that day's.
const NOTICED_MS: u64 = 10_000;

/// Something that happened in an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IncidentLine")]
pub struct Line {
    pub at: u64,
    /// For everybody.
    pub text: String,
    /// For operators: by which sign.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// From when something was not well until all was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    pub began_at: u64,
    pub ended_at: Option<u64>,
    pub worst: ComponentState,
    pub components: Vec<Component>,
    pub lines: Vec<Line>,
}

impl Incident {
    fn says(&mut self, at: u64, text: String, why: &str) {
        if self.lines.len() >= LINES_MAX {
            self.lines.pop();
        }
        self.lines.push(Line { at, text: short(&text), why: short(why) });
    }

    fn touches(&mut self, component: Component, state: ComponentState) {
        self.worst = self.worst.max(state);
        if !self.components.contains(&component) {
            self.components.push(component);
            self.components.sort_unstable();
        }
    }
}

fn short(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// One day on which something was not well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StatusDay")]
pub struct Day {
    /// Days since 1970.
    pub day: u64,
    /// For each component, milliseconds degraded, in partial and in major outage.
    pub bad_ms: Each<[u64; 3]>,
}

impl Day {
    /// The worst that it was for a component for long enough to be noticed; a blink (a restart of two seconds) only degrades a day.
    #[must_use]
    pub fn worst(&self, component: Component) -> ComponentState {
        let bad_ms = &self.bad_ms[component.place()];
        let states = ComponentState::ALL.into_iter().skip(1).zip(bad_ms);
        let noticed = states.filter(|(_, ms)| **ms >= NOTICED_MS).map(|(state, _)| state).max();
        let blinked = bad_ms.iter().any(|ms| *ms > 0).then_some(ComponentState::Degraded);
        noticed.or(blinked).unwrap_or_default()
    }
}

/// A component as it was last seen.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stood {
    pub state: ComponentState,
    pub since: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct History {
    /// Before then nothing is known.
    pub known_since: u64,
    /// Up to when time was counted.
    pub told_at: u64,
    pub components: Each<Stood>,
    /// The newest last.
    pub incidents: VecDeque<Incident>,
    /// Days on which all was well are not here.
    pub days: VecDeque<Day>,
}

impl History {
    #[must_use]
    pub fn begin(now: u64) -> Self {
        let stood = || Stood { since: now, ..Stood::default() };
        Self {
            known_since: now,
            told_at: now,
            components: [stood(), stood(), stood(), stood()],
            incidents: VecDeque::new(),
            days: VecDeque::new(),
        }
    }

    /// How things stand now. Whether anything is to be kept at once: a state or an incident changed.
    pub fn tell(&mut self, now: u64, judged: &Each<Judged>) -> bool {
        // The wall's clock may be set back: then no time has passed.
        let now = now.max(self.told_at);
        for component in Component::ALL {
            let state = self.components[component.place()].state;
            self.charge(component, state, self.told_at, now);
        }
        self.told_at = now;
        let mut changed = false;
        for (component, judged) in Component::ALL.into_iter().zip(judged) {
            changed |= self.stands(now, component, judged);
        }
        if let Some(last) = self.incidents.back_mut().filter(|last| last.ended_at.is_none())
            && self.components.iter().all(|stood| stood.state == ComponentState::Operational)
        {
            last.says(now, "Everything is operational.".to_owned(), "");
            last.ended_at = Some(now);
            changed = true;
        }
        changed
    }

    fn stands(&mut self, now: u64, component: Component, judged: &Judged) -> bool {
        let stood = &mut self.components[component.place()];
        if stood.state == judged.state {
            return false;
        }
        *stood = Stood { state: judged.state, since: now, why: short(&judged.why) };
        let incident = self.under_way(now);
        if judged.state != ComponentState::Operational {
            incident.touches(component, judged.state);
        }
        incident.says(now, format!("{}: {}.", component.title(), judged.state.words()), &judged.why);
        true
    }

    /// A server began, and nobody was served from then until now. All components are operational until something else is seen.
    pub fn restarted(&mut self, without_service_since: u64, now: u64, why: &str) {
        let from = without_service_since.clamp(self.told_at.min(now), now);
        self.told_at = self.told_at.max(from);
        let incident = self.under_way(from);
        for component in Component::ALL {
            incident.touches(component, ComponentState::MajorOutage);
        }
        let seconds = (now - from) as f64 / 1_000.0;
        incident.says(now, format!("Restarted; no service for {seconds:.1} s."), why);
        for component in Component::ALL {
            self.charge(component, ComponentState::MajorOutage, from, now);
            let stood = &mut self.components[component.place()];
            if stood.state != ComponentState::Operational {
                *stood = Stood { since: now, ..Stood::default() };
            }
        }
        self.told_at = now;
    }

    fn under_way(&mut self, now: u64) -> &mut Incident {
        if self.incidents.back().is_none_or(|last| last.ended_at.is_some()) {
            if self.incidents.len() >= INCIDENTS_MAX {
                self.incidents.pop_front();
            }
            self.incidents.push_back(Incident {
                began_at: now,
                ended_at: None,
                worst: ComponentState::Operational,
                components: Vec::new(),
                lines: Vec::new(),
            });
        }
        self.incidents.back_mut().expect("pushed where there was none")
    }

    /// Writes time down for each day that it touches.
    fn charge(&mut self, component: Component, state: ComponentState, from: u64, to: u64) {
        let Some(place) = usize::from(state.number()).checked_sub(1) else { return };
        let mut at = from.max(to.saturating_sub(DAYS * DAY_MS));
        while at < to {
            let day = at / DAY_MS;
            let end = to.min((day + 1) * DAY_MS);
            self.of_day(day).bad_ms[component.place()][place] += end - at;
            at = end;
        }
        while self.days.front().is_some_and(|first| first.day + DAYS <= to / DAY_MS) {
            self.days.pop_front();
        }
    }

    fn of_day(&mut self, day: u64) -> &mut Day {
        let place = match self.days.binary_search_by_key(&day, |held| held.day) {
            Ok(place) => place,
            Err(place) => {
                self.days.insert(place, Day { day, bad_ms: Each::default() });
                place
            }
        };
        &mut self.days[place]
    }

    /// The worst that anything stands now.
    #[must_use]
    pub fn worst(&self) -> ComponentState {
        self.components.iter().map(|stood| stood.state).max().unwrap_or_default()
    }

    /// In hundredths of a per cent, of the days that are shown and known: how long a component was not out.
    #[must_use]
    pub fn uptime(&self, component: Component, now: u64) -> u64 {
        let first = self.known_since.max((now / DAY_MS + 1).saturating_sub(DAYS) * DAY_MS);
        let known_ms = now.saturating_sub(first).max(1);
        let bad = self.days.iter().filter(|day| day.day >= first / DAY_MS).map(|day| &day.bad_ms[component.place()]);
        let out_ms: u64 = bad.map(|bad| bad[1] + bad[2]).sum();
        // Rounded down: what was not always up is never 100.00.
        10_000 * known_ms.saturating_sub(out_ms) / known_ms
    }

    /// Forgets the oldest incident; false when there is none.
    pub fn forget_oldest(&mut self) -> bool {
        self.incidents.pop_front().is_some()
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
