//! The key ring: hands out keys that are on the disk already, seals, unseals and erases.

use crate::slices;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use std::collections::VecDeque;

use super::cache::Cache;
use super::chunks::{Chunks, STREAM_BYTES};
use super::erasures::{ERASURES_FILE_NAME, Erasure, add_erasures, read_erasures};
use super::master::Master;
use super::sealed::{self, CLEAR_BYTES_MAX, ClearKey};
use super::shared::{BLOCK_KEYS_MAX, Follower, SharedKeys, Sharing, not_known};
use super::store::{OpenFailed, Store};
use super::{KeyNumber, SealFailed, Sealed, Unsealed};

/// It grows to `BLOCK_KEYS_MAX` while keys are used up faster than the disk takes them.
const BLOCK_KEYS: usize = 256;
const CACHED_KEYS_MAX: usize = 16_384;
/// How long handing out waits where every key was used up; normally it waits for nothing.
const WAIT_MAX: Duration = Duration::from_millis(500);
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// All customers' keys. Cheap to share behind an `Arc`; dropping it ends its thread.
pub struct KeyRing {
    inner: Arc<Inner>,
    maker: Option<JoinHandle<()>>,
    follower: Option<Follower>,
}

pub(super) struct Inner {
    dir: PathBuf,
    pub store: Store,
    master: Master,
    cache: Cache,
    /// With the other nodes of a cluster.
    pub sharing: Option<Sharing>,
    /// Whoever adds to the ledger of erasures reads it first.
    ledger: Mutex<()>,
    ahead: Mutex<Ahead>,
    /// Rings for the maker when keys run low, and for those who wait when there are new ones, or none to be had.
    changed: Condvar,
}

/// Keys that are on the disk and were never handed out. After a restart they stay unused: whether one was handed out
/// cannot be known, and a number costs less than two customers with one key.
struct Ahead {
    keys: VecDeque<(KeyNumber, ClearKey)>,
    block: usize,
    /// Why the last block could not be made.
    failed: Option<SealFailed>,
    closed: bool,
}

impl KeyRing {
    /// Opens or creates `keys.db` and `master.key` in `dir`, and makes a first block of keys. Blocks on the disk.
    pub fn open(dir: &Path) -> Result<KeyRing, OpenFailed> {
        let (store, master) = Store::open(dir)?;
        let erasures = erasures_of(dir, &store)?;
        Self::begin(Inner::new(dir, store, master, None), erasures)
    }

    /// Opens the ring of a node whose keys are those of its cluster: what one node makes or erases is known on all. Returns when what the
    /// others have is here too; not, if nothing of it comes for half a minute.
    pub async fn open_shared(dir: &Path, keys: SharedKeys) -> Result<KeyRing, OpenFailed> {
        Self::shared(dir, keys, Self::begin).await
    }

    /// Brings the keys of a directory to those of a cluster, and those of the cluster into the directory, and that is all: for a directory
    /// that no server uses now.
    ///
    /// # Errors
    /// As [`KeyRing::open_shared`].
    pub async fn share(dir: &Path, keys: SharedKeys) -> Result<(), OpenFailed> {
        Self::shared(dir, keys, |inner, erasures| {
            let ring = Self::following(inner, erasures);
            let Some(sharing) = &ring.inner.sharing else { return Ok(()) };
            let last = sharing.make_last(&ring.inner.store).map_err(OpenFailed::FirstKeys)?;
            sharing.until_taken_in(&ring.inner.dir, last)?;
            sharing.bring(&ring.inner.store).map_err(OpenFailed::Shared)
        })
        .await
    }

