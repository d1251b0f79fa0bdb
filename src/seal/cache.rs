//! Unwrapped keys in memory: bounded, in shards, the least used thrown out in halves.
//!
//! Each shard keeps two generations. A key that is used moves to the young one; when that is full it becomes the old
//! one, and the old one is dropped. So what was used lately stays, without a list to keep in order.
//!
//! An entry is 40 bytes and a hash table's overhead: 16,384 of them take at most 1.7 MB.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::KeyNumber;
use super::sealed::ClearKey;

const SHARDS: usize = 16;

pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    generation_max: usize,
    erasures: AtomicU64,
}

#[derive(Default)]
struct Shard {
    young: HashMap<u64, ClearKey>,
    old: HashMap<u64, ClearKey>,
}

/// Taken before a key is read from the disk, so that one erased meanwhile is not put back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ErasuresSeen(u64);

impl Cache {
    /// Never holds more than `keys_max` keys, rounded up to twice the number of shards.
    pub fn new(keys_max: usize) -> Cache {
        Cache {
            shards: Default::default(),
            generation_max: keys_max.div_ceil(SHARDS * 2).max(1),
            erasures: AtomicU64::new(0),
        }
    }

    pub fn find(&self, number: KeyNumber) -> Option<ClearKey> {
        let mut shard = self.shard(number);
        if let Some(key) = shard.young.get(&number.0) {
            return Some(*key);
        }
        let key = shard.old.remove(&number.0)?;
        shard.keep(number, key, self.generation_max);
        Some(key)
    }

    pub fn erasures_seen(&self) -> ErasuresSeen {
        ErasuresSeen(self.erasures.load(Ordering::SeqCst))
    }

    /// Keeps a key, unless something was erased since `seen`.
    pub fn keep(&self, number: KeyNumber, key: ClearKey, seen: ErasuresSeen) {
        let mut shard = self.shard(number);
        // Looked at under the lock: `erase` counts first and then takes each lock, so either this sees the count or
        // the erasure sees the key.
        if self.erasures_seen() == seen {
            shard.keep(number, key, self.generation_max);
        }
    }

    pub fn erase(&self, numbers: &[KeyNumber]) {
        self.erasures.fetch_add(1, Ordering::SeqCst);
        for number in numbers {
            let mut shard = self.shard(*number);
            shard.young.remove(&number.0);
            shard.old.remove(&number.0);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        let of = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(of).sum()
    }

    fn shard(&self, number: KeyNumber) -> MutexGuard<'_, Shard> {
        // Numbers are consecutive, so the remainder spreads them evenly.
        self.shards[(number.0 % SHARDS as u64) as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn keep(&mut self, number: KeyNumber, key: ClearKey, generation_max: usize) {
        if self.young.len() >= generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(number.0, key);
    }
}
