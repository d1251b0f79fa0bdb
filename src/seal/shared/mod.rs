//! The keys that the nodes of a cluster share: one bucket, in which each says what it made and erased, and which each follows into its own
//! `keys.db`.
//!
//! ```text
//! making:   claim numbers ─▶ put the block ─▶ keys.db ─▶ handed out
//! erasing:  say so ─▶ the ledger here ─▶ keys.db ─▶ the block without it
//! follower: blocks and erasures of others ─▶ keys.db and the ledger here
//! ```
//!
//! Sealing and unsealing never ask the bucket. A key that is not here is *erased* only if its block is here; before, nobody knows.
//! An erasure is said to the cluster before anything is erased here: so whoever was told that it failed can do it again, and what was done
//! on one node is done on all.

mod block;
mod bucket;
mod follow;
mod known;

pub(super) use block::{BLOCK_KEYS_MAX, Block};
pub(super) use follow::Follower;

use super::master::{Master, MasterKeyFailed};
use super::sealed::ClearKey;
use super::store::{NotTaken, OpenFailed, Store};
use super::{Erasure, KeyNumber, SealFailed};
use crate::journal::nats::{NatsSettings, StreamFailed};
use async_nats::jetstream::Context;
use bucket::{Bucket, Check};
use known::Known;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long what asks the bucket waits: some answers, of which each has its own limit.
const DONE_MOST: Duration = Duration::from_secs(6);
/// How long a node that starts waits for more of what the others have.
const TAKEN_IN_MOST: Duration = Duration::from_secs(30);
/// How long a reader waits for a key that another node made.
const KNOWN_MOST: Duration = Duration::from_millis(500);
/// Until then it may be on its way; afterwards the bucket is asked for it.
const OVERDUE_AFTER: Duration = Duration::from_millis(100);

/// The bucket of a cluster's keys, made or found as it should be.
pub struct SharedKeys {
    bucket: Bucket,
    server: String,
}

impl SharedKeys {
    /// `server_key` is what `server.key` gives for this purpose: all nodes have to have the same.
    ///
    /// # Errors
    /// The bucket cannot be reached or made, or is another one than it has to be; nothing was changed then.
    pub async fn open(context: Context, settings: &NatsSettings, server_key: &[u8]) -> Result<Self, StreamFailed> {
        Ok(Self { bucket: Bucket::open(context, settings).await?, server: hex(server_key) })
    }
}

/// A node's part in the keys of its cluster.
pub(super) struct Sharing {
    keys: Arc<SharedKeys>,
    runtime: Handle,
    known: watch::Sender<Known>,
    /// Somebody waits for what the bucket may have and the follower has not been brought.
    overdue: Notify,
    /// Ends what waits for the bucket.
    closed: watch::Sender<bool>,
}

