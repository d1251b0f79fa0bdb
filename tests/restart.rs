//! What goes on over a kill: countdowns, ages, places, streams; and the journal of a real directory, read by `offhook journal`.

mod support;

use serde_json::{Value, json};
use std::process::{Command, Output};
use support::scene::{DEMO, eventually, server, talking};
use support::{Agent, Customer, Options, Server, as_cluster};

#[tokio::test(flavor = "multi_thread")]
async fn wrap_up_goes_on_with_what_it_had_left() {
    let mut server = Server::start(&Options::default().without_rate_limits().set("engine.tick_record_every_ms=100"));
    server.change_settings(DEMO, |settings| settings["channels"][0]["wrap_up_ms"] = 600_000.into()).await;
    let (mut agent, customer) = talking(&server, "ada").await;
    agent.must(json!({"type": "close", "conversation": customer.conversation})).await;
    let left = |agent: &Agent| agent.welcome["snapshot"]["conversations"][0]["wrap_up_left_ms"].as_u64().unwrap();
    let ask = async || left(&Agent::connect(&server, DEMO, "ada").await);
    let before = eventually("two seconds of wrap-up", ask, |left| *left < 598_000).await;
    server.kill();
    server.start_again();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let after = left(&agent);
    assert!(after <= before + 600 && after + 10_000 > before, "{before} ms left before the kill, {after} after it");
    agent.must(json!({"type": "wrap_up_done", "conversation": customer.conversation})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vanished_owners_countdown_goes_on_over_kills() {
    let mut server = Server::start(&Options::default().without_rate_limits().set("engine.tick_record_every_ms=100"));
    server.change_settings(DEMO, |settings| settings["vanished_owner_ms"] = 3_000.into()).await;
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    ada.must(json!({"type": "sign_out"})).await;
    // Were it to begin anew at each start, bob would have to stay undisturbed for three seconds.
    for _ in 0..3 {
        let path = format!("/v1/workspaces/{DEMO}/live/agents");
        let position = async || bob.must(json!({"type": "ready"})).await["position"].as_u64().unwrap();
        let first = std::cell::Cell::new(None);
        let mut position = position;
        eventually(
            "some records of the clock",
            async || position().await,
            |at| {
                let from = first.get().unwrap_or(*at);
                first.set(Some(from));
                *at >= from + 4
            },
        )
        .await;
        server.kill();
        server.start_again();
        assert_eq!(server.admin("GET", &path, None).await.status, 200);
        bob = Agent::connect(&server, DEMO, "bob").await;
        if bob.welcome["snapshot"]["offers"] != json!([]) {
            break;
        }
    }
    let offer = match bob.welcome["snapshot"]["offers"].get(0).cloned() {
        Some(offer) => offer,
        None => bob.wait_for("offer").await["offer"].clone(),
    };
    assert_eq!(offer["conversation"]["conversation"], customer.conversation.as_str());
    assert_eq!(offer["conversation"]["waiting_since"], offer["conversation"]["opened_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_keeps_age_and_place_and_streams_are_taken_up_again() {
    let mut server = server();
    let mut customers = Vec::new();
    for number in 1..=3 {
        customers.push(Customer::start(server.address, DEMO, &format!("text {number}")).await);
    }
    let facts = async |server: &Server, customer: &Customer| {
        let path = format!("/v1/workspaces/{DEMO}/conversations/{}", customer.conversation);
        server.admin("GET", &path, None).await.json()
    };
    let before = facts(&server, &customers[2]).await;
    for stop_in_order in [false, true] {
        if stop_in_order {
            assert!(server.stop().success());
        } else {
            server.kill();
        }
        server.start_again();
        assert_eq!(facts(&server, &customers[2]).await, before);
        let mut again = Vec::new();
        for customer in customers {
            again.push(customer.at(server.address).await);
        }
        customers = again;
        let mut events = customers[2].follow(Some(1)).await;
        let message = support::customer::event_named(&mut events, "message").await;
        assert_eq!((message.id, &message.json()["text"]), (2, &json!("text 3")));
        let shown = async || customers[2].call("GET", "", None).await.json();
        eventually("its place", shown, |shown| shown["place"] == 3).await;
    }
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    for customer in &customers {
        let offer = agent.wait_for("offer").await["offer"].clone();
        assert_eq!(offer["conversation"]["conversation"], customer.conversation.as_str(), "the oldest first");
    }
}

/// `offhook` with these words, on this server's directory.
fn offhook(server: &Server, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.arg("--set").arg(format!("server.data_dir={}", server.data_dir().display())).args(words);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_of_a_killed_server_is_sound_and_can_be_shown() {
    if as_cluster::passes_over("`offhook journal` reads the file of the embedded one") {
        return;
    }
    let mut server = server();
    let (_agent, mut customer) = talking(&server, "ada").await;
    for number in 0..50 {
        customer.post(&format!("a secret number {number}")).await;
    }
    // Beside the running server: shown, and not checked.
    let shown = offhook(&server, &["journal", "show", DEMO]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    assert_eq!(offhook(&server, &["journal", "verify"]).status.code(), Some(2));
    server.kill();
    let verified = offhook(&server, &["journal", "verify", "--json"]);
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert!(report.to_string().contains(DEMO), "{report}");
    let shown = offhook(&server, &["journal", "show", DEMO]);
    let lines: Vec<Value> = text(&shown.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let positions: Vec<u64> = lines.iter().map(|line| line["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    let posted = lines
        .iter()
        .flat_map(|line| line["events"].as_array().unwrap())
        .filter(|event| event["message_posted"].is_object());
    assert_eq!(posted.count(), 51);
    assert!(!text(&shown.stdout).contains("a secret number"), "texts are sealed");
    let limited = offhook(&server, &["journal", "show", DEMO, "--from", "3", "--limit", "2"]);
    let lines: Vec<Value> = text(&limited.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["position"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 4]);
    let nowhere = offhook(&server, &["journal", "show", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(text(&nowhere.stderr).contains(DEMO), "it says which there are: {}", text(&nowhere.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_middle_of_a_journal_is_found() {
    if as_cluster::passes_over("`offhook journal` reads the file of the embedded one") {
        return;
    }
    let mut server = server();
    let (_agent, mut customer) = talking(&server, "ada").await;
    let mark = "x".repeat(6_000);
    for _ in 0..20 {
        customer.post(&mark).await;
    }
    assert!(server.stop().success());
    assert!(!server.data_dir().join("journal.db-wal").exists(), "a stop in order leaves no WAL behind");
    assert!(offhook(&server, &["journal", "verify"]).status.success());
    let path = server.data_dir().join("journal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Where the sealed texts lie: past the first pages, before the last ones.
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 512] {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, &bytes).unwrap();
    let found = offhook(&server, &["journal", "verify"]);
    assert_eq!(found.status.code(), Some(1), "{}{}", text(&found.stdout), text(&found.stderr));
}
