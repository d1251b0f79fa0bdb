//! `offhook demo`, watched for a few seconds.

use std::process::{Command, Stdio};

use super::server::OFFHOOK;

#[test]
fn the_demo_plays_says_how_to_join_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new(OFFHOOK)
        .args(["demo", "--plain", "--seconds", "15"])
        .env("TMPDIR", dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    for wanted in [
        "npx wscat -c ws://127.0.0.1:",
        "curl http://127.0.0.1:",
        "/messenger/demo\n",
        "/signin/demo/token#ey",
        "/signin/demo/token?to=/wallboard/demo#ey",
        "\ntoken: ey",
        "is here",
        "is offered c1",
        "accepts c",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(said.lines().last().is_some_and(|line| line.contains("conversations,")), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "its directory is gone");
}

#[test]
fn a_directory_that_was_named_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("desk");
    let done = Command::new(OFFHOOK)
        .args(["demo", "--plain", "--seconds", "1", "--customers", "0", "--data-dir"])
        .arg(&data)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(data.join("journal.db").is_file());
}
