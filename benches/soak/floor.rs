//! The agents of the soak: each works at its seat, and goes in the way that it is told to.

use crate::load::come::{Come, Road, come, spread, ticket_of, told};
use crate::load::desk::WORKSPACE;
use crate::load::support::command_id;
use crate::load::support::server::Tokens;
use crate::load::support::socket::{Heard, Socket};
use crate::tally::{Tally, add};
use crate::work::Work;
use offhook::gateway::auth::agent_token::Role;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// How an agent goes.
#[derive(Clone, Copy)]
pub enum Way {
    /// In order; comes back as somebody who was not here.
    SignOut,
    /// Its connection breaks; comes back within its grace, with its ticket.
    Drop,
    /// The server closes, since the agent broke the protocol: a binary frame, or 20 frames that mean nothing.
    Binary,
    BadFrames,
    /// The client closes, and is back at once, with its ticket.
    Reconnect,
    /// Its connection breaks for good: another agent sits down at its place.
    Vanish,
}

pub const WAYS: [Way; 6] = [Way::SignOut, Way::Drop, Way::Binary, Way::BadFrames, Way::Reconnect, Way::Vanish];

/// How long an agent stays away whose connection broke: its grace is 60 s.
const AWAY_MS: u64 = 30_000;

pub struct Floor {
    pub server: SocketAddr,
    pub tokens: Tokens,
    pub tally: Rc<Tally>,
    /// Agents who are at home, the one who went longest ago first.
    pub spare: RefCell<VecDeque<u32>>,
    pub going: Cell<bool>,
}

/// Where one agent sits at a time.
#[derive(Default)]
pub struct Seat {
    pub taken: Cell<bool>,
    way: Cell<Option<Way>>,
    bell: Notify,
}

impl Seat {
    pub fn go(&self, way: Way) {
        self.way.set(Some(way));
        self.bell.notify_one();
    }
}

/// For as long as the floor is open; the first to sit down is `who`.
pub async fn sit(floor: Rc<Floor>, seat: Rc<Seat>, mut who: u32) {
    let mut ticket: Option<String> = None;
    while floor.going.get() {
        let token = floor.tokens.of(WORKSPACE, &format!("agent{who}"), Role::Agent);
        // 127.0.0.1 is the proxy's.
        let from = format!("127.0.1.{}:0", 1 + who % 64).parse().expect("an address");
        let road = Road { server: floor.server, from, tls: None };
        let (socket, welcome) = match come(&road, &token, ticket.as_deref()).await {
            Come::Welcomed(socket, welcome) => (socket, welcome),
            Come::Later(wait) => {
                add(&floor.tally.told_to_wait);
                tokio::time::sleep(wait).await;
                continue;
            }
            Come::Nobody => {
                floor.tally.error(&format!("agent{who} was not welcomed"));
                tokio::time::sleep(spread(1_000)).await;
                continue;
            }
        };
        add(&floor.tally.connected);
        ticket = ticket_of(&welcome);
        seat.taken.set(true);
        let stayed = stay(&floor, &seat, who, socket, &welcome).await;
        seat.taken.set(false);
        let wait = match stayed {
            Ok(way) => {
                add(&floor.tally.left[way as usize]);
                match way {
                    Way::SignOut => ticket = None,
                    Way::Vanish => {
                        ticket = None;
                        let mut spare = floor.spare.borrow_mut();
                        spare.push_back(who);
                        who = spare.pop_front().expect("one was put there just now");
                    }
                    _ => {}
                }
                spread(if matches!(way, Way::Drop) { AWAY_MS } else { 3_000 })
            }
            Err(heard) => {
                floor.tally.lost(&format!("agent{who} heard {heard:?}"));
                match heard {
                    Heard::Close { reason, .. } => told(&reason).unwrap_or_else(|| spread(1_000)),
                    _ => spread(1_000),
                }
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Works until it is told to go; how it went. What ended it, when that was not its wish.
async fn stay(floor: &Floor, seat: &Seat, who: u32, mut socket: Socket, welcome: &str) -> Result<Way, Heard> {
    let mut work = Work::begin(who, floor.tally.clone());
    let mut out = Vec::new();
    work.welcomed(welcome, &mut out);
    let mut round = tokio::time::interval_at(tokio::time::Instant::now() + spread(20_000), Duration::from_secs(20));
    loop {
        for frame in out.drain(..) {
            // A connection that broke is heard of below.
            let _ = socket.writer.text(&frame).await;
        }
        tokio::select! {
            heard = socket.next() => match heard {
                Heard::Text(text) => work.heard(&text, &mut out),
                other => return Err(other),
            },
            _ = round.tick() => work.close_old(&mut out),
            () = seat.bell.notified() => {
                let Some(way) = seat.way.take() else { continue };
                return leave(socket, way).await;
            }
        }
    }
}

async fn leave(mut socket: Socket, way: Way) -> Result<Way, Heard> {
    let wanted = match way {
        Way::Drop | Way::Vanish => return Ok(way),
        Way::SignOut => {
            let _ = socket.writer.text(&format!("{{\"type\":\"sign_out\",\"id\":\"{}\"}}", command_id())).await;
            4000
        }
        Way::Binary => {
            let _ = socket.writer.send(2, b"no text").await;
            1003
        }
        Way::BadFrames => {
            for _ in 0..20 {
                let _ = socket.writer.text("{\"type\":").await;
            }
            4008
        }
        Way::Reconnect => {
            let _ = socket.writer.send(8, &1000_u16.to_be_bytes()).await;
            1000
        }
    };
    loop {
        match socket.next().await {
            Heard::Text(_) => {}
            Heard::Close { code, .. } if code == wanted => return Ok(way),
            other => return Err(other),
        }
    }
}
