//! An administrator ends a conversation, or an agent's wrap-up.

use super::Shared;
use super::asker::{Asker, Scope};
use crate::desk::command::Ask;
use crate::desk::ids::ConversationId;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::Problem;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn close(admin: Held<Shared>, at: At<(String, String)>, asked: Asked, body: Body) -> Ended {
    end(admin, at, asked, body, "close", |conversation, asker| Ask::Close { conversation, by: asker.closer() }).await
}

pub(super) async fn wrap_up_done(admin: Held<Shared>, at: At<(String, String)>, asked: Asked, body: Body) -> Ended {
    let ask = |conversation, asker: &Asker| Ask::WrapUpDone { conversation, by: asker.worker() };
    end(admin, at, asked, body, "wrap_up_done", ask).await
}

type Ended = Result<Response, Problem>;

async fn end(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
    what: &'static str,
    ask: impl FnOnce(ConversationId, &Asker) -> Ask,
) -> Ended {
    let asker = admin.asker(&workspace, &asked, Scope::Write)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let fingerprint = fingerprint(what, &[conversation_id.as_bytes()]);
    asker.ask(id, fingerprint, ask(conversation, &asker)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
