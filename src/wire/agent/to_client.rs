//! Frames to an agent's client, and how they become bytes.

use super::reply::{Reply, Rows};
use super::shapes::{
    AgentShape, AuthorShape, ConversationShape, DeliveryShape, OfferShape, SettingsShape, SnapshotShape, TotalShape,
    WrapUpShape,
};
use crate::desk::event::{StatusCause, WrapUpCause};
use crate::desk::ids::{ConversationId, OfferId, SessionId};
use crate::desk::moves::Taken;
use crate::wire::files::FileShape;
use crate::wire::labels::LabelsShape;
use crate::wire::spelled::{Spelled, spelled};
use schemars::JsonSchema;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Every frame that the server sends. `position` is the place in the workspace's journal that it rests on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    Welcome {
        session: SessionId,
        position: u64,
        ticket: &'a str,
        agent: AgentShape<'a>,
        workspace: &'a str,
        settings: SettingsShape<'a>,
        snapshot: SnapshotShape<'a>,
    },
    Snapshot {
        position: u64,
        snapshot: SnapshotShape<'a>,
    },
    Status {
        position: u64,
        status: &'a str,
        available: bool,
        channels: &'a [&'a str],
        connection: &'a str,
        cause: Cause,
        /// The supervisor who forced it.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    },
    /// The status for when its work is over; null: none any more.
    NextStatus {
        position: u64,
        status: Option<&'a str>,
    },
    Offer {
        position: u64,
        offer: OfferShape<'a>,
    },
    OfferDelivered {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<OfferId>")]
        offer: OfferId,
        /// It is accepted by itself then.
        #[serde(skip_serializing_if = "Option::is_none")]
        auto_accept_left_ms: Option<u64>,
    },
    OfferEnded {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<OfferId>")]
        offer: OfferId,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        end: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    Conversation {
        position: u64,
        conversation: ConversationShape<'a>,
        cause: Cause,
    },
    ConversationGone {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        cause: Cause,
        /// How its wrap-up ended, where it had one.
        #[serde(skip_serializing_if = "Option::is_none")]
        wrap_up: Option<WrapUpCause>,
        /// Of a close without wrap-up: `agent`, `customer`, `admin` or `system`.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    },
    ConversationEnded {
        position: u64,
        conversation: ConversationShape<'a>,
        /// `agent`, `customer` or `admin`.
        by: &'a str,
    },
    /// Its time is another now.
    WrapUp {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        left_ms: u64,
        wrap_up: WrapUpShape,
    },
    Message {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        number: u32,
        author: AuthorShape<'a>,
        text: &'a str,
        at: u64,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        files: &'a [FileShape],
        /// Of one that goes out by a channel of the workspace's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        delivery: Option<DeliveryShape<'a>>,
    },
    Read {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        /// `agent` or `customer`.
        reader: &'a str,
        number: u32,
    },
    /// What became of a message that went out by a channel of the workspace's own.
    Delivery {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        number: u32,
        #[serde(flatten)]
        delivery: DeliveryShape<'a>,
    },
    Typing {
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        /// The other agent who talks in it; absent: its customer.
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<&'a str>,
    },
    /// To the owner: its conversation is offered to this agent.
    Transfer {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<OfferId>")]
        offer: OfferId,
        agent: &'a str,
        warm: bool,
    },
    TransferEnded {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<OfferId>")]
        offer: OfferId,
        agent: &'a str,
        end: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// The agent who had joined is gone.
    Left {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        agent: &'a str,
    },
    Note {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        note: u32,
        author: Option<&'a str>,
        /// The last message before it.
        after: u32,
        text: &'a str,
        at: u64,
    },
    /// Its customer has been silent for long, or it is not paused for that any more.
    Paused {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        paused: bool,
        /// What it takes of what it takes in full.
        weight_percent: u8,
    },
    /// Its labels are these now.
    Labelled {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        labels: &'a LabelsShape,
    },
    /// Its customer has said anew who it is, or where it can be reached.
    Described {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        name: Option<&'a str>,
        metadata: &'a BTreeMap<String, String>,
    },
    /// Its customer says what it was like.
    Rated {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        /// 1 to 5.
        score: u8,
        /// The score that it had.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<&'a str>,
    },
    /// A clock of service began, was breached or ended.
    Clock {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
        clock: &'a str,
        /// `pending`, `breached`, `achieved` or `voided`.
        state: &'a str,
        /// Its time has come.
        late: bool,
        /// Unix milliseconds, while it is pending.
        #[serde(skip_serializing_if = "Option::is_none")]
        due: Option<u64>,
    },
    /// Its customer has awaited its word for long.
    Reminder {
        position: u64,
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
    },
    Draining {
        position: u64,
        draining: bool,
    },
    Queues {
        position: u64,
        rows: Rows<'a>,
    },
    Agents {
        position: u64,
        rows: Rows<'a>,
        /// Of a sheet, whenever one of them is another: who is on it in its order, how many would be on it, and how many agents
        /// there are of each kind.
        #[serde(skip_serializing_if = "Option::is_none")]
        names: Option<&'a [&'a str]>,
        #[serde(skip_serializing_if = "Option::is_none")]
        matching: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        totals: Option<&'a [TotalShape]>,
    },
    /// Rows of a page that is watched are not sent for now, or again from now on.
    Watching {
        position: u64,
        /// `queues` or `agents`.
        what: &'a str,
        paused: bool,
    },
    Reply(Reply<'a>),
}

/// Why a delta was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    // of `status`
    Chosen,
    Missed,
    Next,
    Forced,
    Idle,
    Reachable,
    Unreachable,
    // of `conversation`
    Accepted,
    Reopened,
    Joined,
    // of both
    Picked,
    Claimed,
    Reassigned,
    Started,
    HandedOver,
    // of `conversation_gone`
    Requeued,
    Closed,
    Transferred,
    Left,
}

impl From<StatusCause> for Cause {
    fn from(cause: StatusCause) -> Self {
        match cause {
            StatusCause::Chosen => Cause::Chosen,
            StatusCause::Missed => Cause::Missed,
            StatusCause::Next => Cause::Next,
            StatusCause::Forced => Cause::Forced,
            StatusCause::Idle => Cause::Idle,
        }
    }
}

impl From<Taken> for Cause {
    fn from(how: Taken) -> Self {
        match how {
            Taken::Picked => Cause::Picked,
            Taken::Claimed => Cause::Claimed,
            Taken::Reassigned => Cause::Reassigned,
            Taken::Started => Cause::Started,
        }
    }
}

/// What a thread's scratch keeps between frames.
const SCRATCH_BYTES_KEPT: usize = 64 * 1024;

/// The frame as it goes out: one allocation of exactly its size, as it may lie in a mailbox for a while.
#[must_use]
pub fn render(frame: &ServerFrame<'_>) -> Utf8Bytes {
    thread_local! {
        static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        serde_json::to_writer(&mut *scratch, frame).expect("strings and numbers always serialize");
        let text = str::from_utf8(scratch).expect("JSON of strings is UTF-8");
        let bytes = Utf8Bytes::from(text);
        if scratch.capacity() > SCRATCH_BYTES_KEPT {
            *scratch = Vec::new();
        }
        bytes
    })
}
