//! Frames of an agent's client. Whatever is wrong with one is named, and costs no more than reading it once.

use super::labels::{self, LabelFrame};
use super::moves::{self, Drained, StartFrame};
use super::watching::{self, Watched, WatchedPage, WhyOf};
use crate::desk::conversation::WaitKey;
use crate::desk::files::FileId;
use crate::desk::ids::{CommandId, ConversationId, OfferId};
use crate::desk::labels::ThenEnd;
use crate::desk::moves::Deed;
use crate::desk::own::OwnCursor;
use crate::desk::settings::{CHANNELS_MAX, NAME_BYTES_MAX};
use crate::wire::error::{Code, WireError};
use crate::wire::fields::{Fields, missing, wrong_kind};
use crate::wire::files::PostBody;
use crate::wire::labels::print;
use std::sync::Arc;

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

const KNOWN: &[&str] = &[
    "type",
    "id",
    "status",
    "channels",
    "offer",
    "reason",
    "conversation",
    "text",
    "number",
    "after",
    "before",
    "limit",
    "what",
    "cursor",
    "token",
    "agent",
    "queue",
    "warm",
    "waiting_since",
    "expected_owner",
    "force",
    "customer",
    "channel",
    "on",
    "to",
    "disposition",
    "tags",
    "fields",
    "order",
    "connection",
    "find",
    "skip",
    "files",
];

/// Bounds on what a frame may carry; the frame itself is bounded by the socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes_max: 16 * 1024 }
    }
}

/// What an agent's client asks, as docs/wire.md has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentFrame {
    SetStatus {
        status: Arc<str>,
        channels: Option<Vec<Arc<str>>>,
    },
    Ready,
    /// Somebody did something at this device.
    Input,
    /// For when its work is over; none: none any more.
    NextStatus {
        status: Option<Arc<str>>,
    },
    ForceStatus {
        agent: Arc<str>,
        status: Arc<str>,
    },
    Delivered {
        offer: OfferId,
    },
    Accept {
        offer: OfferId,
    },
    Reject {
        offer: OfferId,
        reason: Arc<str>,
    },
    Send {
        conversation: ConversationId,
        text: String,
        files: Vec<FileId>,
    },
    Read {
        conversation: ConversationId,
        number: u32,
    },
    Typing {
        conversation: ConversationId,
        /// What there is of the answer; empty: it is taken back.
        draft: Option<String>,
    },
    Close {
        conversation: ConversationId,
    },
    WrapUpDone {
        conversation: ConversationId,
    },
    ExtendWrapUp {
        conversation: ConversationId,
    },
    History {
        conversation: ConversationId,
        from: HistoryFrom,
        limit: u32,
    },
    Watch {
        what: Watched,
        page: WatchedPage,
        limit: u32,
    },
    Unwatch {
        what: Watched,
    },
    /// Whom and what a conversation may be given to.
    Directory {
        what: Watched,
        cursor: Option<String>,
        limit: u32,
    },
    Refresh {
        token: String,
    },
    SignOut,
    /// What the snapshot had no room for.
    Own {
        after: OwnCursor,
    },
    /// What another agent holds.
    Held {
        agent: Arc<str>,
        after: OwnCursor,
    },
    /// What stands between a conversation, or an agent, and an offer.
    Why(WhyOf),
    /// How the server's components stand for their users.
    Health,
    /// A conversation goes to other hands: `transfer`, `pick`, `claim` and the like.
    Move {
        conversation: ConversationId,
        deed: Deed,
    },
    Waiting {
        queue: Arc<str>,
        after: Option<WaitKey>,
        limit: u32,
    },
    Note {
        conversation: ConversationId,
        text: String,
    },
    Notes {
        conversation: ConversationId,
        after: u32,
        limit: u32,
    },
    /// `label`, or `close` or `wrap_up_done` with labels.
    Label(Box<LabelFrame>),
    /// What may be set in conversations of a queue.
    LabelRules {
        queue: Arc<str>,
    },
    Start(Box<StartFrame>),
    Drain(Drained),
}

/// Where a page of messages lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HistoryFrom {
    /// The last ones.
    End,
    After(u32),
    Before(u32),
}

