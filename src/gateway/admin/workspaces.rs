//! The workspaces themselves: which there are, and a new one.

use super::Shared;
use super::asker::{Credential, Scope};
use crate::desk::settings::Role;
use crate::gateway::auth::is_workspace;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::command_id;
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WorkspacesPage")]
pub(super) struct Names {
    workspaces: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Arc<str>>,
}

/// Those that the credential reaches: all for a key of the server's own, else the one.
pub(super) async fn list(Held(admin): Held<Shared>, asked: Asked) -> Result<Response, Problem> {
    let credential = admin.credential(&asked)?;
    credential.must_have(Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let (limit, after) = (query.limit()?, query.text("cursor").unwrap_or_default());
    let names = match &credential {
        Credential::Server(_) => admin.door.desks.names(),
        Credential::Workspace(desk, _) => vec![desk.name().clone()],
        Credential::Agent(token) => vec![token.workspace.clone()],
    };
    let mut workspaces: Vec<_> = names.into_iter().filter(|name| **name > *after).take(limit + 1).collect();
    let next = (workspaces.len() > limit).then(|| {
        workspaces.truncate(limit);
        workspaces[limit - 1].clone()
    });
    Ok(ok(&Names { workspaces, next }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Workspace")]
pub(super) struct Made {
    workspace: Arc<str>,
}

/// Only for keys of the server's own, and for an admin whose signed token names that workspace.
pub(super) async fn create(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let credential = admin.credential(&asked)?;
    let reaches = match &credential {
        Credential::Server(_) => true,
        Credential::Workspace(desk, _) => **desk.name() == *workspace,
        Credential::Agent(token) => token.role == Role::Admin && *token.workspace == *workspace,
    };
    if !reaches {
        return Err(Problem::not_found("workspace"));
    }
    credential.must_have(Scope::Admin)?;
    // Making the same one twice is harmless, so the id is not remembered; it is asked for as of every write.
    command_id(&asked.headers)?;
    body::nothing(body).await?;
    if !is_workspace(&workspace) {
        return Err(Problem::bad_field("workspace", "must be 1 to 63 of a-z, 0-9 and -, and not begin with -"));
    }
    let desk = admin.door.desks.create(&workspace).await?;
    Ok(ok(&Made { workspace: desk.name().clone() }))
}
