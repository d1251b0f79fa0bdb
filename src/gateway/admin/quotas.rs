//! What the server's operator allows a workspace: shown to whoever reads there, set by the operator alone.

use super::Shared;
use super::asker::{Credential, Scope};
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::desks::OwnQuota;
use crate::gateway::http::idempotency::command_id;
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;

pub(super) async fn show(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    Query::parse(asked.query.as_deref(), &[])?;
    shown(&admin, asker.desk.name())
}

fn shown(admin: &Shared, workspace: &str) -> Result<Response, Problem> {
    let stands = admin.door.desks.quota(workspace).ok_or_else(|| Problem::not_found("workspace"))?;
    Ok(ok(&stands))
}

/// Whole: what is absent is as for all. A tenant's own keys and people do not reach it, or it would be no quota.
pub(super) async fn replace(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    if !matches!(asker.credential, Credential::Server(_)) {
        return Err(Problem::forbidden("only a key of the server's own sets quotas"));
    }
    // The same quota set twice is the same quota, so the id is not remembered; it is asked for as of every write.
    command_id(&asked.headers)?;
    let own: OwnQuota = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let name = asker.desk.name();
    admin.door.desks.put_quota(name, own).await?;
    tracing::info!(workspace = %name, "the workspace's quota was set");
    shown(&admin, name)
}
