//! Who is signed in with a browser: listed, ended; and the role that somebody has who comes by the provider.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::{Ask, Command};
use crate::desk::refusal::Refusal;
use crate::desk::settings::Role;
use crate::engine::workspace::PROBES;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::command_id;
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use crate::gateway::signin::{NotBegun, ROLES_MAX, Signin, not_kept};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Times are Unix milliseconds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Signin")]
pub(super) struct Row {
    signin: String,
    agent: Arc<str>,
    role: Role,
    by: &'static str,
    signed_in_at: i64,
    expires_at: i64,
}

impl Row {
    fn of(signin: &Signin, role: Role) -> Self {
        Self {
            signin: spelled(signin.id),
            agent: signin.agent.clone(),
            role,
            by: signin.by.name(),
            signed_in_at: signin.began_at_s.saturating_mul(1_000),
            expires_at: signin.expires_at_s.saturating_mul(1_000),
        }
    }
}

fn spelled(id: u128) -> String {
    format!("{id:032x}")
}

fn parsed(text: &str) -> Option<u128> {
    u128::from_str_radix(text, 16).ok().filter(|id| spelled(*id) == text)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SigninsPage")]
pub(super) struct Page {
    signins: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    admin.asker(&workspace, &asked, Scope::Admin)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let limit = query.limit()?;
    let after =
        query.text("cursor").map(|text| parsed(text).ok_or_else(|| Problem::bad_cursor("cursor"))).transpose()?;
    let now_s = i64::try_from((admin.door.now)().wall.0 / 1_000).unwrap_or(i64::MAX);
    let mut found = admin.endings.signins.list(&workspace, after, limit + 1, now_s);
    let next = (found.len() > limit).then(|| {
        found.truncate(limit);
        spelled(found[limit - 1].0.id)
    });
    Ok(ok(&Page { signins: found.iter().map(|(signin, role)| Row::of(signin, *role)).collect(), next }))
}

/// Done again, it has ended already: the same answer.
pub(super) async fn end(
    Held(admin): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    command_id(&asked.headers)?;
    asker.log("end_signin");
    let id = parsed(&id).ok_or_else(|| Problem::not_found("sign-in"))?;
    let is = |signin: &Signin| signin.id == id && *signin.workspace == *workspace;
    admin.endings.end("ended", is).await.map_err(|error| not_kept(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Everywhere, and the agent is offline at once, however it came.
pub(super) async fn sign_out(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    command_id(&asked.headers)?;
    body::nothing(body).await?;
    asker.log("sign_out");
    let row = asker.desk.agent_row(&name).ok_or_else(|| Refusal::NoSuchAgent(name.as_str().into()))?;
    let of = |signin: &Signin| *signin.workspace == *workspace && *signin.agent == *name;
    let ended = admin.endings.end("ended", of).await;
    asker.desk.ask(Command::of_server(Ask::SignOut { agent: row.id })).await?.result?;
    ended.map_err(|error| not_kept(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RoleChange")]
pub(super) struct Said {
    role: Option<Role>,
}

/// As it was set.
#[derive(Serialize, JsonSchema)]
pub(super) struct RoleSet {
    agent: String,
    role: Option<Role>,
}

/// `null`: as the provider says. At once: who is connected comes again with the role of now.
pub(super) async fn set_role(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    command_id(&asked.headers)?;
    asker.log("set_role");
    let Said { role } = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    if asker.desk.profile(&name).is_none() || workspace == PROBES {
        return Err(Refusal::NoSuchAgent(name.as_str().into()).into());
    }
    let now_s = (admin.endings.now_s)();
    let changed =
        admin.endings.signins.set_role(&workspace, &name, role, now_s).await.map_err(|error| match error {
            NotBegun::Full => Problem::from(Refusal::TooMany { what: "roles".into(), most: ROLES_MAX }),
            NotBegun::NotKept(error) => not_kept(&error),
        })?;
    admin.endings.changed(&changed, "ended").await;
    Ok(ok(&RoleSet { agent: name, role }))
}
