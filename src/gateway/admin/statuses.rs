//! An administrator sets an agent's status.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::Ask;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::Problem;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForcedStatus")]
pub(super) struct Force {
    status: Arc<str>,
}

pub(super) async fn force(
    Held(admin): Held<Shared>,
    At((workspace, agent)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Floor)?;
    let id = command_id(&asked.headers)?;
    let Force { status } = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let fingerprint = fingerprint("force_status", &[agent.as_bytes(), status.as_bytes()]);
    let by = asker.mover();
    asker.ask(id, fingerprint, Ask::ForceStatus { agent: agent.as_str().into(), status, by }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
