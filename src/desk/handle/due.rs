//! What time alone does: offers that expire, grace that ends, wrap-up that is over, waits that have lasted their longest.

use crate::desk::Desk;
use crate::desk::EVENTS_PER_COMMAND_MAX;
use crate::desk::answer::Answer;
use crate::desk::auto_accept::BY_ITSELF;
use crate::desk::deadlines::Deadline;
use crate::desk::event::{Event, OfferEnd, OfflineCause};
use crate::desk::ids::ConversationId;
use crate::desk::refusal::Refusal;
use crate::desk::time::WallTime;

impl Desk {
    /// Do what is due, in order of time; what is more than one command may decide stays due.
    pub(super) fn due(&mut self, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        self.hours_are_due(events);
        while let Some(deadline) = self.deadlines.due_by(self.now.desk) {
            if events.len() >= EVENTS_PER_COMMAND_MAX {
                break;
            }
            match deadline {
                Deadline::Offer(offer) => {
                    let (_, end) = self.offers[&offer].due();
                    if end == OfferEnd::Accepted {
                        self.accepted(offer, Some(BY_ITSELF.into()), events);
                    } else {
                        self.end_offer(offer, end, None, events);
                    }
                }
                Deadline::AgentGrace(agent) => self.go_offline(agent, OfflineCause::GraceOver, events),
                Deadline::WrapUp(conversation) => self.wrap_up_is_due(conversation, events),
                Deadline::Requeue(conversation) => self.requeue(conversation, events),
                Deadline::Pause(conversation) => self.pause_is_due(conversation, events),
                Deadline::Silence(conversation) => self.silence_is_due(conversation, events),
                Deadline::Decision(conversation) => self.outside_is_silent(conversation, events),
                Deadline::CoolDown(_) => unreachable!("cool-downs end without an event"),
            }
        }
        while let Some(due) = self.deadlines.due_by_wall(self.now.wall) {
            if events.len() >= EVENTS_PER_COMMAND_MAX {
                break;
            }
            let conversation = due.conversation();
            if due.is_clock() {
                self.breach_is_due(conversation, events);
            } else {
                self.wait_is_due(conversation, events);
            }
        }
        Ok(Answer::Done)
    }

    /// The first that is due of what a waiting conversation has reached: its next ring, its longest wait, the closing of its queue.
    fn wait_is_due(&mut self, conversation: ConversationId, events: &mut Vec<Event>) {
        let [ring, longest, _] = self.dues_of_wait(conversation);
        let is_due = |at: Option<WallTime>| at.is_some_and(|at| at <= self.now.wall);
        if is_due(ring) {
            let held = &self.conversations[&conversation];
            let age_ms = self.now.wall.0.saturating_sub(held.waiting_since.0);
            let ring = self.queues[&held.queue].settings.offering.rings_at(age_ms);
            self.emit(events, Event::RingReached { conversation, ring });
        } else if is_due(longest) {
            self.waited_longest(conversation, events);
        } else {
            self.closes_on(conversation, events);
        }
    }
}
