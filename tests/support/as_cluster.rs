//! The suite against a cluster: with `OFFHOOK_TEST_NATS=nats://HOST:PORT` every server that a test starts is a cluster of one node over that
//! server of NATS (`just cluster-suite`).

use offhook::journal::nats::{NatsJournal, NatsSettings, connect};
use offhook::journal::sqlite::{self, SqliteJournal};
use offhook::journal::{Journal, Position, show};
use serde_json::Value;
use std::io::Write;
use std::panic::Location;
use std::path::Path;
use std::time::Duration;

const NODE: &str = "a";

fn nats() -> Option<String> {
    std::env::var("OFFHOOK_TEST_NATS").ok()
}

/// Whether servers are nodes of clusters.
pub fn is_on() -> bool {
    nats().is_some()
}

/// Whether the test that asks has nothing to say of a cluster, for this reason; then it returns. It is said where no test's output is
/// kept back, so that it can be counted: what is passed over silently would look as if it held.
#[track_caller]
pub fn passes_over(why: &str) -> bool {
    if is_on() {
        let thread = std::thread::current();
        let (test, file) = (thread.name().unwrap_or("a test"), Location::caller().file());
        let line = format!("passed over in a cluster: {file} {test}: {why}\n");
        std::io::stderr().write_all(line.as_bytes()).expect("somebody listens");
    }
    is_on()
}

/// A cluster of its own for each directory: the same one again on the same directory.
fn name(data_dir: &Path) -> String {
    let path = data_dir.display().to_string();
    let letters: Vec<char> = path.chars().filter(char::is_ascii_alphanumeric).collect();
    let last: String = letters[letters.len().saturating_sub(24)..].iter().collect();
    format!("t{last}")
}

/// The settings that make the server on this directory a node.
pub(super) fn settings(data_dir: &Path) -> Vec<String> {
    let Some(nats) = nats() else { return Vec::new() };
    let (node, name) = (format!("cluster.node={NODE}"), format!("cluster.name={}", name(data_dir)));
    vec![node, name, format!("cluster.servers={nats}"), "cluster.replicas=1".to_owned()]
}

/// The setting by which a server on another directory goes on in the cluster of this one, as a node does whose disk is another; none for a
/// server that has its journal there.
pub fn cluster_of(data_dir: &Path) -> Option<String> {
    is_on().then(|| format!("cluster.name={}", name(data_dir)))
}

/// The journal of the server on this directory, wherever it lies. Of one by itself: as long as the server does not run.
pub async fn journal(data_dir: &Path) -> Box<dyn Journal> {
    let Some(nats) = nats() else {
        return Box::new(SqliteJournal::open(data_dir, sqlite::Settings::default()).expect("the journal"));
    };
    let (name, answer_within) = (name(data_dir), Duration::from_secs(10));
    let (servers, replicas) = (vec![nats], 1);
    let settings =
        NatsSettings { servers, credentials: None, ca: None, name, replicas, bytes_max: None, answer_within };
    let context = connect(&settings).await.expect("the server of NATS answers");
    Box::new(NatsJournal::open(context, &settings, NODE).await.expect("the stream is as it has to be"))
}

/// A workspace's records as `offhook journal show` shows them, also while the server runs.
pub async fn shown(data_dir: &Path, workspace: &str) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut take = |line: &str| lines.push(serde_json::from_str(line).expect("JSON"));
    if is_on() {
        let each = |line: &str| {
            take(line);
            true
        };
        show::show(&*journal(data_dir).await, &workspace.into(), Position(1), each).await.expect("records");
    } else {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_offhook"));
        let set = format!("server.data_dir={}", data_dir.display());
        let said = command.args(["journal", "show", workspace, "--set", &set]).output().expect("it starts");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).lines().for_each(take);
    }
    lines
}
