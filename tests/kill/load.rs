//! Agents and customers who work until the server is gone, and remember what they were told and what they were not.

use crate::support::http::Http;
use crate::support::random::Random;
use crate::support::scene::DEMO;
use crate::support::{Agent, Server, command_id, within};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

const AGENTS: usize = 5;
const CUSTOMERS: usize = 6;

/// What is known of one conversation: only what was acknowledged.
#[derive(Debug, Default, Clone)]
pub struct Told {
    pub opened_at: u64,
    /// Number -> text.
    pub messages: BTreeMap<u64, String>,
    /// Offer -> the agent who was told that it is its own.
    pub accepted: BTreeMap<String, String>,
    pub closed: u32,
}

/// Conversation -> what was acknowledged of it.
pub type Ledger = BTreeMap<String, Told>;

/// Counts acknowledgements, so that the kill comes after some of them and not after some time.
#[derive(Default)]
struct Acknowledged {
    count: AtomicU64,
    more: Notify,
}

impl Acknowledged {
    fn one(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.more.notify_waiters();
    }
}

pub struct Load {
    agents: Vec<AgentWork>,
    customers: Vec<CustomerWork>,
    acknowledged: Arc<Acknowledged>,
}

/// A command whose answer did not come: sent again, as it was, after the restart.
#[derive(Debug, Clone)]
struct Pending {
    id: String,
    what: Value,
}

pub async fn quick_settings(server: &Server) {
    let quick = |settings: &mut Value| {
        settings["cool_downs"] = json!({"rejected_ms": 0, "expired_ms": 0, "undelivered_ms": 0});
        settings["undelivered_in_a_row_max"] = 1_000_000.into();
        settings["missed_in_a_row_max"] = 1_000_000.into();
        settings["devices_max"] = 1_000.into();
    };
    server.change_settings(DEMO, quick).await;
}

impl Load {
    pub fn new(server: &Server, random: &mut Random) -> Self {
        let agent = |number: usize| AgentWork {
            name: format!("agent-{number}"),
            token: server.agent_token(DEMO, &format!("agent-{number}"), Role::Agent),
            random: random.fork(),
            pending: None,
            ledger: Ledger::new(),
            sent: 0,
        };
        let agents = (0..AGENTS).map(agent).collect();
        let customer = |number| CustomerWork {
            number,
            random: random.fork(),
            pending: None,
            current: None,
            ledger: Ledger::new(),
            sent: 0,
        };
        let customers = (0..CUSTOMERS).map(customer).collect();
        Self { agents, customers, acknowledged: Arc::default() }
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.count.load(Ordering::Relaxed)
    }

    /// Works until so many more were acknowledged; then the server is killed in the middle of whatever is under way.
    pub async fn run_and_kill(&mut self, server: &mut Server, more: u64) -> u64 {
        let target = self.acknowledged() + more;
        let address = server.address;
        let mut tasks = tokio::task::JoinSet::new();
        for mut agent in self.agents.drain(..) {
            let acknowledged = self.acknowledged.clone();
            tasks.spawn(async move {
                agent.work(address, &acknowledged).await;
                (Some(agent), None)
            });
        }
        for mut customer in self.customers.drain(..) {
            let acknowledged = self.acknowledged.clone();
            tasks.spawn(async move {
                let _ = customer.work(address, &acknowledged, u32::MAX).await;
                (None, Some(customer))
            });
        }
        let acknowledged = self.acknowledged.clone();
        within(&format!("{more} acknowledgements"), async {
            loop {
                let notified = acknowledged.more.notified();
                if acknowledged.count.load(Ordering::Relaxed) >= target {
                    return;
                }
                notified.await;
            }
        })
        .await;
        server.kill();
        while let Some(done) = within("the end of the load", tasks.join_next()).await {
            let (agent, customer) = done.expect("a worker that does not panic");
            self.agents.extend(agent);
            self.customers.extend(customer);
        }
        self.acknowledged()
    }

