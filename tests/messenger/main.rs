//! The messenger's HTTP contract, as a visitor's browser meets it.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod contact;
mod estimates;
mod hours;
mod identity;
mod page;
mod ratings;
mod reception;
mod stream;
mod transcripts;
mod waiting;

use serde_json::Value;
use std::net::SocketAddr;
use support::customer::event_named;
use support::http::Http;
use support::scene::DEMO;
use support::sse::Events;
use support::{Response, within};

/// One call, with whatever headers; `path` below the messenger of the first workspace.
pub async fn call(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut http = Http::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let path = format!("/v1/messenger/{DEMO}{path}");
    within("an answer", http.ask(method, &path, &headers, body)).await.unwrap()
}

/// The problem that it is, with what every problem has.
pub fn problem(answer: &Response) -> Value {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status, "{problem}");
    for member in ["type", "title", "detail", "code", "message"] {
        assert!(problem[member].is_string(), "{member}: {problem}");
    }
    if let Some(ms) = problem["retry_after_ms"].as_u64() {
        let seconds = ms.div_ceil(1_000).max(1).to_string();
        assert_eq!(answer.header("retry-after"), Some(seconds.as_str()), "{problem}");
    }
    problem
}

/// The next `state` that is as wanted.
pub async fn until_state(events: &mut Events, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let state = event_named(events, "state").await.json();
        if wanted(&state) {
            return state;
        }
    }
}
