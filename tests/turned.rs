//! Each connection that is refused or dropped is explained by a line of the log: all causes that docs/operating.md lists, with the address as
//! far as the settings say.

mod support;

use offhook::gateway::auth::agent_token::Role;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use support::scene::{DEMO, eventually};
use support::socket::{Socket, frame};
use support::{Agent, Customer, Http, Options, Server, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// What no client brings about from outside alone: a store that cannot be read, a reply without a place, a fault of ours. They go the way
/// that all close codes go.
const FROM_WITHIN: [&str; 3] = ["unavailable", "too_slow", "resync"];
const LISTENING: [&str; 6] = ["full", "address", "head_late", "head_too_large", "head_malformed", "stuck"];
const TLS: [&str; 2] = ["tls_failed", "tls_late"];
const AGENTS: [&str; 12] = [
    "unauthorized",
    "forbidden",
    "busy",
    "rate_limited",
    "quota",
    "too_many_devices",
    "dead",
    "protocol",
    "binary",
    "not_utf8",
    "too_large",
    "bad_frames",
];

fn options() -> Options {
    Options::default().without_rate_limits().set("log.format=json")
}

/// The line of the log that tells of this cause.
async fn told(server: &Server, why: &str) -> Value {
    let log = server.data_dir().with_extension("log");
    let find = async || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let tells = |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with("a connection was "));
        lines.filter(tells).find(|line| line["why"] == why)
    };
    let line = eventually(&format!("a line of {why}"), find, Option::is_some).await.expect("waited for");
    assert_eq!((&line["level"], &line["suppressed"]), (&json!("INFO"), &json!(0)), "{line}");
    line
}

/// A connection whose kernel takes as little as it can.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(address).await.unwrap()
}

async fn say(server: &Server, bytes: &[u8]) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // A server that has heard enough may close before all is written.
    let _ = stream.write_all(bytes).await;
    let _ = within("the end", stream.read_to_end(&mut Vec::new())).await;
}

