//! The event feed over real connections: in pages with curl, as a stream with a library that is not ours; who goes on after a kill misses
//! nothing, and who was away for too long is told so.

mod support;

#[path = "feed/pages.rs"]
mod pages;
#[path = "feed/replay.rs"]
mod replay;
#[path = "feed/streams.rs"]
mod streams;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Server;
use support::scene::DEMO;

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feed").join(path)
}

/// The interpreter of a venv that holds `requirements.txt`.
fn python() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("feed-clients");
    support::foreign::python(&tree("requirements.txt"), &place)
}

/// A key with these scopes.
async fn key(server: &Server, scopes: &[&str]) -> String {
    let wanted = json!({"name": "our events", "scopes": scopes});
    let made = server.admin("POST", &format!("/v1/workspaces/{DEMO}/keys"), Some(&wanted)).await;
    made.json()["key"].as_str().expect("a key").to_owned()
}

/// By curl: the status, and what was answered.
fn curl(server: &Server, key: &str, query: &str) -> (u16, Value) {
    let url = format!("http://{}/v1/workspaces/{DEMO}/events{query}", server.address);
    let said = Command::new("curl")
        .args(["-sS", "--max-time", "40", "-w", "\n%{http_code}", "-H", &format!("Authorization: Bearer {key}"), &url])
        .output()
        .expect("there is curl");
    let said = String::from_utf8(said.stdout).expect("UTF-8");
    let (body, status) = said.rsplit_once('\n').expect("a status");
    (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {said}")))
}

/// Everything from behind a cursor, page by page.
fn all(server: &Server, key: &str, more: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = curl(server, key, &format!("?limit=7{more}{after}"));
        assert_eq!(status, 200, "{page}");
        found.extend(page["events"].as_array().expect("events").iter().cloned());
        after = format!("&after={}", page["next"].as_str().expect("a cursor"));
        if page["more"] == false {
            return found;
        }
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a type")).collect()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().expect("an id")).collect()
}
