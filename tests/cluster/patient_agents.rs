//! Agents who accept what they are offered, write, and close, again and again, at whichever node lets them in.

use crate::clients::Worker;
use crate::history::{Book, What};
use crate::patient::{Heard, NODE_PATIENCE, Next, Places, Progress, Pursuit, not_done};
use crate::support::random::Random;
use crate::support::{Agent, command_id};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::watch;
use tokio::time::timeout;

pub struct PatientAgent {
    /// Of all clients.
    pub number: usize,
    pub name: String,
    pub token: String,
    pub random: Random,
    pub places: Places,
    pub book: Book,
    pub progress: Progress,
    /// Whoever has nothing to do goes home then.
    pub ends: watch::Receiver<bool>,
    pub desk: Held,
}

/// What it is about to do, until that is answered.
#[derive(Debug, Clone)]
enum Deed {
    BeAvailable,
    Accept { offer: String, conversation: String },
    Say { conversation: String, text: String },
    Close { conversation: String },
}

/// What an agent has in hand.
#[derive(Default)]
pub struct Held {
    /// Offer -> conversation.
    offers: BTreeMap<String, String>,
    own: BTreeSet<String>,
    /// Those of its own in which it has written.
    written_in: BTreeSet<String>,
    said: u64,
    deed: Option<(Deed, Pursuit)>,
}

/// Whether its day is over, or it goes on at another node.
enum Ended {
    Here,
    ForToday,
}

impl Deed {
    fn frame(&self, id: &str) -> Value {
        match self {
            Deed::BeAvailable => json!({"type": "set_status", "id": id, "status": "available"}),
            Deed::Accept { offer, .. } => json!({"type": "accept", "id": id, "offer": offer}),
            Deed::Say { conversation, text } => {
                json!({"type": "send", "id": id, "conversation": conversation, "text": text})
            }
            Deed::Close { conversation } => json!({"type": "close", "id": id, "conversation": conversation}),
        }
    }
}

impl PatientAgent {
    pub async fn live(mut self) {
        loop {
            let mut worker = self.welcomed().await;
            self.desk.found(&worker.agent.welcome["snapshot"]);
            self.progress.one(self.number);
            if matches!(self.work(&mut worker).await, Ended::ForToday) {
                return;
            }
        }
    }

    async fn welcomed(&mut self) -> Worker {
        let mut pursuit = Pursuit::begin(format!("{}'s welcome", self.name));
        loop {
            let address = self.places.any(&mut self.random);
            let welcomed = timeout(NODE_PATIENCE, Agent::try_connect(address, &self.name, &self.token, None)).await;
            if let Ok(Ok(agent)) = welcomed {
                return Worker::of(&self.book, agent);
            }
            drop(pursuit.heard(Heard::NotSent).await);
        }
    }

    async fn work(&mut self, worker: &mut Worker) -> Ended {
        loop {
            worker.agent.take_kept().iter().for_each(|frame| self.desk.take(frame));
            if self.desk.deed.is_none() && self.random.below(24) == 0 {
                return Ended::Here;
            }
            if self.desk.deed.is_some() || self.begin(&worker.agent.welcome) {
                if !self.pursue(worker).await {
                    return Ended::Here;
                }
                continue;
            }
            let frame = tokio::select! {
                _ = self.ends.wait_for(|ends| *ends) => return Ended::ForToday,
                frame = timeout(NODE_PATIENCE, worker.agent.try_next()) => frame,
            };
            // Its node may stand still, or be gone.
            let Ok(Some(frame)) = frame else { return Ended::Here };
            self.desk.take(&frame);
        }
    }

    /// Whether there is anything to do.
    fn begin(&mut self, welcome: &Value) -> bool {
        let desk = &mut self.desk;
        let deed = if desk.said == 0 && welcome["snapshot"]["available"] != true {
            Deed::BeAvailable
        } else if let Some((offer, conversation)) = desk.offers.first_key_value() {
            Deed::Accept { offer: offer.clone(), conversation: conversation.clone() }
        } else if let Some(conversation) = desk.own.first().cloned() {
            if !desk.written_in.contains(&conversation) || self.random.below(3) > 0 {
                desk.said += 1;
                Deed::Say { conversation, text: format!("{} says {}", self.name, desk.said) }
            } else {
                Deed::Close { conversation }
            }
        } else {
            return false;
        };
        self.desk.deed = Some((deed, Pursuit::begin(command_id())));
        true
    }

    /// Sends it once; whether to stay at this node.
    async fn pursue(&mut self, worker: &mut Worker) -> bool {
        let (deed, mut pursuit) = self.desk.deed.take().expect("there is something to do");
        if let Deed::Say { text, .. } = &deed {
            // Again with the same id: the first line of these counts.
            worker.pen.write(What::Sends { text: text.clone() });
        }
        let asked = timeout(NODE_PATIENCE, worker.agent.try_ask(deed.frame(&pursuit.id))).await;
        let heard = match asked {
            Ok(Some(reply)) if reply["ok"] == true => Heard::Answer(reply),
            Ok(Some(reply)) => {
                not_done(&reply["error"]).unwrap_or_else(|| panic!("{}: {deed:?} was refused: {reply}", self.name))
            }
            Ok(None) | Err(_) => Heard::Nothing,
        };
        match (pursuit.heard(heard).await, deed) {
            (Next::Answered(reply), deed) => {
                self.done(worker, deed, &reply);
                true
            }
            (Next::MayGiveUp, Deed::Say { text, .. }) if self.random.below(4) == 0 => {
                worker.pen.write(What::NotSent { text });
                true
            }
            (Next::MayGiveUp | Next::Again, deed) => {
                self.desk.deed = Some((deed, pursuit));
                false
            }
        }
    }

    fn done(&mut self, worker: &Worker, deed: Deed, reply: &Value) {
        self.progress.one(self.number);
        match deed {
            Deed::BeAvailable => self.desk.said += 1,
            Deed::Accept { offer, conversation } => {
                self.desk.offers.remove(&offer);
                self.desk.own.insert(conversation);
                worker.pen.write(What::Accepted { offer, agent: self.name.clone() });
            }
            Deed::Say { conversation, text } => {
                let number = reply["number"].as_u64().expect("a number");
                self.desk.written_in.insert(conversation.clone());
                worker.pen.write(What::Sent { conversation, text, number });
            }
            Deed::Close { conversation } => {
                self.desk.own.remove(&conversation);
                self.desk.written_in.remove(&conversation);
            }
        }
    }
}

impl Held {
    /// As it is found at another node: what is under way is under way still.
    fn found(&mut self, snapshot: &Value) {
        (self.offers, self.own) = (BTreeMap::new(), BTreeSet::new());
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for offer in snapshot["offers"].as_array().into_iter().flatten() {
            self.offers.insert(word(&offer["offer"]), word(&offer["conversation"]["conversation"]));
        }
        for conversation in snapshot["conversations"].as_array().into_iter().flatten() {
            self.own.insert(word(&conversation["conversation"]));
        }
    }

    fn take(&mut self, frame: &Value) {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str() {
            Some("snapshot") => self.found(&frame["snapshot"]),
            Some("offer") => {
                let offer = &frame["offer"];
                self.offers.insert(word(&offer["offer"]), word(&offer["conversation"]["conversation"]));
            }
            Some("offer_ended") => drop(self.offers.remove(&word(&frame["offer"]))),
            _ => {}
        }
    }
}
