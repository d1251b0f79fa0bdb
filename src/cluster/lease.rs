//! A node's lease: the heartbeats by which the others know that it lives, and the watch by which it knows of them.
//!
//! Two loops run side by side until the lease ends, and know nothing of each other:
//!
//! ```text
//! beats    four times a lease ─▶ put under our name; without an answer within half a lease it is given up, and the next is put
//! watches  an entry ──────────▶ Members ─▶ a new roll, if something changed
//!          nothing of our own for a lease, an error, the end ─▶ begun anew behind what was heard, after a pause
//!          a newer process under our name ─▶ both end; the last roll says so
//! ```
//!
//! The bucket lies on the servers' disks and not in their memory alone: a node's number is a revision of it and must never come again,
//! also not after all servers were started anew at once.

use super::beat::{BEAT_BYTES_MAX, Beat};
use super::members::{Change, Members, NODES_MAX, Node, Roll};
use crate::clock;
use crate::desk::ids::NodeNumber;
use crate::journal::nats::{Bucket, NatsSettings, StreamFailed, bucket};
use crate::telemetry::catalogue;
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Entry, Operation, Store, Watch};
use futures_util::StreamExt;
use metrics::{counter, gauge, histogram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Of a value that is not put again: ten times the longest lease that can be set, so that it is the same whatever a node has set.
const MAX_AGE: Duration = Duration::from_secs(600);
/// Where heartbeats lie.
pub(super) const NODES: Bucket<'static> = Bucket {
    name: "nodes",
    description: "The nodes of Offhook that live, by name",
    max_age: MAX_AGE,
    bytes_max: BEAT_BYTES_MAX,
};
/// How long a node tries to get its number and to hear of the others.
const JOIN_WITHIN: Duration = Duration::from_secs(30);
const LEAVE_TRIES: u32 = 3;

/// What a node tells of itself.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    /// Its name, which it keeps.
    pub node: String,
    /// Where it is; shown to people.
    pub address: String,
    /// How long nothing may be heard of it until the others give it up: 500 to 60,000.
    pub lease_ms: u64,
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum JoinFailed {
    #[error(transparent)]
    Bucket(#[from] StreamFailed),
    #[error("the node {node} got no number of {bucket} within {within_s} s: {why}")]
    NoNumber { node: String, bucket: String, within_s: u64, why: String },
    #[error("the node {node} did not hear its own heartbeat in {bucket} within {within_s} s")]
    Unheard { node: String, bucket: String, within_s: u64 },
}

impl JoinFailed {
    /// Waiting does not mend it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Bucket(failed) if failed.is_final())
    }
}

/// Two processes have one name, and this is the older one: it must lead nothing any more, and end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another process has the name {node} of this one: it began later, as {newer}, and this one was {own}")]
pub struct TakenOver {
    pub node: String,
    pub own: NodeNumber,
    pub newer: NodeNumber,
}

