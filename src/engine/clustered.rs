//! What the engine has of a node's cluster: its way to the other nodes, who they are, and what is set for all.

use super::load::LeftBehind;
use super::passing::shapes::{Hint, Hinted};
use crate::cluster::{Part, Post, Roll, SharedSettings};
use crate::desk::ids::NodeNumber;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// What a workspace's task needs of the cluster.
pub struct Clustered {
    pub post: Arc<Post>,
    pub roll: watch::Receiver<Arc<Roll>>,
    /// To all nodes, on their way.
    pub hints: mpsc::Sender<Bytes>,
    /// Why this node must end, if it must.
    pub left_behind: watch::Sender<Option<LeftBehind>>,
    /// What workspaces may have, as it is set at any node.
    pub quotas: Arc<Part>,
    pub settings: Arc<SharedSettings>,
}

impl Clustered {
    #[must_use]
    pub fn own(&self) -> NodeNumber {
        self.post.own()
    }

    pub(super) async fn left_behind(&self) -> LeftBehind {
        let mut told = self.left_behind.subscribe();
        let why = told.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        why.expect("its sender is here")
    }

    pub(super) fn roll(&self) -> Arc<Roll> {
        self.roll.borrow().clone()
    }

    /// To all nodes, this one too: what is in no record and may be lost.
    pub(super) fn hint(&self, workspace: &str, hinted: Hinted) {
        let hint = Hint { workspace: workspace.into(), hinted };
        if let Ok(bytes) = hint.encode()
            && self.hints.try_send(bytes).is_err()
        {
            metrics::counter!("offhook_cluster_hints_dropped_total").increment(1);
        }
    }
}
