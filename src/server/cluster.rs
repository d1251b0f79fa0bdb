//! A node of a cluster: its journal on the servers of NATS, its lease, and its way to the other nodes.

use super::{StartFailed, failed};
use crate::cluster::{Lease, LeaseSettings, Post};
use crate::config::Sections;
use crate::engine::{Clustered, Incoming};
use crate::journal::nats::{NatsJournal, connect};
use std::net::SocketAddr;
use std::sync::Arc;

/// What a node has before its engine runs.
pub struct Joined {
    pub journal: NatsJournal,
    pub lease: Lease,
    pub cluster: (Clustered, Incoming),
}

/// Joins the cluster that the settings name; `None` where they name none.
///
/// # Errors
/// The servers of NATS cannot be reached or are not as they have to be.
pub async fn join(set: &Sections, address: SocketAddr) -> Result<Option<Joined>, StartFailed> {
    let cluster = &set.cluster;
    if cluster.node.is_empty() {
        return Ok(None);
    }
    let nats = cluster.nats();
    let context = connect(&nats).await.map_err(failed("connecting to NATS"))?;
    let journal = NatsJournal::open(context.clone(), &nats, &cluster.node).await;
    let journal = journal.map_err(failed("opening the journal of the cluster"))?;
    let settings =
        LeaseSettings { node: cluster.node.clone(), address: address.to_string(), lease_ms: cluster.lease_ms };
    let lease = Lease::join(context.clone(), &nats, settings).await.map_err(failed("joining the cluster"))?;
    let (client, own) = (context.client().clone(), lease.number());
    let (post, questions) = Post::open(client, &nats.name, own, nats.answer_within)
        .await
        .map_err(failed("listening to the other nodes"))?;
    let post = Arc::new(post);
    let clustered = Clustered { post: post.clone(), roll: lease.rolls() };
    let incoming = Incoming { journal: journal.clone(), post, questions };
    Ok(Some(Joined { journal, lease, cluster: (clustered, incoming) }))
}
