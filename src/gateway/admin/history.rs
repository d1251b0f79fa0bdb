//! One conversation for an administrator: its facts, its messages, its journal.

use super::Shared;
use super::asker::{Asker, Scope};
use super::shapes::{Facts, about, labels};
use crate::desk::command::{Author, Notice};
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, ConversationId, CustomerId, OfferId, QueueId};
use crate::desk::settings::ChannelId;
use crate::desk::wrapping::OPEN_ENDED;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::{Desk, EventRow, Position, Rows, Seals, Span, Unread};
use crate::gateway::http::elsewhere::may_be_known_by_now;
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use crate::gateway::http::shown::files_shown;
use crate::gateway::http::{Door, VIEW_WAIT_MOST};
use crate::wire::agent::DeliveryShape;
use crate::wire::files::FileShape;
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::str::FromStr;
use std::sync::Arc;

pub(super) async fn one(
    Held(admin): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Own)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let id = conversation(&id)?;
    let found = found(&asker, id).await?;
    Ok(ok(&Facts::of(&admin.door, &*asker.desk, id, &found)))
}

/// # Errors
/// `no_such_conversation`, also for one that may not be seen.
pub(super) async fn found(asker: &Asker, id: ConversationId) -> Result<Conversation, Problem> {
    let desk = &*asker.desk;
    let seen = async || {
        desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
        let found = desk.history().conversation(id).await?;
        // Another's is spelled as one that never was.
        let may_be_seen = asker.may_see(id).await?;
        Ok::<_, Problem>(found.filter(|_| may_be_seen))
    };
    let mut found = seen().await?;
    if found.is_none() && may_be_known_by_now(desk, id).await? {
        found = seen().await?;
    }
    found.ok_or_else(|| Problem::no_such_conversation(&id.to_string()))
}

/// A message; `text` is null when its customer was erased.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminMessage")]
pub(super) struct Message<'a> {
    number: u32,
    author: AuthorShape,
    text: Option<String>,
    at: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryShape<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminMessagesPage")]
pub(super) struct Messages<'a> {
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn messages(
    Held(admin): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Own)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let (limit, after) = (query.limit()?, query.cursor("cursor")?.unwrap_or(0));
    let id = conversation(&id)?;
    let room = Room::for_rows(limit)?;
    let held = found(&asker, id).await?;
    let Rows { rows, more } = asker.desk.history().messages(id, Span::After(after), limit).await?;
    let next = rows.last().filter(|_| more).map(|last| last.number.to_string());
    let seals = admin.door.desks.seals();
    let messages = rows.iter().map(|row| Message {
        number: row.number,
        author: author(&*asker.desk, row.author),
        text: text(seals, row.author, &row.text),
        at: row.at.0,
        files: files_shown(seals, &row.files),
        delivery: held.sent(row.number).map(DeliveryShape::from),
    });
    room.ok(&Messages { messages: messages.collect(), next })
}

/// Who wrote: an agent by name, a customer by id, or the workspace itself, by what it tells.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AdminAuthor")]
pub(super) enum AuthorShape {
    Agent(Arc<str>),
    Customer(CustomerId),
    System(Notice),
}

pub(super) fn author(desk: &dyn Desk, author: Author) -> AuthorShape {
    match author {
        Author::Agent(agent) => AuthorShape::Agent(agent_name(desk, agent)),
        Author::Customer(customer) => AuthorShape::Customer(customer),
        Author::System(notice) => AuthorShape::System(notice),
    }
}

fn agent_name(desk: &dyn Desk, agent: AgentId) -> Arc<str> {
    desk.agent_named(agent).map(|row| row.name).unwrap_or_else(|| agent.to_string().into())
}

/// `None` when it was erased, or when it cannot be read, which is logged. What the workspace itself said is in the clear.
pub(super) fn text(seals: &dyn Seals, author: Author, sealed: &str) -> Option<String> {
    if !author.is_sealed() {
        return Some(sealed.to_owned());
    }
    sealed_text(seals, sealed)
}

/// `None` when it was erased, or when it cannot be read, which is logged.
pub(super) fn sealed_text(seals: &dyn Seals, sealed: &str) -> Option<String> {
    match seals.unseal(b"text", sealed) {
        Ok(clear) => String::from_utf8(clear).ok(),
        Err(Unread::Erased) => None,
        Err(Unread::Damaged) => {
            tracing::error!("a sealed text cannot be read");
            None
        }
    }
}

/// Where a page of a journal ends: `812.3`.
#[derive(Clone, Copy)]
struct Place(Position, u32);

