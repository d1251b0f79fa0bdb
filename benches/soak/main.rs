//! The soak: agents and customers who come and go for an hour, and what the server's memory does meanwhile.
//!
//! `cargo bench --bench soak -- [--quick] [--seconds N] [--settle N] [--agents N] [--starts RATE] [--conversations N]
//! [--visitors N] [--ids N]`
//!
//! Each second one agent in a hundred goes, in one of six ways (`floor.rs`), `--starts` customers come, supervisors watch and stop
//! watching, the admin API is asked, and strangers are refused. Before it, what has a bound is filled to it: `--conversations`, `--visitors`
//! and `--ids` say with how much. Then it goes on for `--settle` seconds,
//! which are not measured, and for `--seconds`, which are.

mod dice;
mod fill;
mod floor;
#[path = "../load/mod.rs"]
mod load;
mod others;
mod slope;
mod tally;
mod visitors;
mod work;

use floor::{Floor, Seat, WAYS, sit};
use load::arguments::Arguments;
use load::desk::{WORKSPACE, options, serve};
use load::figures::figure;
use load::support::Server;
use serde_json::json;
use slope::slope;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tally::Tally;
use tokio::task::JoinSet;

const ALLOCATED: &str = "offhook_memory_bytes{kind=\"allocated\"}";
const DATABASES: &str = "offhook_memory_bytes{kind=\"databases\"}";
const SUPERVISORS: u32 = 5;

fn main() {
    slope::holds();
    let arguments = Arguments::read(&["seconds", "settle", "agents", "starts", "conversations", "visitors", "ids"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let seconds = arguments.size("seconds", 3_600_usize, 6);
    let settle = arguments.size("settle", 1_800_usize, 3);
    let agents = arguments.size("agents", 2_000_u32, 100);
    let starts = arguments.size("starts", 20_u32, 10);
    // More visitors than are remembered for their rates, more ids than are known to have been used.
    let conversations = arguments.size("conversations", 20_000_u64, 100);
    let visitors = arguments.size("visitors", 70_000_u32, 100);
    let ids = arguments.size("ids", 4_500_000_u64, 2_000);
    let options = options().set("health.probe_every_ms=5000");
    let server = Rc::new(serve(&options, 3).await);
    say_memory(&server, "at its start").await;
    fill::conversations(&server, conversations).await;
    fill::visitors(&server, visitors).await;
    say_memory(&server, "after conversations and visitors").await;
    fill::agents(&server, 0..2 * agents).await;
    fill::ids(&server, ids).await;
    say_memory(&server, "filled").await;
    let tally = Rc::new(Tally::default());
    // Readers open their files when they are first asked.
    for _ in 0..3 {
        others::administrate(&server, &tally).await;
    }
    let fds_first = fewest_fds(&server).await;
    // Not before: slots that are blocked would make the filling slow.
    server.change_settings(WORKSPACE, |settings| settings["channels"][0]["wrap_up_ms"] = json!(2_000)).await;

    let mut crowd = JoinSet::new();
    let floor = Rc::new(Floor {
        server: server.address,
        tokens: server.tokens(),
        tally: tally.clone(),
        spare: RefCell::new((agents..2 * agents).collect()),
        going: Cell::new(true),
    });
    let seats: Vec<Rc<Seat>> = (0..agents).map(|_| Rc::default()).collect();
    for (who, seat) in (0..).zip(&seats) {
        crowd.spawn_local(sit(floor.clone(), seat.clone(), who));
    }
    (0..SUPERVISORS).for_each(|number| drop(crowd.spawn_local(others::supervise(floor.clone(), number))));
    let administrated = server.clone();
    let (told, open) = (tally.clone(), floor.clone());
    crowd.spawn_local(async move {
        while open.going.get() {
            others::administrate(&administrated, &told).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });

    let (mut resident, mut allocated) = (Vec::new(), Vec::new());
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    for second in 0..settle + seconds {
        beat.tick().await;
        churn(&seats);
        for number in 0..starts {
            let (address, tally) = (server.address, tally.clone());
            crowd.spawn_local(async move {
                tokio::time::sleep(Duration::from_secs(1) * number / starts).await;
                visitors::visit(address, tally).await;
            });
        }
        crowd.spawn_local(others::strangers(floor.clone()));
        resident.push(server.rss_anon_bytes() as f64);
        allocated.push(server.metric(ALLOCATED).await);
        while crowd.try_join_next().is_some() {}
        if second % 60 == 0 {
            tally.say(second as u64);
            say_memory(&server, "now").await;
        }
    }
    tally.say((settle + seconds) as u64);
    floor.going.set(false);
    crowd.shutdown().await;
    let fds_last = fewest_fds(&server).await;
    say(&resident[settle..], &allocated[settle..]);
    figure("open_fds_first", fds_first as f64, "");
    figure("open_fds_last", fds_last as f64, "");
    for (name, count) in [
        ("sessions_lost", &tally.sessions_lost),
        ("errors", &tally.errors),
        ("told_to_wait", &tally.told_to_wait),
        ("connects", &tally.connected),
        ("starts", &tally.started),
    ] {
        figure(name, count.get() as f64, "");
    }
    assert_eq!(tally.sessions_lost.get(), 0, "nobody loses a connection\n{}", server.log_tail());
    assert_eq!(tally.errors.get(), 0, "everybody hears what docs/wire.md says\n{}", server.log_tail());
}

/// One in a hundred goes.
fn churn(seats: &[Rc<Seat>]) {
    for _ in 0..seats.len().div_ceil(100) {
        let mut some = (0..20).map(|_| &seats[dice::below(seats.len() as u32) as usize]);
        if let Some(seat) = some.find(|seat| seat.taken.get()) {
            seat.go(WAYS[dice::below(WAYS.len() as u32) as usize]);
        }
    }
}

fn say(resident: &[f64], allocated: &[f64]) {
    let of_resident = slope(resident);
    figure("memory_slope_bytes_per_s", of_resident.per_s, "B/s");
    figure("memory_slope_ci", of_resident.ci, "B/s");
    figure("memory_slope_is_zero", f64::from(of_resident.per_s.abs() <= of_resident.ci), "");
    let of_allocated = slope(allocated);
    figure("allocated_slope_bytes_per_s", of_allocated.per_s, "B/s");
    figure("allocated_slope_ci", of_allocated.ci, "B/s");
    let minute = 60.min(resident.len() / 2).max(1);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64 / f64::from(1 << 20);
    figure("memory_first_mib", mean(&resident[..minute]), "MiB");
    figure("memory_last_mib", mean(&resident[resident.len() - minute..]), "MiB");
}

async fn say_memory(server: &Server, when: &str) {
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let (allocated, databases) = (mib(server.metric(ALLOCATED).await), mib(server.metric(DATABASES).await));
    let resident = mib(server.rss_anon_bytes() as f64);
    eprintln!("  {when}: {resident:.1} MiB resident, {allocated:.1} MiB allocated, {databases:.2} MiB of databases");
}

/// What is open when nobody is connected: the fewest of ten looks, since the probe comes and goes.
async fn fewest_fds(server: &Server) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("the server runs").count();
        fewest = fewest.min(open);
    }
    fewest
}
