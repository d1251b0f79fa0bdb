//! Everybody comes back: how long that takes after `kill -9` and after an orderly restart, and what it costs.
//!
//! `cargo bench --bench storm -- [--quick] [--agents N] [--offers N] [--addresses N] [--tls 1]`
//!
//! The server runs as users have it, with its supervisor, which holds the port and starts it again; `kill -9` hits the server, and the
//! orderly restart is `offhook upgrade` to the same binary. Each agent does what docs/wire.md says: full jitter from 0 to 1 s
//! after a connection that broke, doubling to 30 s while nobody answers; at once, with jitter under a second, after 4200; and what it
//! is told where it is told a time. Tokens are HS256 and checked each time. There is no TLS, unless it is asked for (1.3, a
//! certificate with a P-256 key, each agent with its own tickets; then there are no offers). Server and load share the
//! machine. Memory is the server's, without its supervisor.

mod load;

use load::arguments::Arguments;
use load::come::{Come, Road, come, spread, ticket_of, told};
use load::desk::{WORKSPACE, options, serve, set_available};
use load::figures::figure;
use load::post::Poster;
use load::scan::{kind_of, tagged_id, text_of};
use load::support::process::{cpu_ms, rss_anon_bytes};
use load::support::socket::{Heard, Socket};
use load::support::{Options, Server, server_pid_in};
use load::tls::Trust;
use offhook::gateway::auth::agent_token::Role;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What an agent's commands were for.
const DELIVERED: u16 = 2;
const ACCEPT: u16 = 3;
/// How long everybody may take, before the bench gives up.
const GIVE_UP: Duration = Duration::from_secs(120);

fn main() {
    let arguments = Arguments::read(&["agents", "offers", "addresses", "tls"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let agents = arguments.size("agents", 15_000_u32, 300);
    let offers = arguments.size("offers", 200_u32, 20);
    let addresses = arguments.size("addresses", 64_u32, 64);
    let port = free_port();
    let options = Options { supervised: true, ..options() }
        .set(&format!("server.listen={port}"))
        .set("server.handshakes_pending_max=1024")
        .set("server.trusted_proxies=[\"127.0.0.1\"]");
    let mut server = serve(&options, 1).await;
    offers_last(&server).await;
    let directory = tempfile::tempdir().expect("a directory");
    let trust = (arguments.size("tls", 0, 0) > 0).then(|| Trust::make(directory.path()));
    if trust.is_some() {
        // What comes before is asked in the clear.
        server.stop();
        let file = |name: &str| directory.path().join(name).display().to_string();
        let options = options.set(&format!("tls.certificate={}", file("tls.pem")));
        server.start_again_with(options.set(&format!("tls.key={}", file("tls.key"))));
    }
    let tokens = server.tokens();
    let board = Rc::new(Board::at(Instant::now()));
    for number in 0..agents {
        let name = format!("agent{number}");
        let token = tokens.of(WORKSPACE, &name, Role::Agent);
        // 127.0.0.1 is the proxy's.
        let from = format!("127.0.1.{}:0", 1 + number % addresses).parse().expect("an address");
        let road = Road { server: server.address, from, tls: trust.as_ref().map(Trust::client) };
        tokio::task::spawn_local(agent(number, road, token, board.clone()));
    }
    let everybody = back(&board, agents, &server).await;
    say("first", &everybody);
    settled(&board, agents).await;

    let offers = if trust.is_some() { 0 } else { offers };
    let [killed, orderly] = if trust.is_some() { ["tls_", "tls_orderly_"] } else { ["", "orderly_"] };
    let round = Round { agents, offers };
    round.run(killed, &server, &board, Server::kill_the_child).await;
    round.run(orderly, &server, &board, upgrade).await;
}

/// Until it has begun: that it ends well is seen by everybody's being back.
fn upgrade(server: &Server) {
    let binary = env!("CARGO_BIN_EXE_offhook");
    let set = format!("server.data_dir={}", server.data_dir().display());
    std::thread::spawn(move || {
        let mut upgrading = Command::new(binary);
        upgrading.args(["--set", &set, "upgrade", binary]).stdout(Stdio::null()).stderr(Stdio::null());
        upgrading.status().expect("the command can be run");
    });
}

struct Round {
    agents: u32,
    offers: u32,
}

impl Round {
    async fn run(&self, name: &str, server: &Server, board: &Rc<Board>, restart: impl FnOnce(&Server)) {
        let before = self.offer(server, board).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let old = server.server_pid().expect("it runs");
        let memory_before = rss_anon_bytes(old as u32) as f64;
        board.begin();
        restart(server);
        let new = Rc::new(Cell::new((0_u32, Duration::ZERO)));
        let peak = Rc::new(Cell::new(0_u64));
        let watching = tokio::task::spawn_local({
            let (new, peak, began, dir) = (new.clone(), peak.clone(), board.began.get(), server.data_dir().to_owned());
            async move {
                loop {
                    if let Some(pid) = server_pid_in(&dir).filter(|pid| *pid != old) {
                        if new.get().0 != pid as u32 {
                            new.set((pid as u32, began.elapsed()));
                        }
                        peak.set(peak.get().max(rss_anon_bytes(pid as u32)));
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        let times = back(board, self.agents, server).await;
        let (pid, up_at) = new.get();
        assert!(pid != 0, "everybody is back, and it is no other server");
        let cpu_s = cpu_ms(pid) as f64 / 1_000.0;
        tokio::time::sleep(Duration::from_secs(10)).await;
        watching.abort();
        let after = rss_anon_bytes(pid) as f64;
        say(name.trim_end_matches('_'), &times);
        eprintln!(
            "  another process after {:.2} s; told to come later {} times, found nobody {} times, \
             {cpu_s:.1} s of processor; {:.1} MB before, {:.1} at most, {:.1} after",
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
async fn agent(number: u32, road: Road, token: String, board: Rc<Board>) {
    let mut ticket: Option<String> = None;
    let mut failures = 0_u32;
    let mut was_available = false;
    loop {
        let wait = match come(&road, &token, ticket.as_deref()).await {
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