/// A frame that was not understood. Without `id`, the reply's `id` is null.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadFrame {
    pub id: Option<CommandId>,
    /// Boxed: it is rare, and would make every good frame's way as wide as itself.
    pub error: Box<WireError>,
}

/// Reads one text frame.
///
/// # Errors
/// `bad_request`, `unknown_type`, `missing_id`, `bad_field`, `bad_cursor` or `too_large`, with the field at fault.
pub fn parse(text: &str, limits: &Limits) -> Result<(CommandId, AgentFrame), BadFrame> {
    let mut fields = Fields::parse(text, KNOWN).map_err(|error| BadFrame { id: None, error: Box::new(error) })?;
    let id = match fields.id::<CommandId>("id") {
        Ok(id) => id,
        Err(error) => {
            let error = match error.message.as_ref() {
                "id is missing" => WireError::new(Code::MissingId, "a frame needs an id: 128 random bits").at("id"),
                _ => error,
            };
            return Err(BadFrame { id: None, error: Box::new(error) });
        }
    };
    let frame = read(&mut fields, limits);
    frame
        .and_then(|frame| fields.finish().map(|()| (id, frame)))
        .map_err(|error| BadFrame { id: Some(id), error: Box::new(error) })
}

fn read(fields: &mut Fields<'_>, limits: &Limits) -> Result<AgentFrame, WireError> {
    let name = fields.text("type", 64)?.ok_or_else(|| missing("type"))?;
    Ok(match name.as_ref() {
        "set_status" => AgentFrame::SetStatus { status: short(fields, "status")?, channels: channels(fields)? },
        "ready" => AgentFrame::Ready,
        "input" => AgentFrame::Input,
        "next_status" => AgentFrame::NextStatus { status: fields.text("status", NAME_BYTES_MAX)?.map(Arc::from) },
        "force_status" => AgentFrame::ForceStatus { agent: short(fields, "agent")?, status: short(fields, "status")? },
        "delivered" => AgentFrame::Delivered { offer: fields.id("offer")? },
        "accept" => AgentFrame::Accept { offer: fields.id("offer")? },
        "reject" => AgentFrame::Reject { offer: fields.id("offer")?, reason: short(fields, "reason")? },
        "send" => {
            let conversation = fields.id("conversation")?;
            let PostBody { text, files } = PostBody::take(fields, limits.text_bytes_max)?;
            AgentFrame::Send { conversation, text, files }
        }
        "read" => AgentFrame::Read {
            conversation: fields.id("conversation")?,
            number: fields.number("number")?.ok_or_else(|| missing("number"))?,
        },
        "typing" => AgentFrame::Typing {
            conversation: fields.id("conversation")?,
            draft: fields.text("text", limits.text_bytes_max)?.map(std::borrow::Cow::into_owned),
        },
        "close" => labels::read(fields, ThenEnd::Talk)?,
        "wrap_up_done" => labels::read(fields, ThenEnd::WrapUp)?,
        "label" => labels::read(fields, ThenEnd::Nothing)?,
        "label_rules" => AgentFrame::LabelRules { queue: short(fields, "queue")? },
        "extend_wrap_up" => AgentFrame::ExtendWrapUp { conversation: fields.id("conversation")? },
        "history" => AgentFrame::History {
            conversation: fields.id("conversation")?,
            from: history_from(fields)?,
            limit: limit(fields, 50)?,
        },
        "watch" => watching::watch(fields)?,
        "directory" => {
            let what = watching::watched(fields)?;
            AgentFrame::Directory { what, cursor: cursor(fields)?, limit: limit(fields, 100)? }
        }
        "unwatch" => AgentFrame::Unwatch { what: watching::watched(fields)? },
        "why" => AgentFrame::Why(watching::why(fields)?),
        "health" => AgentFrame::Health,
        "refresh" => AgentFrame::Refresh { token: fields.some_text("token", TOKEN_BYTES_MAX)?.into_owned() },
        "sign_out" => AgentFrame::SignOut,
        "own" => AgentFrame::Own { after: own_cursor(fields)?.ok_or_else(|| missing("cursor"))? },
        "held" => AgentFrame::Held { agent: short(fields, "agent")?, after: own_cursor(fields)?.unwrap_or_default() },
        other => {
            let frame = moves::read(other, fields, limits.text_bytes_max)?;
            frame.ok_or_else(|| WireError::new(Code::UnknownType, "there is no frame of this type").at("type"))?
        }
    })
}

