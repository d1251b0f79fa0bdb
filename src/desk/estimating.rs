//! When a wait begins and when it ends, for the estimates of the next: what is told is kept with the conversation, what became of it
//! goes to its queue's estimates. Rests on events alone, so that a replay gives the same.

use super::Desk;
use super::conversation::{Conversation, State};
use super::estimates::{AtEachPlace, Estimate, Estimates, PastError, Said};
use super::ids::{ConversationId, QueueId};
use super::settings::ChannelId;
use super::time::WallTime;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Kinds of conversations that one queue has estimates for; beyond that the one that nobody waited in for the longest is forgotten.
const CLASSES_MAX: usize = 8;

/// Whose waits are alike: those of one queue, channel and priority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Class {
    pub queue: QueueId,
    pub channel: ChannelId,
    pub priority: i32,
}

impl Class {
    pub(super) fn of(held: &Conversation) -> Self {
        Self { queue: held.queue, channel: held.channel, priority: held.priority }
    }
}

/// As the id of a row: `queue.channel.priority`.
impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.queue.0, self.channel.0, self.priority)
    }
}

impl std::str::FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(|| format!("{text:?} is no class of waits"));
        let queue = QueueId(part()?.parse().map_err(|why| format!("{text:?}: {why}"))?);
        let channel = ChannelId(part()?.parse().map_err(|why| format!("{text:?}: {why}"))?);
        Ok(Self { queue, channel, priority: part()?.parse().map_err(|why| format!("{text:?}: {why}"))? })
    }
}

pub type ByClass = BTreeMap<Class, Estimates>;

/// What somebody would be told who began to wait now, and how good it was lately.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct EstimateRow {
    pub channel: Arc<str>,
    pub priority: i32,
    pub place: u32,
    #[serde(flatten)]
    pub estimate: Estimate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past_error: Option<PastError>,
}

/// How a conversation stood before a change.
#[derive(Clone, Copy)]
pub(super) struct Stood {
    class: Class,
    from: WallTime,
    place: u16,
    said: Said,
    waited: bool,
    waiting: bool,
}

impl Stood {
    pub fn of(held: &Conversation) -> Self {
        let waiting = held.state == State::Waiting;
        let waited = waiting || held.state == State::Offered {};
        let spell = &held.spell;
        Self { class: Class::of(held), from: spell.from, place: spell.place, said: spell.said, waited, waiting }
    }
}

impl Desk {
    /// How long those of a class will wait from now on, by their place, where anything can be said: the queue is open, somebody is
    /// there, and enough is known.
    #[must_use]
    pub fn estimates_of(&self, class: Class) -> Option<AtEachPlace> {
        if !self.is_open(class.queue) || self.able.there_in(class.queue) == 0 {
            return None;
        }
        Some(self.estimates.get(&class)?.at_each_place(self.now.wall))
    }

    /// All that wait in a queue, in the order they are taken in, with the class of each.
    #[must_use]
    pub fn waiting_with_class(&self, queue: QueueId) -> Vec<(ConversationId, Class)> {
        let waiting = self.waiting.with_channel(queue).into_iter();
        waiting.map(|(key, channel)| (key.conversation, Class { queue, channel, priority: key.priority() })).collect()
    }

    /// For each kind of conversation that a queue has estimates for.
    #[must_use]
    pub fn estimates_in(&self, queue: QueueId) -> Vec<EstimateRow> {
        let rows = self.estimates.range(classes_of(queue)).filter_map(|(class, estimates)| {
            let place = self.waiting.ahead_of(queue, class.priority) + 1;
            Some(EstimateRow {
                channel: self.settings.channels.get(usize::from(class.channel.0))?.name.clone(),
                priority: class.priority,
                place,
                estimate: self.estimates_of(*class)?.at(place)?,
                past_error: estimates.past_error(),
            })
        });
        rows.collect()
    }

    /// After a change of a conversation that is still here.
    pub(super) fn waited_on(&mut self, id: ConversationId, before: Stood) {
        let after = Stood::of(&self.conversations[&id]);
        let goes_on = before.waited && after.waited && before.class.queue == after.class.queue;
        if goes_on {
            // Who finds an agent free does not wait, so nothing is learnt of those who do.
            if before.waiting && !after.waiting && after.from == self.now.wall {
                self.conversations.get_mut(&id).expect("it is here").spell.place = 0;
            }
            return;
        }
        if before.waited {
            // Moved to another queue: it would have waited longer in this one.
            self.wait_ended(before, after.waited);
        }
        if after.waited {
            self.wait_began(id);
        }
    }

    /// Its place at the beginning, and what it is told then.
    pub(super) fn wait_began(&mut self, id: ConversationId) {
        let held = &self.conversations[&id];
        // For its own agent it waits otherwise than the others.
        let alike = !held.spell.left && held.wished_agent().is_none() && self.is_open(held.queue);
        if held.state != State::Waiting || !alike {
            return;
        }
        // It is one of those itself.
        let (class, place) = (Class::of(held), self.waiting.ahead_of(held.queue, held.priority));
        let said = self.estimates.get(&class).and_then(|estimates| estimates.at(place, self.now.wall));
        let spell = &mut self.conversations.get_mut(&id).expect("it is here").spell;
        (spell.place, spell.said) = (u16::try_from(place).unwrap_or(0), Said::of(said));
    }

    /// An agent has it; or it is `left`: closed, or moved on, before that.
    pub(super) fn wait_ended(&mut self, stood: Stood, left: bool) {
        let Stood { class, from, place, said, waited, .. } = stood;
        let closed_meanwhile = self.opening_of(class.queue).is_some_and(|opening| opening.since > from);
        let now = self.now.wall;
        // What an agent began itself, or took at once, did not wait.
        if !waited || place == 0 || closed_meanwhile || now == from {
            return;
        }
        if !self.estimates.contains_key(&class) && self.estimates.range(classes_of(class.queue)).count() >= CLASSES_MAX
        {
            let of_queue = self.estimates.range(classes_of(class.queue));
            if let Some(oldest) = of_queue.min_by_key(|(_, estimates)| estimates.last_at()).map(|(oldest, _)| *oldest) {
                self.estimates.remove(&oldest);
                self.touched.estimates.insert(oldest);
            }
        }
        let waited_ms = now.0.saturating_sub(from.0);
        self.estimates.entry(class).or_default().ended(u32::from(place), waited_ms, left, said.estimate(), now);
        self.touched.estimates.insert(class);
    }

    /// The queue is gone.
    pub(super) fn forget_estimates(&mut self, queue: QueueId) {
        let gone: Vec<Class> = self.estimates.range(classes_of(queue)).map(|(class, _)| *class).collect();
        for class in gone {
            self.estimates.remove(&class);
            self.touched.estimates.insert(class);
        }
    }
}

fn classes_of(queue: QueueId) -> std::ops::RangeInclusive<Class> {
    let first = Class { queue, channel: ChannelId(0), priority: i32::MIN };
    first..=Class { queue, channel: ChannelId(u8::MAX), priority: i32::MAX }
}
