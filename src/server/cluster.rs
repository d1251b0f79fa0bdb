//! A node of a cluster: its journal on the servers of NATS, the keys that it shares, its lease, and its way to the other nodes.

use super::{StartFailed, failed};
use crate::cluster::{Lease, LeaseSettings, Post, TakenOver};
use crate::config::{ClusterSettings, Sections};
use crate::engine::workspace::PROBES;
use crate::engine::{Clustered, Incoming, LeftBehind};
use crate::gateway::auth::server_keys::ServerKeys;
use crate::journal::nats::{NatsJournal, NatsSettings, connect};
use crate::journal::{Journal, Position};
use crate::seal::{KeyRing, SharedKeys};
use crate::view::View;
use async_nats::jetstream::Context;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Hints on their way to the servers of NATS.
const HINTS_MAX: usize = 1_024;

/// Why a node of a cluster must end.
#[derive(Debug, thiserror::Error)]
pub enum MustEnd {
    #[error(transparent)]
    TakenOver(#[from] TakenOver),
    #[error(transparent)]
    LeftBehind(#[from] LeftBehind),
}

/// Whether the journal goes on from a view, which begins so for each workspace; records that were cut are in it alone.
///
/// # Errors
/// What is between the two is in neither.
pub(super) fn goes_on(view: &View, firsts: &[(Arc<str>, Position)]) -> Result<(), LeftBehind> {
    let behind = |(name, first): &&(Arc<str>, Position)| first.0 > view.position(name) + 1;
    firsts.iter().find(behind).map_or(Ok(()), |(workspace, first)| {
        let view = Position(view.position(workspace));
        Err(LeftBehind { workspace: workspace.clone(), first: *first, view })
    })
}

/// Whether the probe's journal, which is this node's own, goes on from a view, which may have been another node's.
///
/// # Errors
/// The journal cannot be asked.
pub(super) async fn probes_go_on(view: &View, journal: &Arc<dyn Journal>) -> Result<bool, StartFailed> {
    let (probes, stands) = (Arc::from(PROBES), Position(view.position(PROBES)));
    let asking = "asking the probe's journal";
    let tail = journal.tail(&probes).await.map_err(failed(asking))?;
    let next = journal.read(&probes, stands, 1, 1).await.map_err(failed(asking))?;
    Ok(match next.first() {
        Some(next) => next.position == stands.next(),
        None => tail.is_none_or(|tail| tail.position == stands),
    })
}

/// The way to the servers of NATS.
pub struct Way {
    context: Context,
    nats: NatsSettings,
    set: ClusterSettings,
}

impl Way {
    /// `None` where the settings name no cluster.
    ///
    /// # Errors
    /// The servers cannot be reached, or are too old.
    pub async fn open(set: &Sections) -> Result<Option<Self>, StartFailed> {
        let set = set.cluster.clone();
        if set.node.is_empty() {
            return Ok(None);
        }
        let nats = set.nats();
        let context = connect(&nats).await.map_err(failed("connecting to NATS"))?;
        Ok(Some(Self { context, nats, set }))
    }

    /// # Errors
    /// The keys here are not those of the cluster, or cannot be had.
    pub async fn keys(&self, dir: &Path, server_keys: &ServerKeys) -> Result<KeyRing, StartFailed> {
        let shared = SharedKeys::open(self.context.clone(), &self.nats, &server_keys.fingerprint()).await;
        let shared = shared.map_err(failed("opening the cluster's keys"))?;
        KeyRing::open_shared(dir, shared).await.map_err(failed("opening customers' keys"))
    }

    /// # Errors
    /// The stream is not as it has to be, or cannot be made.
    pub async fn journal(&self) -> Result<NatsJournal, StartFailed> {
        let journal = NatsJournal::open(self.context.clone(), &self.nats, &self.set.node).await;
        journal.map_err(failed("opening the cluster's journal"))
    }

    /// From here on the others know of this node.
    ///
    /// # Errors
    /// There is no lease to be had.
    pub async fn join(
        self,
        journal: NatsJournal,
        address: SocketAddr,
    ) -> Result<(Lease, (Clustered, Incoming)), StartFailed> {
        let ClusterSettings { node, lease_ms, .. } = self.set;
        let settings = LeaseSettings { node, address: address.to_string(), lease_ms };
        let client = self.context.client().clone();
        let lease = Lease::join(self.context, &self.nats, settings).await.map_err(failed("joining the cluster"))?;
        let post = Post::open(client, &self.nats.name, lease.number(), self.nats.answer_within).await;
        let (post, questions, told) = post.map_err(failed("listening to the other nodes"))?;
        let (hint, hints) = mpsc::channel(HINTS_MAX);
        let post = Arc::new(post);
        let clustered =
            Clustered { post: post.clone(), roll: lease.rolls(), hints: hint, left_behind: watch::Sender::default() };
        Ok((lease, (clustered, Incoming { journal, post, questions, told, hints })))
    }
}
