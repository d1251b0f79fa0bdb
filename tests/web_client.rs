//! The client library of `web/client` against the real binary, in Node and in Chromium: agents and a customer do the whole job, and the
//! server is killed under what they write.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::foreign::{does_the_job, npm};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where packages are installed: kept between runs, apart from the tree.
fn installed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("web-client").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_and_a_customer_lose_and_double_nothing_when_the_server_is_killed() {
    let place = installed("node");
    npm(&root().join("web/client"), &["package.json", "package-lock.json", "src", "test", "testing"], &place);
    let mut command = Command::new("node");
    command.arg(place.join("test/real/job.js"));
    does_the_job(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_of_a_browser_share_a_connection_that_outlives_the_server_and_the_tab() {
    let place = installed("browser");
    npm(&root().join("tests/clients"), &["package.json", "package-lock.json", "web_client.mjs"], &place);
    let mut command = Command::new("node");
    command.arg(place.join("web_client.mjs")).env("OFFHOOK_LIBRARY", root().join("web/client"));
    does_the_job(command).await;
}
