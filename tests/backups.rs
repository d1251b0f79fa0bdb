//! Backups of a running server: taken under load and through kills, checked, damaged, and brought back.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use support::backups::{Place, patient, patiently, text};
use support::scene::{DEMO, talking};
use support::{Agent, Customer, Options, Server, as_cluster};

/// Every message, by pages.
async fn messages(server: &Server, conversation: &str) -> Vec<String> {
    let (mut texts, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/workspaces/{DEMO}/conversations/{conversation}/messages?limit=50{cursor}");
        let page = server.admin("GET", &path, None).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        texts.extend(
            page["messages"].as_array().unwrap().iter().filter_map(|row| row["text"].as_str().map(str::to_owned)),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return texts,
        }
    }
}

async fn facts(server: &Server, conversation: &str) -> Value {
    server.admin("GET", &format!("/v1/workspaces/{DEMO}/conversations/{conversation}"), None).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_backup_is_there_after_it_is_brought_back() {
    if as_cluster::passes_over("a node's backups have no records, and each is a whole one") {
        return;
    }
    let server = patient();
    let place = Place::new();
    let (mut ada, mut zoe) = talking(&server, "ada").await;
    zoe.post("a second").await;
    ada.must(json!({"type": "send", "conversation": zoe.conversation, "text": "an answer"})).await;
    let waiting = Customer::start_when_there_is_room(server.address, DEMO, "who waits").await;
    let offer = ada.until("the offer", |frame| frame["type"] == "offer").await["offer"].clone();
    let whole = place.taken(&server, &[]);
    assert_eq!(place.manifest(&whole)["kind"], "whole");
    place.is_sound();

    // What comes after is in the next, which holds nothing else.
    zoe.post("after the whole one").await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let more = place.taken(&server, &[]);
    let manifest = place.manifest(&more);
    assert_eq!((&manifest["kind"], &manifest["after"]), (&json!("more"), &json!(whole)));
    assert!(!place.to().join(&more).join("view.db").exists());
    place.is_sound();

    let back = place.restored(&server, &[]);
    let texts = ["hello", "a second", "an answer", "after the whole one"];
    assert_eq!(messages(&back, &zoe.conversation).await, texts);
    for conversation in [&zoe.conversation, &waiting.conversation] {
        let found = facts(&back, conversation).await;
        assert_eq!((&found["state"], &found["owner"]), (&json!("active"), &json!("ada")), "{found}");
    }
    // Whatever a data directory holds is brought back, or is made again.
    let names = |dir: &std::path::Path| -> BTreeSet<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
    };
    let dir = place.path().join("looked-at");
    assert_eq!(place.restore(&dir, &[]).status.code(), Some(0));
    let made_again = ["lock", "reserve", "backup.json", "tls-tickets.key"].map(str::to_owned);
    let missing: Vec<String> = names(server.data_dir()).difference(&names(&dir)).cloned().collect();
    assert!(missing.iter().all(|name| made_again.contains(name)), "a backup does not hold {missing:?}");
    // It works on, with the tokens that were given out.
    let mut zoe_again = zoe.at(back.address).await;
    zoe_again.post("on the new server").await;
    let mut ada_again = Agent::connect(&back, DEMO, "ada").await;
    ada_again.must(json!({"type": "close", "conversation": zoe_again.conversation})).await;
    drop(back);

    // As of the whole one: that the offer was accepted is not known there.
    let earlier = place.restored(&server, &["--at", &whole]);
    assert_eq!(messages(&earlier, &zoe_again.conversation).await, texts[..3]);
    let found = facts(&earlier, &waiting.conversation).await;
    assert!(found["owner"].is_null(), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_under_load_and_through_kills_of_both_lose_nothing() {
    if as_cluster::passes_over("a node's backups have no records, and each is a whole one") {
        return;
    }
    // With the server's own probe, whose workspace is there too.
    let mut server = Server::start(&patiently().set("health.probe_every_ms=500"));
    let place = Place::new();
    let mut customer = Customer::start_when_there_is_room(server.address, DEMO, "0").await;
    let mut acknowledged = 1;
    for words in [&[][..], &["--whole"], &[]] {
        // Somebody writes all the time. What was acknowledged before the backup began must be in it.
        let at_least = acknowledged;
        let mut child = place.backup(&server, words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let status = loop {
            customer.post(&acknowledged.to_string()).await;
            acknowledged += 1;
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
        };
        assert!(status.success());
        let back = place.restored(&server, &[]);
        let found = messages(&back, &customer.conversation).await;
        assert!(found.len() >= at_least, "{at_least} were acknowledged, {} are there", found.len());
        assert_eq!(found, (0..found.len()).map(|number| number.to_string()).collect::<Vec<_>>());
        let ready = back.operators_page("/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        drop(back);

        // One that is broken off is none.
        let before = place.names();
        let mut broken = place.backup(&server, &["--whole", "--bytes-per-s", "4096"]);
        let mut child = broken.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.into_iter().any(|line| line.starts_with("copying")), "it had begun");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(place.names(), before);
        place.is_sound();
        server.kill();
        server.start_again();
        customer = customer.at(server.address).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_damaged_part_is_found_by_its_name_and_nothing_is_started_from_it() {
    if as_cluster::passes_over("a node's backups have no records, and each is a whole one") {
        return;
    }
    let server = patient();
    let place = Place::new();
    let (_ada, mut zoe) = talking(&server, "ada").await;
    let whole = place.taken(&server, &[]);
    zoe.post("later").await;
    let more = place.taken(&server, &[]);
    let keys = fs::read_dir(place.keys()).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    let records = format!("records/{DEMO}.records");
    let parts = [
        place.to().join(&whole).join("view.db"),
        place.to().join(&whole).join(&records),
        place.to().join(&more).join(&records),
        place.to().join(&more).join("manifest.json"),
        keys.join("keys.db"),
    ];
    for path in parts {
        let sound = fs::read(&path).unwrap();
        let mut damaged = sound.clone();
        damaged[sound.len() / 2] ^= 1;
        fs::write(&path, damaged).unwrap();
        let found = place.verify();
        assert_eq!(found.status.code(), Some(1), "{}: {}", path.display(), text(&found.stderr));
        assert!(text(&found.stdout).contains(path.to_str().unwrap()), "{}", text(&found.stdout));

        let dir = place.path().join("to");
        let refused = place.restore(&dir, &[]);
        assert_eq!(refused.status.code(), Some(2), "{}", path.display());
        assert!(text(&refused.stderr).contains("damaged"), "{}", text(&refused.stderr));
        if dir.exists() {
            let options = Options { data_dir: Some(dir.clone()), ..Options::default() };
            let why = Server::try_start(&options).err().unwrap();
            assert!(why.contains("broken off"), "{why}");
        }
        fs::write(&path, sound).unwrap();
        // The same directory is taken again, and nothing of the first is left in it.
        let done = place.restore(&dir, &[]);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let again = place.restore(&dir, &[]);
        assert!(text(&again.stderr).contains("not empty"), "{}", text(&again.stderr));
        fs::remove_dir_all(dir).unwrap();
    }
    place.is_sound();
    fs::remove_dir_all(place.to().join(&whole)).unwrap();
    let found = place.verify();
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stdout).contains("which is not there"), "{}", text(&found.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_newer_format_is_refused_with_what_to_do() {
    let server = patient();
    let place = Place::new();
    let name = place.taken(&server, &[]);
    let path = place.to().join(&name).join("manifest.json");
    let written = fs::read_to_string(&path).unwrap();
    let line = written.lines().next().unwrap().replacen("\"format\":1", "\"format\":2", 1);
    let sum = <sha2::Sha256 as sha2::Digest>::digest(line.as_bytes());
    let sum = sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    fs::write(&path, format!("{line}\n{sum}\n")).unwrap();
    let refused = place.restore(&place.path().join("to"), &[]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("format 2") && said.contains("newer release"), "{said}");
    // One that goes on from it; a whole one, as of a node of a cluster, rests on none.
    let next = place.backup(&server, &[]).output().unwrap();
    let said = text(&next.stderr);
    assert!(
        next.status.success() == as_cluster::is_on() && said.contains("newer release") != as_cluster::is_on(),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_does_not_go_on_from_the_last_backup_is_taken_whole() {
    if as_cluster::passes_over("a node's backups have no records, and each is a whole one") {
        return;
    }
    let mut server = patient();
    let place = Place::new();
    let mut customer = Customer::start_when_there_is_room(server.address, DEMO, "before").await;
    let whole = place.taken(&server, &[]);
    customer.post("in the second").await;
    place.taken(&server, &[]);
    // The server goes on from the first: what comes now has the same positions, and is something else.
    let old = place.restored(&server, &["--at", &whole]);
    let mut customer = customer.at(old.address).await;
    customer.post("elsewhere").await;
    customer.post("elsewhere again").await;
    let done = place.backup(&old, &[]).output().unwrap();
    assert!(done.status.success() && text(&done.stderr).contains("does not go on"), "{}", text(&done.stderr));
    place.is_sound();
    assert_eq!(
        messages(&place.restored(&server, &[]), &customer.conversation).await,
        ["before", "elsewhere", "elsewhere again"]
    );
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ones_go_and_the_server_says_when_the_last_was_taken() {
    let server = patient();
    let place = Place::new();
    let last = "offhook_backup_last_success_timestamp_seconds";
    assert_eq!(server.metric(last).await, 0.0);
    for _ in 0..2 {
        place.taken(&server, &["--whole"]);
        place.taken(&server, &[]);
    }
    let before = place.names();
    let took = place.taken(&server, &["--whole", "--keep-whole", "2"]);
    // In a cluster each of the four is a whole one.
    let kept = if as_cluster::is_on() { &before[3..] } else { &before[2..] };
    assert_eq!(place.names(), [kept, &[took]].concat());
    place.is_sound();
    assert_eq!(fs::read_dir(place.keys()).unwrap().count(), 1, "of the keys only the newest copy is kept");
    let at = server.metric(last).await;
    assert!((at - support::now_s() as f64).abs() < 60.0, "{at}");
    assert!(server.metric("offhook_backup_last_bytes").await > 10_000.0);

    let mark = place.path().join("mark");
    place.taken(&server, &["--then", &format!("echo $OFFHOOK_BACKUP >{}", mark.display())]);
    let newest = place.names().pop().unwrap();
    assert!(fs::read_to_string(&mark).unwrap().trim().ends_with(&newest));
    assert_eq!(server.metric("offhook_backup_last_failure_timestamp_seconds").await, 0.0);
    let failed = place.backup(&server, &["--then", "exit 3"]).output().unwrap();
    assert_eq!(failed.status.code(), Some(2));
    assert!(text(&failed.stderr).contains("the backup is in"), "{}", text(&failed.stderr));
    assert!(server.metric("offhook_backup_last_failure_timestamp_seconds").await >= at);
}
