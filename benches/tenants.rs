//! One tenant floods, another works on: how long offers take in a quiet workspace, alone, beside a neighbour that starts many times
//! what can be finished, and beside the same one with a quota.
//!
//! `cargo bench --bench tenants -- [--quick] [--agents N] [--seconds S] [--rate R] [--flood R] [--connections N] [--quota R]`

mod load;

use load::arguments::Arguments;
use load::desk::{Crew, OpenLoop, furnish, options, serve};
use load::disk::fsync_times_us;
use load::figures::{figure, percentiles};
use load::support::Server;
use serde_json::json;
use std::sync::mpsc;
use std::time::Duration;

const LOUD: &str = "loud";
/// How long the flood runs before and after what is measured.
const AHEAD: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Sizes {
    agents: u32,
    seconds: f64,
    /// Starts a second in the quiet workspace, and in the loud one.
    rate: f64,
    flood: f64,
    connections: u32,
}

fn main() {
    let arguments = Arguments::read(&["agents", "seconds", "rate", "flood", "connections", "quota"]);
    let sizes = Sizes {
        agents: arguments.size("agents", 20, 4),
        seconds: arguments.size("seconds", 10.0, 2.0),
        rate: arguments.size("rate", 100.0, 20.0),
        flood: arguments.size("flood", 10_000.0, 400.0),
        connections: arguments.size("connections", 1_000, 50),
    };
    let quota = arguments.size("quota", 200_u64, 20);
    let (runtime, local) = (load::runtime(), tokio::task::LocalSet::new());
    let server = local.block_on(&runtime, async {
        let server = serve(&options(), 100).await;
        furnish(&server, LOUD, 100).await;
        server
    });
    let quiet = Quiet { crew: local.block_on(&runtime, Crew::connect(&server, sizes.agents)), runtime, local };
    percentiles("fsync", fsync_times_us(server.data_dir(), Duration::from_secs_f64(sizes.seconds / 5.0)));
    load::go_first();
    let (alone_p50, alone_p99) = told("tenant_alone", &quiet.works(&server, sizes));

    let (beside, loud) = beside_the_flood(&quiet, &server, sizes);
    tell("loud", &loud);
    let (beside_p50, beside_p99) = told("tenant_beside", &beside);
    figure("tenant_p50_ratio", beside_p50 / alone_p50, "ratio");
    figure("tenant_p99_ratio", beside_p99 / alone_p99, "ratio");

    let path = format!("/v1/workspaces/{LOUD}/quota");
    let put = quiet.local.block_on(&quiet.runtime, server.admin("PUT", &path, Some(&json!({"starts_per_s": quota}))));
    assert!(put.is_success(), "{put:?}");
    let (beside, loud) = beside_the_flood(&quiet, &server, sizes);
    tell("loud with a quota", &loud);
    let (_, quota_p99) = told("tenant_beside_quota", &beside);
    figure("tenant_quota_p99_ratio", quota_p99 / alone_p99, "ratio");
}

/// The quiet workspace's clients, on this thread.
struct Quiet {
    crew: Crew,
    runtime: tokio::runtime::Runtime,
    local: tokio::task::LocalSet,
}

impl Quiet {
    fn works(&self, server: &Server, sizes: Sizes) -> OpenLoop {
        self.local.block_on(&self.runtime, self.crew.open_loop(server, sizes.rate, sizes.seconds, 20))
    }
}

/// The quiet workspace's starts, while the loud one's come from a thread of their own: as from other machines.
fn beside_the_flood(quiet: &Quiet, server: &Server, sizes: Sizes) -> (OpenLoop, OpenLoop) {
    let (begun, begins) = mpsc::channel();
    std::thread::scope(|scope| {
        let loud = scope.spawn(move || {
            let flood = async {
                let loud = Crew::connect_in(server, LOUD, sizes.agents).await;
                begun.send(()).expect("somebody waits");
                // There before the quiet one's first start is due, and after its last.
                let seconds = sizes.seconds + 2.0 * AHEAD.as_secs_f64();
                let flooded = loud.open_loop(server, sizes.flood, seconds, sizes.connections).await;
                loud.leave();
                flooded
            };
            tokio::task::LocalSet::new().block_on(&load::runtime(), flood)
        });
        begins.recv().expect("the neighbour comes");
        // The flood is to stand before anything is measured.
        std::thread::sleep(AHEAD);
        let worked = quiet.works(server, sizes);
        (worked, loud.join().expect("the neighbour goes"))
    })
}

/// How a tenant's starts were answered.
fn tell(name: &str, open: &OpenLoop) {
    let of_status = |wanted: u16| open.answers.iter().filter(|(status, _)| *status == wanted).count();
    eprintln!(
        "{name}: {} due, 201: {}, 409: {}, 429: {}, 503: {}, none: {}",
        open.offered_us.len(),
        of_status(201),
        of_status(409),
        of_status(429),
        of_status(503),
        of_status(0)
    );
}

/// Time to the offer, and how many starts were refused.
fn told(name: &str, open: &OpenLoop) -> (f64, f64) {
    tell(name, open);
    let begun = open.answers.iter().filter(|(status, _)| *status == 201).count();
    figure(&format!("{name}_refused_share"), 1.0 - begun as f64 / open.offered_us.len().max(1) as f64, "ratio");
    percentiles(&format!("{name}_offer"), open.offered_us.iter().flatten().copied().collect())
}
