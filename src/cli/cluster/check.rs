//! `offhook cluster check`: whether servers are new enough, the stream as it has to be, the fence fair; when it is on their disks; and how
//! long an append takes.

use super::servers::Servers;
use super::sync::{self, Sync};
use crate::cli::CommandError;
use crate::journal::nats::{Held, NatsJournal, NatsSettings, Trial, attempt, connect, stream_name};
use clap::Args;
use std::io::Write;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook cluster check --server nats://10.0.0.1:4222 --server nats://10.0.0.2:4222 --server nats://10.0.0.3:4222
  offhook cluster check --server nats://127.0.0.1:4222 --replicas 1 --monitor http://127.0.0.1:8222
  offhook --config offhook.toml cluster check

What no flag says is as in the section `cluster` of the settings. The stream is made where there is none; one of another shape is named and
left as it is. What is appended meanwhile is taken away again.
Progress is on standard error. Ends with 0 when a journal can rest on these servers, 1 when it must not (the last line says why), 2 when it
could not be found out.";

/// What is tried out is nobody's: it is named as a node's alone.
const NODE: &str = "check";
/// Writers that race for each place.
const WRITERS: usize = 8;

/// Tries out NATS servers: their versions, the stream, the fence, their disks, and the time of an append.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    #[command(flatten)]
    servers: Servers,
    /// A server's monitoring address, which alone says when records are on its disk: http://HOST:PORT. May be repeated.
    #[arg(long = "monitor", value_name = "URL")]
    monitors: Vec<String>,
    /// Places that eight writers race for.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    races: u32,
    /// Appends, one after the other, that are timed.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    appends: u32,
}

impl Check {
    /// `set` is what the settings say, over which the flags lie.
    pub(super) async fn run(&self, set: &NatsSettings, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let all = self.servers.over(set)?;
        let mut writers = Vec::new();
        for place in 0..WRITERS {
            // Each of one server, so that all of them are asked.
            let server = &all.servers[place % all.servers.len()];
            let settings = NatsSettings { servers: vec![server.clone()], ..all.clone() };
            let context = match connect(&settings).await {
                Ok(context) => context,
                Err(too_old) if too_old.is_final() => return must_not(out, &too_old.to_string()),
                Err(failed) => return Err(CommandError::of(failed)),
            };
            if place < all.servers.len() {
                let info = context.client().server_info();
                line(out, "server", &format!("{server} is NATS {}, named {}", info.version, info.server_name))?;
            }
            match NatsJournal::open(context, &settings, NODE).await {
                Ok(journal) => writers.push(journal),
                Err(differs) if differs.is_final() => return must_not(out, &differs.to_string()),
                Err(failed) => return Err(CommandError::of(failed)),
            }
        }
        let held = writers[0].held().await.map_err(CommandError::of)?;
        line(out, "stream", &stream_is(&stream_name(&all.name), held))?;
        self.say_when_it_is_on_disk(out).await?;
        let most = self.races + self.appends;
        let told = |done: u32| {
            if done.is_multiple_of((most / 10).max(1)) {
                eprintln!("tried {done} of {most}");
            }
        };
        let trial = attempt(&writers, self.races, self.appends, told).await.map_err(CommandError::of)?;
        if trial.unfair > 0 {
            let why = format!("in {} of {} races not exactly one of {WRITERS} writers won", trial.unfair, trial.races);
            return must_not(out, &why);
        }
        line(out, "fence", &format!("of {WRITERS} writers one won, {} times of {}", trial.races, trial.races))?;
        line(out, "append", &times(&trial))?;
        line(out, "result", "a journal can rest on these servers")?;
        Ok(ExitCode::SUCCESS)
    }

    async fn say_when_it_is_on_disk(&self, out: &mut impl Write) -> Result<(), CommandError> {
        if self.monitors.is_empty() {
            let how = "not known: a server says it at its monitoring address alone (--monitor)";
            return line(out, "disk", how);
        }
        for monitor in &self.monitors {
            let (server, sync) = sync::of(monitor).await.map_err(CommandError)?;
            let said = match sync {
                Sync::Always => "has a record on its disk before it answers".to_owned(),
                Sync::Within { seconds } => format!(
                    "has a record on its disk up to {seconds} s after it answered: what was acknowledged is lost if all \
                     replicas lose power together; `sync_interval: always` in its jetstream block changes that"
                ),
            };
            line(out, "disk", &format!("{server} {said}"))?;
        }
        Ok(())
    }
}

fn stream_is(name: &str, held: Held) -> String {
    let Held { records, bytes, bytes_max: _, replicas, behind } = held;
    let behind = if behind > 0 { format!(", {behind} of them behind") } else { String::new() };
    format!("{name} is as it has to be: {replicas} replicas{behind}, {records} records, {bytes} bytes")
}

fn times(trial: &Trial) -> String {
    let [p50, p99] = [0.5, 0.99].map(|part| trial.quantile_ms(part));
    format!("{p50:.2} ms p50, {p99:.2} ms p99, of {} one after the other", trial.appends_ms.len())
}

fn line(out: &mut impl Write, what: &str, said: &str) -> Result<(), CommandError> {
    writeln!(out, "{what:<7} {said}").map_err(CommandError::of)
}

fn must_not(out: &mut impl Write, why: &str) -> Result<ExitCode, CommandError> {
    line(out, "result", &format!("a journal must not rest on these servers: {why}"))?;
    Ok(ExitCode::from(1))
}
