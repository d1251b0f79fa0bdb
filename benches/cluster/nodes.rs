//! Three nodes, each with a way of its own to all three servers of NATS and nothing in between.

use crate::load::figures::figure;
use crate::load::support::{Options, PATIENCE, Server};
use crate::member::{NAMES, bring, of_node};
use crate::trio::Trio;
use std::process::Command;
use std::time::{Duration, Instant};

/// Twice a node's own pace of gauges: whoever leads for as long did so all the time.
const STEADY: Duration = Duration::from_millis(2_100);

pub struct Nodes {
    servers: Vec<Server>,
    trio: Trio,
    _dir: tempfile::TempDir,
}

impl Nodes {
    /// One after the other, when it is known how long an append takes.
    pub async fn start(options: &Options, appends: u32) -> Self {
        let trio = Trio::start().await;
        fence(&trio.addresses(), appends);
        let dir = tempfile::tempdir().expect("a directory");
        let mut servers: Vec<Server> = Vec::new();
        for name in NAMES {
            let data_dir = dir.path().join(name);
            if let Some(first) = servers.first() {
                bring(first.data_dir(), &data_dir);
            }
            servers.push(Server::start(&of_node(name, data_dir, &trio.addresses(), options)));
        }
        Self { servers, trio, _dir: dir }
    }

    pub fn all(&self) -> Vec<&Server> {
        self.servers.iter().collect()
    }

    pub fn but(&self, node: usize) -> Vec<&Server> {
        self.servers.iter().enumerate().filter(|(number, _)| *number != node).map(|(_, server)| server).collect()
    }

    /// Who leads the one workspace that there is, and goes on doing so.
    pub async fn leader(&self) -> usize {
        let until = Instant::now() + PATIENCE;
        let (mut leader, mut since) = (None, Instant::now());
        loop {
            let now = self.says_it_leads().await;
            if now.is_none() || now != leader {
                (leader, since) = (now, Instant::now());
            }
            if let Some(leader) = leader.filter(|_| since.elapsed() > STEADY) {
                return leader;
            }
            assert!(Instant::now() < until, "it is not settled who leads\n{}", self.logs());
            // What is asked over HTTP tells nobody when it changes.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Where exactly one does.
    async fn says_it_leads(&self) -> Option<usize> {
        let mut leading = Vec::new();
        for (number, server) in self.servers.iter().enumerate() {
            if server.metric("offhook_cluster_leads").await > 0.0 {
                leading.push(number);
            }
        }
        <[usize; 1]>::try_from(leading).ok().map(|[leader]| leader)
    }

    /// The servers of NATS are well and the same node leads as before: its number.
    pub async fn before_it_goes(&self) -> usize {
        self.trio.well().await;
        self.leader().await
    }

    /// `kill -9`.
    pub fn kill(&mut self, node: usize) {
        self.servers[node].kill();
    }

    /// On the same data, not before others.
    pub fn start_again(&mut self, node: usize) {
        crate::load::go_as_others();
        self.servers[node].start_again();
        crate::load::go_first();
    }

    /// The last lines of all logs, for failures.
    pub fn logs(&self) -> String {
        let log = |(server, name): (&Server, &str)| format!("--- {name}\n{}", server.log_tail());
        self.servers.iter().zip(NAMES).map(log).collect::<Vec<_>>().join("\n")
    }
}

/// How long a fenced append to three replicas takes, one after the other, by the command that says so.
fn fence(servers: &[String], appends: u32) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_offhook"));
    check.args(["cluster", "check", "--name", "fence", "--replicas", "3", "--races", "1"]);
    check.args(["--appends", &appends.to_string()]);
    for address in servers {
        check.args(["--server", &format!("nats://{address}")]);
    }
    let checked = check.output().expect("the command can be run");
    let said = String::from_utf8_lossy(&checked.stdout);
    let failed = || panic!("cluster check: {said}{}", String::from_utf8_lossy(&checked.stderr));
    let times = said.lines().find_map(|line| line.strip_prefix("append")).unwrap_or_else(failed);
    let ms: Vec<f64> = times.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    figure("fence_p50_ms", ms[0], "ms");
    figure("fence_p99_ms", ms[1], "ms");
}
