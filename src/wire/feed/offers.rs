//! Offers, from made to their one end; and decisions that are asked of the outside.

use super::parties::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The owner gives the conversation to the agent who is offered it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeedTransfer")]
pub struct Transfer {
    /// The owner's name.
    pub from: Arc<str>,
    /// Who accepts joins first, and has it when it is handed over.
    pub warm: bool,
}

/// A conversation is offered to an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfferMade {
    /// The offer's id: `o23`.
    pub offer: String,
    /// The conversation's id: `c17`.
    pub conversation: String,
    /// To whom.
    pub agent: Arc<str>,
    /// The conversation's queue; null in what an older release wrote.
    pub queue: Option<Arc<str>>,
    /// How long it runs.
    pub ends_in_ms: u64,
    /// Within this it must be confirmed as delivered.
    pub deliver_in_ms: u64,
    /// Set where its owner gives it away.
    pub transfer: Option<Transfer>,
}

/// The agent's client confirmed that the offer was shown. An offer that is answered without has none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfferDelivered {
    /// The offer's id.
    pub offer: String,
    /// The conversation's id; null in what an older release wrote.
    pub conversation: Option<String>,
    /// To whom; null likewise.
    pub agent: Option<Arc<str>>,
    /// The conversation's queue; null likewise.
    pub queue: Option<Arc<str>>,
    /// It is accepted by itself after this; null: it is not.
    pub accepts_in_ms: Option<u64>,
}

/// The offer has its one end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfferEnded {
    /// The offer's id.
    pub offer: String,
    /// The conversation's id.
    pub conversation: String,
    /// To whom it was made.
    pub agent: Arc<str>,
    /// The conversation's queue; null in what an older release wrote.
    pub queue: Option<Arc<str>>,
    /// `accepted`, `rejected`, `expired`, `undelivered`, `withdrawn`, `agent_lost` or `rescinded`.
    pub end: Word,
    /// With which reason code it was rejected; `auto_accept`: accepted by itself; null: none.
    pub reason: Option<Arc<str>>,
    /// Set where its owner was giving it away.
    pub transfer: Option<Transfer>,
}

/// Whom a conversation is offered to is asked of the outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecisionWanted {
    /// The decision's id: `d12`.
    pub decision: String,
    /// The conversation's id.
    pub conversation: String,
    /// Whom Offhook would ask.
    pub agent: Arc<str>,
    /// How long the outside has.
    pub within_ms: u64,
}

/// The decision has its one end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecisionEnded {
    /// The decision's id.
    pub decision: String,
    /// The conversation's id.
    pub conversation: String,
    /// `decided`, `left`, `silent`, `withdrawn` or `crowded`.
    pub end: Word,
    /// Whom the outside named; null: nobody.
    pub agent: Option<Arc<str>>,
    /// The name of the key, or of the agent, that answered; null: nobody did.
    pub by: Option<Arc<str>>,
}
