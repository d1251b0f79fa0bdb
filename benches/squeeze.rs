//! Under a memory cap with readers that stopped and ten times the load: is it alive, does it accept, how are the others.
//!
//! `cargo bench --bench squeeze -- [--quick] [--seconds S] [--agents N] [--cap-mib N] [--times N] [--connections N]`
//!
//! The server, with all that it starts, is in a memory cgroup; its load is not. It runs on one processor and its load on the
//! other. Healthy clients have a thread that goes before the load's, so that what is late is the server.

mod load;

use load::arguments::Arguments;
use load::desk::{Crew, OpenLoop, WORKSPACE, connect, options, serve, set_available};
use load::figures::{figure, percentiles};
use load::pace::Pace;
use load::post::Poster;
use load::processors::{Part, only_on};
use load::scan::{kind_of, tagged_id, text_of};
use load::support::process::rss_anon_bytes;
use load::support::socket::{Heard, Socket, Writer};
use load::support::{Cgroup, Server};
use offhook::gateway::auth::agent_token::Role;
use offhook::overload::budget::{Group, Version};
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const ACCEPT: u16 = 2;
const WRITE: u16 = 4;
const CHANGE: u16 = 5;
const READERS: u32 = 20;
const PAIRS: u32 = 50;
/// Statuses changed, messages to those who do not read, and messages of the healthy, a second.
const CHANGES_PER_S: f64 = 400.0;
const STUCK_PER_S: f64 = 500.0;
const HEALTHY_PER_S: f64 = 100.0;
/// Of the limit that was found: a load that can be sustained.
const SUSTAINED: f64 = 0.5;

#[derive(Clone, Copy)]
struct Sizes {
    seconds: f64,
    agents: u32,
    times: f64,
    connections: u32,
}

fn main() {
    let arguments = Arguments::read(&["seconds", "agents", "cap-mib", "times", "connections"]);
    let sizes = Sizes {
        seconds: arguments.size("seconds", 600.0, 10.0),
        agents: arguments.size("agents", 5_000, 500),
        times: arguments.size("times", 10.0, 10.0),
        connections: arguments.size("connections", 2_000, 200),
    };
    let cap_mib: u64 = arguments.size("cap-mib", 256, 256);
    let cgroup = Cgroup::with_limit(cap_mib << 20).map(Arc::new);
    let mut options = options()
        .set("messenger.text_bytes_max=16384")
        // Who stopped reading is to be there all the while.
        .set("sessions.ping_every_ms=1800000")
        .set("sessions.dead_after_ms=3600000");
    options.cgroup = cgroup.clone();
    if cgroup.is_none() {
        options = options.set(&format!("memory.budget_bytes={}", (cap_mib << 20) / 8 * 7));
    }
    if !only_on(Part::Server) {
        eprintln!("there is only one processor: the server shares it with its load");
    }
    let server = Arc::new(local(serve(&options, 100)));
    only_on(Part::Load);
    local(furnish(&server));
    let sampler = Sampler::begin(&server, cgroup.as_deref());
    squeeze(&server, sizes, &sampler);
    let killed = cgroup.as_ref().map(|cgroup| cgroup.killed());
    eprintln!("killed for memory: {}", killed.map_or("unknown".to_owned(), |count| count.to_string()));
    assert_eq!(killed.unwrap_or(0), 0, "the kernel killed it");
}

/// Runs on this thread.
fn local<T>(work: impl Future<Output = T>) -> T {
    tokio::task::LocalSet::new().block_on(&load::runtime(), work)
}

/// A second status in which nobody is offered anything, to change to.
async fn furnish(server: &Server) {
    let lunch = |settings: &mut serde_json::Value| {
        let statuses = settings["statuses"].as_array_mut().expect("a list");
        statuses.push(json!({"name": "lunch", "available": false}));
    };
    server.change_settings(WORKSPACE, lunch).await;
}

