//! What an agent does with what it hears: takes most offers, declines, ignores and misses some, writes, reads, notes, gives away, closes.

use crate::dice::one_in;
use crate::load::support::command_id;
use crate::tally::{Tally, add};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a talk goes on at most, whether or not its customer is still there.
const TALK: Duration = Duration::from_secs(60);

/// Refusals that come of two who act at once, and of ids that a session before this one had.
const CROSSED: [&str; 8] = [
    "offer_gone",
    "no_such_offer",
    "wrong_state",
    "not_yours",
    "no_such_conversation",
    "owner_changed",
    "already_there",
    "queue_full",
];

pub struct Work {
    who: u32,
    tally: Rc<Tally>,
    /// What it owns, since when.
    owned: HashMap<String, Instant>,
}

impl Work {
    pub fn begin(who: u32, tally: Rc<Tally>) -> Self {
        Self { who, tally, owned: HashMap::new() }
    }

    pub fn welcomed(&mut self, welcome: &str, out: &mut Vec<String>) {
        let Ok(welcome) = serde_json::from_str::<Value>(welcome) else {
            return self.tally.error(&format!("a welcome that is no JSON: {welcome}"));
        };
        self.takes_up(&welcome["snapshot"], out);
    }

    pub fn heard(&mut self, text: &str, out: &mut Vec<String>) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return self.tally.error(&format!("a frame that is no JSON: {text}"));
        };
        let conversation = frame["conversation"].as_str().unwrap_or_default();
        match frame["type"].as_str().unwrap_or_default() {
            "offer" => self.offered(&frame["offer"], out),
            "conversation" => self.owns(&frame["conversation"], out),
            "message" if frame["author"]["customer"].is_string() => {
                self.answer(conversation, frame["number"].as_u64().unwrap_or(1), out);
            }
            "conversation_ended" => {
                let ended = frame["conversation"]["conversation"].as_str().unwrap_or_default();
                self.owned.remove(ended);
                if one_in(2) {
                    say(out, json!({"type": "wrap_up_done", "conversation": ended}));
                }
            }
            "conversation_gone" => {
                self.owned.remove(conversation);
            }
            "status" if frame["connection"] == "unreachable" => say(out, json!({"type": "ready"})),
            "status" if frame["available"] == false => available(out),
            "snapshot" => self.takes_up(&frame["snapshot"], out),
            "reply" => self.replied(&frame),
            _ => {}
        }
    }

    /// A talk that has lasted long enough is over.
    pub fn close_old(&mut self, out: &mut Vec<String>) {
        self.owned.retain(|conversation, since| {
            let goes_on = since.elapsed() < TALK;
            if !goes_on {
                say(out, json!({"type": "close", "conversation": conversation}));
            }
            goes_on
        });
    }

    fn takes_up(&mut self, snapshot: &Value, out: &mut Vec<String>) {
        if snapshot["available"] == false {
            available(out);
        }
        for offer in snapshot["offers"].as_array().into_iter().flatten() {
            self.offered(offer, out);
        }
        for conversation in snapshot["conversations"].as_array().into_iter().flatten() {
            if conversation["state"] == "active" {
                self.owns(conversation, out);
            }
        }
    }

    fn offered(&mut self, offer: &Value, out: &mut Vec<String>) {
        // One in twenty is not even painted, one in twenty is left to expire.
        if one_in(20) {
            return;
        }
        let offer = &offer["offer"];
        say(out, json!({"type": "delivered", "offer": offer}));
        if one_in(20) {
            return;
        }
        if one_in(10) {
            return say(out, json!({"type": "reject", "offer": offer, "reason": "busy"}));
        }
        add(&self.tally.accepted);
        say(out, json!({"type": "accept", "offer": offer}));
    }

    fn owns(&mut self, conversation: &Value, out: &mut Vec<String>) {
        let Some(id) = conversation["conversation"].as_str() else { return };
        self.owned.insert(id.to_owned(), Instant::now());
        say(out, json!({"type": "send", "conversation": id, "text": format!("agent{} is here", self.who)}));
        if one_in(5) {
            say(out, json!({"type": "history", "conversation": id, "limit": 50}));
        }
    }

    fn answer(&mut self, conversation: &str, number: u64, out: &mut Vec<String>) {
        say(out, json!({"type": "read", "conversation": conversation, "number": number}));
        if one_in(10) {
            return say(out, json!({"type": "transfer", "conversation": conversation, "queue": "support"}));
        }
        if one_in(10) {
            say(out, json!({"type": "note", "conversation": conversation, "text": "to be looked at again"}));
            say(out, json!({"type": "label", "conversation": conversation, "tags": ["soak"]}));
        }
        if one_in(3) {
            return say(out, json!({"type": "close", "conversation": conversation}));
        }
        say(out, json!({"type": "typing", "conversation": conversation}));
        let text = "What there is to say of it, in so many words. ".repeat(4);
        say(out, json!({"type": "send", "conversation": conversation, "text": text}));
    }

    fn replied(&self, reply: &Value) {
        if reply["ok"] == true {
            return;
        }
        let code = reply["error"]["code"].as_str().unwrap_or_default();
        if reply["error"]["retry_after_ms"].is_number() {
            add(&self.tally.told_to_wait);
        } else if !CROSSED.contains(&code) {
            self.tally.error(&format!("agent{}: {reply}", self.who));
        }
    }
}

fn available(out: &mut Vec<String>) {
    say(out, json!({"type": "set_status", "status": "available"}));
}

fn say(out: &mut Vec<String>, mut frame: Value) {
    frame["id"] = command_id().into();
    out.push(frame.to_string());
}
