//! The workspace's queues: listed, put whole, removed when they hold nothing.

use super::Shared;
use super::asker::Scope;
use super::shapes::Named;
use crate::desk::command::Ask;
use crate::desk::refusal::Refusal;
use crate::desk::settings::QueueSettings;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::desks::Desk;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, json_of, ok};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::ops::Bound;
use std::sync::Arc;

#[derive(Serialize)]
struct Page {
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
    Ok(ok(&*queue(&*asker.desk, &name)?))
}

fn queue(desk: &dyn Desk, name: &str) -> Result<Arc<QueueSettings>, Problem> {
    let published = desk.published();
    let found = published.queues.get(name).map(|(_, queue)| queue.clone());
    found.ok_or_else(|| Refusal::NoSuchQueue(name.into()).into())
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
    let response = ok(&queue);
    asker.ask(id, fingerprint, Ask::PutQueue(Box::new(queue))).await?;
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
    asker.ask(id, fingerprint, Ask::RemoveQueue { name: name.as_str().into() }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
