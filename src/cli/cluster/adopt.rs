//! `offhook cluster adopt`: a single server's journal and keys, brought into a cluster that has no node yet.

use super::moving::{Moving, Stopped, cut, directory, line, view_reaches, workspaces};
use crate::backup;
use crate::config::Sections;
use crate::files::FILES_DIR_NAME;
use crate::journal::carry::{self, CarryFailed, Part};
use crate::journal::elsewhere;
use crate::journal::lock::DataLock;
use crate::journal::nats::{Mark, NatsJournal, stream_name};
use crate::journal::sqlite::ReadOnlyJournal;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "Examples:
  offhook --config offhook.toml cluster adopt
  offhook cluster adopt --from /var/lib/offhook --node a --server nats://10.0.0.1:4222 --server nats://10.0.0.2:4222

Stop the single server first, and start no node before this has ended. What no flag says is as in the settings. Every record is copied as it
is, and then read in both and compared. Broken off, it is run again, and goes on where it was; until it has ended no node starts. Nothing is
taken out of the data directory: the node uses its keys and its view, and journal.db stays as it is.
Progress is on standard error. Ends with 0 when everything is in the cluster, 1 when that is refused (the last line says why), 2 when it
could not be done now: run it again.";

/// Brings a single server's journal and keys into a cluster without nodes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Adopt {
    /// The data directory of the single server; without it that of the settings.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    #[command(flatten)]
    moving: Moving,
}

impl Adopt {
    pub(super) async fn run(&self, set: &Sections, out: &mut impl Write) -> Result<String, Stopped> {
        let dir = directory(self.from.as_ref(), set);
        // Absent before locked: taking the lock makes a file.
        let source = ReadOnlyJournal::open(&dir).map_err(Stopped::of)?;
        let _lock = DataLock::take(&dir).map_err(Stopped::of)?;
        backup::is_finished(&dir).map_err(Stopped::of)?;
        let cluster = self.moving.reach(set).await?;
        let stream = stream_name(&cluster.nats.name);
        cluster.without_nodes().await?;
        let parts = carry::plan(&source, Some(&cluster.journal)).await?;
        if parts.iter().all(Part::is_of_one_node) {
            return Err(Stopped::Refused(format!("the journal in {} has no workspace", dir.display())));
        }
        room(&cluster.journal, &parts).await?;
        view_reaches(&dir, &parts)?;
        notes(&dir, &parts, out)?;

        cluster.keys(&dir).await?;
        let before = cluster.journal.mark().await.map_err(Stopped::of)?;
        cluster.journal.set_mark(Mark::Adopting).await.map_err(Stopped::of)?;
        // Again: one that began before the mark was there did not see it.
        if let Err(stopped) = cluster.without_nodes().await {
            let restored = match before {
                None => cluster.journal.remove_mark().await,
                Some(mark) => cluster.journal.set_mark(mark).await,
            };
            restored.map_err(Stopped::of)?;
            return Err(stopped);
        }
        let mut sink = cluster.journal.clone();
        cluster.carry(&source, &mut sink, &parts).await?;
        let compared = cluster.compare(&source, &cluster.journal, &parts).await?;
        let gone_on = gone_on(&cluster.journal, &parts).await?;
        let all = workspaces(&parts, &compared, &gone_on, out)?;
        // First here: when the nodes may start, this must not go on as a single server.
        elsewhere::goes_on_in(&dir, &cluster.nats.name).map_err(Stopped::of)?;
        cluster.journal.remove_mark().await.map_err(Stopped::of)?;
        Ok(format!("{all} records of {} are in {stream}: start the node that has this directory", dir.display()))
    }
}

/// # Errors
/// The stream's limit leaves too little.
async fn room(journal: &NatsJournal, parts: &[Part]) -> Result<(), Stopped> {
    let needed = parts.iter().map(|part| journal.stored_bytes(&part.workspace, part.records, part.bytes)).sum();
    match journal.free_bytes().await.map_err(Stopped::of)? {
        Some(free) if free < needed => Err(CarryFailed::NoRoom { needed, free }.into()),
        _ => Ok(()),
    }
}

/// How many records each has in the cluster behind what was to be copied.
async fn gone_on(journal: &NatsJournal, parts: &[Part]) -> Result<Vec<u64>, Stopped> {
    let mut more = Vec::new();
    for part in parts {
        let there = carry::extent_of(journal, &part.workspace).await.map_err(Stopped::of)?;
        more.push(there.map_or(0, |there| there.last.0.saturating_sub(part.source.last.0)));
    }
    Ok(more)
}

/// What does not come along, or not by itself.
fn notes(dir: &Path, parts: &[Part], out: &mut impl Write) -> Result<(), Stopped> {
    let files = dir.join(FILES_DIR_NAME);
    if std::fs::read_dir(&files).is_ok_and(|mut entries| entries.next().is_some()) {
        let said =
            "files of messages are put where all nodes find them by this node, once it runs; keep them here until then";
        line(out, "note", said)?;
    }
    let cut = cut(parts);
    if !cut.is_empty() {
        let said = format!(
            "the beginning of these is in the view alone: {}; the other nodes begin with a backup of this one, once it runs: `offhook restore \
             --new-node`",
            cut.join(", ")
        );
        line(out, "note", &said)?;
    }
    Ok(())
}
