//! An administrator ends a conversation.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::{Ask, Closer};
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::Problem;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn close(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Write)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let fingerprint = fingerprint("close", &[conversation_id.as_bytes()]);
    asker.ask(id, fingerprint, Ask::Close { conversation, by: Closer::Admin }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
