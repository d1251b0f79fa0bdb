//! A conversation that an agent begins: opened and owned in one step, so that it is offered to nobody.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Author, OpenAsk, StartAsk};
use crate::desk::event::Event;
use crate::desk::files::Attachments;
use crate::desk::ids::ConversationId;
use crate::desk::moves::{Mover, Taken};
use crate::desk::refusal::Refusal;

impl Desk {
    pub(super) fn start(&mut self, ask: &StartAsk, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let open = OpenAsk {
            customer: ask.customer,
            key: ask.key,
            channel: ask.channel.clone(),
            queue: ask.queue.clone(),
            about: ask.about.clone(),
            thread: ask.thread,
            ..OpenAsk::default()
        };
        let (queue, channel) = self.entry(&open)?;
        let unable = |rule| {
            let agent = self.agents[ask.agent.0 as usize].profile.name.clone();
            Refusal::AgentUnable { agent, rule }
        };
        self.is_here(ask.agent).and_then(|()| self.has_room(ask.agent, channel)).map_err(unable)?;
        // It does not wait, so the most that may wait does not matter.
        if self.queues[&queue].settings.moves.draining.is_some() {
            return Err(Refusal::QueueDraining(ask.queue.clone()));
        }
        let conversation = ConversationId(self.last_conversation + 1);
        let opened = self.opened(&open, conversation, (queue, channel), (false, false))?;
        // Nobody waits for an answer here.
        self.emit_alone(events, opened);
        self.take(conversation, ask.agent, Taken::Started, Mover::Agent(ask.agent), false, events);
        if let Some(text) = &ask.text {
            self.append_message(conversation, Author::Agent(ask.agent), text, &Attachments::default(), events);
        }
        Ok(Answer::Opened { conversation, customer: ask.customer, at: self.now.wall })
    }
}
