//! Agents and customers, each at one of the nodes, who write down what they do and see.

use crate::history::{Book, Pen, What};
use crate::support::agent::Watcher;
use crate::support::scene::DEMO;
use crate::support::sse::Events;
use crate::support::{Agent, Customer, Server, command_id, within};
use offhook::gateway::auth::agent_token::Role;
use offhook::wire::feed::{EventsPage, FeedEvent};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a client waits before it tries to connect again.
const AGAIN_MS: u64 = 50;

/// An agent at one of the nodes.
pub struct Worker {
    pub agent: Agent,
    pub pen: Pen,
}

impl Worker {
    /// Until it is welcomed: a node that has just lost its leader lets nobody in for a moment.
    pub async fn connect(book: &Book, server: &Server, name: &str) -> Self {
        let token = server.agent_token(DEMO, name, Role::Agent);
        let agent = within(&format!("a welcome for {name}"), async {
            loop {
                if let Ok(agent) = Agent::try_connect(server.address, name, &token, None).await {
                    return agent;
                }
                // As long as a client waits that was told to come again.
                tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
            }
        })
        .await;
        Self::of(book, agent)
    }

    /// Who was welcomed just now.
    pub fn of(book: &Book, mut agent: Agent) -> Self {
        let name = agent.name.clone();
        let pen = book.pen(&format!("{name} in {}", text(&agent.welcome["session"])));
        note(&pen, &name, &agent.welcome);
        agent.watcher = Some(watcher(pen.clone(), name));
        Self { agent, pen }
    }

    /// It is offered something: which offer, and of what.
    pub async fn offered(&mut self) -> (String, String) {
        let offer = self.agent.wait_for("offer").await["offer"].take();
        (text(&offer["offer"]), text(&offer["conversation"]["conversation"]))
    }

    /// It has been shown to the agent.
    pub async fn delivered(&mut self, offer: &str) {
        self.agent.must(json!({"type": "delivered", "offer": offer})).await;
    }

    pub async fn accept(&mut self, offer: &str) {
        self.agent.must(json!({"type": "accept", "offer": offer})).await;
        self.pen.write(What::Accepted { offer: offer.to_owned(), agent: self.agent.name.clone() });
    }

    pub async fn send(&mut self, conversation: &str, words: &str) {
        self.pen.write(What::Sends { text: words.to_owned() });
        let sent = self.agent.must(json!({"type": "send", "conversation": conversation, "text": words})).await;
        let number = sent["number"].as_u64().expect("a number");
        self.pen.write(What::Sent { conversation: conversation.to_owned(), text: words.to_owned(), number });
    }

    /// The same where it may be told that nothing could be done: the same again, with the same id, until it is done.
    pub async fn send_until_done(&mut self, conversation: &str, words: &str) {
        self.pen.write(What::Sends { text: words.to_owned() });
        let frame = json!({"type": "send", "id": command_id(), "conversation": conversation, "text": words});
        let number = within(&format!("the number of {words:?}"), async {
            loop {
                let reply = self.agent.ask(frame.clone()).await;
                if reply["ok"] == true {
                    return reply["number"].as_u64().expect("a number");
                }
                let ms = reply["error"]["retry_after_ms"].as_u64();
                // As long as the server asked for.
                tokio::time::sleep(Duration::from_millis(ms.unwrap_or_else(|| panic!("{reply}")))).await;
            }
        })
        .await;
        self.pen.write(What::Sent { conversation: conversation.to_owned(), text: words.to_owned(), number });
    }

    /// Until it sees this message.
    pub async fn sees(&mut self, words: &str) {
        self.agent.until(words, |frame| frame["type"] == "message" && frame["text"] == words).await;
    }

    pub async fn set_status(&mut self, status: &str) {
        self.agent.must(json!({"type": "set_status", "status": status})).await;
    }
}

fn watcher(pen: Pen, name: String) -> Watcher {
    Box::new(move |frame| note(&pen, &name, frame))
}

/// What an agent sees by a frame.
fn note(pen: &Pen, name: &str, frame: &Value) {
    if let Some(position) = frame["position"].as_u64() {
        pen.write(What::Position(position));
    }
    let offered = |offer: &Value| {
        let (id, conversation) = (text(&offer["offer"]), text(&offer["conversation"]["conversation"]));
        pen.write(What::Offered { offer: id, conversation, agent: name.to_owned() });
    };
    match frame["type"].as_str() {
        Some("offer") => offered(&frame["offer"]),
        Some("welcome" | "snapshot") => {
            frame["snapshot"]["offers"].as_array().into_iter().flatten().for_each(offered);
        }
        Some("offer_ended") => {
            pen.write(What::Ended { offer: text(&frame["offer"]), end: text(&frame["end"]) });
        }
        Some("message") => saw(pen, text(&frame["conversation"]), frame),
        _ => {}
    }
}

pub fn saw(pen: &Pen, conversation: String, message: &Value) {
    let number = message["number"].as_u64().expect("messages have numbers");
    pen.write(What::Saw { conversation, number, text: text(&message["text"]) });
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A customer at one of the nodes, who follows its conversation there.
pub struct Visitor {
    customer: Customer,
    events: Events,
    pen: Pen,
}

impl Visitor {
    pub async fn start(book: &Book, server: &Server, words: &str) -> Self {
        let pen = book.pen(&format!("the customer who says {words:?}"));
        pen.write(What::Sends { text: words.to_owned() });
        let customer = Customer::start_when_there_is_room(server.address, DEMO, words).await;
        pen.write(What::Sent { conversation: customer.conversation.clone(), text: words.to_owned(), number: 1 });
        let events = customer.follow(None).await;
        Self { customer, events, pen }
    }

    pub fn conversation(&self) -> &str {
        &self.customer.conversation
    }

    pub async fn post(&mut self, words: &str) {
        self.pen.write(What::Sends { text: words.to_owned() });
        // Since it last asked the server may have let its connection go.
        self.customer = self.customer.another().await;
        let number = self.customer.post(words).await;
        let conversation = self.customer.conversation.clone();
        self.pen.write(What::Sent { conversation, text: words.to_owned(), number });
    }

    /// Until its stream has this message.
    pub async fn sees(&mut self, words: &str) {
        within(&format!("{words:?} in the customer's stream"), async {
            loop {
                let event = self.events.next().await.expect("the stream goes on").expect("the stream goes on");
                self.pen.write(What::Position(event.id));
                if event.name == "message" {
                    let message = event.json();
                    saw(&self.pen, self.customer.conversation.clone(), &message);
                    if message["text"] == words {
                        return;
                    }
                }
            }
        })
        .await;
    }
}

/// The feed from its beginning, with texts, as this node gives it.
pub async fn feed(server: &Server) -> Vec<FeedEvent> {
    let (mut feed, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/workspaces/{DEMO}/events?limit=200&texts=true{after}");
        let answer = server.admin("GET", &path, None).await;
        if answer.status == 503 {
            // As long as the server asked for.
            tokio::time::sleep(Duration::from_millis(answer.json()["retry_after_ms"].as_u64().expect("a time"))).await;
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page: EventsPage = serde_json::from_slice(&answer.body).expect("a page of events");
        feed.extend(page.events);
        if !page.more {
            return feed;
        }
        after = format!("&after={}", page.next);
    }
}
