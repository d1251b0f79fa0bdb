//! The rules for those who wait: nobody there, full queues, the longest wait, the most offers, and the place that a customer who left keeps.
//!
//! A move that cannot be made (its target is full, or there were too many already) falls back: at the longest wait to the message and the
//! end, anywhere else to what would be without the rule. So nobody is moved round for ever, and nobody is stranded.

use crate::desk::Desk;
use crate::desk::command::{Author, Closer, Notice};
use crate::desk::conversation::State;
use crate::desk::event::{Event, OfferEnd};
use crate::desk::files::Attachments;
use crate::desk::ids::{ConversationId, CustomerId, QueueId};
use crate::desk::opening::Opening;
use crate::desk::refusal::Refusal;
use crate::desk::settings::ChannelId;
use crate::desk::time::WallTime;
use crate::desk::waiting_rules::{Action, Coming, MOVES_MAX, WaitingRules};
use std::sync::Arc;

/// Where a new conversation goes, and what it is told there.
pub(super) struct Entry {
    pub queue: QueueId,
    pub told: Option<(Notice, Arc<str>)>,
    /// It is closed when it was told.
    pub closes: bool,
    /// It is a message left out of hours.
    pub left: bool,
}

impl Entry {
    fn to(queue: QueueId) -> Self {
        Self { queue, told: None, closes: false, left: false }
    }

    fn told(queue: QueueId, notice: Notice, text: &Arc<str>, closes: bool) -> Self {
        Self { queue, told: Some((notice, text.clone())), closes, left: false }
    }
}

impl Desk {
    /// By the rules of the queue that it was placed in. Where a rule moves it on, those of the other queue are not asked.
    pub(super) fn entering(&self, queue: QueueId) -> Result<Entry, Refusal> {
        let rules = &self.queues[&queue].settings.waiting;
        let mut entry = Entry::to(queue);
        if !self.is_open(queue) {
            entry = self.entering_closed(queue)?;
            if entry.queue != queue || entry.closes {
                return Ok(entry);
            }
        } else if self.able.there_in(queue) == 0 {
            match &rules.nobody_there {
                Action::Refuse => return Err(Refusal::NobodyThere(self.queues[&queue].settings.name.clone())),
                Action::Move { queue: name } => {
                    let to = self.with_room(name).filter(|to| self.able.there_in(*to) > 0);
                    if let Some(to) = to {
                        return Ok(Entry::to(to));
                    }
                }
                Action::MessageAndClose { text } => return Ok(Entry::told(queue, Notice::NobodyThere, text, true)),
                Action::MessageAndWait { text } => entry = Entry::told(queue, Notice::NobodyThere, text, false),
                Action::Wait | Action::TakeMessage { .. } | Action::RaisePriority { .. } => {}
            }
        }
        let Err(full) = self.room_in(queue) else { return Ok(entry) };
        match &rules.when_full {
            Action::Move { queue: name } => self.with_room(name).map(Entry::to).ok_or(full),
            Action::MessageAndClose { text } => Ok(Entry::told(queue, Notice::QueueFull, text, true)),
            Action::Refuse
            | Action::Wait
            | Action::MessageAndWait { .. }
            | Action::TakeMessage { .. }
            | Action::RaisePriority { .. } => Err(full),
        }
    }

    /// A message in place of what was refused for now: in the queue of the workspace's messages, if that takes one more in. While that is
    /// closed it waits for its opening.
    pub(super) fn leaving_message(
        &self,
        asked: QueueId,
        channel: ChannelId,
        refusal: Refusal,
    ) -> Result<(Entry, ChannelId), Refusal> {
        let Some(left) = &self.settings.left_messages else { return Err(refusal) };
        let queue = left.queue.as_ref().map_or(Some(asked), |name| self.queue_names.get(name).copied());
        let queue = queue.filter(|queue| self.room_in(*queue).is_ok() && self.queue_taking(*queue) == Ok(*queue));
        let Some(queue) = queue else { return Err(refusal) };
        let place = |name: &Arc<str>| self.settings.channels.iter().position(|channel| channel.name == *name);
        let channel = left.channel.as_ref().and_then(place).map_or(channel, |place| ChannelId(place as u8));
        Ok((Entry { left: !self.is_open(queue), ..Entry::to(queue) }, channel))
    }

