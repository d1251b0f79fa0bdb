//! What is delivered: everything, signed, in order for each conversation, whatever fails and whoever is killed.

use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Server};
use crate::{Receiver, a_talk, done, expected, hook, options, same_by_conversation, stands, state, takes};
use serde_json::{Value, json};

const TYPES: [&str; 3] = ["conversation.*", "message.*", "offer.*"];

#[tokio::test(flavor = "multi_thread")]
async fn events_come_signed_in_order_and_with_their_own_id() {
    let server = Server::start(&options());
    let receiver = Receiver::start();
    let made = hook(&server, &receiver, "crm", json!({"types": TYPES, "texts": true})).await;
    assert_eq!((&made["state"], &made["paused"]), (&json!("active"), &Value::Null));
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    a_talk(&server, &mut ada).await;
    a_talk(&server, &mut ada).await;
    let expected = {
        let page =
            done(&server, "GET", "/events?limit=200&texts=true&types=conversation.*,message.*,offer.*", None).await;
        page["events"].as_array().expect("events").clone()
    };
    takes(&receiver, expected.len()).await;
    same_by_conversation(&receiver.taken(), &expected);
    for line in receiver.heard() {
        let id = format!("{DEMO}_{}", line["event"]["id"].as_str().expect("an id").replace('.', "_"));
        assert_eq!((&line["id"], &line["secrets"]), (&json!(id), &json!([0])), "{line}");
    }
    let texts: Vec<&str> = expected.iter().filter_map(|event| event["text"].as_str()).collect();
    assert_eq!(texts[..3], ["hello", "Good morning", "Thank you"]);
    let caught_up = async || state(&server, "crm").await;
    eventually("its place", caught_up, |held| held["delivered_at"].is_u64() && held["failing_ms"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_whose_message_fails_waits_in_order_and_the_others_go_on() {
    let server = Server::start(&options());
    let receiver = Receiver::start();
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    hook(&server, &receiver, "crm", json!({"types": TYPES})).await;
    receiver.answers(&json!({"status": 500, "only": "c1"}));
    for _ in 0..3 {
        a_talk(&server, &mut ada).await;
    }
    let all = expected(&server).await;
    let of_others = all.iter().filter(|event| event["conversation"] != "c1").count();
    takes(&receiver, of_others).await;
    assert!(receiver.taken().iter().all(|event| event["conversation"] != "c1"));
    let failing = stands(&server, "crm", "failing").await;
    assert_eq!(failing["failure"], "it answered 500");
    // The first of it was tried again, and nothing behind it came before it.
    let tried = async || receiver.heard().iter().filter(|line| line["status"] == 500).count();
    eventually("another try", tried, |times| *times >= 3).await;
    let of_first = receiver.heard().into_iter().filter(|line| line["status"] == 500);
    assert!(of_first.clone().all(|line| line["event"]["id"] == all[0]["id"]), "{:?}", of_first.collect::<Vec<_>>());
    receiver.answers(&json!({"status": 200}));
    takes(&receiver, all.len()).await;
    same_by_conversation(&receiver.taken(), &all);
    stands(&server, "crm", "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_endpoint_and_a_dead_one_hold_up_neither_others_nor_the_server() {
    let server = Server::start(&options().set("webhooks.timeout_ms=300"));
    let (slow, well) = (Receiver::start(), Receiver::start());
    let mut dead = Receiver::start();
    hook(&server, &slow, "slow", json!({"types": TYPES})).await;
    hook(&server, &dead, "dead", json!({"types": TYPES})).await;
    hook(&server, &well, "well", json!({"types": TYPES})).await;
    slow.answers(&json!({"status": 200, "delay_s": 60}));
    dead.stop();
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    a_talk(&server, &mut ada).await;
    let all = expected(&server).await;
    takes(&well, all.len()).await;
    let late = stands(&server, "slow", "failing").await;
    assert_eq!(late["failure"], "it did not answer in time");
    let unreachable = stands(&server, "dead", "failing").await;
    assert!(
        unreachable["failure"].as_str().is_some_and(|why| why.starts_with("it cannot be reached")),
        "{unreachable}"
    );
    // Both get everything once they are well.
    slow.answers(&json!({"status": 200}));
    dead.start_again();
    for receiver in [&slow, &dead] {
        takes(receiver, all.len()).await;
        same_by_conversation(&receiver.taken(), &all);
    }
    assert!(server.metric("offhook_webhook_deliveries_total{outcome=\"late\"}").await >= 1.0);
    assert!(server.metric("offhook_webhook_deliveries_total{outcome=\"unreachable\"}").await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_again_and_again_leaves_nothing_out() {
    let mut server = Server::start(&options());
    let receiver = Receiver::start();
    hook(&server, &receiver, "crm", json!({"types": TYPES})).await;
    for round in 0..3 {
        let mut ada = Agent::available(&server, DEMO, "ada").await;
        a_talk(&server, &mut ada).await;
        let before = expected(&server).await.len();
        if round == 1 {
            // While nothing is taken.
            receiver.answers(&json!({"status": 503}));
            a_talk(&server, &mut ada).await;
        } else {
            takes(&receiver, before - 1).await;
        }
        server.kill();
        receiver.answers(&json!({"status": 200}));
        server.start_again();
    }
    let all = expected(&server).await;
    takes(&receiver, all.len()).await;
    same_by_conversation(&receiver.taken(), &all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_too_long_is_paused_and_shown_and_goes_on_where_it_was() {
    let server = Server::start(&options().set("webhooks.pause_after_ms=400"));
    let receiver = Receiver::start();
    hook(&server, &receiver, "crm", json!({"types": TYPES})).await;
    receiver.answers(&json!({"status": 500}));
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    a_talk(&server, &mut ada).await;
    let paused = stands(&server, "crm", "paused").await;
    assert_eq!((&paused["paused"], &paused["failure"]), (&json!("failing"), &json!("it answered 500")));
    assert_eq!(server.metric("offhook_webhooks{state=\"paused\"}").await, 1.0);
    a_talk(&server, &mut ada).await;
    receiver.answers(&json!({"status": 200}));
    let resumed = done(&server, "POST", "/webhooks/crm/resume", None).await;
    assert_eq!((&resumed["state"], &resumed["paused"]), (&json!("active"), &Value::Null));
    let all = expected(&server).await;
    takes(&receiver, all.len()).await;
    same_by_conversation(&receiver.taken(), &all);
    assert_eq!(server.metric("offhook_webhooks{state=\"active\"}").await, 1.0);

    // One that wants no more says so, and is asked no more.
    receiver.answers(&json!({"status": 410}));
    a_talk(&server, &mut ada).await;
    assert_eq!(stands(&server, "crm", "paused").await["paused"], "endpoint_gone");
}
