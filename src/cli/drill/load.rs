//! What would exhaust the memory of a server that takes all it is given: readers that stop while they are written large messages, and visitors who
//! come many times faster than they are let in and do not wait when they are told to.

use super::MIB;
use super::customer::{self, Visit};
use super::floor::{FLOOD, Floor, UNREAD, jitter};
use crate::client::{AgentSocket, Call, Client};
use crate::overload::{RESERVE_SHARE, budget};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// As many as an agent may have: each is sent everything.
pub(super) const DEVICES: usize = 5;
/// What one mailbox holds at most, by default. So many readers stop that their mailboxes would take so many times what all bursts may take
/// together.
const MAILBOX_BYTES: u64 = 256 << 10;
const TIMES: u64 = 3;
/// The largest text that a visitor may write is a little larger.
const TEXT_BYTES: usize = 16_000;
const WRITERS: usize = 16;
const FLOODERS: usize = 48;
const ONLOOKERS: usize = 4;
const FLOOD_PAUSE: Duration = Duration::from_millis(30);
const WRITE_PAUSE: Duration = Duration::from_millis(20);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long one that stopped is left so, before it pulls its cable and comes again; shorter than the server takes to give it up.
const STOPPED_FOR: Duration = Duration::from_secs(15);
/// What a small machine on a bad network takes.
const RECEIVE_BUFFER_BYTES: u32 = 4 * 1024;
const WELCOMED_WITHIN: Duration = Duration::from_secs(10);

/// So many agents stop reading.
pub(super) fn readers(cap_mib: u64) -> usize {
    let share = budget::below(cap_mib * MIB) / RESERVE_SHARE;
    usize::try_from(share * TIMES / (MAILBOX_BYTES * DEVICES as u64)).unwrap_or(1).max(4)
}

/// Connections of the load at most.
pub(super) fn connections(cap_mib: u64) -> usize {
    readers(cap_mib) * (DEVICES + 1) + WRITERS + FLOODERS + ONLOOKERS
}

pub(super) fn reader_name(number: usize) -> String {
    format!("reader{number:04}")
}

/// What was thrown at the server.
#[derive(Debug, Default)]
pub(super) struct Thrown {
    /// Bytes of texts that were written to readers that had stopped, once for each of their devices.
    pub written_bytes: AtomicU64,
    /// Bytes of texts that the server acknowledged for readers that had stopped, once for each of their devices.
    pub unread_bytes: AtomicU64,
    pub starts: AtomicU64,
    pub starts_refused: AtomicU64,
}

/// Readers with a conversation each, and those who write to them.
pub(super) struct Stopped {
    pub floor: Arc<Floor>,
    /// Of each reader.
    pub tokens: Vec<String>,
    pub key: String,
    pub thrown: Arc<Thrown>,
}

impl Stopped {
    /// Each reader accepts one conversation, and then stops reading; all else begins when all have.
    pub async fn play(self) -> JoinSet<()> {
        let mut coming = JoinSet::new();
        for (number, token) in self.tokens.iter().enumerate() {
            coming.spawn(first_device(self.floor.clone(), token.clone(), number));
        }
        let visits: Vec<Visit> = coming.join_all().await.into_iter().flatten().collect();
        let mut load = JoinSet::new();
        for token in self.tokens {
            load.spawn(stop_reading(self.floor.clone(), token));
        }
        let visits = Arc::new(visits);
        for writer in 0..WRITERS {
            load.spawn(write_on(self.floor.clone(), visits.clone(), writer, self.thrown.clone()));
        }
        for flooder in 0..FLOODERS {
            load.spawn(flood(self.floor.clone(), flooder, self.thrown.clone()));
        }
        for _ in 0..ONLOOKERS {
            load.spawn(look_on(self.floor.clone(), self.key.clone(), visits.clone()));
        }
        load
    }
}

async fn connect(floor: &Floor, token: &str) -> Option<AgentSocket> {
    let address = floor.address.authority().parse().ok()?;
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES).ok()?;
    let stream = timeout(WELCOMED_WITHIN, socket.connect(address)).await.ok()?.ok()?;
    let opened = timeout(WELCOMED_WITHIN, AgentSocket::over(stream, &floor.address, token, None)).await;
    opened.ok()?.ok()
}

/// Becomes available, and accepts the one conversation that it may have.
async fn first_device(floor: Arc<Floor>, token: String, number: usize) -> Option<Visit> {
    let mut client = Client::new(floor.address.clone());
    // They do not come in one instant: that is for later.
    tokio::time::sleep(jitter(0, 1_000)).await;
    let visit = customer::start(&floor, &mut client, UNREAD, &format!("unread{number}.first Hello!")).await?;
    loop {
        let Some(mut socket) = connect(&floor, &token).await else {
            // There is no room yet.
            tokio::time::sleep(jitter(100, 500)).await;
            continue;
        };
        if timeout(3 * WELCOMED_WITHIN, accept_one(&mut socket)).await.is_ok_and(|done| done.is_some()) {
            return Some(visit);
        }
    }
}

