//! The follower: takes what other nodes say into this node's store and ledger, and finishes in the bucket what an erasure left undone.
//!
//! It begins again by itself where it was, whatever happens to the servers or to the disk here. What it cannot finish stays to be
//! done: erased keys that a node took out of its own store and not out of the bucket, and revisions that were replaced and not overwritten.

use super::block::Block;
use super::bucket::{Entry, Said};
use super::{NotTaken, Sharing};
use crate::seal::ring::Inner;
use crate::seal::{Erasure, SealFailed};
use crate::telemetry::catalogue::{SHARED_KEYS_FOLLOWED, SHARED_KEYS_UNFINISHED};
use async_nats::jetstream::consumer::push::OrderedError;
use async_nats::jetstream::message::Message;
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Entries that are taken in with one sync of the disk: of the largest, 5 MB.
const AT_ONCE: usize = 16;
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const FINISH_EVERY: Duration = Duration::from_secs(2);
/// What is finished before the bucket is listened to again.
const FINISHED_AT_ONCE: usize = 16;
const DO_NOT_COME: &str = "the keys of other nodes do not come";

/// Ends with its owner.
pub(in crate::seal) struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Follower {
    /// `erasures` is the ledger of this node: what of it nobody has said yet, as of a node that was a single server, it says.
    pub fn start(runtime: &Handle, ring: Arc<Inner>, erasures: Vec<Erasure>) -> Self {
        let unsaid = erasures.into_iter().collect();
        Self(runtime.spawn(Following { ring, unsaid, replaced: BTreeSet::new(), failing: false }.follow()))
    }
}

struct Following {
    ring: Arc<Inner>,
    /// In the ledger here, and not seen in the bucket.
    unsaid: BTreeSet<Erasure>,
    /// Revisions of blocks that are to be overwritten.
    replaced: BTreeSet<u64>,
    /// Whether it was said that something fails.
    failing: bool,
}

impl Following {
    async fn follow(mut self) {
        let ring = self.ring.clone();
        let Some(sharing) = &ring.sharing else { return };
        loop {
            let failed = self.watch(sharing).await;
            metrics::gauge!(SHARED_KEYS_FOLLOWED).set(0.0);
            self.fails(&failed, DO_NOT_COME);
            // Servers tell nobody when they take something again.
            self.meanwhile(sharing, sleep(AGAIN_AFTER)).await;
        }
    }

    /// Until something else is done. What somebody waits for is asked for.
    async fn meanwhile<T>(&mut self, sharing: &Sharing, done: impl Future<Output = T>) -> T {
        let mut done = pin!(done);
        loop {
            tokio::select! {
                done = &mut done => return done,
                () = sharing.overdue.notified() => self.read_on(sharing).await,
            }
        }
    }

    /// Follows until something fails.
    async fn watch(&mut self, sharing: &Sharing) -> SealFailed {
        let from = sharing.known.borrow().seen + 1;
        let watch = match self.meanwhile(sharing, sharing.keys.bucket.watch(from)).await {
            Ok(watch) => watch,
            Err(failed) => return failed,
        };
        metrics::gauge!(SHARED_KEYS_FOLLOWED).set(1.0);
        let mut watch = watch.ready_chunks(AT_ONCE);
        let mut finish = interval(FINISH_EVERY);
        finish.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is at once, when nothing was heard yet.
        finish.tick().await;
        loop {
            let failed = tokio::select! {
                messages = watch.next() => match messages {
                    Some(messages) => self.hear(sharing, messages).await,
                    None => Err(SealFailed::Unavailable("the servers say nothing more".to_owned())),
                },
                () = sharing.overdue.notified() => {
                    self.read_on(sharing).await;
                    Ok(())
                }
                _ = finish.tick() => {
                    self.finish(sharing).await;
                    let erased = sharing.known.borrow().to_take_out().len();
                    let left = erased + self.unsaid.len() + self.replaced.len();
                    metrics::gauge!(SHARED_KEYS_UNFINISHED).set(left as f64);
                    Ok(())
                }
            };
            if let Err(failed) = failed {
                return failed;
            }
        }
    }

    async fn hear(
        &mut self,
        sharing: &Sharing,
        messages: Vec<Result<Message, OrderedError>>,
    ) -> Result<(), SealFailed> {
        let mut entries = Vec::with_capacity(messages.len());
        for message in messages {
            let message = message.map_err(|why| SealFailed::Unavailable(why.to_string()))?;
            entries.push(sharing.keys.bucket.entry(&message)?);
        }
        self.take(sharing, entries).await
    }

    /// What the watch has not brought. When a server is lost, a watch of which it was part stands still for up to ten seconds, and the
    /// others have what it would bring.
    async fn read_on(&mut self, sharing: &Sharing) {
        loop {
            let mut entries = Vec::new();
            let mut from = sharing.known.borrow().seen + 1;
            let next = async {
                while entries.len() < AT_ONCE
                    && let Some(entry) = sharing.keys.bucket.next(from).await?
                {
                    from = entry.revision + 1;
                    entries.push(entry);
                }
                Ok(())
            };
            let mut read = next.await;
            if entries.is_empty() && read.is_ok() {
                return;
            }
            if !entries.is_empty() {
                read = self.take(sharing, entries).await;
            }
            if let Err(failed) = read {
                return self.fails(&failed, DO_NOT_COME);
            }
        }
    }

