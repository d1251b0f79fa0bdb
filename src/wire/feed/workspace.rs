//! The workspace itself: its settings, queues, agents' profiles, keys, customers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The workspace's settings changed: `GET /settings` has them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SettingsChanged {}

/// A queue was made, or changed: `GET /queues/{name}` has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QueuePut {
    /// Its name.
    pub queue: Arc<str>,
    /// What stands for its name in older events once it is removed: `q3`.
    pub queue_id: String,
    /// What people call it.
    pub title: Arc<str>,
}

/// A queue was removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QueueRemoved {
    /// Its name.
    pub queue: Arc<str>,
    /// What stands for its name in older events from now on.
    pub queue_id: String,
}

/// An agent was made, or its profile changed: `GET /agents/{name}` has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentPut {
    /// Its name.
    pub agent: Arc<str>,
    /// What people call it.
    pub title: Arc<str>,
    /// It is a program.
    pub program: bool,
    /// Whether it may work here.
    pub active: bool,
}

/// An API key was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyPut {
    /// The key's id; never the key.
    pub api_key: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What it may do.
    pub scopes: Vec<Arc<str>>,
}

/// An API key was removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyRemoved {
    /// The key's id.
    pub api_key: Arc<str>,
}

/// The server was started: whoever was connected is reconnecting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceBegan {
    /// How long they keep their statuses.
    pub grace_ms: u64,
}

/// A customer who was anonymous said who it is: its conversations are the known one's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CustomerMerged {
    /// The anonymous customer's id.
    pub from: String,
    /// The known customer's id.
    pub into: String,
    /// The ids of the conversations that it had.
    pub conversations: Vec<String>,
}

/// A customer's tokens that were issued so far are void.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CustomerSignedOut {
    /// The customer's id.
    pub customer: String,
}

/// Something happened that this release cannot read: a newer one wrote it, or the record is damaged. The rest goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventUnreadable {}
