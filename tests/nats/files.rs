//! Files of a cluster, black box: sent at one node and read at another, whatever becomes of one of them.

use crate::member::{NAMES, bring, of_node};
use crate::support::files::{ask, files_path, picture, post, read, stored, upload, upload_with, uploaded};
use crate::support::nats::Nats;
use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Customer, Options, Server, command_id};
use async_nats::jetstream;
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use tokio::task::block_in_place;

struct Two {
    nats: Nats,
    a: Server,
    b: Server,
    /// What they were started with.
    options: [Options; 2],
    _dir: tempfile::TempDir,
}

fn options() -> Options {
    Options::default().without_rate_limits().set("cluster.replicas=1").set("health.probe_every_ms=0")
}

impl Two {
    async fn start(options: &Options) -> Self {
        let nats = Nats::alone("").await;
        let dir = tempfile::tempdir().expect("a directory");
        let nats_at = [nats.address.trim_start_matches("nats://").to_owned()];
        let options = [NAMES[0], NAMES[1]].map(|name| of_node(name, dir.path().join(name), &nats_at, options));
        let start = |options: &Options| block_in_place(|| Server::start(options));
        let a = start(&options[0]);
        bring(a.data_dir(), &dir.path().join("b"));
        let b = start(&options[1]);
        for server in [&a, &b] {
            let nodes = async || server.metric("offhook_cluster_nodes").await;
            eventually("two nodes", nodes, |nodes| *nodes == 2.0).await;
        }
        Self { nats, a, b, options, _dir: dir }
    }

    /// Messages in the store of files.
    async fn messages(&self) -> u64 {
        let client = async_nats::connect(&self.nats.address).await.expect("it answers");
        let stream = jetstream::new(client).get_stream("trio-files").await.expect("it is there");
        stream.get_info().await.expect("it answers").state.messages
    }
}

/// Ada works at one node, and talks with Zoe, who came to the other.
async fn talking(ada_at: &Server, zoe_at: &Server) -> (Agent, Customer) {
    let mut ada = Agent::available(ada_at, DEMO, "ada").await;
    let zoe = Customer::start_when_there_is_room(zoe_at.address, DEMO, "hello").await;
    let offer = ada.until("an offer", |frame| frame["type"] == "offer").await["offer"].clone();
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.until("the conversation", |frame| frame["type"] == "conversation").await;
    (ada, zoe)
}

fn shared(what: &str) -> String {
    format!("offhook_files_shared_total{{what=\"{what}\"}}")
}

