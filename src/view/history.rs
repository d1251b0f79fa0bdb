//! A conversation's past: its messages, what its customer may see, and all of its events, each in pages bounded in rows
//! and bytes.

use super::failed::{OrFailed, ViewFailed};
use super::keys::{place, place_parts};
use crate::desk::command::{Author, Closer};
use crate::desk::event::Event;
use crate::desk::files::Attachments;
use crate::desk::ids::{AgentId, ConversationId, QueueId};
use crate::desk::time::WallTime;
use rusqlite::{Connection, ToSql};
use std::sync::Arc;

/// Rows in a page at most, whatever is asked.
pub const PAGE_ROWS_MAX: usize = 200;
/// A page ends before the row with which it would be larger, but holds at least one.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Which messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// The last ones.
    Last,
    /// The first ones with a larger number.
    After(u32),
    /// The last ones with a smaller number.
    Before(u32),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageRow {
    pub number: u32,
    pub author: Author,
    pub at: WallTime,
    /// Sealed.
    pub text: Arc<str>,
    pub files: Attachments,
}

/// An internal note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteRow {
    pub note: u32,
    /// Absent: written over the admin API.
    pub author: Option<AgentId>,
    pub at: WallTime,
    /// The last message before it.
    pub after: u32,
    /// Sealed.
    pub text: Arc<str>,
}

/// One thing that a conversation's customer may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicRow {
    /// Its number: 1, 2, 3, … within the conversation.
    pub public: u32,
    pub at: WallTime,
    pub what: Public,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Public {
    Opened,
    Message { number: u32, author: Author, text: Arc<str>, files: Attachments },
    Joined { agent: AgentId },
    Requeued,
    Ended { by: Closer },
    Reopened,
    Left { agent: AgentId },
    Moved { queue: QueueId },
}

#[derive(Clone, PartialEq, Debug)]
pub struct EventRow {
    pub position: u64,
    pub index: u32,
    pub at: WallTime,
    pub event: Event,
}

/// Rows in ascending order, and whether there are more in the direction that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows<T> {
    pub rows: Vec<T>,
    pub more: bool,
}

impl<T> Rows<T> {
    pub(super) fn none() -> Self {
        Self { rows: Vec::new(), more: false }
    }
}

pub(super) fn messages(
    connection: &Connection,
    key: i64,
    page: Page,
    limit: usize,
) -> Result<Rows<MessageRow>, ViewFailed> {
    let (condition, bound, newest_first) = match page {
        Page::Last => ("number <= ?2 AND number > 0", u32::MAX, true),
        Page::After(number) => ("number > ?2", number, false),
        Page::Before(number) => ("number < ?2 AND number > 0", number, true),
    };
    let mut page = page_of(connection, condition, &[&key, &bound], newest_first, limit, |row| match row.event {
        Event::MessagePosted { number, author, text, files, .. } => {
            Some(MessageRow { number, author, at: row.at, text, files })
        }
        Event::MessageImported { number, author, text, .. } => {
            Some(MessageRow { number, author, at: row.at, text, files: Attachments::default() })
        }
        _ => None,
    })?;
    if newest_first {
        page.rows.reverse();
    }
    Ok(page)
}

/// The conversation's notes after that one, ascending.
pub(super) fn notes(connection: &Connection, key: i64, after: u32, limit: usize) -> Result<Rows<NoteRow>, ViewFailed> {
    let below = -i64::from(after);
    page_of(connection, "number < ?2 AND number < 0", &[&key, &below], false, limit, |row| match row.event {
        Event::NotePosted { note, author, text, after, .. } | Event::NoteImported { note, author, text, after, .. } => {
            Some(NoteRow { note, author, at: row.at, after, text })
        }
        _ => None,
    })
}

pub(super) fn public_events(
    connection: &Connection,
    key: i64,
    after: u32,
    limit: usize,
) -> Result<Rows<PublicRow>, ViewFailed> {
    page_of(connection, "public > ?2", &[&key, &after], false, limit, |row| {
        let (public, what) = public_of(row.event)?;
        Some(PublicRow { public, at: row.at, what })
    })
}

