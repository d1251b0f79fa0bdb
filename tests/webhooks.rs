//! Webhooks over real connections, to a receiver that verifies with the published library: signatures, order under failures, endpoints that
//! are slow, dead and gone, kills, secrets that change, and addresses that must not be asked.

mod support;

#[path = "webhooks/deliveries.rs"]
mod deliveries;
#[path = "webhooks/endpoints.rs"]
mod endpoints;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::scene::{DEMO, eventually, offered};
use support::script::Script;
use support::{Agent, Options, Response, Server, command_id};

fn options() -> Options {
    Options::default().without_rate_limits().with_webhooks_to_this_machine()
}

/// The receiver of `webhooks/receiver.py`, and the files that it lives by.
struct Receiver {
    directory: tempfile::TempDir,
    script: Option<Script>,
    port: u16,
}

impl Receiver {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let mut receiver = Self { directory, script: None, port: 0 };
        receiver.answers(&json!({"status": 200}));
        std::fs::write(receiver.path("secrets"), "").expect("a file can be written");
        receiver.start_again();
        receiver
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn start_again(&mut self) {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("feed-clients");
        let mut command = Command::new(support::foreign::python(&tree.join("feed/requirements.txt"), &place));
        command.arg(tree.join("webhooks/receiver.py")).arg(self.port.to_string());
        for name in ["kept", "answer", "secrets"] {
            command.env(format!("OFFHOOK_{}", name.to_uppercase()), self.path(name));
        }
        let mut script = Script::start(&mut command);
        self.port = script.line().parse().expect("a port");
        self.script = Some(script);
    }

    fn stop(&mut self) {
        self.script = None;
    }

    /// In one step, since it is read at any time.
    fn answers(&self, answer: &Value) {
        std::fs::write(self.path("next"), answer.to_string()).expect("a file can be written");
        std::fs::rename(self.path("next"), self.path("answer")).expect("a file can be moved");
    }

    fn knows(&self, secrets: &[&str]) {
        std::fs::write(self.path("next"), secrets.join("\n")).expect("a file can be written");
        std::fs::rename(self.path("next"), self.path("secrets")).expect("a file can be moved");
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// All that came, taken or not.
    fn heard(&self) -> Vec<Value> {
        let kept = std::fs::read_to_string(self.path("kept")).unwrap_or_default();
        kept.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Events that were taken, each once, in the order in which they were first.
    fn taken(&self) -> Vec<Value> {
        let mut taken: Vec<Value> = Vec::new();
        for line in self.heard().into_iter().filter(|line| line["status"] == 200) {
            if taken.iter().all(|event| event["id"] != line["event"]["id"]) {
                taken.push(line["event"].clone());
            }
        }
        taken
    }
}

async fn call(server: &Server, method: &str, path: &str, body: Option<&Value>) -> Response {
    server.admin(method, &format!("/v1/workspaces/{DEMO}{path}"), body).await
}

/// The same, which must be done.
async fn done(server: &Server, method: &str, path: &str, body: Option<&Value>) -> Value {
    let answer = call(server, method, path, body).await;
    assert!(answer.is_success(), "{method} {path}: {} {}", answer.status, answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// A webhook of this name to the receiver, which knows its secret.
async fn hook(server: &Server, receiver: &Receiver, name: &str, more: Value) -> Value {
    let mut body = json!({"url": receiver.url()});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let made = done(server, "PUT", &format!("/webhooks/{name}"), Some(&body)).await;
    receiver.knows(&[made["secret"].as_str().expect("a secret")]);
    made
}

/// A conversation from its start to its end.
async fn a_talk(server: &Server, agent: &mut Agent) -> String {
    let (mut customer, offer) = offered(server, agent).await;
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "Good morning"})).await;
    customer.post("Thank you").await;
    agent.must(json!({"type": "close", "conversation": customer.conversation})).await;
    customer.conversation
}

/// All events of conversations, from the feed.
async fn expected(server: &Server) -> Vec<Value> {
    let page = done(server, "GET", "/events?limit=200&types=conversation.*,message.*,offer.*", None).await;
    assert_eq!(page["more"], false);
    page["events"].as_array().expect("events").clone()
}

/// The same events, each conversation's in order.
fn same_by_conversation(heard: &[Value], expected: &[Value]) {
    let of = |events: &[Value]| {
        let mut by_conversation = std::collections::BTreeMap::<String, Vec<Value>>::new();
        for event in events {
            by_conversation.entry(event["conversation"].to_string()).or_default().push(event.clone());
        }
        by_conversation
    };
    assert_eq!(of(heard), of(expected));
}

/// Until the receiver has taken so many events.
async fn takes(receiver: &Receiver, many: usize) -> Vec<Value> {
    eventually("what is due", async || receiver.taken(), |taken| taken.len() >= many).await
}

async fn state(server: &Server, name: &str) -> Value {
    done(server, "GET", &format!("/webhooks/{name}"), None).await
}

async fn stands(server: &Server, name: &str, wanted: &str) -> Value {
    eventually(wanted, async || state(server, name).await, |held| held["state"] == wanted).await
}

/// One request with its own id, which may be said again.
async fn again(server: &Server, method: &str, path: &str, id: &str, body: &Value) -> Value {
    let mut http = support::Http::connect(server.address).await.expect("the server listens");
    let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {id}\r\n", server.admin_key());
    let path = format!("/v1/workspaces/{DEMO}{path}");
    http.ask(method, &path, &headers, body.to_string().as_bytes()).await.expect("an answer").json()
}

fn an_id() -> String {
    command_id()
}
