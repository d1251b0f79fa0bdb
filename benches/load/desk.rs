//! A real server with a crew of agents that take whatever they are offered, and visitors who start conversations.

use super::pace::Pace;
use super::post::Poster;
use super::scan::{kind_of, tag_of, tagged_id, text_of};
use super::support::socket::{Heard, Socket, frame};
use super::support::{Options, Server};
use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;
use tokio::sync::Notify;

pub const WORKSPACE: &str = "bench";

/// What an agent's commands were for.
const SET_STATUS: u16 = 1;
const ACCEPT: u16 = 2;
const CLOSE: u16 = 3;

/// Options of every bench: visitors come from many addresses, and nobody is held back for the rate.
pub fn options() -> Options {
    Options::default()
        .without_rate_limits()
        .set("server.trusted_proxies=[\"127.0.0.1\"]")
        .set("server.handshakes_pending_max=20000")
        .set("log.level=warn")
}

/// A server with one workspace whose agents may hold `capacity` chats each.
pub async fn serve(options: &Options, capacity: u32) -> Server {
    let server = Server::start(options);
    furnish(&server, WORKSPACE, capacity).await;
    server
}

/// A workspace whose agents may hold `capacity` chats each.
pub async fn furnish(server: &Server, workspace: &str, capacity: u32) {
    server
        .change_settings(workspace, |settings| {
            settings["channels"][0]["capacity"] = json!(capacity);
            settings["channels"][0]["weight"] = json!((100 / capacity).max(1));
            // Closed is closed: what is measured is offers, and not what is done after them.
            settings["channels"][0]["wrap_up_ms"] = json!(0);
        })
        .await;
}

/// Microseconds since the bench began; 0 means not yet.
pub type Times = RefCell<Vec<u32>>;

/// What became of each start, by its number.
#[derive(Default)]
pub struct Board {
    pub offered_us: Times,
    pub closed_us: Times,
    pub wrong: Cell<u32>,
    pub closed: Cell<u64>,
    /// Accepts that were sent, and that were done.
    pub accepts: Cell<u64>,
    pub accepted: Cell<u64>,
    /// Connections are about to break, which is nothing to tell.
    pub may_break: Cell<bool>,
    /// In a closed loop: rings for the worker whose turn it is again.
    bells: RefCell<Vec<Rc<Notify>>>,
}

/// A connected crew. Its agents accept and close each conversation as soon as they may.
pub struct Crew {
    pub board: Rc<Board>,
    pub began: Instant,
    starts: String,
    agents: Vec<tokio::task::JoinHandle<()>>,
}

impl Crew {
    pub async fn connect(server: &Server, agents: u32) -> Self {
        Self::connect_in(server, WORKSPACE, agents).await
    }

    pub async fn connect_in(server: &Server, workspace: &str, agents: u32) -> Self {
        Self::connect_at(&[server], workspace, agents).await
    }

    /// Spread over these servers, which sign alike.
    pub async fn connect_at(servers: &[&Server], workspace: &str, agents: u32) -> Self {
        let mut crew =
            Self { board: Rc::default(), began: Instant::now(), starts: starts_in(workspace), agents: Vec::new() };
        let tokens = servers[0].tokens();
        for number in 0..agents {
            let token = tokens.of(workspace, &format!("crew{number}"), Role::Agent);
            let socket = connect(servers[number as usize % servers.len()], &token).await;
            let (board, began) = (crew.board.clone(), crew.began);
            crew.agents.push(tokio::task::spawn_local(work(socket, board, began)));
        }
        crew
    }

    /// All its connections break.
    pub fn leave(self) {
        self.agents.iter().for_each(tokio::task::JoinHandle::abort);
    }

    /// Forgets all starts; numbers begin at 0 again. Nothing may be under way.
    pub fn reset(&self, starts: u32) {
        *self.board.offered_us.borrow_mut() = vec![0; starts as usize];
        *self.board.closed_us.borrow_mut() = vec![0; starts as usize];
        self.board.bells.borrow_mut().clear();
        self.board.wrong.set(0);
    }

    pub fn now_us(&self) -> u32 {
        now_us(self.began)
    }

    /// `workers` who each start a conversation, wait until it is closed, and start the next, for this long. Cycles a second
    /// of the second half: the first is for warming up.
    pub async fn closed_loop(&self, server: &Server, workers: u32, seconds: f64) -> f64 {
        self.closed_loop_at(&[server], workers, seconds).await
    }

