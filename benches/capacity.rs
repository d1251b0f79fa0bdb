//! What one agent costs in memory: connected, present, available; and after a burst of messages.
//!
//! `cargo bench --bench capacity -- [--quick] [--agents N] [--messages N] [--warm-up N]`

mod load;

use load::arguments::Arguments;
use load::desk::{Crew, WORKSPACE, connect, options, serve, set_available};
use load::figures::figure;
use load::post::Poster;
use load::relay::{Baseline, be_a_baseline_if_asked};
use load::scan::{kind_of, tagged_id, text_of};
use load::support::Server;
use load::support::process::rss_anon_bytes;
use load::support::socket::{Heard, Socket};
use offhook::gateway::auth::agent_token::Role;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// What an agent's commands were for.
const ACCEPT: u16 = 2;
const WRITE: u16 = 4;

fn main() {
    be_a_baseline_if_asked();
    let arguments = Arguments::read(&["agents", "messages", "warm-up"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let agents = arguments.size("agents", 5_000_u32, 300);
    let messages = arguments.size("messages", 200_u32, 10);
    let warm_up = arguments.size("warm-up", 45_000_u64, 500);
    baseline(agents).await;

    let options = options()
        .set("server.header_timeout_ms=120000")
        // Nobody reads while others connect: liveness is not what is measured.
        .set("sessions.ping_every_ms=3600000")
        .set("sessions.dead_after_ms=7200000");
    let server = serve(&options, 1).await;
    // Caches of the store and the outcomes that a workspace remembers have their size whoever is connected: they are
    // filled first.
    let crew = Crew::connect(&server, 50).await;
    while crew.board.closed.get() < warm_up {
        let cycles = crew.closed_loop(&server, 128, 4.0).await;
        eprintln!("warming up: {cycles:.0} cycles/s");
    }
    // It would take the conversations.
    crew.leave();
    let mut meter = Meter::begin(&server, agents).await;

    let idle: Vec<TcpStream> = connections(server.address, agents).await;
    meter.read("a TCP connection, nothing said").await;
    drop(idle);
    meter.read("what is left when they are gone").await;

    let tokens = server.tokens();
    let mut sockets = Vec::new();
    for number in 0..agents {
        let token = tokens.of(WORKSPACE, &format!("agent{number}"), Role::Agent);
        sockets.push(connect(&server, &token).await);
    }
    meter.read("an agent welcomed").await;
    for socket in &mut sockets {
        set_available(socket).await;
    }
    let idle = meter.read("an agent available").await;
    figure("idle_agent_bytes", idle, "B");

    let mut owning = own_conversations(&server, sockets).await;
    let before = meter.read("the same with a conversation").await;
    burst(&mut owning, messages).await;
    let after = meter.read("the same after its messages").await;
    figure("used_agent_bytes", after, "B");
    figure("burst_growth_bytes", after - before, "B");
    drop(owning);
    meter.read("what is left of those who dropped (in grace)").await;
}

/// A socket and nothing behind it, in this same allocator.
async fn baseline(agents: u32) {
    let echo = Baseline::start("echo");
    // The runtime's own threads and tables are there with the first of them.
    let first = echoes(echo.address, 100).await;
    let before = settled(|| rss_anon_bytes(echo.pid())).await;
    let rest = echoes(echo.address, agents).await;
    let after = settled(|| rss_anon_bytes(echo.pid())).await;
    figure("baseline_idle_bytes", (after as f64 - before as f64) / f64::from(agents), "B");
    drop((first, rest));
}

async fn echoes(address: SocketAddr, count: u32) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(address).await.expect("the baseline listens");
        let upgraded = Socket::upgrade(stream, address, "/", &[]).await.expect("an answer");
        let mut socket = upgraded.expect("an upgrade");
        socket.writer.text("hello").await.expect("the connection takes a frame");
        assert_eq!(socket.next().await, Heard::Text("hello".to_owned()));
        sockets.push(socket);
    }
    sockets
}

async fn connections(address: SocketAddr, count: u32) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(TcpStream::connect(address).await.expect("the server listens"));
    }
    streams
}

/// Each agent has room for one conversation, so each gets one.
async fn own_conversations(server: &Server, sockets: Vec<Socket>) -> Vec<(Socket, String)> {
    let accepting = sockets.into_iter().map(|mut socket| {
        tokio::task::spawn_local(async move {
            let conversation = accept(&mut socket).await;
            (socket, conversation)
        })
    });
    let accepting: Vec<_> = accepting.collect();
    let mut poster = Poster::connect(server.address).await.expect("the server listens");
    let path = format!("/v1/messenger/{WORKSPACE}/conversations");
    for number in 0..accepting.len() as u32 {
        let body = "{\"text\":\"hello\",\"name\":\"Zoe\",\"metadata\":{\"page\":\"/pricing\"}}";
        let (status, answer) = poster.post(&path, &tagged_id(0, number), number, None, body).await.expect("an answer");
        assert_eq!(status, 201, "{answer}");
    }
    let mut owning = Vec::new();
    for accepting in accepting {
        owning.push(accepting.await.expect("an agent accepts"));
    }
    owning
}

