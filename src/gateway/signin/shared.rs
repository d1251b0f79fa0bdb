//! The sign-ins of a cluster: who signs in at one node is signed in at all, and who signs out is out everywhere. Each agent's are one entry of
//! what nodes share (`cluster/settings.rs`), sealed, since the providers' ID tokens are in it; each node hears of all of them, and has them
//! in its own `signins.db`.
//!
//! A node takes nobody in before it has heard of everything that was said while it was away.

use super::Endings;
use super::of_agent::OfAgent;
use super::roll::Changed;
use super::store::NotKept;
use crate::cluster::{NotShared, Said, SealedPart};
use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

/// Before what could not be said to the others is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Questions for sign-ins of which this node has not heard. Who comes with one beyond that is refused, as with one that has ended.
const ASKED_MAX: usize = 16;

pub(super) struct SharedSignins {
    part: SealedPart,
    asked: Semaphore,
}

impl From<NotShared> for NotKept {
    fn from(not_shared: NotShared) -> Self {
        Self(not_shared.to_string())
    }
}

impl SharedSignins {
    pub fn new(part: SealedPart) -> Self {
        Self { part, asked: Semaphore::new(ASKED_MAX) }
    }

    /// Changes an agent's at all nodes; it is so here when this returns.
    pub async fn change(&self, name: &OfAgent, mut change: impl FnMut(&mut OfAgent) -> bool) -> Result<(), NotKept> {
        let changed = |of: &mut OfAgent| {
            (of.workspace, of.agent) = (name.workspace.clone(), name.agent.clone());
            Ok::<_, NotShared>(change(of))
        };
        let revision = self.part.change(&entry(name), changed).await?;
        Ok(self.part.until_heard(revision).await?)
    }

    /// Waits for one that began at another node, if it did.
    pub async fn hear(&self, name: &OfAgent, signin: u128) {
        let Ok(_place) = self.asked.try_acquire() else { return };
        let heard = match self.part.read::<OfAgent>(&entry(name)).await {
            Ok(Some((of, revision))) if of.has(signin) => self.part.until_heard(revision).await,
            Ok(_) => Ok(()),
            Err(not_read) => Err(not_read),
        };
        if let Err(error) = heard {
            tracing::warn!(%error, workspace = %name.workspace, "whether somebody signed in at another node cannot be found out");
        }
    }

    /// What an entry says; nothing where it cannot be read, which stops no other.
    fn said(&self, said: &Said) -> Option<OfAgent> {
        let read = self.part.open(&said.name, &said.value);
        read.inspect_err(|error| tracing::error!(%error, "sign-ins that nodes share are passed over")).ok()
    }
}

/// Agents are called by their own ids, which may have any sign in them.
fn entry(of: &OfAgent) -> String {
    let mut name = format!("{}.", of.workspace);
    for byte in &Sha256::digest(of.agent.as_bytes())[..16] {
        write!(name, "{byte:02x}").expect("a string takes all");
    }
    name
}

/// For ever: takes in what is said at any node, and does here what it means for those who are connected. What this node had before there was
/// anything of it in the cluster is said to all. `ready` hears when it was all.
pub(super) async fn follow(endings: Endings, shared: Arc<SharedSignins>, ready: watch::Sender<bool>) {
    let own = endings.signins.roll.read().unwrap_or_else(PoisonError::into_inner).agents();
    let own = own.into_iter().map(|(workspace, agent)| OfAgent::none(&workspace, &agent));
    let mut unsaid: BTreeMap<String, OfAgent> = own.map(|name| (entry(&name), name)).collect();
    let mut following = shared.part.follow();
    loop {
        let (said, is_all) = following.next().await;
        unsaid.retain(|name, _| said.iter().all(|said| *said.name != **name));
        let all = said.iter().filter_map(|said| shared.said(said)).collect();
        match take_in(&endings, all).await {
            Ok(()) => following.taken(),
            Err(not_kept) => {
                following.again(&not_kept).await;
                continue;
            }
        }
        if is_all {
            for name in std::mem::take(&mut unsaid).into_values() {
                say(&endings, &shared, &name).await;
            }
            ready.send_replace(true);
        }
    }
}

/// Until it is said, or another node was first.
async fn say(endings: &Endings, shared: &SharedSignins, name: &OfAgent) {
    while let Err(error) = try_to_say(endings, shared, name).await {
        tracing::warn!(%error, workspace = %name.workspace, "who is signed in at this node is not told to the others; tried again until it is");
        // Servers tell nobody when they take something again.
        sleep(AGAIN_AFTER).await;
    }
}

async fn try_to_say(endings: &Endings, shared: &SharedSignins, name: &OfAgent) -> Result<(), NotKept> {
    let (store, name) = (endings.signins.store.clone(), name.clone());
    let own = tokio::task::spawn_blocking(move || store.of_agent(&name.workspace, &name.agent));
    let own = own.await.map_err(|error| NotKept(error.to_string()))??;
    let unless_there = |of: &mut OfAgent| {
        let is_new = of.workspace.is_empty();
        if is_new {
            of.clone_from(&own);
        }
        Ok::<_, NotShared>(is_new)
    };
    shared.part.change(&entry(&own), unless_there).await.map(drop).map_err(NotKept::from)
}

async fn take_in(endings: &Endings, all: Vec<OfAgent>) -> Result<(), NotKept> {
    let (signins, now_s) = (endings.signins.clone(), endings.now_s());
    let taken = tokio::task::spawn_blocking(move || {
        let mut changed = Vec::new();
        for mut of in all {
            of.forget(now_s);
            let roll = || signins.roll.write().unwrap_or_else(PoisonError::into_inner);
            if !roll().is_as(&of) {
                signins.store.put(&of)?;
                changed.push(roll().put(&of, now_s));
            }
        }
        signins.count();
        Ok::<Vec<Changed>, NotKept>(changed)
    });
    // It did not run: the server is going down.
    let changed = taken.await.map_err(|error| NotKept(error.to_string()))??;
    join_all(changed.iter().map(|changed| endings.changed(changed, "ended_elsewhere"))).await;
    Ok(())
}