    /// The same with workers spread over these servers.
    pub async fn closed_loop_at(&self, servers: &[&Server], workers: u32, seconds: f64) -> f64 {
        self.reset(0);
        let bells: Vec<Rc<Notify>> = (0..workers).map(|_| Rc::default()).collect();
        *self.board.bells.borrow_mut() = bells.clone();
        let going = Rc::new(Cell::new(true));
        let mut tasks = Vec::new();
        for (number, bell) in bells.into_iter().enumerate() {
            let address = servers[number % servers.len()].address;
            let mut poster = Poster::connect(address).await.expect("the server listens");
            let (going, starts) = (going.clone(), self.starts.clone());
            tasks.push(tokio::task::spawn_local(async move {
                let mut from = number as u32;
                while going.get() {
                    from = from.wrapping_add(workers);
                    if start(&mut poster, &starts, number as u32, from).await == 201 {
                        bell.notified().await;
                    }
                }
            }));
        }
        let half = std::time::Duration::from_secs_f64(seconds / 2.0);
        tokio::time::sleep(half).await;
        let (first, began) = (self.board.closed.get(), Instant::now());
        tokio::time::sleep(half).await;
        let rate = (self.board.closed.get() - first) as f64 / began.elapsed().as_secs_f64();
        going.set(false);
        for task in tasks {
            task.await.expect("a worker ends");
        }
        rate
    }

    /// `rate` starts a second for this long, whether or not the server keeps up; over `connections` of them.
    pub async fn open_loop(&self, server: &Server, rate: f64, seconds: f64, connections: u32) -> OpenLoop {
        self.open_loop_at(&[server], rate, seconds, connections).await
    }

    /// The same with connections spread over these servers.
    pub async fn open_loop_at(&self, servers: &[&Server], rate: f64, seconds: f64, connections: u32) -> OpenLoop {
        let count = (rate * seconds) as u32;
        self.reset(count);
        let pace = Pace::begin(rate, count);
        let answers: Rc<RefCell<Vec<(u16, u32)>>> = Rc::default();
        let mut tasks = Vec::new();
        for connection in 0..connections {
            let address = servers[connection as usize % servers.len()].address;
            let mut poster = Poster::connect(address).await.expect("the server listens");
            let (pace, answers, starts) = (pace.clone(), answers.clone(), self.starts.clone());
            tasks.push(tokio::task::spawn_local(async move {
                while let Some(number) = pace.next().await {
                    // A visitor who was not even answered for this long has given up.
                    if pace.late_us(number) > 5_000_000 {
                        continue;
                    }
                    let status = start(&mut poster, &starts, number, number.wrapping_mul(7)).await;
                    answers.borrow_mut().push((status, pace.late_us(number)));
                }
            }));
        }
        for task in tasks {
            task.await.expect("a worker ends");
        }
        // What was accepted in time is closed in time.
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let times = |times: &Times| -> Vec<Option<u32>> {
            let due_us = |number: usize| pace.due_at(number as u32).duration_since(self.began).as_micros() as u32;
            let late = |(number, at): (usize, &u32)| (*at > 0).then(|| at.saturating_sub(due_us(number)));
            times.borrow().iter().enumerate().map(late).collect()
        };
        OpenLoop {
            seconds,
            offered_us: times(&self.board.offered_us),
            closed_us: times(&self.board.closed_us),
            answers: answers.take(),
        }
    }
}

/// Starts over as many connections as fast as each is answered, for this long; how many were answered.
pub async fn flood(address: std::net::SocketAddr, seconds: f64, connections: u32) -> u32 {
    let (answered, going) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(true)));
    let mut tasks = Vec::new();
    for number in 0..connections {
        let mut poster = Poster::connect(address).await.expect("it listens");
        let (answered, going, starts) = (answered.clone(), going.clone(), starts_in(WORKSPACE));
        tasks.push(tokio::task::spawn_local(async move {
            while going.get() && start(&mut poster, &starts, number, number).await > 0 {
                answered.set(answered.get() + 1);
            }
        }));
    }
    tokio::time::sleep(std::time::Duration::from_secs_f64(seconds)).await;
    going.set(false);
    for task in tasks {
        task.await.expect("a worker ends");
    }
    answered.get()
}

