//! Wrap-up over the wire: more time, what it blocks, what ends it.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use support::scene::{DEMO, refused, server, talking};
use support::{Agent, Customer, Server};

/// The workspace's queue, with these members besides its own.
async fn change_queue(server: &Server, change: serde_json::Value) {
    let path = format!("/v1/workspaces/{DEMO}/queues/support");
    let mut queue = server.admin("GET", &path, None).await.json();
    for (name, value) in change.as_object().unwrap() {
        queue[name] = value.clone();
    }
    let put = server.admin("PUT", &path, Some(&queue)).await;
    assert!(put.is_success(), "{}", put.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_asks_for_more_time_as_often_as_its_queue_says() {
    let server = server();
    let wrap_up = json!({"wrap_up_ms": 600_000, "wrap_up": {"extend_ms": 300_000, "extensions_max": 1}});
    change_queue(&server, wrap_up).await;
    let (mut ada, customer) = talking(&server, "ada").await;
    let extend = json!({"type": "extend_wrap_up", "conversation": customer.conversation});
    assert_eq!(refused(&mut ada, extend.clone()).await["code"], "wrong_state");
    ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
    let ended = ada.wait_for("conversation_ended").await["conversation"].clone();
    assert!(ended["wrap_up_left_ms"].as_u64().is_some_and(|ms| (1..=600_000).contains(&ms)), "{ended}");
    assert_eq!(ended["wrap_up"], json!({"ends": "timed", "blocks": "slot", "extensions_left": 1}));
    let mut bob = Agent::connect(&server, DEMO, "bob").await;
    assert_eq!(refused(&mut bob, extend.clone()).await["code"], "not_yours");
    ada.must(extend.clone()).await;
    let told = ada.wait_for("wrap_up").await;
    assert_eq!(told["conversation"], customer.conversation.as_str());
    assert!(told["left_ms"].as_u64().is_some_and(|ms| (600_001..=900_000).contains(&ms)), "{told}");
    assert_eq!(told["wrap_up"]["extensions_left"], 0);
    assert_eq!(refused(&mut ada, extend).await["code"], "no_more_time");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_ended_wrap_up_that_blocks_the_agent_is_ended_by_a_supervisor_or_over_the_admin_api() {
    let server = server();
    change_queue(&server, json!({"wrap_up": {"ends": "when_done", "blocks": "agent"}})).await;
    let (mut ada, first) = talking(&server, "ada").await;
    ada.must(json!({"type": "close", "conversation": first.conversation})).await;
    let ended = ada.wait_for("conversation_ended").await["conversation"].clone();
    assert_eq!(ended["wrap_up"], json!({"ends": "when_done", "blocks": "agent", "extensions_left": 0}));
    let second = Customer::start(server.address, DEMO, "hello").await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/why", second.conversation);
    let why = server.admin("GET", &path, None).await.json();
    assert_eq!(why["excluded"], json!([{"agent": "ada", "rule": "wrapping_up"}]));

    let mut bob = Agent::connect(&server, DEMO, "bob").await;
    let done = json!({"type": "wrap_up_done", "conversation": first.conversation});
    assert_eq!(refused(&mut bob, done.clone()).await["code"], "not_yours");
    let mut zoe = Agent::connect_as(&server, DEMO, "zoe", Role::Supervisor).await;
    zoe.must(done).await;
    let gone = ada.wait_for("conversation_gone").await;
    assert_eq!((&gone["cause"], &gone["wrap_up"]), (&json!("closed"), &json!("ended")));
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], second.conversation.as_str());
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "close", "conversation": second.conversation})).await;
    ada.wait_for("conversation_ended").await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", second.conversation);
    let done = server.admin("POST", &format!("{path}/wrap_up_done"), None).await;
    assert_eq!(done.status, 204, "{}", done.text());
    assert_eq!(ada.wait_for("conversation_gone").await["wrap_up"], "ended");
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/events", first.conversation);
    let events = server.admin("GET", &path, None).await.json();
    let of =
        |name: &str| events["events"].as_array().unwrap().iter().find(|e| e["event"] == name).unwrap()["data"].clone();
    assert_eq!(of("conversation_ended")["wrap_up_until_desk_ms"], json!(null));
    assert_eq!((&of("wrap_up_ended")["cause"], &of("wrap_up_ended")["by"]), (&json!("ended"), &json!("zoe")));
}