    async fn take(&mut self, sharing: &Sharing, mut entries: Vec<Entry>) -> Result<(), SealFailed> {
        let seen = sharing.known.borrow().seen;
        entries.retain(|entry| entry.revision > seen);
        let Some(last) = entries.last().map(|entry| entry.revision) else { return Ok(()) };
        let (erasures, blocks) = sorted(entries);
        // What the ledger had when the ring was opened is done.
        let erasures = erasures.into_iter().filter(|erasure| !self.unsaid.remove(erasure)).collect::<Vec<_>>();
        let ring = self.ring.clone();
        let taken = tokio::task::spawn_blocking(move || take_in(&ring, &erasures, blocks));
        let blocks = taken.await.map_err(|ended| SealFailed::Unavailable(ended.to_string()))??;
        sharing.known.send_modify(|known| {
            self.replaced.extend(blocks.iter().filter_map(|(block, revision)| known.take_in(block, *revision)));
            known.seen = last;
        });
        if self.failing {
            self.failing = false;
            tracing::info!("the keys of other nodes come again");
        }
        Ok(())
    }

    /// Says and does in the bucket what is done here.
    async fn finish(&mut self, sharing: &Sharing) {
        let bucket = &sharing.keys.bucket;
        let unsaid: Vec<Erasure> = self.unsaid.iter().take(FINISHED_AT_ONCE).cloned().collect();
        for erasure in unsaid {
            if let Err(failed) = bucket.put_erasure(&erasure).await {
                return self.fails(&failed, "an erasure cannot be said to the other nodes");
            }
            self.unsaid.remove(&erasure);
        }
        let erased = sharing.known.borrow().to_take_out();
        for (first, numbers) in erased.into_iter().take(FINISHED_AT_ONCE) {
            match bucket.take_out(first, &numbers).await {
                Ok(without) => sharing.known.send_modify(|known| known.gone(first, without, &numbers)),
                Err(failed) => return self.fails(&failed, "the bucket still holds keys that are erased"),
            }
        }
        let replaced: Vec<u64> = self.replaced.iter().take(FINISHED_AT_ONCE).copied().collect();
        for revision in replaced {
            if let Err(failed) = bucket.overwrite(revision).await {
                return self.fails(&failed, "what held erased keys is not overwritten");
            }
            self.replaced.remove(&revision);
        }
    }

    fn fails(&mut self, failed: &SealFailed, what: &'static str) {
        if !self.failing {
            self.failing = true;
            tracing::warn!(error = %failed, "{what}; tried again until it goes");
        }
    }
}

/// What entries say, without what cannot be read: what nobody of ours wrote stops nobody.
fn sorted(entries: Vec<Entry>) -> (Vec<Erasure>, Vec<(Block, u64)>) {
    let (mut erasures, mut blocks) = (Vec::new(), Vec::new());
    for Entry { revision, said } in entries {
        match said {
            Ok(Said::Block(block)) => blocks.push((block, revision)),
            Ok(Said::Erasure(erasure)) => erasures.push(erasure),
            Ok(Said::Other) => {}
            Err(why) => tracing::error!(revision, why, "an entry of the bucket of keys is passed over"),
        }
    }
    (erasures, blocks)
}

/// Erases, and takes blocks in; those that were.
fn take_in(ring: &Inner, erasures: &[Erasure], blocks: Vec<(Block, u64)>) -> Result<Vec<(Block, u64)>, SealFailed> {
    let Some(sharing) = &ring.sharing else { return Ok(Vec::new()) };
    if !erasures.is_empty() {
        ring.erase_customers(erasures)?;
    }
    let (held, revisions): (Vec<Block>, Vec<u64>) = blocks.into_iter().unzip();
    let erased = sharing.known.borrow().erased_in(&held);
    match ring.store.take_in(&held, &erased) {
        Ok(()) => return Ok(held.into_iter().zip(revisions).collect()),
        Err(NotTaken::Failed(failed)) => return Err(failed),
        Err(NotTaken::OtherKey(_)) => {}
    }
    // One of them cannot be taken in; the others can.
    let mut taken = Vec::new();
    for (block, revision) in held.into_iter().zip(revisions) {
        match ring.store.take_in(std::slice::from_ref(&block), &erased) {
            Ok(()) => taken.push((block, revision)),
            Err(NotTaken::OtherKey(number)) => {
                let why = format!("key {number} is another one in the cluster");
                tracing::error!(block = block.first, why, "a block of keys is not taken in");
                sharing.known.send_modify(|known| known.refused = Some(why));
            }
            Err(NotTaken::Failed(failed)) => return Err(failed),
        }
    }
    Ok(taken)
}
