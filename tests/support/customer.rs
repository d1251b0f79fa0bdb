//! A visitor of the messenger with one conversation.

use super::http::{Http, Response};
use super::sse::{Event, Events};
use super::{command_id, within};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

pub struct Customer {
    address: SocketAddr,
    http: Http,
    pub workspace: String,
    pub conversation: String,
    pub token: String,
    /// The path of the event stream, with its ticket.
    pub events: String,
}

impl Customer {
    /// Starts a conversation with a first message.
    pub async fn start(address: SocketAddr, workspace: &str, text: &str) -> Self {
        match Self::try_start(address, workspace, &json!({ "text": text })).await {
            Ok(customer) => customer,
            Err(response) => panic!("a start was refused: {} {}", response.status, response.text()),
        }
    }

    /// The same on a machine that is busy with other things: a start that is put off comes again when it was told to.
    pub async fn start_when_there_is_room(address: SocketAddr, workspace: &str, text: &str) -> Self {
        let again = async {
            loop {
                match Self::try_start(address, workspace, &json!({ "text": text })).await {
                    Ok(customer) => return customer,
                    Err(refused) => {
                        assert_eq!(refused.json()["code"], "busy", "{}", refused.text());
                        let ms = refused.json()["retry_after_ms"].as_u64().expect("when to come again");
                        // As long as the server asked for.
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                }
            }
        };
        within("a start that is let in", again).await
    }

    pub async fn try_start(address: SocketAddr, workspace: &str, body: &Value) -> Result<Self, Response> {
        let mut http = Http::connect(address).await.expect("the server listens");
        let path = format!("/v1/messenger/{workspace}/conversations");
        let headers = format!("Idempotency-Key: {}\r\n", command_id());
        let started = within("an answer", http.ask("POST", &path, &headers, body.to_string().as_bytes())).await;
        let started = started.expect("an answer");
        if started.status != 201 {
            return Err(started);
        }
        let answer = started.json();
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            address,
            http,
            workspace: workspace.to_owned(),
            conversation: answer["conversation"]["conversation"].as_str().unwrap_or_default().to_owned(),
            token: text("token"),
            events: text("events"),
        })
    }

    /// The same customer, on a server that was started again.
    pub async fn at(self, address: SocketAddr) -> Self {
        let http = Http::connect(address).await.expect("the server listens");
        Self { address, http, ..self }
    }

    /// The same customer over another connection.
    pub async fn another(&self) -> Self {
        let http = Http::connect(self.address).await.expect("the server listens");
        let (workspace, conversation) = (self.workspace.clone(), self.conversation.clone());
        Self {
            address: self.address,
            http,
            workspace,
            conversation,
            token: self.token.clone(),
            events: self.events.clone(),
        }
    }

    /// A call on this conversation: `messages`, `read`, `typing`, `leave`, or nothing.
    pub async fn call(&mut self, method: &str, what: &str, body: Option<Value>) -> Response {
        self.call_with(method, what, body, &command_id()).await
    }

    pub async fn call_with(&mut self, method: &str, what: &str, body: Option<Value>, id: &str) -> Response {
        let slash = if what.is_empty() { "" } else { "/" };
        let path = format!("/v1/messenger/{}/conversations/{}{slash}{what}", self.workspace, self.conversation);
        let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {id}\r\n", self.token);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = within("an answer", self.http.ask(method, &path, &headers, body.as_bytes())).await;
        answer.expect("an answer")
    }

    /// Writes a message; gives back its number.
    pub async fn post(&mut self, text: &str) -> u64 {
        let posted = self.call("POST", "messages", Some(json!({ "text": text }))).await;
        assert_eq!(posted.status, 201, "{}", posted.text());
        posted.json()["number"].as_u64().expect("a number")
    }

    /// Opens the event stream, from the beginning or from behind an event.
    pub async fn follow(&self, last_id: Option<u64>) -> Events {
        let opened = within("a stream", Events::open(self.address, &self.events, last_id)).await;
        opened.expect("a stream").unwrap_or_else(|status| panic!("no stream: {status}"))
    }
}

/// The next event of this name; others are passed over.
pub async fn event_named(events: &mut Events, name: &str) -> Event {
    within(&format!("the event {name}"), async {
        loop {
            let event = events.next().await.expect("the stream goes on").expect("the stream goes on");
            if event.name == name {
                return event;
            }
        }
    })
    .await
}
