//! Why a command was not done. A value, not an error: nothing happened, and the client is told what is so.
//!
//! Nodes of a cluster tell it to each other, as they do commands: a member that is new has a default.

use super::decision::DecisionEnd;
use super::event::OfferEnd;
use super::files::FileId;
use super::fits::WhyNot;
use super::ids::{ConversationId, DecisionId, KeyNumber, OfferId};
use super::time::WallTime;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Each has a stable code (docs/wire.md), a sentence, and the field at fault where there is one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("the offer {offer} has ended: {}", .end.name())]
    OfferGone { offer: OfferId, end: OfferEnd },
    #[error("there is no offer {0}")]
    NoSuchOffer(OfferId),
    #[error("the decision {decision} has ended{}", .end.map_or(String::new(), |end| format!(": {}", end.name())))]
    DecisionGone { decision: DecisionId, end: Option<DecisionEnd> },
    #[error("there is no decision {0} about this conversation")]
    NoSuchDecision(DecisionId),
    #[error("there is no conversation {0}")]
    NoSuchConversation(ConversationId),
    #[error("there is no queue {0:?}")]
    NoSuchQueue(Arc<str>),
    #[error("there is no agent {0:?}")]
    NoSuchAgent(Arc<str>),
    #[error("there is no channel {0:?}")]
    NoSuchChannel(Arc<str>),
    #[error("there is no status {0:?}")]
    NoSuchStatus(Arc<str>),
    #[error("there is no API key {0:?}")]
    NoSuchApiKey(Arc<str>),
    #[error("{0} is not yours")]
    NotYours(ConversationId),
    #[error("the offer {0} was made to another agent")]
    NotYourOffer(OfferId),
    #[error("the agent {0:?} is deactivated")]
    AgentDeactivated(Arc<str>),
    #[error("{devices_max} devices are connected already")]
    TooManyDevices { devices_max: u32 },
    #[error("the conversation {conversation} is {state}")]
    WrongState { conversation: ConversationId, state: Cow<'static, str> },
    #[error("no reason code {0:?} is set for this workspace")]
    NoSuchReason(Arc<str>),
    #[error("the queue {queue:?} has {waiting_max} waiting already")]
    QueueFull { queue: Arc<str>, waiting_max: u32 },
    #[error("nobody of the queue {0:?} is there")]
    NobodyThere(Arc<str>),
    #[error("the queue {queue:?} is closed at this hour")]
    QueueClosed { queue: Arc<str>, opens_at: Option<WallTime> },
    #[error("the queue {0:?} takes nothing new in")]
    QueueDraining(Arc<str>),
    #[error("the queue {0:?} does not let agents pick")]
    PickNotAllowed(Arc<str>),
    #[error("the agent {agent:?} cannot take it: {}", .rule.name())]
    AgentUnable { agent: Arc<str>, rule: WhyNot },
    #[error("{conversation} is the conversation of {agent:?} already, or offered to it")]
    AlreadyThere { conversation: ConversationId, agent: Arc<str> },
    #[error("{conversation} is now owned by {}", .owner.as_deref().unwrap_or("nobody"))]
    OwnerChanged { conversation: ConversationId, owner: Option<Arc<str>> },
    #[error("nobody has joined {0}, and it is offered to nobody")]
    NobodyJoined(ConversationId),
    #[error("message {number} does not exist yet: the last is {last}")]
    NoSuchMessage { number: u32, last: u32 },
    #[error("the queue {queue:?} still holds {conversations} conversations")]
    QueueInUse { queue: Arc<str>, conversations: u32 },
    #[error("this command id was used with another body")]
    IdReused,
    #[error("it is not as it was known to whoever asked: read it again")]
    ChangedMeanwhile,
    #[error("{field}: {what}")]
    BadSetting { field: String, what: String },
    #[error("the workspace holds its most of {what}: {most}")]
    TooMany { what: Cow<'static, str>, most: usize },
    #[error("the workspace's quota of {what} is used up: {most}")]
    Quota { what: Cow<'static, str>, most: u64 },
    #[error("{field}: {what}")]
    BadLabel { field: String, what: String },
    #[error("{conversation} cannot be finished without {field}")]
    LabelMissing { conversation: ConversationId, field: String },
    #[error("the wrap-up of {0} cannot be extended any more")]
    NoMoreTime(ConversationId),
    #[error("{0} cannot be rated any more, or no rating is asked for")]
    RatingOver(ConversationId),
    #[error("a message of {conversation} has the file {file} already")]
    FileTaken { conversation: ConversationId, file: FileId },
    #[error("no state is kept of message {number} of {conversation}: its customer wrote it, or it is too old")]
    DeliveryOver { conversation: ConversationId, number: u32 },
    #[error("the customer's texts are sealed with another key: {0}")]
    AnotherKey(KeyNumber),
    #[error("the part {next} of it comes before this one")]
    PartMissing { next: u32 },
    #[error("the session is not known here any more")]
    NoSuchSession,
}

impl Refusal {
    /// The stable code on the wire and in metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::OfferGone { .. } => "offer_gone",
            Refusal::NoSuchOffer(_) => "no_such_offer",
            Refusal::DecisionGone { .. } => "decision_gone",
            Refusal::NoSuchDecision(_) => "no_such_decision",
            Refusal::NoSuchConversation(_) => "no_such_conversation",
            Refusal::NoSuchQueue(_) => "no_such_queue",
            Refusal::NoSuchAgent(_) => "no_such_agent",
            Refusal::NoSuchChannel(_) => "no_such_channel",
            Refusal::NoSuchStatus(_) => "no_such_status",
            Refusal::NoSuchApiKey(_) => "no_such_api_key",
            Refusal::NotYours(_) => "not_yours",
            Refusal::NotYourOffer(_) => "not_your_offer",
            Refusal::AgentDeactivated(_) => "agent_deactivated",
            Refusal::TooManyDevices { .. } => "too_many_devices",
            Refusal::WrongState { .. } => "wrong_state",
            Refusal::NoSuchReason(_) => "no_such_reason",
            Refusal::QueueFull { .. } => "queue_full",
            Refusal::NobodyThere(_) => "nobody_there",
            Refusal::QueueClosed { .. } => "queue_closed",
            Refusal::QueueDraining(_) => "queue_draining",
            Refusal::PickNotAllowed(_) => "pick_not_allowed",
            Refusal::AgentUnable { .. } => "agent_unable",
            Refusal::AlreadyThere { .. } => "already_there",
            Refusal::OwnerChanged { .. } => "owner_changed",
            Refusal::NobodyJoined(_) => "nobody_joined",
            Refusal::NoSuchMessage { .. } => "no_such_message",
            Refusal::QueueInUse { .. } => "queue_in_use",
            Refusal::IdReused => "id_reused",
            Refusal::ChangedMeanwhile => "changed_meanwhile",
            Refusal::BadSetting { .. } => "bad_setting",
            Refusal::TooMany { .. } => "too_many",
            Refusal::Quota { .. } => "quota",
            Refusal::BadLabel { .. } => "bad_label",
            Refusal::LabelMissing { .. } => "label_missing",
            Refusal::NoMoreTime(_) => "no_more_time",
            Refusal::RatingOver(_) => "rating_over",
            Refusal::FileTaken { .. } => "file_taken",
            Refusal::DeliveryOver { .. } => "delivery_over",
            Refusal::AnotherKey(_) => "another_key",
            Refusal::PartMissing { .. } => "part_missing",
            Refusal::NoSuchSession => "no_such_session",
        }
    }

    /// The field of the command at fault, by its name on the wire.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        Some(match self {
            Refusal::OfferGone { .. } | Refusal::NoSuchOffer(_) | Refusal::NotYourOffer(_) => "offer",
            Refusal::DecisionGone { .. } | Refusal::NoSuchDecision(_) => "decision",
            Refusal::NoSuchConversation(_)
            | Refusal::NotYours(_)
            | Refusal::WrongState { .. }
            | Refusal::NoMoreTime(_)
            | Refusal::RatingOver(_)
            | Refusal::NobodyJoined(_) => "conversation",
            Refusal::OwnerChanged { .. } => "expected_owner",
            Refusal::NoSuchQueue(_)
            | Refusal::QueueFull { .. }
            | Refusal::NobodyThere(_)
            | Refusal::QueueInUse { .. }
            | Refusal::QueueClosed { .. }
            | Refusal::QueueDraining(_)
            | Refusal::PickNotAllowed(_) => "queue",
            Refusal::NoSuchAgent(_)
            | Refusal::AgentDeactivated(_)
            | Refusal::AgentUnable { .. }
            | Refusal::AlreadyThere { .. } => "agent",
            Refusal::NoSuchChannel(_) => "channel",
            Refusal::NoSuchStatus(_) => "status",
            Refusal::NoSuchReason(_) => "reason",
            Refusal::PartMissing { .. } => "part",
            Refusal::FileTaken { .. } => "files",
            Refusal::NoSuchMessage { .. } | Refusal::DeliveryOver { .. } => "number",
            Refusal::NoSuchApiKey(_) | Refusal::IdReused => "id",
            Refusal::BadSetting { field, .. }
            | Refusal::BadLabel { field, .. }
            | Refusal::LabelMissing { field, .. } => field,
            Refusal::ChangedMeanwhile
            | Refusal::TooManyDevices { .. }
            | Refusal::TooMany { .. }
            | Refusal::Quota { .. }
            | Refusal::AnotherKey(_)
            | Refusal::NoSuchSession => return None,
        })
    }
}
