//! The audit trail, from outside: every administrative act leaves a line, refused or not, and nobody takes one out unnoticed.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Output};
use support::backups::Place;
use support::http::{Http, Response};
use support::scene::{DEMO, server, talking};
use support::{Options, Server, as_cluster, command_id, within};

fn at(rest: &str) -> String {
    format!("/v1/workspaces/{DEMO}{rest}")
}

/// Newest first.
async fn acts(server: &Server) -> Vec<Value> {
    let page = server.admin("GET", &at("/audit?limit=200"), None).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["acts"].as_array().unwrap().clone()
}

async fn ask(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> Response {
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {}\r\n", command_id());
    within("an answer", http.ask(method, path, &headers, body.to_string().as_bytes())).await.unwrap()
}

/// Every call of the admin API that writes, and the export: as the document that is made of its routes has them.
fn calls() -> Vec<(String, String)> {
    let printed = Command::new(env!("CARGO_BIN_EXE_offhook")).arg("openapi").output().unwrap();
    let document: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let mut calls = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|_| path.starts_with("/v1/workspaces/{workspace}")) {
            let writes = ["put", "post", "delete", "patch"].contains(&method.as_str());
            if writes || path.ends_with("/export") {
                calls.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(calls.len() > 20, "{calls:?}");
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_writes_leaves_a_line() {
    let server = server();
    let mut expected = BTreeSet::new();
    for (method, route) in calls() {
        // What programs do hundreds of times a second is in the journal.
        if route.ends_with("/decide") || route.contains("/channel/") {
            continue;
        }
        let path = route.replace("{workspace}", DEMO).replace("{conversation}", "c1").replace(['{', '}'], "");
        let answer = ask(&server, &server.admin_key(), &method, &path, &json!({"unheard_of": 1})).await;
        assert!(![401, 429].contains(&answer.status), "{method} {route}: {}", answer.text());
        let call = route.strip_prefix("/v1/workspaces/{workspace}").filter(|rest| !rest.is_empty()).unwrap_or(&route);
        expected.insert((method, call.to_owned()));
    }
    let found: BTreeSet<(String, String)> = acts(&server)
        .await
        .iter()
        .map(|act| (act["act"]["method"].as_str().unwrap().to_owned(), act["act"]["call"].as_str().unwrap().to_owned()))
        .collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "these calls leave no line: {missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_who_from_where_what_and_how_it_came_out() {
    let mut server = server();
    server.change_settings(DEMO, |settings| settings["channels"][0]["capacity"] = 7.into()).await;
    let newest = acts(&server).await[0].clone();
    let act = &newest["act"];
    assert_eq!((&act["method"], &act["call"], &act["status"]), (&json!("PUT"), &json!("/settings"), &json!(200)));
    assert_eq!(act["changed"], json!([{"at": "channels[0].capacity", "was": 3, "is": 7}]));
    assert_eq!((&act["from"], &act["who"]["of"]), (&json!("127.0.0.1"), &json!("server")));
    assert!(newest["at"].as_u64().is_some_and(|at| at > 1_700_000_000_000), "{newest}");

    // A key of the workspace's own, which may not; its name, and not the key, is told.
    let made = server.admin("POST", &at("/keys"), Some(&json!({"name": "reader", "scopes": ["read"]}))).await.json();
    let key = made["key"].as_str().unwrap();
    assert_eq!(ask(&server, key, "PUT", &at("/queues/vip"), &json!({"title": "VIP"})).await.status, 403);
    let trail = acts(&server).await;
    let refused = &trail[0]["act"];
    assert_eq!((&refused["who"]["key"], &refused["status"]), (&json!("reader"), &json!(403)));
    assert_eq!((&refused["error"], &refused["on"]), (&json!("forbidden"), &json!({"queue": "vip"})));
    assert!(!json!(trail).to_string().contains(key));

    // People by their names. What they write is nobody's business here.
    let (_ada, zoe) = talking(&server, "ada").await;
    let sue = server.agent_token(DEMO, "sue", Role::Supervisor);
    let note = at(&format!("/conversations/{}/notes", zoe.conversation));
    assert_eq!(ask(&server, &sue, "POST", &note, &json!({"text": "unspeakable"})).await.status, 201);
    let trail = acts(&server).await;
    let act = &trail[0]["act"];
    assert_eq!(
        (&act["who"], &act["on"]["conversation"]),
        (&json!({"agent": "sue", "role": "supervisor"}), &json!(zoe.conversation))
    );
    assert!(!json!(trail).to_string().contains("unspeakable"));
    // Who is not known leaves nothing, and reading leaves nothing.
    assert_eq!(ask(&server, "ohk_nobody", "PUT", &at("/queues/vip"), &json!({})).await.status, 401);
    assert_eq!(acts(&server).await.len(), trail.len());
    assert_eq!(ask(&server, &sue, "GET", &at("/audit"), &json!({})).await.status, 403, "for administrators alone");

    // It is there after a kill, and pages go on where the last one ended.
    server.kill();
    server.start_again();
    assert_eq!(acts(&server).await, trail);
    let first = server.admin("GET", &at("/audit?limit=1"), None).await.json();
    let next = first["next"].as_str().unwrap();
    let second = server.admin("GET", &at(&format!("/audit?limit=1&cursor={next}")), None).await.json();
    assert_eq!((&first["acts"][0], &second["acts"][0]), (&trail[0], &trail[1]));
    let later = newest["at"].as_u64().unwrap() + 1;
    let older = server.admin("GET", &at(&format!("/audit?to={later}&limit=1")), None).await.json();
    assert_eq!(older["acts"][0]["number"], newest["number"]);
}

fn audit(server: &Server, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.arg("--set").arg(format!("server.data_dir={}", server.data_dir().display())).arg("audit").args(words);
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_was_brought_back_says_so_and_goes_on() {
    let server = server();
    server.change_settings(DEMO, |settings| settings["channels"][0]["capacity"] = 4.into()).await;
    let place = Place::new();
    let name = place.taken(&server, &[]);
    server.change_settings(DEMO, |settings| settings["channels"][0]["capacity"] = 5.into()).await;
    let back = place.restored(&server, &[]);
    back.change_settings(DEMO, |settings| settings["channels"][0]["capacity"] = 6.into()).await;
    let kept = acts(&back).await;
    let of_a_command = |row: &&Value| row["act"]["who"] == json!({"command": "restore"});
    assert_eq!(kept.iter().filter(of_a_command).count(), 1, "{kept:?}");
    let line = kept.iter().find(of_a_command).unwrap();
    let (act, said) = (&line["act"], &line["act"]["said"]);
    assert_eq!((&act["call"], &said["backup"]), (&json!("offhook restore"), &json!(name)), "{kept:?}");
    assert!(said["made_at"].as_u64() <= line["at"].as_u64() && said["position"].as_u64() > Some(0), "{line}");
    let changed = kept.iter().filter(|row| row["act"]["call"] == "/settings");
    let was: Vec<Value> = changed.map(|row| row["act"]["changed"][0]["was"].clone()).collect();
    // In a cluster the settings go on where they stand, and the trail where it was brought back.
    let stood = if as_cluster::is_on() { 5 } else { 4 };
    assert_eq!(was, [stood, 3], "what came after the backup is in no line");
    assert_eq!(audit(&back, &[DEMO]).status.code(), Some(0), "each line follows from the one before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_somebody_mended_does_not_hold_together() {
    let mut server = server();
    for capacity in 4..8 {
        server.change_settings(DEMO, |settings| settings["channels"][0]["capacity"] = capacity.into()).await;
    }
    let printed = audit(&server, &[DEMO]);
    assert_eq!(printed.status.code(), Some(0), "{}", String::from_utf8_lossy(&printed.stderr));
    let lines: Vec<Value> =
        printed.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(json!(lines.iter().rev().collect::<Vec<_>>()), json!(acts(&server).await));
    server.kill();
    let db = rusqlite::Connection::open(server.data_dir().join("audit.db")).unwrap();
    db.execute("DELETE FROM act WHERE number = 2", []).unwrap();
    let found = audit(&server, &[DEMO]);
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&found.stderr).contains("number 3 does not follow"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_is_bounded_by_its_settings() {
    let server = Server::start(&Options::default().without_rate_limits().set("audit.acts_max=100"));
    for _ in 0..260 {
        let answer = ask(&server, &server.admin_key(), "DELETE", &at("/queues/none"), &Value::Null).await;
        assert_eq!(answer.status, 404);
    }
    let kept = audit(&server, &[DEMO]);
    assert_eq!(kept.status.code(), Some(0));
    let lines = kept.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert!((100..164).contains(&lines), "{lines} are kept");
}
