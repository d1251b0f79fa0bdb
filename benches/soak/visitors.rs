//! The customers of the soak: each starts a conversation, follows or polls it, writes, and goes in one way or another.

use crate::dice::{below, one_in};
use crate::load::desk::WORKSPACE;
use crate::load::support::command_id;
use crate::load::support::http::{Http, Response};
use crate::load::support::sse::Events;
use crate::tally::{Tally, add};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// How long a customer stays at most.
const PATIENCE: Duration = Duration::from_secs(90);
/// Addresses that they come from, so that what is kept for each is there soon.
const ADDRESSES: u32 = 4_096;

struct Visitor {
    server: SocketAddr,
    tally: Rc<Tally>,
    http: Http,
    from: String,
    token: String,
    path: String,
    events: String,
}

/// One visit, from beginning to end.
pub async fn visit(server: SocketAddr, tally: Rc<Tally>) {
    let done = async {
        let Some(mut visitor) = Visitor::start(server, tally.clone()).await? else { return Ok(()) };
        match below(10) {
            0..6 => visitor.follow().await,
            6..9 => visitor.poll().await,
            // Gone, and nobody knows.
            _ => Ok(()),
        }
    };
    let done: Result<io::Result<()>, _> = tokio::time::timeout(PATIENCE, done).await;
    if let Ok(Err(error)) = done {
        tally.error(&format!("a visitor: {error}"));
    }
}

impl Visitor {
    async fn start(server: SocketAddr, tally: Rc<Tally>) -> io::Result<Option<Self>> {
        let mut http = Http::connect(server).await?;
        let number = below(ADDRESSES);
        let from = format!("X-Forwarded-For: 10.0.{}.{}\r\n", number >> 8, number & 0xff);
        let body = json!({"text": "hello", "name": format!("visitor {number}"), "metadata": {"page": "/pricing"}});
        let path = format!("/v1/messenger/{WORKSPACE}/conversations");
        let headers = format!("{from}Idempotency-Key: {}\r\n", command_id());
        for _ in 0..10 {
            let started = http.ask("POST", &path, &headers, body.to_string().as_bytes()).await?;
            if started.status == 201 {
                add(&tally.started);
                let answer = started.json();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let path = format!("{path}/{}", text(&answer["conversation"]["conversation"]));
                let (token, events) = (text(&answer["token"]), text(&answer["events"]));
                return Ok(Some(Self { server, tally, http, from, token, path, events }));
            }
            wait_or_tell(&tally, &started, "a start").await;
        }
        Ok(None)
    }

    /// Reads the stream, answers the agent, and leaves in the middle of it or when it is over.
    async fn follow(&mut self) -> io::Result<()> {
        let Some(mut stream) = self.open(None).await? else { return Ok(()) };
        let mut written = 0;
        while let Some(event) = stream.next().await? {
            match event.name.as_str() {
                "message" if event.data.contains("\"author\":\"agent\"") => {
                    let number = event.json()["number"].clone();
                    self.call("POST", "read", Some(json!({ "number": number }))).await?;
                    if written >= 6 || one_in(8) {
                        self.call("POST", "leave", None).await?;
                        return Ok(());
                    }
                    self.call("POST", "typing", None).await?;
                    tokio::time::sleep(Duration::from_millis(u64::from(below(3_000)))).await;
                    self.call("POST", "messages", Some(json!({"text": format!("and then, {written} times")}))).await?;
                    written += 1;
                }
                // One in five has something to add, and so begins it again.
                "ended" if one_in(5) => {
                    self.call("POST", "messages", Some(json!({"text": "one more thing"}))).await?;
                }
                "ended" => return Ok(()),
                _ => {}
            }
            if one_in(20) {
                drop(stream);
                let Some(again) = self.open(Some(event.id)).await? else { return Ok(()) };
                stream = again;
            }
        }
        Ok(())
    }

    /// Without a stream: writes, looks, leaves.
    async fn poll(&mut self) -> io::Result<()> {
        for round in 0..4 {
            self.call("POST", "messages", Some(json!({"text": format!("are you there? {round}")}))).await?;
            tokio::time::sleep(Duration::from_millis(500 + u64::from(below(4_000)))).await;
            let what = if one_in(2) { "messages?limit=50" } else { "" };
            self.call("GET", what, None).await?;
        }
        self.call("POST", "leave", None).await?;
        // Few: of a workspace's sign-outs 100,000 are remembered, more than a soak can fill.
        if one_in(50) {
            // What was issued for it is void from now on.
            let headers = self.headers();
            let signed_out =
                self.http.ask("POST", &format!("/v1/messenger/{WORKSPACE}/sign_out"), &headers, b"").await?;
            if signed_out.status != 204 {
                wait_or_tell(&self.tally, &signed_out, "a sign-out").await;
            }
        }
        Ok(())
    }

    async fn open(&self, last: Option<u64>) -> io::Result<Option<Events>> {
        match Events::open(self.server, &self.events, last).await? {
            Ok(stream) => Ok(Some(stream)),
            Err(503) => {
                add(&self.tally.told_to_wait);
                Ok(None)
            }
            Err(status) => {
                self.tally.error(&format!("no stream but {status}"));
                Ok(None)
            }
        }
    }

    async fn call(&mut self, method: &str, what: &str, body: Option<Value>) -> io::Result<()> {
        let (headers, body) = (self.headers(), body.map(|body| body.to_string()).unwrap_or_default());
        let path = if what.is_empty() { self.path.clone() } else { format!("{}/{what}", self.path) };
        // A kept connection that was silent for long has been closed.
        let answer = match self.http.ask(method, &path, &headers, body.as_bytes()).await {
            Ok(answer) => answer,
            Err(_) => {
                self.http = Http::connect(self.server).await?;
                self.http.ask(method, &path, &headers, body.as_bytes()).await?
            }
        };
        if method == "GET" {
            add(&self.tally.reads);
        }
        if !answer.is_success() {
            wait_or_tell(&self.tally, &answer, what).await;
        }
        Ok(())
    }

    fn headers(&self) -> String {
        format!("{}Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", self.from, self.token, command_id())
    }
}

/// Of an answer that was no yes: waits where it says so; what two do at once is nobody's fault.
async fn wait_or_tell(tally: &Tally, answer: &Response, what: &str) {
    let problem = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    if let Some(ms) = problem["retry_after_ms"].as_u64() {
        add(&tally.told_to_wait);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    } else if problem["code"] != "wrong_state" {
        tally.error(&format!("{what}: {} {problem}", answer.status));
    }
}
