//! An administrator ends an agent's wrap-up.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::{Ask, Worker};
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::Problem;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn done(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Write)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let fingerprint = fingerprint("wrap_up_done", &[conversation_id.as_bytes()]);
    asker.ask(id, fingerprint, Ask::WrapUpDone { conversation, by: Worker::Admin }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
