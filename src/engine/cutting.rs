//! The cut of a cluster's journal: what is older than the retention goes, once the views of all nodes have it on their disks.
//!
//! ```text
//! every 15 s, of what this node leads: is the first record old? ─▶ ask every node that lives how far its view is on the disk
//!   all said so ─▶ cut below the lowest of them, and below what is not old
//!   one did not, or its view is not even there ─▶ nothing goes; 15 s later again
//! ```
//!
//! A node that is not there holds nothing back: its view has what is older than its absence, so that nothing is missing if it comes back
//! within the retention. One that stays away for longer is refused when it starts, as one that begins with nothing is.

use super::passing::views::{ViewsAsked, ViewsTold, WORKSPACES_MAX};
use super::retention::is_old;
use super::run::stopped;
use super::{Clustered, Engine, Workspace};
use crate::clock;
use crate::cluster::Node;
use crate::journal::nats::NatsJournal;
use crate::journal::{Journal, Position};
use crate::telemetry::catalogue;
use crate::view::ViewFailed;
use futures_util::future::join_all;
use metrics::{counter, gauge};
use std::sync::Arc;
use std::time::Duration;

/// Soon: what became too old while nobody ran goes first.
const FIRST_AFTER: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_secs(15);
/// What other nodes cut is given back to quotas of storage so late: to find out how much it was all headers have to be read.
const MEASURED_ROUNDS: u32 = 240;
/// What holds a cut back is said at most so often.
const SAID_EVERY_MS: u64 = 60_000;

/// A workspace that this node leads and that has old records.
struct Candidate {
    workspace: Arc<Workspace>,
    first: Position,
    oldest_kept_ms: u64,
}

/// Why a workspace with old records is not cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Held {
    #[error("the node {node} does not say how far its view is on its disk")]
    Silent { node: Arc<str> },
    #[error("the view of the node {node} does not have the oldest records on its disk yet")]
    Behind { node: Arc<str> },
}

impl Held {
    /// The word for metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::Silent { .. } => "silent",
            Self::Behind { .. } => "behind",
        }
    }
}

/// How far a node's view of a workspace is on its disk, where it says so.
type OnDisk<'a> = (&'a Arc<str>, Option<u64>);

/// Below which position may be cut: of all that nodes have on their disks the least, where all of them say so.
fn cut_below<'a>(first: Position, nodes: impl IntoIterator<Item = OnDisk<'a>>) -> Result<Position, Held> {
    let mut lowest: Option<(u64, &Arc<str>)> = None;
    for (node, on_disk) in nodes {
        let on_disk = on_disk.ok_or_else(|| Held::Silent { node: node.clone() })?;
        if lowest.is_none_or(|(lowest, _)| on_disk < lowest) {
            lowest = Some((on_disk, node));
        }
    }
    match lowest {
        Some((lowest, _)) if lowest > first.0 => Ok(Position(lowest)),
        Some((_, node)) => Err(Held::Behind { node: node.clone() }),
        // Nobody is asked where there is no node.
        None => Ok(first),
    }
}

/// Until the server stops.
pub(super) async fn run(engine: Arc<Engine>, journal: NatsJournal, cluster: Arc<Clustered>) {
    let mut stop = engine.shared.stop.clone();
    let mut cutting = Cutting { engine, journal, cluster, done_to: None, say_at_ms: 0 };
    let (mut wait, mut rounds) = (FIRST_AFTER, 0_u32);
    loop {
        tokio::select! {
            // The pace of housekeeping: that a record became old is no event.
            () = tokio::time::sleep(wait) => {}
            () = stopped(&mut stop) => return,
        }
        tokio::select! {
            () = cutting.round() => {}
            () = stopped(&mut stop) => return,
        }
        wait = EVERY;
        rounds += 1;
        if rounds.is_multiple_of(MEASURED_ROUNDS) {
            cutting.engine.all().iter().for_each(|workspace| workspace.quota().measure_again());
        }
    }
}

struct Cutting {
    engine: Arc<Engine>,
    journal: NatsJournal,
    cluster: Arc<Clustered>,
    /// The last workspace of the round before, where there were more than one round may take.
    done_to: Option<Arc<str>>,
    say_at_ms: u64,
}

impl Cutting {
    async fn round(&mut self) {
        match self.journal.held().await {
            Ok(held) => {
                gauge!(catalogue::CLUSTER_STREAM_BYTES).set(held.bytes as f64);
                gauge!(catalogue::CLUSTER_STREAM_BYTES_MAX).set(held.bytes_max.unwrap_or(0) as f64);
            }
            Err(error) => tracing::debug!(%error, "what the stream holds is not known"),
        }
        let candidates = self.candidates().await;
        if candidates.is_empty() {
            return;
        }
        let told = self.told(&candidates).await;
        let mut held = Vec::new();
        for (place, candidate) in candidates.iter().enumerate() {
            let nodes = told.iter().map(|(node, told)| (node, told.as_ref().map(|told| told.on_disk[place])));
            match cut_below(candidate.first, nodes) {
                Ok(below) => self.cut(candidate, below).await,
                Err(why) => {
                    counter!(catalogue::CLUSTER_CUTS_HELD_TOTAL, "why" => why.word()).increment(1);
                    held.push((candidate.workspace.name(), why));
                }
            }
        }
        if let Some((workspace, why)) = held.first()
            && clock::monotonic_ms() >= self.say_at_ms
        {
            self.say_at_ms = clock::monotonic_ms() + SAID_EVERY_MS;
            tracing::warn!(%workspace, workspaces = held.len(), %why, "the journal is not cut now");
        }
    }

