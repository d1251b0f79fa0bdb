//! Conversations that go on elsewhere, by e-mail or by telephone: how the next message finds its conversation, and what became of
//! the messages that went out. Who carries them is a service of the workspace's own; the desk only knows what that reported.
//!
//! ```text
//!   posted ──▶ sent ──▶ delivered ──▶ read
//!     │         │           ▲
//!     └─────────┴──▶ failed─┘   (it was carried after all)
//! ```
//! A state only ever goes forward: reports come late and in any order, and one that says less than is known changes nothing.

use super::command::{Author, OpenAsk};
use super::conversation::Conversation;
use super::ids::{ConversationId, ThreadId};
use super::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The newest messages of a conversation of which a state is kept; of older ones none is taken any more.
pub const SENT_MAX: usize = 100;
/// Of what a carrier says of a failure. It is kept in the clear, so it names no customer.
pub const REASON_BYTES_MAX: usize = 64;

/// What became of a message that went out, in the order in which one goes over another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Sent,
    Failed,
    Delivered,
    Read,
}

impl DeliveryState {
    pub const ALL: [DeliveryState; 4] =
        [DeliveryState::Sent, DeliveryState::Failed, DeliveryState::Delivered, DeliveryState::Read];

    /// The word on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeliveryState::Sent => "sent",
            DeliveryState::Failed => "failed",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Read => "read",
        }
    }
}

/// A message that came from outside. It goes on in the conversation of its thread, or begins one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceiveAsk {
    /// By which the conversation is found that is open; `open` names it too, for one that begins.
    pub thread: ThreadId,
    /// The thread's newest conversation as the view had it: what the desk no longer holds may be reopened.
    pub found: Option<ConversationId>,
    /// Sealed.
    pub text: Arc<str>,
    /// Should it begin one.
    pub open: OpenAsk,
}

/// What a carrier says of a message that it was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliveryAsk {
    pub channel: Arc<str>,
    pub conversation: ConversationId,
    pub number: u32,
    pub state: DeliveryState,
    pub reason: Option<Arc<str>>,
}

/// What a conversation knows of the outside that it goes on in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    pub thread: ThreadId,
    /// Messages to its customer, ascending, at most `SENT_MAX`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentMessage>,
}

/// A message to a customer, and what became of it; no state: nobody has said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SentMessage {
    pub number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeliveryState>,
    /// Of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
}

impl Conversation {
    /// Where it goes on elsewhere.
    #[must_use]
    pub fn line(&self) -> Option<&Line> {
        self.moved.as_ref()?.line.as_deref()
    }

    /// A message to its customer, where a state of it is kept.
    #[must_use]
    pub fn sent(&self, number: u32) -> Option<&SentMessage> {
        let sent = &self.line()?.sent;
        sent.binary_search_by_key(&number, |message| message.number).ok().map(|place| &sent[place])
    }

    /// Whether this report says more than is known.
    pub(super) fn goes_forward(&self, id: ConversationId, number: u32, state: DeliveryState) -> Result<bool, Refusal> {
        if number > self.last_number {
            return Err(Refusal::NoSuchMessage { number, last: self.last_number });
        }
        let sent = self.sent(number).ok_or(Refusal::DeliveryOver { conversation: id, number })?;
        Ok(sent.state.is_none_or(|known| known < state))
    }

    pub(super) fn begin_line(&mut self, thread: ThreadId) {
        self.change_moved(|moved| moved.line = Some(Box::new(Line { thread, sent: Vec::new() })));
    }

    /// A message was posted: of those to its customer what became of them is awaited.
    pub(super) fn await_delivery(&mut self, author: Author, number: u32) {
        if self.line().is_none() || matches!(author, Author::Customer(_)) {
            return;
        }
        self.change_line(|line| {
            if line.sent.len() == SENT_MAX {
                line.sent.remove(0);
            }
            line.sent.push(SentMessage { number, state: None, reason: None });
        });
    }

    pub(super) fn report(&mut self, number: u32, state: DeliveryState, reason: Option<&Arc<str>>) {
        self.change_line(|line| {
            if let Ok(place) = line.sent.binary_search_by_key(&number, |message| message.number) {
                line.sent[place] = SentMessage { number, state: Some(state), reason: reason.cloned() };
            }
        });
    }

    fn change_line(&mut self, change: impl FnOnce(&mut Line)) {
        self.change_moved(|moved| {
            if let Some(line) = &mut moved.line {
                change(line);
            }
        });
    }
}

/// Open conversations by their threads. There may be several of one thread, where its customer came back another way to one that was
/// closed; the newest is the one that goes on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Threads(BTreeSet<(ThreadId, ConversationId)>);

impl Threads {
    #[must_use]
    pub fn newest(&self, thread: ThreadId) -> Option<ConversationId> {
        let all = (thread, ConversationId(0))..=(thread, ConversationId(u64::MAX));
        self.0.range(all).next_back().map(|(_, id)| *id)
    }

    pub fn add(&mut self, id: ConversationId, conversation: &Conversation) {
        self.0.extend(conversation.line().map(|line| (line.thread, id)));
    }

    pub fn remove(&mut self, id: ConversationId, conversation: &Conversation) {
        if let Some(line) = conversation.line() {
            self.0.remove(&(line.thread, id));
        }
    }
}
