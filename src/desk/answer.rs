//! What a command that was done answers: small, remembered by its command id, and the same when asked again.

use super::ids::{AgentId, CommandId, ConversationId, CustomerId, OfferId, Principal, QueueId};
use super::time::WallTime;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Done,
    /// A session is in: its agent, and a snapshot is due.
    Welcome {
        agent: AgentId,
    },
    /// A conversation was started; the customer's token is derived again from these.
    Opened {
        conversation: ConversationId,
        customer: CustomerId,
        at: WallTime,
    },
    /// A message has this number.
    Posted {
        conversation: ConversationId,
        number: u32,
        at: WallTime,
    },
    /// A message from outside has this number, in a conversation that it began or in one that went on.
    Received {
        conversation: ConversationId,
        number: u32,
        at: WallTime,
        started: bool,
    },
    /// The agent owns this conversation now (or already did, by this offer).
    Accepted {
        conversation: ConversationId,
    },
    /// It was offered to the agent who is to have it.
    TransferOffered {
        offer: OfferId,
    },
    /// An agent owns it now, without an offer.
    Taken {
        conversation: ConversationId,
    },
    /// A conversation from elsewhere is history here, with so many of its parts.
    Imported {
        conversation: ConversationId,
        parts: u32,
        /// It was here before.
        was_here: bool,
    },
    /// A note has this number.
    Noted {
        conversation: ConversationId,
        note: u32,
        at: WallTime,
    },
    /// The outside decided, and it was offered so.
    Decided {
        conversation: ConversationId,
        offer: OfferId,
    },
    QueuePut {
        queue: QueueId,
    },
    AgentPut {
        agent: AgentId,
    },
    Merged {
        conversations: u32,
    },
    /// To be told, not kept: nothing changed.
    WhyConversation(Box<super::why::WhyConversation>),
    WhyAgent(Box<super::why::WhyAgent>),
    /// The page behind it of what this agent holds, as it is when it is told.
    Own {
        agent: AgentId,
        after: super::own::OwnCursor,
    },
    Decisions(Box<super::decision::Decisions>),
    Waiting(Box<super::waiting_page::WaitingPage>),
    /// To be passed on, not kept: to the agents on the other side of the talk, and who types where it is an agent.
    Typing {
        conversation: ConversationId,
        to: Vec<AgentId>,
        by: Option<AgentId>,
        /// For its customer alone.
        draft: Option<std::sync::Arc<str>>,
    },
}

impl Answer {
    /// As a retry hears it: an import says that it was here.
    #[must_use]
    pub fn again(self) -> Self {
        match self {
            Answer::Imported { conversation, parts, was_here: _ } => {
                Answer::Imported { conversation, parts, was_here: true }
            }
            answer => answer,
        }
    }
}

/// A remembered outcome: one line of a record, beside its events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub by: Principal,
    pub id: CommandId,
    #[serde(rename = "fp")]
    pub fingerprint: u64,
    pub answer: Answer,
}
