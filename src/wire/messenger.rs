//! The messenger's words: what a visitor's page asks over HTTP, what it is answered, and the events of its stream.

use super::error::{Code, WireError};
use super::fields::{Fields, missing, wrong_kind};
use super::files::{FileShape, PostBody};
use super::spelled::{Spelled, spelled};
use crate::desk::estimates::Estimate;
use crate::desk::ids::ConversationId;
use crate::desk::ratings::{COMMENT_BYTES_MAX, SCORE_MAX, SCORE_MIN};
use crate::desk::settings::NAME_BYTES_MAX;
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Of an e-mail address (RFC 5321).
pub const EMAIL_BYTES_MAX: usize = 254;

/// Bounds on what a visitor may send; the body itself is bounded by the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub text_bytes_max: usize,
    /// Of all keys and values together.
    pub metadata_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes_max: 16 * 1024, metadata_bytes_max: 4 * 1024 }
    }
}

impl Limits {
    /// The largest body: JSON may spell each byte of a text in six (`\\u0001`).
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.text_bytes_max
            .saturating_mul(6)
            .saturating_add(self.metadata_bytes_max.saturating_mul(6))
            .saturating_add(4_096)
    }
}

/// `POST /conversations`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StartBody {
    pub text: Option<String>,
    pub name: Option<String>,
    pub channel: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// Should it be refused for now, it is a message that is left.
    pub or_message: bool,
}

impl StartBody {
    /// # Errors
    /// `bad_request`, `bad_field` or `too_large`, with the field at fault.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let mut fields = fields(body, &["text", "name", "channel", "metadata", "or_message"])?;
        let text = fields.text("text", limits.text_bytes_max)?.map(Cow::into_owned);
        if text.as_deref() == Some("") {
            return Err(WireError::new(Code::BadField, "text is empty").at("text"));
        }
        let start = Self {
            text,
            name: fields.text("name", NAME_BYTES_MAX)?.map(Cow::into_owned).filter(|name| !name.is_empty()),
            channel: fields.text("channel", NAME_BYTES_MAX)?.map(Cow::into_owned),
            metadata: metadata(&mut fields, limits.metadata_bytes_max)?,
            or_message: fields.flag("or_message")?.unwrap_or(false),
        };
        fields.finish()?;
        Ok(start)
    }
}

/// `POST /conversations/{c}/messages`.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_post(body: &[u8], limits: &Limits) -> Result<PostBody, WireError> {
    let mut fields = fields(body, &["text", "files"])?;
    let post = PostBody::take(&mut fields, limits.text_bytes_max)?;
    fields.finish()?;
    Ok(post)
}

/// The number of `POST /conversations/{c}/read`.
///
/// # Errors
/// `bad_request`, with the field at fault.
pub fn parse_read(body: &[u8]) -> Result<u32, WireError> {
    let mut fields = fields(body, &["number"])?;
    let number = fields.number("number")?.ok_or_else(|| missing("number"))?;
    fields.finish()?;
    Ok(number)
}

/// `POST /conversations/{c}/contact`: what is absent stays as it is, and what is empty is taken back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    pub name: Option<String>,
    pub email: Option<String>,
}

/// # Errors
/// `bad_request` or `too_large`, with the field at fault.
pub fn parse_contact(body: &[u8]) -> Result<Contact, WireError> {
    let mut fields = fields(body, &["name", "email"])?;
    let name = fields.text("name", NAME_BYTES_MAX)?.map(Cow::into_owned);
    let email = fields.text("email", EMAIL_BYTES_MAX)?.map(Cow::into_owned);
    fields.finish()?;
    if name.is_none() && email.is_none() {
        return Err(missing("name"));
    }
    Ok(Contact { name, email })
}

/// `POST /conversations/{c}/rating`: a score, and perhaps a comment.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_rating(body: &[u8]) -> Result<(u8, Option<String>), WireError> {
    let mut fields = fields(body, &["score", "comment"])?;
    let score = fields.number("score")?.ok_or_else(|| missing("score"))?;
    let score = u8::try_from(score).ok().filter(|score| (SCORE_MIN..=SCORE_MAX).contains(score));
    let score = score.ok_or_else(|| WireError::new(Code::BadField, "score must be 1 to 5").at("score"))?;
    let comment = fields.text("comment", COMMENT_BYTES_MAX)?.map(Cow::into_owned);
    fields.finish()?;
    Ok((score, comment.filter(|comment| !comment.is_empty())))
}

