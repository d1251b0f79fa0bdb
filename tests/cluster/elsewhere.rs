//! Who was told something at one node goes on at another, which has not heard of it.

use crate::nodes::Nodes;
use crate::support::customer::event_named;
use crate::support::scene::{DEMO, eventually};
use crate::support::sse::Events;
use crate::support::{Customer, Http, Options, within};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// By its name and the workspace's, of all three.
const FOLLOWS: usize = 0;
const OTHER: usize = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_behind_never_denies_what_another_has_told() {
    let mut nodes = Nodes::start(&Options::default().without_rate_limits()).await;
    let path = |after: &str| format!("/v1/workspaces/{DEMO}/events?limit=200&after={after}");
    nodes.cut_off(FOLLOWS);
    let mut zoe = Customer::start(nodes.server(OTHER).address, DEMO, "hello").await;
    zoe.post("is anybody there?").await;
    let mut stream = zoe.follow(None).await;
    let seen = loop {
        let event = event_named(&mut stream, "message").await;
        if event.json()["number"] == 2 {
            break event.id;
        }
    };
    let end = nodes.server(OTHER).admin("GET", &path("0.0"), None).await.json();
    let next = end["next"].as_str().expect("a place").to_owned();

    let behind = nodes.server(FOLLOWS).address;
    let denied = nodes.server(FOLLOWS).admin("GET", &path(&next), None).await;
    assert_eq!((denied.status, &denied.json()["code"]), (503, &json!("unavailable")), "{}", denied.text());
    let conversation = format!("/v1/workspaces/{DEMO}/conversations/{}", zoe.conversation);
    let key = format!("Authorization: Bearer {}\r\n", nodes.server(FOLLOWS).admin_key());
    let asked = tokio::spawn(async move {
        let mut http = Http::connect(behind).await.expect("the server listens");
        http.ask("GET", &conversation, &key, b"").await.expect("an answer")
    });
    let events = zoe.events.clone();
    let zoe = zoe.at(behind).await;
    let (mut first, words) = (zoe.another().await, json!({"text": "and here?"}));
    let posted = tokio::spawn(async move { first.call("POST", "messages", Some(words)).await.status });
    let followed = tokio::spawn(async move { Events::open(behind, &events, Some(seen)).await });
    // When nobody has heard for long who leads, whoever asks is told so.
    let ask = async || {
        let mut again = zoe.another().await;
        let asked = again.call("POST", "read", Some(json!({"number": 1})));
        timeout(Duration::from_secs(1), asked).await.map_or(0, |answer| answer.status)
    };
    let is_refused = |status: &u16| {
        assert!(matches!(status, 0 | 503), "{status}");
        *status == 503
    };
    eventually("a refusal", ask, is_refused).await;

    nodes.let_through(FOLLOWS);
    // What was under way is told when it is known; what waited behind it was refused.
    let posted = within("an answer", posted).await.expect("it is asked");
    assert!(matches!(posted, 201 | 503), "{posted}");
    if posted == 503 {
        let ask =
            async || zoe.another().await.call("POST", "messages", Some(json!({"text": "and here?"}))).await.status;
        eventually("the customer's message", ask, |status| *status == 201).await;
    }
    let facts = within("an administrator's answer", asked).await.expect("it is asked");
    assert!(matches!(facts.status, 200 | 503), "{}", facts.text());
    let followed = within("a stream", followed).await.expect("it is asked").expect("an answer");
    let mut followed = followed.unwrap_or_else(|status| panic!("no stream: {status}"));
    let event = event_named(&mut followed, "message").await;
    assert_eq!((&event.json()["number"], &event.json()["text"]), (&json!(3), &json!("and here?")));
    let again = nodes.server(FOLLOWS).admin("GET", &path(&next), None).await;
    assert_eq!(again.status, 200, "{}", again.text());
}
