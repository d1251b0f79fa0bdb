//! `offhook drill`: the morning of a real incident, played against a real server; and its timeline beside today's.

mod acts;
mod agent;
mod cap;
mod customer;
mod floor;
mod load;
mod metrics;
mod outcome;
mod page;
mod reckoning;
mod stage;
mod table;
mod tally;

use super::{CommandError, Given};
use crate::overload::{budget, descriptors, places_in};
use acts::Morning;
use clap::Args;
use outcome::Outcome;
use stage::Stage;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

const DAY: &str = "2023-08-25";
/// Files of each process beside its connections.
const DESCRIPTORS_BESIDE: usize = 400;
const MIB: u64 = 1 << 20;

/// Plays the morning of 25 August 2023 against a server of its own, and prints the timeline of that day beside today's.
///
/// On that day Dixa's services ran out of memory, all agents dropped and came back at once, and an update was rolled back by hand. The drill
/// starts a server in a directory of its own, under a hard memory cap where a memory cgroup can be made, fills it with agents and
/// customers, and brings all of that about: load that would exhaust its memory, kill -9, an update that never serves.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook drill 2023-08-25
  offhook drill 2023-08-25 --agents 100 --customers 100 --cap-mib 96 --seconds-per-act 5
  offhook drill 2023-08-25 --json > drill.json

What happens is told on standard error while it does, the timeline on standard output at the end. Settings (--config, --set) are the server's
that is started; its ports, its directory and the limits for one address are the drill's own. A cgroup needs root, or a group that
is delegated to the caller; without one memory.budget_bytes is set, and the table says so.

Ends with 0 when every promise was kept, 1 when one was broken (it says which), 2 when the drill could not be played. Ctrl-C ends it, and its
server with it; the directory and the cgroup are removed.")]
pub struct Drill {
    /// Which day.
    #[arg(value_name = "DAY", value_parser = [DAY])]
    day: String,
    /// How many agents are at work.
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    agents: u32,
    /// How many customers talk with them all the while; others come and go.
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    customers: u32,
    /// The cap on memory, in MiB, of the server with its supervisor.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u64).range(64..=65_536))]
    cap_mib: u64,
    /// How long memory is put under load; customers write every quarter of it.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=600))]
    seconds_per_act: u64,
    /// Prints what was measured as one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

/// How large the day is.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    agents: usize,
    customers: usize,
    cap_mib: u64,
    act: Duration,
}

impl Sizes {
    /// Offers that wait through the mass drop.
    fn held(&self) -> usize {
        (self.agents / 4).clamp(2, 500)
    }

    fn connections(&self) -> usize {
        self.agents + self.customers + self.held() + load::connections(self.cap_mib)
    }

    /// `descriptors`: the most files that a process may have open.
    fn check(&self, descriptors: u64) -> Result<(), CommandError> {
        let fewer = "play with fewer: --agents, --customers";
        if self.customers > 2 * self.agents {
            let most = 2 * self.agents;
            return Err(CommandError(format!(
                "{} agents can talk with {most} customers at most: {fewer}",
                self.agents
            )));
        }
        let wanted = self.connections() + DESCRIPTORS_BESIDE;
        if wanted as u64 > descriptors {
            return Err(CommandError(format!(
                "the drill and its server each need {wanted} file descriptors, and a process may have {descriptors} here: raise the hard limit (ulimit -Hn {wanted}), or {fewer}"
            )));
        }
        let places = places_in(budget::below(self.cap_mib * MIB));
        if self.connections() as u64 > places {
            let connections = self.connections();
            return Err(CommandError(format!(
                "{connections} connections do not fit under {} MiB, which has places for {places}: raise --cap-mib, or {fewer}",
                self.cap_mib
            )));
        }
        Ok(())
    }
}

impl Drill {
    pub(super) fn run(&self, given: &Given, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let sizes = Sizes {
            agents: self.agents as usize,
            customers: self.customers as usize,
            cap_mib: self.cap_mib,
            act: Duration::from_secs(self.seconds_per_act),
        };
        sizes.check(descriptors::raise().map_err(CommandError::of)?.limit)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::of)?;
        let played = runtime.block_on(play(sizes, given));
        runtime.shutdown_timeout(Duration::from_secs(1));
        let outcome = played?;
        let told = if self.json {
            serde_json::to_string_pretty(&outcome).map_err(CommandError::of)? + "\n"
        } else {
            table::table(&outcome)
        };
        write!(out, "{told}").and_then(|()| out.flush()).map_err(CommandError::of)?;
        Ok(ExitCode::from(u8::from(!outcome.broken.is_empty())))
    }
}

async fn play(sizes: Sizes, given: &Given) -> Result<Outcome, CommandError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::of)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::of)?;
    let morning = async {
        let mut stage = Stage::build(sizes.cap_mib, given).await?;
        match &stage.cap {
            Some(cap) => eprintln!(
                "a server with its supervisor, both under a hard cap of {} MiB ({})",
                sizes.cap_mib,
                cap.name()
            ),
            None => eprintln!(
                "no memory cgroup can be made here: the server has a budget that fits {} MiB, and nothing holds it to that",
                sizes.cap_mib
            ),
        }
        Morning::new(&mut stage, sizes).play().await
    };
    let interrupted = || CommandError("interrupted: the server is ended, and its directory is removed".to_owned());
    // What is dropped is ended: the players, the server, its directory, its cgroup.
    tokio::select! {
        outcome = morning => outcome,
        _ = interrupt.recv() => Err(interrupted()),
        _ = terminate.recv() => Err(interrupted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_does_not_fit_is_refused_with_what_to_do() {
        let sizes = Sizes { agents: 2_000, customers: 2_000, cap_mib: 256, act: Duration::from_secs(20) };
        assert!(sizes.check(20_000).is_ok());
        let refused = |sizes: Sizes, descriptors| sizes.check(descriptors).unwrap_err().to_string();
        let few = refused(sizes, 4_096);
        assert!(few.contains("a process may have 4096 here") && few.contains("ulimit -Hn"), "{few}");
        let many = refused(Sizes { agents: 12_000, ..sizes }, 1 << 20);
        assert!(many.contains("do not fit under 256 MiB") && many.contains("--cap-mib"), "{many}");
        let crowded = refused(Sizes { customers: 4_001, ..sizes }, 1 << 20);
        assert!(crowded.contains("4000 customers at most"), "{crowded}");
    }
}