/// What came of an open loop. Times are microseconds from when each start was due.
pub struct OpenLoop {
    pub seconds: f64,
    pub offered_us: Vec<Option<u32>>,
    pub closed_us: Vec<Option<u32>>,
    /// Status and time of each answer to a start.
    pub answers: Vec<(u16, u32)>,
}

pub async fn connect(server: &Server, token: &str) -> Socket {
    let protocol = format!("offhook.token.{token}");
    let connected = Socket::connect(server.address, &[&protocol]).await.expect("the server listens");
    let mut socket = connected.unwrap_or_else(|refused| panic!("no upgrade: {refused:?}"));
    match socket.next().await {
        Heard::Text(text) if kind_of(&text) == "welcome" => {}
        other => panic!("no welcome but {other:?}\n{}", server.log_tail()),
    }
    socket
}

/// Makes the agent of this connection available, and waits until that is so.
pub async fn set_available(socket: &mut Socket) {
    let id = tagged_id(SET_STATUS, 0);
    let text = format!("{{\"type\":\"set_status\",\"status\":\"available\",\"id\":\"{id}\"}}");
    socket.writer.text(&text).await.expect("the connection takes a frame");
    loop {
        match socket.next().await {
            Heard::Text(text) if kind_of(&text) == "reply" => {
                assert!(text.contains("\"ok\":true"), "set_status: {text}");
                return;
            }
            Heard::Text(_) => {}
            other => panic!("an agent heard {other:?}"),
        }
    }
}

pub fn starts_in(workspace: &str) -> String {
    format!("/v1/messenger/{workspace}/conversations")
}

/// The status of the answer; 0 when there was none. Its number is the customer's name.
pub async fn start(poster: &mut Poster, starts: &str, number: u32, from: u32) -> u16 {
    let body = format!("{{\"text\":\"hello\",\"name\":\"{number}\"}}");
    poster.post(starts, &tagged_id(0, number), from, None, &body).await.map_or(0, |(status, _)| status)
}

async fn work(mut socket: Socket, board: Rc<Board>, began: Instant) {
    set_available(&mut socket).await;
    let mut out = Vec::new();
    loop {
        match socket.next().await {
            Heard::Text(text) => react(&text, &board, began, &mut out),
            Heard::Gone if board.may_break.get() => return,
            other => {
                eprintln!("an agent heard {other:?}");
                return;
            }
        }
        while let Some(text) = socket.take_text() {
            react(&text, &board, began, &mut out);
        }
        if !out.is_empty() {
            if socket.writer.raw(&out).await.is_err() {
                return;
            }
            out.clear();
        }
    }
}

fn react(text: &str, board: &Board, began: Instant, out: &mut Vec<u8>) {
    match kind_of(text) {
        "offer" => {
            let offer = text_of(text, "offer").expect("an offer has an id");
            let number: u32 = text_of(text, "name").and_then(|name| name.parse().ok()).expect("a start has a number");
            if let Some(at) = board.offered_us.borrow_mut().get_mut(number as usize) {
                *at = now_us(began);
            }
            board.accepts.set(board.accepts.get() + 1);
            let id = tagged_id(ACCEPT, number);
            let text = format!("{{\"type\":\"accept\",\"offer\":\"{offer}\",\"id\":\"{id}\"}}");
            out.extend_from_slice(&frame(1, text.as_bytes()));
        }
        "reply" => {
            let Some((kind, number)) = tag_of(text) else { return };
            if !text.contains("\"ok\":true") {
                if board.wrong.get() < 3 {
                    eprintln!("refused: {text}");
                }
                board.wrong.set(board.wrong.get() + 1);
                return;
            }
            if kind == ACCEPT {
                board.accepted.set(board.accepted.get() + 1);
                let conversation = text_of(text, "conversation").expect("an accept says which");
                let id = tagged_id(CLOSE, number);
                let text = format!("{{\"type\":\"close\",\"conversation\":\"{conversation}\",\"id\":\"{id}\"}}");
                out.extend_from_slice(&frame(1, text.as_bytes()));
            } else if kind == CLOSE {
                board.closed.set(board.closed.get() + 1);
                if let Some(at) = board.closed_us.borrow_mut().get_mut(number as usize) {
                    *at = now_us(began);
                }
                if let Some(bell) = board.bells.borrow().get(number as usize) {
                    bell.notify_one();
                }
            }
        }
        _ => {}
    }
}

fn now_us(began: Instant) -> u32 {
    began.elapsed().as_micros().min(u128::from(u32::MAX)).max(1) as u32
}
