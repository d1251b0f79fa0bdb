//! One customer, exported and erased: in the history, in the files on the disk, in backups, through kills.

mod support;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::backups::{Place, patient};
use support::http::{Http, Response};
use support::scene::{DEMO, eventually, talking};
use support::{Agent, Customer, Options, Server, command_id, within};

fn at(rest: &str) -> String {
    format!("/v1/workspaces/{DEMO}{rest}")
}

/// As it is in the end, on a machine that is busy with other things.
async fn settled(mut ask: impl AsyncFnMut() -> Response) -> Response {
    let again = async {
        loop {
            let answer = ask().await;
            if answer.status != 503 {
                return answer;
            }
            let ms = answer.json()["retry_after_ms"].as_u64().expect("when to come again");
            // As long as the server asked for.
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    };
    within("an answer that stays", again).await
}

async fn get(server: &Server, path: &str) -> Response {
    settled(async || server.admin("GET", &at(path), None).await).await
}

async fn customer_of(server: &Server, conversation: &str) -> String {
    let facts = get(server, &format!("/conversations/{conversation}")).await.json();
    facts["customer"].as_str().unwrap_or_else(|| panic!("{facts}")).to_owned()
}

async fn erased(server: &Server, customer: &str) -> Value {
    let done = settled(async || server.admin("DELETE", &at(&format!("/customers/{customer}")), None).await).await;
    assert_eq!(done.status, 200, "{}", done.text());
    done.json()
}

/// The lines of an export.
async fn export(server: &Server, customer: &str, query: &str) -> Vec<Value> {
    let answer = get(server, &format!("/customers/{customer}/export{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Nothing of what the customer said or is called can be had in any way.
async fn is_gone(server: &Server, customer: &str, conversation: &str) {
    let facts = get(server, &format!("/conversations/{conversation}")).await.json();
    assert_eq!(facts["erased"], true, "{facts}");
    for what in ["", "/messages", "/notes", "/events"] {
        let page = get(server, &format!("/conversations/{conversation}{what}")).await;
        assert_eq!(page.status, 200, "{what}: {}", page.text());
        assert!(!page.text().contains("unspeakable"), "{what}: {}", page.text());
    }
    let found = get(server, "/conversations?text=unspeakable").await;
    assert_eq!(found.json()["conversations"], json!([]), "{}", found.text());
    let lines = export(server, customer, "").await;
    assert!(!json!(lines).to_string().contains("unspeakable"), "{lines:?}");
}

/// Every file below a directory that holds these bytes.
fn holding(dir: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if std::fs::read(&path).is_ok_and(|text| text.windows(bytes.len()).any(|window| window == bytes)) {
            found.push(path);
        }
    }
    found
}

/// A customer with a name, a talk, a note and an answer, all of them unspeakable.
async fn unspeakable(server: &Server) -> (Agent, Customer, String) {
    let mut ada = Agent::available(server, DEMO, "ada").await;
    let body = json!({"text": "unspeakable words", "name": "unspeakable name", "metadata": {"page": "unspeakable"}});
    let zoe = within("a start that is let in", async {
        loop {
            match Customer::try_start(server.address, DEMO, &body).await {
                Ok(zoe) => return zoe,
                Err(refused) => assert_eq!(refused.status, 503, "{}", refused.text()),
            }
            // Not at once: a server that has just begun is behind for a moment.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "send", "conversation": zoe.conversation, "text": "an unspeakable answer"})).await;
    let note = at(&format!("/conversations/{}/notes", zoe.conversation));
    assert_eq!(server.admin("POST", &note, Some(&json!({"text": "an unspeakable note"}))).await.status, 201);
    let customer = customer_of(server, &zoe.conversation).await;
    (ada, zoe, customer)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_says_all_that_is_known_and_nothing_of_others() {
    let server = patient();
    let (_ada, mut zoe, customer) = unspeakable(&server).await;
    let other = Customer::start_when_there_is_room(server.address, DEMO, "of somebody else").await;
    for number in 0..120 {
        zoe.post(&format!("number {number}")).await;
    }
    let lines = export(&server, &customer, "").await;
    assert_eq!((&lines[0]["customer"], &lines[0]["notes"]), (&json!(customer), &json!(true)));
    assert_eq!(lines[1]["conversation"]["name"], "unspeakable name");
    let texts: Vec<&str> = lines.iter().filter_map(|line| line["message"]["text"].as_str()).collect();
    assert_eq!(texts[..2], ["unspeakable words", "an unspeakable answer"]);
    assert_eq!(texts[2..], (0..120).map(|number| format!("number {number}")).collect::<Vec<_>>());
    let notes: Vec<&str> = lines.iter().filter_map(|line| line["note"]["text"].as_str()).collect();
    assert_eq!(notes, ["an unspeakable note"]);
    assert_eq!(lines.last().unwrap(), &json!({"end": true}));
    // With its quotes: an id of a customer may have the same signs in it.
    assert!(!json!(lines).to_string().contains(&format!("{:?}", other.conversation)), "{lines:?}");
    let without = export(&server, &customer, "?notes=false").await;
    assert!(!json!(without).to_string().contains("an unspeakable note"));
    for (path, status) in [("nobody", 404), (&"0".repeat(32), 404)] {
        assert_eq!(get(&server, &format!("/customers/{path}/export")).await.status, status, "{path}");
    }
    assert_eq!(get(&server, &format!("/customers/{customer}/export?notes=perhaps")).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_gone_from_history_disk_and_backups_and_stays_so() {
    let mut server = patient();
    let place = Place::new();
    let (_ada, zoe, customer) = unspeakable(&server).await;
    let (mut bob, other) = talking(&server, "bob").await;
    let before = place.taken(&server, &[]);
    // Its connection may have been idle for as long as one may be.
    let mut zoe = zoe.another().await;

    let done = erased(&server, &customer).await;
    assert_eq!((&done["conversations"], &done["closed"], &done["keys"]), (&json!(1), &json!(1), &json!(1)));
    is_gone(&server, &customer, &zoe.conversation).await;
    assert_eq!(zoe.call("POST", "messages", Some(json!({"text": "again"}))).await.status, 401, "its token is void");
    assert_eq!(erased(&server, &customer).await["keys"], 1, "once more is no fault");
    assert_eq!(holding(server.data_dir(), b"unspeakable"), Vec::<PathBuf>::new());
    // Others are as they were.
    bob.must(json!({"type": "send", "conversation": other.conversation, "text": "still here"})).await;

    server.kill();
    server.start_again();
    is_gone(&server, &customer, &zoe.conversation).await;
    // The backup of before knows nothing of it; its keys were replaced, and the ledger goes with whatever is restored.
    place.taken(&server, &[]);
    for words in [&[][..], &["--at", &before]] {
        let back = place.restored(&server, words);
        is_gone(&back, &customer, &zoe.conversation).await;
        assert_eq!(holding(back.data_dir(), b"unspeakable"), Vec::<PathBuf>::new());
        let page = get(&back, &format!("/conversations/{}/messages", other.conversation)).await;
        assert_eq!(page.json()["messages"][0]["text"], "hello", "{}", page.text());
    }
    assert_eq!(holding(place.path(), b"unspeakable"), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_keys_brings_nobody_back_and_its_numbers_are_not_given_out_again() {
    let mut server = patient();
    let (_ada, zoe, customer) = unspeakable(&server).await;
    assert!(server.stop().success());
    let keys = server.data_dir().join("keys.db");
    let copy = std::fs::read(&keys).unwrap();
    server.start_again();
    erased(&server, &customer).await;
    assert!(server.stop().success());
    std::fs::write(&keys, copy).unwrap();
    server.start_again();
    is_gone(&server, &customer, &zoe.conversation).await;
    let new = Customer::start_when_there_is_room(server.address, DEMO, "readable").await;
    server.kill();
    server.start_again();
    let page = get(&server, &format!("/conversations/{}/messages", new.conversation)).await;
    assert_eq!(page.json()["messages"][0]["text"], "readable", "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_a_kill_broke_off_is_done_by_asking_again() {
    let mut server = patient();
    for pause_us in [0, 500, 2_000, 8_000] {
        let (_ada, zoe, customer) = unspeakable(&server).await;
        let path = at(&format!("/customers/{customer}"));
        let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", server.admin_key(), command_id());
        let mut http = Http::connect(server.address).await.unwrap();
        http.send("DELETE", &path, &headers, b"").await.unwrap();
        // Wherever it is by then: none of it may be lost or half done for good.
        tokio::time::sleep(std::time::Duration::from_micros(pause_us)).await;
        server.kill();
        server.start_again();
        let done = settled(async || {
            let mut http = Http::connect(server.address).await.unwrap();
            http.ask("DELETE", &path, &headers, b"").await.unwrap()
        })
        .await;
        assert_eq!(done.status, 200, "{}", done.text());
        is_gone(&server, &customer, &zoe.conversation).await;
    }
}

/// As the workspace's own backend signs it.
fn token_of(directory: &Path, customer: &str) -> String {
    let signed = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["token", "--customer", customer, "--kid", "c", "--key-file"])
        .arg(directory.join("customers.key"))
        .output()
        .unwrap();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    String::from_utf8(signed.stdout).unwrap().trim().to_owned()
}

async fn start_as(server: &Server, token: &str, text: &str) -> String {
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {}\r\n", command_id());
    let body = json!({"text": text}).to_string();
    let path = format!("/v1/messenger/{DEMO}/conversations");
    let started = within("an answer", http.ask("POST", &path, &headers, body.as_bytes())).await.unwrap();
    assert_eq!(started.status, 201, "{}", started.text());
    started.json()["conversation"]["conversation"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_customer_is_found_by_its_own_id_and_may_come_back_as_a_stranger() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("customers.key"), b"a secret of the workspace's own backend").unwrap();
    let file = directory.path().join("customers.key");
    let keys = format!(
        r#"identity.customer_keys=[{{kid="c", algorithm="HS256", file="{}", workspace="{DEMO}"}}]"#,
        file.display()
    );
    let server = Server::start(&Options::default().without_rate_limits().set(&keys));
    let first = start_as(&server, &token_of(directory.path(), "c-17"), "before").await;
    let found = get(&server, "/customers?external_id=c-17").await.json();
    let customer = customer_of(&server, &first).await;
    assert_eq!(found, json!({"customer": customer, "is_here": true}));
    assert_eq!(get(&server, "/customers?external_id=c-18").await.json()["is_here"], false);
    assert_eq!(get(&server, "/customers").await.status, 422);
    erased(&server, &customer).await;
    // A token of before is void; one of a second later is not.
    let since = support::now_s();
    eventually("the next second", async || support::now_s(), |now| *now > since).await;
    let second = start_as(&server, &token_of(directory.path(), "c-17"), "after").await;
    let texts = async |conversation: &str| {
        let page = get(&server, &format!("/conversations/{conversation}/messages")).await.json();
        page["messages"][0]["text"].clone()
    };
    assert_eq!((texts(&first).await, texts(&second).await), (Value::Null, json!("after")));
}
