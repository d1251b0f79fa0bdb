//! How an offer ended, and why something else did or changed: the small words within events, kept as those are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The one end of an offer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    Accepted,
    Rejected,
    Expired,
    Undelivered,
    Withdrawn,
    AgentLost,
    /// Another agent accepted the same conversation first.
    Rescinded,
}

impl OfferEnd {
    pub const ALL: [OfferEnd; 7] = [
        OfferEnd::Accepted,
        OfferEnd::Rejected,
        OfferEnd::Expired,
        OfferEnd::Undelivered,
        OfferEnd::Withdrawn,
        OfferEnd::AgentLost,
        OfferEnd::Rescinded,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OfferEnd::Accepted => "accepted",
            OfferEnd::Rejected => "rejected",
            OfferEnd::Expired => "expired",
            OfferEnd::Undelivered => "undelivered",
            OfferEnd::Withdrawn => "withdrawn",
            OfferEnd::AgentLost => "agent_lost",
            OfferEnd::Rescinded => "rescinded",
        }
    }
}

/// Why an agent went offline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineCause {
    GraceOver,
    SignedOut,
    Deactivated,
}

/// Why a conversation lost its owner to the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequeueCause {
    #[default]
    OwnerGone,
    /// Its customer awaited its word for too long.
    OwnerSilent,
}

impl RequeueCause {
    #[must_use]
    pub fn is_owner_gone(&self) -> bool {
        *self == RequeueCause::OwnerGone
    }
}

/// Why a status changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusCause {
    Chosen,
    /// Too many offers missed in a row.
    Missed,
    /// Chosen for when its work is over, and it is.
    Next,
    /// By a supervisor or administrator.
    Forced,
    /// No input for long.
    Idle,
}

impl StatusCause {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StatusCause::Chosen => "chosen",
            StatusCause::Missed => "missed",
            StatusCause::Next => "next",
            StatusCause::Forced => "forced",
            StatusCause::Idle => "idle",
        }
    }
}

/// Why wrap-up ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpCause {
    Done,
    TimeOver,
    /// The customer wrote again.
    Reopened,
    /// A supervisor or administrator ended it.
    Ended,
    /// Its agent was offline for too long.
    OwnerGone,
}
