//! What is set at one node and holds at all: quotas, and the bucket that they lie in.

use crate::journal::settings;
use crate::pair::Pair;
use crate::support::nats::Nats;
use crate::support::scene::{DEMO, eventually};
use crate::support::{Customer, Options, Response, Server};
use offhook::cluster::{NotShared, Part, SharedSettings};
use offhook::journal::nats::connect;
use serde_json::{Value, json};
use std::sync::Arc;

async fn part(nats: &Nats, word: &'static str) -> Arc<Part> {
    let settings = settings(nats);
    let context = connect(&settings).await.expect("the server answers");
    Arc::new(SharedSettings::open(context, &settings).await.expect("the bucket is as it has to be")).part(word)
}

async fn one_more(part: &Part) -> u64 {
    let read =
        |there: Option<&[u8]>| there.map_or(0, |bytes| std::str::from_utf8(bytes).unwrap().parse::<u32>().unwrap());
    let more = |there: Option<&[u8]>| Ok::<_, NotShared>(Some((read(there) + 1).to_string().into_bytes()));
    part.change("acme", more).await.expect("it is set")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_an_entry_takes_back_nothing_that_another_did_and_all_hear_how_it_ends() {
    let nats = Nats::alone("").await;
    let (a, b, other) = (part(&nats, "count").await, part(&nats, "count").await, part(&nats, "other").await);
    let mut nothing = other.follow();
    assert!(matches!(nothing.next().await, (said, true) if said.is_empty()), "there is nothing yet");
    let mut changes = Vec::new();
    for part in [&a, &b] {
        let part = part.clone();
        changes.push(tokio::spawn(async move {
            let mut last = 0;
            for _ in 0..20 {
                last = one_more(&part).await;
            }
            last
        }));
    }
    let mut last = 0;
    for change in changes {
        last = last.max(change.await.expect("it ends"));
    }
    for part in [&a, &b] {
        let mut following = part.follow();
        let said = loop {
            let (said, is_all) = following.next().await;
            following.taken();
            if is_all {
                break said;
            }
        };
        assert_eq!(said.last().map(|said| (&*said.name, &*said.value)), Some(("acme", &b"40"[..])));
        part.until_heard(last).await.expect("it came");
    }
    let kept = a.change("acme", |_| Ok::<_, NotShared>(None)).await.expect("it is read");
    assert_eq!(kept, last, "nothing is put where nothing changes");
}

fn path() -> String {
    format!("/v1/workspaces/{DEMO}/quota")
}

async fn put(server: &Server, quota: &Value) -> Response {
    server.admin("PUT", &path(), Some(quota)).await
}

async fn set(server: &Server) -> Value {
    server.admin("GET", &path(), None).await.json()["set"].clone()
}

async fn shows(server: &Server, quota: &Value) {
    eventually("the quota", async || set(server).await, |set| set == quota).await;
}

fn options() -> Options {
    Options::default().without_rate_limits()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_set_at_one_node_holds_at_both_and_after_both_were_killed() {
    let mut pair = Pair::start(&options(), |_| ()).await;
    let quota = json!({"open_conversations": 1});
    let answer = put(&pair.nodes[0], &quota).await;
    assert_eq!((answer.status, &answer.json()["set"]), (200, &quota), "{}", answer.text());
    shows(&pair.nodes[1], &quota).await;
    let _zoe = Customer::start(pair.nodes[0].address, DEMO, "hello").await;
    let refused = async || match Customer::try_start(pair.nodes[1].address, DEMO, &json!({"text": "hello"})).await {
        Ok(_) => panic!("it is begun"),
        Err(refused) => refused,
    };
    let answer = eventually("an answer", refused, |refused| refused.status != 503).await;
    assert_eq!((answer.status, &answer.json()["what"]), (409, &json!("open_conversations")), "{}", answer.text());

    pair.nodes.iter_mut().for_each(Server::kill);
    // A node that has lost it hears it from the others.
    std::fs::remove_file(pair.nodes[1].data_dir().join("quotas.json")).expect("it was kept");
    pair.start_again(0);
    pair.start_again(1);
    assert_eq!(set(&pair.nodes[0]).await, quota);
    shows(&pair.nodes[1], &quota).await;
    let answer = put(&pair.nodes[1], &json!({})).await;
    assert_eq!((answer.status, &answer.json()["set"]), (200, &json!({})), "{}", answer.text());
    shows(&pair.nodes[0], &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_node_had_is_the_clusters_and_what_nats_does_not_take_is_refused() {
    let had = json!({"agents": 7});
    let file = json!({"format": 1, "workspaces": {DEMO: had}}).to_string();
    let options = options().set("cluster.answer_within_ms=500");
    let pair = Pair::start(&options, |dir| std::fs::write(dir.join("quotas.json"), file).expect("a file")).await;
    shows(&pair.nodes[1], &had).await;
    pair.nats.freeze();
    let answer = put(&pair.nodes[1], &json!({"agents": 8})).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("unavailable")), "{}", answer.text());
    assert_eq!((set(&pair.nodes[0]).await, set(&pair.nodes[1]).await), (had.clone(), had), "what was before holds on");
    pair.nats.thaw();
    let quota = json!({"agents": 9});
    let again = async || put(&pair.nodes[1], &quota).await.status;
    eventually("it is set", again, |status| *status == 200).await;
    shows(&pair.nodes[0], &quota).await;
    assert_eq!(pair.nodes[1].metric("offhook_cluster_settings_followed{part=\"quota\"}").await, 1.0);
}
