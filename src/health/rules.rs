//! How each component stands, from what was observed: pure. Observations go in with their time, states come out.
//!
//! ```text
//!                    a sign says so: at once
//!   operational ───────────────────────────────▶ degraded, partial outage, major outage
//!        ▲                                                       │
//!        └──── no sign has said so for `recover_after_ms` ◀──────┘
//! ```
//!
//! Never reads a clock, and holds a bounded amount: one bucket of answers for each observation within the window, and numbers.
//!
//! | sign | speaks of | degraded | partial outage | major outage |
//! | --- | --- | --- | --- | --- |
//! | answers in the window (5 or more, 2 or more failed) | each | 2 % failed, or 20 % slow | 20 % | 80 % |
//! | the probe failed twice running | what it tried | clients are well | else | nobody was answered well |
//! | the probe was slow three times running | what it tried | yes | | |
//! | agents whose connection dropped (of 5 or more), for 3 s | agent interface | 20 % | 40 % | 80 % |
//! | a conversation waits though an agent could take it | offers | | `overlooked_after_ms` | six times that |
//! | memory will be used up, or nearly is | agent interface, messenger | yes | | |

use super::experience::Answers;
use super::{Component, ComponentState, Each};
use ComponentState::{Degraded, MajorOutage, Operational, PartialOutage};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Fewer answers than this say nothing.
const ANSWERS_MIN: u64 = 5;
const FAILED_MIN: u64 = 2;
/// Fewer agents than this: one closed laptop is no outage.
const AGENTS_MIN: u64 = 5;
/// A drop is one that lasts: devices change their networks all day.
const LOST_FOR_MS: u64 = 3_000;
/// Once is an accident.
const PROBES_FAILED: u32 = 2;
const PROBES_SLOW: u32 = 3;
/// Over how long the slope of memory is taken, and above which share it matters at all.
const SLOPE_MS: u64 = 60_000;
const SLOPE_FROM_PERCENT: u64 = 50;
const MEMORY_FULL_PERCENT: u64 = 95;

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Answers count for this long.
    pub window_ms: u64,
    /// How long nothing may be wrong before a component is called better.
    pub recover_after_ms: u64,
    pub overlooked_after_ms: u64,
    /// Memory that grows so fast that it is used up sooner is a sign.
    pub memory_full_within_ms: u64,
}

/// How one component fared in a probe.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Probed {
    /// The probe did not come so far, or does not run.
    #[default]
    Untried,
    Well,
    Slow,
    /// What did not happen: a short sentence.
    Failed(Cow<'static, str>),
}

/// Memory in bytes, of the budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    pub used: u64,
    pub budget: u64,
}

/// What was seen since the last observation.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    pub answers: Each<Answers>,
    pub agents_online: u64,
    /// Their connection dropped, and their grace runs.
    pub agents_lost: u64,
    /// The age of the oldest conversation that waits though an agent could take it.
    pub overlooked_ms: Option<u64>,
    pub memory: Option<Memory>,
    /// Those that have ended since.
    pub probes: Vec<Each<Probed>>,
}

/// How one component stands, and by which sign.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judged {
    pub state: ComponentState,
    /// Empty while it is operational.
    pub why: Cow<'static, str>,
}

#[derive(Debug, Default)]
struct Streak {
    failed: u32,
    slow: u32,
    why: Cow<'static, str>,
}

/// The rules, with what they remember.
#[derive(Debug)]
pub struct Rules {
    limits: Limits,
    answers: VecDeque<(u64, Each<Answers>)>,
    probes: Each<Streak>,
    /// Since when the agents' connections are lost at all.
    lost_since_ms: Option<u64>,
    overlooked_since_ms: Option<u64>,
    /// Memory in use, at most one a second of the last minute.
    memory: VecDeque<(u64, u64)>,
    /// For each component and state: when a sign last said so, and which.
    said: Each<[Option<(u64, Cow<'static, str>)>; 4]>,
}

impl Rules {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            answers: VecDeque::new(),
            probes: Each::default(),
            lost_since_ms: None,
            overlooked_since_ms: None,
            memory: VecDeque::new(),
            said: Each::default(),
        }
    }

    /// `now_ms`: monotonic, and never less than before.
    pub fn feed(&mut self, now_ms: u64, seen: &Observation) {
        self.take_answers(now_ms, seen);
        self.take_probe(seen);
        let lost = self.lost(now_ms, seen);
        let overlooked = self.overlooked(now_ms, seen);
        let memory = self.memory(now_ms, seen);
        for component in Component::ALL {
            let answers = self.answers_in_window(component);
            let mut signs = vec![of_answers(answers), self.of_probe(component, answers)];
            match component {
                Component::AgentInterface => signs.extend([lost.clone(), memory.clone()]),
                Component::Messenger => signs.push(memory.clone()),
                Component::ConversationOffers => signs.push(overlooked.clone()),
                Component::Api => {}
            }
            for (state, why) in signs.into_iter().filter(|(state, _)| *state != Operational) {
                self.said[component.place()][usize::from(state.number())] = Some((now_ms, why));
            }
        }
    }

    /// The worst that a sign has said of each lately.
    #[must_use]
    pub fn judged(&self, now_ms: u64) -> Each<Judged> {
        let lately = |at_ms: u64| now_ms.saturating_sub(at_ms) <= self.limits.recover_after_ms;
        self.said.each_ref().map(|said| {
            let mut worst_first = ComponentState::ALL.into_iter().rev().zip(said.iter().rev());
            let found =
                worst_first.find_map(|(state, said)| Some((state, said.as_ref().filter(|(at, _)| lately(*at))?)));
            found.map_or_else(Judged::default, |(state, (_, why))| Judged { state, why: why.clone() })
        })
    }

