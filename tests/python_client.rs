//! The Python library of `web/python` against the real binary: its agents are killed the server under, and its channel carries messages.
//! And its own tests of what needs no server.

mod support;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::foreign::{WORKSPACE, does_the_job, front, must, python};
use support::script::Script;
use support::{Agent, Options, Server, within};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web/python")
}

/// An interpreter with what the library needs, that finds the library itself.
fn command() -> Command {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-client");
    let mut command = Command::new(python(&library().join("tests/real/requirements.txt"), &venv));
    // Nothing is written into the tree.
    command.env("PYTHONPATH", library()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[test]
fn what_is_pure_in_the_library_holds() {
    must(command().args(["-m", "unittest", "discover", "-s", "tests"]).current_dir(library()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_streams_its_answers_loses_none_to_a_kill_and_hands_over_to_a_person() {
    let mut command = command();
    command.arg(library().join("tests/real/job.py"));
    does_the_job(command).await;
}

/// A gateway of text messages, as `examples/sms.py` knows one: lines of JSON both ways.
struct Gateway {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Gateway {
    async fn called(listener: &TcpListener) -> Self {
        let (called, _) = within("the channel's call", listener.accept()).await.expect("a connection");
        let (reader, writer) = called.into_split();
        Self { lines: BufReader::new(reader).lines(), writer }
    }

    async fn say(&mut self, told: Value) {
        self.writer.write_all(format!("{told}\n").as_bytes()).await.expect("it is read");
    }

    async fn hears(&mut self) -> Value {
        let line = within("a line", self.lines.next_line()).await.expect("a line").expect("it goes on");
        serde_json::from_str(&line).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_of_text_messages_loses_and_doubles_nothing_when_it_and_the_server_are_killed() {
    let mut server = Server::start(&Options::default().without_rate_limits());
    server.workspace(WORKSPACE).await;
    server
        .change_settings(WORKSPACE, |settings| {
            let sms = json!({"name": "sms", "capacity": 5, "weight": 20, "offer_ms": 120_000, "wrap_up_ms": 0, "live": false});
            settings["channels"].as_array_mut().expect("channels").push(sms);
        })
        .await;
    let scopes = json!({"name": "texts", "scopes": ["channel", "events", "read"]});
    let made = server.admin("POST", &format!("/v1/workspaces/{WORKSPACE}/keys"), Some(&scopes)).await;
    let key = made.json()["key"].as_str().unwrap_or_else(|| panic!("{}", made.text())).to_owned();
    let (address, behind) = front(server.address).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = listener.local_addr().expect("an address").to_string();
    let directory = tempfile::tempdir().expect("a directory");
    let start = || {
        let mut command = command();
        command
            .arg(library().join("examples/sms.py"))
            .env("OFFHOOK_URL", format!("http://{address}"))
            .env("OFFHOOK_WORKSPACE", WORKSPACE)
            .env("OFFHOOK_KEY", &key)
            .env("SMS_GATEWAY", &gateway)
            .env("SMS_PLACE", directory.path().join("place"));
        Script::start(&mut command)
    };
    let by_text = async |server: &Server| {
        let mut ada = Agent::connect(server, WORKSPACE, "ada").await;
        ada.must(json!({"type": "set_status", "status": "available", "channels": ["sms"]})).await;
        ada
    };

    let bridge = start();
    let mut gateway = Gateway::called(&listener).await;
    let mut ada = by_text(&server).await;
    let hello = json!({"from": "+4915123456", "text": "hello", "id": "m1"});
    for _ in 0..2 {
        gateway.say(hello.clone()).await;
        assert_eq!(gateway.hears().await, json!({"ok": "m1"}));
    }
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["metadata"]["phone"], "+4915123456");
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "send", "conversation": "c1", "text": "good morning"})).await;
    let carried = json!({"to": "+4915123456", "text": "good morning", "ref": "c1/2"});
    assert_eq!(gateway.hears().await, carried);
    gateway.say(json!({"ref": "c1/2", "state": "undeliverable", "reason": "switched off"})).await;
    let told = ada.wait_for("delivery").await;
    assert_eq!(
        (&told["number"], &told["state"], &told["reason"]),
        (&json!(2), &json!("failed"), &json!("switched off"))
    );

    // Both are gone, and an agent writes before the channel is back.
    drop(bridge);
    server.kill();
    server.start_again();
    *behind.lock().expect("never poisoned") = server.address;
    let mut ada = by_text(&server).await;
    ada.must(json!({"type": "send", "conversation": "c1", "text": "are you there?"})).await;
    let _bridge = start();
    let mut gateway = Gateway::called(&listener).await;
    let mut next = gateway.hears().await;
    // It may have been killed before it had kept where it was: then the gateway hears of the same message again, by the same name.
    while next == carried {
        next = gateway.hears().await;
    }
    assert_eq!(next, json!({"to": "+4915123456", "text": "are you there?", "ref": "c1/3"}));
    gateway.say(hello).await;
    gateway.say(json!({"from": "+4915123456", "text": "yes", "id": "m2"})).await;
    let message = ada.until("the answer", |frame| frame["type"] == "message" && frame["number"] == 4).await;
    assert_eq!(message["text"], "yes");
}
