//! Every administrative act leaves a line in the audit trail before it is answered: who, from where, what, on what, what changed, how it
//! came out. Refused acts too; only what nobody known asked for leaves none, and what programs do all the time: deciding from outside, handing in messages.

use super::Shared;
use super::asker::Credential;
use super::changes::{Change, changes, said};
use crate::gateway::http::asking::Asked;
use crate::gateway::http::body::{ADMIN_BODY_BYTES_MAX, text};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::problem::{Problem, json_of};
use crate::wire::error::{Code, WireError};
use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State as Held};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// When the trail cannot be written.
const RETRY_MS: u64 = 1_000;

#[derive(Serialize)]
struct Act {
    who: Value,
    from: String,
    method: String,
    /// The call, as docs/wire.md writes it.
    call: String,
    /// The members of its path, without the workspace.
    on: Map<String, Value>,
    /// Of its body, what says what was meant, without texts.
    #[serde(skip_serializing_if = "Map::is_empty")]
    said: Map<String, Value>,
    /// What is another than before, of settings, queues and agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<Change>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// For `axum::middleware::from_fn_with_state`, within the router, so that it sees the route.
pub(super) async fn audited(Held(admin): Held<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned()).unwrap_or_default();
    if !leaves_a_line(request.method(), &route) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let asked = Asked::from_request_parts(&mut parts, &()).await.ok();
    let Some((asked, who)) = asked.and_then(|asked| admin.known(&asked).map(|who| (asked, who))) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let on = members(&mut parts).await;
    if is_told_already(&admin, &route, &who, &on) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let workspace = on.get("workspace").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sent = match text(body, ADMIN_BODY_BYTES_MAX).await {
        Ok(sent) => Bytes::copy_from_slice(sent.as_bytes()),
        Err(problem) => return problem.into_response(),
    };
    let method = parts.method.to_string();
    let said = said(&sent);
    let stands = |admin: &Shared| admin.door.desks.desk(&workspace).and_then(|desk| object(&*desk, &route, &on));
    let before = stands(&admin);
    let response = next.run(Request::from_parts(parts, Body::from(sent))).await;
    let status = response.status();
    // Rates are counted, and a workspace that is not there has no trail.
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
        || admin.door.desks.desk(&workspace).is_none()
    {
        return response;
    }
    let after = stands(&admin);
    let on = on.into_iter().filter(|(name, _)| name != "workspace").collect();
    let act = Act {
        who: shown(&who),
        from: admin.door.identities.client_address(&asked.headers, asked.peer).to_string(),
        method,
        call: route
            .strip_prefix("/v1/workspaces/{workspace}")
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&route)
            .to_owned(),
        on,
        said,
        changed: changes(before.as_ref(), after.as_ref()),
        status: status.as_u16(),
        error: response.extensions().get::<Code>().map(|code| code.name()),
    };
    let at = (admin.door.now)().wall.0;
    let line = String::from_utf8(json_of(&act)).unwrap_or_default();
    match admin.trail.add(&workspace, at, line).await {
        Ok(()) => response,
        Err(error) => {
            tracing::error!(%error, %workspace, "an act could not be written into the audit trail");
            let why =
                "the audit trail cannot be written: it may be done, and by the same command id it is not done twice";
            Problem(WireError::new(Code::Unavailable, why).after_ms(RETRY_MS)).into_response()
        }
    }
}

fn leaves_a_line(method: &Method, route: &str) -> bool {
    match *method {
        Method::GET | Method::HEAD => route.ends_with("/export"),
        // Decisions and customers' messages come by the hundred, and are in the journal.
        _ => !route.ends_with("/decide") && !route.contains("/channel/"),
    }
}

/// One of very many, of which the trail has told within the hour.
fn is_told_already(admin: &Shared, route: &str, who: &Credential, on: &Map<String, Value>) -> bool {
    if !route.contains("/imports/") {
        return false;
    }
    let of = |member: &str| on.get(member).map(Value::to_string);
    let import = (route, shown(who).to_string(), of("workspace"), of("source"));
    admin.imports_told.take(import, (admin.door.now)().desk.0).is_err()
}

/// Who it is, without what would let anybody be it.
fn shown(credential: &Credential) -> Value {
    match credential {
        Credential::Server(key) => json!({"key": key.name, "id": key.id, "of": "server"}),
        Credential::Workspace(_, key) => json!({"key": key.name, "id": key.id}),
        Credential::Agent(token) => json!({"agent": token.name, "role": token.role}),
    }
}

async fn members(parts: &mut http::request::Parts) -> Map<String, Value> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(members) => members.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect(),
        Err(_) => Map::new(),
    }
}

/// What an act may change, as it stands.
fn object(desk: &dyn Desk, route: &str, on: &Map<String, Value>) -> Option<Value> {
    let named = |member: &str| on.get(member).and_then(Value::as_str);
    let published = desk.published();
    if route.ends_with("/settings") {
        return Some(json!(*published.settings));
    }
    if let Some(queue) = named("queue") {
        return published.queues.get(queue).map(|(_, settings)| json!(**settings));
    }
    named("agent").and_then(|agent| desk.profile(agent)).map(|profile| json!(*profile))
}
