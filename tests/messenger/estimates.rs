//! What a customer who waits and an administrator are told of how long it takes.

use crate::support::agent::Agent;
use crate::support::customer::Customer;
use crate::support::scene::{DEMO, eventually, server};
use crate::support::server::Server;
use crate::until_state;
use serde_json::{Value, json};

/// Waits that must have ended before anything is said (docs/routing.md).
const ENOUGH: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_waits_is_told_how_long_once_enough_waits_have_ended() {
    let mut server = server();
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let mut waiting = Vec::new();
    // The first three find her free.
    for nth in 0..ENOUGH + 3 {
        waiting.push(Customer::start(server.address, DEMO, &format!("{nth}")).await);
    }
    for _ in 0..ENOUGH + 3 {
        let offer = agent.until("an offer", |frame| frame["type"] == "offer").await["offer"].clone();
        agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
        agent.must(json!({"type": "close", "conversation": offer["conversation"]["conversation"]})).await;
    }
    agent.must(json!({"type": "set_status", "status": "available", "channels": ["email"]})).await;
    let customer = Customer::start(server.address, DEMO, "how long?").await;
    let mut events = customer.follow(None).await;
    let told = until_state(&mut events, |state| state["estimate"].is_object()).await;
    let (p50, p90) = (told["estimate"]["p50_ms"].as_u64().unwrap(), told["estimate"]["p90_ms"].as_u64().unwrap());
    assert!(told["place"] == 1 && p50 <= p90 && p90.is_multiple_of(1_000), "{told}");
    let path = format!("/v1/workspaces/{DEMO}/live/queues");
    let row = async |server: &Server| {
        let known = |row: &Value| row["estimates"].is_array();
        let ask = async || server.admin("GET", &path, None).await.json()["rows"][0].clone();
        eventually("the live row", ask, known).await["estimates"][0].clone()
    };
    let before = row(&server).await;
    assert_eq!((&before["channel"], &before["place"]), (&json!("chat"), &json!(2)));
    // What is known outlives the server; its agent has not been away for long.
    server.kill();
    server.start_again();
    assert_eq!(row(&server).await["p50_ms"], before["p50_ms"]);
}
