//! Clients that are not ours do the whole main job against the real binary: Python's `websockets`, Node's `ws`, and
//! Chromium's own `WebSocket`, `fetch` and `EventSource`. Each is killed the server under, and goes on.
//!
//! The scripts are in `tests/clients`; what they need is installed by the test itself, pinned, below `target`.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::customer::event_named;
use support::foreign::{WORKSPACE, does_the_job, npm};
use support::script::Script;
use support::{Agent, Customer, Options, Server};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Where packages are installed: kept between runs, apart from the tree.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign-clients")
}

/// The interpreter of a venv that holds `requirements.txt`.
fn python() -> PathBuf {
    support::foreign::python(&scripts().join("requirements.txt"), &installed().join("venv"))
}

/// A directory with the scripts and `node_modules` beside them.
fn node() -> PathBuf {
    static ONCE: OnceLock<PathBuf> = OnceLock::new();
    let install = || {
        let place = installed().join("node");
        npm(
            &scripts(),
            &["package.json", "package-lock.json", "job.mjs", "node_ws.mjs", "chromium.mjs", "texts.json"],
            &place,
        );
        place
    };
    ONCE.get_or_init(install).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_websockets_does_the_main_job() {
    let mut command = Command::new(python());
    command.arg(scripts().join("python_websockets.py"));
    does_the_job(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_ws_does_the_main_job() {
    let mut command = Command::new("node");
    command.arg(node().join("node_ws.mjs"));
    does_the_job(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chromium_page_does_the_main_job() {
    let mut command = Command::new("node");
    command.arg(node().join("chromium.mjs"));
    does_the_job(command).await;
}

/// `tests/clients/assistant.py`.
fn assistant(server: &Server) -> Script {
    let url = format!("http://{}", server.address);
    let token = server.agent_token(WORKSPACE, "assistant", Role::Agent);
    let mut command = Command::new(python());
    command.arg(scripts().join("assistant.py")).env("OFFHOOK_URL", url).env("OFFHOOK_TOKEN", token);
    Script::start(command.env("OFFHOOK_QUEUE", "support"))
}

async fn put(server: &Server, what: &str, body: Value) {
    let put = server.admin("PUT", &format!("/v1/workspaces/{WORKSPACE}/{what}"), Some(&body)).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ai_agent_takes_conversations_first_and_hands_over_to_people_with_its_context() {
    let server = Server::start(&Options::default().without_rate_limits());
    server.workspace(WORKSPACE).await;
    let people_after =
        |ms: u64| json!({"offering": {"programs_first": true, "rings": [{"after_ms": ms, "people": true}]}});
    put(&server, "queues/support", people_after(86_400_000)).await;
    put(&server, "agents/assistant", json!({"program": true, "queues": ["support"], "capacity": {"chat": 40}})).await;
    put(&server, "agents/ada", json!({"queues": ["support"]})).await;
    let mut assistant = assistant(&server);
    assert_eq!(assistant.line(), "available");
    // Behind it, since nobody reads her socket while what it needs is installed.
    let mut ada = Agent::available(&server, WORKSPACE, "ada").await;
    let it = async || support::scene::live_agent(&server, "assistant").await;
    support::scene::eventually("a program that is available", it, |row| row["available"] == true).await;

    // It takes all of them, beside a person who has nothing to do.
    let mut customers = Vec::new();
    for nth in 0..40 {
        let customer = Customer::start(server.address, WORKSPACE, &format!("question {nth}")).await;
        let mut events = customer.follow(None).await;
        loop {
            let message = event_named(&mut events, "message").await.json();
            if message["author"] == "agent" {
                assert_eq!(message["text"], format!("you said: question {nth}"));
                break;
            }
        }
        customers.push((customer, events));
    }
    let row = support::scene::live_agent(&server, "ada").await;
    assert_eq!((&row["offers"], &row["conversations"]), (&json!(0), &json!(0)));

    // What it cannot do goes to a person at once, who reads why and goes on.
    let (customer, events) = &mut customers[7];
    // Its first connection may have been idle for as long as one may be.
    let mut customer = customer.another().await;
    customer.post("I want a person").await;
    assert_eq!(assistant.line(), format!("handed over {}", customer.conversation));
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], customer.conversation.as_str());
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let notes = ada.must(json!({"type": "notes", "conversation": customer.conversation})).await;
    assert_eq!(
        (&notes["notes"][0]["author"], &notes["notes"][0]["text"]),
        (&json!("assistant"), &json!("asked for a person: 'I want a person'"))
    );
    let before = ada.must(json!({"type": "history", "conversation": customer.conversation})).await;
    assert_eq!(before["messages"][1]["text"], "you said: question 7");
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "here I am"})).await;
    while event_named(events, "message").await.json()["text"] != "here I am" {}

    // Full again, it is waited for until the ring that lets people in.
    let filling = Customer::start(server.address, WORKSPACE, "question 40").await;
    let mut events = filling.follow(None).await;
    event_named(&mut events, "joined").await;
    let last = Customer::start(server.address, WORKSPACE, "question 41").await;
    put(&server, "queues/support", people_after(1_000)).await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], last.conversation.as_str());
}
