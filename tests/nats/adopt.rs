//! `offhook cluster adopt` and `return`, as an operator runs them: a single server that becomes a node, and is one again.

use crate::made::{append, directory_with, filled};
use crate::support::customer::event_named;
use crate::support::nats::Nats;
use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Customer, Options, Server};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The shortest: who looks whether a node lives waits for as long.
const LEASE: &str = "cluster.lease_ms=500";

fn of_cluster(nats: &Nats, what: &str, dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    let flag = if what == "adopt" { "--from" } else { "--to" };
    command
        .args(["cluster", what, "--node", "a", "--replicas", "1", "--server", &nats.address, flag])
        .arg(dir)
        .args(more);
    command
}

/// Off the runtime's threads, since it blocks.
fn run(nats: &Nats, what: &str, dir: &Path, more: &[&str]) -> Output {
    tokio::task::block_in_place(|| of_cluster(nats, what, dir, more).output().expect("it runs"))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// It ends with this code, and says all of these.
fn ends(output: &Output, code: i32, parts: &[&str]) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn node(options: &Options, nats: &Nats, name: &str) -> Options {
    let options = options.clone().set(LEASE).set(&format!("cluster.node={name}")).set("cluster.replicas=1");
    options.set(&format!("cluster.servers={}", nats.address))
}

/// The whole feed of the workspace, with texts.
async fn feed(server: &Server) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), "0.0".to_owned());
    loop {
        let page = server.admin("GET", &format!("/v1/workspaces/{DEMO}/events?limit=200&after={after}"), None).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        found.extend(page["events"].as_array().expect("events").iter().cloned());
        if page["more"] == false {
            return found;
        }
        after = page["next"].as_str().expect("a place").to_owned();
    }
}

async fn messages(server: &Server, conversation: &str) -> Value {
    let path = format!("/v1/workspaces/{DEMO}/conversations/{conversation}/messages?limit=100");
    let page = server.admin("GET", &path, None).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()
}

fn holds(welcome: &Value, conversation: &str) -> bool {
    welcome.to_string().contains(conversation)
}

/// An agent who has accepted a new customer's conversation, on a machine that is busy with other things.
async fn talking(server: &Server, name: &str) -> (Agent, Customer) {
    let mut agent = Agent::available(server, DEMO, name).await;
    let customer = Customer::start_when_there_is_room(server.address, DEMO, "hello").await;
    let of_customer = |frame: &Value| {
        frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == customer.conversation.as_str()
    };
    let offer = agent.until("an offer", of_customer).await["offer"]["offer"].clone();
    agent.must(json!({"type": "accept", "offer": offer})).await;
    agent.until("the conversation", |frame| frame["type"] == "conversation").await;
    (agent, customer)
}

