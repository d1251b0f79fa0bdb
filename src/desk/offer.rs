//! An offer: one proposal of one conversation to one agent. A value with an end, not a task.

use super::event::OfferEnd;
use super::ids::{AgentId, ConversationId, QueueId};
use super::time::DeskTime;
use serde::{Deserialize, Serialize};

/// A pending offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub made_at: DeskTime,
    pub ends_at: DeskTime,
    pub delivery: Delivery,
    /// While its agent is reconnecting: when that has lasted too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_until: Option<DeskTime>,
    /// Once it is delivered, where it is accepted by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts: Option<Accepts>,
}

/// What an offer is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offered {
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub queue: QueueId,
}

/// When an offer is accepted by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accepts {
    At {
        at: DeskTime,
    },
    /// The agent is reconnecting: this clock stands too, with this much left.
    Stopped {
        left_ms: u64,
    },
}

/// Whether the agent's client has confirmed that the offer was painted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Awaited {
        by: DeskTime,
    },
    /// The agent is reconnecting: its clock stands, with this much left.
    Stopped {
        left_ms: u64,
    },
    Confirmed {
        at: DeskTime,
    },
}

/// An offer that has ended, kept for the late answers to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EndedOffer {
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub end: OfferEnd,
}

impl Offer {
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self.delivery, Delivery::Confirmed { .. })
    }

    /// Its agent's client says that it was shown.
    pub(super) fn confirm(&mut self, now: DeskTime, accepts_at: Option<DeskTime>) {
        self.delivery = Delivery::Confirmed { at: now };
        self.accepts = accepts_at.map(|at| match self.grace_until {
            None => Accepts::At { at },
            // It said so, and is gone: not before it is back.
            Some(_) => Accepts::Stopped { left_ms: at.ms_since(now) },
        });
    }

    /// When something is due for it next, and the end that it then has.
    #[must_use]
    pub fn due(&self) -> (DeskTime, OfferEnd) {
        if let Some(grace_until) = self.grace_until {
            return (grace_until.min(self.ends_at), OfferEnd::AgentLost);
        }
        match self.delivery {
            Delivery::Awaited { by } if by < self.ends_at => (by, OfferEnd::Undelivered),
            Delivery::Awaited { .. } => (self.ends_at, OfferEnd::Undelivered),
            Delivery::Stopped { .. } => (self.ends_at, OfferEnd::AgentLost),
            Delivery::Confirmed { .. } => match self.accepts {
                Some(Accepts::At { at }) if at < self.ends_at => (at, OfferEnd::Accepted),
                _ => (self.ends_at, OfferEnd::Expired),
            },
        }
    }
}
