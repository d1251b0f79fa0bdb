//! Killed at random moments under load, and judged from outside: what was acknowledged is there, once, in order.
//!
//! Three disks: one that keeps what was written (a crash of the process), one that forgets what was not synced (a power
//! cut), and ones on which the very same check must fail, or it would prove nothing.
//!
//! `OFFHOOK_KILL_ROUNDS` makes it long, `OFFHOOK_SEED` repeats a run's choices.

#[path = "../support/mod.rs"]
mod support;

mod judge;
mod load;

use judge::Judge;
use load::Load;
use support::disk::{Disk, Forgets};
use support::random::Random;
use support::{Options, Server, as_cluster};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    /// Something that was acknowledged is not so any more.
    #[error("lost: {0}")]
    Lost(String),
    /// It does not serve any more on what the disk has.
    #[error("does not serve: {0}")]
    NotServing(String),
}

fn rounds(short: u32) -> u32 {
    let long = std::env::var("OFFHOOK_KILL_ROUNDS").ok().and_then(|text| text.parse().ok());
    long.unwrap_or(short)
}

/// Rounds of load, kill, start and judgement.
async fn survive(options: &Options, rounds: u32) -> Result<(), Wrong> {
    let mut random = Random::new();
    let mut server = Server::start(options);
    load::quick_settings(&server).await;
    let mut load = Load::new(&server, &mut random);
    let mut judge = Judge::default();
    for round in 1..=rounds {
        let acknowledged = load.run_and_kill(&mut server, 1 + random.below(120)).await;
        server.try_start_again().map_err(Wrong::NotServing)?;
        judge.look_at(&server, &mut load, &mut random).await?;
        if round % 50 == 0 {
            println!("round {round} of {rounds}: {acknowledged} acknowledged in all, {} conversations", judge.seen());
        }
    }
    load.settle(&server).await;
    judge.look_at_all(&server, &mut load).await?;
    let (messages, accepts, closes) = judge.sums();
    println!("{} conversations, {messages} messages, {accepts} accepts, {closes} closes", judge.seen());
    assert!(messages > 0 && accepts > 0 && closes > 0, "a load that does nothing proves nothing");
    Ok(())
}

fn options() -> Options {
    Options::default().without_rate_limits()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    survive(&options(), rounds(12)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let disk = Disk::new();
    survive(&disk.under(options(), Forgets::Unsynced { keep_permille: 0 }), rounds(8)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_a_power_cut_that_tears_what_was_under_way() {
    let disk = Disk::new();
    survive(&disk.under(options(), Forgets::Unsynced { keep_permille: 500 }), rounds(6)).await.unwrap();
}

/// Must be noticed within some rounds.
async fn loses(options: &Options) {
    if as_cluster::passes_over("its own disk has nothing that was acknowledged and is nowhere else") {
        return;
    }
    match survive(options, 10).await {
        Ok(()) => panic!("nothing was lost, or the loss was not noticed"),
        Err(wrong) => println!("noticed, as it should be: {wrong}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_notices_a_journal_that_syncs_only_at_checkpoints() {
    let disk = Disk::new();
    loses(&disk.under(options().set("journal.synchronous=normal"), Forgets::Unsynced { keep_permille: 0 })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_notices_a_journal_that_never_syncs() {
    let disk = Disk::new();
    loses(&disk.under(options().set("journal.synchronous=off"), Forgets::Unsynced { keep_permille: 0 })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_notices_a_disk_that_lies() {
    let disk = Disk::new();
    loses(&disk.under(options(), Forgets::UnsyncedAndLies)).await;
}
