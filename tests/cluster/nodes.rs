//! Three nodes of Offhook over three servers of NATS: the real binary, each with a data directory and ways to NATS of its own.

use crate::member::{NAMES, bring, of_node};
use crate::proxy::Proxy;
use crate::support::scene::eventually;
use crate::support::{Options, PATIENCE, Server, process};
use crate::trio::Trio;
use std::time::Instant;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::block_in_place;

/// Six servers and those who work at them are enough for a small machine.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub struct Nodes {
    pub trio: Trio,
    nodes: Vec<Node>,
    _dir: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

struct Node {
    server: Server,
    /// One to each server of NATS, and no other way.
    ways: Vec<Proxy>,
}

impl Nodes {
    /// Three, one after the other; each with these settings beside its own.
    pub async fn start(options: &Options) -> Self {
        let alone = ONE_AT_A_TIME.lock().await;
        let trio = Trio::start().await;
        let dir = tempfile::tempdir().expect("a directory");
        let mut nodes: Vec<Node> = Vec::new();
        for name in NAMES {
            let data_dir = dir.path().join(name);
            if let Some(first) = nodes.first() {
                bring(first.server.data_dir(), &data_dir);
            }
            let mut ways = Vec::new();
            for address in trio.addresses() {
                ways.push(Proxy::to(&address).await);
            }
            let servers: Vec<String> = ways.iter().map(|way| way.address.to_string()).collect();
            let options = of_node(name, data_dir, &servers, options);
            // The proxies are tasks of this runtime.
            nodes.push(Node { server: block_in_place(|| Server::start(&options)), ways });
        }
        Self { trio, nodes, _dir: dir, _alone: alone }
    }

    pub fn server(&self, node: usize) -> &Server {
        &self.nodes[node].server
    }

    /// All of them, with their names.
    pub fn servers(&self) -> [(&'static str, &Server); 3] {
        [0, 1, 2].map(|node| (NAMES[node], self.server(node)))
    }

    /// `kill -9`.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].server.kill();
    }

    /// In order, with all that a node does before it goes.
    pub fn stop(&mut self, node: usize) {
        let ended = block_in_place(|| self.nodes[node].server.stop());
        assert!(ended.success(), "{}: {ended}\n{}", NAMES[node], self.nodes[node].server.log_tail());
    }

    /// Again, on the same data and on new ports. As a supervisor does it: one that finds no server of NATS ends.
    pub fn start_again(&mut self, node: usize) {
        block_in_place(|| {
            let (server, until) = (&mut self.nodes[node].server, Instant::now() + PATIENCE);
            while let Err(why) = server.try_start_again() {
                assert!(Instant::now() < until, "{why}");
            }
        });
    }

    /// It stands still, as on a machine that is overloaded; its connections stay.
    pub fn pause(&mut self, node: usize) {
        process::freeze(self.nodes[node].server.pid() as i32);
    }

    pub fn go_on(&mut self, node: usize) {
        process::thaw(self.nodes[node].server.pid() as i32);
    }

    /// From the servers of NATS: nothing ends, and nothing comes through.
    pub fn cut_off(&mut self, node: usize) {
        self.nodes[node].ways.iter().for_each(Proxy::stall);
    }

    pub fn let_through(&mut self, node: usize) {
        self.nodes[node].ways.iter().for_each(Proxy::flow);
    }

    /// A server of NATS from all nodes; the other two still hear it.
    pub fn cut_off_nats(&mut self, server: usize) {
        self.nodes.iter().for_each(|node| node.ways[server].stall());
    }

    pub fn let_through_nats(&mut self, server: usize) {
        self.nodes.iter().for_each(|node| node.ways[server].flow());
    }

    /// Until all servers of NATS are one cluster, and each node sees all three.
    pub async fn well(&self) {
        self.trio.well().await;
        for (name, server) in self.servers() {
            let sees_all = async || {
                let (nodes, own) = ("offhook_cluster_nodes", "offhook_cluster_lease_held");
                (server.metric(nodes).await, server.metric(own).await)
            };
            eventually(&format!("three nodes, as {name} sees it"), sees_all, |seen| *seen == (3.0, 1.0)).await;
        }
    }

    /// The last lines of each, for failures.
    pub fn logs(&self) -> String {
        let logs = self.servers().map(|(name, server)| format!("--- {name}\n{}", server.log_tail()));
        logs.join("\n")
    }
}