fn squeeze(server: &Arc<Server>, sizes: Sizes, sampler: &Sampler) {
    // First what stays connected all the while, so that both measurements have it.
    let (roster_ready, roster_is_ready) = std::sync::mpsc::channel();
    let stage = Arc::new(Stage::default());
    let readers = {
        let (server, stage) = (server.clone(), stage.clone());
        std::thread::spawn(move || local(roster_and_readers(&server, sizes, &stage, roster_ready)))
    };
    roster_is_ready.recv().expect("the roster connects");
    let healthy = {
        let (server, stage) = (server.clone(), stage.clone());
        std::thread::spawn(move || {
            load::go_first();
            local(healthy(&server, &stage))
        })
    };
    let (calm, squeezed) = local(async {
        until(|| stage.healthy_are_ready.load(Relaxed)).await;
        let crew = Crew::connect(server, 50).await;
        let limit = crew.closed_loop(server, 128, (sizes.seconds / 10.0).clamp(2.0, 10.0)).await;
        figure("sustainable_per_s", limit, "1/s");
        let calm_s = (sizes.seconds / 5.0).clamp(3.0, 30.0);
        stage.talk.store(Stage::CALM, Relaxed);
        let calm = crew.open_loop(server, limit * SUSTAINED, calm_s, 100).await;
        stage.talk.store(Stage::SILENT, Relaxed);
        say("sustained", &calm, &crew);
        crew.board.accepts.set(0);
        crew.board.accepted.set(0);

        stage.squeezing.store(true, Relaxed);
        until(|| stage.readers_are_stuck.load(Relaxed)).await;
        stage.talk.store(Stage::SQUEEZED, Relaxed);
        sampler.forget();
        let squeezed = crew.open_loop(server, limit * sizes.times, sizes.seconds, sizes.connections).await;
        stage.talk.store(Stage::SILENT, Relaxed);
        say("squeezed", &squeezed, &crew);
        let (accepts, accepted) = (crew.board.accepts.get(), crew.board.accepted.get());
        eprintln!("accepts: {accepts} sent, {accepted} accepted");
        figure("accept_success", accepted as f64 / accepts.max(1) as f64, "ratio");
        stage.over.store(true, Relaxed);
        crew.leave();
        (calm, squeezed)
    });
    drop(calm);
    let shed = squeezed.answers.iter().filter(|(status, _)| *status == 503).count();
    figure("shed_answers_per_s", shed as f64 / squeezed.seconds, "1/s");
    sampler.say();
    let [calm_us, squeezed_us] = healthy.join().expect("the healthy go on");
    readers.join().expect("the readers are held");
    let (_, calm_p99) = percentiles("healthy_sustained", calm_us);
    let (_, squeezed_p99) = percentiles("healthy_squeezed", squeezed_us);
    figure("healthy_p99_ratio", squeezed_p99 / calm_p99.max(0.001), "ratio");
    local(say_shed(server));
}

fn say(what: &str, open: &OpenLoop, crew: &Crew) {
    let of = |wanted: u16| open.answers.iter().filter(|(status, _)| *status == wanted).count();
    let closed = open.closed_us.iter().flatten().count();
    let (due, wrong) = (open.closed_us.len(), crew.board.wrong.get());
    eprintln!(
        "{what}: {due} due, 201: {}, 503: {}, none: {}, closed: {closed}, refused commands: {wrong}",
        of(201),
        of(503),
        of(0)
    );
}

/// What the server itself says that it shed.
async fn say_shed(server: &Server) {
    let page = server.operators_page("/metrics").await;
    let told = [
        "offhook_shed_total",
        "offhook_memory_bytes",
        "offhook_reserve",
        "offhook_mailbox_overflows",
        "offhook_intake_refused",
    ];
    for line in page.text().lines().filter(|line| told.iter().any(|name| line.starts_with(name))) {
        eprintln!("  {line}");
    }
}

/// Where the threads are.
#[derive(Default)]
struct Stage {
    talk: AtomicU64,
    squeezing: AtomicBool,
    readers_are_stuck: AtomicBool,
    healthy_are_ready: AtomicBool,
    over: AtomicBool,
}

