//! A simulated agent: a client of the agents' WebSocket as any other, quick with its hands and not always at its desk.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::cast::{ANSWERS, Dice, REJECT_REASONS};
use super::now;
use super::told::{Counted, Teller};
use crate::client::agent::Lost;
use crate::client::{Address, AgentSocket};

const ANSWERS_MOST: u32 = 6;

pub(super) struct Player {
    pub address: Address,
    pub title: String,
    /// Good for longer than the demo runs.
    pub token: String,
    pub teller: Teller,
}

/// What the agent is about to do.
enum Intent {
    Send(Value),
    Answer(String),
    Close(String),
    Drop,
}

struct Hands {
    dice: Dice,
    intents: Vec<(Instant, Intent)>,
    /// Conversation -> answers given.
    held: BTreeMap<String, u32>,
}

impl Player {
    /// Works, drops, comes back; until it is aborted.
    pub async fn play(self) {
        let mut dice = Dice::thrown();
        loop {
            let mut hands = Hands { dice: Dice::thrown(), intents: Vec::new(), held: BTreeMap::new() };
            let ended = match AgentSocket::connect(&self.address, &self.token).await {
                Ok(socket) => self.work(socket, &mut hands).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => self.teller.tell(&self.title, "lost the connection", Counted::Dropped),
                Err(error) => self.teller.tell(&self.title, format!("was disconnected: {error}"), Counted::Nothing),
            }
            // Somebody whose network is gone comes back after some seconds.
            tokio::time::sleep(dice.pause(1_500, 6_000)).await;
        }
    }

    async fn work(&self, mut socket: AgentSocket, hands: &mut Hands) -> Result<(), Lost> {
        let until_drop = hands.dice.pause(15_000, 90_000);
        hands.soon(until_drop, Intent::Drop);
        loop {
            let next = hands.intents.iter().map(|(at, _)| *at).min().unwrap_or_else(now);
            tokio::select! {
                frame = socket.frame() => match frame {
                    Ok(frame) => self.hear(&frame, hands),
                    Err(Lost::Told { code, reason }) => {
                        self.teller.tell(&self.title, format!("was told to go: {code} {reason}"), Counted::Nothing);
                        return Err(Lost::Told { code, reason });
                    }
                    Err(lost) => return Err(lost),
                },
                () = sleep_until(next) => {
                    for intent in hands.due() {
                        match self.meant(intent, hands) {
                            Some(frame) => drop(socket.send(frame).await?),
                            // The cable is pulled: no close frame is sent.
                            None => return Ok(()),
                        }
                    }
                }
            }
        }
    }

    fn hear(&self, frame: &Value, hands: &mut Hands) {
        let text = |member: &str| frame[member].as_str().unwrap_or_default();
        match text("type") {
            "welcome" => {
                hands.quickly(json!({"type": "set_status", "status": "available"}));
                for offer in frame["snapshot"]["offers"].as_array().into_iter().flatten() {
                    self.consider(offer, hands);
                }
                for conversation in frame["snapshot"]["conversations"].as_array().into_iter().flatten() {
                    self.take_up(conversation, hands);
                }
                self.teller.tell(&self.title, "is here", Counted::Nothing);
            }
            "offer" => self.consider(&frame["offer"], hands),
            "offer_ended" => match text("end") {
                end @ ("expired" | "undelivered") => {
                    let what = format!("let the offer of {} pass ({end})", text("conversation"));
                    self.teller.tell(&self.title, what, Counted::Missed);
                }
                end @ ("withdrawn" | "rescinded" | "agent_lost") => {
                    let what = format!("lost the offer of {} ({end})", text("conversation"));
                    self.teller.tell(&self.title, what, Counted::Nothing);
                }
                _ => {}
            },
            "conversation" => {
                let id = frame["conversation"]["conversation"].as_str().unwrap_or_default();
                let (what, counted) = match text("cause") {
                    "accepted" => (format!("accepts {id}"), Counted::Accepted),
                    cause => (format!("has {id} again ({cause})"), Counted::Nothing),
                };
                self.teller.tell(&self.title, what, counted);
                self.take_up(&frame["conversation"], hands);
            }
            "conversation_gone" => drop(hands.held.remove(text("conversation"))),
            "status" if frame["available"] == false => {
                self.teller.tell(&self.title, format!("is {} ({})", text("status"), text("cause")), Counted::Nothing);
                let pause = hands.dice.pause(3_000, 7_000);
                hands.soon(pause, Intent::Send(json!({"type": "set_status", "status": "available"})));
            }
            "message" if frame["author"].get("customer").is_some() => {
                hands.quickly(json!({"type": "typing", "conversation": text("conversation")}));
                let pause = hands.dice.pause(700, 2_500);
                hands.soon(pause, Intent::Answer(text("conversation").to_owned()));
            }
            _ => {}
        }
    }