async fn accept(socket: &mut Socket) -> String {
    loop {
        let text = match socket.next().await {
            Heard::Text(text) => text,
            other => panic!("an agent heard {other:?}"),
        };
        match kind_of(&text) {
            "offer" => {
                let offer = text_of(&text, "offer").expect("an offer has an id");
                let id = tagged_id(ACCEPT, 0);
                let accept = format!("{{\"type\":\"accept\",\"offer\":\"{offer}\",\"id\":\"{id}\"}}");
                socket.writer.text(&accept).await.expect("the connection takes a frame");
            }
            // Too late for an offer, it waits for the next one.
            "reply" if !text.contains("\"ok\":true") => eprintln!("{text}"),
            "reply" => return text_of(&text, "conversation").expect("an accept says which").to_owned(),
            _ => {}
        }
    }
}

/// Each agent writes and is answered, all at once: a reply of about 120 bytes for a message of 200.
async fn burst(sockets: &mut Vec<(Socket, String)>, messages: u32) {
    let began = Instant::now();
    let writing = std::mem::take(sockets).into_iter().map(|(mut socket, conversation)| {
        tokio::task::spawn_local(async move {
            for _ in 0..messages {
                write(&mut socket, &conversation).await;
            }
            (socket, conversation)
        })
    });
    for writing in writing.collect::<Vec<_>>() {
        sockets.push(writing.await.expect("an agent writes"));
    }
    let sent = f64::from(messages) * sockets.len() as f64;
    eprintln!("{sent} messages, {:.0}/s", sent / began.elapsed().as_secs_f64());
}

/// One message, and its reply.
async fn write(socket: &mut Socket, conversation: &str) {
    let id = tagged_id(WRITE, 0);
    let text = "x".repeat(200);
    let message =
        format!("{{\"type\":\"send\",\"conversation\":\"{conversation}\",\"text\":\"{text}\",\"id\":\"{id}\"}}");
    socket.writer.text(&message).await.expect("the connection takes a frame");
    loop {
        match socket.next().await {
            Heard::Text(text) if kind_of(&text) == "reply" => {
                assert!(text.contains("\"ok\":true"), "send: {text}");
                return;
            }
            Heard::Text(_) => {}
            other => panic!("an agent heard {other:?}"),
        }
    }
}

/// Growth per agent since the beginning, step by step.
struct Meter<'a> {
    server: &'a Server,
    agents: f64,
    rss_before: f64,
    allocated_before: f64,
}

impl<'a> Meter<'a> {
    async fn begin(server: &'a Server, agents: u32) -> Self {
        let rss = settled(|| server.rss_anon_bytes()).await as f64;
        let allocated = allocated(server).await;
        eprintln!("{:.1} MB before the first of {agents} agents ({:.1} MB allocated)", rss / 1e6, allocated / 1e6);
        Self { server, agents: f64::from(agents), rss_before: rss, allocated_before: allocated }
    }

    async fn read(&mut self, what: &str) -> f64 {
        let rss = settled(|| self.server.rss_anon_bytes()).await as f64;
        let each = |bytes: f64, before: f64| (bytes - before) / self.agents;
        let allocated = allocated(self.server).await;
        let (rss, allocated) = (each(rss, self.rss_before), each(allocated, self.allocated_before));
        eprintln!("{what:<48} {rss:>7.0} B resident, {allocated:>7.0} B allocated");
        rss
    }
}

/// What the server's allocator has given out, by its own metric.
async fn allocated(server: &Server) -> f64 {
    // Its gauges are set once a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let page = server.operators_page("/metrics").await;
    let line = page.text().lines().find_map(|line| line.strip_prefix("offhook_memory_bytes{kind=\"allocated\"} "));
    line.and_then(|bytes| bytes.parse().ok()).expect("the server says so")
}

/// The allocator gives pages back over a second or so: waits until three readings in a row are within a thousandth.
async fn settled(read: impl Fn() -> u64) -> u64 {
    let mut last = [0; 4];
    for _ in 0..240 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        last.rotate_left(1);
        last[3] = read();
        let (least, most) = (last.iter().min().copied().unwrap_or(0), last.iter().max().copied().unwrap_or(0));
        if most - least <= most / 1_000 {
            break;
        }
    }
    last[3]
}