impl Stage {
    const SILENT: u64 = 0;
    const CALM: u64 = 1;
    const SQUEEZED: u64 = 2;
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An agent with a conversation of its own, who then takes no further one.
struct Owner {
    socket: Socket,
    path: String,
    token: String,
}

impl Owner {
    async fn begin(server: &Server, poster: &mut Poster, name: &str, mut socket: Socket, from: u32) -> Self {
        set_available(&mut socket).await;
        let path = format!("/v1/messenger/{WORKSPACE}/conversations");
        let answer = poster.post(&path, &tagged_id(0, from), from, None, "{\"text\":\"hello\"}").await;
        let (status, answer) = answer.expect("an answer");
        assert_eq!(status, 201, "{name}: {answer}\n{}", server.log_tail());
        let field = |member| text_of(answer, member).expect("a start says so").to_owned();
        let (conversation, token) = (field("conversation"), field("token"));
        loop {
            let Heard::Text(text) = socket.next().await else { panic!("the connection ended") };
            match kind_of(&text) {
                "offer" => {
                    let (offer, id) = (text_of(&text, "offer").expect("an offer has an id"), tagged_id(ACCEPT, 0));
                    let accept = format!("{{\"type\":\"accept\",\"offer\":\"{offer}\",\"id\":\"{id}\"}}");
                    socket.writer.text(&accept).await.expect("the connection takes a frame");
                }
                "reply" => break,
                _ => {}
            }
        }
        change(&socket.writer, "away", 0).await;
        Self { socket, path: format!("{path}/{conversation}/messages"), token }
    }
}

async fn change(writer: &Writer, status: &str, number: u32) {
    let id = tagged_id(CHANGE, number);
    let frame = format!("{{\"type\":\"set_status\",\"status\":\"{status}\",\"id\":\"{id}\"}}");
    let _ = writer.text(&frame).await;
}

async fn connect_narrow(server: &Server, name: &str, role: Role) -> Socket {
    let protocol = format!("offhook.token.{}", server.tokens().of(WORKSPACE, name, role));
    let connected = Socket::connect_narrow(server.address, &[&protocol]).await.expect("the server listens");
    let mut socket = connected.unwrap_or_else(|refused| panic!("no upgrade: {refused:?}"));
    assert!(matches!(socket.next().await, Heard::Text(_)), "no welcome");
    socket
}

/// Agents who are there and change their status; then supervisors and owners who stop reading.
async fn roster_and_readers(server: &Server, sizes: Sizes, stage: &Stage, ready: std::sync::mpsc::Sender<()>) {
    let tokens = server.tokens();
    let mut writers = Vec::new();
    for number in 0..sizes.agents {
        let token = tokens.of(WORKSPACE, &format!("roster{number:05}"), Role::Agent);
        let mut socket = connect(server, &token).await;
        writers.push(socket.writer.clone());
        tokio::task::spawn_local(async move { while matches!(socket.next().await, Heard::Text(_)) {} });
    }
    eprintln!("{} agents are there", sizes.agents);
    let mut poster = Poster::connect(server.address).await.expect("the server listens");
    let mut owners = Vec::new();
    for number in 0..READERS {
        let socket = connect_narrow(server, &format!("stuck{number}"), Role::Agent).await;
        owners.push(Owner::begin(server, &mut poster, "stuck", socket, number).await);
    }
    ready.send(()).expect("somebody waits");
    until(|| stage.squeezing.load(Relaxed)).await;

    let mut supervisors = Vec::new();
    for number in 0..READERS {
        let socket = connect_narrow(server, &format!("supervisor{number}"), Role::Supervisor).await;
        let after = number * (sizes.agents / READERS);
        let id = tagged_id(0, number);
        let watch = format!(
            "{{\"type\":\"watch\",\"what\":\"agents\",\"cursor\":\"roster{after:05}\",\"limit\":200,\"id\":\"{id}\"}}"
        );
        socket.writer.text(&watch).await.expect("the connection takes a frame");
        supervisors.push(socket);
    }
    let changes = Pace::begin(CHANGES_PER_S, (CHANGES_PER_S * (sizes.seconds + 5.0)) as u32);
    tokio::task::spawn_local(async move {
        while let Some(number) = changes.next().await {
            let status = if (number / writers.len() as u32).is_multiple_of(2) { "lunch" } else { "away" };
            change(&writers[number as usize % writers.len()], status, number).await;
        }
    });
    let posts = Pace::begin(STUCK_PER_S, (STUCK_PER_S * (sizes.seconds + 5.0)) as u32);
    let owners = Rc::new(owners);
    let text = Rc::new(format!("{{\"text\":\"{}\"}}", "x".repeat(4_096)));
    for _ in 0..READERS {
        let mut poster = Poster::connect(server.address).await.expect("the server listens");
        let (posts, owners, text) = (posts.clone(), owners.clone(), text.clone());
        tokio::task::spawn_local(async move {
            while let Some(number) = posts.next().await {
                let owner = &owners[number as usize % owners.len()];
                let posted =
                    poster.post(&owner.path, &tagged_id(WRITE, number), number, Some(&owner.token), &text).await;
                assert!(posted.is_ok_and(|(status, _)| matches!(status, 201 | 503)), "a message is taken, or put off");
            }
        });
    }
    stage.readers_are_stuck.store(true, Relaxed);
    until(|| stage.over.load(Relaxed)).await;
    let held = owners.iter().map(|owner| &owner.socket).chain(&supervisors).count();
    eprintln!("{held} readers had stopped");
}

/// Pairs who talk as if nothing were the matter: times to agents in microseconds, in calm and under pressure.
async fn healthy(server: &Server, stage: &Stage) -> [Vec<u32>; 2] {
    let mut poster = Poster::connect(server.address).await.expect("the server listens");
    let tokens = server.tokens();
    let times: Rc<RefCell<[Vec<u32>; 2]>> = Rc::default();
    let pace: Rc<RefCell<Option<(usize, Pace)>>> = Rc::default();
    let mut customers = Vec::new();
    for number in 0..PAIRS {
        let name = format!("healthy{number}");
        let socket = connect(server, &tokens.of(WORKSPACE, &name, Role::Agent)).await;
        let owner = Owner::begin(server, &mut poster, &name, socket, 1_000 + number).await;
        let (mut socket, times, pace) = (owner.socket, times.clone(), pace.clone());
        customers.push((owner.path, owner.token));
        tokio::task::spawn_local(async move {
            while let Heard::Text(text) = socket.next().await {
                let number = (kind_of(&text) == "message").then(|| number_in(&text)).flatten();
                if let (Some(number), Some((place, pace))) = (number, &*pace.borrow()) {
                    times.borrow_mut()[*place].push(pace.late_us(number));
                }
            }
        });
    }
    stage.healthy_are_ready.store(true, Relaxed);
    let customers = Rc::new(customers);
    for (place, now) in [Stage::CALM, Stage::SQUEEZED].into_iter().enumerate() {
        until(|| stage.talk.load(Relaxed) == now).await;
        let begun = Pace::begin(HEALTHY_PER_S, u32::MAX / 1_000);
        *pace.borrow_mut() = Some((place, begun.clone()));
        let mut tasks = Vec::new();
        for _ in 0..PAIRS {
            let mut poster = Poster::connect(server.address).await.expect("the server listens");
            let (begun, customers) = (begun.clone(), customers.clone());
            tasks.push(tokio::task::spawn_local(async move {
                while let Some(number) = begun.next().await {
                    let (path, token) = &customers[number as usize % customers.len()];
                    let (id, text) = (tagged_id(WRITE, number), format!("{{\"text\":\"m{number:08}\"}}"));
                    // Put off is tried again, and counts from when it was due.
                    loop {
                        let (status, answer) =
                            poster.post(path, &id, number, Some(token), &text).await.expect("an answer");
                        match status {
                            201 => break,
                            503 => tokio::time::sleep(retry_after(answer)).await,
                            other => panic!("{other}: {answer}"),
                        }
                    }
                }
            }));
        }
        until(|| stage.talk.load(Relaxed) != now).await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    times.take()
}

fn number_in(json: &str) -> Option<u32> {
    text_of(json, "text")?.strip_prefix('m')?.get(..8)?.parse().ok()
}

fn retry_after(problem: &str) -> Duration {
    let after = problem.split_once("\"retry_after_ms\":").map_or("", |(_, rest)| rest);
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    Duration::from_millis(digits.parse().unwrap_or(1_000))
}

/// Memory of the server and of its group, ten times a second.
struct Sampler {
    most: Arc<AtomicU64>,
    budget_bytes: f64,
}

impl Sampler {
    fn begin(server: &Server, cgroup: Option<&Cgroup>) -> Self {
        let budget_bytes = local(server.metric("offhook_memory_bytes{kind=\"budget\"}"));
        eprintln!("the budget is {:.0} MiB; it uses {:.0}", budget_bytes / 1_048_576.0, server.rss_anon_bytes() >> 20);
        let most = Arc::new(AtomicU64::new(0));
        let group = cgroup.map(|cgroup| {
            let version = if cgroup.is_version_two { Version::Two } else { Version::One };
            Group { version, directory: cgroup.directory.clone() }
        });
        let (pid, seen) = (server.pid(), most.clone());
        std::thread::spawn(move || {
            while std::path::Path::new(&format!("/proc/{pid}/status")).exists() {
                let held = group.as_ref().and_then(Group::held_bytes).unwrap_or_else(|| rss_anon_bytes(pid));
                seen.fetch_max(held, Relaxed);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self { most, budget_bytes }
    }

    fn forget(&self) {
        self.most.store(0, Relaxed);
    }

    fn say(&self) {
        let most = self.most.load(Relaxed) as f64;
        eprintln!("at most {:.0} MiB were held", most / 1_048_576.0);
        figure("peak_over_budget", most / self.budget_bytes, "ratio");
    }
}
