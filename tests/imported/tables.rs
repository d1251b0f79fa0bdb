//! Tables of one's own: killed in between, wrong, and larger than a call.

use crate::support::scene::eventually;
use crate::support::{Options, Server, within};
use crate::{at, command, get, must, remove_view, run, server};
use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Tables of so many conversations with two messages each.
fn tables(dir: &Path, conversations: usize) {
    let (mut about, mut said) = ("conversation,customer,opened,closed,agent\n".to_owned(), String::new());
    said += "conversation,at,author,text\n";
    for number in 0..conversations {
        let at = 1_500_000_000_000_u64 + number as u64 * 60_000;
        about += &format!("t{number},c{},{at},{},ada@example.com\n", number % 50, at + 9_000);
        said += &format!("t{number},{at},customer,\"question {number}\nof two lines\"\n");
        said += &format!("t{number},{},ada@example.com,answer {number}\n", at + 9_000);
    }
    std::fs::write(dir.join("conversations.csv"), about).unwrap();
    std::fs::write(dir.join("messages.csv"), said).unwrap();
}

const TABLES: &str = "csv conversations.csv messages.csv";

async fn imported(server: &Server) -> f64 {
    let answer = server.admin("GET", &at("/conversations?state=closed&limit=200"), None).await;
    if answer.status != 200 { 0.0 } else { answer.json()["conversations"].as_array().unwrap().len() as f64 }
}

/// All of them are there, each once.
async fn all_are_there(server: &Server, conversations: usize) {
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(server, &format!("/conversations?limit=200{cursor}")).await;
        numbers.extend(page["conversations"].as_array().unwrap().iter().map(|one| {
            assert_eq!(one["last_number"], 2, "{one}");
            one["imported"]["id"].as_str().unwrap().to_owned()
        }));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    numbers.sort_unstable();
    let mut expected: Vec<String> = (0..conversations).map(|number| format!("t{number}")).collect();
    expected.sort_unstable();
    assert_eq!(numbers, expected);
}

fn begun(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("offhook can be started")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_over_kills_of_the_server_and_of_the_command_and_makes_nothing_twice() {
    let server = server(Options::supervised().set("identity.api_key_requests_per_s=1000000")).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let all = 600;
    tables(dir, all);
    // The command is killed in the middle.
    let mut child = begun(command(&server, dir, TABLES));
    eventually("some conversations", async || imported(&server).await, |found| *found >= 50.0).await;
    child.kill().unwrap();
    child.wait().unwrap();
    // The server is killed in the middle, and the command waits for it.
    let mut again = command(&server, dir, TABLES);
    let child = begun(again_quietly(&mut again));
    let done = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    eventually("more of them", async || imported(&server).await, |found| *found >= 100.0).await;
    server.kill_the_child();
    let done = within("its end", done).await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}\n{}", server.log_tail());
    all_are_there(&server, all).await;
    let (printed, _) = must(&server, dir, TABLES).await;
    assert!(printed.contains(&format!(": 0 conversations imported, {all} were here already")), "{printed}");
    all_are_there(&server, all).await;
}

fn again_quietly(command: &mut Command) -> Command {
    std::mem::replace(command, Command::new("true"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_table_is_named_with_its_place_and_nothing_is_sent() {
    let server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (about, place) in [
        (
            "conversation,customer,opened,closed\n1,,2020-01-01T00:00:00Z,2020-01-02T00:00:00Z\n",
            "line 2, column 2 (customer)",
        ),
        ("conversation,customer,opened,closed\n1,c,yesterday,2020-01-02T00:00:00Z\n", "line 2, column 3 (opened)"),
        ("conversation,customer,opened,closed\n1,c,5000,4000\n", "line 2, column 4 (closed)"),
        ("conversation,customer,colour\n", "line 1, column 3"),
        ("number,customer\n", "line 1, column 1"),
        ("conversation,at,author,text\n1,1000,customer,\n", "line 2, column 4 (text)"),
    ] {
        std::fs::write(dir.join("table.csv"), about).unwrap();
        let done = run(&server, dir, "csv table.csv").await;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!((done.status.code(), done.stdout.is_empty()), (Some(2), true), "{said}");
        assert!(said.contains(place), "{place}: {said}");
    }
    let done = run(&server, dir, "csv table.csv --queue nowhere").await;
    assert!(String::from_utf8_lossy(&done.stderr).contains("--queue \"nowhere\""), "{done:?}");
    assert_eq!(get(&server, "/conversations").await["conversations"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_larger_than_a_call_goes_in_parts_and_loses_nothing() {
    let mut server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut said = "conversation,at,author,text,note\n".to_owned();
    for number in 0..450_u64 {
        let (author, note) = if number % 7 == 0 { ("ada@example.com", number % 14 == 0) } else { ("customer", false) };
        said += &format!("big,{},{author},{number} {},{note}\n", 1_000 + number, "é".repeat(300));
    }
    let long = format!("long {}", "ü".repeat(20_000));
    said += &format!("big,9000,customer,{long},\n");
    std::fs::write(dir.join("messages.csv"), said).unwrap();
    std::fs::write(dir.join("conversations.csv"), "conversation,customer,opened,closed\nbig,c-17,1000,9000\n").unwrap();
    let (printed, told) = must(&server, dir, TABLES).await;
    assert!(printed.contains(": 1 conversations imported"), "{printed}");
    assert!(told.contains("left: 1 texts of more than 16 KiB"), "{told}");
    for _ in 0..2 {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = get(&server, &format!("/conversations/c1/messages?limit=200{cursor}")).await;
            all.extend(page["messages"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let notes = 450_u64.div_ceil(14);
        assert!(all.iter().enumerate().all(|(place, one)| one["number"] == json!(place + 1)));
        assert!(all.windows(2).all(|two| two[0]["at"].as_u64() <= two[1]["at"].as_u64()));
        let pieces = all.iter().skip(450 - notes as usize).map(|one| one["text"].as_str().unwrap());
        assert_eq!(pieces.collect::<String>(), long);
        let facts = get(&server, "/conversations/c1").await;
        assert_eq!(facts["last_number"], json!(all.len()));
        let mut kept = get(&server, "/conversations/c1/notes?limit=200").await;
        assert_eq!(kept["notes"].take().as_array().unwrap().len() as u64, notes);
        let (printed, _) = must(&server, dir, TABLES).await;
        assert!(printed.contains(": 0 conversations imported, 1 were here already"), "{printed}");
        server.kill();
        remove_view(server.data_dir());
        server.start_again();
    }
}