#[test]
fn the_causes_that_are_tried_are_those_that_are_documented() {
    let text = include_str!("../docs/operating.md");
    let section = text.split_once("\n### Connections that were refused or dropped\n").unwrap().1;
    let table = section.split_once("\n## ").unwrap().0.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<&str> = table
        .flat_map(|row| row.split('|').nth(1).unwrap().split(',').map(|why| why.trim().trim_matches('`')))
        .collect();
    let tried: BTreeSet<&str> = [&LISTENING[..], &TLS, &AGENTS, &FROM_WITHIN].concat().into_iter().collect();
    assert_eq!(documented, tried);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_or_says_nothing_that_is_a_request_is_explained() {
    let full = Server::start(&options().set("server.connections_max=1").set("log.addresses=network"));
    let mut first = Http::connect(full.address).await.unwrap();
    within("an answer", first.ask("GET", "/v1/nothing", "", b"")).await.unwrap();
    say(&full, b"").await;
    let line = told(&full, "full").await;
    assert_eq!((&line["address"], &line["message"]), (&json!("127.0.0.0/24"), &json!("a connection was refused")));

    let limits = options()
        .set("server.handshakes_per_address_max=1")
        .set("server.header_timeout_ms=1500")
        .set("server.write_timeout_ms=300")
        .set("sessions.send_buffer_bytes=4096");
    let server = Server::start(&limits);
    let customer = Customer::start_when_there_is_room(server.address, DEMO, "hello").await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    // Until one of them is there beside it.
    within("a refusal", async {
        let mut answer = [0; 12];
        while TcpStream::connect(server.address).await.unwrap().read_exact(&mut answer).await.is_err() {}
        assert_eq!(&answer, b"HTTP/1.1 503");
    })
    .await;
    assert!(told(&server, "address").await["address"].is_null(), "none, unless it is asked for");
    let _ = within("the end", silent.read_to_end(&mut Vec::new())).await;
    told(&server, "head_late").await;
    say(&server, format!("GET / HTTP/1.1\r\nHost: x\r\nFat: {}\r\n\r\n", "x".repeat(40_000)).as_bytes()).await;
    told(&server, "head_too_large").await;
    say(&server, b"nothing of the kind\r\n\r\n").await;
    told(&server, "head_malformed").await;

    let mut greedy = narrow(server.address).await;
    let ask = format!(
        "GET /v1/messenger/{DEMO}/conversations/{}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        customer.conversation, customer.token
    );
    let asking = async {
        while greedy.write_all(ask.as_bytes()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::join!(within("the end", asking), told(&server, "stuck"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tls_handshake_that_is_none_or_late_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(dir.path().join("tls.pem"), cert.pem()).unwrap();
    fs::write(dir.path().join("tls.key"), signing_key.serialize_pem()).unwrap();
    let options = options()
        .set(&format!("tls.certificate={}", dir.path().join("tls.pem").display()))
        .set(&format!("tls.key={}", dir.path().join("tls.key").display()))
        .set("server.header_timeout_ms=300")
        .set("log.addresses=whole");
    let server = Server::start(&options);
    say(&server, b"GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(told(&server, "tls_failed").await["address"], "127.0.0.1");
    say(&server, b"\x16").await;
    told(&server, "tls_late").await;
}

/// An agent who sends this.
async fn sends(server: &Server, name: &str, bytes: &[u8]) {
    let mut agent = Agent::connect(server, DEMO, name).await;
    // What comes behind the frame that ended it may find nobody.
    let _ = agent.socket.writer.raw(bytes).await;
    agent.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_who_are_not_let_in_or_not_any_longer_are_explained() {
    let server = Server::start(&options().set("sessions.connects_per_min=3"));
    server.change_settings(DEMO, |settings| settings["devices_max"] = json!(1)).await;
    let connect = async |name: &str, token: &str| Agent::try_connect(server.address, name, token, None).await;
    assert!(connect("nobody", "no-token").await.is_err());
    assert_eq!(told(&server, "unauthorized").await["message"], "a connection was refused");
    assert!(connect("ada", &server.agent_token("nowhere", "ada", Role::Agent)).await.is_err());
    told(&server, "forbidden").await;
    let token = server.agent_token(DEMO, "ada", Role::Agent);
    let ada = connect("ada", &token).await;
    assert!(ada.is_ok() && connect("ada", &token).await.is_err());
    let line = told(&server, "too_many_devices").await;
    assert!(line["session"].as_str().is_some_and(|id| id.len() == 32) && line["address"].is_null(), "{line}");
    within("the rate's end", async { while connect("ada", &token).await.is_ok() {} }).await;
    for _ in 0..3 {
        let _ = connect("ada", &token).await;
    }
    told(&server, "rate_limited").await;
    let quota = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/quota"), Some(&json!({"connections": 1}))).await;
    assert!(quota.is_success());
    assert!(connect("bob", &server.agent_token(DEMO, "bob", Role::Agent)).await.is_err());
    told(&server, "quota").await;

    let server = Server::start(&options());
    for (why, bytes) in [
        ("protocol", frame(3, b"{}")),
        ("binary", frame(2, b"{}")),
        ("not_utf8", frame(1, &[0xff, 0xfe])),
        ("too_large", frame(1, &vec![b' '; 70_000])),
        ("bad_frames", frame(1, b"{}").repeat(20)),
    ] {
        sends(&server, why, &bytes).await;
        assert_eq!(told(&server, why).await["message"], "a connection was dropped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_is_not_heard_and_one_for_whom_there_is_no_room_are_explained() {
    let options = options().set("sessions.ping_every_ms=200").set("sessions.dead_after_ms=600");
    let server = Server::start(&options.set("sessions.handshakes_at_once=1").set("sessions.handshakes_waiting_max=0"));
    let token = server.agent_token(DEMO, "eve", Role::Agent);
    // Reads nothing, and so answers no ping.
    let protocol = format!("offhook.token.{token}");
    let _silent = within("an upgrade", Socket::connect(server.address, &[&protocol])).await.unwrap();
    told(&server, "dead").await;
    let tokens: Vec<_> = (0..16).map(|n| server.agent_token(DEMO, &format!("a{n}"), Role::Agent)).collect();
    let crowd = async {
        loop {
            let each = tokens.iter().map(|token| Agent::try_connect(server.address, "a", token, None));
            futures_util::future::join_all(each).await;
        }
    };
    tokio::select! {
        _ = told(&server, "busy") => {}
        () = crowd => {}
    }
}
