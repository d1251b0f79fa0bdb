//! Three nodes over three servers of NATS, and what that costs: offers beside those of a single node, how late the others are, and how long
//! it takes when a node is gone.
//!
//! `cargo bench --bench cluster -- [--quick] [--agents N] [--workers N] [--seconds S] [--rate R] [--runs N] [--resume N] [--appends N]
//! [--customers N]`
//!
//! Needs the program that `bash tests/run tools` fetches. All of it is on one machine and one disk: each record is synced three times there.

mod gone;
mod lag;
#[path = "../load/mod.rs"]
mod load;
#[path = "../../tests/cluster/member.rs"]
mod member;
mod nodes;
#[allow(dead_code, reason = "what tests do to servers of NATS is not done here")]
#[path = "../../tests/cluster/trio.rs"]
mod trio;

use load::account::{Account, until_projected};
use load::arguments::Arguments;
use load::desk::{Crew, furnish, options};
use load::figures::{figure, median, percentiles};
use load::support::Server;
use load::support::scene::DEMO;
use member::NAMES;
use nodes::Nodes;
// Where those who were written for tests look for it.
use load::support;

/// Connections that the starts of an open loop share.
const STARTERS: u32 = 60;
/// Chats that an agent may hold.
const CAPACITY: u32 = 100;

struct Sizes {
    agents: u32,
    workers: u32,
    seconds: f64,
    rate: f64,
    runs: u32,
}

fn main() {
    let known = ["agents", "workers", "seconds", "rate", "runs", "resume", "appends", "customers"];
    let arguments = Arguments::read(&known);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let sizes = Sizes {
        agents: arguments.size("agents", 51, 9),
        workers: arguments.size("workers", 256, 24),
        seconds: arguments.size("seconds", 10.0, 2.0),
        rate: arguments.size("rate", 100.0, 20.0),
        runs: arguments.size("runs", 5, 1),
    };
    let resume = arguments.size("resume", 5_000, 200);
    let appends = arguments.size("appends", 1_000, 50);
    let customers = arguments.size("customers", 30, 6);

    eprintln!("a single node: {} agents, {} workers, {} starts/s", sizes.agents, sizes.workers, sizes.rate);
    let single = Server::start(&options());
    furnish(&single, DEMO, CAPACITY).await;
    load::go_first();
    let single_p50 = offers("single_", &[&single], &single, &sizes).await;
    drop(single);

    load::go_as_others();
    let mut nodes = Nodes::start(&options(), appends).await;
    furnish(nodes.all()[0], DEMO, CAPACITY).await;
    load::go_first();
    let leader = nodes.leader().await;
    eprintln!("three nodes; {} leads", NAMES[leader]);
    let p50 = offers("", &nodes.all(), nodes.all()[leader], &sizes).await;
    figure("time_to_offer_p50_over_single", p50 / single_p50, "ratio");
    lag::measure(&nodes, customers, sizes.rate, sizes.seconds).await;

    let mut failovers = Vec::new();
    for round in 1..=sizes.runs {
        failovers.push(gone::failover(&mut nodes, sizes.agents, round).await);
    }
    figure("failover_s", median(failovers), "s");
    gone::resume(&mut nodes, resume).await;
}

/// Cycles a second, and the time to an offer; its median in milliseconds. Whoever decides gives its own account.
async fn offers(name: &str, servers: &[&Server], decides: &Server, sizes: &Sizes) -> f64 {
    let crew = Crew::connect_at(servers, DEMO, sizes.agents).await;
    let (mut rates, account) = (Vec::new(), Account::of(decides).await);
    for _ in 0..sizes.runs {
        let rate = crew.closed_loop_at(servers, sizes.workers, sizes.seconds).await;
        eprintln!("{name}closed loop: {rate:.0} cycles/s; refused {}", crew.board.wrong.get());
        rates.push(rate);
    }
    account.say_since(decides).await;
    figure(&format!("{name}offer_cycles_per_s"), median(rates), "1/s");
    for server in servers {
        until_projected(server).await;
    }
    let account = Account::of(decides).await;
    let open = crew.open_loop_at(servers, sizes.rate, sizes.seconds, STARTERS).await;
    account.say_since(decides).await;
    let offered: Vec<u32> = open.offered_us.iter().flatten().copied().collect();
    eprintln!("{name}open loop at {}/s: {} of {} offered", sizes.rate, offered.len(), open.offered_us.len());
    assert!(!offered.is_empty(), "no offer came");
    let (p50, _) = percentiles(&format!("{name}time_to_offer"), offered);
    crew.leave();
    p50
}