pub(super) fn short(fields: &mut Fields<'_>, name: &'static str) -> Result<Arc<str>, WireError> {
    fields.some_text(name, NAME_BYTES_MAX).map(Arc::from)
}

fn channels(fields: &mut Fields<'_>) -> Result<Option<Vec<Arc<str>>>, WireError> {
    let Some(raw) = fields.take("channels") else { return Ok(None) };
    let names: Vec<Arc<str>> =
        serde_json::from_str(raw.get()).map_err(|_| wrong_kind("channels", "a list of strings"))?;
    if names.len() > CHANNELS_MAX || names.iter().any(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
        return Err(WireError::new(Code::BadField, "channels holds names of channels, each once").at("channels"));
    }
    Ok(Some(names))
}

fn history_from(fields: &mut Fields<'_>) -> Result<HistoryFrom, WireError> {
    match (fields.number("after")?, fields.number("before")?) {
        (None, None) => Ok(HistoryFrom::End),
        (Some(after), None) => Ok(HistoryFrom::After(after)),
        (None, Some(before)) => Ok(HistoryFrom::Before(before)),
        (Some(_), Some(_)) => Err(WireError::new(Code::BadCursor, "either after or before").at("before")),
    }
}

pub(super) fn limit(fields: &mut Fields<'_>, default: u32) -> Result<u32, WireError> {
    match fields.number("limit")? {
        None => Ok(default),
        Some(limit @ 1..=200) => Ok(limit),
        Some(_) => Err(WireError::new(Code::BadField, "limit must be 1 to 200").at("limit")),
    }
}

pub(super) fn cursor(fields: &mut Fields<'_>) -> Result<Option<String>, WireError> {
    match fields.text("cursor", NAME_BYTES_MAX) {
        Ok(cursor) => Ok(cursor.map(std::borrow::Cow::into_owned)),
        Err(error) if error.code == Code::TooLarge => {
            Err(WireError::new(Code::BadCursor, "the cursor is not one of ours").at("cursor"))
        }
        Err(error) => Err(error),
    }
}

fn own_cursor(fields: &mut Fields<'_>) -> Result<Option<OwnCursor>, WireError> {
    let not_ours = |_| WireError::new(Code::BadCursor, "the cursor is not one of ours").at("cursor");
    cursor(fields)?.map(|cursor| cursor.parse().map_err(not_ours)).transpose()
}