    async fn shared<T: Send + 'static>(
        dir: &Path,
        keys: SharedKeys,
        begin: impl FnOnce(Inner, Vec<Erasure>) -> Result<T, OpenFailed> + Send + 'static,
    ) -> Result<T, OpenFailed> {
        let (dir, sharing) = (dir.to_owned(), Sharing::new(keys));
        let opened = tokio::task::spawn_blocking(move || {
            let (store, master) = sharing.open_store(&dir)?;
            let erasures = erasures_of(&dir, &store)?;
            begin(Inner::new(&dir, store, master, Some(sharing)), erasures)
        });
        opened.await.map_err(std::io::Error::other)?
    }

    /// As it hears of the other nodes, if there are any, and makes nothing yet.
    fn following(inner: Inner, erasures: Vec<Erasure>) -> KeyRing {
        let inner = Arc::new(inner);
        let follower = inner.sharing.as_ref().map(|sharing| {
            erasures.iter().for_each(|erasure| sharing.erased(&erasure.keys));
            Follower::start(sharing.runtime(), Arc::clone(&inner), erasures)
        });
        KeyRing { inner, maker: None, follower }
    }

    fn begin(inner: Inner, erasures: Vec<Erasure>) -> Result<KeyRing, OpenFailed> {
        let mut ring = Self::following(inner, erasures);
        let inner = Arc::clone(&ring.inner);
        let keys = match &inner.sharing {
            None => inner.store.make(BLOCK_KEYS).map_err(OpenFailed::FirstKeys)?,
            Some(sharing) => {
                let keys = sharing.make(&inner.store, BLOCK_KEYS).map_err(OpenFailed::FirstKeys)?;
                sharing.until_taken_in(&inner.dir, keys[0].0)?;
                sharing.bring(&inner.store).map_err(OpenFailed::Shared)?;
                keys
            }
        };
        inner.ahead().keys = keys.into();
        let makes = Arc::clone(&inner);
        let maker = std::thread::Builder::new().name("key-maker".to_owned()).spawn(move || {
            slices::long();
            makes.make_ahead();
        })?;
        ring.maker = Some(maker);
        Ok(ring)
    }

    /// Hands out a key that nobody had before and that is on the disk. Waits only when every key made ahead is used
    /// up, for at most half a second.
    pub fn assign(&self) -> Result<KeyNumber, SealFailed> {
        let seen = self.inner.cache.erasures_seen();
        let mut ahead = self.inner.ahead();
        if ahead.keys.is_empty() {
            ahead.block = (ahead.block * 2).min(BLOCK_KEYS_MAX);
            self.inner.changed.notify_all();
            ahead = self
                .inner
                .changed
                .wait_timeout_while(ahead, WAIT_MAX, |a| a.keys.is_empty() && a.failed.is_none())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let Some((number, key)) = ahead.keys.pop_front() else {
            return Err(SealFailed::KeysRunOut(match &ahead.failed {
                Some(failed) => failed.to_string(),
                None => "the disk, or the bucket that nodes share, is slow".to_owned(),
            }));
        };
        let runs_low = ahead.runs_low();
        drop(ahead);
        if runs_low {
            self.inner.changed.notify_all();
        }
        self.inner.cache.keep(number, key, seen);
        Ok(number)
    }

    /// Seals bytes for one place, which `context` names (`b"message"`). Reads the disk only for a key that was not
    /// used lately. At most 1 MiB.
    pub fn seal(&self, number: KeyNumber, context: &[u8], clear: &[u8]) -> Result<Sealed, SealFailed> {
        if clear.len() > CLEAR_BYTES_MAX {
            return Err(SealFailed::TooLarge { bytes: clear.len() });
        }
        let key = self.inner.key(number)?.ok_or(SealFailed::Erased)?;
        sealed::seal(number, &key, context, clear).map_err(|error| SealFailed::Unavailable(error.to_string()))
    }

    /// Opens what was sealed for the same place.
    pub fn unseal(&self, context: &[u8], sealed: &Sealed) -> Result<Vec<u8>, Unsealed> {
        let number = sealed.key().ok_or(Unsealed::Damaged)?;
        let key = self
            .inner
            .key(number)
            .map_err(|failed| Unsealed::Unavailable(failed.to_string()))?
            .ok_or(Unsealed::Erased)?;
        sealed::unseal(number, &key, context, sealed).ok_or(Unsealed::Damaged)
    }

    /// Begins a stream of chunks that are sealed for one place.
    pub fn seal_chunks(&self, number: KeyNumber, context: &[u8]) -> Result<Chunks, SealFailed> {
        let key = self.inner.key(number)?.ok_or(SealFailed::Erased)?;
        let mut stream = [0; STREAM_BYTES];
        getrandom::fill(&mut stream).map_err(|error| SealFailed::Unavailable(error.to_string()))?;
        Ok(Chunks::of(number, &key, context, stream))
    }

    /// The same stream again, to be opened.
    pub fn open_chunks(
        &self,
        number: KeyNumber,
        context: &[u8],
        stream: [u8; STREAM_BYTES],
    ) -> Result<Chunks, Unsealed> {
        let key = self.inner.key(number).map_err(|failed| Unsealed::Unavailable(failed.to_string()))?;
        Ok(Chunks::of(number, &key.ok_or(Unsealed::Erased)?, context, stream))
    }

    /// Erases a customer's keys for good: the ledger says so first, so that no copy of `keys.db` brings them back. Blocks on the
    /// disk; doing it twice is no error, and where this failed it is to be done again.
    ///
    /// In a cluster it is said to all nodes before that, and nothing is done where that cannot be: each node erases then by itself, also one
    /// that was away. At last the keys go from the bucket: the entry that held them is overwritten on the servers' disks. What NATS may
    /// keep of it elsewhere says `shared/bucket.rs`.
    pub fn erase_customer(&self, erasure: &Erasure) -> Result<(), SealFailed> {
        if let Some(sharing) = &self.inner.sharing {
            sharing.say(erasure)?;
        }
        self.inner.erase_customers(std::slice::from_ref(erasure))?;
        match &self.inner.sharing {
            None => Ok(()),
            Some(sharing) => sharing.take_out(&erasure.keys),
        }
    }

    /// Whether nothing can be sealed with it any more.
    pub fn is_erased(&self, number: KeyNumber) -> Result<bool, SealFailed> {
        Ok(self.inner.key(number)?.is_none())
    }

    /// Erases keys here: returns when they are gone from the disk. Erasing twice is no error. Backups of
    /// `keys.db` made before still hold them, wrapped.
    pub fn erase(&self, numbers: &[KeyNumber]) -> Result<(), SealFailed> {
        self.inner.erase(numbers)
    }

    /// Waits until it is known what became of a key that another node made: for half a second at most, and on a single server not at all.
    ///
    /// # Errors
    /// `Unavailable`: it has not come.
    pub async fn until_known(&self, number: KeyNumber) -> Result<(), SealFailed> {
        match &self.inner.sharing {
            None => Ok(()),
            Some(sharing) => sharing.until_known(number).await,
        }
    }

    /// A hash of a customer's external id that only this installation can make: equal ids of one domain are equal.
    pub fn keyed_hash(&self, domain: &str, bytes: &[u8]) -> [u8; 16] {
        self.inner.master.keyed_hash(domain, bytes)
    }

    #[cfg(test)]
    pub(super) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// How many keys wait to be handed out.
    #[cfg(test)]
    pub(super) fn ahead_count(&self) -> usize {
        self.inner.ahead().keys.len()
    }
}