async fn accept_one(socket: &mut AgentSocket) -> Option<()> {
    let welcome = socket.frame().await.ok()?;
    let has_one = |snapshot: &Value| snapshot["conversations"].as_array().is_some_and(|held| !held.is_empty());
    if has_one(&welcome["snapshot"]) {
        return Some(());
    }
    socket.send(json!({"type": "set_status", "status": "available"})).await.ok()?;
    for offer in welcome["snapshot"]["offers"].as_array().into_iter().flatten() {
        socket.send(json!({"type": "accept", "offer": offer["offer"]})).await.ok()?;
    }
    loop {
        let frame = socket.frame().await.ok()?;
        if frame["type"] == "offer" {
            socket.send(json!({"type": "accept", "offer": frame["offer"]["offer"]})).await.ok()?;
        } else if frame["type"] == "conversation" {
            return Some(());
        }
    }
}

/// All devices connect, read their welcome and not a byte more; after a while their cables are pulled, and they come again.
async fn stop_reading(floor: Arc<Floor>, token: String) {
    loop {
        let mut held = Vec::new();
        for _ in 0..DEVICES {
            if let Some(mut socket) = connect(&floor, &token).await {
                let _ = timeout(WELCOMED_WITHIN, socket.frame()).await;
                held.push(socket);
            }
        }
        // This is what they do: nothing.
        tokio::time::sleep(STOPPED_FOR).await;
    }
}

/// As fast as it is answered; who is put off says the next thing, and does not wait as long as it is told to.
async fn write_on(floor: Arc<Floor>, visits: Arc<Vec<Visit>>, writer: usize, thrown: Arc<Thrown>) {
    let mut client = Client::new(floor.address.clone());
    let weight = "x".repeat(TEXT_BYTES);
    for turn in 0_u64.. {
        // Its share of them, one after the other, so that all mailboxes fill together.
        for visit in visits.iter().skip(writer).step_by(WRITERS) {
            let text = format!("unread{writer}.{turn} {weight}");
            let (bytes, body) = ((text.len() * DEVICES) as u64, json!({"text": text}));
            let path = format!("/v1/messenger/demo/conversations/{}/messages", visit.conversation);
            thrown.written_bytes.fetch_add(bytes, Relaxed);
            match client.ask_once(&Call::write(Method::POST, path, &visit.token, Some(&body))).await {
                Ok(answered) if answered.status == StatusCode::CREATED => {
                    thrown.unread_bytes.fetch_add(bytes, Relaxed);
                    let number = answered.body["number"].as_u64().unwrap_or_default();
                    floor.notes().ledger.acknowledged(&visit.conversation, number, &text);
                    continue;
                }
                Ok(answered) => {
                    floor.put_off("large messages", &answered);
                }
                Err(_) => {}
            }
            // So that a machine does something else than refuse.
            tokio::time::sleep(WRITE_PAUSE).await;
        }
        if visits.len() <= writer {
            return;
        }
    }
}

/// Comes again and again, whatever it is told.
async fn flood(floor: Arc<Floor>, flooder: usize, thrown: Arc<Thrown>) {
    let mut client = Client::new(floor.address.clone());
    for turn in 0_u64.. {
        let text = format!("flood{flooder}.{turn} Hello?");
        let body = customer::start_of(FLOOD, &text);
        thrown.starts.fetch_add(1, Relaxed);
        match client.ask_once(&customer::start_call(&body)).await {
            Ok(answered) if answered.status == StatusCode::CREATED => drop(customer::started(&floor, &answered, &text)),
            Ok(answered) => {
                thrown.starts_refused.fetch_add(1, Relaxed);
                floor.put_off("starts", &answered);
            }
            Err(_) => {}
        }
        // Many times what is let in, and not so much that the machine does nothing but refuse.
        tokio::time::sleep(FLOOD_PAUSE).await;
    }
}

/// What is shed first: a wallboard, customers who type, histories that are looked into.
async fn look_on(floor: Arc<Floor>, key: String, visits: Arc<Vec<Visit>>) {
    let mut client = Client::new(floor.address.clone());
    for turn in 0_usize.. {
        let Some(visit) = visits.get(turn % visits.len().max(1)) else { return };
        let path = format!("/v1/messenger/demo/conversations/{}", visit.conversation);
        let asked = [
            ("live rows", Call::read("/v1/workspaces/demo/live/agents?limit=20", &key)),
            ("typing", Call::write(Method::POST, format!("{path}/typing"), &visit.token, None)),
            ("history", Call::read(format!("{path}/messages?limit=5"), &visit.token)),
        ];
        for (what, call) in asked {
            if let Ok(answered) = client.ask_once(&call).await {
                floor.put_off(what, &answered);
            }
        }
        // As screens do that look again by themselves.
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
