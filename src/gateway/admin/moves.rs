//! An administrator moves a conversation, or lets an agent or a queue take nothing new.

use super::Shared;
use super::asker::Scope;
use super::shapes::Offered;
use crate::desk::answer::Answer;
use crate::desk::command::Ask;
use crate::desk::moves::{Deed, MoveAsk};
use crate::desk::queue_moves::Draining;
use crate::desk::time::WallTime;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, json_of, ok};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// To an agent, or to a queue.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TransferTo")]
pub(super) struct Transfer {
    agent: Option<Arc<str>>,
    warm: Option<bool>,
    queue: Option<Arc<str>>,
    waiting_since: Option<u64>,
}

pub(super) async fn transfer(
    held: Held<Shared>,
    at: At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let transfer: Transfer = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let print = json_of(&transfer);
    let deed = match transfer {
        Transfer { agent: Some(agent), warm, queue: None, waiting_since: None } => {
            Deed::TransferToAgent { agent, warm: warm.unwrap_or(false) }
        }
        Transfer { agent: None, warm: None, queue: Some(queue), waiting_since } => {
            Deed::TransferToQueue { queue, waiting_since: waiting_since.map(WallTime) }
        }
        _ => return Err(Problem::bad_field("agent", "either agent with warm, or queue with waiting_since")),
    };
    moved(held, at, asked, ("transfer", &print), deed).await
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignTo")]
pub(super) struct Assign {
    agent: Arc<str>,
    expected_owner: Option<Arc<str>>,
    #[serde(default)]
    force: bool,
}

pub(super) async fn assign(
    held: Held<Shared>,
    at: At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let assign: Assign = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let print = json_of(&assign);
    let Assign { agent, expected_owner, force } = assign;
    moved(held, at, asked, ("assign", &print), Deed::Assign { to: Some(agent), expected_owner, force }).await
}

async fn moved(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    (call, print): (&str, &[u8]),
    deed: Deed,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Write)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    let fingerprint = fingerprint(call, &[conversation_id.as_bytes(), print]);
    let ask = Ask::Move(MoveAsk { conversation, by: asker.mover(), deed });
    Ok(match asker.ask(id, fingerprint, ask).await? {
        Answer::TransferOffered { offer } => ok(&Offered { offer }),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Drain {
    on: bool,
    to: Option<Arc<str>>,
}

pub(super) async fn drain_agent(
    held: Held<Shared>,
    At((workspace, agent)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    drain(held, (workspace, agent), asked, body, "drain_agent", |agent, drain| match drain.to {
        Some(_) => Err(Problem::bad_field("to", "only a queue drains into another")),
        None => Ok(Ask::DrainAgent { agent, draining: drain.on }),
    })
    .await
}

pub(super) async fn drain_queue(
    held: Held<Shared>,
    At((workspace, queue)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    drain(held, (workspace, queue), asked, body, "drain_queue", |queue, drain| {
        Ok(Ask::DrainQueue { queue, draining: drain.on.then_some(Draining { to: drain.to }) })
    })
    .await
}

async fn drain(
    Held(admin): Held<Shared>,
    (workspace, name): (String, String),
    asked: Asked,
    body: Body,
    call: &str,
    ask: impl FnOnce(Arc<str>, Drain) -> Result<Ask, Problem>,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Floor)?;
    let id = command_id(&asked.headers)?;
    let drain: Drain = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let fingerprint = fingerprint(call, &[name.as_bytes(), &json_of(&drain)]);
    asker.ask(id, fingerprint, ask(name.as_str().into(), drain)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
