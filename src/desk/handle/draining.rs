//! Draining: an agent is offered nothing new and keeps what it has; a queue takes nothing new in and finishes what waits.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::event::Event;
use crate::desk::ids::QueueId;
use crate::desk::queue_moves::Draining;
use crate::desk::refusal::Refusal;
use std::sync::Arc;

impl Desk {
    pub(super) fn drain_agent(
        &mut self,
        name: &Arc<str>,
        draining: bool,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let agent = self.agent_named(name).ok_or_else(|| Refusal::NoSuchAgent(name.clone()))?;
        if self.agents[agent.0 as usize].draining != draining {
            self.emit(events, Event::AgentDraining { agent, draining });
        }
        Ok(Answer::Done)
    }

    pub(super) fn drain_queue(
        &mut self,
        name: &Arc<str>,
        draining: Option<&Draining>,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let id = *self.queue_names.get(name).ok_or_else(|| Refusal::NoSuchQueue(name.clone()))?;
        let mut put = (*self.queues[&id].settings).clone();
        put.moves.draining = draining.cloned();
        self.put_queue(&put, events).map(|_| Answer::Done)
    }

    /// Where what is to wait in this queue goes: there, or where it sends it to while it drains.
    pub(super) fn queue_taking(&self, id: QueueId) -> Result<QueueId, Refusal> {
        let queue = &self.queues[&id].settings;
        let Some(draining) = &queue.moves.draining else { return Ok(id) };
        let other = draining.to.as_ref().and_then(|to| self.queue_names.get(to));
        // One step and no more, so that two cannot send to each other for ever.
        let other = other.filter(|other| self.queues[*other].settings.moves.draining.is_none());
        other.copied().ok_or_else(|| Refusal::QueueDraining(queue.name.clone()))
    }

    /// Whether one more may wait there.
    pub(super) fn room_in(&self, id: QueueId) -> Result<(), Refusal> {
        let queue = &self.queues[&id];
        let waiting_max = queue.settings.waiting_max;
        if queue.waiting + queue.offered < waiting_max {
            return Ok(());
        }
        Err(Refusal::QueueFull { queue: queue.settings.name.clone(), waiting_max })
    }
}
