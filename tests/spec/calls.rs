//! Calls that a published tool makes up from the document of a running server: right ones and wrong ones. Each must be answered with what the document
//! says of it, and none with a 5xx. `just calls` makes up more of them.

use super::support::scene::{DEMO, talking};
use super::support::{Customer, Options, Server};
use super::{installed, python, root};
use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use std::process::Command;

/// A workspace with something of everything: open, waiting and closed conversations, and agents who talk.
async fn busy(server: &Server) -> Customer {
    for queue in ["sales", "spare"] {
        let path = format!("/v1/workspaces/{DEMO}/queues/{queue}");
        assert!(server.admin("PUT", &path, Some(&json!({"title": queue}))).await.is_success());
    }
    let (mut ada, mut customer) = talking(server, "ada").await;
    customer.post("Good day").await;
    for frame in [
        json!({"type": "send", "conversation": customer.conversation, "text": "Hello"}),
        json!({"type": "note", "conversation": customer.conversation, "text": "has paid twice"}),
    ] {
        ada.must(frame).await;
    }
    for nth in 0..4 {
        let mut other = Customer::start(server.address, DEMO, "hello").await;
        if nth == 3 {
            assert_eq!(other.call("POST", "leave", None).await.status, 204);
        }
    }
    customer
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_made_up_from_the_document_are_answered_as_it_says() {
    let examples = std::env::var("OFFHOOK_CALLS").unwrap_or_else(|_| "8".to_owned());
    // The status page is a call of the public port only then.
    let server = Server::start(&Options::default().without_rate_limits().set("health.public_status=true"));
    let customer = busy(&server).await;
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let mut made_up = Command::new(python.with_file_name("st"));
    made_up
        .arg("--config-file")
        .arg(root().join("tests/spec/schemathesis.toml"))
        .args(["run", &format!("http://{}/openapi.json", server.address)])
        .args(["--seed", "1", "--max-examples", &examples, "--no-color"])
        .env("OFFHOOK_KEY", server.admin_key())
        .env("OFFHOOK_AGENT", server.agent_token(DEMO, "ada", Role::Agent))
        .env("OFFHOOK_CUSTOMER", &customer.token)
        .current_dir(installed());
    let done = tokio::task::spawn_blocking(move || made_up.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    println!("{said}");
    assert!(done.status.success(), "{}\nthe server:\n{}", done.status, server.log_tail());
    let alive = server.operators_page("/healthz").await;
    assert_eq!(alive.status, 200, "{}", alive.text());
}
