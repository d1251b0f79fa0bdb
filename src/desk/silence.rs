//! Whose word is awaited, and since when: how long a customer is silent, when its conversation is paused for that, what it takes of its
//! agent meanwhile and what wakes it; and how long a customer awaits its owner. What follows of that is in `silence_rules.rs`.
//!
//! ```text
//!   active ──pause_ms after an agent's last message──▶ active, paused
//!      ▲                                                   │
//!      └── a message of either side, other hands ◀─────────┘   (its end, and going back to the queue, end the pause too)
//! ```
//! What wakes weighs a whole conversation at once, even where its agent then holds more than it can take: nothing new is offered to
//! that one until all of it fits again.

use super::Desk;
use super::clocks::Running;
use super::command::{Author, Notice};
use super::conversation::{Conversation, State};
use super::deadlines::Deadline;
use super::event::Event;
use super::ids::{ConversationId, QueueId};
use super::load::WHOLE;
use super::refusal::Refusal;
use super::settings::{QueueSettings, Settings};
use super::time::DeskTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAUSE_MS_MAX: u64 = 30 * 86_400_000;

/// A channel's rules for customers who are silent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SilenceRules {
    /// Silent for so long after an agent's last message, its conversation is paused; 1 s to 30 days, absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
    /// What it takes of its agent from then on, of what it took before.
    pub paused_weight_percent: u8,
}

impl Default for SilenceRules {
    fn default() -> Self {
        Self { pause_ms: None, paused_weight_percent: 100 }
    }
}

impl SilenceRules {
    /// Refused with the field named, below `field`.
    ///
    /// # Errors
    /// The first member that does not hold.
    pub fn check(&self, field: &str) -> Result<(), Refusal> {
        let refused =
            |member: &str, what: String| Err(Refusal::BadSetting { field: format!("{field}.{member}"), what });
        if self.pause_ms.is_some_and(|ms| !(1_000..=PAUSE_MS_MAX).contains(&ms)) {
            return refused("pause_ms", format!("1000 to {PAUSE_MS_MAX} (30 days), or absent"));
        }
        if self.paused_weight_percent > 100 {
            return refused("paused_weight_percent", "0 to 100".into());
        }
        Ok(())
    }
}

/// What a talk knows of its own course; nothing of it is kept for what only waits.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Talk {
    /// While the last word is an agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// While its customer awaits a word of its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Awaited>,
    /// Clocks of service that run; at most one of each kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Running>,
    /// A person has written to its customer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub answered: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Silence {
    /// The agent's last message, or when it came to its owner, whichever is later.
    pub since: DeskTime,
    /// It is paused: what it takes, in hundredths, as it was set when that began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<u8>,
    /// Its customer was reminded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminded: bool,
}

