//! A node of a cluster: its journal on the servers of NATS, the keys that it shares, its lease, and its way to the other nodes.

use super::{StartFailed, failed};
use crate::cluster::{Lease, LeaseSettings, Post};
use crate::config::{ClusterSettings, Sections};
use crate::engine::{Clustered, Incoming};
use crate::gateway::auth::server_keys::ServerKeys;
use crate::journal::nats::{NatsJournal, NatsSettings, connect};
use crate::seal::{KeyRing, SharedKeys};
use async_nats::jetstream::Context;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Hints on their way to the servers of NATS.
const HINTS_MAX: usize = 1_024;

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
    /// The stream is not as it has to be, or cannot be made; or its journal is being brought there or was brought away.
    pub async fn journal(&self) -> Result<NatsJournal, StartFailed> {
        let journal = NatsJournal::open(self.context.clone(), &self.nats, &self.set.node).await;
        let journal = journal.map_err(failed("opening the cluster's journal"))?;
        unmarked(&journal).await?;
        Ok(journal)
    }

    /// From here on the others know of this node.
    ///
    /// # Errors
    /// There is no lease to be had, or the journal is being brought there or was brought away.
    pub async fn join(
        self,
        journal: NatsJournal,
        address: SocketAddr,
    ) -> Result<(Lease, (Clustered, Incoming)), StartFailed> {
        let ClusterSettings { node, lease_ms, .. } = self.set;
        let settings = LeaseSettings { node, address: address.to_string(), lease_ms };
        let client = self.context.client().clone();
        let lease = Lease::join(self.context, &self.nats, settings).await.map_err(failed("joining the cluster"))?;
        // Once more, behind the lease: whoever sets a mark looks after it who lives.
        if let Err(marked) = unmarked(&journal).await {
            lease.leave().await;
            return Err(marked);
        }
        let post = Post::open(client, &self.nats.name, lease.number(), self.nats.answer_within).await;
        let (post, questions, told) = post.map_err(failed("listening to the other nodes"))?;
        let (hint, hints) = mpsc::channel(HINTS_MAX);
        let post = Arc::new(post);
        let clustered = Clustered { post: post.clone(), roll: lease.rolls(), hints: hint };
        Ok((lease, (clustered, Incoming { journal, post, questions, told, hints })))
    }
}

async fn unmarked(journal: &NatsJournal) -> Result<(), StartFailed> {
    let doing = "looking whether a node may use the cluster's journal";
    match journal.mark().await.map_err(failed(doing))? {
        Some(mark) => Err(failed(doing)(mark)),
        None => Ok(()),
    }
}
