//! The workspace's own settings, read and replaced whole.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::Ask;
use crate::desk::settings::Settings;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, json_of, ok};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use serde_json::{Value, json};

pub(super) async fn show(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Settings)?;
    Query::parse(asked.query.as_deref(), &[])?;
    Ok(ok(&whole(&asker.desk.published().settings)))
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
    let response = ok(&whole(&settings));
    asker.ask(id, fingerprint, Ask::PutSettings(Box::new(settings))).await?;
    Ok(response)
}
