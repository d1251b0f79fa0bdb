//! A router of one's own: answers to the decisions that are wanted, and the stream by which they are followed.

use super::Shared;
use super::asker::{Asker, Credential, Scope};
use super::decision_stream;
use super::shapes::Offered;
use crate::desk::answer::Answer;
use crate::desk::command::Ask;
use crate::desk::decision::{Choice, DecideAsk};
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, json_of, ok};
use crate::gateway::http::query::Query;
use crate::wire::error::WireError;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// When all places are taken, for whoever would follow.
const RETRY_AFTER_MS: u64 = 5_000;

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    decision: String,
    expected_owner: Option<Arc<str>>,
    to: Choice,
}

pub(super) async fn decide(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Route)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    let decide: Decide = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let fingerprint = fingerprint("decide", &[conversation_id.as_bytes(), &json_of(&decide)]);
    let Decide { decision, expected_owner, to: choice } = decide;
    let decision = decision.parse().map_err(|_| Problem::bad_field("decision", "must be an id like d1"))?;
    let by = name_of(&asker);
    let ask = Ask::Decide(Box::new(DecideAsk { conversation, decision, expected_owner, choice, by }));
    Ok(match asker.ask(id, fingerprint, ask).await? {
        Answer::Decided { offer, .. } => ok(&Offered { offer }),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
}

/// For *why*: who it was that answered.
fn name_of(asker: &Asker) -> Arc<str> {
    match &asker.credential {
        Credential::Server(key) | Credential::Workspace(_, key) => key.name.clone(),
        Credential::Agent(token) => token.name.clone(),
    }
}

pub(super) async fn follow(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Route)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let changes = asker.desk.decisions().ok_or_else(|| Problem(WireError::busy(RETRY_AFTER_MS)))?;
    let mut response = decision_stream::body(admin, asked, asker, changes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