/// The anonymous token of `POST /identify`.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_identify(body: &[u8]) -> Result<String, WireError> {
    let mut fields = fields(body, &["anonymous_token"])?;
    let token = fields.some_text("anonymous_token", super::agent::TOKEN_BYTES_MAX)?.into_owned();
    fields.finish()?;
    Ok(token)
}

fn fields<'a>(body: &'a [u8], known: &'static [&'static str]) -> Result<Fields<'a>, WireError> {
    let text = str::from_utf8(body).map_err(|_| WireError::new(Code::BadRequest, "the body is not UTF-8"))?;
    Fields::parse(text, known)
}

fn metadata(fields: &mut Fields<'_>, bytes_max: usize) -> Result<BTreeMap<String, String>, WireError> {
    let Some(raw) = fields.take("metadata") else { return Ok(BTreeMap::new()) };
    metadata_of(raw.get(), bytes_max)
}

/// A flat object of strings.
///
/// # Errors
/// `bad_request` or `too_large`, at `metadata`.
pub fn metadata_of(json: &str, bytes_max: usize) -> Result<BTreeMap<String, String>, WireError> {
    let too_large = || WireError::new(Code::TooLarge, format!("metadata is over {bytes_max} bytes")).at("metadata");
    // Escapes take at most six bytes for one, and each pair some quotes: what is beyond that cannot fit.
    if json.len() > bytes_max.saturating_mul(12) {
        return Err(too_large());
    }
    let metadata: BTreeMap<String, String> =
        serde_json::from_str(json).map_err(|_| wrong_kind("metadata", "a flat object of strings"))?;
    let bytes: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > bytes_max || metadata.len() > bytes_max / 8 { Err(too_large()) } else { Ok(metadata) }
}

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
    fn a_start_may_say_nothing_or_all() {
        let limits = Limits::default();
        assert_eq!(StartBody::parse(b"{}", &limits), Ok(StartBody::default()));
        let full = br#"{"text":"h\u00e9","name":"Zo\u00eb","channel":"chat","metadata":{"page":"/p"}}"#;
        let start = StartBody::parse(full, &limits).unwrap();
        assert_eq!((start.text.as_deref(), start.name.as_deref()), (Some("hé"), Some("Zoë")));
        assert_eq!(start.metadata["page"], "/p");
    }

    #[test]
    fn what_is_wrong_with_a_body_is_named() {
        let limits = Limits::default();
        let fat = format!(r#"{{"metadata":{{"k":"{}"}}}}"#, "x".repeat(4 * 1024));
        let many = format!(
            r#"{{"metadata":{{{}}}}}"#,
            (0..1_500).map(|i| format!(r#""{i}":"""#)).collect::<Vec<_>>().join(",")
        );
        let cases: [(&[u8], Code, Option<&str>); 10] = [
            (b"\xff", Code::BadRequest, None),
            (b"", Code::BadRequest, None),
            (b"[]", Code::BadRequest, None),
            (br#"{"queue":"vip"}"#, Code::BadRequest, Some("queue")),
            (br#"{"text":""}"#, Code::BadField, Some("text")),
            (br#"{"text":1}"#, Code::BadRequest, Some("text")),
            (br#"{"metadata":{"a":{"b":"c"}}}"#, Code::BadRequest, Some("metadata")),
            (br#"{"metadata":"x"}"#, Code::BadRequest, Some("metadata")),
            (fat.as_bytes(), Code::TooLarge, Some("metadata")),
            (many.as_bytes(), Code::TooLarge, Some("metadata")),
        ];
        for (body, code, field) in cases {
            let error = StartBody::parse(body, &limits).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (code, field), "{error}");
        }
        assert_eq!(parse_post(b"{}", &limits).unwrap_err().field.as_deref(), Some("text"));
        assert_eq!(parse_read(br#"{"number":3}"#), Ok(3));
        assert_eq!(parse_read(br#"{"number":"3"}"#).unwrap_err().field.as_deref(), Some("number"));
        assert_eq!(parse_identify(br#"{"anonymous_token":"ohv1.x"}"#).as_deref(), Ok("ohv1.x"));
    }

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
        let text = include_str!("../../docs/wire.md");
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
