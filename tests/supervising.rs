//! What a supervisor sees and does on the agents' socket: sheets of agents that the server sorts and filters, what others hold, why, and
//! moves of what waits. Against the real binary.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::scene::{DEMO, eventually, refused, server, talking};
use support::{Agent, Customer, Server};

async fn supervisor(server: &Server) -> Agent {
    Agent::connect_as(server, DEMO, "sue", Role::Supervisor).await
}

fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().into_iter().flatten().filter_map(|row| row["agent"].as_str()).collect()
}

/// Takes frames of the sheet until what was heard of it is as wanted; the last of each member counts.
async fn until(watcher: &mut Agent, what: &str, wanted: impl Fn(&BTreeMap<String, Value>) -> bool) {
    let mut heard = BTreeMap::new();
    while !wanted(&heard) {
        let frame = watcher.wait_for("agents").await;
        for (name, value) in frame.as_object().into_iter().flatten() {
            heard.insert(name.clone(), value.clone());
        }
        assert!(heard.len() < 100, "{what} did not come: {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_sorted_and_filtered_by_the_server_and_told_as_it_changes() {
    let server = server();
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let _bob = Agent::available(&server, DEMO, "bob").await;
    let _zoe = Agent::connect(&server, DEMO, "zoe").await;
    let mut sue = supervisor(&server).await;
    let sheet = |more: Value| {
        let mut frame = json!({"type": "watch", "what": "agents", "order": "name"});
        frame.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        frame
    };
    let all = sue.must(sheet(json!({}))).await;
    assert_eq!(names(&all["rows"]), ["ada", "bob", "sue", "zoe"]);
    assert_eq!(all["matching"], 4);
    let available = all["totals"].as_array().unwrap().iter().find(|total| total["status"] == "available").unwrap();
    assert_eq!(available, &json!({"connection": "online", "status": "available", "available": true, "agents": 2}));
    let second = sue.must(sheet(json!({"skip": 1, "limit": 2}))).await;
    assert_eq!((names(&second["rows"]), &second["matching"]), (vec!["bob", "sue"], &json!(4)));
    for (filter, found) in [
        (json!({"status": "available"}), vec!["ada", "bob"]),
        (json!({"find": "O"}), vec!["bob", "zoe"]),
        (json!({"connection": "offline"}), vec![]),
        (json!({"connection": "here", "find": "a"}), vec!["ada"]),
        (json!({"queue": "nowhere"}), vec![]),
        (json!({"queue": "support", "status": "available"}), vec!["ada", "bob"]),
    ] {
        let page = sue.must(sheet(filter.clone())).await;
        assert_eq!(names(&page["rows"]), found, "{filter}");
    }
    // By load: who took something comes first, and is told with what it holds.
    let by_load = sue.must(sheet(json!({"order": "load", "limit": 2}))).await;
    assert_eq!(names(&by_load["rows"]), ["ada", "bob"]);
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let offer = ada.wait_for("offer").await["offer"]["offer"].clone();
    ada.must(json!({"type": "accept", "offer": offer})).await;
    until(&mut sue, "ada's load", |heard| {
        let rows = heard.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
        rows.iter().any(|row| {
            row["agent"] == "ada" && row["channels"] == json!([{"channel": "chat", "held": 1.0, "limit": 3}])
        })
    })
    .await;
    // Who leaves the sheet is on it no more, and the totals say where it is.
    sue.must(sheet(json!({"status": "available"}))).await;
    ada.must(json!({"type": "set_status", "status": "away"})).await;
    until(&mut sue, "ada gone", |heard| {
        heard.get("names") == Some(&json!(["bob"])) && heard.get("matching") == Some(&json!(1))
    })
    .await;
    // Another page takes its place: no row of the sheet comes any more.
    sue.must(json!({"type": "watch", "what": "agents", "limit": 1})).await;
    ada.must(json!({"type": "set_status", "status": "available"})).await;
    let frame = sue.wait_for("agents").await;
    assert_eq!((names(&frame["rows"]), frame.get("names")), (vec!["ada"], None));
    drop(customer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_sees_what_others_hold_and_why_and_nobody_else_does() {
    let server = server();
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut sue = supervisor(&server).await;
    let held = sue.must(json!({"type": "held", "agent": "ada"})).await;
    assert_eq!(held["conversations"][0]["conversation"], customer.conversation.as_str());
    assert_eq!((&held["offers"], &held["cursor"]), (&json!([]), &Value::Null));
    assert_eq!(refused(&mut sue, json!({"type": "held", "agent": "nobody"})).await["code"], "no_such_agent");
    let waits = Customer::start(server.address, DEMO, "and me").await;
    let offer = ada.wait_for("offer").await["offer"]["offer"].clone();
    ada.must(json!({"type": "reject", "offer": offer, "reason": "busy"})).await;
    let why = sue.must(json!({"type": "why", "conversation": waits.conversation})).await["why"].clone();
    assert_eq!((&why["state"], &why["queue"]), (&json!("waiting"), &json!("support")));
    let excluded = why["excluded"].as_array().unwrap();
    assert!(excluded.contains(&json!({"agent": "ada", "rule": "cooling_down"})), "{why}");
    let why = sue.must(json!({"type": "why", "agent": "ada"})).await["why"].clone();
    assert_eq!((&why["agent"], &why["waiting_by_rule"]), (&json!("ada"), &json!({"cooling_down": 1})));
    assert_eq!(refused(&mut sue, json!({"type": "why", "agent": "nobody"})).await["code"], "no_such_agent");
    assert_eq!(refused(&mut sue, json!({"type": "why", "conversation": "c999"})).await["code"], "no_such_conversation");
    for frame in [
        json!({"type": "held", "agent": "sue"}),
        json!({"type": "why", "agent": "sue"}),
        json!({"type": "why", "conversation": customer.conversation}),
    ] {
        assert_eq!(refused(&mut ada, frame.clone()).await["code"], "forbidden", "{frame}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_told_how_the_server_stands_without_reasons() {
    let server = server();
    let mut sue = supervisor(&server).await;
    let health = sue.must(json!({"type": "health"})).await;
    let components = health["components"].as_array().unwrap();
    let names: Vec<&str> = components.iter().filter_map(|one| one["component"].as_str()).collect();
    assert_eq!(names, ["agent_interface", "conversation_offers", "messenger", "api"]);
    assert!(components.iter().all(|one| one["state"] == "operational" && one["why"].is_null()), "{health}");
    let mut ada = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(refused(&mut ada, json!({"type": "health"})).await["code"], "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_moves_what_waits_to_another_queue() {
    let server = server();
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/sales"), Some(&json!({}))).await;
    assert_eq!(put.status, 200);
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let mut sue = supervisor(&server).await;
    sue.must(json!({"type": "transfer", "conversation": customer.conversation, "queue": "sales"})).await;
    let waiting = sue.must(json!({"type": "waiting", "queue": "sales"})).await;
    assert_eq!(waiting["waiting"][0]["conversation"], customer.conversation.as_str());
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/events", customer.conversation);
    let events = server.admin("GET", &path, None).await.json();
    let moved = events["events"].as_array().unwrap().iter().find(|event| event["event"] == "conversation_moved");
    assert!(moved.is_some_and(|moved| !moved["data"]["by"].is_null()), "it says who: {events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_a_clock_of_accepting_tells_its_service_level() {
    let server = server();
    let queue = json!({"title": "Support & more", "service": {"accept_ms": 60_000}});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/support"), Some(&queue)).await;
    assert_eq!(put.status, 200);
    let (_ada, _customer) = talking(&server, "ada").await;
    let path = format!("/v1/workspaces/{DEMO}/live/queues");
    let live = async || server.admin("GET", &path, None).await.json();
    let page =
        eventually("an accept in time", live, |page| page["rows"][0]["service"]["lately"]["achieved"] == 1).await;
    let row = &page["rows"][0];
    assert_eq!((&row["title"], &row["agents_there"]), (&json!("Support & more"), &json!(1)));
    let service = &row["service"];
    assert_eq!((&service["within_ms"], &service["day"]), (&json!(60_000), &json!({"achieved": 1, "breached": 0})));
    assert!(service["counted_since"].as_u64() > Some(1_700_000_000_000));
}
