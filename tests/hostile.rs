//! Clients that are slow, greedy or broken on purpose: each meets a limit, is counted, and is hardly noticed by the others.
//! docs/operating.md has the table of them, which is held here too.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use support::process::{freeze, thaw};
use support::scene::{DEMO, eventually, server, talking};
use support::socket::frame;
use support::{Agent, Customer, Http, Options, Server, command_id, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

fn unlimited() -> Options {
    Options::default().without_rate_limits()
}

/// The value of a metric, 0 before it was counted for the first time.
async fn metric(server: &Server, name: &str) -> f64 {
    let page = server.operators_page("/metrics").await;
    let line = page.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

async fn metric_reaches(server: &Server, name: &str, least: f64) {
    eventually(name, async || metric(server, name).await, |value| *value >= least).await;
}

/// A connection whose kernel takes as little as it can.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(address).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_and_an_answer_that_nobody_reads_are_ended_and_give_their_places_back() {
    let options = unlimited().set("server.write_timeout_ms=300").set("sessions.send_buffer_bytes=4096");
    let server = Server::start(&options);
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut stream = narrow(server.address).await;
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", customer.events);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    within("a stream", stream.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    for _ in 0..20 {
        let text = "x".repeat(16_000);
        ada.must(json!({"type": "send", "conversation": customer.conversation, "text": text})).await;
    }
    metric_reaches(&server, "offhook_connections_stuck_total", 1.0).await;
    eventually("its place", async || metric(&server, "offhook_messenger_streams").await, |open| *open == 0.0).await;
    // The same for answers: one asks and asks, and reads none of them.
    let mut greedy = narrow(server.address).await;
    let ask = format!(
        "GET /v1/messenger/{DEMO}/conversations/{}/messages?limit=20 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        customer.conversation, customer.token
    );
    for _ in 0..10 {
        greedy.write_all(ask.as_bytes()).await.unwrap();
    }
    metric_reaches(&server, "offhook_connections_stuck_total", 2.0).await;
    ada.must(json!({"type": "ready"})).await;
}

