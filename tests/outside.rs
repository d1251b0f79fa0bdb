//! What is outside of the process and may fail or fall silent, other than its disk and its clock: whoever reads the log, whoever started it, the
//! files of its keys. docs/operating.md has the table of them. Silence is tried without its thirty seconds: what is held is that nothing waits
//! for it, so that its length does not matter.

mod support;

use serde_json::json;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use support::scene::{DEMO, eventually, offered, talking};
use support::{Agent, Customer, Http, Options, Server, command_id, within};

async fn is_alive(server: &Server) {
    assert_eq!(within("an answer", server.operators_page("/healthz")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_any_more_stops_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    // A page, so that it is full soon.
    // SAFETY: sets the size of a pipe of ours.
    assert!(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 4_096) } > 0);
    let options = Options { log: Some(Arc::new(writer)), ..Options::default().without_rate_limits() };
    // At this level each frame and each turn is a line or more.
    let server = Server::start(&options.set("log.level=trace"));
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let left_out = async || {
        customer.post("hello").await;
        ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "hello to you"})).await;
        server.metric("offhook_log_lines_left_out_total").await
    };
    eventually("a log that is full", left_out, |lines| *lines > 0.0).await;
    for _ in 0..20 {
        customer.post("still there?").await;
        ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "as ever"})).await;
    }
    let (_waiting, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    Agent::connect(&server, DEMO, "bob").await;
    is_alive(&server).await;
    drop(reader);
    // Nobody is there at all: that is an error of each write, and no more.
    let (_waiting, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    is_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_started_it_need_not_listen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let _deaf = UnixDatagram::bind(&path).unwrap();
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    while other.send_to(b"the queue is full", &path).is_ok() {}
    let mut options = Options::default().without_rate_limits();
    for (name, value) in [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "300000")] {
        options.environment.push((name.to_owned(), value.to_owned()));
    }
    let server = Server::start(&options);
    let (mut ada, mut customer) = talking(&server, "ada").await;
    customer.post("hello").await;
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "hello to you"})).await;
    is_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_gone_when_keys_are_read_again_changes_nothing() {
    let server = Server::start(&Options::default().without_rate_limits());
    let (mut ada, customer) = talking(&server, "ada").await;
    let (key, aside) = (server.data_dir().join("agent.key"), server.data_dir().join("aside"));
    let tokens = server.tokens();
    std::fs::rename(&key, &aside).unwrap();
    server.hang_up();
    let told = async || server.log_tail();
    eventually("a word in the log", told, |log| log.contains("could not be read again")).await;
    let token = tokens.of(DEMO, "bob", offhook::gateway::auth::agent_token::Role::Agent);
    let bob = Agent::try_connect(server.address, "bob", &token, None).await;
    assert!(bob.is_ok(), "the old keys are good");
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "as ever"})).await;
    is_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_metrics_and_does_not_read_them_holds_up_nobody() {
    let server = Server::start(&Options::default().without_rate_limits());
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let mut http = Http::connect(server.operators).await.unwrap();
        for _ in 0..20 {
            http.send("GET", "/metrics", "", b"").await.unwrap();
        }
        deaf.push(http);
    }
    is_alive(&server).await;
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "as ever", "id": command_id()}))
        .await;
    let (_waiting, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    Customer::start(server.address, DEMO, "hello").await;
}
