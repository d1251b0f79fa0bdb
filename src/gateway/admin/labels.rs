//! An administrator labels a conversation.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::Ask;
use crate::desk::labels::{LabelAsk, LabelChange, PlainValue, ThenEnd};
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, keyed_fingerprint};
use crate::gateway::http::problem::Problem;
use crate::wire::labels::{FIELD, plain_values, print};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LabelChange")]
pub(super) struct Said {
    disposition: Option<Arc<str>>,
    tags: Option<Vec<Arc<str>>>,
    #[serde(default)]
    fields: BTreeMap<Arc<str>, Value>,
}

pub(super) async fn label(
    Held(admin): Held<Shared>,
    At((workspace, conversation_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Write)?;
    let conversation = conversation(&conversation_id)?;
    let id = command_id(&asked.headers)?;
    let Said { disposition, tags, fields } = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let said: LabelChange<PlainValue> = LabelChange { disposition, tags, fields: plain_values(fields)? };
    let seals = admin.door.desks.seals();
    let fingerprint = keyed_fingerprint(seals, "label", &[conversation_id.as_bytes(), &print(&said)]);
    let change = match asker.desk.history().open(conversation) {
        Some(held) => {
            let rules = &asker.desk.published().settings.labels;
            rules.sealed(said, |clear| seals.seal(held.key, FIELD, clear).map_err(Problem::from))?
        }
        // What is not open cannot be labelled, and the desk says why.
        None => LabelChange::default(),
    };
    let ask = Ask::Label(Box::new(LabelAsk { conversation, by: asker.mover(), change, then: ThenEnd::Nothing }));
    asker.ask(id, fingerprint, ask).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
