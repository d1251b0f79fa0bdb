//! The things that frames to an agent speak of, borrowed from whoever holds them.

use crate::desk::clocks::Running;
use crate::desk::estimating::EstimateRow;
use crate::desk::event::RequiredSkill;
use crate::desk::ids::{ConversationId, CustomerId, OfferId};
use crate::desk::outside::{DeliveryState, SentMessage};
use crate::desk::wrapping::{Blocks, WrapUpEnds};
use crate::wire::files::{FileShape, FilesAllowedShape};
use crate::wire::labels::LabelsShape;
use crate::wire::spelled::{Spelled, spelled};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A conversation as an agent sees it. Times are Unix milliseconds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Conversation")]
pub struct ConversationShape<'a> {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<ConversationId>")]
    pub conversation: ConversationId,
    pub state: &'a str,
    pub channel: &'a str,
    /// The queue's name.
    pub queue: &'a str,
    pub priority: i32,
    pub skills: &'a [RequiredSkill],
    pub customer: CustomerId,
    pub known: bool,
    pub name: Option<&'a str>,
    pub metadata: &'a BTreeMap<String, String>,
    pub opened_at: u64,
    pub waiting_since: u64,
    pub last_number: u32,
    pub read_by_agent: u32,
    pub read_by_customer: u32,
    /// The owning agent's name.
    pub owner: Option<&'a str>,
    /// 0 unless it is in wrap-up that time ends.
    pub wrap_up_left_ms: u64,
    /// While it is in wrap-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_up: Option<WrapUpShape>,
    /// Who has joined its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<&'a str>,
    /// Whom its owner is giving it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_to: Option<&'a str>,
    /// It is a message that was left: its customer does not wait here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub message: bool,
    /// Its customer has been silent for long: what it takes of what it takes in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_weight_percent: Option<u8>,
    /// Clocks of service that run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockShape>,
    /// Once it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<&'a LabelsShape>,
}

/// A clock of service that runs. Times are Unix milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RunningClock")]
pub struct ClockShape {
    pub clock: &'static str,
    /// `pending` or `breached`.
    pub state: &'static str,
    pub since: u64,
    pub due: u64,
}

impl From<&Running> for ClockShape {
    fn from(running: &Running) -> Self {
        let (since, due) = (running.since.0, running.due.0);
        Self { clock: running.clock.name(), state: running.state(), since, due }
    }
}

/// What became of a message that went out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct DeliveryShape<'a> {
    /// `pending`, `sent`, `failed`, `delivered` or `read`.
    pub state: &'a str,
    /// Of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

impl<'a> From<&'a SentMessage> for DeliveryShape<'a> {
    fn from(sent: &'a SentMessage) -> Self {
        Self { state: sent.state.map_or("pending", DeliveryState::name), reason: sent.reason.as_deref() }
    }
}

/// What wrap-up is like for the agent whose it is.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "WrapUpState")]
pub struct WrapUpShape {
    pub ends: WrapUpEnds,
    pub blocks: Blocks,
    /// How often more time may still be asked for.
    pub extensions_left: u8,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Offer")]
pub struct OfferShape<'a> {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<OfferId>")]
    pub offer: OfferId,
    pub conversation: ConversationShape<'a>,
    pub left_ms: u64,
    pub delivered: bool,
    /// 0 once it is delivered.
    pub deliver_left_ms: u64,
    /// Once it is delivered: when it is accepted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_accept_left_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferShape<'a>>,
}

/// The owner of a conversation gives it away.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Transfer")]
pub struct TransferShape<'a> {
    /// The owner's name.
    pub from: &'a str,
    pub warm: bool,
}

/// A conversation that waits, for those who may pick it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "WaitingRow")]
pub struct WaitingRowShape<'a> {
    #[serde(flatten)]
    pub conversation: ConversationShape<'a>,
    /// The rule by which whoever asks cannot take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
}

/// An internal note in a page of notes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Note")]
pub struct NoteShape<'a> {
    pub note: u32,
    /// The agent's name; null: over the admin API.
    pub author: Option<&'a str>,
    /// The last message before it.
    pub after: u32,
    pub text: &'a str,
    /// Unix milliseconds.
    pub at: u64,
}

/// All that is an agent's own, at one position.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Snapshot")]
pub struct SnapshotShape<'a> {
    pub status: &'a str,
    pub available: bool,
    /// Those switched on.
    pub channels: &'a [&'a str],
    pub connection: &'a str,
    pub offers: &'a [OfferShape<'a>],
    pub conversations: &'a [ConversationShape<'a>],
    /// The status for when its work is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_status: Option<&'a str>,
    /// Nothing new is offered to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    /// There is more than fits into a frame: behind this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<&'a str>,
}

