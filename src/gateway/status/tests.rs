//! The status page, as browsers and scripts ask for it.

use super::{Board, router};
use crate::gateway::http::fakes::Call;
use crate::health::history::{DAY_MS, History};
use crate::health::rules::Judged;
use crate::health::{Component, ComponentState, Each};
use axum::Router;
use base64::Engine as _;
use http_body_util::BodyExt;
use serde_json::json;
use sha2::Digest;
use std::sync::Arc;

const NOON: u64 = 20_000 * DAY_MS + DAY_MS / 2;

/// Yesterday the messenger was out for a minute, and now the API is degraded.
fn history() -> History {
    let mut history = History::begin(NOON - 10 * DAY_MS);
    let mut tell = |at, component: Component, state, why: &'static str| {
        let mut judged: Each<Judged> = Each::default();
        judged[component.place()] = Judged { state, why: why.into() };
        history.tell(at, &judged);
    };
    tell(NOON - DAY_MS, Component::Messenger, ComponentState::MajorOutage, "the <disk> is full");
    tell(NOON - DAY_MS + 60_000, Component::Messenger, ComponentState::Operational, "");
    tell(NOON, Component::Api, ComponentState::Degraded, "2 of 5 answers were slow");
    history
}

fn for_operators() -> Router {
    router(Arc::new(Board::new(history())), Some(Arc::new(|| Some(json!({"restarts": 3})))))
}

async fn text(router: &Router, call: &str, accept: &str) -> (http::HeaderMap, String) {
    let (parts, body) = Call::new(call).header("accept", accept).open(router).await.into_parts();
    assert_eq!(parts.status, 200);
    (parts.headers, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn scripts_get_json_and_browsers_html() {
    let router = for_operators();
    let status = Call::new("GET /status").to(&router).await.ok(200);
    assert_eq!((&status["status"], &status["answered_by"]), (&json!("degraded"), &json!("server")));
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["supervisor"], json!({"restarts": 3}));
    let api = &status["components"][3];
    assert_eq!((&api["component"], &api["title"], &api["state"]), (&json!("api"), &json!("API"), &json!("degraded")));
    assert_eq!(api["why"], "2 of 5 answers were slow");
    assert_eq!(status["components"][2]["uptime_percent"], 99.99);
    assert_eq!(status["days"][0], json!({"day": 19_999, "bad_ms": [[0, 0, 0], [0, 0, 0], [0, 0, 60_000], [0, 0, 0]]}));
    assert_eq!(status["incidents"][0]["ended_at"], NOON - DAY_MS + 60_000);
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let (headers, html) = text(&router, "GET /status", browser).await;
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(
        (&headers["vary"], &headers["cache-control"]),
        (&"accept".parse().unwrap(), &"no-store".parse().unwrap())
    );
    for said in [
        "Something is degraded",
        "Agent interface",
        "99.99 % up",
        "under way",
        "1 day with trouble",
        "99.93 % up",
        "the &lt;disk&gt; is full",
    ] {
        assert!(html.contains(said), "{said}\n{html}");
    }
    let (headers, _) = text(&router, "GET /status.json", browser).await;
    assert_eq!(headers["content-type"], "application/json", "by its name, whoever asks");
}

#[tokio::test]
async fn the_pages_policy_allows_its_own_style_and_its_own_script_alone() {
    let (headers, html) = text(&for_operators(), "GET /status", "text/html").await;
    let hash = |tag: &str| {
        let inner = html.split_once(&format!("<{tag}>")).unwrap().1.split_once(&format!("</{tag}>")).unwrap().0;
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(inner))
    };
    let own =
        format!("style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self';", hash("style"), hash("script"));
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with(&format!("default-src 'none'; {own}")) && !policy.contains("unsafe"), "{policy}");
    // A page that is loaded anew under its reader's hands is none that can be read.
    for forbidden in ["http-equiv", " style=", "http://", "https://", "onclick"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.len() < 20_000, "{} bytes", html.len());
}

#[tokio::test]
async fn everybody_sees_how_it_stands_and_not_why() {
    let router = router(Arc::new(Board::new(history())), None);
    let status = Call::new("GET /status").to(&router).await.ok(200);
    assert_eq!(status["components"][3]["state"], "degraded");
    let (_, html) = text(&router, "GET /status", "text/html").await;
    for text in [status.to_string(), html] {
        assert!(
            !text.contains("disk") && !text.contains("slow") && !text.contains("version") && !text.contains("restarts"),
            "{text}"
        );
    }
}
