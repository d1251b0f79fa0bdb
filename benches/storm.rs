//! Everybody comes back: how long that takes after `kill -9` and after an orderly restart, and what it costs.
//!
//! `cargo bench --bench storm -- [--quick] [--agents N] [--offers N] [--addresses N]`
//!
//! The server is started again at once on the same port. Each agent does what docs/wire.md says: full jitter from 0 to 1 s after
//! a connection that broke, doubling to 30 s while nobody answers; at once, with jitter under a second, after 4200; and
//! what it is told where it is told a time. Tokens are HS256 and checked each time; there is no TLS here. Server and load
//! share the machine.

mod load;

use load::arguments::Arguments;
use load::come::{Come, come, spread, ticket_of, told};
use load::desk::{WORKSPACE, options, serve, set_available};
use load::figures::figure;
use load::post::Poster;
use load::scan::{kind_of, tagged_id, text_of};
use load::support::Server;
use load::support::process::{cpu_ms, rss_anon_bytes};
use load::support::socket::{Heard, Socket};
use offhook::gateway::auth::agent_token::Role;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What an agent's commands were for.
const DELIVERED: u16 = 2;
const ACCEPT: u16 = 3;
/// How long everybody may take, before the bench gives up.
const GIVE_UP: Duration = Duration::from_secs(120);

