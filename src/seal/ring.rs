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
use super::store::{OpenFailed, Store};
use super::{KeyNumber, SealFailed, Sealed, Unsealed};

const BLOCK_KEYS: usize = 256;
/// What a block grows to while keys are used up faster than the disk takes them.
const BLOCK_KEYS_MAX: usize = 4_096;
const CACHED_KEYS_MAX: usize = 16_384;
/// How long handing out waits where every key was used up; normally it waits for nothing.
const WAIT_MAX: Duration = Duration::from_millis(500);
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// All customers' keys. Cheap to share behind an `Arc`; dropping it ends its thread.
pub struct KeyRing {
    shared: Arc<Shared>,
    maker: Option<JoinHandle<()>>,
}

struct Shared {
    dir: PathBuf,
    store: Store,
    master: Master,
    cache: Cache,
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
        let path = dir.join(ERASURES_FILE_NAME);
        let erasures = read_erasures(&path).map_err(|source| OpenFailed::Erasures { path, source })?;
        let erased: Vec<KeyNumber> = erasures.into_iter().flat_map(|erasure| erasure.keys).collect();
        store.keep_erased(&erased).map_err(OpenFailed::Unerased)?;
        let keys = store.make(BLOCK_KEYS).map_err(OpenFailed::FirstKeys)?;
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            store,
            master,
            cache: Cache::new(CACHED_KEYS_MAX),
            ahead: Mutex::new(Ahead { keys: keys.into(), block: BLOCK_KEYS, failed: None, closed: false }),
            changed: Condvar::new(),
        });
        let makes = Arc::clone(&shared);
        let maker = std::thread::Builder::new().name("key-maker".to_owned()).spawn(move || {
            slices::long();
            makes.make_ahead();
        })?;
        Ok(KeyRing { shared, maker: Some(maker) })
    }

    /// Hands out a key that nobody had before and that is on the disk. Waits only when every key made ahead is used
    /// up, for at most half a second.
    pub fn assign(&self) -> Result<KeyNumber, SealFailed> {
        let seen = self.shared.cache.erasures_seen();
        let mut ahead = self.shared.ahead();
        if ahead.keys.is_empty() {
            ahead.block = (ahead.block * 2).min(BLOCK_KEYS_MAX);
            self.shared.changed.notify_all();
            ahead = self
                .shared
                .changed
                .wait_timeout_while(ahead, WAIT_MAX, |a| a.keys.is_empty() && a.failed.is_none())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let Some((number, key)) = ahead.keys.pop_front() else {
            return Err(SealFailed::KeysRunOut(match &ahead.failed {
                Some(failed) => failed.to_string(),
                None => "the disk is slow".to_owned(),
            }));
        };
        let runs_low = ahead.runs_low();
        drop(ahead);
        if runs_low {
            self.shared.changed.notify_all();
        }
        self.shared.cache.keep(number, key, seen);
        Ok(number)
    }

    /// Seals bytes for one place, which `context` names (`b"message"`). Reads the disk only for a key that was not
    /// used lately. At most 1 MiB.
    pub fn seal(&self, number: KeyNumber, context: &[u8], clear: &[u8]) -> Result<Sealed, SealFailed> {
        if clear.len() > CLEAR_BYTES_MAX {
            return Err(SealFailed::TooLarge { bytes: clear.len() });
        }
        let key = self.shared.key(number)?.ok_or(SealFailed::Erased)?;
        sealed::seal(number, &key, context, clear).map_err(|error| SealFailed::Unavailable(error.to_string()))
    }

    /// Opens what was sealed for the same place.
    pub fn unseal(&self, context: &[u8], sealed: &Sealed) -> Result<Vec<u8>, Unsealed> {
        let number = sealed.key().ok_or(Unsealed::Damaged)?;
        let key = self
            .shared
            .key(number)
            .map_err(|failed| Unsealed::Unavailable(failed.to_string()))?
            .ok_or(Unsealed::Erased)?;
        sealed::unseal(number, &key, context, sealed).ok_or(Unsealed::Damaged)
    }

    /// Begins a stream of chunks that are sealed for one place.
    pub fn seal_chunks(&self, number: KeyNumber, context: &[u8]) -> Result<Chunks, SealFailed> {
        let key = self.shared.key(number)?.ok_or(SealFailed::Erased)?;
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
        let key = self.shared.key(number).map_err(|failed| Unsealed::Unavailable(failed.to_string()))?;
        Ok(Chunks::of(number, &key.ok_or(Unsealed::Erased)?, context, stream))
    }

    /// Erases a customer's keys for good: the ledger says so first, so that no copy of `keys.db` brings them back. Blocks on the
    /// disk; doing it twice is no error, and where this failed it is to be done again.
    pub fn erase_customer(&self, erasure: &Erasure) -> Result<(), SealFailed> {
        add_erasures(&self.shared.dir, std::slice::from_ref(erasure))
            .map_err(|error| SealFailed::Unavailable(error.to_string()))?;
        self.erase(&erasure.keys)
    }

    /// Whether nothing can be sealed with it any more.
    pub fn is_erased(&self, number: KeyNumber) -> Result<bool, SealFailed> {
        Ok(self.shared.key(number)?.is_none())
    }

    /// Erases keys: returns when they are gone from the disk. Erasing twice is no error. Backups of
    /// `keys.db` made before still hold them, wrapped.
    pub fn erase(&self, numbers: &[KeyNumber]) -> Result<(), SealFailed> {
        let erased = self.shared.store.erase(numbers);
        // Even where it failed: the rows may be gone already, and the cache must not know more than the disk.
        self.shared.cache.erase(numbers);
        erased
    }

    /// A hash of a customer's external id that only this installation can make: equal ids of one domain are equal.
    pub fn keyed_hash(&self, domain: &str, bytes: &[u8]) -> [u8; 16] {
        self.shared.master.keyed_hash(domain, bytes)
    }

    #[cfg(test)]
    pub(super) fn store(&self) -> &Store {
        &self.shared.store
    }

    /// How many keys wait to be handed out.
    #[cfg(test)]
    pub(super) fn ahead_count(&self) -> usize {
        self.shared.ahead().keys.len()
    }
}

impl Drop for KeyRing {
    fn drop(&mut self) {
        self.shared.ahead().closed = true;
        self.shared.changed.notify_all();
        if let Some(maker) = self.maker.take()
            && maker.join().is_err()
        {
            tracing::error!("the thread that makes keys had panicked");
        }
    }
}

impl Shared {
    fn key(&self, number: KeyNumber) -> Result<Option<ClearKey>, SealFailed> {
        if let Some(key) = self.cache.find(number) {
            return Ok(Some(key));
        }
        let seen = self.cache.erasures_seen();
        let key = self.store.load(number)?;
        if let Some(key) = key {
            self.cache.keep(number, key, seen);
        }
        Ok(key)
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
            let made = self.store.make(count);
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
