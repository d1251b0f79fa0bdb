//! Clocks of service: how long a conversation may wait for people, and what becomes of each clock. By the wall clock, as ages are.
//!
//! ```text
//!   (none) ──ClockSet──▶ pending ──its time has come: ClockBreached──▶ breached
//!                           │                                             │
//!                           └── ClockEnded: achieved, or voided ◀─────────┘ (achieved late, or voided)
//! ```
//! A clock begins and ends by what happens to its conversation: every event that is decided is looked at once, in
//! `handle/clocks.rs`. Programs are outside of people's clocks: none of accept, first and next reply runs while one owns it.

use super::Desk;
use super::conversation::Conversation;
use super::deadlines::ByWall;
use super::event::Event;
use super::ids::{ConversationId, QueueId};
use super::refusal::Refusal;
use super::time::WallTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const CLOCK_MS_MAX: u64 = 90 * 86_400_000;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// From when it began to wait until a person has it.
    Accept,
    /// From its start to the first message by a person.
    FirstReply,
    /// From a customer's message, once there was a first reply, to the next one by a person.
    NextReply,
    /// From its start, or from when it was reopened, to its end.
    Resolution,
}

impl Clock {
    pub const ALL: [Clock; 4] = [Clock::Accept, Clock::FirstReply, Clock::NextReply, Clock::Resolution];
    /// Those that run only while people have to do something.
    pub const OF_PEOPLE: [Clock; 3] = [Clock::Accept, Clock::FirstReply, Clock::NextReply];

    /// The word on the wire and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Clock::Accept => "accept",
            Clock::FirstReply => "first_reply",
            Clock::NextReply => "next_reply",
            Clock::Resolution => "resolution",
        }
    }
}

/// How a clock ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockEnd {
    Achieved,
    /// It came to nothing: the customer left, a rule closed the conversation, a program has it, or its queue has no such clock.
    Voided,
}

impl ClockEnd {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ClockEnd::Achieved => "achieved",
            ClockEnd::Voided => "voided",
        }
    }
}

/// A queue's clocks: each in milliseconds, 1 s to 90 days; absent: it is not measured.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceTimes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_reply_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_reply_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution_ms: Option<u64>,
}

impl ServiceTimes {
    #[must_use]
    pub fn ms(&self, clock: Clock) -> Option<u64> {
        match clock {
            Clock::Accept => self.accept_ms,
            Clock::FirstReply => self.first_reply_ms,
            Clock::NextReply => self.next_reply_ms,
            Clock::Resolution => self.resolution_ms,
        }
    }

    /// Refused with the field named, below `service.`.
    ///
    /// # Errors
    /// The first clock that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let wrong = |clock: &Clock| self.ms(*clock).is_some_and(|ms| !(1_000..=CLOCK_MS_MAX).contains(&ms));
        match Clock::ALL.into_iter().find(wrong) {
            Some(clock) => Err(Refusal::BadSetting {
                field: format!("service.{}_ms", clock.name()),
                what: format!("1000 to {CLOCK_MS_MAX} (90 days), or absent"),
            }),
            None => Ok(()),
        }
    }
}

/// A clock that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Running {
    pub clock: Clock,
    /// The queue by whose settings it runs.
    pub queue: QueueId,
    pub since: WallTime,
    pub due: WallTime,
    /// Its time has come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub breached: bool,
}

impl Running {
    /// `pending` or `breached`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.breached { "breached" } else { "pending" }
    }
}

impl Conversation {
    /// Those that run, pending or breached.
    #[must_use]
    pub fn clocks(&self) -> &[Running] {
        self.talk().map_or(&[], |talk| &talk.clocks)
    }

    #[must_use]
    pub fn clock(&self, clock: Clock) -> Option<Running> {
        self.clocks().iter().find(|running| running.clock == clock).copied()
    }

    /// When the next of its clocks is breached.
    #[must_use]
    pub fn next_breach(&self) -> Option<WallTime> {
        self.clocks().iter().filter(|running| !running.breached).map(|running| running.due).min()
    }
}

impl Desk {
    /// `event` is one of a clock.
    pub(super) fn apply_clock(&mut self, event: &Event) {
        match event {
            // It runs, anew or by what another queue sets; what was breached stays so.
            Event::ClockSet { conversation, clock, queue, since, due } => {
                let set = Running { clock: *clock, queue: *queue, since: *since, due: *due, breached: false };
                self.change_clocks(*conversation, |clocks| match clocks.iter_mut().find(|held| held.clock == *clock) {
                    Some(held) => *held = Running { breached: held.breached, ..set },
                    None => {
                        clocks.reserve_exact(1);
                        clocks.push(set);
                    }
                });
            }
            Event::ClockBreached { conversation, clock, .. } => self.change_clocks(*conversation, |clocks| {
                clocks.iter_mut().filter(|held| held.clock == *clock).for_each(|held| held.breached = true);
            }),
            Event::ClockEnded { conversation, clock, .. } => self.change_clocks(*conversation, |clocks| {
                clocks.retain(|held| held.clock != *clock);
                clocks.shrink_to_fit();
            }),
            _ => unreachable!("only clocks are given here"),
        }
    }

    fn change_clocks(&mut self, id: ConversationId, change: impl FnOnce(&mut Vec<Running>)) {
        let held = self.conversations.get_mut(&id).expect("events name conversations that are here");
        let before = held.next_breach();
        held.change_talk(|talk| change(&mut talk.clocks));
        let after = held.next_breach();
        if before != after {
            before.inspect(|at| self.deadlines.clear_by_wall(*at, ByWall::clock(id)));
            after.inspect(|at| self.deadlines.set_by_wall(*at, ByWall::clock(id)));
        }
        self.touched.conversations.insert(id, None);
    }
}
