//! The suite against a cluster: with `OFFHOOK_TEST_NATS=nats://HOST:PORT` every server that a test starts is a cluster of one node over that
//! server of NATS (`just cluster-suite`).

use std::io::Write;
use std::panic::Location;
use std::path::Path;

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

/// The settings that make a server a node of a cluster of its own: the same one again on the same directory.
pub(super) fn settings(data_dir: &Path) -> Vec<String> {
    let Some(nats) = nats() else { return Vec::new() };
    let path = data_dir.display().to_string();
    let letters: Vec<char> = path.chars().filter(char::is_ascii_alphanumeric).collect();
    let name: String = letters[letters.len().saturating_sub(24)..].iter().collect();
    let node = ["cluster.node=a".to_owned(), "cluster.replicas=1".to_owned()];
    node.into_iter().chain([format!("cluster.name=t{name}"), format!("cluster.servers={nats}")]).collect()
}
