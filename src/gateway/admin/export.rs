//! All that is known of one customer, as lines of JSON: a page is read when the one before it was sent, so that no customer is too large.

use super::Shared;
use super::asker::{Asker, Scope};
use super::customers::{conversations, customer, no_such_customer};
use super::history::{author, sealed_text, text};
use super::shapes::Facts;
use crate::desk::conversation::Conversation;
use crate::desk::ids::{ConversationId, CustomerId};
use crate::gateway::http::VIEW_WAIT_MOST;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::desks::{Rows, Span};
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::gateway::http::shown::files_shown;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Messages, and notes, that are read at once.
const ROWS: usize = 50;

pub(super) async fn export(
    Held(admin): Held<Shared>,
    At((workspace, customer_id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let query = Query::parse(asked.query.as_deref(), &["notes"])?;
    let notes = match query.text("notes") {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Problem::bad_field("notes", "must be true or false")),
    };
    let customer = customer(&customer_id)?;
    let room = Room::for_rows(ROWS)?;
    asker.desk.history().wait_for(asker.desk.position(), VIEW_WAIT_MOST).await?;
    let first = conversations(&*asker.desk, customer, None).await?;
    if first.is_empty() {
        return Err(no_such_customer());
    }
    let now = (admin.door.now)().wall.0;
    let head = json!({"customer": customer, "workspace": *workspace, "exported_at": now, "notes": notes});
    let before = first.last().map(|(id, _)| *id);
    let exporting = Exporting {
        admin,
        asker,
        customer,
        notes,
        head: Some(head),
        before,
        waiting: first.into(),
        at: None,
        ended: false,
        _room: room,
    };
    let stream = futures_util::stream::unfold(exporting, |mut exporting| async {
        let piece = exporting.next().await?;
        Some((piece, exporting))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(stream)).into_response())
}

/// The history could not be read in the middle: the answer is cut off, which its reader notices by the missing last line.
#[derive(Debug, thiserror::Error)]
#[error("the history cannot be read")]
struct CutOff;

struct Exporting {
    admin: Shared,
    asker: Asker,
    customer: CustomerId,
    notes: bool,
    head: Option<Value>,
    /// The oldest that was read so far.
    before: Option<ConversationId>,
    waiting: VecDeque<(ConversationId, Conversation)>,
    at: Option<Place>,
    ended: bool,
    _room: Room,
}

/// Within a conversation: behind which row it goes on.
struct Place {
    conversation: ConversationId,
    rows: Of,
}

enum Of {
    Messages(u32),
    Notes(u32),
}

impl Exporting {
    async fn next(&mut self) -> Option<Result<Bytes, CutOff>> {
        if self.ended {
            return None;
        }
        let lines = match self.lines().await {
            Ok(lines) => lines,
            Err(problem) => {
                tracing::warn!(?problem, "an export was cut off");
                self.ended = true;
                return Some(Err(CutOff));
            }
        };
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, &line).expect("JSON of our own");
            bytes.push(b'\n');
        }
        Some(Ok(bytes.into()))
    }

    async fn lines(&mut self) -> Result<Vec<Value>, Problem> {
        if let Some(head) = self.head.take() {
            return Ok(vec![head]);
        }
        if let Some(place) = self.at.take() {
            return self.rows(place).await;
        }
        if self.waiting.is_empty() && self.before.is_some() {
            let page = conversations(&*self.asker.desk, self.customer, self.before).await?;
            self.before = page.last().map(|(id, _)| *id);
            self.waiting = page.into();
        }
        let Some((conversation, held)) = self.waiting.pop_front() else {
            self.ended = true;
            return Ok(vec![json!({"end": true})]);
        };
        self.at = Some(Place { conversation, rows: Of::Messages(0) });
        Ok(vec![json!({"conversation": Facts::of(&self.admin.door, &*self.asker.desk, conversation, &held)})])
    }

    async fn rows(&mut self, Place { conversation, rows }: Place) -> Result<Vec<Value>, Problem> {
        let (desk, seals) = (&*self.asker.desk, self.admin.door.desks.seals());
        let (lines, next) = match rows {
            Of::Messages(after) => {
                let Rows { rows, more } = desk.history().messages(conversation, Span::After(after), ROWS).await?;
                let lines = rows.iter().map(|row| {
                    let message = json!({
                        "number": row.number,
                        "author": author(desk, row.author),
                        "text": text(seals, row.author, &row.text),
                        "at": row.at.0,
                        "files": files_shown(seals, &row.files),
                    });
                    json!({"message": message, "of": conversation.to_string()})
                });
                let next = rows.last().filter(|_| more).map(|last| Of::Messages(last.number));
                (lines.collect(), next.or(self.notes.then_some(Of::Notes(0))))
            }
            Of::Notes(after) => {
                let Rows { rows, more } = desk.history().notes(conversation, after, ROWS).await?;
                let lines = rows.iter().map(|row| {
                    let note = json!({"note": row.note, "text": sealed_text(seals, &row.text), "at": row.at.0});
                    json!({"note": note, "of": conversation.to_string()})
                });
                (lines.collect(), rows.last().filter(|_| more).map(|last| Of::Notes(last.note)))
            }
        };
        self.at = next.map(|rows| Place { conversation, rows });
        Ok(lines)
    }
}
