//! The workspace's queues: listed, put whole, removed when they hold nothing.

use super::Shared;
use super::asker::Scope;
use super::conditions::{conditional, put};
use super::shapes::Named;
use crate::desk::command::Ask;
use crate::desk::expecting::Known;
use crate::desk::refusal::Refusal;
use crate::desk::settings::QueueSettings;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::desks::Desk;
use crate::gateway::http::etag::{hex_tag, tagged};
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, answer_of, json_of, ok};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::Bound;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueuesPage")]
pub(super) struct Page {
    queues: Vec<Arc<QueueSettings>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Arc<str>>,
}

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let limit = query.limit()?;
    let published = asker.desk.published();
    let from = query.text("cursor").map_or(Bound::Unbounded, Bound::Excluded);
    let mut queues: Vec<_> = published
        .queues
        .range::<str, _>((from, Bound::Unbounded))
        .map(|(_, (_, queue))| queue.clone())
        .take(limit + 1)
        .collect();
    let next = (queues.len() > limit).then(|| {
        queues.truncate(limit);
        queues[limit - 1].name.clone()
    });
    Ok(ok(&Page { queues, next }))
}

pub(super) async fn one(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let json = json_of(&*queue(&*asker.desk, &name)?);
    Ok(tagged(&asked.headers, &hex_tag(&json), || answer_of(StatusCode::OK, json)))
}

fn queue(desk: &dyn Desk, name: &str) -> Result<Arc<QueueSettings>, Problem> {
    let published = desk.published();
    let found = published.queues.get(name).map(|(_, queue)| queue.clone());
    found.ok_or_else(|| Refusal::NoSuchQueue(name.into()).into())
}

/// As it is shown now, and as it is held.
fn current(desk: &dyn Desk, name: &str) -> Option<(Vec<u8>, Known)> {
    let held = queue(desk, name).ok()?;
    Some((json_of(&*held), Known::Queue(held)))
}

pub(super) async fn replace(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let id = command_id(&asked.headers)?;
    let queue: QueueSettings = Named::parse(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?, &name)?;
    let fingerprint = fingerprint("put_queue", &[&json_of(&queue)]);
    let response = put(&queue);
    let ask = conditional(&asked.headers, current(&*asker.desk, &name), Ask::PutQueue(Box::new(queue)))?;
    asker.ask(id, fingerprint, ask).await?;
    Ok(response)
}

pub(super) async fn remove(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let id = command_id(&asked.headers)?;
    let fingerprint = fingerprint("remove_queue", &[name.as_bytes()]);
    let remove = Ask::RemoveQueue { name: name.as_str().into() };
    let ask = conditional(&asked.headers, current(&*asker.desk, &name), remove)?;
    asker.ask(id, fingerprint, ask).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
