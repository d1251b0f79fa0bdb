//! Frames and events of real sessions fit the document, each member of theirs named in it. What all other tests hear is held against it by the
//! stage `heard` of tests/run.

use super::support::customer::event_named;
use super::support::scene::{DEMO, server, talking};
use super::support::sse::Events;
use super::support::{Agent, Customer, Server, within};
use super::{root, validated};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

#[test]
fn what_is_said_in_real_sessions_fits_the_document() {
    let heard = tempfile::tempdir().unwrap();
    // A process of its own, since whether anything is kept is for the whole of one.
    let mut session = Command::new(std::env::current_exe().unwrap());
    session.args(["--exact", "frames::a_long_day", "--ignored", "--nocapture"]).env("OFFHOOK_HEARD", heard.path());
    let done = session.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    let said = validated(&[Path::new("frames"), &root().join("docs/asyncapi.json"), heard.path()]);
    let kinds: usize = said.split(" of ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    assert!(kinds >= 60, "few kinds were said: {said}");
}

async fn put(server: &Server, path: &str, body: Value) {
    let answer = server.admin("PUT", &format!("/v1/workspaces/{DEMO}{path}"), Some(&body)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
}

/// As much of everything as there is, said once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, which keeps what is said"]
async fn a_long_day() {
    let server = server();
    server
        .change_settings(DEMO, |settings| {
            settings["labels"] = json!({"dispositions": ["solved"], "fields": [{"name": "count", "type": "number"}]});
            settings["channels"][0]["wrap_up_ms"] = 60_000.into();
            settings["channels"][0]["wrap_up"] = json!({"extend_ms": 1_000, "extensions_max": 2});
        })
        .await;
    put(
        &server,
        "/queues/support",
        json!({"moves": {"pick": true}, "service": {"accept_ms": 30_000, "first_reply_ms": 60_000},
        "labels": {"dispositions": ["solved"]}}),
    )
    .await;
    put(&server, "/queues/sales", json!({"moves": {"pick": true}})).await;
    for name in ["ada", "bob"] {
        put(&server, &format!("/agents/{name}"), json!({"queues": ["support", "sales"], "skills": {"french": 3}}))
            .await;
    }
    let mut sue = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    watched(&mut sue).await;
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let mut events = customer.follow(None).await;
    talked(&mut ada, &mut customer, &mut events).await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    moved(&mut ada, &mut bob, &customer.conversation).await;
    led(&mut sue, &mut ada, &customer.conversation).await;
    ended(&server, &mut ada, &mut customer, &mut events).await;
    decided(&server, &mut bob).await;
    let refused = ada.ask(json!({"type": "accept", "offer": "o9999"})).await;
    assert_eq!(refused["error"]["code"], "no_such_offer");
    let token = server.agent_token(DEMO, "ada", Role::Agent);
    ada.must(json!({"type": "refresh", "token": token})).await;
    ada.must(json!({"type": "sign_out"})).await;
}

async fn watched(sue: &mut Agent) {
    for frame in [
        json!({"type": "watch", "what": "queues"}),
        json!({"type": "watch", "what": "agents", "order": "load", "connection": "here", "find": "a", "skip": 0, "limit": 10}),
        json!({"type": "directory", "what": "queues", "limit": 2}),
        json!({"type": "directory", "what": "agents"}),
        json!({"type": "health"}),
        json!({"type": "set_status", "status": "away"}),
        json!({"type": "ready"}),
    ] {
        sue.must(frame).await;
    }
}

async fn talked(ada: &mut Agent, customer: &mut Customer, events: &mut Events) {
    let id = customer.conversation.clone();
    ada.must(json!({"type": "send", "conversation": id, "text": "Hello"})).await;
    event_named(events, "message").await;
    customer.post("Good day").await;
    ada.wait_for("message").await;
    ada.must(json!({"type": "read", "conversation": id, "number": 3})).await;
    event_named(events, "read").await;
    ada.send(json!({"type": "typing", "conversation": id})).await;
    event_named(events, "typing").await;
    customer.call("POST", "typing", None).await;
    ada.wait_for("typing").await;
    customer.call("POST", "read", Some(json!({"number": 2}))).await;
    ada.wait_for("read").await;
    customer.call("POST", "contact", Some(json!({"name": "Zoë", "email": "zoe@example.org"}))).await;
    ada.wait_for("described").await;
    ada.must(json!({"type": "note", "conversation": id, "text": "has paid twice"})).await;
    ada.wait_for("note").await;
    for frame in [
        json!({"type": "notes", "conversation": id, "after": 0}),
        json!({"type": "history", "conversation": id, "after": 0, "limit": 2}),
        json!({"type": "label_rules", "queue": "support"}),
        json!({"type": "label", "conversation": id, "disposition": "solved", "tags": ["vip"], "fields": {"count": 7.5}}),
        json!({"type": "next_status", "status": "away"}),
        json!({"type": "next_status"}),
    ] {
        ada.must(frame).await;
    }
    ada.wait_for("labelled").await;
    ada.wait_for("next_status").await;
}

async fn moved(ada: &mut Agent, bob: &mut Agent, id: &str) {
    ada.must(json!({"type": "transfer", "conversation": id, "agent": "bob"})).await;
    ada.must(json!({"type": "cancel_transfer", "conversation": id})).await;
    bob.wait_for("offer_ended").await;
    let offered = ada.must(json!({"type": "transfer", "conversation": id, "agent": "bob", "warm": true})).await;
    bob.must(json!({"type": "delivered", "offer": offered["offer"]})).await;
    bob.must(json!({"type": "accept", "offer": offered["offer"]})).await;
    bob.must(json!({"type": "leave", "conversation": id})).await;
    ada.wait_for("left").await;
    let offered = ada.must(json!({"type": "transfer", "conversation": id, "agent": "bob", "warm": true})).await;
    bob.must(json!({"type": "accept", "offer": offered["offer"]})).await;
    ada.must(json!({"type": "hand_over", "conversation": id})).await;
    ada.wait_for("conversation_gone").await;
    bob.must(json!({"type": "transfer", "conversation": id, "queue": "sales"})).await;
    let mine = |frame: &Value| frame["type"] == "offer" && frame["offer"]["conversation"]["queue"] == "sales";
    // Who is offered it declines, and picks it then.
    let offer = ada.until("the offer", mine).await["offer"].clone();
    ada.must(json!({"type": "reject", "offer": offer["offer"], "reason": "busy"})).await;
    ada.must(json!({"type": "waiting", "queue": "sales"})).await;
    ada.must(json!({"type": "pick", "conversation": id})).await;
}

async fn led(sue: &mut Agent, ada: &mut Agent, id: &str) {
    for frame in [
        json!({"type": "why", "conversation": id}),
        json!({"type": "why", "agent": "ada"}),
        json!({"type": "held", "agent": "ada"}),
        json!({"type": "reassign", "conversation": id, "agent": "bob", "expected_owner": "ada", "force": true}),
        json!({"type": "claim", "conversation": id, "expected_owner": "bob", "force": true}),
        json!({"type": "reassign", "conversation": id, "agent": "ada", "expected_owner": "sue"}),
        json!({"type": "drain", "agent": "bob", "on": true}),
        json!({"type": "drain", "agent": "bob", "on": false}),
        json!({"type": "drain", "queue": "sales", "on": true, "to": "support"}),
        json!({"type": "drain", "queue": "sales", "on": false}),
        json!({"type": "force_status", "agent": "ada", "status": "available"}),
    ] {
        sue.must(frame).await;
    }
    sue.wait_for("queues").await;
    sue.wait_for("agents").await;
    sue.must(json!({"type": "unwatch", "what": "queues"})).await;
    ada.until("the conversation", |frame| frame["type"] == "conversation" && frame["cause"] == "reassigned").await;
}

async fn ended(server: &Server, ada: &mut Agent, customer: &mut Customer, events: &mut Events) {
    let id = customer.conversation.clone();
    ada.must(json!({"type": "close", "conversation": id, "tags": ["done"]})).await;
    ada.wait_for("conversation_ended").await;
    event_named(events, "ended").await;
    let rated = customer.call("POST", "rating", Some(json!({"score": 5, "comment": "quick"}))).await;
    assert_eq!(rated.status, 204, "{}", rated.text());
    ada.wait_for("rated").await;
    event_named(events, "rated").await;
    ada.must(json!({"type": "extend_wrap_up", "conversation": id})).await;
    ada.wait_for("wrap_up").await;
    ada.must(json!({"type": "wrap_up_done", "conversation": id})).await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{id}");
    let facts = server.admin("GET", &path, None).await.json();
    let start = json!({"type": "start", "customer": facts["customer"], "queue": "support", "text": "One more thing"});
    let started = ada.must(start).await;
    ada.must(json!({"type": "close", "conversation": started["conversation"]})).await;
}

/// A queue that is decided from outside.
async fn decided(server: &Server, bob: &mut Agent) {
    put(server, "/queues/support", json!({"offering": {"router": {"by": "outside", "within_ms": 60_000}}})).await;
    let headers = format!("Authorization: Bearer {}\r\n", server.admin_key());
    let path = format!("/v1/workspaces/{DEMO}/decisions");
    let opened = within("a stream", Events::open_with(server.address, &path, &headers)).await;
    let mut decisions = opened.expect("a stream").expect("a stream");
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let wanted = event_named(&mut decisions, "wanted").await.json();
    let decide = format!("/v1/workspaces/{DEMO}/conversations/{}/decide", customer.conversation);
    let body = json!({"decision": wanted["decision"], "expected_owner": null, "to": {"agent": "bob"}});
    let answer = server.admin("POST", &decide, Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    event_named(&mut decisions, "ended").await;
    let of = |frame: &Value| frame["offer"]["conversation"]["conversation"] == customer.conversation.as_str();
    let offer = bob.until("the offer", |frame| frame["type"] == "offer" && of(frame)).await["offer"].clone();
    bob.must(json!({"type": "accept", "offer": offer["offer"]})).await;
}
