//! Nodes that are upgraded one after the other, each under its supervisor, while agents and customers go on at the others.

use crate::clients::Worker;
use crate::history::Book;
use crate::nodes::Nodes;
use crate::scenes::{is_good, patient, pending, taken};
use crate::support::scene::DEMO;
use crate::support::{Options, Server};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tokio::task::JoinHandle;

const OFFHOOK: &str = env!("CARGO_BIN_EXE_offhook");

/// Another file that says it is another version, and serves like this.
fn another(dir: &Path, name: &str, serves: &str) -> PathBuf {
    let path = dir.join(name);
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' --version '*) echo offhook 9.9.9; echo commit: 1234; exit 0;;\nesac\n{serves}\n"
    );
    std::fs::write(&path, script).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    path
}

/// As its operator does it.
fn upgrade(server: &Server, path: &Path) -> JoinHandle<Output> {
    let mut command = Command::new(OFFHOOK);
    command.arg("upgrade").arg(path).arg("--set").arg(format!("server.data_dir={}", server.data_dir().display()));
    tokio::task::spawn_blocking(move || command.output().expect("it runs"))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_upgraded_one_after_the_other_and_one_goes_back_and_nothing_is_lost() {
    let options = Options::supervised().without_rate_limits().set("supervisor.probation_ms=1000");
    let (book, nodes) = (Book::open(), Nodes::start(&options.set("supervisor.upgrade_ready_ms=30000")).await);
    nodes.server(2).change_settings(DEMO, patient).await;
    let dir = tempfile::tempdir().expect("a directory");
    let next = another(dir.path(), "next", &format!("exec {OFFHOOK} \"$@\""));
    let no_good = another(
        dir.path(),
        "no-good",
        &format!("case \" $* \" in\n*' check '*) exec {OFFHOOK} \"$@\";;\nesac\nexit 1"),
    );
    for (round, (node, path, code)) in
        [(0, &next, 0), (1, &next, 0), (2, &no_good, 1), (2, &next, 0)].into_iter().enumerate()
    {
        let (second, third) = ((node + 1) % 3, (node + 2) % 3);
        let (_before, mut zoe, offer, conversation) =
            pending(&book, nodes.server(node), nodes.server(third), round).await;
        let done = upgrade(nodes.server(node), path);
        let mut ada = taken(&book, nodes.server(second), &mut zoe, (&offer, round)).await;
        let done = done.await.expect("it ends");
        assert_eq!(done.status.code(), Some(code), "round {round}: {}\n{}", said(&done), nodes.logs());
        nodes.well().await;
        // Both versions are there; the node that was upgraded takes its part again.
        let mut after = Worker::connect(&book, nodes.server(node), "ada").await;
        let answer = format!("zoe: thank you {round}");
        zoe.post(&answer).await;
        ada.sees(&answer).await;
        after.sees(&answer).await;
        after.agent.must(json!({"type": "close", "conversation": conversation})).await;
    }
    is_good(&book, &nodes.servers()).await;
}