    /// What this node leads and has old records, in the order of names: one request for each that is looked at.
    async fn candidates(&mut self) -> Vec<Candidate> {
        let of_server = self.engine.kept_ms();
        let own = self.engine.own_retentions(of_server);
        let kept = |workspace: &Workspace| own.get(workspace.name()).copied().or(of_server);
        let led = |workspace: &Arc<Workspace>| !workspace.is_probes() && workspace.leads().is_some();
        let led = self.engine.all().into_iter().filter(led);
        let mut led: Vec<_> =
            led.filter_map(|workspace| kept(&workspace).map(|kept_ms| (workspace, kept_ms))).collect();
        let begin = self.done_to.take().map_or(0, |done| led.partition_point(|(held, _)| *held.name() <= done));
        led.rotate_left(begin);
        if led.len() > WORKSPACES_MAX {
            led.truncate(WORKSPACES_MAX);
            self.done_to = led.last().map(|(last, _)| last.name().clone());
        }
        let mut candidates = Vec::new();
        for (workspace, kept_ms) in led {
            let oldest_kept_ms = clock::wall_ms().saturating_sub(kept_ms);
            match self.journal.read(workspace.name(), Position::NOTHING, 1, 1).await.as_deref() {
                // The last one stays.
                Ok([first, ..]) if first.position < workspace.position() && is_old(first, oldest_kept_ms) => {
                    candidates.push(Candidate { workspace, first: first.position, oldest_kept_ms });
                }
                Ok(_) => {}
                Err(error) => {
                    self.done_to = None;
                    tracing::warn!(%error, "the journal could not be read for cutting");
                    break;
                }
            }
        }
        candidates
    }

    /// What each node that lives says, this one too; `None` where one says nothing of it.
    async fn told(&self, candidates: &[Candidate]) -> Vec<(Arc<str>, Option<ViewsTold>)> {
        let workspaces = candidates.iter().map(|candidate| candidate.workspace.name().clone()).collect();
        let asked = ViewsAsked { workspaces };
        let (roll, bytes) = (self.cluster.roll(), asked.encode());
        let ask = async |node: &Node| {
            let told = if node.number == roll.own {
                told(&self.engine, &asked).await.ok()
            } else {
                let answer = self.cluster.post.ask(node.number, bytes.clone()).await;
                answer.ok().and_then(|answer| ViewsTold::decode(&answer, candidates.len()))
            };
            (node.name.clone(), told)
        };
        join_all(roll.nodes.iter().map(ask)).await
    }

    async fn cut(&self, candidate: &Candidate, below: Position) {
        let (workspace, oldest_kept_ms) = (&candidate.workspace, candidate.oldest_kept_ms);
        // Somebody else may by now, who asks for itself.
        if workspace.leads().is_none() {
            return;
        }
        match self.journal.cut_old(workspace.name(), below, |stored| is_old(stored, oldest_kept_ms)).await {
            Ok(0) => {}
            Ok(records) => {
                counter!(catalogue::JOURNAL_CUT_RECORDS_TOTAL).increment(records);
                tracing::info!(workspace = %workspace.name(), records, "the journal was cut");
            }
            Err(error) => {
                counter!(catalogue::CLUSTER_CUTS_HELD_TOTAL, "why" => "failed").increment(1);
                tracing::warn!(workspace = %workspace.name(), %error, "the journal could not be cut");
            }
        }
    }
}

/// What a node that cuts is told of the view here.
///
/// # Errors
/// The view could not be synced: nothing is said.
pub(super) async fn told(engine: &Engine, asked: &ViewsAsked) -> Result<ViewsTold, ViewFailed> {
    let synced = engine.view().sync().await?;
    let on_disk = asked.workspaces.iter().map(|name| synced.get(name).copied().unwrap_or(0)).collect();
    Ok(ViewsTold { on_disk })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Position = Position(10);

    fn below(on_disk: &[Option<u64>]) -> Result<u64, String> {
        let names: Vec<Arc<str>> = (0..on_disk.len()).map(|node| format!("n{node}").into()).collect();
        let below = cut_below(FIRST, names.iter().zip(on_disk.iter().copied()));
        below.map(|below| below.0).map_err(|held| format!("{} {held}", held.word()))
    }

    #[test]
    fn below_the_lowest_of_all_nodes_may_be_cut() {
        assert_eq!(below(&[Some(500)]), Ok(500));
        assert_eq!(below(&[Some(500), Some(700), Some(300), Some(400)]), Ok(300));
        assert_eq!(below(&[Some(11), Some(700)]), Ok(11));
    }

    #[test]
    fn a_node_that_says_nothing_holds_everything_back() {
        let silent = "silent the node n1 does not say how far its view is on its disk";
        assert_eq!(below(&[Some(500), None, Some(700)]), Err(silent.to_owned()));
        assert_eq!(below(&[Some(0), None]), Err(silent.to_owned()));
    }

    #[test]
    fn a_node_that_makes_its_view_anew_holds_everything_back() {
        for behind in [0, 9, 10] {
            let held = below(&[Some(500), Some(behind), Some(700)]).expect_err("it is behind");
            assert!(held.starts_with("behind the view of the node n1"), "{behind}: {held}");
        }
    }
}
