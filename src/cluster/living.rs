//! Which nodes live, as one finds out who is none of them: whoever puts another heartbeat within its lease. No clock of another machine is
//! read.

use super::beat::Beat;
use super::lease::NODES;
use crate::clock;
use crate::journal::nats::{NatsSettings, StreamFailed, bucket};
use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Operation, Store};
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::time::Duration;

/// Why nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum LivingUnknown {
    #[error(transparent)]
    Bucket(#[from] StreamFailed),
    #[error("the heartbeats of the nodes cannot be read: {0}")]
    Unread(String),
}

/// Their names. At once where nobody has left a heartbeat, or the first that is looked for again has put one; else a lease of those that
/// have and a quarter. `waits` hears whose heartbeats are waited for.
///
/// # Errors
/// The bucket cannot be read.
pub async fn living(
    context: &Context,
    settings: &NatsSettings,
    waits: impl FnOnce(&[&str]),
) -> Result<Vec<String>, LivingUnknown> {
    let store = bucket(context, settings, &NODES).await?;
    let before = beats(&store).await?;
    let Some(longest_ms) = before.values().map(|last| last.lease_ms).max() else { return Ok(Vec::new()) };
    waits(&before.keys().map(String::as_str).collect::<Vec<_>>());
    let until_ms = clock::monotonic_ms() + longest_ms + longest_ms / 4;
    loop {
        // That nothing was put is no event: it is looked for until the lease is over.
        tokio::time::sleep(Duration::from_millis(longest_ms / 8)).await;
        let alive = put_since(&before, &beats(&store).await?);
        if !alive.is_empty() || clock::monotonic_ms() >= until_ms {
            return Ok(alive);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    revision: u64,
    lease_ms: u64,
}

/// Who has put another one, or is new.
fn put_since(before: &BTreeMap<String, Last>, now: &BTreeMap<String, Last>) -> Vec<String> {
    let is_other = |name: &str, last: &Last| before.get(name).is_none_or(|known| known.revision != last.revision);
    now.iter().filter(|(name, last)| is_other(name, last)).map(|(name, _)| name.clone()).collect()
}

async fn beats(store: &Store) -> Result<BTreeMap<String, Last>, LivingUnknown> {
    let unread = |why: &dyn std::fmt::Display| LivingUnknown::Unread(why.to_string());
    let names = store.keys().await.map_err(|why| unread(&why))?;
    let names: Vec<String> = names.try_collect().await.map_err(|why| unread(&why))?;
    let mut found = BTreeMap::new();
    for name in names {
        let entry = store.entry(&name).await.map_err(|why| unread(&why))?;
        let Some(entry) = entry.filter(|entry| entry.operation == Operation::Put) else { continue };
        // What is no heartbeat is no node's.
        if let Ok(beat) = Beat::read(&entry.value) {
            let (_, lease_ms) = beat.node(&name, entry.revision);
            found.insert(name, Last { revision: entry.revision, lease_ms });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_puts_another_heartbeat_lives_and_who_comes_does_too() {
        let beats = |all: &[(&str, u64)]| {
            let last = |revision| Last { revision, lease_ms: 2_000 };
            all.iter().map(|(name, revision)| ((*name).to_owned(), last(*revision))).collect::<BTreeMap<_, _>>()
        };
        let before = beats(&[("a", 5), ("b", 6)]);
        assert!(put_since(&before, &before).is_empty());
        assert!(put_since(&before, &beats(&[("a", 5)])).is_empty(), "one that left");
        assert_eq!(put_since(&before, &beats(&[("a", 5), ("b", 9)])), ["b"]);
        assert_eq!(put_since(&before, &beats(&[("a", 5), ("b", 6), ("c", 8)])), ["c"]);
    }
}