    /// Every command that was left without an answer gets one.
    pub async fn settle(&mut self, server: &Server) {
        for customer in &mut self.customers {
            within("settling", customer.work(server.address, &self.acknowledged, 0))
                .await
                .expect("the server is there");
        }
        for agent in &mut self.agents {
            let mut socket = agent.connect(server.address).await.expect("the server is there");
            agent.retry(&mut socket, &self.acknowledged).await.expect("the server is there");
        }
    }

    /// What was acknowledged since this was last asked.
    pub fn take_told(&mut self) -> Vec<Ledger> {
        let agents = self.agents.iter_mut().map(|agent| std::mem::take(&mut agent.ledger));
        agents.chain(self.customers.iter_mut().map(|customer| std::mem::take(&mut customer.ledger))).collect()
    }
}

struct AgentWork {
    name: String,
    token: String,
    random: Random,
    pending: Option<Pending>,
    ledger: Ledger,
    sent: u64,
}

/// The server is gone.
#[derive(Debug)]
struct Gone;

impl AgentWork {
    async fn connect(&self, address: std::net::SocketAddr) -> Result<Agent, Gone> {
        Agent::try_connect(address, &self.name, &self.token, None).await.map_err(|_| Gone)
    }

    async fn work(&mut self, address: std::net::SocketAddr, acknowledged: &Acknowledged) {
        let _ = self.try_work(address, acknowledged).await;
    }

    async fn try_work(&mut self, address: std::net::SocketAddr, acknowledged: &Acknowledged) -> Result<(), Gone> {
        let mut socket = self.connect(address).await?;
        self.retry(&mut socket, acknowledged).await?;
        let snapshot = socket.welcome["snapshot"].clone();
        let mut offers: Vec<Value> = snapshot["offers"].as_array().cloned().unwrap_or_default();
        let mut own: Vec<Value> = snapshot["conversations"].as_array().cloned().unwrap_or_default();
        self.command(&mut socket, json!({"type": "set_status", "status": "available"}), acknowledged).await?;
        loop {
            if let Some(offer) = offers.pop() {
                let id = offer["offer"].clone();
                self.command(&mut socket, json!({"type": "delivered", "offer": id}), acknowledged).await?;
                if self.random.below(8) == 0 {
                    let reject = json!({"type": "reject", "offer": id, "reason": "busy"});
                    self.command(&mut socket, reject, acknowledged).await?;
                } else if self.command(&mut socket, json!({"type": "accept", "offer": id}), acknowledged).await?["ok"]
                    == true
                {
                    own.push(offer["conversation"].clone());
                }
            } else if let Some(conversation) = own.pop() {
                let id = conversation["conversation"].clone();
                for _ in 0..self.random.below(4) {
                    self.sent += 1;
                    let text = format!("{} says {} 👍", self.name, self.sent);
                    let send = json!({"type": "send", "conversation": id, "text": text});
                    self.command(&mut socket, send, acknowledged).await?;
                }
                self.command(&mut socket, json!({"type": "close", "conversation": id}), acknowledged).await?;
            } else {
                let frame = socket.try_next().await.ok_or(Gone)?;
                if frame["type"] == "offer" {
                    offers.push(frame["offer"].clone());
                }
            }
            offers.extend(
                socket
                    .take_kept()
                    .into_iter()
                    .filter(|frame| frame["type"] == "offer")
                    .map(|frame| frame["offer"].clone()),
            );
        }
    }

    async fn retry(&mut self, socket: &mut Agent, acknowledged: &Acknowledged) -> Result<(), Gone> {
        match self.pending.clone() {
            Some(pending) => self.ask(socket, pending, acknowledged).await.map(drop),
            None => Ok(()),
        }
    }

    async fn command(&mut self, socket: &mut Agent, what: Value, acknowledged: &Acknowledged) -> Result<Value, Gone> {
        self.ask(socket, Pending { id: command_id(), what }, acknowledged).await
    }

