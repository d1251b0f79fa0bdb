//! A whole backup while offers go on: what it does to them, how fast it is, and how long it takes to bring it back.
//!
//! `cargo bench --bench backup -- [--quick] [--gigabytes G] [--rate R] [--seconds S] [--bytes-per-s B] [--keep DIRECTORY]`
//!
//! Gigabytes of journal and view together. `--keep` leaves the past that was made in a directory, and uses the one that is there already.

mod load;

use load::arguments::Arguments;
use load::desk::{Crew, options, serve};
use load::figures::{figure, percentiles};
use load::support::{Options, Server};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Journal and view of a million conversations: measured, to turn gigabytes into conversations.
const BYTES_OF_CONVERSATION: f64 = 3_600.0;

fn main() {
    let arguments = Arguments::read(&["gigabytes", "rate", "seconds", "bytes-per-s", "keep"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let gigabytes = arguments.size("gigabytes", 5.0, 0.01);
    let rate = arguments.size("rate", 500.0, 100.0);
    let seconds = arguments.size("seconds", 30.0, 3.0);
    let bytes_per_s = arguments.size("bytes-per-s", 33_554_432_u64, 2_000_000);
    let made = tempfile::tempdir().expect("a directory can be made");
    let past = arguments.text("keep").map_or_else(|| made.path().join("past"), PathBuf::from);
    if !past.join("journal.db").exists() {
        let conversations = (gigabytes * 1e9 / BYTES_OF_CONVERSATION) as u64;
        load::past::make(&past, conversations, (conversations / 100).min(10_000)).await;
    }
    let size = |name: &str| std::fs::metadata(past.join(name)).map_or(0, |file| file.len());
    let bytes = size("journal.db") + size("view.db");
    figure("backup_data_mb", bytes as f64 / 1e6, "MB");

    let server = serve(&Options { data_dir: Some(past.clone()), ..options() }, 100).await;
    load::go_first();
    let crew = Crew::connect(&server, 50).await;
    let alone = offers("offer_alone", &crew, &server, rate, seconds).await;
    let to = made.path().join("backups");
    let mut child = begin(&past, &to, bytes_per_s);
    let began = Instant::now();
    let mut beside = Vec::new();
    // In parts, so that those are left out in which it was over already.
    let ended = loop {
        let part = offered(&crew, &server, rate, (seconds / 6.0).max(1.0)).await;
        match child.try_wait().expect("a child can be waited for") {
            Some(status) if beside.is_empty() => {
                beside.extend(part);
                break status;
            }
            Some(status) => break status,
            None => beside.extend(part),
        }
    };
    let took_s = began.elapsed().as_secs_f64();
    assert!(ended.success(), "the backup failed");
    let (_, beside) = percentiles("offer_beside_backup", beside);
    figure("backup_offer_p99_ratio", beside / alone.max(0.001), "ratio");
    eprintln!("the backup took {took_s:.1} s at {:.1} MB/s at most", bytes_per_s as f64 / 1e6);
    crew.leave();
    drop(server);
    load::go_as_others();

    let fast = made.path().join("fast");
    let seconds = timed(begin(&past, &fast, 0));
    figure("backup_mb_per_s", bytes as f64 / 1e6 / seconds, "MB/s");
    let again = timed(begin(&past, &fast, 0));
    figure("backup_more_s", again, "s");
    let restored = made.path().join("restored");
    let mut restore = offhook(&["restore", "--from"]);
    restore.arg(&fast).arg("--data-dir").arg(&restored);
    let seconds = timed(restore.spawn().expect("offhook can be started"));
    figure("restore_s", seconds, "s");
    figure("restore_mb_per_s", bytes as f64 / 1e6 / seconds, "MB/s");
    let began = Instant::now();
    let server = Server::start(&Options { data_dir: Some(restored), ..options() });
    figure("restore_start_ms", began.elapsed().as_secs_f64() * 1_000.0, "ms");
    drop(server);
}

async fn offers(name: &str, crew: &Crew, server: &Server, rate: f64, seconds: f64) -> f64 {
    percentiles(name, offered(crew, server, rate, seconds).await).1
}

/// From each start to its offer, in microseconds.
async fn offered(crew: &Crew, server: &Server, rate: f64, seconds: f64) -> Vec<u32> {
    let open = crew.open_loop(server, rate, seconds, 100).await;
    open.offered_us.iter().flatten().copied().collect()
}

fn begin(past: &Path, to: &Path, bytes_per_s: u64) -> Child {
    let mut backup = offhook(&["backup", "--bytes-per-s"]);
    backup.arg(bytes_per_s.to_string()).arg("--data-dir").arg(past).arg("--to").arg(to);
    backup.spawn().expect("offhook can be started")
}

fn offhook(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn timed(mut child: Child) -> f64 {
    let began = Instant::now();
    assert!(child.wait().expect("a child can be waited for").success(), "offhook failed");
    began.elapsed().as_secs_f64()
}
