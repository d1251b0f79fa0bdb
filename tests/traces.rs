//! Traces, as a collector that is not ours receives them: Python's published classes of OpenTelemetry's protocol.

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use support::foreign::python;
use support::http::Http;
use support::scene::DEMO;
use support::socket::frame;
use support::{Agent, Customer, Options, PATIENCE, Server, as_cluster, command_id, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// OpenTelemetry's numbers of kinds.
const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
const CLIENT: u64 = 3;

/// A collector; dropped, it is killed.
struct Collector {
    child: Child,
    port: u16,
    lines: Receiver<String>,
    seen: Vec<Value>,
}

impl Collector {
    /// The first requests are answered with these statuses.
    fn start(refusals: &[&str]) -> Self {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("otlp");
        let mut command = Command::new(python(&clients.join("otlp.requirements.txt"), &place));
        command.arg(clients.join("otlp.py")).args(refusals).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python can be started");
        let stdout = child.stdout.take().expect("piped");
        let (line, lines) = channel();
        std::thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = line.send(text);
            }
        });
        let port = lines.recv_timeout(PATIENCE).expect("a port").parse().expect("a port");
        Self { child, port, lines, seen: Vec::new() }
    }

    fn options(&self) -> Options {
        let endpoint = format!("traces.otlp_endpoint=http://127.0.0.1:{}/v1/traces", self.port);
        Options::default().without_rate_limits().set(&endpoint)
    }

    /// The first span that is `wanted`, of those that came or still come.
    fn span(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(span) = self.seen.iter().find(|span| wanted(span)) {
            return span.clone();
        }
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no span of {what} came, but {:#?}", self.seen));
            let span: Value = serde_json::from_str(&line).expect("a line of JSON");
            self.seen.push(span.clone());
            if wanted(&span) {
                return span;
            }
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts by this caller, once there is room for it: a machine that is busy with other things puts it off.
async fn start_by(server: &Server, traceparent: &str) -> u16 {
    within("room for a start", async {
        loop {
            let mut http = Http::connect(server.address).await.unwrap();
            let headers = format!("Idempotency-Key: {}\r\ntraceparent: {traceparent}\r\n", command_id());
            let path = format!("/v1/messenger/{DEMO}/conversations");
            let started = http.ask("POST", &path, &headers, br#"{"text":"hello"}"#).await.unwrap();
            if started.status != 503 {
                return started.status;
            }
            let ms = started.json()["retry_after_ms"].as_u64().expect("when to come again");
            // As long as the server asked for.
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
        }
    })
    .await
}

fn links_to(span: &Value, other: &Value) -> bool {
    span["links"].as_array().is_some_and(|links| links.contains(&json!([other["trace"], other["span"]])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_followed_from_its_caller_through_the_turn_to_the_commit() {
    let mut collector = Collector::start(&[]);
    let server = Server::start(&collector.options().set("traces.sample_ratio=0"));
    Agent::available(&server, DEMO, "ada").await;
    Customer::start_when_there_is_room(server.address, DEMO, "hello").await;
    assert_eq!(start_by(&server, &format!("00-{TRACE}-{PARENT}-01")).await, 201);

    let begun = |span: &Value| span["attributes"]["http.response.status_code"] == 201;
    let request = collector.span("the request", |span| span["kind"] == SERVER && begun(span));
    assert_eq!((&request["trace"], &request["parent"]), (&json!(TRACE), &json!(PARENT)), "{request}");
    assert_eq!(request["name"], "POST /v1/messenger/{workspace}/conversations");
    assert_eq!(request["attributes"]["http.request.method"], "POST");
    assert_eq!(request["attributes"]["http.route"], "/v1/messenger/{workspace}/conversations");
    assert_eq!((&request["service"], &request["scope"]), (&json!("offhook"), &json!("offhook")));

    let command = collector.span("the command", |span| span["name"] == "command open");
    assert_eq!((&command["parent"], &command["kind"]), (&request["span"], &json!(INTERNAL)), "{command}");
    assert_eq!(command["attributes"]["offhook.outcome"], "done");
    let turn = collector.span("the turn", |span| span["name"] == "turn");
    assert_eq!((&turn["trace"], &turn["parent"]), (&json!(TRACE), &command["span"]), "{turn}");
    assert_eq!(turn["attributes"]["offhook.workspace"], DEMO);
    assert!(turn["attributes"]["offhook.events"].as_u64() >= Some(2), "{turn}");
    assert!(links_to(&turn, &command) && links_to(&command, &turn), "{turn} {command}");
    let append = collector.span("the append", |span| span["name"] == "journal append");
    assert_eq!((&append["parent"], &append["trace"]), (&turn["span"], &json!(TRACE)));
    // In a cluster who commits is a server of NATS.
    let commit = (!as_cluster::is_on()).then(|| {
        let commit = collector.span("the commit", |span| span["name"] == "journal commit");
        assert!(commit["parent"] == append["span"] && links_to(&commit, &append), "{commit}");
        commit
    });
    let deliver = collector.span("the delivery", |span| span["name"] == "deliver");
    assert_eq!(deliver["parent"], turn["span"]);
    for part in [&request, &command, &turn, &append, &deliver].into_iter().chain(&commit) {
        let (began, ended) = (part["began"].as_u64().unwrap(), part["ended"].as_u64().unwrap());
        assert!(began <= ended && began > 1_600_000_000_000_000_000, "{part}");
    }
    // What nobody samples is in none of them; who asks not to be sampled is not, whatever the ratio is.
    assert!(collector.seen.iter().all(|span| span["trace"] == TRACE), "{:#?}", collector.seen);
}

/// The head of the next request, which is answered 200.
async fn next_head(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        assert!(stream.read_buf(&mut head).await.unwrap() > 0, "a whole head");
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
    String::from_utf8_lossy(&head).to_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_goes_on_in_the_trace_of_what_it_tells() {
    let mut collector = Collector::start(&[]);
    let options = collector.options().set("traces.sample_ratio=0");
    let server = Server::start(&options.set("webhooks.private_addresses=true").set("webhooks.plain_http=true"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let hook = json!({"url": url, "types": ["conversation.opened"]});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/webhooks/crm"), Some(&hook)).await;
    assert!(put.is_success(), "{put:?}");
    assert_eq!(start_by(&server, &format!("00-{TRACE}-{PARENT}-01")).await, 201);
    let head = within("the webhook", next_head(&listener)).await;
    let span = collector.span("the webhook", |span| span["name"] == "webhook");
    let turn = collector.span("the turn", |span| span["name"] == "turn");
    assert_eq!(
        (&span["parent"], &span["trace"], &span["kind"]),
        (&turn["span"], &json!(TRACE), &json!(CLIENT)),
        "{span}"
    );
    assert_eq!(span["attributes"]["offhook.outcome"], "taken");
    let told = format!("traceparent: 00-{TRACE}-{}-01", span["span"].as_str().unwrap());
    assert!(head.contains(&told), "{told}: {head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_frames_begin_traces_and_a_caller_who_does_not_sample_is_not_sampled() {
    let mut collector = Collector::start(&[]);
    let server = Server::start(&collector.options().set("traces.sample_ratio=1"));
    assert_eq!(start_by(&server, &format!("00-{TRACE}-{PARENT}-00")).await, 201);
    let mut zoe = Agent::available(&server, DEMO, "zoe").await;
    zoe.wait_for("offer").await;
    let frame = collector.span("a frame", |span| span["name"] == "agent frame");
    assert_eq!((&frame["kind"], &frame["parent"]), (&json!(SERVER), &json!("")), "{frame}");
    let trace = frame["trace"].clone();
    let command = collector.span("its command", |span| span["trace"] == trace && span["name"] == "command set_status");
    assert_eq!(command["parent"], frame["span"]);
    // One that is no traceparent is none, and costs nothing else.
    assert_eq!(start_by(&server, "00-nonsense").await, 201);
    collector.span("a trace of its own", |span| span["name"] == "command open" && span["trace"] != TRACE);
    assert!(collector.seen.iter().all(|span| span["trace"] != TRACE), "{:#?}", collector.seen);
    for span in &collector.seen {
        let text = span.to_string();
        assert!(!text.contains("zoe") && !text.contains("hello"), "no name and no text: {span}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_busy_is_asked_again_with_what_opens_it_and_one_that_refuses_is_not() {
    let mut collector = Collector::start(&["503"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("headers");
    std::fs::write(&file, "Authorization: Bearer let-me-in\n").unwrap();
    let options =
        collector.options().set("traces.sample_ratio=1").set(&format!("traces.headers_file={}", file.display()));
    let mut server = Server::start(&options);
    Customer::start_when_there_is_room(server.address, DEMO, "hello").await;
    let span = collector.span("the second try", |span| span["name"] == "command open");
    assert_eq!(span["authorization"], "Bearer let-me-in");
    // What has ended by the end is sent.
    Customer::start_when_there_is_room(server.address, DEMO, "hello").await;
    assert!(server.stop().success());
    let first = span["span"].clone();
    collector.span("what came last", |span| span["name"] == "command open" && span["span"] != first);

    let refusing = Collector::start(&["400", "400", "400", "400"]);
    let server = Server::start(&refusing.options().set("traces.sample_ratio=1"));
    Customer::start_when_there_is_room(server.address, DEMO, "hello").await;
    let refused = "offhook_trace_spans_total{outcome=\"refused\"}";
    support::scene::eventually(refused, async || server.metric(refused).await, |count| *count > 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_costs_the_spans_and_nothing_else() {
    let options = Options::default().without_rate_limits().set("traces.otlp_endpoint=http://127.0.0.1:1/v1/traces");
    let mut server = Server::start(&options.set("traces.sample_ratio=1"));
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    // More spans than wait: some for each frame.
    let dropped = "offhook_trace_spans_total{outcome=\"dropped\"}";
    within("the queue's end", async {
        while server.metric(dropped).await == 0.0 {
            let ready = |_| frame(1, json!({"type": "ready", "id": command_id()}).to_string().as_bytes());
            let frames: Vec<u8> = (0..200).flat_map(ready).collect();
            ada.socket.writer.raw(&frames).await.expect("the connection takes frames");
            ada.must(json!({"type": "ready"})).await;
            ada.take_kept();
        }
    })
    .await;
    assert!(server.metric("offhook_trace_spans_waiting").await <= 4_096.0);
    assert!(server.stop().success(), "nobody waits for it");
}
