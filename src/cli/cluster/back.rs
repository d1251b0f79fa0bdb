//! `offhook cluster return`: a cluster's journal and keys, brought back to a single server.

use super::moving::{Moving, Reached, Stopped, directory, line, view_reaches, workspaces};
use crate::backup;
use crate::cluster::mark;
use crate::config::Sections;
use crate::journal::carry::{self, Part};
use crate::journal::elsewhere;
use crate::journal::local_disk;
use crate::journal::lock::DataLock;
use crate::journal::nats::{Mark, stream_name};
use crate::journal::sqlite::{FILE_NAME, ReadOnlyJournal, Restoring};
use crate::journal::{Journal, Position};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "Examples:
  offhook --config offhook.toml cluster return
  offhook cluster return --to /var/lib/offhook --node a --server nats://10.0.0.1:4222 --server nats://10.0.0.2:4222

Stop all nodes first. The directory is that of a node, or has the cluster's master.key and server.key; a journal.db in it is gone on with if
it is the beginning of the same history. What no flag says is as in the settings. Broken off, it is run again, and goes on where it was; until
it has ended no server starts from the directory. Nothing is taken out of the cluster; but no node starts there any more, as long as
`offhook cluster adopt` has not brought it back.
Progress is on standard error. Ends with 0 when a single server can be started from the directory, 1 when that is refused (the last line says
why), 2 when it could not be done now: run it again.";

/// Brings the journal and the keys of a cluster back to a single server.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Return {
    /// The data directory of the single server, which is that of a node until now; without it that of the settings.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    #[command(flatten)]
    moving: Moving,
}

impl Return {
    pub(super) async fn run(&self, set: &Sections, out: &mut impl Write) -> Result<String, Stopped> {
        let dir = directory(self.to.as_ref(), set);
        if !dir.join("server.key").is_file() {
            let how =
                "has no server.key: name the data directory of a node, or copy master.key and server.key there first";
            return Err(Stopped::Refused(format!("{} {how}", dir.display())));
        }
        local_disk::require(&dir).map_err(Stopped::of)?;
        let _lock = DataLock::take(&dir).map_err(Stopped::of)?;
        backup::is_finished(&dir).map_err(Stopped::of)?;
        let cluster = self.moving.reach(set).await?;
        let stream = stream_name(&cluster.nats.name);
        if cluster.journal.mark().await.map_err(Stopped::of)? == Some(Mark::Adopting) {
            return Err(Stopped::Refused(format!("{stream}: {}", Mark::Adopting)));
        }
        cluster.without_nodes().await?;
        let parts = planned(&cluster, &dir).await?;
        if parts.iter().all(Part::is_of_one_node) {
            return Err(Stopped::Refused(format!("{stream} has no workspace")));
        }
        view_reaches(&dir, &parts)?;

        elsewhere::goes_on_in(&dir, &cluster.nats.name).map_err(Stopped::of)?;
        cluster.keys(&dir).await?;
        let mut sink = Restoring::go_on(&dir).map_err(Stopped::of)?;
        let carried = cluster.carry(&cluster.journal, &mut sink, &parts).await;
        // What came is kept, whatever it ended with.
        sink.end().map_err(Stopped::of)?;
        carried?;
        let copy = ReadOnlyJournal::open(&dir).map_err(Stopped::of)?;
        let compared = cluster.compare(&cluster.journal, &copy, &parts).await?;

        cluster.journal.set_mark(Mark::Returned).await.map_err(Stopped::of)?;
        // One that began before the mark was there did not see it, and may have written.
        if let Err(stopped) = nobody_came(&cluster, &parts).await {
            cluster.journal.remove_mark().await.map_err(Stopped::of)?;
            return Err(stopped);
        }
        // Again, with all that a node made meanwhile: from here on keys are made in the directory alone.
        cluster.keys(&dir).await?;
        let all = workspaces(&parts, &compared, &vec![0; parts.len()], out)?;
        let said = "webhooks and quotas are as this directory's node has them, sign-ins and the audit trail are its own, and files are those that it took or fetched";
        line(out, "note", said)?;
        mark(&dir, "").and_then(|()| elsewhere::goes_on_here(&dir)).map_err(Stopped::of)?;
        Ok(format!("{all} records of {stream} are in {}: start it without the section [cluster]", dir.display()))
    }
}

async fn planned(cluster: &Reached, dir: &Path) -> Result<Vec<Part>, Stopped> {
    if !dir.join(FILE_NAME).is_file() {
        return Ok(carry::plan(&cluster.journal, None).await?);
    }
    let there = ReadOnlyJournal::open(dir).map_err(Stopped::of)?;
    let parts = carry::plan(&cluster.journal, Some(&there)).await?;
    // A directory's own records that no cluster has would be a second history.
    for workspace in there.workspaces().await.map_err(Stopped::of)? {
        let last = carry::extent_of(&there, &workspace).await.map_err(Stopped::of)?.map(|held| held.last);
        let part = parts.iter().find(|part| part.workspace == workspace && !part.is_of_one_node());
        let in_cluster = part.map_or(Position::NOTHING, |part| part.source.last);
        if let Some(position) = last.filter(|last| *last > in_cluster && !workspace.starts_with('_')) {
            let said =
                format!("{} has {workspace} up to position {position}, and the cluster has less of it", dir.display());
            return Err(Stopped::Refused(said));
        }
    }
    Ok(parts)
}

/// # Errors
/// A node lives, or wrote since this was planned.
async fn nobody_came(cluster: &Reached, parts: &[Part]) -> Result<(), Stopped> {
    cluster.without_nodes().await?;
    for part in parts.iter().filter(|part| !part.is_of_one_node()) {
        let now = carry::extent_of(&cluster.journal, &part.workspace).await.map_err(Stopped::of)?;
        if now.is_none_or(|now| now.last != part.source.last) {
            return Err(Stopped::of(format!("a node has written to {} meanwhile: run it again", part.workspace)));
        }
    }
    Ok(())
}
