//! Conversations: from opened to ended, whose they are meanwhile, and what is said in them.
//!
//! Texts, names and values that were sealed with a customer's key are null without `texts`, and when the customer was erased.

use super::parties::{About, Actor, Author, Closer, File, Skill, Word};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A conversation begins, and waits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationOpened {
    /// Its id: `c17`. Ascending.
    pub conversation: String,
    /// Its customer's id: 32 hexadecimal digits.
    pub customer: String,
    /// Its channel.
    pub channel: Arc<str>,
    /// Where it waits.
    pub queue: Arc<str>,
    /// Higher is first.
    pub priority: i32,
    /// What it requires.
    pub skills: Vec<Skill>,
    /// From when its age counts, in Unix milliseconds.
    pub waiting_since: u64,
    /// It waits for its queue to open.
    pub left: bool,
    /// It was left as a message, since it would have been refused then.
    pub message: bool,
    /// What is known of its customer.
    pub about: Option<About>,
}

/// A conversation that was had and closed in another system is part of the history here. What was said in it comes in no events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationImported {
    /// Its id.
    pub conversation: String,
    /// Its customer's id: 32 hexadecimal digits.
    pub customer: String,
    /// Its channel.
    pub channel: Arc<str>,
    /// The queue that it belonged to.
    pub queue: Arc<str>,
    /// Who owned it there, where that is an agent here.
    pub owner: Option<Arc<str>>,
    /// When it was opened there, in Unix milliseconds.
    pub opened_at: u64,
    /// When it was closed there, in Unix milliseconds.
    pub ended_at: u64,
    /// What is known of its customer.
    pub about: Option<About>,
}

/// A message was written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessagePosted {
    /// The conversation's id.
    pub conversation: String,
    /// 1, 2, 3, … within the conversation.
    pub number: u32,
    /// Who wrote it.
    pub author: Author,
    /// What it says. What the workspace itself says is there without `texts` too.
    pub text: Option<String>,
    /// Its files.
    pub files: Vec<File>,
}

/// What became of a message that a channel of the workspace's own carries.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageDelivery {
    /// The conversation's id.
    pub conversation: String,
    /// The message's number within the conversation.
    pub number: u32,
    /// `sent`, `failed`, `delivered` or `read`.
    pub state: Word,
    /// Of a failure: what was said of it.
    pub reason: Option<Arc<str>>,
}

/// Somebody has read up to there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessagesRead {
    /// The conversation's id.
    pub conversation: String,
    /// Who has.
    pub reader: Author,
    /// The last message that was read.
    pub number: u32,
}

/// An internal note was written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotePosted {
    /// The conversation's id.
    pub conversation: String,
    /// The note's own number within the conversation.
    pub note: u32,
    /// The agent who wrote it; null: over the admin API.
    pub author: Option<Arc<str>>,
    /// The last message before it.
    pub after: u32,
    /// What it says.
    pub text: Option<String>,
}

/// It lost its owner, and waits again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationRequeued {
    /// The conversation's id.
    pub conversation: String,
    /// Who owned it.
    pub from: Arc<str>,
    /// From when its age counts, in Unix milliseconds.
    pub waiting_since: u64,
    /// `owner_gone` or `owner_silent`.
    pub cause: Word,
}

/// Its owner, or a supervisor, has given it to a queue, where it waits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationTransferred {
    /// The conversation's id.
    pub conversation: String,
    /// Who owned it.
    pub from: Arc<str>,
    /// Where it waits.
    pub queue: Arc<str>,
    /// What it requires there.
    pub skills: Vec<Skill>,
    /// From when its age counts, in Unix milliseconds.
    pub waiting_since: u64,
    /// Who did it.
    pub by: Actor,
}

/// An agent owns it without an offer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationTaken {
    /// The conversation's id.
    pub conversation: String,
    /// Who owned it; null: nobody.
    pub from: Option<Arc<str>>,
    /// Who owns it now.
    pub to: Arc<str>,
    /// `picked`, `claimed`, `reassigned` or `started`.
    pub how: Word,
    /// Who did it.
    pub by: Actor,
    /// It went beyond what the agent could have taken.
    pub forced: bool,
}

/// The agent who had joined owns it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationHandedOver {
    /// The conversation's id.
    pub conversation: String,
    /// Who owned it.
    pub from: Arc<str>,
    /// Who owns it now.
    pub to: Arc<str>,
}

