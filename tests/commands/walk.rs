//! README's ten minutes, line by line: its commands are run by a shell, its frames sent on a socket.

use std::path::Path;

use serde_json::Value;

use super::server::{Server, Socket};

/// The code blocks of one kind in the walk, in their order.
fn blocks(kind: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let walk = readme.split("## Ten minutes").nth(1).expect("the walk").split("\n## ").next().expect("its end");
    let fence = format!("```{kind}\n");
    walk.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().trim().to_owned()).collect()
}

fn frames() -> Vec<String> {
    blocks("json").iter().flat_map(|block| block.lines()).map(str::to_owned).collect()
}

/// The line's own command substitution makes the token.
fn token(server: &Server, dir: &Path, connect: &str) -> String {
    let command = connect.split("$(").nth(1).and_then(|rest| rest.split(')').next()).expect("a token is made");
    server.must(dir, command, &[]).trim().to_owned()
}

#[tokio::test]
async fn the_ten_minutes_of_the_readme_go_as_they_are_written() {
    let [start, slow, connect, write, kill, read, show] = blocks("sh").try_into().expect("seven shell blocks");
    let [available, delivered, accept, send, close] = frames().try_into().expect("five frames");
    assert!(start.ends_with("\noffhook serve"), "{start}");
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();

    let server = Server::supervised(dir, "127.0.0.1:0");
    let said = server.must(dir, &slow, &[]);
    assert!(blocks("text").contains(&said.trim().to_owned()), "README shows something else than\n{said}");

    let mut ada = Socket::connect(&server, &token(&server, dir, &connect)).await;
    assert_eq!(ada.next("welcome").await["snapshot"]["status"], "away");
    ada.send(&available).await;
    ada.done().await;

    let started: Value = serde_json::from_str(&server.must(dir, &write, &[])).expect("JSON");
    assert_eq!((&started["conversation"]["conversation"], &started["number"]), (&"c1".into(), &1.into()));
    let offer = ada.next("offer").await;
    assert_eq!((&offer["offer"]["offer"], &offer["offer"]["left_ms"]), (&"o1".into(), &120_000.into()));
    ada.send(&delivered).await;
    ada.done().await;

    server.must(dir, &kill, &[]);

    let mut ada = Socket::connect(&server, &token(&server, dir, &connect)).await;
    let snapshot = ada.next("welcome").await["snapshot"].take();
    assert_eq!(snapshot["status"], "available");
    let offer = &snapshot["offers"][0];
    assert_eq!((&offer["offer"], &offer["delivered"]), (&"o1".into(), &true.into()), "{snapshot}");
    let left_ms = offer["left_ms"].as_u64().expect("a number");
    assert!((1..120_000).contains(&left_ms), "the countdown has gone on: {left_ms}");

    ada.send(&accept).await;
    assert_eq!(ada.done().await["conversation"], "c1");
    ada.send(&send).await;
    assert_eq!(ada.done().await["number"], 2);
    let customer = started["token"].as_str().expect("a token");
    let messages: Value = serde_json::from_str(&server.must(dir, &read, &[("TOKEN", customer)])).expect("JSON");
    assert_eq!(messages["messages"][1]["text"], "Let me look", "{messages}");
    ada.send(&close).await;
    ada.done().await;

    let shown = server.must(dir, &show, &[]);
    assert_eq!(shown.lines().count(), 2);
    assert!(shown.contains("offer_made") && !shown.contains("invoice"), "{shown}");
}
