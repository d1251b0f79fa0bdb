//! The workspace's own settings, read and replaced whole.

use super::Shared;
use super::asker::Scope;
use super::conditions::{conditional, put};
use crate::desk::command::Ask;
use crate::desk::expecting::Known;
use crate::desk::settings::Settings;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::etag::{hex_tag, tagged};
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, answer_of, json_of};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

pub(super) async fn show(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Settings)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let json = json_of(&whole(&asker.desk.published().settings));
    Ok(tagged(&asked.headers, &hex_tag(&json), || answer_of(StatusCode::OK, json)))
}

/// With what is kept without being written, since it is as by default.
fn whole(settings: &Settings) -> Value {
    let mut whole = json!(settings);
    if let Some(members) = whole.as_object_mut() {
        members.entry("files").or_insert_with(|| json!(settings.files));
    }
    whole
}

pub(super) async fn replace(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let id = command_id(&asked.headers)?;
    let settings: Settings = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let fingerprint = fingerprint("put_settings", &[&json_of(&settings)]);
    let response = put(&whole(&settings));
    let held = asker.desk.published().settings.clone();
    let current = Some((json_of(&whole(&held)), Known::Settings(held)));
    let ask = conditional(&asked.headers, current, Ask::PutSettings(Box::new(settings)))?;
    asker.ask(id, fingerprint, ask).await?;
    Ok(response)
}