impl FromStr for Place {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (position, index) = text.split_once('.').ok_or(())?;
        Ok(Self(Position(position.parse().map_err(drop)?), index.parse().map_err(drop)?))
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventsPage")]
pub(super) struct Events {
    events: Vec<EventShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn events(
    Held(admin): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let (limit, after) = (query.limit()?, query.cursor::<Place>("cursor")?);
    let id = conversation(&id)?;
    let room = Room::for_rows(limit)?;
    found(&asker, id).await?;
    let after = after.map(|Place(position, index)| (position, index));
    let Rows { rows, more } = asker.desk.history().events_of(id, after, limit).await?;
    let next = rows.last().filter(|_| more).map(|last| format!("{}.{}", last.position.0, last.index));
    let events = rows.iter().map(|row| event(&admin.door, &*asker.desk, row)).collect();
    room.ok(&Events { events, next })
}

/// An event of the journal.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JournalEvent")]
struct EventShape {
    position: u64,
    index: u32,
    /// Unix milliseconds.
    at: u64,
    event: String,
    data: Map<String, Value>,
}

/// A journal's event in the words of the wire: ids spelled, names for numbers, texts unsealed.
fn event(door: &Door, desk: &dyn Desk, row: &EventRow) -> EventShape {
    let (name, members) = match serde_json::to_value(&row.event) {
        Ok(Value::Object(tagged)) => tagged.into_iter().next().unwrap_or_default(),
        _ => Default::default(),
    };
    let members = match members {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let data: Map<String, Value> = members
        .into_iter()
        // What it was when it came back is no part of what happened then.
        .filter(|(member, _)| !matches!(member.as_str(), "key" | "public" | "was" | "held"))
        .map(|(member, value)| spelled(door, desk, &row.event, member, value))
        .collect();
    EventShape { position: row.position.0, index: row.index, at: row.at.0, event: name, data }
}

fn spelled(door: &Door, desk: &dyn Desk, event: &Event, member: String, value: Value) -> (String, Value) {
    let number = value.as_u64();
    let small = number.and_then(|number| u32::try_from(number).ok());
    let named = match (member.as_str(), small) {
        ("conversation", _) => number.map(|id| json!(ConversationId(id).to_string())),
        ("offer", _) => number.map(|id| json!(OfferId(id).to_string())),
        ("agent" | "owner" | "from" | "to" | "author" | "by", Some(id)) => Some(json!(agent_name(desk, AgentId(id)))),
        ("queue", Some(id)) => desk.published().queue_names.get(&QueueId(id)).map(|name| json!(name)),
        ("channel", Some(id)) => u8::try_from(id).ok().and_then(|id| channel(desk, ChannelId(id))),
        ("conversations", _) => value
            .as_array()
            .map(|ids| ids.iter().filter_map(Value::as_u64).map(|id| json!(ConversationId(id).to_string())).collect()),
        ("author" | "reader" | "by", _) => {
            let named = value.get("agent").or_else(|| value.get("supervisor"));
            let agent = named.and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            agent.map(|id| json!({"agent": agent_name(desk, AgentId(id))}))
        }
        (_, None) if number == Some(OPEN_ENDED.0) => Some(Value::Null),
        ("about", _) => {
            let (about, erased) = about(door, value.as_str());
            Some(if erased { Value::Null } else { json!(about) })
        }
        ("labels", _) => match event {
            Event::ConversationLabelled { labels: held, .. } => Some(json!(labels(door, held))),
            _ => None,
        },
        ("files", _) => match event {
            Event::MessagePosted { files, .. } => Some(json!(files_shown(door.desks.seals(), files))),
            _ => None,
        },
        ("comment", _) => value.as_str().map(|sealed| json!(sealed_text(door.desks.seals(), sealed))),
        ("text", _) => Some(match event {
            Event::MessagePosted { author, text: sealed, .. } => json!(text(door.desks.seals(), *author, sealed)),
            Event::MessageImported { author, text: sealed, .. } => json!(text(door.desks.seals(), *author, sealed)),
            Event::NotePosted { text: sealed, .. } | Event::NoteImported { text: sealed, .. } => {
                json!(sealed_text(door.desks.seals(), sealed))
            }
            _ => Value::Null,
        }),
        _ => None,
    };
    // Desk time is no time of day: whoever reads it must not take it for one.
    let is_desk_time =
        member == "ends_at" || member == "requeue_at" || member.ends_with("_until") || member == "deliver_by";
    let member = if is_desk_time { format!("{member}_desk_ms") } else { member };
    (member, named.unwrap_or(value))
}

fn channel(desk: &dyn Desk, channel: ChannelId) -> Option<Value> {
    desk.published().settings.channels.get(usize::from(channel.0)).map(|set| json!(set.name))
}
