//! What the server says after a restart, held against what it had acknowledged, and against what must always hold.

use crate::load::{Ledger, Load, Told};
use crate::support::http::Http;
use crate::support::scene::DEMO;
use crate::support::{Server, command_id};
use crate::{Random, Wrong};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Conversations that nothing new was told of are looked at again by chance, so many in a round.
const OLD_ONES: u64 = 10;
/// How long a restarted server may say that it is not there yet.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Judge {
    told: Ledger,
}

impl Judge {
    pub fn seen(&self) -> usize {
        self.told.len()
    }

    /// Messages, accepts and closes that were acknowledged.
    pub fn sums(&self) -> (usize, usize, u32) {
        let told = || self.told.values();
        let accepts = told().map(|told| told.accepted.len()).sum();
        (told().map(|told| told.messages.len()).sum(), accepts, told().map(|told| told.closed).sum())
    }

    /// Those of which something new was told, and some others.
    pub async fn look_at(&mut self, server: &Server, load: &mut Load, random: &mut Random) -> Result<(), Wrong> {
        let mut looked_at = self.take(load);
        let all: Vec<&String> = self.told.keys().collect();
        for _ in 0..OLD_ONES.min(all.len() as u64) {
            looked_at.insert(all[random.below(all.len() as u64) as usize].clone());
        }
        self.judge(server, &looked_at).await
    }

    pub async fn look_at_all(&mut self, server: &Server, load: &mut Load) -> Result<(), Wrong> {
        self.take(load);
        let all = self.told.keys().cloned().collect();
        self.judge(server, &all).await
    }

    fn take(&mut self, load: &mut Load) -> BTreeSet<String> {
        let mut new = BTreeSet::new();
        for (conversation, told) in load.take_told().into_iter().flatten() {
            let held = self.told.entry(conversation.clone()).or_default();
            held.opened_at = held.opened_at.max(told.opened_at);
            held.messages.extend(told.messages);
            held.accepted.extend(told.accepted);
            held.closed += told.closed;
            new.insert(conversation);
        }
        new
    }

    async fn judge(&self, server: &Server, conversations: &BTreeSet<String>) -> Result<(), Wrong> {
        let mut http = Http::connect(server.address).await.map_err(|error| Wrong::NotServing(error.to_string()))?;
        for conversation in conversations {
            let facts = ask(server, &mut http, &format!("/{conversation}")).await?;
            let mut events = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = ask(server, &mut http, &format!("/{conversation}/events?limit=200{cursor}")).await?;
                events.extend(page["events"].as_array().cloned().unwrap_or_default());
                match page["next"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let lost = |what: String| Wrong::Lost(format!("{conversation}: {what}\n{facts}\n{events:#?}"));
            consistent(&facts, &events).map_err(lost)?;
            kept(&self.told[conversation], &facts, &events).map_err(lost)?;
        }
        Ok(())
    }
}

async fn ask(server: &Server, http: &mut Http, path: &str) -> Result<Value, Wrong> {
    let until = Instant::now() + PATIENCE;
    loop {
        let key = server.admin_key();
        let headers = format!("Authorization: Bearer {key}\r\nIdempotency-Key: {}\r\n", command_id());
        let path = format!("/v1/workspaces/{DEMO}/conversations{path}");
        let answer = http.ask("GET", &path, &headers, b"").await;
        let answer = answer.map_err(|error| Wrong::NotServing(error.to_string()))?;
        match answer.status {
            200 => return Ok(answer.json()),
            404 => return Err(Wrong::Lost(format!("{path}: {}", answer.text()))),
            _ if Instant::now() > until => return Err(Wrong::NotServing(format!("{path}: {}", answer.text()))),
            // The view is on its way, and tells nobody.
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// What must hold whatever was acknowledged.
fn consistent(facts: &Value, events: &[Value]) -> Result<(), String> {
    let mut last = 0;
    let mut texts = BTreeSet::new();
    let mut pending: Option<String> = None;
    let mut ended = BTreeMap::new();
    let mut owner: Option<String> = None;
    let (mut opened, mut reopened) = (0, 0);
    let mut place = (0, None);
    for event in events {
        let (name, data) = (event["event"].as_str().unwrap_or_default(), &event["data"]);
        let text = |member: &str| data[member].as_str().unwrap_or_default().to_owned();
        let here = (event["position"].as_u64().unwrap_or(0), event["index"].as_u64());
        if here <= place {
            return Err(format!("the event at {here:?} comes after the one at {place:?}"));
        }
        place = here;
        match name {
            "conversation_opened" => opened += 1,
            "message_posted" => {
                last += 1;
                if data["number"] != last {
                    return Err(format!("message {} in place {last}", data["number"]));
                }
                let Some(words) = data["text"].as_str() else {
                    return Err(format!("the text of message {last} is gone"));
                };
                if !texts.insert(words.to_owned()) {
                    return Err(format!("{words:?} is there twice"));
                }
            }
            "offer_made" => {
                if let Some(other) = pending.replace(text("offer")) {
                    return Err(format!("{} was made while {other} was pending", text("offer")));
                }
                if owner.is_some() {
                    return Err(format!("{} was made for a conversation that {owner:?} owns", text("offer")));
                }
            }
            "offer_ended" => {
                let offer = text("offer");
                if pending.take().as_ref() != Some(&offer) {
                    return Err(format!("{offer} ended and was not pending"));
                }
                if let Some(before) = ended.insert(offer.clone(), text("end")) {
                    return Err(format!("{offer} ended twice: {before}, {}", text("end")));
                }
                if text("end") == "accepted"
                    && let Some(other) = owner.replace(text("agent"))
                {
                    return Err(format!("{offer} gave it to {} beside {other}", text("agent")));
                }
            }
            "conversation_ended" | "conversation_requeued" => owner = None,
            "conversation_reopened" => reopened += 1,
            _ => {}
        }
    }
    if opened != 1 {
        return Err(format!("it was opened {opened} times"));
    }
    if facts["last_number"] != last {
        return Err(format!("it has {} messages, and its journal {last}", facts["last_number"]));
    }
    if facts["owner"].as_str() != owner.as_deref() {
        return Err(format!("its owner is {}, and by its journal {owner:?}", facts["owner"]));
    }
    if reopened == 0 && facts["waiting_since"] != facts["opened_at"] {
        return Err("it lost its age".to_owned());
    }
    Ok(())
}

/// What was acknowledged is so.
fn kept(told: &Told, facts: &Value, events: &[Value]) -> Result<(), String> {
    let of = |name: &'static str| events.iter().filter(move |event| event["event"] == name).map(|event| &event["data"]);
    if told.opened_at != 0 && facts["opened_at"] != told.opened_at {
        return Err(format!("it was opened at {}", told.opened_at));
    }
    for (number, text) in &told.messages {
        if !of("message_posted").any(|data| data["number"] == *number && data["text"] == text.as_str()) {
            return Err(format!("message {number}, {text:?}, was acknowledged"));
        }
    }
    for (offer, agent) in &told.accepted {
        let is_so = |data: &Value| {
            data["offer"] == offer.as_str() && data["end"] == "accepted" && data["agent"] == agent.as_str()
        };
        if !of("offer_ended").any(is_so) {
            return Err(format!("{agent} was told that {offer} is accepted"));
        }
    }
    if (of("conversation_ended").count() as u32) < told.closed {
        return Err(format!("it was closed {} times", told.closed));
    }
    Ok(())
}
