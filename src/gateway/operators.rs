//! The operators' port: metrics, liveness, readiness and the status page. Apart from the public one, plain HTTP.

use super::http::Door;
use super::http::answered::answered;
use super::http::desks::{NotDone, Soon};
use super::status::{self, Board};
use crate::desk::command::{Ask, Command};
use axum::Router;
use axum::extract::State as Held;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long the whole process has to answer.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);
/// Workspaces that are asked at once.
const ASKED_AT_ONCE: usize = 64;
/// Names of silent workspaces that are said.
const NAMED_MAX: usize = 10;

/// What the operators' port is answered from.
#[derive(Clone)]
pub struct Operators {
    pub door: Door,
    /// The metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub health: Arc<dyn Health>,
    pub board: Arc<Board>,
}

/// What the rest of the process says of itself.
pub trait Health: Send + Sync + 'static {
    /// Why writes are not possible now; empty when they are.
    fn not_ready(&self) -> Soon<'_, Vec<Reason>>;
    /// What the process over this one knows, where there is one: restarts, upgrades.
    fn supervisor(&self) -> Option<serde_json::Value>;
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reason {
    /// `journal`, `view` and the like.
    pub component: &'static str,
    pub message: String,
}

pub fn router(operators: Operators) -> Router {
    let health = operators.health.clone();
    let status = status::router(operators.board.clone(), Some(Arc::new(move || health.supervisor())));
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(operators)
        .layer(from_fn(answered))
        .merge(status)
}

async fn metrics(Held(operators): Held<Operators>) -> Response {
    let mut response = (operators.metrics)().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    super::http::problem::answer(status, body)
}

#[derive(Serialize)]
struct Alive {
    alive: bool,
    /// Workspaces that did not answer in time; at most ten names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    silent: Vec<Arc<str>>,
}

/// Alive is a timely answer, through gateway and engine, of every workspace, or that it went on: on a slow disk an answer waits for one
/// commit after the other. `unavailable` and `busy` are answers: a full disk is no reason to be killed.
async fn alive(Held(operators): Held<Operators>) -> Response {
    let silent = silent(&operators.door, operators.door.desks.names()).await;
    let alive = silent.is_empty();
    let status = if alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Alive { alive, silent })
}

/// Those of the named workspaces that within 2 s, all of them together, neither answer nor commit anything.
pub async fn silent(door: &Door, mut waited_for: Vec<Arc<str>>) -> Vec<Arc<str>> {
    let position = |name: &str| door.desks.desk(name).map(|desk| desk.position());
    let began: Vec<_> = waited_for.iter().map(|name| position(name)).collect();
    let asked = stream::iter(waited_for.clone())
        .map(|name| async move {
            if let Some(desk) = door.desks.desk(&name) {
                match desk.ask(Command::of_server(Ask::Tick)).await {
                    Ok(_) | Err(NotDone::Busy { .. } | NotDone::Unavailable { .. } | NotDone::Quota(_)) => {}
                }
            }
            name
        })
        .buffer_unordered(ASKED_AT_ONCE);
    let mut answered = std::collections::HashSet::new();
    let all = tokio::time::timeout(
        ALIVE_WITHIN,
        asked.for_each(|name| {
            answered.insert(name);
            std::future::ready(())
        }),
    );
    if all.await.is_ok() {
        return Vec::new();
    }
    let mut began = began.into_iter();
    waited_for.retain(|name| began.next() == Some(position(name)) && !answered.contains(name));
    waited_for.truncate(NAMED_MAX);
    waited_for
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    reasons: Vec<Reason>,
}

async fn ready(Held(operators): Held<Operators>) -> Response {
    let reasons = match tokio::time::timeout(ALIVE_WITHIN, operators.health.not_ready()).await {
        Ok(reasons) => reasons,
        Err(_) => vec![Reason { component: "server", message: "no answer within 2 s".to_owned() }],
    };
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Ready { ready: reasons.is_empty(), reasons })
}

#[cfg(test)]
mod tests;
