//! `GET /audit`: who administered this workspace, newest first.

use super::Shared;
use super::asker::Scope;
use crate::audit::{NotKept, Row};
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::wire::error::WireError;
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

const RETRY_MS: u64 = 1_000;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ActsPage")]
pub(super) struct Page {
    acts: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditedAct")]
pub(super) struct Shown {
    number: u64,
    at: u64,
    #[schemars(with = "Option<Map<String, Value>>")]
    act: Option<Box<RawValue>>,
    sum: String,
}

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit", "from", "to"])?;
    let (limit, before) = (query.limit()?, query.cursor::<u64>("cursor")?);
    let time = "must be Unix milliseconds";
    let (from, to) = (query.parsed("from", time)?, query.parsed("to", time)?);
    let room = Room::for_rows(limit)?;
    let (trail, name) = (admin.trail.clone(), asker.desk.name().clone());
    let read = tokio::task::spawn_blocking(move || trail.page(&name, before, from, to, limit + 1)).await;
    let mut rows = read.unwrap_or(Err(NotKept::Stopped)).map_err(|error| not_read(&error))?;
    let next = (rows.len() > limit).then(|| {
        rows.truncate(limit);
        rows[limit - 1].number.to_string()
    });
    let shown = |row: Row| Shown {
        number: row.number,
        at: row.at,
        act: RawValue::from_string(row.line).ok(),
        sum: row.sum.to_string(),
    };
    room.ok(&Page { acts: rows.into_iter().map(shown).collect(), next })
}

fn not_read(error: &NotKept) -> Problem {
    tracing::error!(%error, "the audit trail cannot be read");
    Problem(WireError::unavailable(RETRY_MS, "the audit trail cannot be read"))
}
