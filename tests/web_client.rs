//! The client library of `web/client` against the real binary: two agents and a customer do the whole job, and the server is killed
//! under what they write.

mod support;

use std::path::Path;
use std::process::Command;
use support::foreign::{does_the_job, npm};

#[tokio::test(flavor = "multi_thread")]
async fn the_client_library_loses_and_doubles_nothing_when_the_server_is_killed() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/client");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web-client");
    npm(&library, &["package.json", "package-lock.json", "src", "test", "testing"], &place);
    let mut command = Command::new("node");
    command.arg(place.join("test/real/job.js"));
    does_the_job(command).await;
}
