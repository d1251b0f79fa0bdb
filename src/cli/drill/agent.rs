//! An agent who does as docs/wire.md says: confirms what it is shown, accepts, answers, and comes back when it is told to, with its ticket and
//! with what was not answered yet.

use super::floor::{CHOSEN, FLOOD, Floor, Hands, jitter, now};
use crate::client::agent::Lost;
use crate::client::{AgentSocket, random_id};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// A connection that says nothing for so long is given up.
const WELCOMED_WITHIN: Duration = Duration::from_secs(10);
const BACK_OFF_MS_MAX: u64 = 30_000;

pub(super) struct Player {
    pub number: usize,
    pub name: String,
    pub token: String,
    pub floor: Arc<Floor>,
}

/// What an agent's client knows; it outlives its connections.
#[derive(Default)]
struct Desk {
    ticket: Option<String>,
    /// By id: repeated with it until there is a reply.
    unanswered: BTreeMap<String, Command>,
    /// Put off, and until when.
    later: Vec<(Instant, String)>,
    /// Shown and not accepted yet.
    offers: Vec<String>,
    has_chosen: bool,
    said: u64,
}

struct Command {
    frame: Value,
    since: Instant,
}

impl Player {
    /// Until it is aborted.
    pub async fn play(self, first: Duration) {
        let mut desk = Desk::default();
        // Not all begin their day in the same instant.
        tokio::time::sleep(first).await;
        let mut failed = 0;
        loop {
            let (lost, was_here) = self.connected(&mut desk).await;
            failed = if was_here { 0 } else { failed + 1 };
            let Some(pause) = self.pause(lost, failed) else { return };
            // What the server asked for, or the jitter that docs/wire.md asks for.
            tokio::time::sleep(pause).await;
        }
    }

    /// How long until it comes back; nothing if it was told not to.
    fn pause(&self, lost: Lost, failed: u32) -> Option<Duration> {
        let back_off = BACK_OFF_MS_MAX.min(1_000 << failed.min(5));
        match lost {
            Lost::Later(after) => {
                self.floor.notes().heard.told_to_wait += 1;
                Some(after)
            }
            Lost::Told { code: 4100..=4200, reason } => {
                let told = reason.strip_prefix("retry_after_ms=").and_then(|ms| ms.parse().ok());
                Some(told.map_or_else(|| jitter(0, back_off), Duration::from_millis))
            }
            Lost::Told { code: 4201..=4299, .. } => Some(jitter(0, 100)),
            Lost::Told { code: code @ (1002..=1003 | 1007..=1009 | 4000..=4099), reason } => {
                self.floor.fault(format!("{} was told not to come back: {code} {reason}", self.name));
                None
            }
            Lost::Told { .. } | Lost::Broken(_) => Some(jitter(0, back_off)),
        }
    }

    /// One connection, and whether there was a welcome on it.
    async fn connected(&self, desk: &mut Desk) -> (Lost, bool) {
        let welcomed = match timeout(WELCOMED_WITHIN, self.welcomed(desk)).await {
            Ok(welcomed) => welcomed,
            Err(_) => return (Lost::Told { code: 1006, reason: "no welcome".to_owned() }, false),
        };
        let (mut socket, welcome) = match welcomed {
            Ok(welcomed) => welcomed,
            Err(lost) => return (lost, false),
        };
        self.floor.came(self.number);
        let lost = match self.take_up(desk, &mut socket, &welcome).await {
            Ok(()) => self.work(desk, &mut socket).await,
            Err(lost) => lost,
        };
        self.floor.went(self.number);
        (lost, true)
    }

    async fn welcomed(&self, desk: &Desk) -> Result<(AgentSocket, Value), Lost> {
        let address = &self.floor.address;
        let stream = TcpStream::connect(address.authority()).await.map_err(|error| Lost::Broken(error.into()))?;
        let mut socket = AgentSocket::over(stream, address, &self.token, desk.ticket.as_deref()).await?;
        let welcome = socket.frame().await?;
        Ok((socket, welcome))
    }

    async fn take_up(&self, desk: &mut Desk, socket: &mut AgentSocket, welcome: &Value) -> Result<(), Lost> {
        desk.ticket = welcome["ticket"].as_str().map(str::to_owned);
        let snapshot = &welcome["snapshot"];
        if desk.has_chosen {
            self.seen(snapshot);
        } else if desk.unanswered.is_empty() {
            self.command(desk, socket, json!({"type": "set_status", "status": CHOSEN})).await?;
        }
        desk.later.clear();
        let unanswered: Vec<Value> = desk.unanswered.values().map(|command| command.frame.clone()).collect();
        for frame in unanswered {
            socket.repeat(&frame).await?;
        }
        self.shown(desk, socket, snapshot).await
    }

    async fn work(&self, desk: &mut Desk, socket: &mut AgentSocket) -> Lost {
        let mut hands = self.floor.hands.subscribe();
        hands.mark_changed();
        loop {
            let due = desk.later.iter().map(|(at, _)| *at).min();
            let done = tokio::select! {
                frame = socket.frame() => match frame {
                    Ok(frame) => self.hear(desk, socket, &frame).await,
                    Err(lost) => Err(lost),
                },
                Ok(()) = hands.changed() => self.answer_offers(desk, socket, &mut hands).await,
                () = sleep_until(due.unwrap_or_else(now)), if due.is_some() => self.repeat_due(desk, socket).await,
            };
            if let Err(lost) = done {
                return lost;
            }
        }
    }

