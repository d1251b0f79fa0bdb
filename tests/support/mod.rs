//! The real binary, and small clients that speak to it: shared by black-box tests and benches.
//!
//! Waits are for events, each with one generous limit (`PATIENCE`), after which the test fails with what was seen. The
//! clients are hand-made and lean, so that a load of thousands of connections measures the server and not its client.

#![allow(dead_code, unused_imports, reason = "each test and bench uses its own part of this")]

pub mod agent;
pub mod as_cluster;
pub mod backups;
pub mod browser;
pub mod cgroup;
pub mod clock;
pub mod customer;
pub mod disk;
pub mod files;
pub mod foreign;
pub mod heard;
pub mod http;
pub mod nats;
pub mod process;
pub mod provider;
pub mod random;
pub mod scene;
pub mod script;
pub mod server;
pub mod shim;
pub mod socket;
pub mod sse;

pub use agent::Agent;
pub use browser::Browser;
pub use cgroup::Cgroup;
pub use customer::Customer;
pub use http::{Http, Response};
pub use server::{Options, Server, server_pid_in};

use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// How long anything that must come may take, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for `future`, or fails with a sentence that says what did not come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not come within {} s", PATIENCE.as_secs()),
    }
}

/// For tests that hold times, or what a busy server tells its clients: one at a time, so that they are not in each other's way.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// A fresh command id: 32 hexadecimal digits.
pub fn command_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Seconds since 1970.
pub fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    since.as_secs() as i64
}
