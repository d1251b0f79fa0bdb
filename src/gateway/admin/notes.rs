//! Internal notes of a conversation, for an administrator: read, and written.

use super::Shared;
use super::asker::Scope;
use super::history::{found, sealed_text};
use crate::desk::answer::Answer;
use crate::desk::command::Ask;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::desks::Rows;
use crate::gateway::http::idempotency::{command_id, keyed_fingerprint};
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::{Problem, answer};
use crate::gateway::http::query::Query;
use crate::wire::agent::Limits;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A note; `text` is null when its customer was erased, `author` when it was written over this API.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminNote")]
pub(super) struct Note {
    note: u32,
    author: Option<Arc<str>>,
    /// The last message before it.
    after: u32,
    text: Option<String>,
    at: u64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotesPage")]
pub(super) struct Notes {
    notes: Vec<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Own)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let (limit, after) = (query.limit()?, query.cursor("cursor")?.unwrap_or(0));
    let id = conversation(&id)?;
    let room = Room::for_rows(limit)?;
    found(&asker, id).await?;
    let Rows { rows, more } = asker.desk.history().notes(id, after, limit).await?;
    let next = rows.last().filter(|_| more).map(|last| last.note.to_string());
    let seals = admin.door.desks.seals();
    let notes = rows.iter().map(|row| Note {
        note: row.note,
        author: row.author.and_then(|agent| asker.desk.agent_named(agent)).map(|row| row.name),
        after: row.after,
        text: sealed_text(seals, &row.text),
        at: row.at.0,
    });
    room.ok(&Notes { notes: notes.collect(), next })
}

/// A note that is written down.
#[derive(Serialize, JsonSchema)]
pub(super) struct Noted {
    note: u32,
    /// Unix milliseconds.
    at: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewNote")]
pub(super) struct Said {
    text: String,
}

pub(super) async fn write(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Write)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    let Said { text } = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let bytes_max = Limits::default().text_bytes_max;
    if text.is_empty() {
        return Err(Problem::bad_field("text", "is empty"));
    }
    if text.len() > bytes_max {
        return Err(Problem::too_large("text", bytes_max));
    }
    let seals = admin.door.desks.seals();
    let fingerprint = keyed_fingerprint(seals, "note", &[conversation_id.as_bytes(), text.as_bytes()]);
    let sealed = match asker.desk.history().open(conversation) {
        Some(held) => seals.seal(held.key, b"text", text.as_bytes())?,
        // What is not open takes no notes, and the desk says why.
        None => "".into(),
    };
    let by = asker.mover();
    let Answer::Noted { note, at, .. } =
        asker.ask(id, fingerprint, Ask::Note { conversation, by, text: sealed }).await?
    else {
        return Err(Problem::internal());
    };
    Ok(answer(StatusCode::CREATED, &Noted { note, at: at.0 }))
}
