//! What becomes too old is cut from a cluster's journal once all nodes have it, and nodes that lack it begin with another one's view.

use crate::journal::settings;
use crate::member::{bring, of_node};
use crate::proxy::Proxy;
use crate::support::backups::{Place, patiently, text};
use crate::support::clock::WallClock;
use crate::support::nats::Nats;
use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Customer, Server};
use async_nats::Subscriber;
use futures_util::StreamExt;
use offhook::cluster::{Lease, LeaseSettings, Post};
use offhook::engine::passing::views::{ViewsAsked, ViewsTold};
use offhook::journal::nats::{NatsJournal, NatsSettings, connect};
use offhook::journal::{Journal, Position};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::block_in_place;

const DAY_MS: i64 = 86_400_000;
/// As `of_node` calls it.
const CLUSTER: &str = "trio";
/// Of these two the first leads the workspace.
const LEADS: &str = "n6";
const FOLLOWS: &str = "n8";
/// What each node has for itself.
const OF_ONE_NODE: [&str; 4] = ["signins.db", "audit.db", "webhooks.db", "status.json"];

/// Nodes over one server of NATS, under one clock.
struct Nodes {
    nats: Nats,
    clock: WallClock,
    dir: tempfile::TempDir,
}

impl Nodes {
    async fn new() -> Self {
        Self { nats: Nats::alone("").await, clock: WallClock::new(), dir: tempfile::tempdir().expect("a directory") }
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn address(&self) -> String {
        self.nats.address.trim_start_matches("nats://").to_owned()
    }

    fn try_start(&self, node: &str, dir: &Path) -> Result<Server, String> {
        self.try_start_by(node, dir, self.address())
    }

    /// With this way to the server of NATS.
    fn try_start_by(&self, node: &str, dir: &Path, address: String) -> Result<Server, String> {
        // Who says nothing while nodes start keeps its connection.
        let options = patiently();
        let options = options.set("cluster.replicas=1").set("journal.retention_days=1");
        let options = options.set("health.probe_every_ms=100").set("health.probe_within_ms=20000");
        let options = of_node(node, dir.to_owned(), &[address], &self.clock.under(options));
        block_in_place(|| Server::try_start(&options))
    }

    fn start(&self, node: &str) -> Server {
        self.try_start(node, &self.dir(node)).unwrap_or_else(|why| panic!("{why}"))
    }

    /// With the files that all nodes share.
    fn start_beside(&self, first: &Server, node: &str) -> Server {
        bring(first.data_dir(), &self.dir(node));
        self.start(node)
    }

    fn settings(&self) -> NatsSettings {
        NatsSettings { name: CLUSTER.to_owned(), ..settings(&self.nats) }
    }

    /// As a node that has no place and leads nothing.
    async fn journal(&self) -> NatsJournal {
        let settings = self.settings();
        let context = connect(&settings).await.expect("the server answers");
        NatsJournal::open(context, &settings, "nobody").await.expect("the stream is as it has to be")
    }

    /// Something that lives as a node does, with what is asked of it.
    async fn lives(&self, node: &str) -> (Lease, Post, Subscriber) {
        let settings = self.settings();
        let context = connect(&settings).await.expect("the server answers");
        let (client, own) = (
            context.client().clone(),
            LeaseSettings { node: node.to_owned(), address: String::new(), lease_ms: 60_000 },
        );
        let lease = Lease::join(context, &settings, own).await.expect("there is room");
        let post = Post::open(client, CLUSTER, lease.number(), settings.answer_within).await;
        let (post, questions, _) = post.expect("it can be asked");
        (lease, post, questions)
    }
}

async fn first(journal: &NatsJournal) -> Position {
    let read = journal.read(&Arc::from(DEMO), Position(0), 1, 1).await.expect("it can be read");
    read.first().map_or(Position(0), |record| record.position)
}

async fn last(journal: &NatsJournal) -> Position {
    let tail = journal.tail(&Arc::from(DEMO)).await.expect("it can be read");
    tail.map_or(Position(0), |record| record.position)
}

/// All that was said, as the customer reads it at a node, once that has lived through it.
async fn history(zoe: &Customer, at: &Server, messages: usize) -> Value {
    let ask = async || {
        let page = zoe.another().await.at(at.address).await.call("GET", "messages?limit=200", None).await;
        assert_eq!(page.status, 200, "{}", page.text());
        page.json()
    };
    let many = |page: &Value| page["messages"].as_array().map_or(0, Vec::len);
    eventually("all messages", ask, |page| many(page) >= messages).await
}

fn is_refused(started: Result<Server, String>) {
    let why = started.err().expect("it has a hole");
    for words in ["begins at", "offhook backup --whole --to", "offhook restore --new-node --from"] {
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_nodes_have_is_cut_and_who_lacks_it_begins_with_the_view_of_another() {
    let nodes = Nodes::new().await;
    // What is said now is two days old afterwards.
    nodes.clock.set_off_ms(-2 * DAY_MS);
    let mut a = nodes.start("a");
    let mut b = nodes.start_beside(&a, "b");
    let mut away = nodes.start_beside(&a, "c");
    assert!(block_in_place(|| away.stop()).success(), "{}", away.log_tail());
    let patient = json!({"title": "Support", "waiting": {"waiting_ms_max": null}});
    let put = a.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/support"), Some(&patient)).await;
    assert!(put.is_success(), "{}", put.text());
    let mut zoe = Customer::start(a.address, DEMO, "hello").await;
    for number in 0..20 {
        zoe.post(&format!("is anybody there? {number}")).await;
    }
    let (journal, said) = (nodes.journal().await, 21);
    let posted = last(&journal).await;
    let before = history(&zoe, &b, said).await;

    nodes.clock.set_off_ms(0);
    eventually("a cut", async || first(&journal).await, |first| *first >= posted).await;
    let mut cut = 0.0;
    for node in [&a, &b] {
        cut += node.metric("offhook_journal_cut_records_total").await;
        assert!(node.metric("offhook_cluster_stream_bytes").await > 0.0);
    }
    assert!(cut >= (posted.0 - 1) as f64, "{cut}");
    for node in [&a, &b] {
        assert_eq!(history(&zoe, node, said).await, before);
    }
    // The conversation waits still, though nothing of it is in the journal.
    let mut ada = Agent::available(&a, DEMO, "ada").await;
    let of_zoe = |frame: &Value| frame["offer"]["conversation"]["conversation"] == zoe.conversation.as_str();
    let offer = ada.until("an offer", |frame| frame["type"] == "offer" && of_zoe(frame)).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]["offer"]})).await;
    ada.must(json!({"type": "send", "conversation": zoe.conversation, "text": "good morning"})).await;
    zoe = zoe.at(b.address).await;
    zoe.post("good morning to you").await;
    let told = history(&zoe, &a, said + 2).await;
    assert_eq!(history(&zoe, &b, said + 2).await, told);
    assert_eq!(told["messages"][20], before["messages"][20]);

    is_refused(nodes.try_start("c", &nodes.dir("c")));
    bring(a.data_dir(), &nodes.dir("d"));
    is_refused(nodes.try_start("d", &nodes.dir("d")));
    let place = Place::new();
    for _ in 0..2 {
        let taken = place.taken(&a, &[]);
        let manifest = place.manifest(&taken);
        assert_eq!((&manifest["kind"], &manifest["workspaces"]), (&json!("whole"), &json!({})), "{manifest}");
        assert!(manifest["views"][DEMO].as_u64() > Some(posted.0), "{manifest}");
        place.is_sound();
    }
    let brought = nodes.dir("brought");
    let done = place.restore(&brought, &["--new-node"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    for name in OF_ONE_NODE.into_iter().filter(|name| *name != "audit.db").chain(["journal.db"]) {
        assert!(!brought.join(name).exists(), "{name}");
    }
    // What came after the backup is in the journal.
    zoe.post("are you still there?").await;
    let mut d = nodes.try_start("d", &brought).expect("it has a view");
    let told = history(&zoe, &d, said + 3).await;
    assert_eq!(history(&zoe, &a, said + 3).await, told);
    let probed = async || d.metric("offhook_probes_total{outcome=\"done\"}").await;
    eventually("a probe of its own", probed, |done| *done > 0.0).await;
    zoe = zoe.at(d.address).await;
    zoe.post("here too").await;
    ada.until("the message", |frame| frame["type"] == "message" && frame["text"] == "here too").await;

    drop(ada);
    for node in [&mut a, &mut b, &mut d] {
        assert!(block_in_place(|| node.stop()).success(), "{}", node.log_tail());
    }
    for node in [&mut d, &mut a, &mut b] {
        block_in_place(|| node.start_again());
    }
    zoe = zoe.at(a.address).await;
    let told = history(&zoe, &a, said + 4).await;
    for node in [&b, &d] {
        assert_eq!(history(&zoe, node, said + 4).await, told);
    }
    zoe = zoe.at(b.address).await;
    zoe.post("good night").await;
}

async fn held(server: &Server, why: &str) {
    let held = async || server.metric(&format!("offhook_cluster_cuts_held_total{{why=\"{why}\"}}")).await;
    eventually(why, held, |held| *held > 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_says_nothing_or_is_behind_holds_the_cut_back_as_long_as_it_lives() {
    let nodes = Nodes::new().await;
    nodes.clock.set_off_ms(-2 * DAY_MS);
    let server = nodes.start(LEADS);
    let mut zoe = Customer::start(server.address, DEMO, "hello").await;
    zoe.post("is anybody there?").await;
    let journal = nodes.journal().await;
    let posted = last(&journal).await;
    let (lease, post, mut questions) = nodes.lives(FOLLOWS).await;
    let seen = async || server.metric("offhook_cluster_nodes").await;
    eventually("two nodes", seen, |seen| *seen == 2.0).await;

    nodes.clock.set_off_ms(0);
    held(&server, "silent").await;
    assert_eq!(first(&journal).await, Position(1));
    let answers = tokio::spawn(async move {
        while let Some(question) = questions.next().await {
            if let Some(asked) = ViewsAsked::decode(&question.payload) {
                let told = ViewsTold { on_disk: vec![1; asked.workspaces.len()] };
                post.answer(question.reply.expect("it wants an answer"), told.encode()).await.expect("it is sent");
            }
        }
    });
    held(&server, "behind").await;
    assert_eq!(first(&journal).await, Position(1));
    lease.leave().await;
    eventually("a cut", async || first(&journal).await, |first| *first >= posted).await;
    answers.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_cut_off_while_records_went_that_it_lacks_ends() {
    let nodes = Nodes::new().await;
    let server = nodes.start(LEADS);
    bring(server.data_dir(), &nodes.dir(FOLLOWS));
    let way = Proxy::to(&nodes.address()).await;
    let follows = nodes.try_start_by(FOLLOWS, &nodes.dir(FOLLOWS), way.address.to_string());
    let mut follows = follows.unwrap_or_else(|why| panic!("{why}"));
    let mut zoe = Customer::start(server.address, DEMO, "hello").await;
    history(&zoe, &follows, 1).await;

    way.stall();
    let seen = async || server.metric("offhook_cluster_nodes").await;
    eventually("one node", seen, |seen| *seen == 1.0).await;
    for number in 0..10 {
        zoe.post(&format!("is anybody there? {number}")).await;
    }
    // As after a day.
    let journal = nodes.journal().await;
    assert!(journal.cut(&Arc::from(DEMO), last(&journal).await).await.expect("it is cut") > 10);
    // What was on its way is lost.
    way.reset();
    way.flow();
    assert!(!block_in_place(|| follows.ended()).success());
    is_refused(Err(follows.log_tail()));
    is_refused(nodes.try_start(FOLLOWS, &nodes.dir(FOLLOWS)));
    zoe.post("goodbye").await;
}
