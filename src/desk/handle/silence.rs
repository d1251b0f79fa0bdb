//! Silence that has lasted too long: of a customer, who is paused, reminded or told that it is over, and of an owner.

use crate::desk::Desk;
use crate::desk::command::Notice;
use crate::desk::conversation::State;
use crate::desk::event::{Event, RequeueCause};
use crate::desk::ids::ConversationId;
use crate::desk::silence_rules::OwnerAction;
use std::sync::Arc;

impl Desk {
    pub(super) fn pause_is_due(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let channel = self.conversations[&id].channel;
        let weight_percent = self.settings.channels[usize::from(channel.0)].silence.paused_weight_percent;
        self.emit(events, Event::ConversationPaused { conversation: id, weight_percent });
    }

    /// A rule of its queue does something: about its customer while the last word is an agent's, else about its owner.
    pub(super) fn silence_is_due(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let held = &self.conversations[&id];
        let queue = self.queues[&held.queue].settings.clone();
        match (held.silence(), &queue.silent_customer, &queue.silent_owner) {
            (Some(silence), Some(rules), _) => {
                let silent_ms = self.now.desk.ms_since(silence.since);
                if rules.close_after_ms.is_some_and(|ms| ms <= silent_ms) {
                    self.say_and_close(id, Notice::CustomerSilent, &rules.close_text, events);
                } else {
                    self.say(id, Notice::Reminder, &rules.remind_text, events);
                }
            }
            (None, _, Some(rules)) => match &rules.action {
                OwnerAction::Remind => {
                    let owner = held.state.owner().expect("somebody is awaited");
                    self.emit(events, Event::OwnerReminded { conversation: id, owner });
                }
                OwnerAction::Requeue => self.take_from_silent_owner(id, None, events),
                OwnerAction::Move { queue } => self.take_from_silent_owner(id, Some(queue), events),
            },
            _ => unreachable!("without a rule nothing is due"),
        }
    }

    /// Who has joined has it; else it waits again, in the other queue if that takes it, and not for this owner at once.
    fn take_from_silent_owner(&mut self, id: ConversationId, to: Option<&Arc<str>>, events: &mut Vec<Event>) {
        if self.hand_over_to_joined(id, events) {
            return;
        }
        self.stand_down(id, events);
        let held = &self.conversations[&id];
        let State::Active { owner: from } = held.state else {
            unreachable!("only an active conversation has an owner to lose")
        };
        let (waiting_since, public) = (held.waiting_since, held.public + 1);
        let cool_ms = self.settings.cool_downs.rejected_ms;
        let cool_down_until = (cool_ms > 0).then(|| self.now.desk.plus_ms(cool_ms));
        let (conversation, cause) = (id, RequeueCause::OwnerSilent);
        self.emit(
            events,
            Event::ConversationRequeued { conversation, from, waiting_since, public, cause, cool_down_until },
        );
        if let Some(queue) = to {
            // Where that one is full, it waits on in its own.
            self.move_on(id, queue, events);
        }
    }
}
