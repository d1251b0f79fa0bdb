//! Those whom an imported conversation belongs to: its customer, and the agent who had it.

use crate::support::http::{Http, Response};
use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Options, Server, command_id, within};
use crate::{at, get, put, server, support, texts};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::process::Command;

/// A call with this token.
async fn call(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> Response {
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {}\r\n", command_id());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let ask = async || {
        let mut http = Http::connect(server.address).await.unwrap();
        within("an answer", http.ask(method, path, &headers, body.as_bytes())).await.unwrap()
    };
    eventually("an answer that stays", ask, |answer| answer.status != 503).await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_customer_reads_it_by_the_id_that_tokens_have_and_its_agent_finds_it_and_neither_goes_on_in_it() {
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("customers.key");
    std::fs::write(&file, b"a secret of the workspace's own backend").unwrap();
    let setting = format!(
        r#"identity.customer_keys=[{{kid="c", algorithm="HS256", file="{}", workspace="{DEMO}"}}]"#,
        file.display()
    );
    let server = server(Options::default().without_rate_limits().set(&setting)).await;
    let now = support::now_s() as u64 * 1_000 - 60_000;
    let body = json!({
        "customer": {"id": "c-17"}, "opened_at": now, "closed_at": now + 1_000, "queue": "support", "agent": "ada@example.com",
        "messages": [
            {"author": "customer", "at": now, "text": "hello"},
            {"author": {"agent": "ada@example.com"}, "at": now, "text": "between us", "note": true},
            {"author": "other", "at": now + 1_000, "text": "We close now."},
        ],
    });
    assert_eq!(put(&server, "/imports/own/1", &body).await.status, 201);
    get(&server, "/conversations/c1").await;
    let signed = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["token", "--customer", "c-17", "--kid", "c", "--key-file"])
        .arg(&file)
        .output()
        .unwrap();
    let token = String::from_utf8(signed.stdout).unwrap().trim().to_owned();
    let path = format!("/v1/messenger/{DEMO}/conversations/c1");
    let read = call(&server, &token, "GET", &format!("{path}/messages"), &Value::Null).await;
    assert_eq!(read.status, 200, "{}", read.text());
    assert_eq!(texts(&read.json(), "messages"), ["hello", "We close now."]);
    assert_eq!(read.json()["messages"][1]["notice"], "imported", "{}", read.text());
    // It was closed a minute ago, and what was had here could still be gone on with and rated.
    let posted = call(&server, &token, "POST", &format!("{path}/messages"), &json!({"text": "one more thing"})).await;
    assert_eq!((posted.status, &posted.json()["code"]), (409, &json!("wrong_state")), "{}", posted.text());
    let rated = call(&server, &token, "POST", &format!("{path}/rating"), &json!({"score": 5})).await;
    assert_eq!((rated.status, &rated.json()["code"]), (409, &json!("rating_over")), "{}", rated.text());
    // Who owned it over there finds it as its own; others do not.
    for (agent, conversations) in [("ada@example.com", 1), ("bob", 0)] {
        let _here = Agent::connect(&server, DEMO, agent).await;
        let token = server.agent_token(DEMO, agent, Role::Agent);
        let found = call(&server, &token, "GET", &at("/conversations"), &Value::Null).await.json();
        assert_eq!(found["conversations"].as_array().unwrap().len(), conversations, "{agent}: {found}");
    }
    let refused =
        call(&server, &server.agent_token(DEMO, "bob", Role::Supervisor), "PUT", &at("/imports/own/2"), &body).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}
