//! Clocks of service over the wire: set, shown, breached and achieved, told to the agent and counted.

mod support;

use serde_json::{Value, json};
use support::scene::{DEMO, eventually, offered, server};
use support::{Agent, Server};

async fn clocks_of(server: &Server, path: &str) -> Value {
    server.admin("GET", path, None).await.json()["clocks"].clone()
}

/// What was told of a clock.
async fn told(agent: &mut Agent, clock: &str, state: &str) -> Value {
    let of = |frame: &Value| frame["type"] == "clock" && frame["clock"] == clock && frame["state"] == state;
    agent.until("a clock", of).await
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_of_service_are_shown_told_and_counted() {
    let server = server();
    let path = format!("/v1/workspaces/{DEMO}/queues/support");
    let mut queue = server.admin("GET", &path, None).await.json();
    queue["service"] = json!({"accept_ms": 90_000, "first_reply_ms": 1_000, "next_reply_ms": 900});
    let refused = server.admin("PUT", &path, Some(&queue)).await.json();
    assert_eq!((&refused["code"], &refused["field"]), (&json!("bad_setting"), &json!("service.next_reply_ms")));
    queue["service"] = json!({"accept_ms": 90_000, "first_reply_ms": 1_000, "next_reply_ms": 60_000});
    assert!(server.admin("PUT", &path, Some(&queue)).await.is_success());

    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (mut customer, offer) = offered(&server, &mut ada).await;
    let clocks = &offer["conversation"]["clocks"];
    assert_eq!((&clocks[0]["clock"], &clocks[0]["state"]), (&json!("accept"), &json!("pending")), "{offer}");
    let lasts = clocks[0]["due"].as_u64().zip(clocks[0]["since"].as_u64()).map(|(due, since)| due - since);
    assert_eq!(lasts, Some(90_000));
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(told(&mut ada, "accept", "achieved").await["late"], false);
    assert_eq!(told(&mut ada, "first_reply", "breached").await["late"], true);
    let of_customer = format!("/v1/workspaces/{DEMO}/conversations/{}", customer.conversation);
    let breached = eventually(
        "the breach is in the view",
        async || clocks_of(&server, &of_customer).await,
        |clocks| clocks[0]["state"] == "breached",
    )
    .await;
    assert_eq!(breached[0]["clock"], "first_reply", "{breached}");
    let why = server.admin("GET", &format!("{of_customer}/why"), None).await.json();
    assert_eq!((&why["clocks"][0]["breached"], &why["clocks"][0]["queue"]), (&json!(true), &json!("support")), "{why}");
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "at last"})).await;
    assert_eq!(told(&mut ada, "first_reply", "achieved").await["late"], true);
    customer.post("thanks").await;
    let pending = told(&mut ada, "next_reply", "pending").await;
    assert!(pending["due"].as_u64().is_some(), "{pending}");
    customer.call("POST", "leave", None).await;
    ada.wait_for("conversation_gone").await;

    let events = server.admin("GET", &format!("{of_customer}/events?limit=200"), None).await.json();
    let ended = |clock: &str| {
        let mut all = events["events"].as_array().unwrap().iter();
        all.find(|e| e["event"] == "clock_ended" && e["data"]["clock"] == clock).map(|e| e["data"].clone())
    };
    let first = ended("first_reply").unwrap_or_default();
    assert_eq!((&first["end"], &first["late"], &first["queue"]), (&json!("achieved"), &json!(true), &json!("support")));
    assert_eq!(ended("next_reply").unwrap_or_default()["end"], "voided", "{events}");
    let page = async || server.operators_page("/metrics").await.text().to_owned();
    let counts = |text: &str, outcome: &str| {
        let of = |line: &&str| line.starts_with("offhook_service_clocks_total{") && line.contains(outcome);
        text.lines()
            .filter(of)
            .any(|line| line.contains(r#"clock="first_reply""#) && line.contains(r#"queue="support""#))
    };
    let metrics = eventually("it is counted", page, |text| counts(text, "achieved_late")).await;
    assert!(counts(&metrics, "breached"), "{metrics}");
}
