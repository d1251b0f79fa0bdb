//! Offers under load, through the real interfaces: a start over HTTP, the offer on a WebSocket, accept, close. Durable.
//!
//! `cargo bench --bench offers -- [--quick] [--agents N] [--workers N] [--seconds S] [--rate R] [--runs N]`

mod load;

use load::account::Account;
use load::arguments::Arguments;
use load::desk::{Crew, options, serve};
use load::disk::fsync_times_us;
use load::figures::{figure, median, percentiles};
use load::support::process::{cpu_ms, threads_cpu_ms};
use std::time::{Duration, Instant};

/// A cycle that ends later than this was of no use to anybody.
const IN_TIME_US: u32 = 1_000_000;

fn main() {
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
    let server = serve(&options, 100).await;
    let crew = Crew::connect(&server, agents).await;
    eprintln!("{agents} agents, {workers} workers, {runs} runs of {seconds} s");

    let mut rates = Vec::new();
    for _ in 0..runs {
        let account = Account::of(&server).await;
        let (cpu, began) = (server.cpu_ms(), Instant::now());
        let cycles = crew.closed_loop(&server, workers, seconds).await;
        let cores = (server.cpu_ms() - cpu) as f64 / began.elapsed().as_millis() as f64;
        eprintln!(
            "closed loop: {cycles:.0} cycles/s, the server took {cores:.2} cores; refused {}",
            crew.board.wrong.get()
        );
        account.say_since(&server).await;
        rates.push(cycles);
    }
    for (thread, ms) in threads_cpu_ms(server.pid()).into_iter().take(8) {
        eprintln!("  {thread:<16} {ms:>7} ms");
    }
    let limit = median(rates);
    figure("offer_cycles_per_s", limit, "1/s");

    let probe = Duration::from_secs_f64((seconds / 5.0).min(2.0));
    let mut fsync = fsync_times_us(server.data_dir(), probe);
    let account = Account::of(&server).await;
    let open = crew.open_loop(&server, rate, seconds, 200).await;
    account.say_since(&server).await;
    fsync.extend(fsync_times_us(server.data_dir(), probe));
    let offered: Vec<u32> = open.offered_us.iter().flatten().copied().collect();
    eprintln!("open loop at {rate}/s: {} of {} offered", offered.len(), open.offered_us.len());
    let (_, offer_p99) = percentiles("time_to_offer", offered);
    percentiles("start_answer", open.answers.iter().map(|(_, us)| *us).collect());
    let (_, fsync_p99) = percentiles("fsync", fsync);
    figure("time_to_offer_p99_over_goal", offer_p99 / (3.0 * fsync_p99 + 5.0), "ratio");

    let account = Account::of(&server).await;
    let (cpu, own_cpu) = (server.cpu_ms(), cpu_ms(std::process::id()));
    let open = crew.open_loop(&server, 3.0 * limit, seconds, connections).await;
    let cores = |ms: u64| ms as f64 / 1_000.0 / seconds;
    eprintln!(
        "overload: the server took {:.2} cores, this client {:.2}; commands refused {}",
        cores(server.cpu_ms() - cpu),
        cores(cpu_ms(std::process::id()) - own_cpu),
        crew.board.wrong.get()
    );
    percentiles("overload_answer", open.answers.iter().map(|(_, us)| *us).collect());
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
    account.say_since(&server).await;
    figure("overload_ratio", in_time as f64 / open.seconds / limit, "ratio");
}
