//! Wrap-up: what a talk that ends leads to, more time for it, and its end.

use super::conversations::{owned_by, wrong_state};
use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::command::Worker;
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, WrapUpCause};
use crate::desk::ids::{AgentId, ConversationId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use crate::desk::time::DeskTime;
use crate::desk::wrapping::{Blocks, OPEN_ENDED, Terms, WRAP_UP_MS_MAX, WrapUpEnds};

impl Desk {
    /// The rules of wrap-up that hold for this conversation now.
    #[must_use]
    pub fn wrap_up_terms(&self, conversation: &Conversation) -> Terms {
        let channel = &self.settings.channels[usize::from(conversation.channel.0)];
        self.queues[&conversation.queue].settings.wrap_up.over(&channel.wrap_up)
    }

    /// The wrap-up that begins when the talk ends now: until when, and what it blocks. `None`: there is none.
    pub(super) fn wrap_up_after(&self, conversation: &Conversation) -> Option<(DeskTime, Blocks)> {
        let terms = self.wrap_up_terms(conversation);
        let channel = &self.settings.channels[usize::from(conversation.channel.0)];
        let queue = &self.queues[&conversation.queue].settings;
        let ms = queue.wrap_up_ms.unwrap_or(channel.wrap_up_ms).min(WRAP_UP_MS_MAX);
        match terms.ends {
            WrapUpEnds::WhenDone => Some((OPEN_ENDED, terms.blocks)),
            WrapUpEnds::Timed if ms > 0 => Some((self.now.desk.plus_ms(ms), terms.blocks)),
            WrapUpEnds::Timed => None,
        }
    }

    /// No time would end a wrap-up that is open-ended, and whose agent is not here: from now on its absence does.
    pub(super) fn let_wrap_up_end(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let Some(held) = self.conversations.get(&id) else { return };
        let State::WrapUp { owner, until: OPEN_ENDED, .. } = held.state else { return };
        if held.requeue_at.is_none() && self.agents[owner.0 as usize].connection == Connection::Offline {
            let requeue_at = Some(self.now.desk.plus_ms(self.settings.vanished_owner_ms));
            self.emit(events, Event::OwnerVanished { conversation: id, requeue_at });
        }
    }

    pub(super) fn wrap_up_done(
        &mut self,
        id: ConversationId,
        by: Worker,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let conversation = self.conversations.get(&id).ok_or_else(|| self.not_here(id, loaded))?;
        if let Worker::Owner(agent) = by {
            owned_by(id, conversation, agent)?;
        }
        let State::WrapUp { owner, .. } = conversation.state else { return Err(wrong_state(id, conversation)) };
        if by.agent() == Some(owner) {
            self.is_labelled(id, conversation, conversation.labels.as_deref())?;
            self.end_wrap_up(id, owner, WrapUpCause::Done, None, events);
        } else {
            self.end_wrap_up(id, owner, WrapUpCause::Ended, by.agent(), events);
        }
        Ok(Answer::Done)
    }

    pub(super) fn extend_wrap_up(
        &mut self,
        agent: AgentId,
        id: ConversationId,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let conversation = self.conversations.get(&id).ok_or_else(|| self.not_here(id, loaded))?;
        owned_by(id, conversation, agent)?;
        let State::WrapUp { until: held, since, extensions, .. } = conversation.state else {
            return Err(wrong_state(id, conversation));
        };
        if held == OPEN_ENDED {
            return Ok(Answer::Done);
        }
        let terms = self.wrap_up_terms(conversation);
        let until = held.plus_ms(terms.extend_ms).min(since.plus_ms(WRAP_UP_MS_MAX));
        if extensions >= terms.extensions_max || until <= held {
            return Err(Refusal::NoMoreTime(id));
        }
        self.emit(events, Event::WrapUpExtended { conversation: id, wrap_up_until: until });
        Ok(Answer::Done)
    }

    /// Its time is over, or its agent was away for too long.
    pub(super) fn wrap_up_is_due(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let State::WrapUp { owner, until, .. } = self.conversations[&id].state else {
            unreachable!("only wrap-up has this deadline")
        };
        let cause = if until <= self.now.desk { WrapUpCause::TimeOver } else { WrapUpCause::OwnerGone };
        self.end_wrap_up(id, owner, cause, None, events);
    }

    fn end_wrap_up(
        &mut self,
        conversation: ConversationId,
        owner: AgentId,
        cause: WrapUpCause,
        by: Option<AgentId>,
        events: &mut Vec<Event>,
    ) {
        self.emit(events, Event::WrapUpEnded { conversation, owner, cause, by });
    }

    /// Whether a customer who writes during wrap-up is back with its owner: one who is there, and holds the slot still or has
    /// room for it.
    pub(super) fn may_have_it_back(&self, owner: AgentId, conversation: &Conversation) -> bool {
        let agent = &self.agents[owner.0 as usize];
        agent.connection != Connection::Offline
            && (conversation.state.takes_slot() || agent.room_on(&self.settings, conversation.channel))
    }
}