/// A lease that is held until it is left or dropped. Dropped, it is as if the process had been killed: the others find out by themselves.
pub struct Lease {
    node: String,
    lease: Duration,
    rolls: watch::Receiver<Arc<Roll>>,
    leave: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Lease {
    /// Makes the bucket if there is none, gets a number that no start ever had, and returns when all others that were there are in the roll.
    ///
    /// # Errors
    /// The bucket is another one or cannot be reached, or no own heartbeat came back in time.
    pub async fn join(context: Context, nats: &NatsSettings, settings: LeaseSettings) -> Result<Self, JoinFailed> {
        let store = bucket(&context, nats, &NODES).await?;
        let lease = Duration::from_millis(settings.lease_ms);
        let beat = Beat {
            number: 0,
            start: random(),
            address: settings.address,
            lease_ms: settings.lease_ms,
            put_ms: clock::monotonic_ms(),
        };
        let number = number(&store, &settings.node, &beat, lease / 4).await?;
        tracing::info!(node = settings.node, %number, "this node is in the cluster");
        let own = Node::new(&settings.node, number, &beat.address);
        let (told, rolls) = watch::channel(Arc::new(Roll::of(number, vec![own.clone()])));
        let bucket = store.name.clone();
        let holder =
            Holder { context, store, own, beat: Beat { number: number.0, ..beat }, lease, told, held: false.into() };
        let (leave, leaving) = oneshot::channel();
        let task = tokio::spawn(holder.hold(leaving));
        let mut held = Self { node: settings.node, lease, rolls, leave: Some(leave), task };
        match timeout(JOIN_WITHIN, held.rolls.changed()).await {
            Ok(Ok(())) => Ok(held),
            Ok(Err(_)) | Err(_) => {
                Err(JoinFailed::Unheard { node: held.node.clone(), bucket, within_s: JOIN_WITHIN.as_secs() })
            }
        }
    }

    /// Who is in the cluster now, and whoever waits on it hears of each change.
    #[must_use]
    pub fn rolls(&self) -> watch::Receiver<Arc<Roll>> {
        self.rolls.clone()
    }

    /// This start's number.
    #[must_use]
    pub fn number(&self) -> NodeNumber {
        self.rolls.borrow().own
    }

    /// Ends when a newer process has this node's name; never, as long as none has.
    pub async fn taken_over(&self) -> TakenOver {
        let mut rolls = self.rolls.clone();
        let newer = rolls.wait_for(|roll| roll.taken_over.is_some()).await.ok().and_then(|roll| roll.taken_over);
        match newer {
            Some(newer) => TakenOver { node: self.node.clone(), own: self.number(), newer },
            None => std::future::pending().await,
        }
    }

    /// Takes the key away, so that the others know at once. Within a lease, or they find out by themselves.
    pub async fn leave(mut self) {
        if let Some(leave) = self.leave.take() {
            // The task may have ended, as another process has the name.
            let _ = leave.send(());
        }
        let _ = timeout(self.lease, &mut self.task).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    u64::from_le_bytes(bytes)
}

/// The revision of this start's first heartbeat. It is put in the place of exactly the value that was read, so that of several sendings
/// whose answer was lost one arrives, and none after a later one.
async fn number(store: &Store, node: &str, first: &Beat, pause: Duration) -> Result<NodeNumber, JoinFailed> {
    let mut why = String::new();
    let tried = timeout(JOIN_WITHIN, async {
        loop {
            match put_first(store, node, first).await {
                Ok(revision) => return NodeNumber(revision),
                Err(failed) => why = failed,
            }
            sleep(pause).await;
        }
    });
    let number = tried.await.ok();
    let (node, bucket, within_s) = (node.to_owned(), store.name.clone(), JOIN_WITHIN.as_secs());
    number.ok_or(JoinFailed::NoNumber { node, bucket, within_s, why })
}

async fn put_first(store: &Store, node: &str, first: &Beat) -> Result<u64, String> {
    let held = store.entry(node).await.map_err(|error| error.to_string())?;
    if let Some(held) = &held
        && Beat::read(&held.value).is_ok_and(|beat| beat.start == first.start)
    {
        return Ok(held.revision);
    }
    let expected = held.map_or(0, |held| held.revision);
    store.update(node, first.bytes().into(), expected).await.map_err(|error| error.to_string())
}

/// What the task has.
struct Holder {
    context: Context,
    store: Store,
    own: Node,
    beat: Beat,
    lease: Duration,
    told: watch::Sender<Arc<Roll>>,
    /// Own heartbeats come back.
    held: AtomicBool,
}

/// Why a watch is not followed any more.
enum Unfollowed {
    /// To be begun anew.
    Broken(String),
    TakenOver,
}

impl Holder {
    async fn hold(self, leaving: oneshot::Receiver<()>) {
        gauge!(catalogue::CLUSTER_LEASE_HELD).set(0.0);
        tokio::select! {
            () = self.beats() => {}
            () = self.watches() => {}
            // Dropped without a word, the lease ends as its process would.
            Ok(()) = leaving => self.take_away().await,
        }
        gauge!(catalogue::CLUSTER_LEASE_HELD).set(0.0);
    }

    async fn beats(&self) {
        let mut beats = interval(self.lease / 4);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            let outcome = self.put().await;
            counter!(catalogue::CLUSTER_HEARTBEATS_TOTAL, "outcome" => outcome).increment(1);
        }
    }

    async fn put(&self) -> &'static str {
        // The client would keep it for when it is connected again, when it says nothing any more.
        if self.context.client().connection_state() != State::Connected {
            return "failed";
        }
        let beat = Beat { put_ms: clock::monotonic_ms(), ..self.beat.clone() };
        match timeout(self.lease / 2, self.store.put(&*self.own.name, beat.bytes().into())).await {
            Ok(Ok(_)) => "put",
            Ok(Err(error)) => {
                tracing::debug!(%error, "a heartbeat was not put");
                "failed"
            }
            Err(_) => "late",
        }
    }

    async fn watches(&self) {
        let mut members = Members::new(self.own.clone(), self.beat.lease_ms);
        let mut turned_away = false;
        loop {
            let begun = timeout(self.lease, self.watch_from(members.revision())).await;
            let broken = match begun {
                Ok(Ok(watch)) => match self.follow(watch, &mut members, &mut turned_away).await {
                    Unfollowed::TakenOver => return,
                    Unfollowed::Broken(why) => why,
                },
                Ok(Err(why)) => why,
                Err(_) => "it could not be begun in time".to_owned(),
            };
            tracing::debug!(why = broken, "the watch of the cluster's nodes is begun anew");
            counter!(catalogue::CLUSTER_WATCHES_RENEWED_TOTAL).increment(1);
            self.say_whether_held(false);
            sleep(self.lease / 4).await;
        }
    }

