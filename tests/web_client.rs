//! The client library of `web/client` against the real binary, in Node and in Chromium: agents and a customer do the whole job, and the
//! server is killed under what they write.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::foreign::{WORKSPACE, does_the_job, npm};
use support::script::Script;
use support::{Agent, Customer, Options, Server, within};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where packages are installed: kept between runs, apart from the tree.
fn installed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("web-client").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_and_a_customer_lose_and_double_nothing_when_the_server_is_killed() {
    let place = installed("node");
    npm(&root().join("web/client"), &["package.json", "package-lock.json", "src", "test", "testing"], &place);
    let mut command = Command::new("node");
    command.arg(place.join("test/real/job.js"));
    does_the_job(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_of_a_browser_share_a_connection_that_outlives_the_server_and_the_tab() {
    let place = installed("browser");
    npm(&root().join("tests/clients"), &["package.json", "package-lock.json", "web_client.mjs"], &place);
    let mut command = Command::new("node");
    command.arg(place.join("web_client.mjs")).env("OFFHOOK_LIBRARY", root().join("web/client"));
    does_the_job(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_node_lets_its_answer_be_seen_while_it_grows_and_gives_to_people_what_it_cannot_do() {
    let server = Server::start(&Options::default().without_rate_limits());
    server.workspace(WORKSPACE).await;
    let profile = json!({"program": true, "queues": ["support"]});
    let put = server.admin("PUT", &format!("/v1/workspaces/{WORKSPACE}/agents/assistant"), Some(&profile)).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let place = installed("program");
    npm(&root().join("web/client"), &["package.json", "package-lock.json", "src", "examples"], &place);
    let mut command = Command::new("node");
    command
        .arg(place.join("examples/assistant.js"))
        .env("OFFHOOK_URL", format!("http://{}", server.address))
        .env("OFFHOOK_TOKEN", server.agent_token(WORKSPACE, "assistant", Role::Agent));
    let mut program = Script::start(&mut command);
    assert_eq!(program.line(), "available");

    let mut customer = Customer::start(server.address, WORKSPACE, "one two three").await;
    let mut events = customer.follow(None).await;
    let mut drafts = Vec::new();
    let answer = loop {
        let event = within("an answer", events.next()).await.expect("it goes on").expect("it goes on");
        match &*event.name {
            "typing" => drafts.push(event.json()["text"].as_str().unwrap_or_default().to_owned()),
            "message" if event.json()["author"] == "agent" => break event.json()["text"].clone(),
            _ => {}
        }
    };
    assert_eq!(answer, "you said: one two three");
    assert!(
        !drafts.is_empty() && drafts.iter().all(|draft| "you said: one two three".starts_with(draft.as_str())),
        "{drafts:?}"
    );

    let mut ada = Agent::available(&server, WORKSPACE, "ada").await;
    customer.post("a person, please").await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let notes = ada.must(json!({"type": "notes", "conversation": customer.conversation})).await;
    assert_eq!(notes["notes"][0]["text"], "asked for a person: a person, please");
}
