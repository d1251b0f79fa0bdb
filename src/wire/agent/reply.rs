//! The one reply to a frame: what was done, or why not.

use super::shapes::{
    AgentRowShape, ColleagueShape, ComponentShape, ConversationShape, MessageShape, NoteShape, OfferShape,
    QueueNameShape, QueueRowShape, TotalShape, WaitingRowShape,
};
use crate::desk::ids::{CommandId, ConversationId, OfferId};
use crate::desk::labels::CustomField;
use crate::desk::why::{WhyAgent, WhyConversation};
use crate::wire::error::WireError;
use crate::wire::spelled::{Spelled, spelled};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Reply<'a> {
    /// Null when the frame's own could not be read.
    pub id: Option<CommandId>,
    /// Absent when the reply rests on no position, as with a frame that was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    #[serde(flatten)]
    pub outcome: Outcome<'a>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Outcome<'a> {
    Done {
        ok: True,
        #[serde(flatten)]
        members: Done<'a>,
    },
    Error {
        error: &'a WireError,
    },
}

/// What a reply to a command that was done carries besides `ok`.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Done<'a> {
    Plain {},
    Accepted {
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<ConversationId>")]
        conversation: ConversationId,
    },
    TransferOffered {
        #[serde(serialize_with = "spelled")]
        #[schemars(with = "Spelled<OfferId>")]
        offer: OfferId,
    },
    Noted {
        note: u32,
        at: u64,
    },
    /// The next page of what the agent holds.
    Own {
        offers: &'a [OfferShape<'a>],
        conversations: &'a [ConversationShape<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    },
    Waiting {
        waiting: &'a [WaitingRowShape<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    },
    Notes {
        notes: &'a [NoteShape<'a>],
        more: bool,
    },
    Posted {
        number: u32,
        at: u64,
    },
    History {
        messages: &'a [MessageShape<'a>],
        more: bool,
    },
    Page {
        rows: Rows<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    },
    /// In order.
    Sheet {
        rows: Rows<'a>,
        matching: u32,
        totals: &'a [TotalShape],
    },
    Health {
        /// Unix milliseconds.
        at: u64,
        components: &'a [ComponentShape],
    },
    WhyConversation {
        why: &'a WhyConversation,
    },
    WhyAgent {
        why: &'a WhyAgent,
    },
    LabelRules {
        dispositions: &'a [Arc<str>],
        disposition_required: bool,
        /// Null: any.
        tags: Option<&'a [Arc<str>]>,
        fields: &'a [CustomField],
    },
    Refreshed {
        expires_at: u64,
    },
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Rows<'a> {
    Queues(&'a [QueueRowShape<'a>]),
    Agents(&'a [AgentRowShape<'a>]),
    Colleagues(&'a [ColleagueShape<'a>]),
    QueueNames(&'a [QueueNameShape<'a>]),
}

/// `true`, and never anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct True;

impl Serialize for True {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl JsonSchema for True {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "True".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"const": true})
    }
}

impl<'a> Reply<'a> {
    #[must_use]
    pub fn done(id: CommandId, position: Option<u64>, members: Done<'a>) -> Self {
        Self { id: Some(id), position, outcome: Outcome::Done { ok: True, members } }
    }

    #[must_use]
    pub fn error(id: Option<CommandId>, position: Option<u64>, error: &'a WireError) -> Self {
        Self { id, position, outcome: Outcome::Error { error } }
    }
}