    fn consider(&self, offer: &Value, hands: &mut Hands) {
        let id = offer["offer"].as_str().unwrap_or_default();
        let conversation = offer["conversation"]["conversation"].as_str().unwrap_or_default();
        let queue = offer["conversation"]["queue"].as_str().unwrap_or_default();
        self.teller.tell(&self.title, format!("is offered {conversation} from {queue}"), Counted::Offered);
        hands.quickly(json!({"type": "delivered", "offer": id}));
        let pause = hands.dice.pause(600, 2_500);
        let thrown = hands.dice.below(100);
        if thrown < 78 {
            hands.soon(pause, Intent::Send(json!({"type": "accept", "offer": id})));
        } else if thrown < 90 {
            let reason = hands.dice.one_of(&REJECT_REASONS);
            self.teller.tell(&self.title, format!("rejects {conversation}: {reason}"), Counted::Rejected);
            hands.soon(pause, Intent::Send(json!({"type": "reject", "offer": id, "reason": reason})));
        }
        // Else nobody is looking at the screen, and the offer runs out.
    }

    fn take_up(&self, conversation: &Value, hands: &mut Hands) {
        let id = conversation["conversation"].as_str().unwrap_or_default().to_owned();
        hands.held.insert(id.clone(), 0);
        let pause = hands.dice.pause(800, 2_000);
        hands.soon(pause, Intent::Answer(id));
    }

    /// The frame of an intent; `None` for the one that has none.
    fn meant(&self, intent: Intent, hands: &mut Hands) -> Option<Value> {
        Some(match intent {
            Intent::Drop => return None,
            Intent::Send(frame) => frame,
            Intent::Close(conversation) => {
                hands.held.remove(&conversation);
                self.teller.tell(&self.title, format!("closes {conversation}"), Counted::Closed);
                json!({"type": "close", "conversation": conversation})
            }
            Intent::Answer(conversation) => {
                let answers = hands.held.entry(conversation.clone()).or_default();
                *answers += 1;
                if *answers >= ANSWERS_MOST {
                    hands.soon(Duration::from_secs(2), Intent::Close(conversation.clone()));
                }
                let text = hands.dice.one_of(&ANSWERS);
                self.teller.tell(&self.title, format!("in {conversation}: {text}"), Counted::Message);
                json!({"type": "send", "conversation": conversation, "text": text})
            }
        })
    }
}

impl Hands {
    fn soon(&mut self, after: Duration, intent: Intent) {
        self.intents.push((now() + after, intent));
    }

    fn quickly(&mut self, frame: Value) {
        let pause = self.dice.pause(80, 400);
        self.soon(pause, Intent::Send(frame));
    }

    fn due(&mut self) -> Vec<Intent> {
        let now = now();
        let (due, later) = std::mem::take(&mut self.intents).into_iter().partition(|(at, _)| *at <= now);
        self.intents = later;
        let due: Vec<(Instant, Intent)> = due;
        due.into_iter().map(|(_, intent)| intent).collect()
    }
}
