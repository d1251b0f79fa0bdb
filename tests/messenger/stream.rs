//! The event stream: taken up anywhere, over a kill too, and live.

use crate::support::customer::event_named;
use crate::support::http::Http;
use crate::support::scene::{DEMO, offered, refused, server, talking};
use crate::support::sse::Events;
use crate::support::{Agent, within};
use crate::{call, problem, until_state};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_gives_each_numbered_event_once_wherever_it_is_taken_up() {
    let mut server = server();
    let (mut agent, mut customer) = talking(&server, "ada").await;
    for number in 2..6 {
        assert_eq!(customer.post(&format!("text {number}")).await, number);
    }
    agent.must(json!({"type": "close", "conversation": customer.conversation})).await;
    customer.post("one more thing").await;
    let wanted =
        ["opened", "message", "joined", "message", "message", "message", "message", "ended", "reopened", "message"];
    for kill in [false, true] {
        if kill {
            server.kill();
            server.start_again();
        }
        for after in 0..=wanted.len() {
            let opened = within("a stream", Events::open(server.address, &customer.events, Some(after as u64))).await;
            let mut events = opened.unwrap().unwrap();
            let mut seen = Vec::new();
            while seen.len() < wanted.len() - after {
                let event = within("an event", events.next()).await.unwrap().unwrap();
                if !["state", "read", "typing"].contains(&event.name.as_str()) {
                    assert_eq!(event.id, (after + seen.len() + 1) as u64, "{event:?}");
                    seen.push(event.name);
                }
            }
            assert_eq!(seen, wanted[after..]);
        }
        let beyond = within("an answer", Events::open(server.address, &customer.events, Some(999))).await.unwrap();
        assert_eq!(beyond.err(), Some(422));
    }
    // By the query as well as by the header, and never with another's ticket.
    let path = format!(
        "/conversations/{}/events?after=9&{}",
        customer.conversation,
        customer.events.split_once('?').unwrap().1
    );
    let mut http = Http::connect(server.address).await.unwrap();
    http.send("GET", &format!("/v1/messenger/{DEMO}{path}"), "", b"").await.unwrap();
    let head = within("an answer", http.head()).await.unwrap();
    let header = |name: &str| head.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.clone());
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    let first = within("a chunk", http.chunk()).await.unwrap().unwrap();
    assert!(first.starts_with(b"retry: 1000\n\n"), "{}", String::from_utf8_lossy(&first));
    let forged = format!("/conversations/{}/events?ticket=ohs1.abc", customer.conversation);
    let refused = call(server.address, "GET", &forged, &[], b"").await;
    assert_eq!((refused.status, problem(&refused)["code"].clone()), (401, json!("unauthorized")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_on_the_stream_as_it_happens() {
    let server = server();
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let (mut customer, offer) = offered(&server, &mut agent).await;
    let mut events = customer.follow(None).await;
    assert_eq!(event_named(&mut events, "message").await.json()["text"], "hello");
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(event_named(&mut events, "joined").await.json()["agent"]["title"], "ada");
    assert_eq!(until_state(&mut events, |state| state["state"] == "active").await["agent_connection"], "online");
    agent.must(json!({"type": "read", "conversation": customer.conversation, "number": 1})).await;
    assert_eq!(event_named(&mut events, "read").await.json()["number"], 1);
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "hi"})).await;
    let message = event_named(&mut events, "message").await.json();
    assert_eq!((&message["author"], &message["text"]), (&json!("agent"), &json!("hi")));
    assert_eq!(message["agent"]["title"], "ada");
    drop(agent);
    until_state(&mut events, |state| state["agent_connection"] == "reconnecting").await;
    let _back = Agent::connect(&server, DEMO, "ada").await;
    until_state(&mut events, |state| state["agent_connection"] == "online").await;
    assert_eq!(customer.call("POST", "leave", None).await.status, 204);
    assert_eq!(event_named(&mut events, "ended").await.json()["by"], "customer");
    let again = customer.call("POST", "leave", None).await;
    assert_eq!((again.status, problem(&again)["code"].clone()), (409, json!("wrong_state")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_grows_is_seen_before_it_is_a_message_and_is_kept_nowhere() {
    let server = server();
    let (mut agent, customer) = talking(&server, "ada").await;
    let mut events = customer.follow(None).await;
    let last = event_named(&mut events, "joined").await.id;
    let typing = |text: &str| json!({"type": "typing", "conversation": customer.conversation, "text": text});
    for text in ["so", "so f", "so far \u{1f600}", ""] {
        agent.send(typing(text)).await;
        let seen = event_named(&mut events, "typing").await;
        assert_eq!((seen.id, seen.json()), (last, json!({ "text": text })));
    }
    agent.send(json!({"type": "typing", "conversation": customer.conversation})).await;
    assert_eq!(event_named(&mut events, "typing").await.json(), json!({}));
    let too_large = refused(&mut agent, typing(&"x".repeat(16 * 1024 + 1))).await;
    assert_eq!((&too_large["code"], &too_large["field"]), (&json!("too_large"), &json!("text")));
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "so far, so good"})).await;
    assert_eq!(event_named(&mut events, "message").await.json()["text"], "so far, so good");

    let mut eve = Agent::available(&server, DEMO, "eve").await;
    assert_eq!(refused(&mut eve, typing("mine")).await["code"], "not_yours");
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/events?limit=200", customer.conversation);
    let journal = server.admin("GET", &path, None).await;
    assert!(!journal.text().contains("so f\"") && journal.text().contains("so far, so good"), "{}", journal.text());
}