/// What of an event its customer may see, with its number; `None` when it is not theirs to see.
#[must_use]
pub fn public_of(event: Event) -> Option<(u32, Public)> {
    Some(match event {
        Event::ConversationOpened { public, .. } => (public, Public::Opened),
        Event::MessagePosted { public, number, author, text, files, .. } => {
            (public, Public::Message { number, author, text, files })
        }
        // What follows of it is more of the same.
        Event::ConversationImported { part: 1, .. } => (1, Public::Opened),
        Event::MessageImported { public, number, author, text, .. } => {
            (public, Public::Message { number, author, text, files: Attachments::default() })
        }
        Event::OfferEnded { public, agent, .. } => (public?, Public::Joined { agent }),
        Event::ConversationRequeued { public, .. } => (public, Public::Requeued),
        Event::ConversationEnded { public, by, .. } => (public, Public::Ended { by }),
        Event::ConversationReopened { public, .. } => (public, Public::Reopened),
        Event::ConversationTaken { public, to, .. } => (public, Public::Joined { agent: to }),
        Event::ConversationTransferred { public, .. } => (public, Public::Requeued),
        Event::ConversationHandedOver { public, from, .. } => (public, Public::Left { agent: from }),
        Event::ConversationLeft { public, agent, .. } => (public, Public::Left { agent }),
        Event::ConversationMoved { public, queue, .. } => (public?, Public::Moved { queue }),
        Event::SettingsChanged { .. }
        | Event::QueuePut { .. }
        | Event::QueueRemoved { .. }
        | Event::AgentPut { .. }
        | Event::ApiKeyPut { .. }
        | Event::ApiKeyRemoved { .. }
        | Event::ServerBegan { .. }
        | Event::NodeGone { .. }
        | Event::SessionCame { .. }
        | Event::SessionWent { .. }
        | Event::AgentReconnecting { .. }
        | Event::AgentUnreachable { .. }
        | Event::AgentReachable { .. }
        | Event::AgentOffline { .. }
        | Event::StatusChanged { .. }
        | Event::NextStatusSet { .. }
        | Event::OfferMade { .. }
        | Event::OfferDelivered { .. }
        | Event::MessagesRead { .. }
        | Event::DeliveryReported { .. }
        | Event::ConversationPaused { .. }
        | Event::ConversationWoken { .. }
        | Event::OwnerReminded { .. }
        | Event::ClockSet { .. }
        | Event::ClockBreached { .. }
        | Event::ClockEnded { .. }
        | Event::WrapUpExtended { .. }
        | Event::WrapUpEnded { .. }
        | Event::OwnerVanished { .. }
        | Event::OwnerReturned { .. }
        | Event::NotePosted { .. }
        | Event::NoteImported { .. }
        | Event::ConversationImported { .. }
        | Event::ConversationLabelled { .. }
        | Event::ConversationDescribed { .. }
        | Event::ConversationRated { .. }
        | Event::AgentDraining { .. }
        | Event::RingReached { .. }
        | Event::DecisionWanted { .. }
        | Event::DecisionEnded { .. }
        | Event::HoursTurned { .. }
        | Event::StayedAtClosing { .. }
        | Event::PriorityRaised { .. }
        | Event::CustomerMerged { .. }
        | Event::CustomerSignedOut { .. } => return None,
    })
}

pub(super) fn events(
    connection: &Connection,
    key: i64,
    after: Option<(u64, u32)>,
    limit: usize,
) -> Result<Rows<EventRow>, ViewFailed> {
    let after = match after {
        None => -1,
        Some((position, index)) => match place(position, index as usize) {
            Ok(place) => place,
            // After the largest place there is nothing.
            Err(_) => return Ok(Rows::none()),
        },
    };
    page_of(connection, "place > ?2", &[&key, &after], false, limit, Some)
}

fn page_of<T>(
    connection: &Connection,
    condition: &'static str,
    bounds: &[&dyn ToSql; 2],
    newest_first: bool,
    limit: usize,
    form: impl Fn(EventRow) -> Option<T>,
) -> Result<Rows<T>, ViewFailed> {
    let doing = "reading a conversation's past";
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let order = if newest_first { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT place, at, body FROM event INDEXED BY event_place WHERE conversation = ?1 AND {condition} \
         ORDER BY place {order}"
    );
    let mut select = connection.prepare_cached(&sql).or_failed(doing)?;
    let mut found = select.query(bounds.as_slice()).or_failed(doing)?;
    let mut page = Rows::none();
    let mut bytes = 0;
    while let Some(row) = found.next().or_failed(doing)? {
        let body = row.get_ref(2).or_failed(doing)?.as_blob().unwrap_or_default();
        bytes += body.len();
        if page.rows.len() == limit || (bytes > PAGE_BYTES_MAX && !page.rows.is_empty()) {
            page.more = true;
            break;
        }
        let (position, index) = place_parts(row.get(0).or_failed(doing)?);
        let at = WallTime(row.get::<_, i64>(1).or_failed(doing)? as u64);
        match serde_json::from_slice(body) {
            Ok(event) => page.rows.extend(form(EventRow { position, index, at, event })),
            Err(error) => {
                metrics::counter!("offhook_view_rows_unreadable_total").increment(1);
                tracing::error!(position, index, %error, "an event in the view cannot be read");
            }
        }
    }
    Ok(page)
}

/// The sealed texts of a conversation, oldest first; at most `bytes_max` of them, and whether those are all.
pub(super) fn texts(connection: &Connection, key: i64, bytes_max: usize) -> Result<(Vec<Arc<str>>, bool), ViewFailed> {
    let (mut texts, mut bytes, mut after) = (Vec::new(), 0, 0);
    loop {
        let page = messages(connection, key, Page::After(after), PAGE_ROWS_MAX)?;
        for message in page.rows {
            bytes += message.text.len();
            if bytes > bytes_max && !texts.is_empty() {
                return Ok((texts, false));
            }
            after = message.number;
            // What the workspace itself said is not sealed.
            if message.author.is_sealed() {
                texts.push(message.text);
            }
        }
        if !page.more {
            return Ok((texts, true));
        }
    }
}

/// A conversation with sealed texts of it, for a search by words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Texts {
    pub conversation: ConversationId,
    pub texts: Vec<Arc<str>>,
    /// False when there were more than a page holds: only the first are here.
    pub all: bool,
}