/// Who wrote: an agent by name, a customer by id, or the workspace itself, by what it tells.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Author")]
pub enum AuthorShape<'a> {
    Agent(&'a str),
    Customer(CustomerId),
    System(&'static str),
}

/// A message in a page of history.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub struct MessageShape<'a> {
    pub number: u32,
    pub author: AuthorShape<'a>,
    pub text: &'a str,
    /// Unix milliseconds.
    pub at: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub files: &'a [FileShape],
    /// Of one that went out by a channel of the workspace's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryShape<'a>>,
}

/// Who the welcome is for.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "WelcomedAgent")]
pub struct AgentShape<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub role: crate::desk::settings::Role,
}

/// What a client must know of the settings.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "WelcomedSettings")]
pub struct SettingsShape<'a> {
    pub statuses: &'a [StatusShape<'a>],
    pub channels: &'a [&'a str],
    pub reject_reasons: &'a [std::sync::Arc<str>],
    pub text_bytes_max: usize,
    pub frame_bytes_max: usize,
    /// Where files may be added to messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesAllowedShape<'a>>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatusChoice")]
pub struct StatusShape<'a> {
    pub name: &'a str,
    pub available: bool,
}

/// A row of `queues`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "QueueRow")]
pub struct QueueRowShape<'a> {
    pub queue: &'a str,
    pub title: &'a str,
    pub waiting: u32,
    pub offered: u32,
    pub active: u32,
    /// Of the active ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub paused: u32,
    pub longest_wait_ms: u64,
    pub agents_available: u32,
    /// In an available status, busy or not.
    pub agents_there: u32,
    /// Within its hours, or without any.
    pub open: bool,
    /// Unix milliseconds, where it has hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub estimates: &'a [EstimateRow],
    /// It takes nothing new in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    /// Where it has a clock of accepting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'a ServiceShape>,
}

/// How many were accepted in time, and how many were not, of those whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "QueueService")]
pub struct ServiceShape {
    /// The time that they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<u64>,
    /// Unix milliseconds: what was before is not counted.
    pub counted_since: u64,
    /// Of the last 30 minutes.
    pub lately: KeptShape,
    /// Of the last 24 hours.
    pub day: KeptShape,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "TimesKept")]
pub struct KeptShape {
    pub achieved: u32,
    pub breached: u32,
}

/// A row of `agents`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "AgentRow")]
pub struct AgentRowShape<'a> {
    pub agent: &'a str,
    pub title: &'a str,
    pub program: bool,
    pub connection: &'a str,
    pub status: &'a str,
    pub available: bool,
    /// Unix milliseconds.
    pub since: u64,
    pub offers: u32,
    pub conversations: u32,
    /// Of its conversations.
    #[serde(skip_serializing_if = "is_zero")]
    pub paused: u32,
    /// Per cent of its total that is in use.
    pub load: u32,
    /// Offers in a row that it let run out.
    #[serde(skip_serializing_if = "is_zero")]
    pub missed: u32,
    /// Channels of which it holds something.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub channels: &'a [ChannelHeldShape],
    /// The status for when its work is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_status: Option<&'a str>,
    /// Nothing new is offered to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
}

/// What an agent holds of one channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChannelHeld")]
pub struct ChannelHeldShape {
    pub channel: std::sync::Arc<str>,
    /// In hundredths of a conversation here, and in conversations on the wire: one that is paused may count less than whole.
    #[serde(serialize_with = "whole")]
    pub held: u32,
    /// It may hold so many.
    pub limit: u32,
}

fn whole<S: serde::Serializer>(hundredths: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*hundredths) / 100.0)
}

/// How many agents are of one connection and status.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "AgentsTotal")]
pub struct TotalShape {
    pub connection: &'static str,
    pub status: std::sync::Arc<str>,
    pub available: bool,
    pub agents: u32,
}

/// How a part of the server stands for its users.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ComponentRow")]
pub struct ComponentShape {
    pub component: &'static str,
    pub title: &'static str,
    /// `operational`, `degraded`, `partial_outage` or `major_outage`.
    pub state: &'static str,
    /// Unix milliseconds.
    pub since: u64,
}

/// An agent as its colleagues are told of it: whom one may transfer to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Colleague")]
pub struct ColleagueShape<'a> {
    pub agent: &'a str,
    pub title: &'a str,
    pub program: bool,
    pub connection: &'a str,
    pub status: &'a str,
    pub available: bool,
}

/// A queue as agents are told of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "QueueName")]
pub struct QueueNameShape<'a> {
    pub queue: &'a str,
    pub title: &'a str,
    /// Whoever asks may pick from it.
    pub picking: bool,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}
