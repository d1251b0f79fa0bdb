//! Three servers of NATS that are one cluster, with three replicas of all they keep. For benches too.

use crate::support::PATIENCE;
use crate::support::nats::{NatsProcess, page};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SERVERS: usize = 3;
/// Three that start together for the first time sometimes form a cluster of two, for ever: where they have not become one of three by then,
/// all of them begin anew. As often as this.
const FORMS_WITHIN: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 6;

pub struct Trio {
    servers: Vec<Place>,
    _dir: tempfile::TempDir,
}

/// One of them, which may not run.
struct Place {
    dir: PathBuf,
    process: Option<NatsProcess>,
    /// For clients: `127.0.0.1:PORT`.
    address: String,
    monitor: String,
}

/// Ports that nobody has: of the servers' clients, of their routes, of their monitors. A server that is started again has the same ones, so
/// they cannot be its own to choose.
fn free_ports(many: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..many).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free")).collect();
    held.iter().map(|listener| listener.local_addr().expect("its address").port()).collect()
}

impl Trio {
    /// All three, when each of them knows the other two.
    pub async fn start() -> Self {
        for _ in 0..ATTEMPTS {
            let mut trio = Self::started();
            if trio.becomes_one(FORMS_WITHIN).await {
                return trio;
            }
        }
        panic!("three servers of NATS did not become a cluster of three, {ATTEMPTS} times");
    }

    fn started() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let ports = free_ports(3 * SERVERS);
        let routes: Vec<String> =
            ports[SERVERS..2 * SERVERS].iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        let place = |number: usize| {
            let here = dir.path().join(format!("n{number}"));
            fs::create_dir(&here).expect("a directory");
            let [client, route, monitor] = [0, 1, 2].map(|kind| ports[kind * SERVERS + number]);
            // Clients know no other addresses than they are given: what is between may be a proxy.
            let text = format!(
                "server_name: n{number}\nlisten: \"127.0.0.1:{client}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
                 jetstream {{ store_dir: \"{}/store\", sync_interval: always }}\n\
                 cluster {{ name: trio, listen: \"127.0.0.1:{route}\", no_advertise: true, routes: [{}] }}\n",
                here.display(),
                routes.join(", ")
            );
            fs::write(here.join("nats.conf"), text).expect("a file");
            let (address, monitor) = (format!("127.0.0.1:{client}"), format!("http://127.0.0.1:{monitor}"));
            Place { process: Some(NatsProcess::start(&here)), dir: here, address, monitor }
        };
        Self { servers: (0..SERVERS).map(place).collect(), _dir: dir }
    }

    /// Where their clients find them, in order.
    pub fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(|place| place.address.clone()).collect()
    }

    async fn becomes_one(&mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if self.servers.iter_mut().any(|place| place.process.as_mut().is_none_or(NatsProcess::has_ended)) {
                // Somebody was quicker to take one of its ports.
                return false;
            }
            if self.is_one().await.is_ok() {
                return true;
            }
            // Processes of others that are starting tell nobody.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Whether all that run are well, count three, and have one leader, who has the other two beside it; or what is not so. A server
    /// that does not run is not asked, and need not be beside anybody.
    async fn is_one(&self) -> Result<(), String> {
        let (mut leaders, mut beside, mut pages) = (BTreeSet::new(), 0, Vec::new());
        let running: Vec<&Place> = self.servers.iter().filter(|place| place.process.is_some()).collect();
        for place in &running {
            // Not of consumers: one whose reader was gone while its server stood still may be missed by a server for ever.
            let well = page(&place.monitor, "/healthz?js-server-only=true").await;
            let meta = page(&place.monitor, "/jsz").await;
            let name = place.dir.display();
            let well = well.ok_or_else(|| format!("{name} is not well"))?;
            let meta = meta.ok_or_else(|| format!("{name} does not answer: {well}"))?["meta_cluster"].take();
            let Some(leader) = meta["leader"].as_str().filter(|_| meta["cluster_size"] == SERVERS) else {
                return Err(format!("{name} has no leader, or does not count three: {meta}"));
            };
            leaders.insert(leader.to_owned());
            // The leader alone names them.
            let replicas = meta["replicas"].as_array().into_iter().flatten();
            beside +=
                replicas.filter(|replica: &&Value| replica["current"] == true && replica["offline"] != true).count();
            pages.push(meta.to_string());
        }
        let is_one = leaders.len() == 1 && beside == running.len() - 1;
        is_one.then_some(()).ok_or_else(|| pages.join("\n"))
    }

    /// Until those that run are well again: after one was killed, or started.
    pub async fn well(&self) {
        let until = Instant::now() + 3 * PATIENCE;
        while let Err(why) = self.is_one().await {
            assert!(Instant::now() < until, "the servers of NATS are not one cluster: {why}");
            // What is asked over HTTP tells nobody when it changes.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self, number: usize) {
        drop(self.servers[number].process.take().expect("it runs"));
    }

    /// In order.
    pub fn stop(&mut self, number: usize) {
        self.servers[number].process.take().expect("it runs").stop();
    }

    /// Again, on the same ports with what it had.
    pub fn start_again(&mut self, number: usize) {
        let place = &mut self.servers[number];
        assert!(place.process.is_none(), "it does not run");
        place.process = Some(NatsProcess::start(&place.dir));
    }

    /// It stands still: what is sent to it waits.
    pub fn pause(&self, number: usize) {
        self.servers[number].process.as_ref().expect("it runs").freeze();
    }

    pub fn go_on(&self, number: usize) {
        self.servers[number].process.as_ref().expect("it runs").thaw();
    }

    /// Which of them leads the cluster of those that run.
    pub async fn leader(&self) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            for place in self.servers.iter().filter(|place| place.process.is_some()) {
                let meta =
                    page(&place.monitor, "/jsz").await.map(|page| page["meta_cluster"].clone()).unwrap_or_default();
                let number = meta["leader"].as_str().and_then(|name| name.strip_prefix('n')?.parse().ok());
                if let Some(number) = number {
                    return number;
                }
            }
            assert!(Instant::now() < until, "no server of NATS leads");
            // What is asked over HTTP tells nobody when it changes.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_become_one_cluster_and_are_well_again_after_one_was_killed() {
    let mut trio = Trio::start().await;
    let leader = trio.leader().await;
    trio.kill(leader);
    trio.well().await;
    assert_ne!(trio.leader().await, leader);
    trio.start_again(leader);
    trio.well().await;
    let other = (leader + 1) % SERVERS;
    trio.pause(other);
    trio.go_on(other);
    trio.well().await;
}