    fn take_answers(&mut self, now_ms: u64, seen: &Observation) {
        self.answers.push_back((now_ms, seen.answers));
        while self.answers.front().is_some_and(|(at_ms, _)| now_ms.saturating_sub(*at_ms) > self.limits.window_ms) {
            self.answers.pop_front();
        }
    }

    fn answers_in_window(&self, component: Component) -> Answers {
        self.answers.iter().fold(Answers::default(), |sum, (_, answers)| sum.and(answers[component.place()]))
    }

    fn take_probe(&mut self, seen: &Observation) {
        let each_of_all = seen.probes.iter().flat_map(|probe| Component::ALL.into_iter().zip(probe));
        for (component, probed) in each_of_all {
            let streak = &mut self.probes[component.place()];
            match probed {
                Probed::Untried => {}
                Probed::Well => *streak = Streak::default(),
                Probed::Slow => *streak = Streak { slow: streak.slow.saturating_add(1), ..Streak::default() },
                Probed::Failed(why) => {
                    *streak = Streak { failed: streak.failed.saturating_add(1), slow: 0, why: why.clone() };
                }
            }
        }
    }

    fn of_probe(&self, component: Component, answers: Answers) -> Sign {
        let streak = &self.probes[component.place()];
        if streak.failed >= PROBES_FAILED {
            let served = answers.well + answers.slow;
            let clients_are_well = answers.total() >= ANSWERS_MIN && answers.failed * 100 < answers.total() * 2;
            let state = match served {
                0 => MajorOutage,
                _ if clients_are_well => Degraded,
                _ => PartialOutage,
            };
            return (state, format!("the probe failed: {}", streak.why).into());
        }
        if streak.slow >= PROBES_SLOW {
            return (Degraded, "the probe was slow".into());
        }
        NOTHING
    }

    fn lost(&mut self, now_ms: u64, seen: &Observation) -> Sign {
        let (lost, all) = (seen.agents_lost, seen.agents_lost + seen.agents_online);
        let state = match lost * 100 {
            share if all < AGENTS_MIN || share < all * 20 => Operational,
            share if share < all * 40 => Degraded,
            share if share < all * 80 => PartialOutage,
            _ => MajorOutage,
        };
        if state == Operational {
            self.lost_since_ms = None;
            return NOTHING;
        }
        if now_ms.saturating_sub(*self.lost_since_ms.get_or_insert(now_ms)) < LOST_FOR_MS {
            return NOTHING;
        }
        (state, format!("{lost} of {all} agents have lost their connection").into())
    }

    fn overlooked(&mut self, now_ms: u64, seen: &Observation) -> Sign {
        let Some(age_ms) = seen.overlooked_ms else {
            self.overlooked_since_ms = None;
            return NOTHING;
        };
        let lasted_ms = now_ms.saturating_sub(*self.overlooked_since_ms.get_or_insert(now_ms));
        let after_ms = self.limits.overlooked_after_ms;
        let state = match lasted_ms {
            ms if ms < after_ms => Operational,
            ms if ms < after_ms.saturating_mul(6) => PartialOutage,
            _ => MajorOutage,
        };
        (state, format!("a conversation has waited {} s though an agent could take it", age_ms / 1_000).into())
    }

    fn memory(&mut self, now_ms: u64, seen: &Observation) -> Sign {
        let Some(Memory { used, budget }) = seen.memory.filter(|memory| memory.budget > 0) else { return NOTHING };
        if self.memory.back().is_none_or(|(at_ms, _)| now_ms.saturating_sub(*at_ms) >= 1_000) {
            self.memory.push_back((now_ms, used));
        }
        while self.memory.front().is_some_and(|(at_ms, _)| now_ms.saturating_sub(*at_ms) > SLOPE_MS) {
            self.memory.pop_front();
        }
        let percent = used.saturating_mul(100) / budget;
        if percent >= MEMORY_FULL_PERCENT {
            return (Degraded, format!("{percent} % of the memory's budget are in use").into());
        }
        // The straight line from the oldest to the newest: what goes up and down within a minute is no trend.
        let Some((from_ms, from)) = self.memory.front().copied() else { return NOTHING };
        let (passed_ms, grown) = (now_ms.saturating_sub(from_ms), used.saturating_sub(from));
        if passed_ms < SLOPE_MS / 2 || grown == 0 || percent < SLOPE_FROM_PERCENT {
            return NOTHING;
        }
        let left_ms = u128::from(budget - used) * u128::from(passed_ms) / u128::from(grown);
        if left_ms > u128::from(self.limits.memory_full_within_ms) {
            return NOTHING;
        }
        (Degraded, format!("memory will be used up in about {} s", left_ms / 1_000).into())
    }
}

type Sign = (ComponentState, Cow<'static, str>);

const NOTHING: Sign = (Operational, Cow::Borrowed(""));

fn of_answers(answers: Answers) -> Sign {
    let total = answers.total();
    if total < ANSWERS_MIN {
        return NOTHING;
    }
    let failed = if answers.failed < FAILED_MIN { 0 } else { answers.failed * 100 };
    let state = match failed {
        share if share >= total * 80 => MajorOutage,
        share if share >= total * 20 => PartialOutage,
        share if share >= total * 2 => Degraded,
        _ if answers.slow * 100 >= total * 20 => {
            return (Degraded, format!("{} of {total} answers were slow", answers.slow).into());
        }
        _ => return NOTHING,
    };
    (state, format!("{} of {total} answers failed", answers.failed).into())
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
