//! How a conversation goes from hand to hand: who asks for it, what is asked, and what of it the conversation keeps.
//!
//! ```text
//!   waiting ──pick, claim──▶ active ──transfer to a queue──▶ waiting (in that queue)
//!                             │  ▲
//!        transfer to an agent │  │ any end but accepted
//!                             ▼  │
//!              active, and offered to the other ──accepted (cold), claim──▶ active, the other's
//!                             │                                                  ▲
//!                             └──accepted (warm)──▶ active, the other joined ──hand over
//! ```
//! It has one owner all the while: the old one, until the moment when the new one has it.

use super::conversation::Conversation;
use super::files::FileId;
use super::ids::{AgentId, ConversationId};
use super::imported::Imported;
use super::outside::Line;
use super::ratings::Rating;
use super::silence::Talk;
use super::time::WallTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who moves a conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mover {
    Agent(AgentId),
    /// A supervisor or administrator on the agents' socket; need not own it.
    Supervisor(AgentId),
    Admin,
}

impl Mover {
    /// The agent that it is, where it is one.
    #[must_use]
    pub fn agent(self) -> Option<AgentId> {
        match self {
            Mover::Agent(agent) | Mover::Supervisor(agent) => Some(agent),
            Mover::Admin => None,
        }
    }
}

/// One conversation is to go to other hands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MoveAsk {
    pub conversation: ConversationId,
    pub by: Mover,
    pub deed: Deed,
}

/// What is to be done with it. Agents and queues by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Offer it to an agent; its owner keeps it until that one has accepted, or, warm, until it is handed over.
    TransferToAgent { agent: Arc<str>, warm: bool },
    /// It waits in that queue; absent `waiting_since`: from now.
    TransferToQueue { queue: Arc<str>, waiting_since: Option<WallTime> },
    /// Take back what was offered to another agent, or let the one go who has joined.
    CancelTransfer,
    /// The agent who has joined owns it from now on.
    HandOver,
    /// The agent who has joined goes.
    Leave,
    /// An agent takes what waits in a queue that allows it.
    Pick,
    /// A supervisor gives it to an agent (absent: to itself). `expected_owner`: who is thought to own it; absent: nobody.
    Assign { to: Option<Arc<str>>, expected_owner: Option<Arc<str>>, force: bool },
}

impl Deed {
    /// The name in metrics and traces.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Deed::TransferToAgent { .. } => "transfer_to_agent",
            Deed::TransferToQueue { .. } => "transfer_to_queue",
            Deed::CancelTransfer => "cancel_transfer",
            Deed::HandOver => "hand_over",
            Deed::Leave => "leave",
            Deed::Pick => "pick",
            Deed::Assign { .. } => "assign",
        }
    }
}

/// How an agent came to own a conversation without an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    Picked,
    /// By a supervisor, for itself.
    Claimed,
    /// By a supervisor or administrator, for another.
    Reassigned,
    /// It is the agent's own start.
    Started,
}

impl Taken {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Taken::Picked => "picked",
            Taken::Claimed => "claimed",
            Taken::Reassigned => "reassigned",
            Taken::Started => "started",
        }
    }
}

/// An offer by which an owner gives its conversation to another agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// Who owned it when it was offered.
    pub from: AgentId,
    /// The other joins, and has it when it is handed over.
    pub warm: bool,
}

/// What few of those that wait have: nothing of it is kept for the rest.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Moved {
    /// While it is active and offered to another agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// The agent who has joined its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<AgentId>,
    /// Its owner was given it beyond what it can take.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Who owned it when it last ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_owner: Option<AgentId>,
    /// Internal notes written so far.
    #[serde(skip_serializing_if = "is_zero")]
    pub notes: u32,
    /// How its talk goes, once somebody owned it, and its clocks of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub talk: Option<Box<Talk>>,
    /// As its customer rated it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Box<Rating>>,
    /// Those that its messages have, at most `FILES_MAX`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileId>,
    /// Where it goes on elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Box<Line>>,
    /// It was had elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<Box<Imported>>,
}

fn is_zero(notes: &u32) -> bool {
    *notes == 0
}

impl Conversation {
    /// The agent who has joined its owner by a warm transfer.
    #[must_use]
    pub fn joined(&self) -> Option<AgentId> {
        self.moved.as_ref()?.joined
    }

    /// The pending transfer, while it is active and offered to another agent.
    #[must_use]
    pub fn transfer(&self) -> Option<Transfer> {
        self.moved.as_ref()?.transfer
    }

    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.moved.as_ref().is_some_and(|moved| moved.forced)
    }

    #[must_use]
    pub fn notes(&self) -> u32 {
        self.moved.as_ref().map_or(0, |moved| moved.notes)
    }

    /// Who owned it when it last ended.
    #[must_use]
    pub fn last_owner(&self) -> Option<AgentId> {
        self.moved.as_ref()?.last_owner
    }

    /// Whether this agent talks in it: its owner, or who has joined.
    #[must_use]
    pub fn is_talked_in_by(&self, agent: AgentId) -> bool {
        self.talkers().any(|talker| talker == agent)
    }

    /// Its owner and who has joined.
    pub fn talkers(&self) -> impl Iterator<Item = AgentId> {
        self.state.owner().into_iter().chain(self.joined())
    }

    pub(super) fn change_moved(&mut self, change: impl FnOnce(&mut Moved)) {
        let mut moved = self.moved.take().unwrap_or_default();
        change(&mut moved);
        self.moved = (*moved != Moved::default()).then_some(moved);
    }

    /// It goes to other hands: what was its owner's alone is over.
    pub(super) fn lose_hands(&mut self) {
        if self.moved.is_some() {
            self.change_moved(|moved| (moved.transfer, moved.joined, moved.forced) = (None, None, false));
        }
    }
}
