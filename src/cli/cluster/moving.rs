//! What `adopt` and `return` have in common: who is meant, keys, progress, and lines of the report.

use super::servers::{Servers, token};
use crate::backup::Meter;
use crate::cli::CommandError;
use crate::cluster::living;
use crate::config::Sections;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::journal::Journal;
use crate::journal::carry::{self, CarryFailed, Part, Sink};
use crate::journal::nats::{NatsJournal, NatsSettings, connect, with_source};
use crate::seal::{KeyRing, OpenFailed, SharedKeys};
use crate::view;
use async_nats::jetstream::Context;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bodies that are read at once, where no pace is set.
const PAGE_BYTES_MAX: u64 = 4 << 20;
/// With one, a page is what goes in a part of a second; this at least.
const PAGE_BYTES_MIN: u64 = 4 << 10;
const PAGES_PER_S: u64 = 8;

#[derive(Debug, Args)]
pub(super) struct Moving {
    /// The name of the node that has the data directory; without it cluster.node.
    #[arg(long, value_name = "NAME", value_parser = token)]
    node: Option<String>,
    #[command(flatten)]
    servers: Servers,
    /// The most that is copied in a second; 0: as fast as it goes.
    #[arg(long, default_value_t = 0, value_name = "BYTES")]
    bytes_per_s: u64,
}

/// Why nothing, or no more, was done.
pub(super) enum Stopped {
    /// It would be so the next time: ends with 1.
    Refused(String),
    /// It could not be done now: ends with 2.
    Failed(CommandError),
}

impl Stopped {
    pub fn of(why: impl std::fmt::Display) -> Self {
        Self::Failed(CommandError::of(why))
    }
}

impl From<CarryFailed> for Stopped {
    fn from(failed: CarryFailed) -> Self {
        match failed.is_final() {
            true => Self::Refused(failed.to_string()),
            false => Self::of(failed),
        }
    }
}

/// The cluster that is meant, reached.
pub(super) struct Reached {
    pub context: Context,
    pub nats: NatsSettings,
    pub journal: NatsJournal,
    bytes_per_s: u64,
}

impl Moving {
    pub async fn reach(&self, set: &Sections) -> Result<Reached, Stopped> {
        let node = self.node.as_deref().unwrap_or(&set.cluster.node);
        if node.is_empty() {
            let how = "cluster.node is empty: name there, or with --node, the node that has this data directory";
            return Err(Stopped::of(how));
        }
        let nats = self.servers.over(&set.cluster.nats()).map_err(Stopped::Failed)?;
        let context = connect(&nats).await.map_err(Stopped::of)?;
        let journal =
            NatsJournal::open(context.clone(), &nats, node).await.map_err(|failed| match failed.is_final() {
                true => Stopped::Refused(failed.to_string()),
                false => Stopped::of(failed),
            })?;
        Ok(Reached { context, nats, journal, bytes_per_s: self.bytes_per_s })
    }
}

impl Reached {
    /// # Errors
    /// A node lives, or nobody knows.
    pub async fn without_nodes(&self) -> Result<(), Stopped> {
        let waits = |names: &[&str]| eprintln!("waiting whether these nodes live: {}", names.join(", "));
        let living = living(&self.context, &self.nats, waits).await.map_err(Stopped::of)?;
        match living.is_empty() {
            true => Ok(()),
            false => Err(Stopped::Refused(format!(
                "these nodes of the cluster live: {}; stop all of them",
                living.join(", ")
            ))),
        }
    }

    /// The keys of the directory and those of the cluster are the same when this returns, and each has all of them.
    ///
    /// # Errors
    /// The directory has keys that are not the cluster's, or they could not be had.
    pub async fn keys(&self, dir: &Path) -> Result<(), Stopped> {
        eprintln!("sharing customers' keys");
        let server_keys = ServerKeys::load_or_make(dir).map_err(Stopped::of)?;
        let shared = SharedKeys::open(self.context.clone(), &self.nats, &server_keys.fingerprint()).await;
        KeyRing::share(dir, shared.map_err(Stopped::of)?).await.map_err(|failed| match failed {
            OpenFailed::OtherCluster { .. } | OpenFailed::OtherKeys { .. } => Stopped::Refused(failed.to_string()),
            failed => Stopped::of(with_source(&failed)),
        })
    }