fn main() {
    let arguments = Arguments::read(&["agents", "offers", "addresses"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let agents = arguments.size("agents", 15_000_u32, 300);
    let offers = arguments.size("offers", 200_u32, 20);
    let addresses = arguments.size("addresses", 64_u32, 64);
    let port = free_port();
    let options = options()
        .set(&format!("server.listen={port}"))
        .set("server.handshakes_pending_max=1024")
        .set("server.trusted_proxies=[\"127.0.0.1\"]");
    let server = serve(&options, 1).await;
    offers_last(&server).await;
    let tokens = server.tokens();
    let board = Rc::new(Board::at(Instant::now()));
    for number in 0..agents {
        let name = format!("agent{number}");
        let token = tokens.of(WORKSPACE, &name, Role::Agent);
        // 127.0.0.1 is the proxy's.
        let from = format!("127.0.1.{}:0", 1 + number % addresses).parse().expect("an address");
        tokio::task::spawn_local(agent(number, server.address, from, token, board.clone()));
    }
    let everybody = back(&board, agents, &server).await;
    say("first", &everybody);
    settled(&board, agents).await;

    let round = Round { agents, offers };
    let server = round.run("", server, &board, true).await;
    round.run("orderly_", server, &board, false).await;
}

struct Round {
    agents: u32,
    offers: u32,
}

impl Round {
    async fn run(&self, name: &str, mut server: Server, board: &Rc<Board>, killed: bool) -> Server {
        let before = self.offer(&server, board).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let memory_before = rss_anon_bytes(server.pid()) as f64;
        board.begin();
        // On a thread of its own: the agents notice meanwhile.
        let restarting = tokio::task::spawn_blocking(move || {
            if killed {
                server.kill();
            } else {
                assert!(server.stop().success(), "{}", server.log_tail());
            }
            let down = Instant::now();
            server.start_again();
            (server, down, Instant::now())
        });
        let (server, down, up) = restarting.await.expect("the server starts again");
        let [down_at, up_at] = [down, up].map(|at| at - board.began.get());
        let peak = Rc::new(Cell::new(0_u64));
        let watching = tokio::task::spawn_local({
            let (peak, pid) = (peak.clone(), server.pid());
            async move {
                loop {
                    peak.set(peak.get().max(rss_anon_bytes(pid)));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        let times = back(board, self.agents, &server).await;
        let cpu_s = cpu_ms(server.pid()) as f64 / 1_000.0;
        tokio::time::sleep(Duration::from_secs(10)).await;
        watching.abort();
        let after = rss_anon_bytes(server.pid()) as f64;
        say(name.trim_end_matches('_'), &times);
        eprintln!(
            "  down after {:.2} s, listening after {:.2} s; told to come later {} times, found nobody {} times, \
             {cpu_s:.1} s of processor; {:.1} MB before, {:.1} at most, {:.1} after",
            down_at.as_secs_f64(),
            up_at.as_secs_f64(),
            board.told.get(),
            board.nobody.get(),
            memory_before / 1e6,
            peak.get() as f64 / 1e6,
            after / 1e6
        );
        figure(&format!("{name}back_99_s"), at(&times, 0.99), "s");
        figure(&format!("{name}back_all_s"), at(&times, 1.0), "s");
        figure(&format!("{name}peak_memory_ratio"), peak.get() as f64 / memory_before, "");
        figure(&format!("{name}status_flaps"), f64::from(board.flaps.get()), "");
        figure(&format!("{name}offers_lost"), f64::from(self.lost(board, &before).await), "");
        figure(&format!("{name}memory_after_ratio"), after / memory_before, "");
        server
    }

    /// Starts conversations, and waits until each is offered and its delivery confirmed. Who holds which.
    async fn offer(&self, server: &Server, board: &Rc<Board>) -> BTreeMap<String, u32> {
        let had = board.offers.borrow().len();
        let mut poster = Poster::connect(server.address).await.expect("the server listens");
        for number in 0..self.offers {
            let path = format!("/v1/messenger/{WORKSPACE}/conversations");
            // Told to wait, it waits.
            while poster
                .post(&path, &tagged_id(0, number), number, None, "{\"text\":\"hello\"}")
                .await
                .expect("an answer")
                .0
                != 201
            {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        let all = had + self.offers as usize;
        until("the offers", || board.offers.borrow().len() >= all && board.delivered.get() as usize >= all).await;
        board.offers.borrow().clone()
    }

    /// Offers that are not where they were, or cannot be accepted any more.
    async fn lost(&self, board: &Rc<Board>, before: &BTreeMap<String, u32>) -> u32 {
        let gone = before.iter().filter(|(offer, agent)| board.offers.borrow().get(*offer) != Some(agent)).count();
        board.accepting.set(true);
        board.bell.notify_waiters();
        let wanted = (before.len() - gone) as u32;
        until("the accepts", || board.accepted.get() + board.refused.get() >= wanted).await;
        let refused = board.refused.get();
        board.accepting.set(false);
        board.offers.borrow_mut().clear();
        [&board.delivered, &board.accepted, &board.refused].iter().for_each(|count| count.set(0));
        gone as u32 + refused
    }
}

/// What the agents write down.
struct Board {
    began: Cell<Instant>,
    /// In this round, from its beginning to the welcome.
    welcomed: RefCell<Vec<Duration>>,
    available: Cell<u32>,
    flaps: Cell<u32>,
    told: Cell<u32>,
    nobody: Cell<u32>,
    /// Pending, and whose.
    offers: RefCell<BTreeMap<String, u32>>,
    delivered: Cell<u32>,
    accepting: Cell<bool>,
    accepted: Cell<u32>,
    refused: Cell<u32>,
    bell: tokio::sync::Notify,
}

impl Board {
    fn at(now: Instant) -> Self {
        Self {
            began: Cell::new(now),
            welcomed: RefCell::default(),
            available: Cell::default(),
            flaps: Cell::default(),
            told: Cell::default(),
            nobody: Cell::default(),
            offers: RefCell::default(),
            delivered: Cell::default(),
            accepting: Cell::default(),
            accepted: Cell::default(),
            refused: Cell::default(),
            bell: tokio::sync::Notify::new(),
        }
    }

    fn begin(&self) {
        self.began.set(Instant::now());
        self.welcomed.borrow_mut().clear();
        self.offers.borrow_mut().clear();
        [&self.flaps, &self.told, &self.nobody].iter().for_each(|count| count.set(0));
    }
}

fn add(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

/// One agent, for ever.
async fn agent(number: u32, server: SocketAddr, from: SocketAddr, token: String, board: Rc<Board>) {
    let mut ticket: Option<String> = None;
    let mut failures = 0_u32;
    let mut was_available = false;
    loop {
        let wait = match come(server, from, &token, ticket.as_deref()).await {
            Come::Welcomed(mut socket, welcome) => {
                failures = 0;
                board.welcomed.borrow_mut().push(board.began.get().elapsed());
                ticket = ticket_of(&welcome);
                if was_available && !welcome.contains("\"status\":\"available\",\"available\":true") {
                    add(&board.flaps);
                }
                if let Some(offer) = text_of(&welcome, "offer") {
                    board.offers.borrow_mut().insert(offer.to_owned(), number);
                }
                if !was_available {
                    set_available(&mut socket).await;
                    was_available = true;
                    add(&board.available);
                }
                let own = text_of(&welcome, "offer").map(str::to_owned);
                // A snapshot is not kept while nothing happens.
                drop(welcome);
                match stay(number, socket, own, &board).await {
                    Heard::Close { code, reason } => {
                        told(&reason).unwrap_or_else(|| spread(1_000 * u64::from(code / 100 == 42)))
                    }
                    _ => spread(1_000),
                }
            }
            Come::Later(wait) => {
                add(&board.told);
                wait
            }
            Come::Nobody => {
                add(&board.nobody);
                failures += 1;
                spread((1_000 << failures.min(5).saturating_sub(1)).min(30_000))
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// What comes while it is connected; how that ends.
async fn stay(number: u32, mut socket: Socket, mut own: Option<String>, board: &Board) -> Heard {
    loop {
        if board.accepting.get()
            && let Some(offer) = own.take()
        {
            let id = tagged_id(ACCEPT, number);
            let accept = format!("{{\"type\":\"accept\",\"offer\":\"{offer}\",\"id\":\"{id}\"}}");
            let _ = socket.writer.text(&accept).await;
        }
        let heard = tokio::select! {
            heard = socket.next() => heard,
            () = board.bell.notified() => continue,
        };
        let Heard::Text(text) = heard else { return heard };
        match kind_of(&text) {
            "offer" => {
                let offer = text_of(&text, "offer").expect("an offer has an id").to_owned();
                let id = tagged_id(DELIVERED, number);
                let _ = socket
                    .writer
                    .text(&format!("{{\"type\":\"delivered\",\"offer\":\"{offer}\",\"id\":\"{id}\"}}"))
                    .await;
                board.offers.borrow_mut().insert(offer.clone(), number);
                own = Some(offer);
            }
            "reply" => match (load::scan::tag_of(&text), text.contains("\"ok\":true")) {
                (Some((DELIVERED, _)), true) => add(&board.delivered),
                (Some((ACCEPT, _)), true) => {
                    add(&board.accepted);
                    let conversation = text_of(&text, "conversation").expect("an accept says which");
                    let id = tagged_id(0, number);
                    let close = format!("{{\"type\":\"close\",\"conversation\":\"{conversation}\",\"id\":\"{id}\"}}");
                    let _ = socket.writer.text(&close).await;
                }
                (Some((ACCEPT, _)), false) => add(&board.refused),
                _ => {}
            },
            "status" => add(&board.flaps),
            _ => {}
        }
    }
}

/// Waits until everybody is welcomed.
async fn back(board: &Board, agents: u32, server: &Server) -> Vec<Duration> {
    let began = Instant::now();
    while board.welcomed.borrow().len() < agents as usize {
        assert!(
            began.elapsed() < GIVE_UP,
            "{} of {agents} are back\n{}",
            board.welcomed.borrow().len(),
            server.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut times = board.welcomed.borrow().clone();
    times.sort_unstable();
    times
}

/// The first time, each becomes available; what that says of statuses is no flap.
async fn settled(board: &Board, agents: u32) {
    until("everybody to be available", || board.available.get() >= agents).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < GIVE_UP, "waited for {what} in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Offers last longer than the bench.
async fn offers_last(server: &Server) {
    server
        .change_settings(WORKSPACE, |settings| {
            settings["channels"][0]["offer_ms"] = serde_json::json!(600_000);
        })
        .await;
}

fn at(sorted: &[Duration], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len());
    sorted[at - 1].as_secs_f64()
}

fn say(what: &str, times: &[Duration]) {
    let [half, most, all] = [0.5, 0.99, 1.0].map(|part| at(times, part));
    eprintln!("{what}: {} welcomed, p50 {half:.2} s, p99 {most:.2} s, all {all:.2} s", times.len());
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address")
}
