//! Silence over the wire: customers who are reminded and whose conversations are closed, owners who are reminded or lose them.

mod support;

use serde_json::{Value, json};
use support::Server;
use support::scene::{DEMO, eventually, server, talking};

/// The workspace's queue, with these members besides its own.
async fn change_queue(server: &Server, change: Value) {
    let path = format!("/v1/workspaces/{DEMO}/queues/support");
    let mut queue = server.admin("GET", &path, None).await.json();
    for (name, value) in change.as_object().unwrap() {
        queue[name] = value.clone();
    }
    let put = server.admin("PUT", &path, Some(&queue)).await;
    assert!(put.is_success(), "{}", put.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_customer_is_reminded_and_its_conversation_closed() {
    let server = server();
    let rules = json!({"remind_after_ms": 1_000, "remind_text": "Still there?", "close_after_ms": 2_000, "close_text": "Goodbye."});
    change_queue(&server, json!({"silent_customer": rules})).await;
    let (mut ada, customer) = talking(&server, "ada").await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/why", customer.conversation);
    assert_eq!(server.admin("GET", &path, None).await.json()["awaited"]["who"], "owner");
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "What is your number?"})).await;
    let why = server.admin("GET", &path, None).await.json();
    assert_eq!(why["awaited"]["who"], "customer");
    assert!(why["awaited"]["rule_at"].is_u64(), "{why}");
    let said = |text: &'static str| move |frame: &Value| frame["type"] == "message" && frame["text"] == text;
    let reminded = ada.until("the reminder", said("Still there?")).await;
    assert_eq!(reminded["author"], json!({"system": "reminder"}));
    assert_eq!(ada.wait_for("conversation_gone").await["cause"], "closed");
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/messages", customer.conversation);
    let messages = server.admin("GET", &path, None).await.json();
    let last = messages["messages"].as_array().and_then(|all| all.last()).unwrap();
    assert_eq!((&last["text"], &last["author"]), (&json!("Goodbye."), &json!({"system": "customer_silent"})), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_owner_is_reminded_or_loses_the_conversation() {
    let server = server();
    change_queue(&server, json!({"silent_owner": {"after_ms": 1_000, "action": "remind"}})).await;
    let (mut ada, customer) = talking(&server, "ada").await;
    assert_eq!(ada.wait_for("reminder").await["conversation"], customer.conversation.as_str());
    ada.must(json!({"type": "set_status", "status": "away"})).await;
    change_queue(&server, json!({"silent_owner": {"after_ms": 1_000, "action": "requeue"}})).await;
    let (mut bob, second) = talking(&server, "bob").await;
    let gone = bob.wait_for("conversation_gone").await;
    assert_eq!((&gone["conversation"], &gone["cause"]), (&json!(second.conversation), &json!("requeued")));
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/events", second.conversation);
    let events = async || server.admin("GET", &path, None).await.json();
    let requeued = |page: &Value| {
        let mut all = page["events"].as_array().unwrap().iter();
        all.find(|e| e["event"] == "conversation_requeued").is_some_and(|e| e["data"]["cause"] == "owner_silent")
    };
    eventually("the event", events, requeued).await;
    let page = async || server.operators_page("/metrics").await.text().to_owned();
    let counted = |text: &String| text.contains(r#"offhook_silences_total{action="owner_lost"} 1"#);
    eventually("it is counted", page, counted).await;
}