/// Until a node has heard of what another one committed.
async fn posted(at: &Server, zoe: Customer, text: &str, files: &[&Value]) -> Customer {
    let mut zoe = zoe.at(at.address).await;
    let answer = post(&mut zoe, text, files).await;
    assert_eq!(answer.status, 201, "{}\n{}", answer.text(), at.log_tail());
    zoe
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_sent_at_one_node_is_read_at_the_other_and_outlives_the_first() {
    let mut two = Two::start(&options()).await;
    let (mut ada, zoe) = talking(&two.b, &two.a).await;
    let of_ada = two.b.agent_token(DEMO, "ada", Role::Agent);

    // There.
    let file = uploaded(&two.a, &zoe, "a.png", &picture()).await;
    assert!(!two.nats.holds(b"A secret of the customer"), "NATS sees no plain byte");
    let zoe = posted(&two.a, zoe, "look", &[&file]).await;
    ada.until("the message", |frame| frame["type"] == "message" && frame["files"][0]["file"] == file["file"]).await;
    for _ in 0..2 {
        let answer = read(&two.b, "agent", &zoe.conversation, &of_ada, &file).await;
        assert_eq!((answer.status, answer.body == picture()), (200, true), "{}", two.b.log_tail());
    }
    assert_eq!(two.b.metric(&shared("fetched")).await, 1.0, "the second time it is here");
    assert_eq!((stored(&two.a).len(), stored(&two.b).len()), (1, 1));

    // And back.
    let path = format!("{}?name=bill.txt", files_path("agent", &zoe.conversation));
    let answer = ask(&two.b, "POST", &path, &of_ada, &command_id(), "bill: 3 €".as_bytes()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let bill = answer.json()["file"].take();
    ada.must(json!({"type": "send", "conversation": zoe.conversation, "text": "it", "files": [bill["file"]]})).await;
    let answer = read(&two.a, "messenger", &zoe.conversation, &zoe.token, &bill).await;
    assert_eq!(answer.text(), "bill: 3 €");

    // The same again at the other node is the same file, and another is refused there as here.
    let (id, before) = (command_id(), two.messages().await);
    let first = upload_with(&two.a, &zoe, "c.png", &picture(), &id).await.json();
    let put = two.messages().await - before;
    let again = upload_with(&two.b, &zoe, "c.png", &picture(), &id).await;
    assert_eq!((again.status, again.json()), (201, first.clone()));
    assert_eq!(two.messages().await, before + put);
    for server in [&two.a, &two.b] {
        let other = upload_with(server, &zoe, "c.png", b"another", &id).await;
        assert_eq!((other.status, &other.json()["code"]), (409, &json!("id_reused")), "{}", other.text());
    }
    // Sent here, named there.
    let zoe = posted(&two.b, zoe, "and this", &[&first["file"]]).await;
    let later = uploaded(&two.a, &zoe, "d.png", &picture()).await;
    let mut zoe = posted(&two.b, zoe, "and that", &[&later]).await;
    let twice = post(&mut zoe, "that again", &[&later]).await;
    assert_eq!(twice.json()["code"], "file_taken", "{}", twice.text());

    two.a.kill();
    for (file, side, token) in [(&first["file"], "agent", &of_ada), (&later, "messenger", &zoe.token)] {
        let answer = read(&two.b, side, &zoe.conversation, token, file).await;
        assert_eq!((answer.status, answer.body == picture()), (200, true), "{}", two.b.log_tail());
    }
    let none = json!({"file": format!("f_{:032x}", 5)});
    assert_eq!(read(&two.b, "messenger", &zoe.conversation, &zoe.token, &none).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_files_are_refused_and_then_taken_again() {
    let two = Two::start(&options()).await;
    let (_ada, zoe) = talking(&two.b, &two.a).await;
    let here = uploaded(&two.a, &zoe, "a.png", &picture()).await;
    let zoe = posted(&two.a, zoe, "look", &[&here]).await;
    let of_ada = two.b.agent_token(DEMO, "ada", Role::Agent);
    let known = async || {
        let none = json!({"file": format!("f_{:032x}", 5)});
        read(&two.b, "agent", &zoe.conversation, &of_ada, &none).await.status
    };
    eventually("the conversation at the other node", known, |status| *status == 404).await;

    two.nats.freeze();
    let id = command_id();
    let refused = upload_with(&two.a, &zoe, "b.png", &picture(), &id).await;
    let error = refused.json();
    assert_eq!((refused.status, &error["code"]), (503, &json!("unavailable")), "{}", refused.text());
    assert!(error["retry_after_ms"].as_u64().is_some(), "{error}");
    let answer = read(&two.a, "messenger", &zoe.conversation, &zoe.token, &here).await;
    assert_eq!(answer.body, picture(), "what is here is read");
    let away = read(&two.b, "agent", &zoe.conversation, &of_ada, &here).await;
    assert_eq!((away.status, &away.json()["code"]), (503, &json!("unavailable")), "{}", away.text());
    assert_eq!((stored(&two.a).len(), stored(&two.b).len()), (1, 0), "nothing is left of either");

    two.nats.thaw();
    let again = async || upload_with(&two.a, &zoe, "b.png", &picture(), &id).await.status;
    eventually("a file that is taken", again, |status| *status == 201).await;
    let fetched = async || read(&two.b, "agent", &zoe.conversation, &of_ada, &here).await.status;
    eventually("a file that is read", fetched, |status| *status == 200).await;
    assert!(two.a.metric(&shared("put_failed")).await >= 1.0);
    assert!(two.b.metric(&shared("fetch_failed")).await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_any_more_goes_for_all_nodes() {
    let mut two = Two::start(&options()).await;
    let removed = async |two: &Two, cause: &str| {
        let metric = format!("offhook_files_shared_removed_total{{cause=\"{cause}\"}}");
        two.a.metric(&metric).await + two.b.metric(&metric).await
    };
    let mut zoe = Customer::start_when_there_is_room(two.a.address, DEMO, "hello").await;
    let mut max = Customer::start_when_there_is_room(two.b.address, DEMO, "me too").await;
    for (customer, server) in [(&mut zoe, &two.a), (&mut max, &two.b)] {
        let file = uploaded(server, customer, "a.png", &picture()).await;
        let answer = post(customer, "look", &[&file]).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let each = two.messages().await / 2;
    assert_eq!(zoe.call("POST", "leave", None).await.status, 204);
    two.a.stop();
    two.b.stop();
    // As the retention leaves the first one's conversation.
    for server in [&two.a, &two.b] {
        let view = rusqlite::Connection::open(server.data_dir().join("view.db")).unwrap();
        let sql = "DELETE FROM conversation WHERE key = (SELECT min(key) FROM conversation)";
        assert_eq!(view.execute(sql, []).unwrap(), 1);
    }
    let [of_a, of_b] = two.options.clone().map(|options| options.set("files.unnamed_kept_ms=1000"));
    block_in_place(|| {
        two.a.start_again_with(of_a);
        two.b.start_again_with(of_b);
    });
    let gone = async || (two.messages().await, removed(&two, "forgotten").await);
    eventually("the forgotten one to be gone", gone, |found| *found == (each, 1.0)).await;

    // One that no message names in time.
    let max = max.at(two.b.address).await;
    let unnamed = upload(&two.b, &max, "b.png", &picture()).await.json()["file"].take();
    let gone = async || (two.messages().await, removed(&two, "unnamed").await);
    eventually("the unnamed one to be gone", gone, |found| *found == (each, 1.0)).await;
    let mut max = max.at(two.a.address).await;
    assert_eq!(post(&mut max, "too late", &[&unnamed]).await.json()["code"], "no_such_file");

    // And one whose customer is erased.
    assert_eq!(max.call("POST", "leave", None).await.status, 204);
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", max.conversation);
    let facts = two.a.admin("GET", &path, None).await.json();
    let customer = facts["customer"].as_str().expect("whose it is").to_owned();
    let path = format!("/v1/workspaces/{DEMO}/customers/{customer}");
    let erase = async || two.a.admin("DELETE", &path, None).await.status;
    eventually("an erasure", erase, |status| *status == 200).await;
    let gone = async || (two.messages().await, removed(&two, "erased").await);
    eventually("the erased one's to be gone", gone, |found| *found == (0, 1.0)).await;
    for server in [&two.a, &two.b] {
        eventually("its copies to be gone", async || stored(server).len(), |count| *count == 0).await;
    }
}