impl Silence {
    pub(super) fn from(since: DeskTime) -> Self {
        Self { since, paused: None, reminded: false }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Awaited {
    /// The first message that is not answered, or when it came to its owner, whichever is later.
    pub since: DeskTime,
    /// Its owner was reminded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminded: bool,
}

impl Conversation {
    #[must_use]
    pub fn talk(&self) -> Option<&Talk> {
        self.moved.as_ref()?.talk.as_deref()
    }

    /// While the last word is an agent's.
    #[must_use]
    pub fn silence(&self) -> Option<Silence> {
        self.talk()?.silence
    }

    /// While its customer awaits a word of its owner.
    #[must_use]
    pub fn awaited(&self) -> Option<Awaited> {
        self.talk()?.awaited
    }

    /// What it takes while it is paused, in hundredths.
    #[must_use]
    pub fn paused(&self) -> Option<u8> {
        self.silence()?.paused
    }

    /// What it takes of each agent who talks in it, in hundredths of a conversation.
    #[must_use]
    pub fn takes(&self) -> u32 {
        match self.paused() {
            Some(percent) => u32::from(percent),
            None if self.state.takes_slot() => WHOLE,
            None => 0,
        }
    }

    /// When it is to be paused.
    #[must_use]
    pub fn pause_at(&self, settings: &Settings) -> Option<DeskTime> {
        let silence = self.silence().filter(|silence| silence.paused.is_none())?;
        let active = matches!(self.state, State::Active { .. });
        let ms = settings.channels.get(usize::from(self.channel.0))?.silence.pause_ms.filter(|_| active)?;
        Some(silence.since.plus_ms(ms))
    }

    /// When a rule of its queue does something about who is silent.
    #[must_use]
    pub fn silence_rule_at(&self, queue: &QueueSettings) -> Option<DeskTime> {
        if !matches!(self.state, State::Active { .. }) {
            return None;
        }
        if let Some(silence) = self.silence() {
            return Some(silence.since.plus_ms(queue.silent_customer.as_ref()?.next_ms(silence.reminded)?));
        }
        let awaited = self.awaited().filter(|awaited| !awaited.reminded)?;
        Some(awaited.since.plus_ms(queue.silent_owner.as_ref()?.after_ms))
    }

    pub(super) fn change_talk(&mut self, change: impl FnOnce(&mut Talk)) {
        self.change_moved(|moved| {
            let mut talk = moved.talk.take().unwrap_or_default();
            change(&mut talk);
            moved.talk = (*talk != Talk::default()).then_some(talk);
        });
    }

    /// It was `before`, and may stand otherwise now: in other hands, silence counts from now; where nobody talks, no pause is left,
    /// and after the talk nothing of it.
    pub(super) fn settle_silence(&mut self, before: State, now: DeskTime) {
        let talks = matches!(self.state, State::Active { .. });
        if self.state == before || self.talk().is_none() && !talks {
            return;
        }
        let over = matches!(self.state, State::WrapUp { .. } | State::Closed);
        self.change_talk(|talk| {
            talk.silence = talk.silence.filter(|_| !over).map(|silence| Silence {
                since: if talks { now } else { silence.since },
                paused: None,
                ..silence
            });
            let awaited = talks && talk.silence.is_none();
            talk.awaited = awaited.then_some(Awaited { since: now, reminded: false });
        });
    }
}

impl Desk {
    /// Somebody is about to write: what is paused is so no longer.
    pub(super) fn wake_for(&mut self, id: ConversationId, author: Author, events: &mut Vec<Event>) {
        let by_people = !matches!(author, Author::System(_));
        if by_people && self.conversations[&id].paused().is_some() {
            self.emit(events, Event::ConversationWoken { conversation: id });
        }
    }

    pub(super) fn apply_paused(&mut self, id: ConversationId, percent: Option<u8>) {
        self.change_conversation(id, |c| {
            c.change_talk(|talk| {
                if let Some(silence) = &mut talk.silence {
                    silence.paused = percent;
                }
            });
        });
    }

    /// A message changes whose word is awaited.
    pub(super) fn apply_message(&mut self, id: ConversationId, author: Author, change: impl FnOnce(&mut Conversation)) {
        let now = self.now.desk;
        let by_person = matches!(author, Author::Agent(agent) if !self.agents[agent.0 as usize].profile.program);
        self.change_course(id, |held| {
            change(held);
            let talks = matches!(held.state, State::Active { .. });
            match author {
                Author::Agent(_) => held.change_talk(|talk| {
                    (talk.silence, talk.awaited) = (Some(Silence::from(now)), None);
                    talk.answered |= by_person;
                }),
                Author::Customer(_) if talks || held.talk().is_some() => held.change_talk(|talk| {
                    talk.silence = None;
                    let awaited = talk.awaited.unwrap_or(Awaited { since: now, reminded: false });
                    talk.awaited = talks.then_some(awaited);
                }),
                Author::System(Notice::Reminder) if held.talk().is_some() => held.change_talk(|talk| {
                    talk.silence = talk.silence.map(|silence| Silence { reminded: true, ..silence });
                }),
                Author::Customer(_) | Author::System(_) => {}
            }
        });
    }

    pub(super) fn apply_owner_reminded(&mut self, id: ConversationId) {
        self.change_course(id, |held| {
            held.change_talk(|talk| {
                talk.awaited = talk.awaited.map(|awaited| Awaited { reminded: true, ..awaited });
            });
        });
    }

    /// A change of a talk's course, of which only deadlines of silence are derived.
    fn change_course(&mut self, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
        let held = self.conversations.get_mut(&id).expect("events name conversations that are here");
        let queue = &self.queues[&held.queue].settings;
        let before = (held.pause_at(&self.settings), held.silence_rule_at(queue));
        change(held);
        let after = (held.pause_at(&self.settings), held.silence_rule_at(queue));
        if before != after {
            before.0.inspect(|at| self.deadlines.clear(*at, Deadline::Pause(id)));
            before.1.inspect(|at| self.deadlines.clear(*at, Deadline::Silence(id)));
            after.0.inspect(|at| self.deadlines.set(*at, Deadline::Pause(id)));
            after.1.inspect(|at| self.deadlines.set(*at, Deadline::Silence(id)));
        }
        self.touched.conversations.insert(id, None);
    }

    /// Other rules of silence of a queue hold for what is silent already.
    pub(super) fn change_silence_rules(&mut self, queue: QueueId, put: &QueueSettings) {
        let Some(held) = self.queues.get(&queue).map(|held| held.settings.clone()) else { return };
        if (&held.silent_customer, &held.silent_owner) == (&put.silent_customer, &put.silent_owner) {
            return;
        }
        for id in self.agents.iter().flat_map(|agent| &agent.conversations) {
            let talk = &self.conversations[id];
            if talk.queue == queue {
                talk.silence_rule_at(&held).inspect(|at| self.deadlines.clear(*at, Deadline::Silence(*id)));
                talk.silence_rule_at(put).inspect(|at| self.deadlines.set(*at, Deadline::Silence(*id)));
            }
        }
    }

    /// Other times after which what is silent is paused hold for what is silent already.
    pub(super) fn change_pauses(&mut self, settings: &Settings) {
        let rules = |settings: &Settings| settings.channels.iter().map(|c| c.silence.pause_ms).collect::<Vec<_>>();
        if rules(&self.settings) == rules(settings) {
            return;
        }
        for id in self.agents.iter().flat_map(|agent| &agent.conversations) {
            let held = &self.conversations[id];
            held.pause_at(&self.settings).inspect(|at| self.deadlines.clear(*at, Deadline::Pause(*id)));
            held.pause_at(settings).inspect(|at| self.deadlines.set(*at, Deadline::Pause(*id)));
        }
    }
}
