//! A simulated customer: a client of the messenger as a web page is one, following its conversation's event stream.

use std::time::Duration;

use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout_at;

use super::cast::{CUSTOMERS, Dice, TALKS};
use super::now;
use super::told::{Counted, Teller};
use crate::client::{Address, Call, Client, Unreached, random_id};

const STAYS_AT_MOST: Duration = Duration::from_secs(90);
/// An event of ours is far smaller; what is larger is not read.
const EVENT_BYTES_MAX: usize = 256 * 1024;

pub(super) struct Player {
    pub address: Address,
    pub teller: Teller,
}

/// One conversation, from the first word to the end.
struct Visit<'a> {
    client: Client,
    teller: &'a Teller,
    name: &'static str,
    conversation: String,
    token: String,
}

impl Player {
    /// One conversation after the other, until it is aborted.
    pub async fn play(self) {
        let mut dice = Dice::thrown();
        loop {
            // Customers come now and then.
            tokio::time::sleep(dice.pause(200, 6_000)).await;
            let name = dice.one_of(&CUSTOMERS);
            if let Err(unreached) = self.visit(name, &mut dice).await {
                self.teller.tell(name, format!("gives up: {unreached}"), Counted::Nothing);
                // The server may be starting again.
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }

    async fn visit(&self, name: &'static str, dice: &mut Dice) -> Result<(), Unreached> {
        let talk = &TALKS[dice.below(TALKS.len())];
        let mut client = Client::new(self.address.clone());
        let body = json!({"text": talk.lines[0], "name": name, "metadata": {"page": talk.page}});
        let started = client.ask(&visitors("/v1/messenger/demo/conversations".to_owned(), None, Some(&body))).await?;
        if started.status != StatusCode::CREATED {
            self.teller.tell(name, format!("is turned away: {}", started.text("code")), Counted::Nothing);
            return Ok(());
        }
        let conversation = started.body["conversation"]["conversation"].as_str().unwrap_or_default().to_owned();
        self.teller.tell(name, format!("starts {conversation}: {}", talk.lines[0]), Counted::Started);
        let token = started.text("token").to_owned();
        let stream = client.follow(&Call::anonymous(started.text("events"))).await?;
        let visit = Visit { client, teller: &self.teller, name, conversation, token };
        visit.talk(&talk.lines[1..], Events { body: stream.into_body(), read: Vec::new() }, dice).await
    }
}

/// A visitor's write; without a token it is a stranger's first.
fn visitors<'a>(path: String, token: Option<&'a str>, body: Option<&'a Value>) -> Call<'a> {
    Call { method: Method::POST, path, body, token, id: Some(random_id()) }
}

impl Visit<'_> {
    async fn talk(mut self, lines: &[&str], mut events: Events, dice: &mut Dice) -> Result<(), Unreached> {
        // Some have no patience.
        let patience = if dice.percent(8) { dice.pause(4_000, 9_000) } else { STAYS_AT_MOST };
        let until = now() + patience;
        let mut lines = lines.iter();
        while let Ok(Some((event, data))) = timeout_at(until, events.next()).await {
            match event.as_str() {
                "message" if data["author"] == "agent" => {
                    // Typing takes its time.
                    tokio::time::sleep(dice.pause(800, 2_500)).await;
                    let Some(text) = lines.next() else { break };
                    let written = self.write("messages", Some(&json!({"text": text}))).await?;
                    if written.is_success() {
                        let what = format!("in {}: {text}", self.conversation);
                        self.teller.tell(self.name, what, Counted::Message);
                    }
                }
                "requeued" => {
                    self.teller.tell(self.name, format!("waits again with {}", self.conversation), Counted::Nothing)
                }
                "ended" => return Ok(()),
                _ => {}
            }
        }
        if self.write("leave", None).await?.is_success() {
            self.teller.tell(self.name, format!("leaves {}", self.conversation), Counted::Closed);
        }
        Ok(())
    }

    async fn write(&mut self, what: &str, body: Option<&Value>) -> Result<StatusCode, Unreached> {
        let path = format!("/v1/messenger/demo/conversations/{}/{what}", self.conversation);
        Ok(self.client.ask(&visitors(path, Some(&self.token), body)).await?.status)
    }
}

/// Server-sent events, one after the other; ends when the server ends the stream.
struct Events {
    body: Incoming,
    read: Vec<u8>,
}

impl Events {
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(event) = event_of(&String::from_utf8_lossy(&block)) {
                    return Some(event);
                }
                continue;
            }
            let frame = self.body.frame().await?.ok()?;
            self.read.extend_from_slice(frame.data_ref()?);
            if self.read.len() > EVENT_BYTES_MAX {
                return None;
            }
        }
    }
}

/// `None` for comments and for what has no event.
fn event_of(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some((field("event:")?.to_owned(), serde_json::from_str(field("data:")?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_retries_are_no_events() {
        assert_eq!(event_of(": still here\n\n"), None);
        assert_eq!(event_of("retry: 1000\n\n"), None);
        let message = event_of("id: 2\nevent: message\ndata: {\"number\": 1}\n\n");
        assert_eq!(message, Some(("message".to_owned(), json!({"number": 1}))));
    }
}
