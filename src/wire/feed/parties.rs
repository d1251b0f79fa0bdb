//! Who did something, and the small things that several types have.

use crate::wire::about::{Origin, Outside};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One of a few words that a document lists.
pub type Word = Cow<'static, str>;

/// Who wrote a message, or has read one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeedAuthor")]
pub enum Author {
    /// The agent's name.
    Agent(Arc<str>),
    /// The customer's id: 32 hexadecimal digits.
    Customer(String),
    /// The workspace itself, and what for: `queue_full`, `waited_too_long`, `offered_too_often`, `nobody_there`, `out_of_hours`,
    /// `reminder`, `customer_silent`.
    System(Word),
}

/// Who works on a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeedActor")]
pub enum Actor {
    /// The name of the agent who owns it.
    Agent(Arc<str>),
    /// The name of a supervisor or administrator, who need not own it.
    Supervisor(Arc<str>),
    /// Over the admin API, with a key.
    Admin,
}

/// Who ended a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeedCloser")]
pub enum Closer {
    /// The name of the agent who owned it.
    Agent(Arc<str>),
    /// The name of a supervisor or administrator.
    Supervisor(Arc<str>),
    /// The customer's id.
    Customer(String),
    /// Over the admin API, with a key.
    Admin,
    /// A rule of the workspace.
    System,
}

/// A skill that a conversation requires.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeedSkill")]
pub struct Skill {
    /// What it is called.
    pub name: Arc<str>,
    /// The least level, 1 to 10.
    pub level: u8,
}

/// A file of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeedFile")]
pub struct File {
    /// Its id.
    pub file: String,
    /// Its name; null without `texts`, and when its customer was erased.
    pub name: Option<String>,
    /// As was seen from what is in it: `image/png`.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// How large it is.
    pub bytes: u64,
}

/// What is known of a customer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeedAbout")]
pub struct About {
    /// What it is called; null: it did not say.
    pub name: Option<String>,
    /// What the page said: a flat object of strings.
    pub metadata: BTreeMap<String, String>,
    /// What its signed token said.
    pub attributes: BTreeMap<String, String>,
    /// Whether a signed token said who it is, or a channel of the workspace's own.
    pub known: bool,
    /// Where a channel of the workspace's own began it: what that calls its customer, and the thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// Of a conversation that was had in another system: which, and what that calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Origin>,
}
