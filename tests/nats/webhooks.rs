//! A webhook that is set at one node is all nodes': sent by the one that leads, and by the next when that one is gone.

use crate::pair::Pair;
use crate::support::scene::{DEMO, eventually};
use crate::support::{Customer, Options, Server, process};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use offhook::feed::Place;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::block_in_place;

const TYPES: &str = "conversation.*,message.*";

/// Takes everything, and keeps each with its id; or answers something else.
struct Receiver {
    url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    answer: Arc<AtomicU16>,
}

impl Receiver {
    async fn start() -> Self {
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let answer = Arc::new(AtomicU16::new(200));
        let (kept, answers) = (heard.clone(), answer.clone());
        let take = move |headers: HeaderMap, body: Bytes| async move {
            let event: Value = serde_json::from_slice(&body).expect("an event");
            let id = format!("{DEMO}_{}", event["id"].as_str().expect("an id").replace('.', "_"));
            assert_eq!(headers["webhook-id"], id);
            assert!(headers["webhook-signature"].to_str().expect("text").starts_with("v1,"));
            let status = answers.load(Ordering::Relaxed);
            if status == 200 {
                kept.lock().expect("whole").push(event);
            }
            StatusCode::from_u16(status).expect("a status")
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/secret-path", listener.local_addr().expect("its address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/secret-path", post(take))).await });
        Self { url, heard, answer }
    }

    fn answers(&self, status: u16) {
        self.answer.store(status, Ordering::Relaxed);
    }

    fn heard(&self) -> Vec<Value> {
        self.heard.lock().expect("whole").clone()
    }

    /// Each once, in the order in which they came first.
    fn taken(&self) -> Vec<Value> {
        let mut taken: Vec<Value> = Vec::new();
        for event in self.heard() {
            if taken.iter().all(|held| held["id"] != event["id"]) {
                taken.push(event);
            }
        }
        taken
    }

    /// Until all that the feed of this node has, behind a place, was brought; each conversation's in order.
    async fn has_all(&self, server: &Server, least: usize) -> Vec<Value> {
        let path = format!("/v1/workspaces/{DEMO}/events?limit=200&types={TYPES}");
        let due = async || {
            let page = server.admin("GET", &path, None).await.json();
            (page["events"].as_array().cloned().unwrap_or_default(), self.taken())
        };
        let (feed, taken) =
            eventually("all events", due, |(feed, taken)| feed.len() >= least && feed.len() == taken.len()).await;
        let of = |events: &[Value], id: &Value| {
            events.iter().filter(|event| event["conversation"] == *id).cloned().collect::<Vec<_>>()
        };
        for event in &feed {
            assert_eq!(of(&taken, &event["conversation"]), of(&feed, &event["conversation"]));
        }
        feed
    }
}

async fn call(server: &Server, method: &str, what: &str, body: Option<&Value>) -> (u16, Value) {
    let answer = server.admin(method, &format!("/v1/workspaces/{DEMO}/webhooks/crm{what}"), body).await;
    (answer.status, if answer.body.is_empty() { Value::Null } else { answer.json() })
}

async fn hook(server: &Server, receiver: &Receiver) -> Value {
    let types: Vec<&str> = TYPES.split(',').collect();
    let (status, made) = call(server, "PUT", "", Some(&json!({"url": receiver.url, "types": types}))).await;
    assert_eq!(status, 200, "{made}");
    made
}

/// As a node says that it stands, once that is as wanted.
async fn stands(server: &Server, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("how it stands", async || call(server, "GET", "", None).await.1, wanted).await
}

/// A message of this customer's, as soon as somebody leads.
async fn posts(customer: &mut Customer, text: &str) {
    let post = async || customer.another().await.call("POST", "messages", Some(json!({ "text": text }))).await.status;
    eventually("a message", post, |status| *status == 201).await;
}

fn options() -> Options {
    Options::default().without_rate_limits().with_webhooks_to_this_machine()
}

/// Two nodes that know of a webhook, and a customer at the first.
async fn hooked() -> (Pair, Receiver, Customer) {
    let (pair, receiver) = (Pair::start(&options(), |_| ()).await, Receiver::start().await);
    hook(&pair.nodes[0], &receiver).await;
    stands(&pair.nodes[1], |held| held["state"] == "active").await;
    let zoe = Customer::start(pair.nodes[0].address, DEMO, "hello").await;
    (pair, receiver, zoe)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_set_at_one_node_is_delivered_once_and_changed_at_either() {
    let pair = Pair::start(&options(), |_| ()).await;
    let [a, b] = &pair.nodes;
    let receiver = Receiver::start().await;
    let made = hook(a, &receiver).await;
    let secret = made["secret"].as_str().expect("a secret").trim_start_matches("whsec_").to_owned();
    let there = stands(b, |held| held["state"] == "active").await;
    assert_eq!((&there["url"], &there["created_at"]), (&made["url"], &made["created_at"]));

    let mut zoe = Customer::start(a.address, DEMO, "hello").await;
    let mut yan = Customer::start(b.address, DEMO, "hello").await;
    for text in ["one", "two", "three"] {
        posts(&mut zoe, text).await;
        posts(&mut yan, text).await;
    }
    let feed = receiver.has_all(a, 10).await;
    assert_eq!(receiver.heard().len(), feed.len(), "each came once: {:#?}", receiver.heard());
    // Either node knows how far it is.
    let end = &feed[feed.len() - 1]["id"];
    let place = |of: &Value| of.as_str().and_then(|of| of.parse::<Place>().ok());
    let is_there = |held: &Value| place(&held["cursor"]) >= place(end) && held["delivered_at"].is_u64();
    for node in [a, b] {
        stands(node, is_there).await;
    }
    for clear in [&receiver.url, &secret] {
        assert!(!pair.nats.holds(clear.as_bytes()), "NATS has it in clear");
    }

    let (status, paused) = call(b, "POST", "/pause", None).await;
    assert_eq!((status, &paused["paused"]), (200, &json!("asked")), "{paused}");
    stands(a, |held| held["paused"] == "asked").await;
    posts(&mut zoe, "four").await;
    let (status, _) = call(a, "POST", "/resume", None).await;
    assert_eq!(status, 200);
    receiver.has_all(b, 11).await;
    let (status, _) = call(b, "POST", "/replay", Some(&json!({"after": "first"}))).await;
    assert_eq!(status, 200);
    let again = async || receiver.heard().iter().filter(|event| event["id"] == *end).count();
    eventually("it comes again", again, |times| *times == 2).await;

    let (status, _) = call(b, "DELETE", "", None).await;
    assert_eq!((status, call(b, "GET", "", None).await.0), (204, 404));
    eventually("it is gone", async || call(a, "GET", "", None).await.0, |status| *status == 404).await;
}

/// One after the other: either leads at some time.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_leaves_its_webhooks_to_the_other_and_nothing_is_missed() {
    let (mut pair, receiver, mut zoe) = hooked().await;
    let mut least = 2;
    for (goes, stays) in [(0, 1), (1, 0)] {
        zoe = zoe.at(pair.nodes[goes].address).await;
        posts(&mut zoe, "before").await;
        pair.nodes[goes].kill();
        zoe = zoe.at(pair.nodes[stays].address).await;
        posts(&mut zoe, "while it is away").await;
        least += 2;
        receiver.has_all(&pair.nodes[stays], least).await;
        pair.start_again(goes);
        stands(&pair.nodes[goes], |held| held["state"] == "active").await;
    }
    // What was done while a node was away is known to it.
    pair.nodes[0].kill();
    let remove = async || call(&pair.nodes[1], "DELETE", "", None).await.0;
    eventually("it is removed", remove, |status| matches!(status, 204 | 404)).await;
    pair.start_again(0);
    eventually("it is gone", async || call(&pair.nodes[0], "GET", "", None).await.0, |status| *status == 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_had_by_itself_is_all_nodes_and_how_it_stands_is_shown_at_each() {
    let receiver = Receiver::start().await;
    let options = options().set("cluster.answer_within_ms=500");
    let mut alone = block_in_place(|| Server::start(&options));
    hook(&alone, &receiver).await;
    block_in_place(|| alone.stop());
    let bring = |dir: &Path| {
        for name in ["webhooks.db", "webhooks.db-wal"] {
            let held = alone.data_dir().join(name);
            if held.is_file() {
                std::fs::copy(held, dir.join(name)).expect("a file");
            }
        }
    };
    let pair = Pair::start(&options, bring).await;
    let [a, b] = &pair.nodes;
    stands(b, |held| held["url"] == receiver.url.as_str()).await;
    // What had happened at the one server has not happened here.
    let onward = json!({"after": "first"});
    let resume = async |node: &Server| {
        let resume = async || call(node, "POST", "/resume", Some(&onward)).await.0;
        eventually("it goes on", resume, |status| *status == 200).await;
    };
    resume(b).await;
    let mut zoe = Customer::start(a.address, DEMO, "hello").await;
    receiver.has_all(a, 2).await;

    receiver.answers(500);
    posts(&mut zoe, "is not taken").await;
    for node in [a, b] {
        let failing = stands(node, |held| held["state"] == "failing").await;
        assert_eq!(failing["failure"], "it answered 500", "{failing}");
    }
    receiver.answers(410);
    for node in [a, b] {
        stands(node, |held| held["paused"] == "endpoint_gone").await;
    }
    receiver.answers(200);
    pair.nats.freeze();
    let (status, refused) = call(b, "PUT", "", Some(&json!({"url": "http://127.0.0.1:1/other"}))).await;
    assert_eq!((status, &refused["code"]), (503, &json!("unavailable")), "{refused}");
    for node in [a, b] {
        assert_eq!(call(node, "GET", "", None).await.1["url"], receiver.url.as_str(), "what was before holds on");
    }
    pair.nats.thaw();
    resume(a).await;
    receiver.has_all(a, 3).await;
    for node in [a, b] {
        stands(node, |held| held["state"] == "active").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_set_at_both_nodes_at_once_are_all_there_and_no_more_than_may_be() {
    let pair = Pair::start(&options(), |_| ()).await;
    let [a, b] = &pair.nodes;
    let set = async |node: &Server, of: &str| {
        let mut set = Vec::new();
        for number in 0..12 {
            let (name, body) = (format!("{of}-{number}"), json!({"url": "http://127.0.0.1:1/hook"}));
            let path = format!("/v1/workspaces/{DEMO}/webhooks/{name}");
            let answer = node.admin("PUT", &path, Some(&body)).await;
            match answer.status {
                200 => set.push(name),
                status => assert_eq!((status, &answer.json()["code"]), (409, &json!("too_many")), "{}", answer.text()),
            }
        }
        set
    };
    let (of_a, of_b) = tokio::join!(set(a, "a"), set(b, "b"));
    let all: BTreeSet<String> = of_a.into_iter().chain(of_b).collect();
    assert_eq!(all.len(), 20);
    for node in [a, b] {
        let names = async || {
            let page = node.admin("GET", &format!("/v1/workspaces/{DEMO}/webhooks"), None).await.json();
            let held = page["webhooks"].as_array().cloned().unwrap_or_default();
            held.iter().filter_map(|held| held["name"].as_str().map(str::to_owned)).collect::<BTreeSet<_>>()
        };
        eventually("all of them", names, |names| *names == all).await;
    }
}

/// It is its own still, and holds up nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_webhook_for_which_all_have_no_room_sends_those_of_all() {
    let elsewhere = Receiver::start().await;
    let mut alone = block_in_place(|| Server::start(&options()));
    hook(&alone, &elsewhere).await;
    block_in_place(|| alone.stop());

    let (mut pair, receiver) = (Pair::start(&options(), |_| ()).await, Receiver::start().await);
    let types: Vec<&str> = TYPES.split(',').collect();
    for number in 0..20 {
        let url = if number == 0 { receiver.url.as_str() } else { "http://127.0.0.1:1/nobody" };
        let path = format!("/v1/workspaces/{DEMO}/webhooks/hook-{number}");
        let set = pair.nodes[0].admin("PUT", &path, Some(&json!({"url": url, "types": types}))).await;
        assert_eq!(set.status, 200, "{}", set.text());
    }
    let mut zoe = Customer::start(pair.nodes[0].address, DEMO, "hello").await;
    receiver.has_all(&pair.nodes[0], 2).await;
    block_in_place(|| pair.nodes[1].stop());
    std::fs::copy(alone.data_dir().join("webhooks.db"), pair.nodes[1].data_dir().join("webhooks.db")).expect("a file");
    pair.start_again(1);
    pair.nodes[0].kill();
    zoe = zoe.at(pair.nodes[1].address).await;
    posts(&mut zoe, "is anybody there?").await;
    receiver.has_all(&pair.nodes[1], 3).await;
}

/// One after the other: either leads at some time.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stands_still_and_goes_on_leaves_its_webhooks_to_the_one_that_leads() {
    let (pair, receiver, mut zoe) = hooked().await;
    let mut least = 2;
    for (still, other) in [(0, 1), (1, 0)] {
        let (still, other) = (&pair.nodes[still], &pair.nodes[other]);
        posts(&mut zoe, "before").await;
        process::freeze(still.pid() as i32);
        zoe = zoe.at(other.address).await;
        posts(&mut zoe, "while it stands still").await;
        least += 2;
        receiver.has_all(other, least).await;
        process::thaw(still.pid() as i32);
        posts(&mut zoe, "when it goes on").await;
        least += 1;
        receiver.has_all(still, least).await;
    }
}
