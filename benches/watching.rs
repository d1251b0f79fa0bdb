//! What watching costs: bytes a second for each supervisor and processor time for all of them, with few agents and with many, who change
//! as often all together.
//!
//! `cargo bench --bench watching -- [--quick] [--seconds S] [--few N] [--many N] [--watchers N] [--rate R]`

mod load;

use load::arguments::Arguments;
use load::desk::{WORKSPACE, connect, options, serve};
use load::figures::figure;
use load::pace::Pace;
use load::scan::{kind_of, tagged_id};
use load::support::Server;
use load::support::process::cpu_ms;
use load::support::socket::{Heard, Writer};
use offhook::gateway::auth::agent_token::Role;
use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// As the wallboard asks.
const PAGE: u32 = 50;

#[derive(Clone, Copy)]
struct Sizes {
    seconds: u32,
    watchers: u32,
    /// Changes a second, of all agents together.
    rate: f64,
}

/// What all watchers were sent.
#[derive(Default)]
struct Told {
    bytes: Cell<usize>,
    frames: Cell<usize>,
    longest: Cell<usize>,
}

fn main() {
    let arguments = Arguments::read(&["seconds", "few", "many", "watchers", "rate"]);
    let sizes = Sizes {
        seconds: arguments.size("seconds", 20, 4),
        watchers: arguments.size("watchers", 20, 5),
        rate: arguments.size("rate", 500.0, 200.0),
    };
    for (name, agents) in [("few", arguments.size("few", 10, 10)), ("many", arguments.size("many", 10_000, 1_000))] {
        let work = tokio::task::LocalSet::new();
        work.block_on(&load::runtime(), measure(name, agents, sizes));
    }
}

async fn measure(name: &str, agents: u32, sizes: Sizes) {
    let options = options().set("sessions.ping_every_ms=1800000").set("sessions.dead_after_ms=3600000");
    let server = serve(&options, 3).await;
    let tokens = server.tokens();
    let mut writers = Vec::new();
    for number in 0..agents {
        let mut socket = connect(&server, &tokens.of(WORKSPACE, &format!("agent{number:05}"), Role::Agent)).await;
        writers.push(socket.writer.clone());
        tokio::task::spawn_local(async move { while matches!(socket.next().await, Heard::Text(_)) {} });
    }
    let changes = (sizes.rate * f64::from(sizes.seconds)) as u32;
    let alone_ms = changed(&server, &writers, sizes, 0..changes).await;
    let told = Rc::new(Told::default());
    for number in 0..sizes.watchers {
        watch(&server, number, told.clone()).await;
    }
    let first_bytes = told.bytes.get();
    let watched_ms = changed(&server, &writers, sizes, changes..2 * changes).await;
    let (seconds, watchers) = (f64::from(sizes.seconds), f64::from(sizes.watchers));
    let bytes = (told.bytes.get() - first_bytes) as f64;
    eprintln!(
        "{name}: {agents} agents, {} frames, the longest {} bytes; {alone_ms} ms of the processor without watchers, {watched_ms} ms with",
        told.frames.get(),
        told.longest.get()
    );
    figure(&format!("watch_{name}_bytes_per_s"), bytes / seconds / watchers, "B/s");
    let more_ms = watched_ms as f64 - alone_ms as f64;
    figure(&format!("watch_{name}_processor_percent"), more_ms / (seconds * 10.0), "%");
}

/// Changes for as long as it was asked, by their numbers, so that none is another's retry; milliseconds of the processor that the server took.
async fn changed(server: &Server, writers: &[Writer], sizes: Sizes, numbers: Range<u32>) -> u64 {
    let (before, began) = (cpu_ms(server.pid()), Instant::now());
    let pace = Pace::begin(sizes.rate, numbers.end - numbers.start);
    while let Some(place) = pace.next().await {
        let (number, all) = (numbers.start + place, writers.len() as u32);
        let status = if (number / all).is_multiple_of(2) { "available" } else { "away" };
        let id = tagged_id(1, number);
        let frame = format!("{{\"type\":\"set_status\",\"status\":\"{status}\",\"id\":\"{id}\"}}");
        writers[(number % all) as usize].text(&frame).await.expect("the connection takes a frame");
    }
    // The last second's changes are told in the next.
    let rest = Duration::from_secs(u64::from(sizes.seconds)).saturating_sub(began.elapsed());
    tokio::time::sleep(rest + Duration::from_millis(1_500)).await;
    cpu_ms(server.pid()) - before
}

/// Every watcher another sheet, but for every fifth.
async fn watch(server: &Server, number: u32, told: Rc<Told>) {
    let token = server.tokens().of(WORKSPACE, &format!("supervisor{number}"), Role::Supervisor);
    let mut socket = connect(server, &token).await;
    let order = ["since", "load", "name", "since", "since"][number as usize % 5];
    let skip = if number.is_multiple_of(5) { 0 } else { number };
    let id = tagged_id(0, number);
    let frame = format!(
        "{{\"type\":\"watch\",\"what\":\"agents\",\"order\":\"{order}\",\"connection\":\"here\",\"skip\":{skip},\"limit\":{PAGE},\"id\":\"{id}\"}}"
    );
    socket.writer.text(&frame).await.expect("the connection takes a frame");
    loop {
        let Heard::Text(text) = socket.next().await else { panic!("the connection ended") };
        if kind_of(&text) == "reply" {
            assert!(text.contains("\"ok\":true"), "{text}");
            break;
        }
    }
    tokio::task::spawn_local(async move {
        while let Heard::Text(text) = socket.next().await {
            told.bytes.set(told.bytes.get() + text.len());
            told.frames.set(told.frames.get() + 1);
            told.longest.set(told.longest.get().max(text.len()));
        }
    });
}