impl Drop for KeyRing {
    fn drop(&mut self) {
        if let Some(sharing) = &self.inner.sharing {
            sharing.close();
        }
        drop(self.follower.take());
        self.inner.ahead().closed = true;
        self.inner.changed.notify_all();
        if let Some(maker) = self.maker.take()
            && maker.join().is_err()
        {
            tracing::error!("the thread that makes keys had panicked");
        }
    }
}

/// The ledger, after what it says is done: an older copy of the store may have brought keys back.
fn erasures_of(dir: &Path, store: &Store) -> Result<Vec<Erasure>, OpenFailed> {
    let path = dir.join(ERASURES_FILE_NAME);
    let erasures = read_erasures(&path).map_err(|source| OpenFailed::Erasures { path, source })?;
    let erased: Vec<KeyNumber> = erasures.iter().flat_map(|erasure| &erasure.keys).copied().collect();
    store.keep_erased(&erased).map_err(OpenFailed::Unerased)?;
    Ok(erasures)
}

impl Inner {
    fn new(dir: &Path, store: Store, master: Master, sharing: Option<Sharing>) -> Self {
        Self {
            dir: dir.to_owned(),
            store,
            master,
            cache: Cache::new(CACHED_KEYS_MAX),
            sharing,
            ledger: Mutex::new(()),
            ahead: Mutex::new(Ahead { keys: VecDeque::new(), block: BLOCK_KEYS, failed: None, closed: false }),
            changed: Condvar::new(),
        }
    }

    /// Writes the ledger, and erases.
    pub fn erase_customers(&self, erasures: &[Erasure]) -> Result<(), SealFailed> {
        let keys: Vec<KeyNumber> = erasures.iter().flat_map(|erasure| &erasure.keys).copied().collect();
        {
            let _alone = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            add_erasures(&self.dir, erasures).map_err(|error| SealFailed::Unavailable(error.to_string()))?;
        }
        if let Some(sharing) = &self.sharing {
            sharing.erased(&keys);
        }
        self.erase(&keys)
    }

    fn erase(&self, numbers: &[KeyNumber]) -> Result<(), SealFailed> {
        let erased = self.store.erase(numbers);
        // Even where it failed: the rows may be gone already, and the cache must not know more than the disk.
        self.cache.erase(numbers);
        erased
    }

    fn key(&self, number: KeyNumber) -> Result<Option<ClearKey>, SealFailed> {
        if let Some(key) = self.cache.find(number) {
            return Ok(Some(key));
        }
        // Asked before the disk is: a block is on the disk before it is known.
        let known = self.sharing.as_ref().is_none_or(|sharing| sharing.knows(number));
        let seen = self.cache.erasures_seen();
        let key = self.store.load(number)?;
        match key {
            Some(key) => self.cache.keep(number, key, seen),
            None if known => {}
            None => return Err(not_known(number)),
        }
        Ok(key)
    }

    fn make(&self, count: usize) -> Result<Vec<(KeyNumber, ClearKey)>, SealFailed> {
        match &self.sharing {
            None => self.store.make(count),
            Some(sharing) => sharing.make(&self.store, count),
        }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The maker's life: keep at least half a block ahead, and after a fault try again by itself.
    fn make_ahead(&self) {
        let mut ahead = self.ahead();
        while !ahead.closed {
            if !ahead.runs_low() {
                ahead = self
                    .changed
                    .wait_while(ahead, |a| !a.runs_low() && !a.closed)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let count = ahead.block;
            drop(ahead);
            let made = self.make(count);
            ahead = self.ahead();
            match made {
                Ok(keys) => {
                    ahead.failed = None;
                    ahead.keys.extend(keys);
                    self.changed.notify_all();
                }
                Err(failed) => {
                    if ahead.failed.is_none() {
                        tracing::error!(error = %failed, left = ahead.keys.len(), "no new keys can be made");
                    }
                    ahead.failed = Some(failed);
                    self.changed.notify_all();
                    ahead = self
                        .changed
                        .wait_timeout_while(ahead, RETRY_EVERY, |a| !a.closed)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
            }
        }
    }
}

impl Ahead {
    fn runs_low(&self) -> bool {
        self.keys.len() < self.block / 2
    }
}
