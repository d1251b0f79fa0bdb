//! Conversations: opened, written in, read, ended, reopened, given back.

use super::waits::Entry;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Author, Closer, OpenAsk};
use crate::desk::conversation::{Conversation, State, WishedAgent};
use crate::desk::event::{Event, RequeueCause, RequiredSkill};
use crate::desk::files::Attachments;
use crate::desk::ids::{AgentId, ConversationId, CustomerId, QueueId};
use crate::desk::needs::Loaded;
use crate::desk::queue_moves::ReopenedFor;
use crate::desk::refusal::Refusal;
use crate::desk::settings::ChannelId;
use crate::desk::wrapping::Blocks;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Desk {
    pub(super) fn open(&mut self, ask: &OpenAsk, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let (queue, channel) = self.entry(ask)?;
        let entering = self.queue_taking(queue).and_then(|queue| self.entering(queue));
        let (Entry { queue, told, closes, left }, channel, message) = match entering {
            Err(refusal) if ask.or_message => {
                let (entry, channel) = self.leaving_message(queue, channel, refusal)?;
                (entry, channel, true)
            }
            entering => (entering?, channel, false),
        };
        let conversation = ConversationId(self.last_conversation + 1);
        let opened = self.opened(ask, conversation, (queue, channel), (left, message))?;
        self.emit(events, opened);
        if let Some(text) = &ask.text {
            self.append_message(conversation, Author::Customer(ask.customer), text, &Attachments::default(), events);
        }
        match told {
            Some((notice, text)) if closes => self.say_and_close(conversation, notice, &text, events),
            Some((notice, text)) => self.say(conversation, notice, &text, events),
            None => {}
        }
        Ok(Answer::Opened { conversation, customer: ask.customer, at: self.now.wall })
    }

    /// The queue and the channel that a new conversation names.
    pub(super) fn entry(&self, ask: &OpenAsk) -> Result<(QueueId, ChannelId), Refusal> {
        let queue = *self.queue_names.get(&ask.queue).ok_or_else(|| Refusal::NoSuchQueue(ask.queue.clone()))?;
        let place = self.settings.channels.iter().position(|channel| channel.name == ask.channel);
        let channel = place.ok_or_else(|| Refusal::NoSuchChannel(ask.channel.clone()))?;
        Ok((queue, ChannelId(channel as u8)))
    }

    pub(super) fn opened(
        &self,
        ask: &OpenAsk,
        conversation: ConversationId,
        (queue, channel): (QueueId, ChannelId),
        (left, message): (bool, bool),
    ) -> Result<Event, Refusal> {
        self.may_open_one_more()?;
        let settings = &self.queues[&queue].settings;
        Ok(Event::ConversationOpened {
            conversation,
            customer: ask.customer,
            key: ask.key,
            channel,
            queue,
            priority: ask.priority.unwrap_or(settings.priority),
            skills: required(&ask.skills, &settings.skills),
            about: ask.about.clone(),
            public: 1,
            waiting_since: self.asked_since(ask)?.or_else(|| self.kept_age(ask.customer, queue)),
            wishes: self.wishes(ask, queue)?,
            left,
            message,
            thread: ask.thread,
        })
    }

    pub(super) fn post(
        &mut self,
        id: ConversationId,
        author: Author,
        text: &Arc<str>,
        files: &Attachments,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        if !files.is_empty() {
            let held = self.conversation(id).or_else(|| self.closed(id, loaded));
            held.ok_or(Refusal::NoSuchConversation(id))?.may_add(id, files)?;
        }
        let mut woken = false;
        match author {
            Author::Agent(agent) => {
                let conversation = self.conversations.get(&id).ok_or_else(|| self.not_here(id, loaded))?;
                talked_in_by(id, conversation, agent)?;
                if !matches!(conversation.state, State::Active { .. }) {
                    return Err(wrong_state(id, conversation));
                }
            }
            Author::Customer(customer) => woken = self.wake(id, customer, loaded, events)?,
            Author::System(_) => return Err(Refusal::NotYours(id)),
        }
        let number = self.append_message(id, author, text, files, events);
        if woken {
            self.came_back(id, events);
        }
        Ok(Answer::Posted { conversation: id, number, at: self.now.wall })
    }

    /// A customer writes: what is not going on any more goes on again, which this says.
    fn wake(
        &mut self,
        id: ConversationId,
        customer: CustomerId,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<bool, Refusal> {
        let here = self.conversation(id);
        let conversation = here.or_else(|| self.closed(id, loaded)).ok_or(Refusal::NoSuchConversation(id))?;
        if conversation.customer != customer {
            return Err(Refusal::NoSuchConversation(id));
        }
        let public = conversation.public + 1;
        let waiting_since = self.now.wall;
        match conversation.state {
            State::Waiting | State::Offered { .. } => return Ok(false),
            State::Active { .. } => {
                if conversation.requeue_at.is_some() {
                    self.requeue(id, events);
                }
                return Ok(false);
            }
            State::WrapUp { owner, .. } => {
                let queue = conversation.queue;
                let owner = self.may_have_it_back(owner, conversation).then_some(owner);
                if owner.is_none() {
                    self.may_come_back_to(queue)?;
                }
                self.emit(
                    events,
                    Event::ConversationReopened {
                        conversation: id,
                        was: None,
                        queue,
                        owner,
                        waiting_since,
                        public,
                        wished: None,
                    },
                );
            }
            State::Closed => {
                let over = conversation.ended_at.0.saturating_add(self.settings.reopen_ms) < self.now.wall.0;
                // What was had elsewhere is history here.
                if over || conversation.imported().is_some() {
                    return Err(wrong_state(id, conversation));
                }
                self.may_open_one_more()?;
                let was = Some(Box::new(conversation.clone()));
                let queue = self.queue_to_reopen_in(conversation.queue)?;
                self.may_come_back_to(queue)?;
                let waiting_since = self.kept_age(customer, queue).unwrap_or(waiting_since);
                let wished = self.wished_when_reopened(conversation, queue);
                self.emit(
                    events,
                    Event::ConversationReopened {
                        conversation: id,
                        was,
                        queue,
                        owner: None,
                        waiting_since,
                        public,
                        wished,
                    },
                );
            }
        }
        Ok(true)
    }

    /// Its old queue, or the default one where that is gone, or where its old queue sends what is new while it drains. Without
    /// another queue, one that drains takes back what was its own.
    fn queue_to_reopen_in(&self, queue: QueueId) -> Result<QueueId, Refusal> {
        if self.queues.contains_key(&queue) {
            return Ok(self.queue_taking(queue).unwrap_or(queue));
        }
        let name = self.settings.default_queue.clone().unwrap_or_default();
        self.queue_names.get(&name).copied().ok_or(Refusal::NoSuchQueue(name))
    }

    /// Its old owner, where the queue prefers that one and it could take it now; else nobody, any more.
    fn wished_when_reopened(&self, closed: &Conversation, queue: QueueId) -> Option<WishedAgent> {
        let moves = &self.queues[&queue].settings.moves;
        let required = closed.wished_agent().is_some_and(|wished| wished.until.is_none());
        if moves.reopened_for != ReopenedFor::OldOwner || required {
            return None;
        }
        let could = |agent: &AgentId| self.may_be_given(*agent, closed, false).is_ok();
        match closed.last_owner().filter(could) {
            Some(agent) => Some(WishedAgent { agent, until: Some(self.now.desk.plus_ms(moves.reopened_for_ms)) }),
            None => closed.wished_agent().map(|wished| WishedAgent { until: Some(self.now.desk), ..wished }),
        }
    }

    pub(super) fn append_message(
        &mut self,
        conversation: ConversationId,
        author: Author,
        text: &Arc<str>,
        files: &Attachments,
        events: &mut Vec<Event>,
    ) -> u32 {
        self.wake_for(conversation, author, events);
        let held = &self.conversations[&conversation];
        let (number, public) = (held.last_number + 1, held.public + 1);
        let (text, files) = (text.clone(), files.clone());
        self.emit(events, Event::MessagePosted { conversation, number, author, text, public, files });
        number
    }

    pub(super) fn read(
        &mut self,
        id: ConversationId,
        reader: Author,
        number: u32,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let Some(conversation) = self.conversations.get(&id) else {
            // It is over: who reads it now changes nothing for anybody.
            let closed = self.closed(id, loaded).ok_or(Refusal::NoSuchConversation(id))?;
            return match reader {
                Author::Customer(customer) if closed.customer == customer => Ok(Answer::Done),
                Author::Customer(_) => Err(Refusal::NoSuchConversation(id)),
                Author::Agent(_) | Author::System(_) => Err(Refusal::NotYours(id)),
            };
        };
        let mark = match reader {
            Author::Agent(agent) => talked_in_by(id, conversation, agent).map(|()| conversation.read_by_agent)?,
            Author::Customer(customer) if conversation.customer == customer => conversation.read_by_customer,
            Author::Customer(_) => return Err(Refusal::NoSuchConversation(id)),
            Author::System(_) => return Err(Refusal::NotYours(id)),
        };
        if number > conversation.last_number {
            return Err(Refusal::NoSuchMessage { number, last: conversation.last_number });
        }
        if number > mark {
            self.emit(events, Event::MessagesRead { conversation: id, reader, number });
        }
        Ok(Answer::Done)
    }

    pub(super) fn typing(
        &self,
        id: ConversationId,
        author: Author,
        draft: Option<&Arc<str>>,
        loaded: &Loaded,
    ) -> Result<Answer, Refusal> {
        let conversation = self.conversations.get(&id).ok_or_else(|| self.not_here(id, loaded))?;
        let by = match author {
            Author::Agent(agent) => talked_in_by(id, conversation, agent).map(|()| Some(agent))?,
            Author::Customer(customer) if conversation.customer == customer => None,
            Author::Customer(_) => return Err(Refusal::NoSuchConversation(id)),
            Author::System(_) => return Err(Refusal::NotYours(id)),
        };
        let to = conversation.talkers().filter(|talker| Some(*talker) != by).collect();
        Ok(Answer::Typing { conversation: id, to, by, draft: draft.cloned() })
    }

    pub(super) fn close(
        &mut self,
        id: ConversationId,
        by: Closer,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let Some(conversation) = self.conversations.get(&id) else {
            let hidden = matches!(by, Closer::Customer(customer)
                if self.closed(id, loaded).is_none_or(|closed| closed.customer != customer));
            return Err(if hidden { Refusal::NoSuchConversation(id) } else { self.not_here(id, loaded) });
        };
        match by {
            Closer::Agent(agent) => owned_by(id, conversation, agent)?,
            Closer::Customer(customer) if conversation.customer != customer => {
                return Err(Refusal::NoSuchConversation(id));
            }
            Closer::Customer(_) | Closer::Supervisor(_) | Closer::Admin | Closer::System => {}
        }
        let owner = match conversation.state {
            State::Active { owner } => Some(owner),
            State::Waiting | State::Offered { .. } => None,
            State::WrapUp { .. } | State::Closed => return Err(wrong_state(id, conversation)),
        };
        self.may_close_unlabelled(id, conversation, by)?;
        self.stand_down(id, events);
        let conversation = &self.conversations[&id];
        let wrap_up = owner.and_then(|_| self.wrap_up_after(conversation));
        let (wrap_up_until, blocks) =
            wrap_up.map_or((None, Blocks::default()), |(until, blocks)| (Some(until), blocks));
        let public = conversation.public + 1;
        self.emit(events, Event::ConversationEnded { conversation: id, by, owner, wrap_up_until, public, blocks });
        self.let_wrap_up_end(id, events);
        Ok(Answer::Done)
    }

    /// Its owner stayed away: who has joined has it, or it waits again, at its old age.
    pub(super) fn requeue(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        if self.hand_over_to_joined(id, events) {
            return;
        }
        self.stand_down(id, events);
        let conversation = &self.conversations[&id];
        let State::Active { owner: from } = conversation.state else {
            unreachable!("only an active conversation has an owner to lose")
        };
        let (waiting_since, public) = (conversation.waiting_since, conversation.public + 1);
        let (conversation, cause, cool_down_until) = (id, RequeueCause::OwnerGone, None);
        self.emit(
            events,
            Event::ConversationRequeued { conversation, from, waiting_since, public, cause, cool_down_until },
        );
    }

    pub(super) fn merge_customer(
        &mut self,
        from: CustomerId,
        into: CustomerId,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let here = self.conversations.iter().filter(|(_, held)| held.customer == from).map(|(id, _)| id);
        let closed = loaded.of_customer.get(&from).into_iter().flatten().copied();
        let in_this_turn = self.touched.conversations.iter();
        let in_this_turn =
            in_this_turn.filter(|(_, last)| last.as_ref().is_some_and(|last| last.customer == from)).map(|(id, _)| *id);
        let mut conversations: Vec<ConversationId> = here.chain(closed).chain(in_this_turn).collect();
        conversations.sort_unstable();
        conversations.dedup();
        let count = conversations.len() as u32;
        if from != into && count > 0 {
            self.emit(events, Event::CustomerMerged { from, into, conversations });
        }
        Ok(Answer::Merged { conversations: count })
    }
}

/// What the queue requires and what the conversation requires, the higher level of each.
pub(super) fn required(asked: &BTreeMap<Arc<str>, u8>, of_queue: &BTreeMap<Arc<str>, u8>) -> Vec<RequiredSkill> {
    let mut levels = of_queue.clone();
    for (name, level) in asked {
        let held = levels.entry(name.clone()).or_insert(*level);
        *held = (*held).max(*level);
    }
    levels.into_iter().map(|(name, level)| RequiredSkill { name, level }).collect()
}

pub(super) fn owned_by(id: ConversationId, conversation: &Conversation, agent: AgentId) -> Result<(), Refusal> {
    if conversation.state.owner() == Some(agent) { Ok(()) } else { Err(Refusal::NotYours(id)) }
}

fn talked_in_by(id: ConversationId, conversation: &Conversation, agent: AgentId) -> Result<(), Refusal> {
    if conversation.is_talked_in_by(agent) { Ok(()) } else { Err(Refusal::NotYours(id)) }
}

pub(super) fn wrong_state(conversation: ConversationId, held: &Conversation) -> Refusal {
    Refusal::WrongState { conversation, state: held.state.name().into() }
}
