//! Two nodes of Offhook over one server of NATS: the real binary.

use crate::member::{NAMES, bring, of_node};
use crate::support::nats::Nats;
use crate::support::{Options, PATIENCE, Server};
use std::path::Path;
use std::time::Instant;
use tokio::task::block_in_place;

pub struct Pair {
    pub nats: Nats,
    pub nodes: [Server; 2],
    _dir: tempfile::TempDir,
}

impl Pair {
    /// The second when the first is there, as its files are brought from that. `before` may put files where the first one's will be.
    pub async fn start(options: &Options, before: impl FnOnce(&Path)) -> Self {
        let (nats, dir) = (Nats::alone("").await, tempfile::tempdir().expect("a directory"));
        let servers = [nats.address.trim_start_matches("nats://").to_owned()];
        let [first, second] = [NAMES[0], NAMES[1]].map(|name| dir.path().join(name));
        std::fs::create_dir(&first).expect("a directory");
        before(&first);
        let start = |name: &str, data_dir: &Path| {
            let options = of_node(name, data_dir.to_owned(), &servers, options).set("cluster.replicas=1");
            block_in_place(|| Server::start(&options))
        };
        let a = start(NAMES[0], &first);
        bring(&first, &second);
        let b = start(NAMES[1], &second);
        Self { nats, nodes: [a, b], _dir: dir }
    }

    /// Again, on the same data and on new ports.
    pub fn start_again(&mut self, node: usize) {
        block_in_place(|| {
            let until = Instant::now() + PATIENCE;
            while let Err(why) = self.nodes[node].try_start_again() {
                assert!(Instant::now() < until, "{why}");
            }
        });
    }
}
