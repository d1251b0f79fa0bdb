//! Limits by sender: so many at once, so many a second after that. Bounded in memory whatever senders come.

use super::rates::{self, Rate};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Mutex;

const SHARDS: usize = 16;
/// How many entries are looked at to make room for one.
const LOOKED_AT: usize = 16;

/// One limit for many senders. An entry is 16 bytes: the hash of its sender and when its bucket will be full again.
pub struct Buckets {
    hasher: RandomState,
    shards: [Mutex<HashMap<u64, u64>>; SHARDS],
    entries_max_per_shard: usize,
    burst: u64,
    /// Microseconds that one takes to come back.
    each_us: u64,
}

impl Buckets {
    /// `burst` at once, one more every `each_ms`, for at most `senders_max` senders that are remembered.
    #[must_use]
    pub fn new(burst: u32, each_ms: f64, senders_max: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
            entries_max_per_shard: (senders_max / SHARDS).max(LOOKED_AT),
            burst: u64::from(burst.max(1)),
            each_us: (each_ms * 1_000.0).max(1.0) as u64,
        }
    }

    /// Takes one. `now_ms` is monotonic.
    ///
    /// # Errors
    /// The milliseconds until there is one again.
    pub fn take(&self, sender: impl Hash, now_ms: u64) -> Result<(), u64> {
        self.take_many(sender, 1, now_ms)
    }

    /// Takes so many, where they have come back. More than there ever are is never had: whoever asks bounds it.
    ///
    /// # Errors
    /// The milliseconds until there are so many.
    pub fn take_many(&self, sender: impl Hash, count: u64, now_ms: u64) -> Result<(), u64> {
        self.taken(sender, count, now_ms).map(drop)
    }

    /// As `take`; and whoever asked is told, under this name, how many it has left.
    ///
    /// # Errors
    /// As `take`.
    pub fn take_told(&self, name: &'static str, sender: impl Hash, now_ms: u64) -> Result<(), u64> {
        let taken = self.taken(sender, 1, now_ms);
        let (left, more_in_us) = match &taken {
            Ok(full_in_us) => (self.burst.saturating_sub(full_in_us.div_ceil(self.each_us)), *full_in_us),
            Err(wait_ms) => (0, wait_ms.saturating_mul(1_000)),
        };
        let seconds = |us: u64| us.div_ceil(1_000_000).max(1);
        rates::tell(Rate {
            name,
            most: self.burst,
            window_s: seconds(self.burst * self.each_us),
            left,
            more_in_s: seconds(more_in_us),
        });
        taken.map(drop)
    }

    /// Microseconds until the bucket is full again.
    fn taken(&self, sender: impl Hash, count: u64, now_ms: u64) -> Result<u64, u64> {
        let key = self.hasher.hash_one(sender);
        let now_us = now_ms.saturating_mul(1_000);
        let mut entries = self.shards[key as usize % SHARDS].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let held = entries.get_mut(&key);
        let full_at = held.as_deref().copied().unwrap_or(0).max(now_us);
        let would_be_full_at = full_at.saturating_add(self.each_us.saturating_mul(count));
        let most = now_us + self.burst * self.each_us;
        if would_be_full_at > most {
            return Err((would_be_full_at - most).div_ceil(1_000).max(1));
        }
        if let Some(held) = held {
            // Not by `insert`: in a table that is full it makes room for one more, also where the key is there already.
            *held = would_be_full_at;
            return Ok(would_be_full_at - now_us);
        }
        if entries.len() >= self.entries_max_per_shard {
            make_room(&mut entries, now_us);
        } else if entries.len() == entries.capacity() {
            sweep(&mut entries, now_us);
        }
        entries.insert(key, would_be_full_at);
        Ok(would_be_full_at - now_us)
    }

    /// Whether there is one, which is not taken. `now_ms` is monotonic.
    ///
    /// # Errors
    /// The milliseconds until there is one again.
    pub fn has(&self, sender: impl Hash, now_ms: u64) -> Result<(), u64> {
        let key = self.hasher.hash_one(sender);
        let now_us = now_ms.saturating_mul(1_000);
        let entries = self.shards[key as usize % SHARDS].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let would_be_full_at = entries.get(&key).copied().unwrap_or(0).max(now_us) + self.each_us;
        let most = now_us + self.burst * self.each_us;
        if would_be_full_at > most { Err((would_be_full_at - most).div_ceil(1_000).max(1)) } else { Ok(()) }
    }

    #[cfg(test)]
    fn senders(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

/// Before the map grows: a full bucket is the same as none, so it holds those alone who owe something. Without this every sender that ever
/// came took its place, until there were as many as may be.
fn sweep(entries: &mut HashMap<u64, u64>, now_us: u64) {
    let room = entries.capacity();
    entries.retain(|_, full_at| *full_at > now_us);
    let held = entries.len();
    if held > room / 4 * 3 {
        // Or the next few would sweep again for next to nothing.
        entries.reserve(held);
    } else if held < room / 4 {
        entries.shrink_to(held * 2);
    }
}

/// A full bucket is the same as none, so those go first; else the one that is nearest to it, which loses least.
fn make_room(entries: &mut HashMap<u64, u64>, now_us: u64) {
    let looked_at: Vec<(u64, u64)> = entries.iter().take(LOOKED_AT).map(|(key, full_at)| (*key, *full_at)).collect();
    let mut went = false;
    for (key, _) in looked_at.iter().filter(|(_, full_at)| *full_at <= now_us) {
        entries.remove(key);
        went = true;
    }
    if !went && let Some((key, _)) = looked_at.iter().min_by_key(|(_, full_at)| *full_at) {
        entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_at_a_time_and_the_wait_is_told() {
        let buckets = Buckets::new(10, 1_000.0, 1_000);
        for _ in 0..10 {
            assert_eq!(buckets.take("zoe", 5_000), Ok(()));
        }
        assert_eq!(buckets.take("zoe", 5_000), Err(1_000));
        assert_eq!((buckets.has("zoe", 5_000), buckets.has("ada", 5_000)), (Err(1_000), Ok(())));
        assert_eq!(buckets.take("zoe", 5_400), Err(600));
        assert_eq!(buckets.take("ada", 5_400), Ok(()));
        assert_eq!(buckets.take("zoe", 6_000), Ok(()));
        assert_eq!(buckets.take("zoe", 6_000), Err(1_000));
    }

    #[test]
    fn memory_is_bounded_whatever_senders_come() {
        let buckets = Buckets::new(5, 120_000.0, 1_600);
        for sender in 0..100_000_u32 {
            assert_eq!(buckets.take(sender, u64::from(sender)), Ok(()));
        }
        assert!(buckets.senders() <= 1_600);
    }

    #[test]
    fn who_owes_nothing_takes_no_room_for_long() {
        // Each owes for a second, and a hundred come in one: a thousand seconds later there are no more of them.
        let buckets = Buckets::new(1, 1_000.0, 1_600_000);
        for sender in 0..100_000_u64 {
            assert_eq!(buckets.take(sender, sender * 10), Ok(()));
            assert_eq!(buckets.take(sender, sender * 10), Err(1_000));
        }
        assert!(buckets.senders() < 1_000, "{} are held", buckets.senders());
        let room: usize = buckets.shards.iter().map(|shard| shard.lock().unwrap().capacity()).sum();
        assert!(room < 2_000, "there is room for {room}");
    }

    #[test]
    fn who_comes_again_takes_no_more_room() {
        // Twenty come in a second, each of them five times in its first four.
        let buckets = Buckets::new(100_000, 0.1, 65_536);
        let take = |sender: u64, now_ms| assert_eq!(buckets.take(sender, now_ms), Ok(()));
        for now_ms in (0..1_000_000_u64).step_by(50) {
            (0..5).for_each(|earlier| take(100 + (now_ms / 50) - 16 * earlier, now_ms + earlier));
        }
        let room: usize = buckets.shards.iter().map(|shard| shard.lock().unwrap().capacity()).sum();
        assert!(room <= SHARDS * 14, "there is room for {room}");
    }

    #[test]
    fn full_buckets_make_room_before_the_indebted() {
        let buckets = Buckets::new(2, 1_000_000.0, 1_600);
        for _ in 0..2 {
            buckets.take("indebted", 1).unwrap();
        }
        let quick = Buckets::new(1, 1.0, 1_600);
        for sender in 0..10_000_u64 {
            quick.take(sender, sender * 2).unwrap();
        }
        assert!(quick.senders() <= 1_600);
        assert!(buckets.take("indebted", 1).is_err());
    }
}
