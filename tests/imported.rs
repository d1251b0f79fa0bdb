//! Closed conversations of other systems, imported by the command into a real server: looked at, looked for, exported, erased, forgotten; once,
//! whatever is killed in between.

mod support;

#[path = "imported/calls.rs"]
mod calls;
#[path = "imported/chatwoot.rs"]
mod chatwoot;
#[path = "imported/people.rs"]
mod people;
#[path = "imported/tables.rs"]
mod tables;
#[path = "imported/zendesk.rs"]
mod zendesk;

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use support::http::Response;
use support::scene::{DEMO, eventually};
use support::{Options, Server};

const DAY_MS: u64 = 86_400_000;

fn at(rest: &str) -> String {
    format!("/v1/workspaces/{DEMO}{rest}")
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = async || server.admin("GET", &at(path), None).await;
    let answer = eventually("an answer that stays", answer, |answer: &Response| answer.status != 503).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

async fn put(server: &Server, path: &str, body: &Value) -> Response {
    let answer = async || server.admin("PUT", &at(path), Some(body)).await;
    eventually("an answer that stays", answer, |answer: &Response| answer.status != 503).await
}

/// The demo workspace with its agents and a queue of billing.
async fn server(options: Options) -> Server {
    let server = Server::start(&options);
    server.workspace(DEMO).await;
    for (what, body) in [
        ("queues/tier-2-billing", json!({"title": "Tier 2 / Billing"})),
        ("agents/ada@example.com", json!({"title": "Ada", "queues": ["support", "tier-2-billing"]})),
    ] {
        let made = put(&server, &format!("/{what}"), &body).await;
        assert!(made.is_success(), "{what}: {}", made.text());
    }
    server
}

fn command(server: &Server, dir: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command
        .args(["import"])
        .args(words.split_whitespace())
        .args(["--history", "--workspace", DEMO, "--server", &format!("http://{}", server.address)])
        .arg("--key-file")
        .arg(server.data_dir().join("admin.key"))
        .env_remove("OFFHOOK_API_KEY")
        .current_dir(dir);
    command
}

/// Runs it to its end, beside this test's own clients.
async fn run(server: &Server, dir: &Path, words: &str) -> Output {
    let mut command = command(server, dir, words);
    tokio::task::spawn_blocking(move || command.output().expect("offhook can be started")).await.unwrap()
}

/// What it printed, and what it said on standard error.
async fn must(server: &Server, dir: &Path, words: &str) -> (String, String) {
    let done = run(server, dir, words).await;
    let said = String::from_utf8(done.stderr).unwrap();
    let printed = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{printed}{said}\n{}", server.log_tail());
    (printed, said)
}

async fn customer(server: &Server, external: &str) -> String {
    let found = get(server, &format!("/customers?external_id={external}")).await;
    found["customer"].as_str().unwrap().to_owned()
}

fn texts(page: &Value, member: &str) -> Vec<String> {
    page[member].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap_or("?").to_owned()).collect()
}

fn remove_view(data_dir: &Path) {
    for name in ["view.db", "view.db-wal", "view.db-shm"] {
        let _ = std::fs::remove_file(data_dir.join(name));
    }
}
