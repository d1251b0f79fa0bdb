//! Who writes, reads, ends and works on a conversation.

use super::ids::{AgentId, CustomerId};
use serde::{Deserialize, Serialize};

/// Who wrote a message or reads one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    Agent(AgentId),
    Customer(CustomerId),
    /// The workspace itself, by one of its rules; never by a command. What it says is of its settings, so it is in the clear; but for what was said elsewhere.
    System(Notice),
}

impl Author {
    /// Whether what it says is sealed. What the workspace itself says is of its settings.
    #[must_use]
    pub fn is_sealed(self) -> bool {
        !matches!(self, Author::System(notice) if notice != Notice::Imported)
    }
}

/// What a message of the workspace itself is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Its queue has its most waiting.
    QueueFull,
    /// It has waited its longest.
    WaitedTooLong,
    /// It was offered as often as it may be.
    OfferedTooOften,
    /// Nobody of its queue is there.
    NobodyThere,
    /// Its queue is closed at this hour.
    OutOfHours,
    /// Its customer has been silent for long.
    Reminder,
    /// Its customer has been silent for too long.
    CustomerSilent,
    /// It was said in another system, by a program or a rule there or by somebody who is no agent here. The one that is sealed.
    Imported,
}

impl Notice {
    /// The word on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Notice::QueueFull => "queue_full",
            Notice::WaitedTooLong => "waited_too_long",
            Notice::OfferedTooOften => "offered_too_often",
            Notice::NobodyThere => "nobody_there",
            Notice::OutOfHours => "out_of_hours",
            Notice::Reminder => "reminder",
            Notice::CustomerSilent => "customer_silent",
            Notice::Imported => "imported",
        }
    }
}

/// Who ends a conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closer {
    /// A supervisor or administrator on the agents' socket; need not own it.
    Supervisor(AgentId),
    Agent(AgentId),
    Customer(CustomerId),
    Admin,
    /// The workspace itself, by one of its rules; never by a command.
    System,
}

/// Who works on a conversation: its owner, or somebody who need not own it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worker {
    Owner(AgentId),
    /// A supervisor or administrator on the agents' socket.
    Supervisor(AgentId),
    /// Over the admin API.
    Admin,
}

impl Worker {
    /// The agent, where it is one.
    #[must_use]
    pub fn agent(self) -> Option<AgentId> {
        match self {
            Worker::Owner(agent) | Worker::Supervisor(agent) => Some(agent),
            Worker::Admin => None,
        }
    }
}
