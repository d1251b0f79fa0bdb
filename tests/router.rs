//! A router of one's own, over real connections: a queue that is decided from outside, by a client that is not ours, and what
//! becomes of its conversations when that client is silent.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::customer::event_named;
use support::http::Http;
use support::scene::{DEMO, eventually, offered, server};
use support::script::Script;
use support::sse::Events;
use support::{Agent, Customer, Response, Server, command_id, within};
use tokio::time::timeout;

async fn call(server: &Server, key: &str, id: &str, method: &str, path: &str, body: Option<Value>) -> Response {
    let mut http = Http::connect(server.address).await.expect("the server listens");
    let headers = format!("Authorization: Bearer {key}\r\nIdempotency-Key: {id}\r\n");
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let path = format!("/v1/workspaces/{DEMO}{path}");
    within("an answer", http.ask(method, &path, &headers, body.as_bytes())).await.expect("an answer")
}

async fn admin(server: &Server, method: &str, path: &str, body: Option<Value>) -> Value {
    let answer = call(server, &server.admin_key(), &command_id(), method, path, body).await;
    assert!(answer.is_success(), "{method} {path}: {} {}", answer.status, answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

async fn decided_from_outside(server: &Server, within_ms: u64) {
    let router = json!({"offering": {"router": {"by": "outside", "within_ms": within_ms}}});
    admin(server, "PUT", "/queues/support", Some(router)).await;
}

/// A key that may decide, and nothing else.
async fn key(server: &Server) -> String {
    let made = admin(server, "POST", "/keys", Some(json!({"name": "our router", "scopes": ["route"]}))).await;
    made["key"].as_str().expect("a key").to_owned()
}

async fn decide(server: &Server, key: &str, conversation: &str, body: Value) -> Response {
    call(server, key, &command_id(), "POST", &format!("/conversations/{conversation}/decide"), Some(body)).await
}

async fn follow(server: &Server, key: &str) -> Events {
    let headers = format!("Authorization: Bearer {key}\r\n");
    let path = format!("/v1/workspaces/{DEMO}/decisions");
    let opened = Events::open_with(server.address, &path, &headers);
    let mut events = within("a stream", opened).await.expect("a stream").expect("a stream");
    event_named(&mut events, "list").await;
    events
}

/// How the last decision about this conversation ended, as *why* has it.
async fn last_of(server: &Server, conversation: &str) -> Value {
    admin(server, "GET", &format!("/conversations/{conversation}/why"), None).await["decision"]["last"].clone()
}

/// The example in `tests/clients`.
fn router(server: &Server, key: &str) -> Script {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/router.py");
    let url = format!("http://{}", server.address);
    let mut command = Command::new("python3");
    command.arg(script).env("OFFHOOK_URL", url).env("OFFHOOK_WORKSPACE", DEMO);
    Script::start(command.env("OFFHOOK_KEY", key))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_is_not_ours_decides_and_offhook_goes_on_without_it() {
    let server = server();
    decided_from_outside(&server, 60_000).await;
    let key = key(&server).await;
    let mut router = router(&server, &key);
    assert_eq!(router.line(), "following");
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;

    // Offhook would ask ada, who has been idle for longer.
    let (customer, offer) = offered(&server, &mut bob).await;
    let id = customer.conversation.clone();
    assert_eq!(router.line(), format!(r#"d1 {id} {{"agent": "bob"}}: 200"#));
    let last = last_of(&server, &id).await;
    assert_eq!((&last["end"], &last["agent"], &last["by"]), (&json!("decided"), &json!("bob"), &json!("our router")));
    // What fails is asked about anew, of those who still fit.
    bob.must(json!({"type": "reject", "offer": offer["offer"], "reason": "busy"})).await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], id.as_str());
    assert_eq!(router.line(), format!(r#"d2 {id} {{"agent": "ada"}}: 200"#));
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;

    // It is gone, and nobody tells Offhook so.
    drop(router);
    decided_from_outside(&server, 100).await;
    let (customer, _) = offered(&server, &mut bob).await;
    let last = last_of(&server, &customer.conversation).await;
    assert_eq!((&last["end"], &last["agent"]), (&json!("silent"), &Value::Null));
    let page = async || server.operators_page("/metrics").await.text().to_owned();
    let counted = |page: &String| {
        page.contains(r#"offhook_decisions_total{end="silent"} 1"#)
            && page.contains(r#"offhook_decisions_total{end="decided"} 2"#)
    };
    eventually("decisions in the metrics", page, counted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wanted_is_told_whole_to_whoever_comes_and_each_answer_is_checked() {
    let mut server = server();
    decided_from_outside(&server, 60_000).await;
    let key = key(&server).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let mut events = follow(&server, &key).await;
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let id = customer.conversation.as_str();
    let wanted = event_named(&mut events, "wanted").await.json();
    assert_eq!(
        (&wanted["conversation"], &wanted["queue"], &wanted["waiting"]),
        (&json!(id), &json!("support"), &json!(1))
    );
    assert_eq!((&wanted["candidates"][0]["agent"], &wanted["candidates"][0]["room"]), (&json!("ada"), &json!(3)));
    assert_eq!((&wanted["more_candidates"], &wanted["expected_owner"]), (&json!(false), &Value::Null));

    let decision = wanted["decision"].clone();
    let to = |agent: &str| json!({"decision": decision, "expected_owner": null, "to": {"agent": agent}});
    for (body, status, code) in [
        (json!({"decision": "c1", "to": "offhook"}), 422, "bad_field"),
        (json!({"decision": "d99", "to": "offhook"}), 404, "no_such_decision"),
        (json!({"decision": decision, "to": "nobody"}), 400, "bad_request"),
        (json!({"decision": decision, "to": "offhook", "expected_owner": "ada"}), 409, "owner_changed"),
        (to("nobody"), 404, "no_such_agent"),
    ] {
        let refused = decide(&server, &key, id, body.clone()).await;
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)), "{body}: {}", refused.text());
    }
    ada.must(json!({"type": "set_status", "status": "away"})).await;
    let unable = decide(&server, &key, id, to("ada")).await.json();
    assert_eq!((&unable["code"], &unable["rule"]), (&json!("agent_unable"), &json!("status_not_available")));
    let reader = admin(&server, "POST", "/keys", Some(json!({"name": "reader", "scopes": ["read"]}))).await;
    let reader = reader["key"].as_str().expect("a key");
    assert_eq!(decide(&server, reader, id, to("ada")).await.json()["code"], "forbidden");
    let stream = call(&server, reader, &command_id(), "GET", "/decisions", None).await;
    assert_eq!(stream.json()["code"], "forbidden");

    // A kill takes nothing away: who comes back is told it again, with what is left of its time.
    server.kill();
    server.start_again();
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let mut events = follow(&server, &key).await;
    let again = event_named(&mut events, "wanted").await.json();
    assert_eq!((&again["decision"], &again["conversation"]), (&decision, &json!(id)));
    assert!(again["ends_in_ms"].as_u64() <= wanted["ends_in_ms"].as_u64());
    let (path, once) = (format!("/conversations/{id}/decide"), command_id());
    for _ in 0..2 {
        let decided = call(&server, &key, &once, "POST", &path, Some(to("ada"))).await;
        assert_eq!((decided.status, &decided.json()["offer"]), (200, &json!("o1")), "{}", decided.text());
    }
    let ended = event_named(&mut events, "ended").await.json();
    assert_eq!((&ended["decision"], &ended["end"]), (&decision, &json!("decided")));
    assert_eq!(ada.wait_for("offer").await["offer"]["conversation"]["conversation"], id);
    let gone = decide(&server, &key, id, json!({"decision": decision, "to": "offhook"})).await;
    assert_eq!((gone.status, &gone.json()["end"]), (409, &json!("decided")), "{}", gone.text());
}

/// As many seconds as one likes: each decision ends by its own time, and none waits for the one before. Here that time is a tenth of a second, so that
/// a hundred silences are as long as one needs to see.
#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_follows_and_says_nothing_stops_no_offer_and_nobody_is_dropped() {
    let server = server();
    decided_from_outside(&server, 100).await;
    let key = key(&server).await;
    let mut events = follow(&server, &key).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    for round in 1..=20 {
        let (customer, offer) = offered(&server, &mut ada).await;
        assert_eq!(event_named(&mut events, "wanted").await.json()["conversation"], customer.conversation.as_str());
        assert_eq!(event_named(&mut events, "ended").await.json()["end"], "silent");
        ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
        ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
        assert_eq!(server.operators_page("/healthz").await.status, 200, "round {round}");
    }
    assert_eq!(server.metric("offhook_decisions_total{end=\"silent\"}").await, 20.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_decisions_are_few_and_end_with_the_server() {
    let mut server = server();
    let key = key(&server).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(follow(&server, &key).await);
    }
    let ninth = call(&server, &key, &command_id(), "GET", "/decisions", None).await;
    assert_eq!((ninth.status, &ninth.json()["code"]), (503, &json!("busy")), "{}", ninth.text());
    drop(held.pop());
    let room = async || {
        let headers = format!("Authorization: Bearer {key}\r\n");
        let path = format!("/v1/workspaces/{DEMO}/decisions");
        Events::open_with(server.address, &path, &headers).await.expect("an answer").is_ok()
    };
    eventually("a free place", room, |there_is| *there_is).await;
    assert!(server.stop().success());
    let last = within("the end of the stream", held[0].next()).await;
    assert!(matches!(last, Ok(None) | Err(_)), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_removed_ends_its_streams_at_once_and_no_others() {
    let server = server();
    let other = key(&server).await;
    let made = admin(&server, "POST", "/keys", Some(json!({"name": "leaked", "scopes": ["route"]}))).await;
    let mut its = follow(&server, made["key"].as_str().expect("a key")).await;
    let mut others = follow(&server, &other).await;
    admin(&server, "DELETE", &format!("/keys/{}", made["id"].as_str().expect("an id")), None).await;
    // Not only at its heartbeat, at which every stream looks at its key again: that is after 15 s.
    let last = timeout(Duration::from_secs(10), its.next()).await.expect("the end of the stream");
    assert!(matches!(last, Ok(None) | Err(_)), "{last:?}");
    decided_from_outside(&server, 60_000).await;
    let _ada = Agent::available(&server, DEMO, "ada").await;
    let customer = Customer::start(server.address, DEMO, "hello").await;
    assert_eq!(event_named(&mut others, "wanted").await.json()["conversation"], customer.conversation.as_str());
}
