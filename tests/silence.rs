//! Silent customers over the wire: what is paused is told and shown, gives back its capacity, and wakes.

mod support;

use serde_json::json;
use support::scene::{DEMO, eventually, live_agent, server, talking};
use support::{Customer, Server};

/// One chat at a time, which is paused a second after the agent's last message and then takes nothing.
async fn pauses_soon(server: &Server) {
    let path = format!("/v1/workspaces/{DEMO}/settings");
    let mut settings = server.admin("GET", &path, None).await.json();
    let chat = &mut settings["channels"][0];
    assert_eq!(chat["silence"], json!({"paused_weight_percent": 100}));
    (chat["capacity"], chat["silence"]) = (json!(1), json!({"pause_ms": 1_000, "paused_weight_percent": 0}));
    let put = server.admin("PUT", &path, Some(&settings)).await;
    assert!(put.is_success(), "{}", put.text());
    settings["channels"][0]["silence"]["paused_weight_percent"] = json!(101);
    let refused = server.admin("PUT", &path, Some(&settings)).await;
    assert_eq!(refused.json()["field"], "channels[0].silence.paused_weight_percent", "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_customers_conversation_is_paused_until_somebody_writes() {
    let server = server();
    pauses_soon(&server).await;
    let (mut ada, mut first) = talking(&server, "ada").await;
    let second = Customer::start(server.address, DEMO, "hello").await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", second.conversation);
    let why = server.admin("GET", &format!("{path}/why"), None).await.json();
    assert_eq!(why["excluded"], json!([{"agent": "ada", "rule": "channel_full"}]));
    ada.must(json!({"type": "send", "conversation": first.conversation, "text": "How can I help?"})).await;
    let paused = ada.wait_for("paused").await;
    assert_eq!(paused["conversation"], first.conversation.as_str());
    assert_eq!((&paused["paused"], &paused["weight_percent"]), (&json!(true), &json!(0)));
    // What it gave back is offered at once.
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], second.conversation.as_str());
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let of_first = format!("/v1/workspaces/{DEMO}/conversations/{}", first.conversation);
    assert_eq!(server.admin("GET", &of_first, None).await.json()["paused_weight_percent"], 0);
    let row = live_agent(&server, "ada").await;
    assert_eq!((&row["conversations"], &row["paused"]), (&json!(2), &json!(1)), "{row}");
    let path = format!("/v1/workspaces/{DEMO}/live/queues");
    let queues = async || server.admin("GET", &path, None).await.json();
    eventually("the queue's row", queues, |page| page["rows"][0]["paused"] == 1).await;
    let why = server.admin("GET", &format!("/v1/workspaces/{DEMO}/agents/ada/why"), None).await.json();
    assert_eq!((why["paused"].as_array().map(Vec::len), &why["share_held"]), (Some(1), &json!(3_300)), "{why}");

    first.post("here I am").await;
    let woken = ada.until("it wakes", |frame| frame["type"] == "paused").await;
    assert_eq!((&woken["paused"], &woken["weight_percent"]), (&json!(false), &json!(100)));
    ada.until("the message", |frame| frame["text"] == "here I am").await;
    // Both are held in full now, and nothing new is offered until one of them ends.
    let third = Customer::start(server.address, DEMO, "hello").await;
    ada.must(json!({"type": "close", "conversation": first.conversation})).await;
    ada.must(json!({"type": "close", "conversation": second.conversation})).await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], third.conversation.as_str());
    let path = format!("{of_first}/events");
    let events = server.admin("GET", &path, None).await.json();
    let names: Vec<&str> = events["events"].as_array().unwrap().iter().filter_map(|e| e["event"].as_str()).collect();
    assert!(names.windows(2).any(|pair| pair == ["conversation_woken", "message_posted"]), "{names:?}");
}