impl Sharing {
    /// Must be called inside a tokio runtime.
    pub fn new(keys: SharedKeys) -> Self {
        let known = watch::Sender::new(Known::default());
        let (overdue, closed) = (Notify::new(), watch::Sender::new(false));
        Self { keys: Arc::new(keys), runtime: Handle::current(), known, overdue, closed }
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Opens the store of this node, if its keys are those of the cluster. The first node's become the cluster's.
    pub fn open_store(&self, dir: &Path) -> Result<(Store, Master), OpenFailed> {
        let shared = OpenFailed::Shared;
        let said = self.ask(|keys| async move { keys.bucket.check().await }).map_err(shared)?;
        if let Some(said) = said {
            // A master key that is missing here is not made: it would be another one.
            match Master::open(dir, false) {
                Ok(master) => self.compare(dir, &said, &master)?,
                Err(MasterKeyFailed::Missing { .. }) => return Err(other_cluster(dir, "master.key")),
                Err(failed) => return Err(failed.into()),
            }
            return Store::open(dir);
        }
        let (store, master) = Store::open(dir)?;
        let own = self.check_of(&master);
        let first = self.ask(|keys| async move { keys.bucket.put_check(&own).await }).map_err(shared)?;
        if !first && let Some(said) = self.ask(|keys| async move { keys.bucket.check().await }).map_err(shared)? {
            self.compare(dir, &said, &master)?;
        }
        Ok((store, master))
    }

    fn check_of(&self, master: &Master) -> Check {
        Check { master: hex(&master.keyed_hash("cluster", b"check")), server: self.keys.server.clone() }
    }

    fn compare(&self, dir: &Path, said: &Check, master: &Master) -> Result<(), OpenFailed> {
        let own = self.check_of(master);
        match (own.master == said.master, own.server == said.server) {
            (true, true) => Ok(()),
            (false, true) => Err(other_cluster(dir, "master.key")),
            (true, false) => Err(other_cluster(dir, "server.key")),
            (false, false) => Err(other_cluster(dir, "master.key and server.key")),
        }
    }

    /// Makes keys that every node will know; they are in the bucket and on the disk here when this returns.
    pub fn make(&self, store: &Store, count: usize) -> Result<Vec<(KeyNumber, ClearKey)>, SealFailed> {
        let at_least = store.next_number()?;
        let first = self.ask(move |keys| async move { keys.bucket.claim(count, at_least).await })?;
        let (made, block) = store.fresh(first, count)?;
        self.put(store, block)?;
        Ok(made)
    }

    /// One key, with the highest number that anybody has: for whoever hands out none, and may be a single server's after this. It is on
    /// the disk here first, or what is killed in between would leave a server that makes another one with its number.
    pub fn make_last(&self, store: &Store) -> Result<KeyNumber, SealFailed> {
        let at_least = store.next_number()?;
        let first = self.ask(move |keys| async move { keys.bucket.claim(1, at_least).await })?;
        let (made, block) = store.fresh(first, 1)?;
        keep(store, &Arc::new(block.clone()))?;
        self.put(store, block)?;
        Ok(made.first().map_or(KeyNumber(first), |(number, _)| *number))
    }

    fn put(&self, store: &Store, block: Block) -> Result<(), SealFailed> {
        let block = Arc::new(block);
        let sent = block.clone();
        let revision = self.ask(move |keys| async move { keys.bucket.put_block(&sent).await })?;
        keep(store, &block)?;
        self.known.send_modify(|known| {
            known.take_in(&block, revision);
        });
        Ok(())
    }

    /// Waits until everything is taken in that other nodes had said before this node made that key.
    pub fn until_taken_in(&self, dir: &Path, made: KeyNumber) -> Result<(), OpenFailed> {
        let said = self.known.borrow().revision_of(made.0);
        let mut seen = 0;
        while seen < said {
            let mut known = self.known.subscribe();
            let more = self.wait(TAKEN_IN_MOST, async move {
                let more = known.wait_for(|known| known.seen > seen || known.refused.is_some()).await;
                more.map(|known| (known.seen, known.refused.clone())).map_err(|_| closed())
            });
            match more {
                Ok((now, None)) => seen = now,
                Ok((_, Some(why))) => return Err(OpenFailed::OtherKeys { dir: dir.to_owned(), why }),
                Err(_) => return Err(OpenFailed::NotTakenIn { limit_s: TAKEN_IN_MOST.as_secs() }),
            }
        }
        Ok(())
    }

    /// Says which keys are here and in no block: those of a single server that became the first node of a cluster.
    pub fn bring(&self, store: &Store) -> Result<(), SealFailed> {
        let gaps = self.known.borrow().gaps(store.next_number()?);
        for (from, to) in gaps {
            let mut next = from;
            while next < to {
                let mut keys = store.rows(next, to, BLOCK_KEYS_MAX + 1)?;
                let Some((first, _)) = keys.first().copied() else { break };
                let more = (keys.len() > BLOCK_KEYS_MAX).then(|| keys.pop()).flatten();
                let last = keys.last().map_or(first, |(last, _)| *last);
                // Numbers between two blocks are in the first of them, as erased ones.
                let end = more.map_or(last + 1, |(number, _)| number);
                self.put(store, Block { first, end, keys })?;
                next = end;
            }
        }
        Ok(())
    }

    /// Whether what became of a number is known here.
    pub fn knows(&self, number: KeyNumber) -> bool {
        self.known.borrow().has(number.0)
    }

    /// Waits until it is, for a bounded time.
    pub async fn until_known(&self, number: KeyNumber) -> Result<(), SealFailed> {
        let mut known = self.known.subscribe();
        let comes = async {
            loop {
                match timeout(OVERDUE_AFTER, known.wait_for(|known| known.has(number.0))).await {
                    Ok(Ok(_)) => return Ok(()),
                    Ok(Err(_)) => return Err(closed()),
                    Err(_) => self.overdue.notify_one(),
                }
            }
        };
        timeout(KNOWN_MOST, comes).await.unwrap_or_else(|_| Err(not_known(number)))
    }

    /// Never again to be taken in, whatever the bucket says.
    pub fn erased(&self, numbers: &[KeyNumber]) {
        self.known.send_modify(|known| known.erase(numbers.iter().map(|number| number.0)));
    }

    /// Says to all nodes who is to be erased. What they do then they do by themselves.
    pub fn say(&self, erasure: &Erasure) -> Result<(), SealFailed> {
        // Of a number that is not known here nobody could say when it is gone.
        if let Some(unknown) = erasure.keys.iter().find(|number| !self.knows(**number)) {
            return Err(not_known(*unknown));
        }
        let erasure = erasure.clone();
        self.ask(move |keys| async move { keys.bucket.put_erasure(&erasure).await })
    }

    /// Takes erased keys out of the bucket. Where this fails the follower goes on with it by itself.
    pub fn take_out(&self, erased: &[KeyNumber]) -> Result<(), SealFailed> {
        let by_block = self.known.borrow().by_block(erased.iter().map(|number| number.0));
        for (first, numbers) in by_block {
            let gone = numbers.clone();
            let without = self.ask(move |keys| async move { keys.bucket.take_out(first, &numbers).await })?;
            self.known.send_modify(|known| known.gone(first, without, &gone));
        }
        Ok(())
    }

    /// Ends whatever waits.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    fn ask<T, F>(&self, asked: impl FnOnce(Arc<SharedKeys>) -> F) -> Result<T, SealFailed>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SealFailed>> + Send + 'static,
    {
        self.wait(DONE_MOST, asked(self.keys.clone()))
    }

    /// Lets the runtime do something, and blocks this thread until it is done, the time is over, or the ring is closed.
    fn wait<T, F>(&self, most: Duration, asked: F) -> Result<T, SealFailed>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SealFailed>> + Send + 'static,
    {
        let (done, answer) = sync_channel(1);
        let mut ends = self.closed.subscribe();
        let task = self.runtime.spawn(async move {
            let answer = tokio::select! {
                answer = asked => answer,
                _ = ends.wait_for(|closed| *closed) => Err(closed()),
            };
            drop(done.try_send(answer));
        });
        // A runtime that ends drops the task, and with it the other end.
        let answer = answer.recv_timeout(most);
        task.abort();
        answer.unwrap_or_else(|_| {
            Err(SealFailed::Unavailable(format!("the bucket that nodes share: not done within {} s", most.as_secs())))
        })
    }
}

fn keep(store: &Store, block: &Arc<Block>) -> Result<(), SealFailed> {
    store.take_in(std::slice::from_ref(block), &BTreeSet::new()).map_err(|not_taken| match not_taken {
        NotTaken::Failed(failed) => failed,
        NotTaken::OtherKey(number) => SealFailed::Damaged(format!("key {number} is here already")),
    })
}

/// A key of another node's that is not here yet: nobody can say here that it was erased.
pub(super) fn not_known(number: KeyNumber) -> SealFailed {
    SealFailed::Unavailable(format!("key {number} has not come from the node that made it"))
}

fn closed() -> SealFailed {
    SealFailed::Unavailable("the key ring is closed".to_owned())
}

fn other_cluster(dir: &Path, what: &str) -> OpenFailed {
    OpenFailed::OtherCluster { dir: dir.to_owned(), what: what.to_owned() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
