//! Live state: queues and agents as they are now, from the committed copies. Costs the desk nothing.

use super::Shared;
use super::asker::Scope;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use crate::overload::{Rung, memory};
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}sPage")]
pub(super) struct Page<T> {
    rows: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Arc<str>>,
}

pub(super) async fn queues(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    memory().admit(Rung::Observers)?;
    let (limit, after) = (query.limit()?, query.text("cursor").unwrap_or_default());
    let all = asker.desk.queue_rows();
    let mut rows: Vec<_> = all.iter().filter(|row| *row.queue > *after).take(limit + 1).collect();
    let next = (rows.len() > limit).then(|| {
        rows.truncate(limit);
        rows[limit - 1].queue.clone()
    });
    Ok(ok(&Page { rows, next }))
}

pub(super) async fn agents(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    memory().admit(Rung::Observers)?;
    let limit = query.limit()?;
    let mut rows = asker.desk.agent_rows(query.text("cursor"), limit + 1);
    let next = (rows.len() > limit).then(|| {
        rows.truncate(limit);
        rows[limit - 1].name.clone()
    });
    Ok(ok(&Page { rows, next }))
}
