//! Customers who begin, write, and wait for answers and an end, again and again, at whichever node takes them.

use crate::clients::saw;
use crate::history::{Book, Pen, What};
use crate::patient::{Heard, NODE_PATIENCE, Next, Places, Progress, Pursuit, not_done};
use crate::support::random::Random;
use crate::support::scene::DEMO;
use crate::support::sse::Events;
use crate::support::{Http, command_id};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::sync::watch;
use tokio::time::timeout;

const POSTS_MAX: u64 = 4;

pub struct PatientCustomer {
    pub number: usize,
    pub random: Random,
    pub places: Places,
    pub book: Book,
    pub progress: Progress,
    /// No new conversation is begun then.
    pub ends: watch::Receiver<bool>,
}

/// A conversation, and what its customer has seen of it.
struct Talk {
    conversation: String,
    token: String,
    path: String,
    events: Option<Events>,
    last_id: u64,
    /// The last message that was seen, and the last of its own.
    seen: u64,
    own: u64,
    has_ended: bool,
    pen: Pen,
}

impl PatientCustomer {
    pub async fn live(mut self) {
        let mut began = 0;
        while !*self.ends.borrow() {
            began += 1;
            let pen = self.book.pen(&format!("customer {}, conversation {began}", self.number));
            let mut said = 0;
            let mut talk = loop {
                said += 1;
                let text = format!("customer {} begins {began}, for the {said}. time", self.number);
                if let Some(talk) = self.start(&pen, &text).await {
                    break talk;
                }
            };
            for post in 1..=self.random.below(POSTS_MAX) {
                self.post(&mut talk, &format!("customer {} says {began}.{post}", self.number)).await;
                if self.random.below(2) == 0 {
                    self.watch(&mut talk, |talk| talk.seen >= talk.own).await;
                }
            }
            self.watch(&mut talk, |talk| talk.has_ended && talk.seen >= talk.own).await;
        }
    }

    async fn start(&mut self, pen: &Pen, text: &str) -> Option<Talk> {
        let path = format!("/v1/messenger/{DEMO}/conversations");
        let started = self.ask(pen, &path, None, text).await?;
        let word = |value: &Value| value.as_str().expect("a text").to_owned();
        let conversation = word(&started["conversation"]["conversation"]);
        pen.write(What::Sent { conversation: conversation.clone(), text: text.to_owned(), number: 1 });
        Some(Talk {
            conversation,
            token: word(&started["token"]),
            path: word(&started["events"]),
            events: None,
            last_id: 0,
            seen: 0,
            own: 1,
            has_ended: false,
            pen: pen.clone(),
        })
    }

    async fn post(&mut self, talk: &mut Talk, text: &str) {
        let path = format!("/v1/messenger/{DEMO}/conversations/{}/messages", talk.conversation);
        let Some(posted) = self.ask(&talk.pen, &path, Some(&talk.token), text).await else { return };
        let number = posted["number"].as_u64().expect("a number");
        assert!(number > talk.own, "{text:?} is number {number}, and an earlier one was {}", talk.own);
        talk.own = number;
        talk.pen.write(What::Sent { conversation: talk.conversation.clone(), text: text.to_owned(), number });
    }

    /// Until it is done; `None` when it was given up, and is not done.
    async fn ask(&mut self, pen: &Pen, path: &str, token: Option<&str>, text: &str) -> Option<Value> {
        pen.write(What::Sends { text: text.to_owned() });
        let mut pursuit = Pursuit::begin(command_id());
        loop {
            let address = self.places.any(&mut self.random);
            let sending = send(address, path, token, &pursuit.id, text);
            let heard = timeout(NODE_PATIENCE, sending).await.unwrap_or(Heard::Nothing);
            match pursuit.heard(heard).await {
                Next::Answered(answer) => {
                    self.progress.one(self.number);
                    return Some(answer);
                }
                Next::MayGiveUp if self.random.below(4) == 0 => {
                    pen.write(What::NotSent { text: text.to_owned() });
                    return None;
                }
                Next::MayGiveUp | Next::Again => {}
            }
        }
    }

    /// Until its stream has shown this, at one node or another.
    async fn watch(&mut self, talk: &mut Talk, shown: impl Fn(&Talk) -> bool) {
        let mut pursuit = Pursuit::begin(format!("the stream of {}", talk.conversation));
        while !shown(talk) {
            let Some(mut events) = talk.events.take() else {
                let opened = Events::open(self.places.any(&mut self.random), &talk.path, Some(talk.last_id));
                match timeout(NODE_PATIENCE, opened).await {
                    Ok(Ok(Ok(events))) => talk.events = Some(events),
                    Ok(Ok(Err(status))) if status < 500 => panic!("no stream for {}: {status}", talk.conversation),
                    _ => drop(pursuit.heard(Heard::NotSent).await),
                }
                continue;
            };
            if let Ok(Ok(Some(event))) = timeout(NODE_PATIENCE, events.next()).await {
                talk.see(&event.name, event.id, &event.data);
                talk.events = Some(events);
            } else {
                // It ended, or its node may stand still.
                drop(pursuit.heard(Heard::NotSent).await);
            }
        }
        self.progress.one(self.number);
    }
}

impl Talk {
    fn see(&mut self, name: &str, id: u64, data: &str) {
        self.last_id = id;
        self.pen.write(What::Position(id));
        match name {
            "message" => {
                let message: Value = serde_json::from_str(data).expect("events are JSON");
                let number = message["number"].as_u64().expect("messages have numbers");
                let (conversation, before) = (&self.conversation, self.seen);
                assert_eq!(number, before + 1, "the stream of {conversation} shows {message} behind {before}");
                self.seen = number;
                // It opens again what has ended.
                self.has_ended &= message["author"] != "customer";
                saw(&self.pen, self.conversation.clone(), &message);
            }
            "ended" => self.has_ended = true,
            "reopened" => self.has_ended = false,
            _ => {}
        }
    }
}

/// Once, at this node.
async fn send(address: SocketAddr, path: &str, token: Option<&str>, id: &str, text: &str) -> Heard {
    let Ok(mut http) = Http::connect(address).await else { return Heard::NotSent };
    let mut headers = format!("Idempotency-Key: {id}\r\n");
    if let Some(token) = token {
        headers += &format!("Authorization: Bearer {token}\r\n");
    }
    let Ok(answer) = http.ask("POST", path, &headers, json!({ "text": text }).to_string().as_bytes()).await else {
        return Heard::Nothing;
    };
    if answer.is_success() {
        return Heard::Answer(answer.json());
    }
    // Our fault: what became of it is not said.
    if answer.status == 500 || answer.status == 504 {
        return Heard::Nothing;
    }
    not_done(&answer.json()).unwrap_or_else(|| panic!("{text:?} was refused: {}", answer.text()))
}
