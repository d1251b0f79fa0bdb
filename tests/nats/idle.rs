//! Agents whose devices are at two nodes, and who has been idle.

use crate::pair::Pair;
use crate::support::scene::DEMO;
use crate::support::{Agent, Options};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn who_reports_no_input_at_either_node_is_away_and_who_does_at_one_is_not() {
    let pair = Pair::start(&Options::default().without_rate_limits(), |_| ()).await;
    let [a, b] = &pair.nodes;
    a.change_settings(DEMO, |settings| settings["idle_agents"] = json!({"after_ms": 3_000})).await;
    b.workspace(DEMO).await;
    let mut ada = Agent::available(a, DEMO, "ada").await;
    let mut bob = Agent::available(a, DEMO, "bob").await;
    let (mut ada_at_b, mut bob_at_b) = (Agent::connect(b, DEMO, "ada").await, Agent::connect(b, DEMO, "bob").await);
    let reports = async {
        loop {
            bob_at_b.send(json!({"type": "input"})).await;
            // Often enough for a second without input never to pass; how long it takes is decided by ada's frames.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let is_idle = |frame: &Value| frame["type"] == "status" && frame["cause"] == "idle";
    tokio::select! {
        idle = ada.until("it is idle", is_idle) => assert_eq!(idle["available"], false),
        () = reports => unreachable!("it goes on for ever"),
    }
    ada_at_b.until("it is so at the other node", is_idle).await;
    let live = a.admin("GET", &format!("/v1/workspaces/{DEMO}/live/agents"), None).await.json();
    let available = |name: &str| {
        live["rows"].as_array().expect("rows").iter().find(|row| row["agent"] == name).expect("a row")["available"]
            .clone()
    };
    assert_eq!((available("ada"), available("bob")), (json!(false), json!(true)));
    bob.must(json!({"type": "ready"})).await;
}