impl AgentFrame {
    /// The name in metrics, and `type` on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            AgentFrame::SetStatus { .. } => "set_status",
            AgentFrame::Ready => "ready",
            AgentFrame::Input => "input",
            AgentFrame::NextStatus { .. } => "next_status",
            AgentFrame::ForceStatus { .. } => "force_status",
            AgentFrame::Delivered { .. } => "delivered",
            AgentFrame::Accept { .. } => "accept",
            AgentFrame::Reject { .. } => "reject",
            AgentFrame::Send { .. } => "send",
            AgentFrame::Read { .. } => "read",
            AgentFrame::Typing { .. } => "typing",
            AgentFrame::Close { .. } => "close",
            AgentFrame::WrapUpDone { .. } => "wrap_up_done",
            AgentFrame::ExtendWrapUp { .. } => "extend_wrap_up",
            AgentFrame::History { .. } => "history",
            AgentFrame::Watch { .. } => "watch",
            AgentFrame::Unwatch { .. } => "unwatch",
            AgentFrame::Directory { .. } => "directory",
            AgentFrame::Refresh { .. } => "refresh",
            AgentFrame::SignOut => "sign_out",
            AgentFrame::Own { .. } => "own",
            AgentFrame::Held { .. } => "held",
            AgentFrame::Why(_) => "why",
            AgentFrame::Health => "health",
            AgentFrame::Move { deed, .. } => moves::name_of(deed),
            AgentFrame::Waiting { .. } => "waiting",
            AgentFrame::Note { .. } => "note",
            AgentFrame::Notes { .. } => "notes",
            AgentFrame::Label(frame) => frame.then.name(),
            AgentFrame::LabelRules { .. } => "label_rules",
            AgentFrame::Start(_) => "start",
            AgentFrame::Drain(_) => "drain",
        }
    }

    /// Whether a person did something: what a client does by itself, or may, is none.
    #[must_use]
    pub fn is_input(&self) -> bool {
        !matches!(
            self,
            AgentFrame::Ready
                | AgentFrame::Delivered { .. }
                | AgentFrame::History { .. }
                | AgentFrame::Notes { .. }
                | AgentFrame::Waiting { .. }
                | AgentFrame::LabelRules { .. }
                | AgentFrame::Watch { .. }
                | AgentFrame::Unwatch { .. }
                | AgentFrame::Directory { .. }
                | AgentFrame::Refresh { .. }
                // A client reads the pages of its snapshot by itself, and a wallboard asks again.
                | AgentFrame::Own { .. }
                | AgentFrame::Held { .. }
                | AgentFrame::Why(_)
                | AgentFrame::Health
        )
    }

    /// What a command's fingerprint is taken of: the same for every spelling of the same command, and different for
    /// any other. It holds texts in the clear, so only a keyed hash of it may be kept.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(64);
        put(&mut body, self.name().as_bytes());
        match self {
            AgentFrame::SetStatus { status, channels } => {
                put(&mut body, status.as_bytes());
                body.push(u8::from(channels.is_some()));
                channels.iter().flatten().for_each(|channel| put(&mut body, channel.as_bytes()));
            }
            AgentFrame::NextStatus { status } => {
                body.push(u8::from(status.is_some()));
                put(&mut body, status.as_deref().unwrap_or_default().as_bytes());
            }
            AgentFrame::ForceStatus { agent, status } => {
                put(&mut body, agent.as_bytes());
                put(&mut body, status.as_bytes());
            }
            AgentFrame::Delivered { offer } | AgentFrame::Accept { offer } => put(&mut body, &offer.0.to_be_bytes()),
            AgentFrame::Reject { offer, reason } => {
                put(&mut body, &offer.0.to_be_bytes());
                put(&mut body, reason.as_bytes());
            }
            AgentFrame::Send { conversation, text, files } => {
                put(&mut body, &conversation.0.to_be_bytes());
                put(&mut body, text.as_bytes());
                // Without any it is what it was before there were files: a retry may come across an upgrade.
                files.iter().for_each(|file| put(&mut body, &file.0.to_be_bytes()));
            }
            AgentFrame::Note { conversation, text } => {
                put(&mut body, &conversation.0.to_be_bytes());
                put(&mut body, text.as_bytes());
            }
            AgentFrame::Read { conversation, number } => {
                put(&mut body, &conversation.0.to_be_bytes());
                put(&mut body, &number.to_be_bytes());
            }
            AgentFrame::Close { conversation }
            | AgentFrame::WrapUpDone { conversation }
            | AgentFrame::ExtendWrapUp { conversation } => put(&mut body, &conversation.0.to_be_bytes()),
            AgentFrame::Move { conversation, deed } => {
                put(&mut body, &conversation.0.to_be_bytes());
                moves::put_deed(&mut body, deed);
            }
            AgentFrame::Label(frame) => {
                put(&mut body, &frame.conversation.0.to_be_bytes());
                put(&mut body, &print(&frame.change));
            }
            AgentFrame::Start(start) => moves::put_start(&mut body, start),
            AgentFrame::Drain(drained) => moves::put_drained(&mut body, drained),
            // These change nothing that is remembered.
            AgentFrame::Typing { .. }
            | AgentFrame::Ready
            | AgentFrame::Input
            | AgentFrame::SignOut
            | AgentFrame::Own { .. }
            | AgentFrame::Held { .. }
            | AgentFrame::Why(_)
            | AgentFrame::Health
            | AgentFrame::History { .. }
            | AgentFrame::Watch { .. }
            | AgentFrame::Unwatch { .. }
            | AgentFrame::Directory { .. }
            | AgentFrame::Waiting { .. }
            | AgentFrame::Notes { .. }
            | AgentFrame::LabelRules { .. }
            | AgentFrame::Refresh { .. } => {}
        }
        body
    }
}

/// Each part with its length before it, so that no two lists of parts look the same.
pub(super) fn put(body: &mut Vec<u8>, part: &[u8]) {
    body.extend_from_slice(&(part.len() as u64).to_be_bytes());
    body.extend_from_slice(part);
}