/// The customer who has talked writes again, and the agent who is signed in anew hears it.
async fn goes_on(server: &Server, mut customer: Customer, text: &str) -> (Agent, Customer) {
    let mut ann = Agent::connect(server, DEMO, "ann").await;
    assert!(holds(&ann.welcome, &customer.conversation), "{}", ann.welcome);
    customer = customer.at(server.address).await;
    customer.post(text).await;
    ann.until("the message", |frame| frame["type"] == "message" && frame["text"] == text).await;
    ann.must(json!({"type": "send", "conversation": customer.conversation, "text": "I am here"})).await;
    (ann, customer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_server_becomes_a_node_and_a_single_server_again() {
    let nats = Nats::alone("").await;
    let alone = Options::default().without_rate_limits().set("health.probe_every_ms=1000");
    let mut server = Server::start(&alone);
    let dir = server.data_dir().to_owned();
    let (mut ann, mut talks) = talking(&server, "ann").await;
    talks.post("my order is late").await;
    ann.must(json!({"type": "note", "conversation": talks.conversation, "text": "calls often"})).await;
    // The next one is not offered to her.
    ann.must(json!({"type": "set_status", "status": "away"})).await;
    let (mut ben, closed) = talking(&server, "ben").await;
    ben.must(json!({"type": "close", "conversation": closed.conversation})).await;
    ben.must(json!({"type": "set_status", "status": "away"})).await;
    let waits = Customer::start_when_there_is_room(server.address, DEMO, "is anybody there?").await;
    let probed = async || server.metric("offhook_probes_total{outcome=\"done\"}").await;
    eventually("a probe", probed, |done| *done >= 1.0).await;

    let held = run(&nats, "adopt", &dir, &[]);
    ends(&held, 2, &["is in use by the process", "stop that process first"]);
    let before = feed(&server).await;
    let closed_before = messages(&server, &closed.conversation).await;
    drop((ann, ben));
    assert!(tokio::task::block_in_place(|| server.stop()).success());

    // As a node it would leave all of that behind.
    let as_node = node(&alone, &nats, "a");
    let refused =
        Server::try_start(&Options { data_dir: Some(dir.clone()), ..as_node.clone() }).err().expect("refused");
    assert!(refused.contains("has a journal of its own, which a node of a cluster does not use"), "{refused}");
    let adopted = run(&nats, "adopt", &dir, &[]);
    ends(&adopted, 0, &["journal demo is the same from 1 to", "are in OFFHOOK_JOURNAL: start the node"]);
    let again = run(&nats, "adopt", &dir, &[]);
    ends(&again, 0, &[": 0 records copied, "]);
    let refused = server.try_start_again().expect_err("it goes on elsewhere");
    assert!(refused.contains("goes on in the cluster offhook"), "{refused}");

    server.start_again_with(as_node.clone());
    let as_a_node = feed(&server).await;
    assert_eq!(as_a_node[..before.len()], before, "what was, is");
    assert_eq!(messages(&server, &closed.conversation).await, closed_before);
    let (ann, talks) = goes_on(&server, talks, "it has come").await;
    let probed = async || server.metric("offhook_probes_total{outcome=\"done\"}").await;
    eventually("a probe of the node", probed, |done| *done >= 1.0).await;
    // Another node makes its view of all of it.
    let other = tempfile::tempdir().expect("a directory");
    for key in ["master.key", "server.key", "agent.key", "admin.key"] {
        fs::copy(dir.join(key), other.path().join(key)).expect("a key");
    }
    let options = node(&alone, &nats, "b");
    let options = Options { data_dir: Some(other.path().to_owned()), ..options };
    let mut second = tokio::task::block_in_place(|| Server::start(&options));
    let there = async || feed(&second).await.len();
    let here = feed(&server).await.len();
    eventually("the same feed at the other node", there, |found| *found >= here).await;
    assert_eq!(feed(&second).await[..before.len()], before);
    assert_eq!(messages(&second, &closed.conversation).await, closed_before);
    let mut waiting = waits.at(second.address).await;
    waiting.post("hello?").await;

    let lives = run(&nats, "return", &dir, &[]);
    ends(&lives, 2, &["is in use by the process"]);
    assert!(tokio::task::block_in_place(|| server.stop()).success());
    for what in ["return", "adopt"] {
        ends(&run(&nats, what, &dir, &[]), 1, &["refused: these nodes of the cluster live: b; stop all of them"]);
    }
    drop(ann);
    assert!(tokio::task::block_in_place(|| second.stop()).success());

    let returned = run(&nats, "return", &dir, &[]);
    ends(&returned, 0, &["journal demo is the same from 1 to", "start it without the section [cluster]"]);
    ends(&run(&nats, "return", &dir, &[]), 0, &[": 0 records copied, "]);
    let refused = second.try_start_again().expect_err("no node starts any more");
    assert!(refused.contains("was brought back to a single server, where it goes on"), "{refused}");
    server.start_again_with(alone.clone());
    let after = feed(&server).await;
    assert_eq!(after[..as_a_node.len()], as_a_node[..]);
    let (ann, talks) = goes_on(&server, talks, "thank you").await;
    let mut waiting = waiting.at(server.address).await;
    let mut events = waiting.follow(None).await;
    while event_named(&mut events, "message").await.json()["text"] != "hello?" {}
    waiting.post("still here").await;
    let probed = async || server.metric("offhook_probes_total{outcome=\"done\"}").await;
    eventually("a probe of the single server", probed, |done| *done >= 1.0).await;

    // And into the same cluster once more.
    let before = feed(&server).await;
    drop(ann);
    assert!(tokio::task::block_in_place(|| server.stop()).success());
    ends(&run(&nats, "adopt", &dir, &[]), 0, &["journal demo is the same from 1 to"]);
    server.start_again_with(as_node);
    assert_eq!(feed(&server).await[..before.len()], before);
    goes_on(&server, talks, "once more").await;
}

/// Kills it when it has said how far it is, in percent.
fn kill_in_the_midst(mut command: Command) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let far = |line: &String| line.starts_with("copying records: ") && line.contains(" %");
    let seen: Vec<String> = lines.take_while(|line| !far(line)).collect();
    child.kill().expect("it runs");
    let status = child.wait().expect("it ended");
    assert!(!status.success() && status.code().is_none(), "it was killed and had not ended: {status}, {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_killed_in_the_midst_goes_on_where_it_was() {
    const RECORDS: u64 = 3_000;
    /// Some seconds for all of them, and a line of progress each second.
    const SLOWLY: [&str; 2] = ["--bytes-per-s", "400000"];
    let nats = Nats::alone("").await;
    let single = directory_with(&[("acme", 1, RECORDS), ("other", 1, 10)]);
    let all = RECORDS + 10;
    tokio::task::block_in_place(|| kill_in_the_midst(of_cluster(&nats, "adopt", single.path(), &SLOWLY)));
    // Neither would find what it needs.
    let options = Options { data_dir: Some(single.path().to_owned()), ..node(&Options::default(), &nats, "b") };
    let refused = tokio::task::block_in_place(|| Server::try_start(&options)).err().expect("refused");
    assert!(refused.contains("has a journal of its own"), "{refused}");
    let empty = tempfile::tempdir().expect("a directory");
    for key in ["master.key", "server.key"] {
        fs::copy(single.path().join(key), empty.path().join(key)).expect("a key");
    }
    let options = Options { data_dir: Some(empty.path().to_owned()), ..node(&Options::default(), &nats, "b") };
    let refused = tokio::task::block_in_place(|| Server::try_start(&options)).err().expect("refused");
    assert!(refused.contains("run `offhook cluster adopt` once more"), "{refused}");
    ends(
        &run(&nats, "return", empty.path(), &[]),
        1,
        &["refused: OFFHOOK_JOURNAL: a single server's journal is being brought"],
    );

    let done = run(&nats, "adopt", single.path(), &[]);
    ends(&done, 0, &[&format!("{all} records of"), "journal other is the same from 1 to 10"]);
    let copied = copied_of(&done, "acme");
    assert!((1..RECORDS).contains(&copied), "{copied} after it was killed");

    // And back, into a directory that has no journal.
    tokio::task::block_in_place(|| kill_in_the_midst(of_cluster(&nats, "return", empty.path(), &SLOWLY)));
    let refused = tokio::task::block_in_place(|| {
        Server::try_start(&Options { data_dir: Some(empty.path().to_owned()), ..Options::default() })
    });
    let refused = refused.err().expect("it is not all there");
    assert!(refused.contains("goes on in the cluster offhook"), "{refused}");
    let done = run(&nats, "return", empty.path(), &[]);
    ends(&done, 0, &[&format!("{all} records of OFFHOOK_JOURNAL are in")]);
    let verified = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["journal", "verify", "--set"])
        .arg(format!("server.data_dir={}", empty.path().display()))
        .output()
        .expect("it runs");
    ends(&verified, 0, &[&format!("workspace acme: {RECORDS} records, 1 to {RECORDS}: sound")]);
}

/// How many records of a workspace the report says were copied.
fn copied_of(output: &Output, workspace: &str) -> u64 {
    let text = said(output);
    let line = text.lines().find(|line| line.starts_with(&format!("journal {workspace} "))).expect("a line of it");
    let (_, rest) = line.split_once(": ").expect("numbers");
    rest.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_is_refused_before_anything_is_copied() {
    let nats = Nats::alone("").await;
    let (one, two) = (directory_with(&[("acme", 1, 20)]), directory_with(&[("acme", 1, 12), ("beta", 1, 5)]));
    ends(&run(&nats, "adopt", one.path(), &[]), 0, &["20 records of"]);
    let other = run(&nats, "adopt", two.path(), &[]);
    ends(&other, 1, &["result  refused: workspace acme: the record at position 12 is another one there"]);
    // Longer, and of other beginnings too.
    append(two.path(), "acme", 13, 30);
    let other = run(&nats, "adopt", two.path(), &[]);
    ends(&other, 1, &["workspace acme: the record at position 20 is another one there"]);
    let back = run(&nats, "return", two.path(), &[]);
    ends(&back, 1, &["has no server.key"]);
    fs::copy(one.path().join("server.key"), two.path().join("server.key")).expect("a key");
    let back = run(&nats, "return", two.path(), &[]);
    ends(&back, 1, &["workspace acme: the record at position 20 is another one there"]);
    // The same one that has gone on goes on there; and so it is back.
    append(one.path(), "acme", 21, 25);
    let more = run(&nats, "adopt", one.path(), &[]);
    ends(&more, 0, &["journal acme is the same from 1 to 25: 5 records copied, 25 compared"]);
    ends(&run(&nats, "return", one.path(), &[]), 0, &["journal acme is the same from 1 to 25: 0 records copied"]);
    append(one.path(), "acme", 26, 26);
    ends(&run(&nats, "return", one.path(), &[]), 1, &["has acme up to position 26, and the cluster has less of it"]);
    // Nothing of the other one came there.
    let names = filled(&nats).await;
    assert_eq!(names, ["acme"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_no_room_for_and_what_is_nowhere_are_refused() {
    let nats = Nats::alone("").await;
    let single = directory_with(&[("acme", 1, 2_000)]);
    let small = ["--name", "small", "--set", "cluster.bytes_max=1MiB"];
    ends(&run(&nats, "adopt", single.path(), &small), 1, &["refused: there is room for 1048576 bytes in the stream"]);
    // Refused before anything: nothing is there, and no mark either.
    let cut = directory_with(&[("acme", 40, 60)]);
    let no_view = run(&nats, "adopt", cut.path(), &[]);
    ends(&no_view, 1, &["the journal of acme begins at position 40, and", "view.db has it up to 0"]);
    let gap = directory_with(&[("acme", 1, 20)]);
    ends(&run(&nats, "adopt", gap.path(), &[]), 0, &[]);
    let apart = run(&nats, "adopt", cut.path(), &[]);
    ends(
        &apart,
        1,
        &["workspace acme: what is there ends at position 20, and the journal that it comes from begins at 40"],
    );

    let nothing = tempfile::tempdir().expect("a directory");
    ends(&run(&nats, "adopt", nothing.path(), &[]), 2, &["there is no journal at"]);
    let unnamed =
        Command::new(env!("CARGO_BIN_EXE_offhook")).args(["cluster", "adopt", "--from"]).arg(gap.path()).output();
    ends(&unnamed.expect("it runs"), 2, &["cluster.node is empty: name there, or with --node"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_other_keys_is_refused() {
    let nats = Nats::alone("").await;
    let (one, two) = (directory_with(&[("acme", 1, 5)]), directory_with(&[("beta", 1, 5)]));
    ends(&run(&nats, "adopt", one.path(), &[]), 0, &[]);
    let other = run(&nats, "adopt", two.path(), &[]);
    ends(&other, 1, &["refused: ", "has not the master.key of this cluster"]);
    assert_eq!(filled(&nats).await, ["acme"]);
    // Its nodes are kept from nothing by that.
    ends(&run(&nats, "return", one.path(), &[]), 0, &["5 records of OFFHOOK_JOURNAL are in"]);
}