    async fn watch_from(&self, heard: u64) -> Result<Watch, String> {
        let begun = match heard {
            0 => self.store.watch_with_history(">").await,
            heard => self.store.watch_all_from_revision(heard + 1).await,
        };
        begun.map_err(|error| error.to_string())
    }

    /// Until it ends, or says nothing of our own for a lease.
    async fn follow(&self, mut watch: Watch, members: &mut Members, turned_away: &mut bool) -> Unfollowed {
        let lease_ms = self.beat.lease_ms;
        let mut own_due_ms = clock::monotonic_ms() + lease_ms;
        loop {
            let wait_ms = own_due_ms.saturating_sub(clock::monotonic_ms());
            let entry = match timeout(Duration::from_millis(wait_ms), watch.next()).await {
                Ok(Some(Ok(entry))) => entry,
                Ok(Some(Err(error))) => return Unfollowed::Broken(error.to_string()),
                Ok(None) => return Unfollowed::Broken("it ended".to_owned()),
                Err(_) => return Unfollowed::Broken("no own heartbeat came through it for a lease".to_owned()),
            };
            self.take(&entry, members);
            if let Some(came_ms) = members.own_came_ms() {
                own_due_ms = own_due_ms.max(came_ms + lease_ms);
            }
            // More is behind it.
            if entry.delta > 0 {
                continue;
            }
            if let Some((roll, changes)) = members.caught_up() {
                let over = roll.taken_over.is_some();
                for change in changes {
                    self.say(&change, turned_away);
                }
                gauge!(catalogue::CLUSTER_NODES).set(roll.nodes.len() as f64);
                self.told.send_replace(Arc::new(roll));
                if over {
                    return Unfollowed::TakenOver;
                }
            }
        }
    }

    /// One entry of the watch.
    fn take(&self, entry: &Entry, members: &mut Members) {
        let (name, revision, now_ms) = (entry.key.as_str(), entry.revision, clock::monotonic_ms());
        if entry.operation != Operation::Put {
            members.left(name, revision);
            return;
        }
        match Beat::read(&entry.value) {
            Ok(beat) if beat.start == self.beat.start => {
                histogram!(catalogue::CLUSTER_HEARTBEAT_SECONDS)
                    .record(now_ms.saturating_sub(beat.put_ms) as f64 / 1e3);
                members.own_heard(beat.put_ms, revision, now_ms);
                self.say_whether_held(true);
            }
            Ok(beat) => {
                let (node, lease_ms) = beat.node(name, revision);
                members.heard(node, lease_ms, revision, now_ms);
            }
            Err(error) => {
                tracing::debug!(name, error, "a value in the bucket of nodes is no heartbeat");
                counter!(catalogue::CLUSTER_UNHEARD_TOTAL, "why" => "unreadable").increment(1);
            }
        }
    }

    fn say_whether_held(&self, held: bool) {
        if self.held.swap(held, Ordering::Relaxed) == held {
            return;
        }
        gauge!(catalogue::CLUSTER_LEASE_HELD).set(f64::from(u8::from(held)));
        let node = &*self.own.name;
        if held {
            tracing::info!(node, "this node's heartbeats come back");
        } else {
            tracing::warn!(node, "no heartbeat of this node came back for a lease: the others may take it for gone");
        }
    }

    fn say(&self, change: &Change, turned_away: &mut bool) {
        match change {
            Change::Came(node) => {
                tracing::info!(node = &*node.name, number = %node.number, address = &*node.address, "a node came");
            }
            Change::Gone(node, why) => {
                tracing::info!(node = &*node.name, number = %node.number, why = why.word(), "a node is gone");
                counter!(catalogue::CLUSTER_NODES_GONE_TOTAL, "why" => why.word()).increment(1);
            }
            Change::TurnedAway(node) => {
                counter!(catalogue::CLUSTER_UNHEARD_TOTAL, "why" => "too_many").increment(1);
                // Once: it puts heartbeats on and on.
                if !std::mem::replace(turned_away, true) {
                    let node = &*node.name;
                    tracing::error!(
                        node,
                        "a cluster has {NODES_MAX} nodes at most: further ones are taken no notice of"
                    );
                }
            }
            Change::TakenOver(newer) => {
                let (node, own) = (&*self.own.name, self.own.number);
                tracing::error!(node, %own, %newer, "another process has this node's name: this one has to end");
            }
        }
    }

    /// Ours alone: a process that was started under our name meanwhile keeps its own.
    async fn take_away(&self) {
        for _ in 0..LEAVE_TRIES {
            let held = match self.store.entry(&*self.own.name).await {
                Ok(Some(held)) if held.operation == Operation::Put => held,
                Ok(_) => return,
                Err(_) => continue,
            };
            if !Beat::read(&held.value).is_ok_and(|beat| beat.start == self.beat.start) {
                return;
            }
            // One that was under way may have come in between.
            if self.store.delete_expect_revision(&*self.own.name, Some(held.revision)).await.is_ok() {
                return;
            }
        }
    }
}
