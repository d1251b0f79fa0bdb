//! Quotas of a cluster: what is set at one node holds at all. Each has them in its own file too, and starts with those.

use super::{NotKept, OwnQuota};
use crate::cluster::{NotShared, Part, Said};
use crate::engine::Engine;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Before what could not be said to the others is tried again.
const AGAIN_AFTER: std::time::Duration = std::time::Duration::from_millis(500);

/// Sets a workspace's own quota at all nodes; it holds at this one when this returns.
pub(in crate::engine) async fn put(part: &Part, workspace: &str, own: OwnQuota) -> Result<(), NotKept> {
    let value = serde_json::to_vec(&own).expect("names and numbers");
    let revision = part.change(workspace, |_| Ok::<_, NotShared>(Some(value.clone()))).await?;
    Ok(part.until_heard(revision).await?)
}

/// Takes in what is set, wherever that is. What this node had before there was anything of it in the cluster is set for all.
pub(in crate::engine) async fn follow(engine: Arc<Engine>, part: Arc<Part>) {
    let mut following = part.follow();
    let mut unsaid: BTreeMap<Arc<str>, OwnQuota> = engine.quotas.set().into_iter().collect();
    loop {
        let (said, is_all) = following.next().await;
        let set: Vec<(Arc<str>, OwnQuota)> = said.iter().filter_map(quota).collect();
        unsaid.retain(|workspace, _| said.iter().all(|said| said.name != *workspace));
        match take_in(&engine, set).await {
            Ok(()) => following.taken(),
            Err(not_kept) => following.again(&not_kept).await,
        }
        if is_all {
            for (workspace, own) in std::mem::take(&mut unsaid) {
                say(&part, &workspace, own).await;
            }
        }
    }
}

/// Until it is said, or another node was first.
async fn say(part: &Part, workspace: &str, own: OwnQuota) {
    let value = serde_json::to_vec(&own).expect("names and numbers");
    let unless_there = |there: Option<&[u8]>| Ok::<_, NotShared>(there.is_none().then(|| value.clone()));
    while let Err(error) = part.change(workspace, unless_there).await {
        tracing::warn!(%error, workspace, "a quota of this node is not told to the others; tried again until it is");
        // Servers tell nobody when they take something again.
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// What nobody of ours wrote, or a newer release did, changes nothing.
fn quota(said: &Said) -> Option<(Arc<str>, OwnQuota)> {
    match serde_json::from_slice(&said.value) {
        Ok(own) => Some((said.name.clone(), own)),
        Err(error) => {
            tracing::error!(workspace = &*said.name, %error, "a quota that is set for all nodes cannot be read");
            None
        }
    }
}

async fn take_in(engine: &Arc<Engine>, set: Vec<(Arc<str>, OwnQuota)>) -> Result<(), NotKept> {
    let engine = engine.clone();
    let taken = tokio::task::spawn_blocking(move || {
        engine.quotas.put_all(&set)?;
        for workspace in set.iter().filter_map(|(name, _)| engine.workspace(name)) {
            workspace.quota().set(&engine.quotas.of(workspace.name()).0);
        }
        Ok(())
    });
    taken.await.unwrap_or_else(|gone| std::panic::resume_unwind(gone.into_panic()))
}
