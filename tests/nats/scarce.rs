//! A node whose own disk has no room left for what its view is going to hold.

use crate::member::of_node;
use crate::support::nats::Nats;
use crate::support::scene::{DEMO, eventually, offered, talking};
use crate::support::{Options, Server};
use async_nats::jetstream;
use serde_json::{Value, json};
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_disks_budget_messages_are_refused_and_accepts_and_closes_are_taken() {
    let (nats, dir) = (Nats::alone("").await, tempfile::tempdir().expect("a directory"));
    let servers = [nats.address.trim_start_matches("nats://").to_owned()];
    let options = Options::default().without_rate_limits().set("journal.kept_back_bytes=1 MiB");
    let options = options.set("journal.disk_budget_bytes=8 MiB").set("sessions.mailbox_bytes_max=64 MiB");
    // Nobody reads or answers while the disk fills, however long that takes.
    let options = options
        .set("sessions.ping_every_ms=300000")
        .set("sessions.dead_after_ms=600000")
        .set("engine.tick_record_every_ms=100");
    let node = of_node("a", dir.path().join("a"), &servers, &options).set("cluster.replicas=1");
    let server = block_in_place(|| Server::start(&node));
    server.change_settings(DEMO, |settings| settings["channels"][0]["offer_ms"] = 600_000.into()).await;
    let (mut ada, mut zoe) = talking(&server, "ada").await;
    let (_waiting, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;

    let message = json!({"text": "x".repeat(16 * 1024)});
    let refused = loop {
        let answer = zoe.call("POST", "messages", Some(message.clone())).await;
        if answer.status != 201 {
            break answer;
        }
        assert!(answer.json()["number"].as_u64() < Some(20_000), "it never fills");
    };
    let why = refused.json();
    assert_eq!((refused.status, &why["code"]), (503, &json!("unavailable")));
    assert!(why["detail"].as_str().is_some_and(|said| said.contains("the disk is full")), "{why}");
    let ready = server.operators_page("/readyz").await;
    let of_journal = |reason: &Value| {
        reason["component"] == "journal" && reason["message"].as_str().is_some_and(|said| said.starts_with("kept_back"))
    };
    assert!(ready.status == 503 && ready.json()["reasons"].as_array().unwrap().iter().any(of_journal), "{ready:?}");
    assert_eq!(server.metric("offhook_journal_state{state=\"kept_back\"}").await, 1.0);

    // The clock goes on being written down meanwhile, and so does the record of an answer that changes nothing.
    let context = jetstream::new(async_nats::connect(&nats.address).await.expect("it answers"));
    let stream = context.get_stream("TRIO_JOURNAL").await.expect("it is there");
    let records = async || stream.get_info().await.expect("it says what it holds").state.messages;
    let before = records().await;
    eventually("the clock to be written down", records, |now| *now >= before + 3).await;
    ada.must(json!({"type": "accept", "offer": "o1"})).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "close", "conversation": offer["conversation"]["conversation"]})).await;
    assert_eq!(server.metric("offhook_cluster_leads").await, 1.0);
}