    /// What a new conversation that is placed in this queue would be told now.
    #[must_use]
    pub fn coming(&self, queue: QueueId) -> Coming {
        let entering = self.queue_taking(queue).and_then(|queue| self.entering(queue));
        let (to, refused) = match &entering {
            Ok(entry) => (entry.queue, None),
            Err(refusal) => (queue, Some(refusal.code())),
        };
        let message = match entering {
            Ok(_) => false,
            Err(refusal) => self.leaving_message(queue, ChannelId::default(), refusal).is_ok(),
        };
        let there = self.able.there_in(to) > 0;
        Coming { queue: self.queues[&to].settings.name.clone(), there, refused, message }
    }

    /// The rule for those who come while the queue is closed, or open with nobody there; `None`: neither is so.
    fn rule_for_coming(&self, queue: QueueId) -> Option<(Notice, Action)> {
        let rules = &self.queues[&queue].settings.waiting;
        if !self.is_open(queue) {
            return Some((Notice::OutOfHours, rules.out_of_hours.clone()));
        }
        (self.able.there_in(queue) == 0).then(|| (Notice::NobodyThere, rules.nobody_there.clone()))
    }

    /// Whether a customer who writes again may come back to this queue.
    pub(super) fn may_come_back_to(&self, queue: QueueId) -> Result<(), Refusal> {
        match self.rule_for_coming(queue) {
            Some((Notice::OutOfHours, Action::Refuse)) => self.entering_closed(queue).map(drop),
            Some((_, Action::Refuse)) => Err(Refusal::NobodyThere(self.queues[&queue].settings.name.clone())),
            _ => Ok(()),
        }
    }

    /// It waits again, since its customer has written: out of hours, or where nobody is there, by the same rule as a new one. Its own
    /// queue took it once, so that it is not asked whether it is full.
    pub(super) fn came_back(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let Some(held) = self.conversation(id).filter(|held| held.state == State::Waiting) else { return };
        let Some((notice, rule)) = self.rule_for_coming(held.queue) else { return };
        match rule {
            Action::Move { queue } => {
                let better = |to: &QueueId| match notice {
                    Notice::OutOfHours => self.is_open(*to),
                    _ => self.able.there_in(*to) > 0,
                };
                if self.queue_names.get(&queue).is_some_and(better) {
                    self.move_on(id, &queue, events);
                }
            }
            Action::MessageAndClose { text } => self.say_and_close(id, notice, &text, events),
            Action::MessageAndWait { text } | Action::TakeMessage { text } => self.say(id, notice, &text, events),
            Action::Wait | Action::Refuse | Action::RaisePriority { .. } => {}
        }
    }

    /// By the rule of a queue that is closed at this hour.
    fn entering_closed(&self, queue: QueueId) -> Result<Entry, Refusal> {
        let settings = &self.queues[&queue].settings;
        let opens_at = self.opening_of(queue).and_then(Opening::opens_at);
        match &settings.waiting.out_of_hours {
            Action::Refuse => Err(Refusal::QueueClosed { queue: settings.name.clone(), opens_at }),
            Action::Move { queue: name } => Ok(Entry::to(self.open_with_room(name).unwrap_or(queue))),
            Action::MessageAndClose { text } => Ok(Entry::told(queue, Notice::OutOfHours, text, true)),
            Action::MessageAndWait { text } => Ok(Entry::told(queue, Notice::OutOfHours, text, false)),
            Action::TakeMessage { text } => {
                Ok(Entry { left: true, ..Entry::told(queue, Notice::OutOfHours, text, false) })
            }
            Action::Wait | Action::RaisePriority { .. } => Ok(Entry::to(queue)),
        }
    }

    fn open_with_room(&self, name: &Arc<str>) -> Option<QueueId> {
        self.with_room(name).filter(|to| self.is_open(*to))
    }

    /// Its queue has closed while it waited. Whatever cannot be done, it waits on.
    pub(super) fn closes_on(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        match self.queues[&self.conversations[&id].queue].settings.waiting.at_closing.clone() {
            Action::Move { queue } if self.open_with_room(&queue).is_some() && self.move_on(id, &queue, events) => {
                return;
            }
            Action::MessageAndClose { text } => return self.say_and_close(id, Notice::OutOfHours, &text, events),
            Action::MessageAndWait { text } => self.say(id, Notice::OutOfHours, &text, events),
            Action::Move { .. }
            | Action::Wait
            | Action::Refuse
            | Action::TakeMessage { .. }
            | Action::RaisePriority { .. } => {}
        }
        self.emit(events, Event::StayedAtClosing { conversation: id });
    }

