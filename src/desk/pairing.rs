//! Pairs what waits with who is able, after every command, until nothing more fits: no lost wake-up.
//!
//! Only what changed is looked at: an agent that became able or got room, a conversation that began to wait or whose
//! cool-down ended. Everything else was paired before, so no other pair can have become possible.

use super::conversation::State;
use super::event::Event;
use super::ids::{AgentId, ConversationId, OfferId};
use super::{Desk, EVENTS_PER_COMMAND_MAX};

impl Desk {
    pub(super) fn has_unpaired(&self) -> bool {
        !self.unpaired_agents.is_empty() || !self.unpaired_conversations.is_empty()
    }

    /// After a load: everything may have become possible.
    pub fn look_at_everything(&mut self) {
        self.unpaired_agents.extend((0..self.agents.len() as u32).map(AgentId));
        self.unpaired_conversations.extend(self.waiting.all());
    }

    /// Make every offer that has become possible; what is more than one command may decide waits for the next tick.
    pub(super) fn pair(&mut self, events: &mut Vec<Event>) {
        // Agents first: what one of them was too busy for may be older than what just began to wait.
        while let Some(agent) = self.unpaired_agents.first().copied() {
            if events.len() >= EVENTS_PER_COMMAND_MAX {
                return;
            }
            match self.first_for(agent) {
                Some(conversation) => self.offer_to_best(conversation, events),
                None => {
                    self.unpaired_agents.remove(&agent);
                }
            }
        }
        let unpaired = self.unpaired_conversations.iter();
        let mut in_order: Vec<_> = unpaired.map(|id| self.conversations[id].wait_key(*id)).collect();
        in_order.sort_unstable();
        for key in in_order {
            if events.len() >= EVENTS_PER_COMMAND_MAX {
                return;
            }
            self.offer_to_best(key.conversation, events);
            self.unpaired_conversations.remove(&key.conversation);
        }
    }

    fn first_for(&self, id: AgentId) -> Option<ConversationId> {
        let agent = &self.agents[id.0 as usize];
        if !agent.is_able(&self.settings) {
            return None;
        }
        self.waiting.first_for(agent, &self.settings, |conversation| {
            !self.conversations[&conversation].cools_down(id, self.now.desk)
        })
    }

    /// The strategy: longest idle first, among all who fit.
    fn offer_to_best(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let conversation = &self.conversations[&id];
        if conversation.state != State::Waiting {
            return;
        }
        let best = self.able.candidates(conversation).find(|agent| self.fits(*agent, conversation).is_ok());
        let Some(agent) = best else { return };
        let queue = &self.queues[&conversation.queue].settings;
        let channel = &self.settings.channels[usize::from(conversation.channel.0)];
        let offer_ms = queue.offer_ms.unwrap_or(channel.offer_ms);
        let deliver_ms = self.settings.delivery_ms.min(offer_ms / 2);
        let now = self.now.desk;
        self.emit(
            events,
            Event::OfferMade {
                offer: OfferId(self.last_offer + 1),
                conversation: id,
                agent,
                ends_at: now.plus_ms(offer_ms),
                deliver_by: now.plus_ms(deliver_ms),
            },
        );
    }

    /// Decide an event: it is true at once for the rest of the command.
    pub(super) fn emit(&mut self, events: &mut Vec<Event>, event: Event) {
        self.apply(&event);
        events.push(event);
    }
}
