//! How an agent's time goes: as it is connected, in its status, with work or without, since it last changed.
//!
//! An interval is counted when it ends, spread over the quarters of an hour in which it lay; one that still goes on is counted by whoever
//! reads, up to the time that is asked for.

use super::measures::{
    AVAILABLE_MS, CONNECTED_MS, HELD_MS, IDLE_MS, Measure, OCCUPIED_MS, RECONNECTING_MS, UNREACHABLE_MS, status_ms,
};
use super::{BUCKET_MS, bucket_of};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) enum Connection {
    #[default]
    Offline,
    Online,
    Reconnecting,
    Unreachable,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Person {
    pub connection: Connection,
    /// A status's place.
    pub status: u8,
    /// Conversations that it owns or has joined, wrap-up included.
    pub held: u32,
    /// In Unix milliseconds; up to then its time is counted.
    pub since: u64,
}

impl Person {
    /// Its time up to `until`, by quarters of an hour. `available`: a bit for each status.
    pub fn spent(&self, available: u64, until: u64, mut add: impl FnMut(u32, Measure, i64)) {
        if self.connection == Connection::Offline {
            return;
        }
        for (bucket, ms) in quarters(self.since, until) {
            add(bucket, CONNECTED_MS, ms);
            match self.connection {
                Connection::Reconnecting => add(bucket, RECONNECTING_MS, ms),
                Connection::Unreachable => add(bucket, UNREACHABLE_MS, ms),
                Connection::Online | Connection::Offline => {}
            }
            add(bucket, status_ms(self.status), ms);
            let is_available = available >> self.status & 1 == 1;
            if is_available {
                add(bucket, AVAILABLE_MS, ms);
            }
            if self.held > 0 {
                add(bucket, OCCUPIED_MS, ms);
                add(bucket, HELD_MS, ms * i64::from(self.held));
            } else if is_available {
                add(bucket, IDLE_MS, ms);
            }
        }
    }
}

/// The parts of a time by the quarters of an hour in which they lie.
fn quarters(from: u64, until: u64) -> impl Iterator<Item = (u32, i64)> {
    let mut at = from;
    std::iter::from_fn(move || {
        if at >= until {
            return None;
        }
        let bucket = bucket_of(at);
        let end = (u64::from(bucket) + 1).saturating_mul(BUCKET_MS).min(until);
        let ms = end - at;
        at = end;
        Some((bucket, ms as i64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn spent(person: Person, until: u64) -> BTreeMap<(u32, &'static str), i64> {
        let mut all = BTreeMap::new();
        person.spent(0b10, until, |bucket, measure, ms| *all.entry((bucket, measure.name)).or_default() += ms);
        all
    }

    #[test]
    fn a_long_time_is_spread_over_the_quarters_in_which_it_lay() {
        let from = 7 * BUCKET_MS + 100;
        let parts: Vec<_> = quarters(from, 9 * BUCKET_MS + 5).collect();
        assert_eq!(parts, [(7, BUCKET_MS as i64 - 100), (8, BUCKET_MS as i64), (9, 5)]);
        assert_eq!(quarters(from, from).count(), 0);
        assert_eq!(quarters(from, from - 1).count(), 0);
    }

    #[test]
    fn who_is_available_is_idle_until_something_is_held() {
        let online = Person { connection: Connection::Online, status: 1, held: 0, since: 10 };
        let idle = spent(online, 40);
        assert_eq!(
            idle,
            [("available_ms", 30), ("connected_ms", 30), ("idle_ms", 30), ("status_ms", 30)]
                .into_iter()
                .map(|(name, ms)| ((0, name), ms))
                .collect()
        );
        let two = spent(Person { held: 2, ..online }, 40);
        assert_eq!((two.get(&(0, "idle_ms")), two[&(0, "occupied_ms")], two[&(0, "held_ms")]), (None, 30, 60));
    }

    #[test]
    fn work_counts_in_any_status_and_nothing_counts_offline() {
        let away = Person { connection: Connection::Reconnecting, status: 0, held: 1, since: 10 };
        let all = spent(away, 40);
        assert_eq!((all.get(&(0, "available_ms")), all[&(0, "occupied_ms")]), (None, 30));
        assert_eq!(all[&(0, "reconnecting_ms")], 30);
        assert!(spent(Person { connection: Connection::Offline, ..away }, 40).is_empty());
    }
}
