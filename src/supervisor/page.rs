//! What the supervisor says of itself and of its server on the operators' port, while the server is away.

use super::facts::Facts;
use crate::gateway::http::problem;
use crate::telemetry::catalogue;
use axum::body::Body;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) const ANSWERED_BY: &str = "supervisor";
/// The server writes no larger one.
const STATUS_BYTES_MAX: u64 = 64 * 1024;

#[derive(Serialize)]
struct Status<'a> {
    status: &'static str,
    answered_by: &'static str,
    supervisor: &'a Facts,
    /// What the server said of itself last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_known: Option<Box<RawValue>>,
}

pub(super) fn status(asked: &HeaderMap, facts: &Facts, last: &Path) -> Response<Body> {
    let accept = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return Html(html(facts)).into_response();
    }
    let last_known = last_known(last);
    problem::ok(&Status { status: "down", answered_by: ANSWERED_BY, supervisor: facts, last_known })
}

fn last_known(path: &Path) -> Option<Box<RawValue>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(STATUS_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn html(facts: &Facts) -> String {
    let mut out = String::from(
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"2\"><title>Offhook: down</title>\
         <h1>Offhook is being started again</h1><p>The supervisor answers in its place.",
    );
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = write!(out, "<p>{name}: {}", escaped(value));
    };
    line("server", &facts.server);
    line("version", &facts.version);
    if let Some(last) = &facts.last_restart {
        line("last restart", &format!("{}: {}", last.cause, last.why));
    }
    line("restarts", &facts.restarts.values().sum::<u64>().to_string());
    if let Some(upgrade) = &facts.upgrade {
        line("last upgrade", &format!("{} to {}: {}", upgrade.from_version, upgrade.to_version, upgrade.state));
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// In Prometheus' text format.
pub(super) fn metrics(facts: &Facts) -> Response<Body> {
    let mut out = String::new();
    for (name, label, counts) in facts.counters() {
        let help = catalogue::METRICS.iter().find(|metric| metric.name == name).map_or("", |metric| metric.help);
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} counter\n");
        for (word, count) in counts {
            let _ = writeln!(out, "{name}{{{label}=\"{word}\"}} {count}");
        }
    }
    let mut response = out.into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn body(response: Response<Body>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_status_holds_what_the_server_said_last_and_does_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("status.json");
        let facts = Facts::new(7, 1_000);
        let told = async |path: &Path| {
            let text = body(status(&HeaderMap::new(), &facts, path)).await;
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let alone = told(&path).await;
        assert_eq!((&alone["answered_by"], &alone["supervisor"]["supervisor"]), (&"supervisor".into(), &7.into()));
        assert!(alone.get("last_known").is_none());
        for torn in ["", "{\"a\":", "\u{0}"] {
            std::fs::write(&path, torn).unwrap();
            assert!(told(&path).await.get("last_known").is_none(), "{torn:?}");
        }
        std::fs::write(&path, r#"{"components":[]}"#).unwrap();
        assert_eq!(told(&path).await["last_known"]["components"], serde_json::json!([]));
    }

    #[tokio::test]
    async fn a_browser_is_shown_a_page_and_nothing_in_it_is_markup_of_others() {
        let mut asked = HeaderMap::new();
        asked.insert(header::ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml"));
        let facts = Facts { version: "<script>".to_owned(), ..Facts::new(7, 1_000) };
        let page = body(status(&asked, &facts, Path::new("/nowhere"))).await;
        assert!(page.contains("being started again") && !page.contains("<script>"), "{page}");
    }

    #[tokio::test]
    async fn its_metrics_are_those_that_the_server_shows_too() {
        let mut facts = Facts::new(7, 1_000);
        facts.restarts.insert("killed".to_owned(), 3);
        let page = body(metrics(&facts)).await;
        assert!(page.contains("offhook_restarts_total{cause=\"killed\"} 3\n"), "{page}");
        assert!(page.contains("offhook_upgrades_total{outcome=\"done\"} 0\n"), "{page}");
    }
}
