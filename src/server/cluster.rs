//! A node of a cluster: its journal on the servers of NATS, the keys and the files that it shares, its lease, and its way to the other nodes.

use super::{StartFailed, failed};
use crate::clock;
use crate::cluster::{JoinFailed, Lease, LeaseSettings, Post, SharedSettings, TakenOver};
use crate::config::{ClusterSettings, Sections};
use crate::engine::{Clustered, Incoming, LeftBehind};
use crate::files::SharedFiles;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::journal::nats::{NatsJournal, NatsSettings, StreamFailed, connect};
use crate::seal::{KeyRing, SharedKeys};
use async_nats::jetstream::Context;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Hints on their way to the servers of NATS.
const HINTS_MAX: usize = 1_024;

/// A start that falls into an election of NATS, which takes 4 to 8 s, goes on behind it.
const PATIENCE_MS: u64 = 20_000;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Why a node of a cluster must end.
#[derive(Debug, thiserror::Error)]
pub enum MustEnd {
    #[error(transparent)]
    TakenOver(#[from] TakenOver),
    #[error(transparent)]
    LeftBehind(#[from] LeftBehind),
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
        let fingerprint = server_keys.fingerprint();
        let open = || SharedKeys::open(self.context.clone(), &self.nats, &fingerprint);
        let shared = patiently("opening the cluster's keys", StreamFailed::is_final, open).await?;
        KeyRing::open_shared(dir, shared).await.map_err(failed("opening customers' keys"))
    }

    /// # Errors
    /// The stream is not as it has to be, or cannot be made; or its journal is being brought there or was brought away.
    pub async fn journal(&self) -> Result<NatsJournal, StartFailed> {
        let open = || NatsJournal::open(self.context.clone(), &self.nats, &self.set.node);
        let journal = patiently("opening the cluster's journal", StreamFailed::is_final, open).await?;
        unmarked(&journal).await?;
        Ok(journal)
    }

    /// # Errors
    /// The stream is not as it has to be, or cannot be made.
    pub async fn files(&self) -> Result<SharedFiles, StartFailed> {
        let bytes_max = (self.set.files_bytes_max > 0).then_some(self.set.files_bytes_max);
        let open = || SharedFiles::open(self.context.clone(), &self.nats, bytes_max);
        patiently("opening the cluster's files", StreamFailed::is_final, open).await
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
        let open = || SharedSettings::open(self.context.clone(), &self.nats);
        let shared = Arc::new(patiently("opening the cluster's settings", StreamFailed::is_final, open).await?);
        let ClusterSettings { node, lease_ms, .. } = self.set;
        let settings = LeaseSettings { node, address: address.to_string(), lease_ms };
        let client = self.context.client().clone();
        let join = || Lease::join(self.context.clone(), &self.nats, settings.clone());
        let lease = patiently("joining the cluster", JoinFailed::is_final, join).await?;
        // Once more, behind the lease: whoever sets a mark looks after it who lives.
        if let Err(marked) = unmarked(&journal).await {
            lease.leave().await;
            return Err(marked);
        }
        let post = Post::open(client, &self.nats.name, lease.number(), self.nats.answer_within).await;
        let (post, questions, told) = post.map_err(failed("listening to the other nodes"))?;
        let (hint, hints) = mpsc::channel(HINTS_MAX);
        let post = Arc::new(post);
        let clustered = Clustered {
            post: post.clone(),
            roll: lease.rolls(),
            hints: hint,
            left_behind: watch::Sender::default(),
            quotas: shared.part("quota"),
            settings: shared,
        };
        Ok((lease, (clustered, Incoming { journal, post, questions, told, hints })))
    }
}

async fn unmarked(journal: &NatsJournal) -> Result<(), StartFailed> {
    let doing = "looking whether a node may use the cluster's journal";
    match patiently(doing, |_| false, || journal.mark()).await? {
        Some(mark) => Err(failed(doing)(mark)),
        None => Ok(()),
    }
}

/// Again and again, unless waiting would not mend it.
pub(super) async fn patiently<T, E: Display, F: Future<Output = Result<T, E>>>(
    doing: &'static str,
    is_final: impl Fn(&E) -> bool,
    attempt: impl Fn() -> F,
) -> Result<T, StartFailed> {
    let until_ms = clock::monotonic_ms() + PATIENCE_MS;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(why) if is_final(&why) || clock::monotonic_ms() >= until_ms => return Err(failed(doing)(why)),
            Err(error) => tracing::warn!(%error, "{doing}: again, for {} s at most", PATIENCE_MS / 1_000),
        }
        // Servers that elect tell nobody when they have.
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
