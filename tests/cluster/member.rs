//! What a process needs so that it is a node of a cluster: its name, the others' files, and where the servers of NATS are. For benches too.

use crate::support::Options;
use std::fs;
use std::path::{Path, PathBuf};

#[allow(dead_code, reason = "elsewhere nodes have names of their own")]
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// What an operator brings from the first node to the others: what customers' texts are sealed with, what signs, and who may administer.
const SAME_FILES: [&str; 4] = ["master.key", "server.key", "agent.key", "admin.key"];

/// A node over these servers of NATS (`127.0.0.1:PORT`), with these settings beside its own.
pub fn of_node(name: &str, data_dir: PathBuf, servers: &[String], options: &Options) -> Options {
    let servers: Vec<String> = servers.iter().map(|address| format!("nats://{address}")).collect();
    let options = Options { data_dir: Some(data_dir), ..options.clone() };
    options
        .set(&format!("cluster.node={name}"))
        .set("cluster.name=trio")
        .set(&format!("cluster.servers={}", servers.join(",")))
}

pub fn bring(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for name in SAME_FILES {
        // With its mode: keys that everybody can read are refused.
        fs::copy(from.join(name), to.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
