//! Offers under load, through the real interfaces: a start over HTTP, the offer on a WebSocket, accept, close. Durable.
//!
//! `cargo bench --bench offers -- [--quick] [--agents N] [--workers N] [--seconds S] [--rate R] [--runs N] [--connections N]`

mod load;

use load::account::Account;
use load::arguments::Arguments;
use load::desk::{Crew, flood, options, serve};
use load::disk::fsync_times_us;
use load::figures::{figure, median, percentiles};
use load::processors::{Part, only_on};
use load::relay::{Baseline, be_a_baseline_if_asked};
use load::support::Server;
use load::support::process::{cpu_ms, threads_cpu_ms};
use std::time::{Duration, Instant};

/// A cycle that ends later than this was of no use to anybody.
const IN_TIME_US: u32 = 1_000_000;

fn main() {
    be_a_baseline_if_asked();
    let arguments = Arguments::read(&["agents", "workers", "seconds", "rate", "runs", "connections", "setting"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let agents = arguments.size("agents", 50, 10);
    let workers = arguments.size("workers", 256, 32);
    let seconds = arguments.size("seconds", 10.0, 2.0);
    let rate = arguments.size("rate", 1_000.0, 200.0);
    let runs = arguments.size("runs", 3, 1);
    let connections = arguments.size("connections", 6_000, 500);
    let mut options = options();
    if let Some(setting) = arguments.text("setting") {
        options = options.set(setting);
    }
    eprintln!("{agents} agents, {workers} workers, {runs} runs of {seconds} s");
    let server = serve(&options, 100).await;
    load::go_first();
    let crew = Crew::connect(&server, agents).await;
    figure("offer_cycles_per_s", limit_of(&crew, &server, workers, seconds, runs).await, "1/s");
    time_to_offer(&crew, &server, rate, seconds).await;
    crew.leave();
    drop(server);

    load::go_as_others();
    let pinned = only_on(Part::Server);
    let server = serve(&options, 100).await;
    only_on(Part::Load);
    load::go_first();
    let crew = Crew::connect(&server, agents).await;
    let limit = limit_of(&crew, &server, workers, seconds, runs).await;
    load::account::until_projected(&server).await;
    figure(if pinned { "offer_cycles_one_core_per_s" } else { "offer_cycles_again_per_s" }, limit, "1/s");
    overload(&crew, &server, limit, seconds, connections).await;
    crew.leave();
    drop(server);
    load::go_as_others();
    only_on(Part::Server);
    let bare = Baseline::start("refuse");
    only_on(Part::Load);
    load::go_first();
    most_with_bare_refusals(&bare, limit, seconds, connections).await;
}

/// What a refusal costs that looks at nothing, and the overload ratio of a server whose refusals cost no more than that and
/// whose cycles cost what they do without overload: at three times the limit nothing on these sockets can do better.
async fn most_with_bare_refusals(bare: &Baseline, limit: f64, seconds: f64, connections: u32) {
    let cpu = cpu_ms(bare.pid());
    let refused = flood(bare.address, seconds / 2.0, connections).await;
    let refusal_s = (cpu_ms(bare.pid()) - cpu) as f64 / 1_000.0 / f64::from(refused.max(1));
    figure("bare_refusal_us", refusal_s * 1e6, "us");
    let most = (1.0 - 3.0 * limit * refusal_s) / (1.0 - limit * refusal_s);
    figure("overload_ratio_with_bare_refusals", most, "ratio");
}

/// Cycles a second that the server and its clients can finish: the median of several closed loops.
async fn limit_of(crew: &Crew, server: &Server, workers: u32, seconds: f64, runs: u32) -> f64 {
    let mut rates = Vec::new();
    for _ in 0..runs {
        let account = Account::of(server).await;
        let (cpu, began) = (server.cpu_ms(), Instant::now());
        let cycles = crew.closed_loop(server, workers, seconds).await;
        let cores = (server.cpu_ms() - cpu) as f64 / began.elapsed().as_millis() as f64;
        eprintln!(
            "closed loop: {cycles:.0} cycles/s, the server took {cores:.2} cores; refused {}",
            crew.board.wrong.get()
        );
        account.say_since(server).await;
        rates.push(cycles);
    }
    say_threads(server);
    median(rates)
}

fn say_threads(server: &Server) {
    for (thread, ms) in threads_cpu_ms(server.pid()).into_iter().take(8) {
        eprintln!("  {thread:<16} {ms:>7} ms");
    }
}

async fn time_to_offer(crew: &Crew, server: &Server, rate: f64, seconds: f64) {
    let probe = Duration::from_secs_f64((seconds / 5.0).min(2.0));
    let mut fsync = fsync_times_us(server.data_dir(), probe);
    let account = Account::of(server).await;
    let open = crew.open_loop(server, rate, seconds, 200).await;
    account.say_since(server).await;
    fsync.extend(fsync_times_us(server.data_dir(), probe));
    let offered: Vec<u32> = open.offered_us.iter().flatten().copied().collect();
    eprintln!("open loop at {rate}/s: {} of {} offered", offered.len(), open.offered_us.len());
    let (_, offer_p99) = percentiles("time_to_offer", offered);
    percentiles("start_answer", open.answers.iter().map(|(_, us)| *us).collect());
    let (_, fsync_p99) = percentiles("fsync", fsync);
    figure("time_to_offer_p99_over_goal", offer_p99 / (3.0 * fsync_p99 + 5.0), "ratio");
}

/// Three times as many starts as can be finished.
async fn overload(crew: &Crew, server: &Server, limit: f64, seconds: f64, connections: u32) {
    let account = Account::of(server).await;
    let (cpu, own_cpu) = (server.cpu_ms(), cpu_ms(std::process::id()));
    let open = crew.open_loop(server, 3.0 * limit, seconds, connections).await;
    let cores = |ms: u64| ms as f64 / 1_000.0 / seconds;
    eprintln!(
        "overload: the server took {:.2} cores, this client {:.2}; commands refused {}",
        cores(server.cpu_ms() - cpu),
        cores(cpu_ms(std::process::id()) - own_cpu),
        crew.board.wrong.get()
    );
    let answers =
        |begun: bool| open.answers.iter().filter(move |(status, _)| (*status == 201) == begun).map(|(_, us)| *us);
    percentiles("overload_begun", answers(true).collect());
    percentiles("overload_refused", answers(false).collect());
    percentiles("overload_offered", open.offered_us.iter().flatten().copied().collect());
    percentiles("overload_closed", open.closed_us.iter().flatten().copied().collect());
    let in_time = open.closed_us.iter().flatten().filter(|us| **us <= IN_TIME_US).count();
    let of_status = |wanted: u16| open.answers.iter().filter(|(status, _)| *status == wanted).count();
    eprintln!(
        "overload at {:.0}/s: {} due, 201: {}, 503: {}, 429: {}, none: {}, closed in time: {in_time}",
        3.0 * limit,
        open.closed_us.len(),
        of_status(201),
        of_status(503),
        of_status(429),
        of_status(0)
    );
    account.say_since(server).await;
    say_threads(server);
    figure("overload_ratio", in_time as f64 / open.seconds / limit, "ratio");
}
