//! The wallboard and the status page that the binary serves, in Chromium: a supervisor's whole job by keyboard and pointer, over a restart
//! of the server; what has been hostile is text; axe finds nothing. With `OFFHOOK_DOC_PICTURES` the pictures of the documents are made anew.

mod support;

use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Options;
use support::foreign::{does_the_job_with, npm, pictures_for_documents};

const DAY_MS: u64 = 86_400_000;

/// A client of `tests/clients`, with what it needs beside it.
fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("wallboard-page").join(name)
}

fn client(name: &str) -> Command {
    let (root, place) = (Path::new(env!("CARGO_MANIFEST_DIR")), place(name));
    let script = format!("{name}.mjs");
    npm(&root.join("tests/clients"), &["package.json", "package-lock.json", "pages.mjs", &script], &place);
    let mut command = Command::new("node");
    command
        .arg(place.join(script))
        .env("OFFHOOK_LIBRARY", root.join("web/client"))
        .env("OFFHOOK_PICTURES", place.join("pictures"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_sees_what_happens_and_does_something_about_it() {
    does_the_job_with(Options::default().without_rate_limits(), client("wallboard_page")).await;
    for name in
        ["wallboard", "wallboard-why", "wallboard-screen", "wallboard-dark", "wallboard-phone", "wallboard-phone-dark"]
    {
        pictures_for_documents(&place("wallboard_page"), &[(name, name)]);
    }
}

/// Three weeks of history: an outage, a day of slowness, and something that is under way.
fn history(now: u64) -> serde_json::Value {
    let today = now / DAY_MS;
    let day = |back: u64, api: [u64; 3], messenger: [u64; 3]| json!({"day": today - back, "bad_ms": [[0, 0, 0], [0, 0, 0], messenger, api]});
    let component = |name: &str, title: &str| json!({"component": name, "title": title, "state": "operational", "since": now - 20 * DAY_MS, "uptime_percent": 100.0});
    let began = (today - 9) * DAY_MS + 39_000_000;
    let line = |at: u64, text: &str| json!({"at": at, "text": text, "why": "the <b>disk</b> is full"});
    json!({
        "format": 1, "stopped": true, "status": "operational", "at": now - 60_000,
        "components": [
            component("agent_interface", "Agent interface"), component("conversation_offers", "Conversation offers"),
            component("messenger", "Messenger"), component("api", "API"),
        ],
        "known_since": now - 21 * DAY_MS,
        "days": [day(12, [2_700_000, 0, 0], [0, 0, 0]), day(9, [0, 0, 0], [240_000, 660_000, 420_000])],
        "incidents": [{
            "began_at": began, "ended_at": began + 1_320_000, "worst": "major_outage", "components": ["messenger"],
            "lines": [line(began, "Messenger: partial outage"), line(began + 400_000, "Messenger: major outage"), line(began + 1_320_000, "Everything is operational again")],
        }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_is_read_by_everybody_and_never_reloads_under_its_reader() {
    let dir = tempfile::tempdir().expect("a directory");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970").as_millis()
        as u64;
    std::fs::write(dir.path().join("status.json"), history(now).to_string()).expect("written");
    let options =
        Options { data_dir: Some(dir.path().to_owned()), ..Options::default().set("health.public_status=true") };
    does_the_job_with(options, client("status_page")).await;
    for name in ["status-light", "status-dark", "status-phone", "status-phone-dark"] {
        pictures_for_documents(&place("status_page"), &[(name, name)]);
    }
}