    fn page_bytes(&self) -> usize {
        match self.bytes_per_s {
            0 => PAGE_BYTES_MAX as usize,
            pace => (pace / PAGES_PER_S).clamp(PAGE_BYTES_MIN, PAGE_BYTES_MAX) as usize,
        }
    }

    pub async fn carry(&self, source: &dyn Journal, sink: &mut impl Sink, parts: &[Part]) -> Result<(), CarryFailed> {
        let mut progress = std::io::stderr();
        let mut meter = Meter::new(self.bytes_per_s, &mut progress);
        meter.begin("copying records", parts.iter().map(|part| part.bytes).sum());
        for part in parts {
            let told = async |bytes: usize| {
                if let Some(early) = meter.early(bytes) {
                    // The pace that was asked for.
                    tokio::time::sleep(early).await;
                }
            };
            carry::carry(source, sink, part, self.page_bytes(), told).await?;
        }
        Ok(())
    }

    /// Reads everything in both, and says how many records each workspace has.
    pub async fn compare(
        &self,
        source: &dyn Journal,
        target: &dyn Journal,
        parts: &[Part],
    ) -> Result<Vec<u64>, CarryFailed> {
        let mut progress = std::io::stderr();
        let mut meter = Meter::new(0, &mut progress);
        meter.begin("comparing all records", 0);
        let mut compared = Vec::new();
        for part in parts {
            let told = async |bytes: usize| meter.saw(bytes);
            compared.push(carry::same(source, target, part, PAGE_BYTES_MAX as usize, told).await?);
        }
        Ok(compared)
    }
}

/// A journal that was cut has a part of its history in the view alone.
///
/// # Errors
/// The view of this directory does not reach to where the journal begins.
pub(super) fn view_reaches(dir: &Path, parts: &[Part]) -> Result<(), Stopped> {
    let path = dir.join(view::FILE_NAME);
    let reached = view::reached(&path).map_err(Stopped::of)?;
    for part in parts.iter().filter(|part| !part.is_of_one_node()) {
        let (first, view) = (part.source.first.0, reached.get(&*part.workspace).copied().unwrap_or(0));
        if view + 1 < first {
            return Err(Stopped::Refused(format!(
                "the journal of {} begins at position {first}, and {} has it up to {view}: what is between them is lost",
                part.workspace,
                path.display()
            )));
        }
    }
    Ok(())
}

/// The workspaces that people have, whose journals do not go back to their beginning.
pub(super) fn cut(parts: &[Part]) -> Vec<&str> {
    let cut = parts.iter().filter(|part| part.source.first.0 > 1 && !part.is_of_one_node());
    cut.map(|part| &*part.workspace).collect()
}

/// A line for each workspace of people; `gone_on` says which have more in the target than was there to be copied.
pub(super) fn workspaces(
    parts: &[Part],
    compared: &[u64],
    gone_on: &[u64],
    out: &mut impl Write,
) -> Result<u64, Stopped> {
    let mut all = 0;
    for ((part, compared), more) in
        parts.iter().zip(compared).zip(gone_on).filter(|((part, _), _)| !part.is_of_one_node())
    {
        let (first, last, copied) = (part.source.first, part.source.last, part.records);
        let more = if *more > 0 { format!("; {more} more are there, of later") } else { String::new() };
        let said = format!(
            "{} is the same from {first} to {last}: {copied} records copied, {compared} compared{more}",
            part.workspace
        );
        line(out, "journal", &said)?;
        all += compared;
    }
    Ok(all)
}

pub(super) fn line(out: &mut impl Write, what: &str, said: &str) -> Result<(), Stopped> {
    writeln!(out, "{what:<7} {said}").map_err(Stopped::of)
}

/// The directory that is meant.
pub(super) fn directory(said: Option<&PathBuf>, set: &Sections) -> PathBuf {
    said.unwrap_or(&set.server.data_dir).clone()
}