    async fn ask(&mut self, socket: &mut Agent, command: Pending, acknowledged: &Acknowledged) -> Result<Value, Gone> {
        let mut frame = command.what.clone();
        frame["id"] = command.id.clone().into();
        self.pending = Some(command.clone());
        let reply = socket.try_ask(frame).await.ok_or(Gone)?;
        self.pending = None;
        acknowledged.one();
        if reply["ok"] == true {
            self.note(&command.what, &reply);
        }
        Ok(reply)
    }

    fn note(&mut self, what: &Value, reply: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match what["type"].as_str() {
            Some("accept") => {
                let told = self.ledger.entry(text(&reply["conversation"])).or_default();
                told.accepted.insert(text(&what["offer"]), self.name.clone());
            }
            Some("send") => {
                let number = reply["number"].as_u64().expect("a number");
                let told = self.ledger.entry(text(&what["conversation"])).or_default();
                told.messages.insert(number, text(&what["text"]));
            }
            Some("close") => self.ledger.entry(text(&what["conversation"])).or_default().closed += 1,
            _ => {}
        }
    }
}

struct CustomerWork {
    number: usize,
    random: Random,
    pending: Option<Pending>,
    /// The conversation that it is in, and its token.
    current: Option<(String, String)>,
    ledger: Ledger,
    sent: u64,
}

impl CustomerWork {
    /// Settles what was left, then does so many things.
    async fn work(
        &mut self,
        address: std::net::SocketAddr,
        acknowledged: &Acknowledged,
        things: u32,
    ) -> io::Result<()> {
        let mut http = Http::connect(address).await?;
        if let Some(pending) = self.pending.clone() {
            self.ask(&mut http, pending, acknowledged).await?;
        }
        for _ in 0..things {
            self.sent += 1;
            let text = format!("customer {} writes {} ünïcödé", self.number, self.sent);
            let what = match (&self.current, self.random.below(6)) {
                (None, _) | (_, 0) => json!({"call": "start", "text": text}),
                (Some(_), 1) => json!({"call": "leave"}),
                (Some(_), _) => json!({"call": "messages", "text": text}),
            };
            self.ask(&mut http, Pending { id: command_id(), what }, acknowledged).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, http: &mut Http, command: Pending, acknowledged: &Acknowledged) -> io::Result<()> {
        self.pending = Some(command.clone());
        let call = command.what["call"].as_str().unwrap_or_default();
        let text = command.what["text"].as_str().unwrap_or_default();
        let base = format!("/v1/messenger/{DEMO}/conversations");
        let (path, token) = match (&self.current, call) {
            (Some((conversation, token)), "messages" | "leave") => {
                (format!("{base}/{conversation}/{call}"), Some(token))
            }
            _ => (base, None),
        };
        let mut headers = format!("Idempotency-Key: {}\r\n", command.id);
        if let Some(token) = token {
            headers += &format!("Authorization: Bearer {token}\r\n");
        }
        let body = if call == "leave" { String::new() } else { json!({ "text": text }).to_string() };
        let answer = http.ask("POST", &path, &headers, body.as_bytes()).await?;
        self.pending = None;
        acknowledged.one();
        // Busy, behind and the like are answers too: nothing happened.
        if !answer.is_success() {
            return Ok(());
        }
        match call {
            "start" => {
                let started = answer.json();
                let field = |value: &Value| value.as_str().expect("a text").to_owned();
                let conversation = field(&started["conversation"]["conversation"]);
                let told = self.ledger.entry(conversation.clone()).or_default();
                told.opened_at = started["conversation"]["opened_at"].as_u64().expect("a time");
                told.messages.insert(1, text.to_owned());
                self.current = Some((conversation, field(&started["token"])));
            }
            "messages" => {
                let number = answer.json()["number"].as_u64().expect("a number");
                let (conversation, _) = self.current.as_ref().expect("it wrote in one");
                self.ledger.entry(conversation.clone()).or_default().messages.insert(number, text.to_owned());
            }
            _ => {
                let (conversation, _) = self.current.take().expect("it left one");
                self.ledger.entry(conversation).or_default().closed += 1;
            }
        }
        Ok(())
    }
}