    async fn hear(&self, desk: &mut Desk, socket: &mut AgentSocket, frame: &Value) -> Result<(), Lost> {
        let text = |member: &str| frame[member].as_str().unwrap_or_default();
        match text("type") {
            "offer" => self.consider(desk, socket, &frame["offer"]).await,
            "snapshot" => self.shown(desk, socket, &frame["snapshot"]).await,
            "offer_ended" => {
                desk.offers.retain(|offer| offer != text("offer"));
                self.floor.notes().offers.ended(text("offer"), text("end"));
                Ok(())
            }
            "status" => {
                if text("cause") != "chosen" {
                    self.seen(frame);
                }
                Ok(())
            }
            "conversation" if frame["conversation"]["metadata"]["page"] == FLOOD => {
                let close = json!({"type": "close", "conversation": frame["conversation"]["conversation"]});
                self.command(desk, socket, close).await
            }
            "message" if frame["author"].get("customer").is_some() => {
                desk.said += 1;
                let words = format!("{}.{} I see.", self.name, desk.said);
                let send = json!({"type": "send", "conversation": text("conversation"), "text": words});
                self.command(desk, socket, send).await
            }
            "reply" => {
                self.replied(desk, frame);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn seen(&self, presence: &Value) {
        let status = presence["status"].as_str().unwrap_or_default();
        self.floor.notes().statuses.seen(&self.name, CHOSEN, status);
    }

    async fn shown(&self, desk: &mut Desk, socket: &mut AgentSocket, snapshot: &Value) -> Result<(), Lost> {
        for offer in snapshot["offers"].as_array().into_iter().flatten() {
            self.consider(desk, socket, offer).await?;
        }
        // Whatever was accepted while a delta was lost.
        for conversation in snapshot["conversations"].as_array().into_iter().flatten() {
            if conversation["metadata"]["page"] == FLOOD && conversation["state"] == "active" {
                let close = json!({"type": "close", "conversation": conversation["conversation"]});
                self.command(desk, socket, close).await?;
            }
        }
        Ok(())
    }

    async fn consider(&self, desk: &mut Desk, socket: &mut AgentSocket, offer: &Value) -> Result<(), Lost> {
        let id = offer["offer"].as_str().unwrap_or_default().to_owned();
        self.floor.notes().offers.made(&id);
        if desk.offers.contains(&id) {
            return Ok(());
        }
        self.command(desk, socket, json!({"type": "delivered", "offer": id})).await?;
        desk.offers.push(id.clone());
        if *self.floor.hands.borrow() == Hands::Accept {
            self.command(desk, socket, json!({"type": "accept", "offer": id})).await?;
        }
        Ok(())
    }

    async fn answer_offers(
        &self,
        desk: &mut Desk,
        socket: &mut AgentSocket,
        hands: &mut watch::Receiver<Hands>,
    ) -> Result<(), Lost> {
        if *hands.borrow_and_update() == Hands::Hold {
            return Ok(());
        }
        let is_asked = |desk: &Desk, offer: &str| {
            desk.unanswered.values().any(|held| held.frame["type"] == "accept" && held.frame["offer"] == offer)
        };
        for offer in desk.offers.clone() {
            if !is_asked(desk, &offer) {
                self.command(desk, socket, json!({"type": "accept", "offer": offer})).await?;
            }
        }
        Ok(())
    }

    async fn command(&self, desk: &mut Desk, socket: &mut AgentSocket, mut frame: Value) -> Result<(), Lost> {
        let id = random_id();
        frame["id"] = id.as_str().into();
        desk.unanswered.insert(id.clone(), Command { frame, since: now() });
        socket.repeat(&desk.unanswered[&id].frame).await
    }

    async fn repeat_due(&self, desk: &mut Desk, socket: &mut AgentSocket) -> Result<(), Lost> {
        let now = now();
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut desk.later).into_iter().partition(|(at, _)| *at <= now);
        desk.later = later;
        for (_, id) in due {
            if let Some(command) = desk.unanswered.get(&id) {
                socket.repeat(&command.frame).await?;
            }
        }
        Ok(())
    }

    fn replied(&self, desk: &mut Desk, reply: &Value) {
        let id = reply["id"].as_str().unwrap_or_default();
        let Some(command) = desk.unanswered.get(id) else { return };
        let frame = &command.frame;
        let text = |member: &str| frame[member].as_str().unwrap_or_default();
        let mut notes = self.floor.notes();
        let error = &reply["error"];
        if let Some(after_ms) = error["retry_after_ms"].as_u64() {
            if text("type") == "accept" && error["code"] == "busy" {
                notes.accepts.busy += 1;
            }
            desk.later.push((now() + Duration::from_millis(after_ms), id.to_owned()));
            return;
        }
        let is_done = reply["ok"] == true;
        match (text("type"), is_done) {
            ("set_status", true) => {
                notes.available += 1;
                desk.has_chosen = true;
            }
            ("delivered", true) => drop(notes.shown.insert(text("offer").to_owned())),
            ("accept", true) => {
                let took = now() - command.since;
                notes.offers.accepted(text("offer"));
                notes.accepts.done += 1;
                notes.accepts.slowest_ms = notes.accepts.slowest_ms.max(took.as_millis() as u64);
                desk.offers.retain(|offer| offer != text("offer"));
            }
            ("accept", false) => {
                let end = error["end"].as_str().or(error["code"].as_str()).unwrap_or("refused");
                notes.offers.ended(text("offer"), end);
                desk.offers.retain(|offer| offer != text("offer"));
            }
            ("send", true) => {
                let number = reply["number"].as_u64().unwrap_or_default();
                notes.ledger.acknowledged(text("conversation"), number, text("text"));
            }
            // Of what has ended meanwhile: an offer, a conversation.
            _ => {}
        }
        drop(notes);
        desk.unanswered.remove(id);
    }
}
