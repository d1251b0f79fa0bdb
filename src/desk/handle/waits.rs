//! The rules for those who wait: full queues, the longest wait, the most offers, and the place that a customer who left keeps.
//!
//! A move that cannot be made (its target is full, or there were too many already) falls back: at the longest wait to the message and the
//! end, anywhere else to what would be without the rule. So nobody is moved round for ever, and nobody is stranded.

use crate::desk::Desk;
use crate::desk::command::{Author, Closer, Notice};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, OfferEnd, RequiredSkill};
use crate::desk::ids::{ConversationId, CustomerId, QueueId};
use crate::desk::refusal::Refusal;
use crate::desk::time::WallTime;
use crate::desk::waiting_rules::{Action, MOVES_MAX, WaitingRules};
use std::sync::Arc;

/// Where a new conversation goes, and what it is told there.
pub(super) struct Entry {
    pub queue: QueueId,
    /// It is told this, and closed.
    pub closes: Option<(Notice, Arc<str>)>,
}

impl Desk {
    /// By the rules of the queue that it was placed in.
    pub(super) fn entering(&self, queue: QueueId) -> Result<Entry, Refusal> {
        if !self.is_full(queue) {
            return Ok(Entry { queue, closes: None });
        }
        let settings = &self.queues[&queue].settings;
        match &settings.waiting.when_full {
            Action::Move { queue: name } => {
                let to = self.queue_names.get(name).copied().filter(|to| !self.is_full(*to));
                to.map(|queue| Entry { queue, closes: None }).ok_or_else(|| self.full(queue))
            }
            Action::MessageAndClose { text } => Ok(Entry { queue, closes: Some((Notice::QueueFull, text.clone())) }),
            Action::Refuse | Action::Wait | Action::RaisePriority { .. } => Err(self.full(queue)),
        }
    }

    fn full(&self, queue: QueueId) -> Refusal {
        let settings = &self.queues[&queue].settings;
        Refusal::QueueFull { queue: settings.name.clone(), waiting_max: settings.waiting_max }
    }

    pub(super) fn is_full(&self, queue: QueueId) -> bool {
        let held = &self.queues[&queue];
        held.waiting + held.offered >= held.settings.waiting_max
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
            Action::RaisePriority { .. } | Action::Move { .. } | Action::Wait | Action::Refuse => {
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
                Action::RaisePriority { .. } | Action::Wait | Action::Refuse => {}
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
    fn move_on(&mut self, id: ConversationId, name: &Arc<str>, events: &mut Vec<Event>) -> bool {
        let held = &self.conversations[&id];
        let to = self.queue_names.get(name).copied();
        let Some(queue) = to.filter(|to| held.spell.moves < MOVES_MAX && !self.is_full(*to)) else { return false };
        let (skills, moves) = (self.skills_there(held, queue), held.spell.moves + 1);
        self.emit(events, Event::ConversationMoved { conversation: id, queue, skills, moves });
        true
    }

    /// What it requires in another queue: without what only its old queue asked of it, with what the new one asks.
    fn skills_there(&self, held: &Conversation, to: QueueId) -> Vec<RequiredSkill> {
        let old = &self.queues[&held.queue].settings.skills;
        let own = held.skills.iter().filter(|skill| old.get(&skill.name) != Some(&skill.level));
        let own = own.map(|skill| (skill.name.clone(), skill.level)).collect();
        super::conversations::required(&own, &self.queues[&to].settings.skills)
    }

    pub(super) fn say(&mut self, id: ConversationId, notice: Notice, text: &Arc<str>, events: &mut Vec<Event>) {
        self.append_message(id, Author::System(notice), text, events);
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
