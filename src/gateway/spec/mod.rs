//! What may be asked, for programs to read: `/openapi.json`, made of the tables from which the routers are built, and `/asyncapi.json`, of the
//! frames' and events' own types. Made once, when somebody first asks.

mod asyncapi;
mod openapi;
mod schemas;

use super::http::answered::answered;
use super::http::bundle::Bundle;
use super::http::calls::{Calls, Group, Routed, Who, call};
use super::{admin, agent, files, messenger, signin, status};
use crate::wire::error::Code;
use axum::Router;
use axum::middleware::from_fn;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value};
use std::sync::LazyLock;

const GROUP: Group = Group {
    name: "documents",
    says: "This document, and its fellow for sockets and streams.",
    codes: &[Code::Internal],
};

fn calls() -> Calls<()> {
    let document =
        |id, summary| call(id, Who::Everybody, summary).gives::<Map<String, Value>>(200, "May be kept", None).tagged();
    Calls::of(&GROUP, "")
        .get("/openapi.json", of_calls, document("get_openapi", "What may be called, as OpenAPI 3.1"))
        .get(
            "/asyncapi.json",
            of_frames,
            document("get_asyncapi", "What is said on sockets and streams, as AsyncAPI 3.0"),
        )
}

/// The routes, with all their layers.
pub fn router() -> Router {
    calls().router().layer(from_fn(answered))
}

async fn of_calls(asked: HeaderMap) -> Response {
    static MADE: LazyLock<Bundle> = LazyLock::new(|| Bundle::of(printed(&openapi())));
    MADE.given(&asked, "application/json")
}

async fn of_frames(asked: HeaderMap) -> Response {
    static MADE: LazyLock<Bundle> = LazyLock::new(|| Bundle::of(printed(&asyncapi())));
    MADE.given(&asked, "application/json")
}

/// Every call that the public port answers, but pages and what they are made of.
pub fn described() -> Vec<Routed> {
    let tables = [
        admin::described(),
        messenger::described(),
        files::described(),
        agent::described(),
        signin::described(),
        status::described(),
        calls().described(),
    ];
    tables.into_iter().flatten().collect()
}

/// The calls' document.
#[must_use]
pub fn openapi() -> Value {
    openapi::document(&described())
}

/// The document of sockets and streams.
#[must_use]
pub fn asyncapi() -> Value {
    asyncapi::document(&described())
}

/// As it is served, printed and kept.
#[must_use]
pub fn printed(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("a value is JSON");
    text.push('\n');
    text
}
