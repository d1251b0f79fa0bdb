//! The messenger's words: what a visitor's page asks over HTTP (bodies.rs), what it is answered, and the events of its stream.

mod bodies;
pub mod schema;

pub use bodies::{
    Contact, EMAIL_BYTES_MAX, Limits, StartBody, metadata_of, parse_contact, parse_identify, parse_post, parse_rating,
    parse_read,
};

use super::files::FileShape;
use super::spelled::{Spelled, spelled};
use crate::desk::estimates::Estimate;
use crate::desk::ids::ConversationId;
use schemars::JsonSchema;
use serde::Serialize;

/// An agent as a customer sees it: a title, and no more.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "AgentTitle")]
pub struct TitleShape<'a> {
    pub title: &'a str,
}

/// A conversation as its customer sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerConversation")]
pub struct ConversationShape<'a> {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<ConversationId>")]
    pub conversation: ConversationId,
    pub state: &'a str,
    /// The queue's title.
    pub queue: &'a str,
    /// From 1; only while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// Unix milliseconds: its queue is closed until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<u64>,
    /// How long it will take from now on, where enough is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    pub agent: Option<TitleShape<'a>>,
    pub last_number: u32,
    pub read_by_agent: u32,
    pub read_by_customer: u32,
    /// Unix milliseconds.
    pub opened_at: u64,
    /// Once its talk is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
    /// A message that was left since nothing could be begun then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub message: bool,
    /// As this customer rated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<RatedShape>,
    /// Where its stream is, with a ticket; where one conversation is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<&'a str>,
}

/// A rating as its customer sees it.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerRating")]
pub struct RatedShape {
    /// 1 to 5.
    pub score: u8,
    /// Unix milliseconds.
    pub at: u64,
}

/// `GET /`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerConversations")]
pub struct ConversationsShape<'a> {
    pub conversations: &'a [ConversationShape<'a>],
}

/// `GET /reception`: whether anybody is there.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Reception")]
pub struct ReceptionShape {
    /// Within its hours.
    pub open: bool,
    /// Unix milliseconds, where it is closed and that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<u64>,
    pub nobody_there: bool,
    /// The code by which a start would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
    /// Then a message may be left.
    pub message: bool,
    /// Of who would begin to wait now, where enough is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// The answer to a start.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Started")]
pub struct StartedShape<'a> {
    pub conversation: ConversationShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'a str>,
    pub events: &'a str,
}

/// The answer to a message.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Posted")]
pub struct PostedShape {
    pub number: u32,
    pub at: u64,
}

/// A message as the customer sees it, in a page and as the event `message`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerMessage")]
pub struct MessageShape<'a> {
    pub number: u32,
    /// `customer`, `agent` or `system`.
    pub author: &'a str,
    /// What the workspace itself tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<TitleShape<'a>>,
    pub text: &'a str,
    pub at: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub files: &'a [FileShape],
}

/// A page of messages.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessagesShape<'a> {
    pub messages: &'a [MessageShape<'a>],
    pub more: bool,
}

/// The answer to `identify`: how many conversations moved.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Merged")]
pub struct MergedShape {
    pub conversations: u32,
}

/// An event of the stream. Serialized, it is the event's `data`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StreamEvent<'a> {
    Opened {
        at: u64,
    },
    Message(MessageShape<'a>),
    Joined {
        agent: TitleShape<'a>,
        at: u64,
    },
    Requeued {
        at: u64,
    },
    Ended {
        /// `agent`, `customer`, `admin` or `system`.
        by: &'a str,
        at: u64,
    },
    Reopened {
        at: u64,
    },
    Left {
        agent: TitleShape<'a>,
        at: u64,
    },
    Moved {
        /// Its title.
        queue: &'a str,
        at: u64,
    },
    State {
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        opens_at: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<Estimate>,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<TitleShape<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent_connection: Option<&'a str>,
    },
    Read {
        number: u32,
    },
    /// In another tab, it may be.
    Rated {
        score: u8,
        at: u64,
    },
    Typing {
        /// What there is of the agent's answer; empty: it was taken back.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
    },
}

impl StreamEvent<'_> {
    /// The event's name on the stream.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            StreamEvent::Opened { .. } => "opened",
            StreamEvent::Message(_) => "message",
            StreamEvent::Joined { .. } => "joined",
            StreamEvent::Requeued { .. } => "requeued",
            StreamEvent::Ended { .. } => "ended",
            StreamEvent::Reopened { .. } => "reopened",
            StreamEvent::Left { .. } => "left",
            StreamEvent::Moved { .. } => "moved",
            StreamEvent::State { .. } => "state",
            StreamEvent::Read { .. } => "read",
            StreamEvent::Rated { .. } => "rated",
            StreamEvent::Typing { .. } => "typing",
        }
    }

    /// Whether it counts in `Last-Event-ID`.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        use StreamEvent::{Rated, Read, State, Typing};
        !matches!(self, State { .. } | Read { .. } | Rated { .. } | Typing { .. })
    }

    /// The event's `data`: one line of JSON, whatever the texts hold.
    #[must_use]
    pub fn data(&self) -> tokio_tungstenite::tungstenite::Utf8Bytes {
        serde_json::to_string(self).expect("strings and numbers always serialize").into()
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_data_is_one_line_and_keeps_the_text() {
        for text in crate::wire::agent::TEXTS {
            let message = MessageShape {
                number: 1,
                author: "agent",
                notice: None,
                agent: Some(TitleShape { title: text }),
                text,
                at: 2,
                files: &[],
            };
            let data = StreamEvent::Message(message).data();
            assert!(!data.contains(['\n', '\r']), "{text:?}");
            let back: serde_json::Value = serde_json::from_str(&data).unwrap();
            assert_eq!(back["text"].as_str().unwrap().as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn the_streams_events_are_those_of_the_document() {
        let title = TitleShape { title: "Ada" };
        let message =
            MessageShape { number: 1, author: "agent", notice: None, agent: None, text: "x", at: 2, files: &[] };
        let ours: Vec<_> = [
            StreamEvent::Opened { at: 1 },
            StreamEvent::Message(message),
            StreamEvent::Joined { agent: title, at: 1 },
            StreamEvent::Requeued { at: 1 },
            StreamEvent::Ended { by: "agent", at: 1 },
            StreamEvent::Reopened { at: 1 },
            StreamEvent::Left { agent: title, at: 1 },
            StreamEvent::Moved { queue: "Support", at: 1 },
            StreamEvent::State {
                state: "waiting",
                place: Some(2),
                opens_at: None,
                estimate: None,
                agent: None,
                agent_connection: None,
            },
            StreamEvent::Read { number: 1 },
            StreamEvent::Rated { score: 5, at: 1 },
            StreamEvent::Typing { text: None },
        ]
        .iter()
        .map(|event| (event.name().to_owned(), event.is_numbered()))
        .collect();
        let text = include_str!("../../../docs/wire.md");
        let table = text.split_once("\n### The stream\n").unwrap().1.split_once("\n## ").unwrap().0;
        let documented: Vec<_> = table
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(name, rest)| (name.to_owned(), rest.ends_with("| yes |")))
            .collect();
        assert_eq!(ours, documented);
        assert_eq!(StreamEvent::Typing { text: None }.data().as_str(), "{}");
        assert_eq!(StreamEvent::Typing { text: Some("so f") }.data().as_str(), r#"{"text":"so f"}"#);
    }
}