    /// The queue of this name, if it takes one more in.
    fn with_room(&self, name: &Arc<str>) -> Option<QueueId> {
        let takes = |queue: &QueueId| self.room_in(*queue).is_ok() && self.queue_taking(*queue) == Ok(*queue);
        self.queue_names.get(name).copied().filter(takes)
    }

    /// Those who have waited their longest, by the wall clock as ages are.
    pub(super) fn waited_longest(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let held = &self.conversations[&id];
        let rules = &self.queues[&held.queue].settings.waiting;
        match rules.after_longest.clone() {
            Action::RaisePriority { by, times } if held.spell.raised < times => {
                let raised = held.spell.raised + 1;
                self.raise(id, by, raised, events);
            }
            Action::Move { queue } if self.move_on(id, &queue, events) => {}
            Action::MessageAndClose { text } => self.say_and_close(id, Notice::WaitedTooLong, &text, events),
            Action::RaisePriority { .. }
            | Action::Move { .. }
            | Action::Wait
            | Action::MessageAndWait { .. }
            | Action::TakeMessage { .. }
            | Action::Refuse => {
                self.say_and_close(id, Notice::WaitedTooLong, &WaitingRules::last_resort(), events);
            }
        }
    }

    /// An offer has failed: before the next one, the rules of how often and how long.
    pub(super) fn waits_on(&mut self, id: ConversationId, end: OfferEnd, events: &mut Vec<Event>) {
        let failed = match end {
            OfferEnd::Rejected | OfferEnd::Expired | OfferEnd::Undelivered | OfferEnd::AgentLost => true,
            OfferEnd::Accepted | OfferEnd::Withdrawn | OfferEnd::Rescinded => false,
        };
        let Some(held) = self.conversation(id).filter(|held| failed && held.state == State::Waiting) else { return };
        let rules = &self.queues[&held.queue].settings.waiting;
        let raised = held.spell.raised;
        let offers = held.offers_made - held.spell.offers_before;
        let most = rules.offers_max.filter(|most| offers >= *most && offers.is_multiple_of(*most));
        if let Some(most) = most {
            match rules.after_offers.clone() {
                Action::RaisePriority { by, times } if offers / most <= u32::from(times) => {
                    self.raise(id, by, raised, events);
                }
                Action::Move { queue } => drop(self.move_on(id, &queue, events)),
                Action::MessageAndClose { text } => self.say_and_close(id, Notice::OfferedTooOften, &text, events),
                Action::RaisePriority { .. }
                | Action::Wait
                | Action::MessageAndWait { .. }
                | Action::TakeMessage { .. }
                | Action::Refuse => {}
            }
        }
        let waits = self.conversation(id).is_some_and(|held| held.state == State::Waiting);
        if waits && self.longest_of(id).is_some_and(|at| at <= self.now.wall) {
            self.waited_longest(id, events);
        }
    }

    fn raise(&mut self, id: ConversationId, by: i32, raised: u8, events: &mut Vec<Event>) {
        let priority = self.conversations[&id].priority.saturating_add(by);
        self.emit(events, Event::PriorityRaised { conversation: id, priority, raised });
    }

    /// Whether it could be moved.
    pub(super) fn move_on(&mut self, id: ConversationId, name: &Arc<str>, events: &mut Vec<Event>) -> bool {
        let held = &self.conversations[&id];
        let to = self.with_room(name).filter(|_| held.spell.moves < MOVES_MAX);
        let Some(queue) = to else { return false };
        let (skills, moves) = (self.required_in(held, queue), held.spell.moves + 1);
        let public = Some(held.public + 1);
        self.withdraw_decision(id, events);
        self.emit(events, Event::ConversationMoved { conversation: id, queue, skills, moves, public, by: None });
        true
    }

    pub(super) fn say(&mut self, id: ConversationId, notice: Notice, text: &Arc<str>, events: &mut Vec<Event>) {
        self.append_message(id, Author::System(notice), text, &Attachments::default(), events);
    }

    pub(super) fn say_and_close(
        &mut self,
        id: ConversationId,
        notice: Notice,
        text: &Arc<str>,
        events: &mut Vec<Event>,
    ) {
        self.say(id, notice, text, events);
        let closed = self.close(id, Closer::System, &Default::default(), events);
        debug_assert!(closed.is_ok(), "what waits can be closed: {closed:?}");
    }

    /// The age that a customer who comes back in time goes on at.
    pub(super) fn kept_age(&self, customer: CustomerId, queue: QueueId) -> Option<WallTime> {
        let kept = self.left_waiting.get(customer).filter(|kept| kept.queue == queue && kept.until > self.now.wall)?;
        Some(kept.waiting_since)
    }
}
