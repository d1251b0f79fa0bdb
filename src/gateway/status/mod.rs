//! The status page: how each component stands, incidents, and ninety days. As HTML for browsers and as JSON for all others; on
//! the operators' port, and on the public one if that is wanted.

mod calls;
mod page;

use crate::gateway::http::answered::answered;
use crate::gateway::http::calls::Routed;
use crate::gateway::http::problem::json_of;
use crate::health::history::History;
use crate::health::shown::Shown;
use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::State as Held;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// What the pages show; written by the watch.
#[derive(Debug)]
pub struct Board(ArcSwap<History>);

impl Board {
    #[must_use]
    pub fn new(history: History) -> Self {
        Self(ArcSwap::from_pointee(history))
    }

    pub fn show(&self, history: History) {
        self.0.store(Arc::new(history));
    }

    #[must_use]
    pub fn history(&self) -> Arc<History> {
        self.0.load_full()
    }
}

/// What operators are told besides: the signs, the release, and what the process over this one knows.
pub type ForOperators = Arc<dyn Fn() -> Option<serde_json::Value> + Send + Sync>;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusShown")]
struct Status {
    /// Who answers: while there is no server, its supervisor does.
    answered_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supervisor: Option<serde_json::Value>,
    #[serde(flatten)]
    shown: Shown,
}

/// What is said of the calls.
pub fn described() -> Vec<Routed> {
    calls::calls().described()
}

/// Without `operators` it is for everybody.
pub fn router(board: Arc<Board>, operators: Option<ForOperators>) -> Router {
    calls::calls().router().with_state((board, operators)).layer(from_fn(answered))
}

type Known = (Arc<Board>, Option<ForOperators>);
type Shared = Held<Known>;

fn shown(board: &Board, operators: Option<&ForOperators>) -> Shown {
    let shown = Shown::of(&board.history());
    if operators.is_some() { shown } else { shown.for_everybody() }
}

/// Browsers say that they want HTML; who says nothing of it gets JSON.
async fn negotiated(held: Shared, headers: HeaderMap) -> Response {
    let wants = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let html = wants.flat_map(|accept| accept.split(',')).any(|kind| kind.trim().starts_with("text/html"));
    let mut response = if html { as_html(held) } else { as_json(held).await };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

async fn as_json(Held((board, operators)): Shared) -> Response {
    let version = operators.is_some().then_some(env!("CARGO_PKG_VERSION"));
    let supervisor = operators.as_ref().and_then(|operators| operators());
    let shown = shown(&board, operators.as_ref());
    let status = Status { answered_by: "server", version, supervisor, shown };
    let mut response = json_of(&status).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn as_html(Held((board, operators)): Shared) -> Response {
    let mut response = page::page(&shown(&board, operators.as_ref())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, page::policy());
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests;