/// The agent who had joined is gone from it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationLeft {
    /// The conversation's id.
    pub conversation: String,
    /// Who has gone.
    pub agent: Arc<str>,
}

/// A rule, or a supervisor, moved it to another queue, where it waits at its old age.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationMoved {
    /// The conversation's id.
    pub conversation: String,
    /// Where it waits.
    pub queue: Arc<str>,
    /// What it requires there.
    pub skills: Vec<Skill>,
    /// Moves by rules so far.
    pub moves: u8,
    /// Who did it; null: a rule.
    pub by: Option<Actor>,
}

/// A rule of its queue put it ahead.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationPriorityRaised {
    /// The conversation's id.
    pub conversation: String,
    /// From now on.
    pub priority: i32,
}

/// It has waited so long that more agents may take it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationRingReached {
    /// The conversation's id.
    pub conversation: String,
    /// How many rings of its queue it has reached.
    pub ring: u8,
}

/// Its queue closed for the day, and it waits on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationStayedAtClosing {
    /// The conversation's id.
    pub conversation: String,
}

/// Its customer has been silent for long, and it takes less of its agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationPaused {
    /// The conversation's id.
    pub conversation: String,
    /// Of what it took.
    pub weight_percent: u8,
}

/// Somebody writes again: it takes all of its weight.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationWoken {
    /// The conversation's id.
    pub conversation: String,
}

/// Its owner went offline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationOwnerVanished {
    /// The conversation's id.
    pub conversation: String,
    /// When it goes back to its queue, or its wrap-up is over; null: when its customer writes.
    pub requeue_in_ms: Option<u64>,
}

/// Its owner is back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationOwnerReturned {
    /// The conversation's id.
    pub conversation: String,
}

/// Its customer has awaited its owner's word for long.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationOwnerReminded {
    /// The conversation's id.
    pub conversation: String,
    /// Who was reminded.
    pub owner: Arc<str>,
}

/// Its labels are these from now on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationLabelled {
    /// The conversation's id.
    pub conversation: String,
    /// Who did it.
    pub by: Actor,
    /// The disposition's code; null: none.
    pub disposition: Option<Arc<str>>,
    /// All of them.
    pub tags: Vec<Arc<str>>,
    /// The custom fields' values by their names: texts, numbers, flags.
    pub fields: BTreeMap<Arc<str>, Value>,
}

/// Its customer says anew who it is, or where it can be reached.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationDescribed {
    /// The conversation's id.
    pub conversation: String,
    /// What is known of its customer from now on.
    pub about: Option<About>,
}

/// The talk is over. Without wrap-up it is closed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationEnded {
    /// The conversation's id.
    pub conversation: String,
    /// Who ended it.
    pub by: Closer,
    /// Who owned it; null: nobody.
    pub owner: Option<Arc<str>>,
    /// Its owner has work to do after it: closed is it with `wrap_up.ended`.
    pub wrap_up: bool,
    /// The time that wrap-up has; null: until its owner says so, or there is none.
    pub wrap_up_ms: Option<u64>,
}

/// The customer wrote again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationReopened {
    /// The conversation's id.
    pub conversation: String,
    /// Where it waits, where nobody owns it.
    pub queue: Arc<str>,
    /// Who owns it again at once; null: it waits.
    pub owner: Option<Arc<str>>,
    /// From when its age counts, in Unix milliseconds.
    pub waiting_since: u64,
}

/// Its owner asked for more time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WrapUpExtended {
    /// The conversation's id.
    pub conversation: String,
    /// The time that it has from now on.
    pub ends_in_ms: u64,
}

/// The work after it is done, and it is closed; unless its customer wrote again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WrapUpEnded {
    /// The conversation's id.
    pub conversation: String,
    /// Whose work it was.
    pub owner: Arc<str>,
    /// `done`, `time_over`, `reopened`, `ended` (by somebody else) or `owner_gone`.
    pub cause: Word,
    /// With the cause `ended`: the supervisor; null: over the admin API.
    pub by: Option<Arc<str>>,
}

/// Its customer says what it was like; again, and the last counts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RatingGiven {
    /// The conversation's id.
    pub conversation: String,
    /// 1 to 5.
    pub score: u8,
    /// The score that it had; null: none.
    pub before: Option<u8>,
    /// What the customer wrote about it.
    pub comment: Option<String>,
}
