//! A busy day, heard through the feed alone, gives what the admin API says: who owns what, what was said, and that each offer was made once
//! and has one end.

use crate::support::scene::{DEMO, server};
use crate::support::{Agent, Customer, Server};
use crate::{all, key};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CUSTOMERS: usize = 40;

/// What a consumer makes of the feed.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    owner: Option<String>,
    is_closed: bool,
    messages: u64,
    offers_made: u64,
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap_or_else(|| panic!("{field}: {event}")).to_owned()
}

fn replayed(events: &[Value]) -> (BTreeMap<String, Heard>, BTreeMap<String, Option<String>>) {
    let (mut conversations, mut offers) = (BTreeMap::<String, Heard>::new(), BTreeMap::new());
    for event in events {
        let Some(id) = event["conversation"].as_str() else { continue };
        let heard = conversations.entry(id.to_owned()).or_default();
        match event["type"].as_str().expect("a type") {
            "offer.made" => {
                heard.offers_made += 1;
                assert_eq!(offers.insert(text(event, "offer"), None), None, "made twice: {event}");
            }
            "offer.ended" => {
                let end = offers.get_mut(&text(event, "offer")).expect("it was made");
                assert_eq!(end.replace(text(event, "end")), None, "ended twice: {event}");
                if event["end"] == "accepted" {
                    heard.owner = Some(text(event, "agent"));
                }
            }
            "conversation.taken" => heard.owner = Some(text(event, "to")),
            "conversation.requeued" | "conversation.transferred" => heard.owner = None,
            "conversation.ended" => (heard.owner, heard.is_closed) = (None, true),
            "conversation.reopened" => {
                (heard.owner, heard.is_closed) = (event["owner"].as_str().map(str::to_owned), false);
            }
            "message.posted" => {
                heard.messages += 1;
                assert_eq!(event["number"], heard.messages, "{event}");
            }
            _ => {}
        }
    }
    (conversations, offers)
}

/// Takes some, refuses some, gives some back to the queue, closes some, leaves the rest.
async fn works(server: &Server, name: &str) {
    let mut agent = Agent::available(server, DEMO, name).await;
    for round in 0..CUSTOMERS {
        let offer = agent.wait_for("offer").await["offer"].clone();
        let conversation = offer["conversation"]["conversation"].clone();
        if round % 5 == 3 {
            agent.ask(json!({"type": "reject", "offer": offer["offer"], "reason": "busy"})).await;
            continue;
        }
        let accepted = agent.ask(json!({"type": "accept", "offer": offer["offer"]})).await;
        if accepted["ok"] != true {
            continue;
        }
        agent.must(json!({"type": "send", "conversation": conversation, "text": "Good morning"})).await;
        match round % 4 {
            0 => drop(agent.must(json!({"type": "transfer", "conversation": conversation, "queue": "support"})).await),
            _ => drop(agent.must(json!({"type": "close", "conversation": conversation})).await),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_day_heard_through_the_feed_is_what_the_admin_api_says() {
    let server = server();
    server
        .change_settings(DEMO, |settings| {
            settings["cool_downs"] =
                json!({"rejected_ms": 0, "expired_ms": 0, "undelivered_ms": 0, "agent_lost_ms": 0, "most_ms": 0});
            settings["delivery_ms"] = json!(60_000);
        })
        .await;
    let key = key(&server, &["events"]).await;
    let customers = async {
        for nth in 0..CUSTOMERS {
            let mut customer =
                Customer::start_when_there_is_room(server.address, DEMO, &format!("question {nth}")).await;
            if nth % 3 == 0 {
                customer.post("and another").await;
            }
        }
    };
    // The agents work until everything has been done with: then they are left waiting, and given up.
    let floor = async { tokio::join!(works(&server, "ada"), works(&server, "bob"), works(&server, "cleo")) };
    let done = async {
        customers.await;
        let waiting = async || {
            let page = server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/queues"), None).await.json();
            page["rows"][0]["waiting"].as_u64().unwrap_or(0) + page["rows"][0]["offered"].as_u64().unwrap_or(0)
        };
        crate::support::scene::eventually("an empty queue", waiting, |waiting| *waiting == 0).await;
    };
    tokio::select! {
        _ = floor => {}
        () = done => {}
    }

    let (heard, offers) = replayed(&all(&server, &key, ""));
    assert!(heard.len() == CUSTOMERS && offers.len() >= CUSTOMERS, "{} {}", heard.len(), offers.len());
    for (id, heard) in &heard {
        let facts = server.admin("GET", &format!("/v1/workspaces/{DEMO}/conversations/{id}"), None).await.json();
        let said = Heard {
            owner: facts["owner"].as_str().map(str::to_owned),
            is_closed: facts["state"] == "closed",
            messages: facts["last_number"].as_u64().expect("a number"),
            offers_made: facts["offers_made"].as_u64().expect("a number"),
        };
        assert_eq!(*heard, said, "{facts}");
        let path = format!("/v1/workspaces/{DEMO}/conversations/{id}/events?limit=200");
        let journal = server.admin("GET", &path, None).await.json();
        for event in
            journal["events"].as_array().expect("events").iter().filter(|event| event["event"] == "offer_ended")
        {
            let (offer, end) = (text(&event["data"], "offer"), text(&event["data"], "end"));
            assert_eq!(offers[&offer].as_ref(), Some(&end));
        }
    }
    let rows = server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/agents"), None).await.json();
    let pending: u64 = rows["rows"].as_array().expect("rows").iter().filter_map(|row| row["offers"].as_u64()).sum();
    assert_eq!(offers.values().filter(|end| end.is_none()).count() as u64, pending);
}
