//! Queues that open and close: how the workspace's hours stand, as its events have said, and what is done when they turn.
//!
//! When an hours turns next is computed when a turn is decided, and stands in the event: a replay asks no time zone, and another
//! release, with other time zones built in, changes nothing of what was. It is looked at again when it turns, when settings
//! change, and when a server begins.

use super::Desk;
use super::conversation::Conversation;
use super::event::Event;
use super::ids::{ConversationId, QueueId};
use super::time::{Now, WallTime};
use super::waiting_rules::Action;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How an hours stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Opening {
    pub open: bool,
    /// From when it is known to be so.
    pub since: WallTime,
    pub until: WallTime,
    /// It is looked at again then, and need not turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond: bool,
}

impl Opening {
    /// When it opens; `None` while it is open, or when that is not known.
    #[must_use]
    pub fn opens_at(&self) -> Option<WallTime> {
        (!self.open && !self.beyond).then_some(self.until)
    }

    #[must_use]
    pub fn closes_at(&self) -> Option<WallTime> {
        (self.open && !self.beyond).then_some(self.until)
    }
}

/// By name: the workspace's hours.
pub type Openings = BTreeMap<Arc<str>, Opening>;

impl Desk {
    #[must_use]
    pub fn openings(&self) -> &Openings {
        &self.openings
    }

    /// How the hours of this queue stand; `None` for one without hours, which is open.
    #[must_use]
    pub fn opening_of(&self, queue: QueueId) -> Option<&Opening> {
        self.openings.get(self.queues.get(&queue)?.settings.hours.as_ref()?)
    }

    #[must_use]
    pub fn is_open(&self, queue: QueueId) -> bool {
        self.opening_of(queue).is_none_or(|opening| opening.open)
    }

    /// Whether something is due, by either clock. What is due by the wall clock is known by this alone, since the wall clock may have
    /// gone on further than desk time.
    #[must_use]
    pub fn is_due(&self, now: Now) -> bool {
        self.next_deadline().is_some_and(|at| at <= now.desk)
            || self.deadlines.due_by_wall(now.wall).is_some()
            || self.next_turn_of_hours().is_some_and(|at| at <= now.wall)
    }

    /// When the first of the hours turns, or is looked at again.
    pub(super) fn next_turn_of_hours(&self) -> Option<WallTime> {
        self.openings.values().map(|opening| opening.until).min()
    }

    /// Every hours of the settings as it stands at this moment, where that is news.
    pub(super) fn look_at_hours(&mut self, events: &mut Vec<Event>) {
        let settings = self.settings.clone();
        for (name, hours) in &settings.hours {
            let (schedule, held) = (hours.at(self.now.wall), self.openings.get(name));
            // What is beyond what was looked at moves with every look.
            let same = held.is_some_and(|held| {
                let still = held.until > self.now.wall && (held.beyond || held.until == schedule.until);
                held.open == schedule.open && held.beyond == schedule.beyond && still
            });
            if !same {
                let (open, until, beyond) = (schedule.open, schedule.until, schedule.beyond);
                self.emit(events, Event::HoursTurned { hours: name.clone(), open, until, beyond });
            }
        }
    }

    /// Some hours turn now.
    pub(super) fn hours_are_due(&mut self, events: &mut Vec<Event>) {
        if self.next_turn_of_hours().is_some_and(|at| at <= self.now.wall) {
            self.look_at_hours(events);
        }
    }

    /// The events of hours.
    pub(super) fn apply_hours(&mut self, event: &Event) {
        match event {
            Event::HoursTurned { hours, open, until, beyond } => self.turn_hours(hours, *open, *until, *beyond),
            Event::StayedAtClosing { conversation } => {
                self.change_conversation(*conversation, |c| c.spell.stayed = true);
            }
            other => unreachable!("{other:?} is not of hours"),
        }
    }

    /// Everything that waits in a queue of these hours is looked at again.
    fn turn_hours(&mut self, name: &Arc<str>, open: bool, until: WallTime, beyond: bool) {
        let before = self.openings.get(name).filter(|before| before.open == open);
        let since = before.map_or(self.now.wall, |before| before.since);
        let opening = Opening { open, since, until, beyond };
        self.touched.openings.insert(name.clone());
        if before.is_some() {
            self.openings.insert(name.clone(), opening);
            return;
        }
        let named = self.queues.iter().filter(|(_, queue)| queue.settings.hours.as_ref() == Some(name));
        let named: Vec<QueueId> = named.map(|(id, _)| id).collect();
        let waiting: Vec<ConversationId> = named.iter().flat_map(|queue| self.stop_waiting_in(*queue)).collect();
        self.openings.insert(name.clone(), opening);
        self.touched.queues.extend(named);
        self.start_waiting_again(&waiting);
    }

    /// Hours that the settings do not hold any more; no queue names them.
    pub(super) fn forget_hours(&mut self) {
        let gone = self.openings.keys().filter(|name| !self.settings.hours.contains_key(*name)).cloned();
        for name in gone.collect::<Vec<_>>() {
            self.openings.remove(&name);
            self.touched.openings.insert(name);
        }
    }

    /// Its queue is open, by whatever that comes: one that was left begins to wait, one that stayed may meet the next closing.
    pub(super) fn begin_if_open(&mut self, id: ConversationId) {
        let held = &self.conversations[&id];
        if !held.spell.left && !held.spell.stayed || !self.is_open(held.queue) {
            return;
        }
        let now = self.now.wall;
        let held = self.conversations.get_mut(&id).expect("it waits");
        if held.spell.left {
            held.spell.from = now;
            held.waiting_since = now;
        }
        (held.spell.left, held.spell.stayed) = (false, false);
        self.touched.conversations.insert(id, None);
    }

    /// When its queue closed, if the rule of those who wait at closing has yet to be done for it.
    pub(super) fn closing_of(&self, held: &Conversation) -> Option<WallTime> {
        let queue = &self.queues[&held.queue].settings;
        if queue.waiting.at_closing == Action::Wait || held.spell.left || held.spell.stayed {
            return None;
        }
        let closed = self.opening_of(held.queue).filter(|opening| !opening.open)?.since;
        (held.spell.from < closed).then_some(closed)
    }
}
