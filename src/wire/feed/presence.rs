//! Agents: their connections and statuses.

use super::parties::{Actor, Word};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A device of the agent connected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentConnected {
    /// The agent's name.
    pub agent: Arc<str>,
    /// The session that began: 32 hexadecimal digits.
    pub session: String,
}

/// A device of the agent is gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentDisconnected {
    /// The agent's name.
    pub agent: Arc<str>,
    /// The session that ended.
    pub session: String,
}

/// The last of its devices is gone: it keeps its status for its grace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentReconnecting {
    /// The agent's name.
    pub agent: Arc<str>,
    /// How long.
    pub grace_ms: u64,
}

/// A node of the cluster is gone, and with it the last of their devices: they keep their statuses for their grace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentsReconnecting {
    /// The agents' names.
    pub agents: Vec<Arc<str>>,
    /// How long.
    pub grace_ms: u64,
}

/// Offers were not confirmed as delivered: it is offered nothing until its client says something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentUnreachable {
    /// The agent's name.
    pub agent: Arc<str>,
}

/// Its client said something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentReachable {
    /// The agent's name.
    pub agent: Arc<str>,
}

/// It is offline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentOffline {
    /// The agent's name.
    pub agent: Arc<str>,
    /// The status that it has from now on, which is not an available one.
    pub status: Arc<str>,
    /// `grace_over`, `signed_out` or `deactivated`.
    pub cause: Word,
}

/// Its status, or the channels that it has switched on, changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentStatusChanged {
    /// The agent's name.
    pub agent: Arc<str>,
    /// From now on.
    pub status: Arc<str>,
    /// Whether an agent in this status is offered conversations.
    pub available: bool,
    /// The channels that are switched on.
    pub channels: Vec<Arc<str>>,
    /// `chosen`, `missed`, `next`, `forced` or `idle`.
    pub cause: Word,
    /// Who forced it; null: nobody.
    pub by: Option<Actor>,
}

/// It has chosen a status for after its work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentNextStatusSet {
    /// The agent's name.
    pub agent: Arc<str>,
    /// Which; null: none any more.
    pub status: Option<Arc<str>>,
}

/// It is offered nothing new, or something again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentDraining {
    /// The agent's name.
    pub agent: Arc<str>,
    /// Whether it is offered nothing new.
    pub draining: bool,
}