/// An agent that says nothing more, and answers no ping.
async fn falls_silent(server: &Server, name: &str) -> TcpStream {
    let token = server.agent_token(DEMO, name, Role::Agent);
    let mut silent = narrow(server.address).await;
    let request = format!(
        "GET /v1/agent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: offhook.agent.v1, offhook.token.{token}\r\n\r\n"
    );
    silent.write_all(request.as_bytes()).await.unwrap();
    silent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_gives_up_who_is_silent_and_nobody_else() {
    let server = Server::start(&unlimited().set("sessions.ping_every_ms=1000").set("sessions.dead_after_ms=3000"));
    let mut ada = Agent::connect(&server, DEMO, "ada").await;
    let mut silent = falls_silent(&server, "eve").await;
    within("the upgrade", silent.read_exact(&mut [0; 12])).await.unwrap();
    let pid = server.pid().cast_signed();
    freeze(pid);
    // What is tested is time that passes: more of it than anybody may be silent.
    tokio::time::sleep(std::time::Duration::from_millis(3_500)).await;
    thaw(pid);
    // Who reads answers pings.
    tokio::select! {
        ended = ada.closed() => panic!("ada was given up: {ended:?}"),
        () = metric_reaches(&server, "offhook_dead_peers_total", 1.0) => {}
    }
    ada.must(json!({"type": "set_status", "status": "available"})).await;
    assert_eq!(metric(&server, "offhook_dead_peers_total").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_neither_reads_nor_answers_is_given_up() {
    let options = unlimited().set("sessions.ping_every_ms=200").set("sessions.dead_after_ms=600");
    let server = Server::start(&options);
    let _silent = falls_silent(&server, "eve").await;
    metric_reaches(&server, "offhook_dead_peers_total", 1.0).await;
    eventually("its place", async || metric(&server, "offhook_sessions").await, |open| *open == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_byte_by_byte_is_cut_off_and_one_that_claims_too_much_is_not_waited_for() {
    let server = server();
    let head = |length: &str| {
        format!(
            "POST /v1/messenger/{DEMO}/conversations HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {}\r\n{length}\r\n\r\n",
            command_id()
        )
    };
    let answer = async |request: &[u8]| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = [0; 12];
        within("an answer", stream.read_exact(&mut answer)).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let slow = async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(head("Content-Length: 100").as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.split();
        let dripping = async {
            loop {
                let _ = write.write_all(b" ").await;
                // The pace of the attack.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        };
        let mut answer = [0; 12];
        tokio::select! {
            read = within("an answer", read.read_exact(&mut answer)) => { read.unwrap(); }
            () = dripping => {}
        }
        assert_eq!(&answer, b"HTTP/1.1 400");
    };
    let claims = async {
        assert_eq!(answer(head("Content-Length: 1000000000000").as_bytes()).await, "HTTP/1.1 413");
        let chunks = format!("{}{}", head("Transfer-Encoding: chunked"), "1000\r\n").into_bytes();
        let endless = [chunks, [vec![b' '; 0x1000], b"\r\n1000\r\n".to_vec()].concat().repeat(64)].concat();
        assert_eq!(answer(&endless).await, "HTTP/1.1 413");
        Customer::start(server.address, DEMO, "hello").await;
    };
    tokio::join!(slow, claims);
    assert!(metric(&server, "offhook_bad_input_total{code=\"too_large\"}").await >= 2.0);
    assert!(metric(&server, "offhook_bad_input_total{code=\"bad_request\"}").await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_control_frames_and_of_empty_pieces_end_their_session() {
    let server = Server::start(&Options::default());
    let mut bystander = Agent::connect(&server, DEMO, "zoe").await;
    let first = frame(1, b"");
    let pieces: Vec<u8> =
        [vec![0x01], first[1..].to_vec(), [vec![0x00], first[1..].to_vec()].concat().repeat(2_000)].concat();
    for (what, bytes, code) in [
        ("pings", frame(9, b"").repeat(2_000), 4102),
        ("pongs", frame(10, b"").repeat(2_000), 4102),
        ("pieces", pieces, 1009),
    ] {
        let mut eve = Agent::connect(&server, DEMO, "eve").await;
        // It may be closed before it has said it all.
        let _ = eve.socket.writer.raw(&bytes).await;
        assert_eq!(eve.closed().await.0, code, "{what}");
        bystander.must(json!({"type": "ready"})).await;
    }
    assert_eq!(metric(&server, "offhook_sessions_closed_total{code=\"rate_limited\"}").await, 2.0);
    assert_eq!(metric(&server, "offhook_sessions_closed_total{code=\"too_large\"}").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_visitors_behind_one_address_or_in_one_workspace_are_limited_together() {
    for (settings, scope) in [
        (["messenger.address_messages_per_s=1", "messenger.address_burst=3"], "address"),
        (["messenger.workspace_messages_per_s=1", "messenger.workspace_burst=3"], "workspace"),
    ] {
        let options = settings.iter().fold(unlimited(), |options, setting| options.set(setting));
        let server = Server::start(&options);
        let mut limited = None;
        for _ in 0..8 {
            let mut customer = Customer::start(server.address, DEMO, "hello").await;
            let posted = customer.call("POST", "messages", Some(json!({"text": "again"}))).await;
            if posted.status != 201 {
                limited = Some(posted);
            }
        }
        let limited = limited.expect("eight are more than three");
        assert_eq!((limited.status, limited.json()["code"].as_str()), (429, Some("rate_limited")), "{scope}");
        assert!(limited.json()["retry_after_ms"].as_u64() > Some(0) && limited.header("retry-after").is_some());
        assert!(metric(&server, &format!("offhook_rate_limited_total{{scope=\"{scope}\"}}")).await >= 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_by_address_and_in_all_and_a_new_one_is_refused() {
    let options = unlimited().set("messenger.streams_per_address_max=2").set("server.trusted_proxies=127.0.0.1");
    let server = Server::start(&options.set("messenger.streams_max=3"));
    let open = async |customer: &Customer, from: &str| {
        let from = format!("X-Forwarded-For: {from}\r\n");
        support::sse::Events::open_with(server.address, &customer.events, &from).await.unwrap()
    };
    let mut customers = Vec::new();
    for _ in 0..5 {
        customers.push(Customer::start(server.address, DEMO, "hello").await);
    }
    let mut first = open(&customers[0], "192.0.2.1").await.expect("the first is followed");
    let _second = open(&customers[1], "192.0.2.1").await.expect("the second is followed");
    assert_eq!(open(&customers[2], "192.0.2.1").await.err(), Some(429));
    let _third = open(&customers[3], "192.0.2.2").await.expect("from elsewhere");
    assert_eq!(open(&customers[4], "192.0.2.3").await.err(), Some(503));
    // Those who were there go on.
    assert!(within("an event", first.next()).await.unwrap().is_some());
    assert_eq!(metric(&server, "offhook_rate_limited_total{scope=\"streams\"}").await, 1.0);
    assert_eq!(metric(&server, "offhook_messenger_streams").await, 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_refused_goes_on_in_the_back_and_comes_out_with_a_good_token() {
    let server = Server::start(&unlimited());
    let mut customer = Customer::start(server.address, DEMO, "hello").await;
    let moved = |lane: &str| format!("offhook_connections_moved_total{{to=\"{lane}\"}}");
    let path = format!("/v1/messenger/{DEMO}/conversations/{}", customer.conversation);
    let mut http = Http::connect(server.address).await.unwrap();
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let refused = within("an answer", http.ask("GET", &path, &bearer("ohv1.guessed"), b"")).await.unwrap();
    assert_eq!(refused.status, 401, "{}", refused.text());
    metric_reaches(&server, &moved("back"), 1.0).await;
    // Once more, on the threads of the back.
    let refused = within("an answer", http.ask("GET", &path, &bearer("ohv1.guessed"), b"")).await.unwrap();
    assert_eq!((refused.status, metric(&server, &moved("front")).await), (401, 0.0));
    // An event stream is taken to the front in the middle of its answer, and goes on.
    within("a request", http.send("GET", &customer.events, "", b"")).await.unwrap();
    assert_eq!(within("an answer", http.head()).await.unwrap().status, 200);
    metric_reaches(&server, &moved("front"), 1.0).await;
    let posted = customer.call("POST", "messages", Some(json!({"text": "are you there?"}))).await;
    assert_eq!(posted.status, 201, "{}", posted.text());
    let heard = async {
        let mut heard = String::new();
        while !heard.contains("are you there?") {
            let chunk = http.chunk().await.unwrap().expect("the stream goes on");
            heard.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    within("what was said meanwhile", heard).await;
    assert_eq!([metric(&server, &moved("back")).await, metric(&server, &moved("front")).await], [1.0, 1.0]);
}

/// What stands between backticks.
fn code(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sources(dir: &Path, found: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_table_of_hostile_clients_names_settings_metrics_and_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/operating.md")).unwrap();
    let section = document.split_once("\n## Slow and hostile clients\n").expect("the section").1;
    let section = section.split("\n## ").next().unwrap();
    let shown = Command::new(env!("CARGO_BIN_EXE_offhook")).arg("check").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let settings: BTreeSet<&str> = shown.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    let metrics: BTreeSet<&str> = offhook::telemetry::catalogue::METRICS.iter().map(|metric| metric.name).collect();
    let mut tests = String::new();
    sources(&root.join("tests"), &mut tests);
    sources(&root.join("src"), &mut tests);
    let mut rows = 0;
    for row in section.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [threat, limit, metric, test] = cells[..] else { panic!("four cells: {row}") };
        for setting in code(limit) {
            assert!(settings.contains(setting.as_str()), "{threat}: there is no setting {setting}");
        }
        assert!(!code(limit).is_empty() || limit.contains("always"), "{threat}: a limit that is set, or is always so");
        let named = code(metric);
        assert!(!named.is_empty(), "{threat}: no metric");
        for metric in named {
            assert!(metrics.contains(metric.split('{').next().unwrap()), "{threat}: there is no metric {metric}");
        }
        let named = code(test);
        assert!(!named.is_empty(), "{threat}: no test");
        for test in named {
            assert!(tests.contains(&format!("fn {test}(")), "{threat}: there is no test {test}");
        }
        rows += 1;
    }
    assert!(rows >= 15, "{rows} rows");
}
