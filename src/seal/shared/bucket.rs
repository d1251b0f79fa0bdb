//! The bucket `NAME-keys`: how a node of a cluster takes numbers, says what it made and what it erased, and hears of others.
//!
//! ```text
//! check            {"master": …, "server": …}   what is derived from the keys that all nodes have: never changed
//! next             257                           the next number that nobody has: put only by whoever knows its last revision
//! block.1          keys 1 to 256, wrapped        put anew when one of them is erased
//! erased.5d41402a… {"workspace": …, "keys": …}   a line of the ledger of erasures, named by its hash
//! ```
//!
//! It is a bucket of NATS (a stream named `KV_…` with a subject for each entry), made here and not by the client library, since of those
//! nothing can be overwritten on the disk. What NATS does with an entry that is put anew was looked up in its sources: the older
//! revision is passed over, and its bytes stay in their file until that is compacted, which may be never. Only a message that is deleted by its
//! number is overwritten in place with random bytes, and the file synced; and only where the stream allows deleting (`deny_delete: false`), and
//! while the message is there. So the bucket keeps 64 revisions of an entry, and whoever puts a block anew deletes the revision before it by its number.
//! With several replicas, the log of their consensus holds what was published until it is compacted, minutes or megabytes later: as bytes of
//! files that were removed or written anew, not overwritten.

use super::block::{BLOCK_BYTES_MAX, Block};
use crate::journal::nats::{self, NatsSettings, StreamFailed};
use crate::seal::{Erasure, SealFailed};
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::{Message, PublishMessage};
use async_nats::jetstream::stream::{
    Config, DirectGetErrorKind, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{Display, Write};
use std::future::Future;
use std::time::Duration;

/// The most that NATS allows. Of an entry that is put anew more often while its older revisions cannot be deleted, they are passed over.
const REVISIONS_MAX: i64 = 64;
/// What headers take beside an entry.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// How long one question to the servers may take.
const ANSWER_MOST: Duration = Duration::from_secs(2);
/// How often a node tries again where others were quicker. Each time one of them got what it wanted.
const TRIES: u32 = 50;
const CHECK: &str = "check";
const NEXT: &str = "next";
const BLOCK_PREFIX: &str = "block.";
const ERASED_PREFIX: &str = "erased.";

/// What is derived from the keys that all nodes of a cluster have, as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Check {
    pub master: String,
    pub server: String,
}

/// What another node said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Block(Block),
    Erasure(Erasure),
    /// Of no use to who follows.
    Other,
}

pub(super) struct Entry {
    pub revision: u64,
    /// Why it could not be read, where it could not.
    pub said: Result<Said, String>,
}

pub(super) struct Bucket {
    context: Context,
    stream: Stream,
    prefix: String,
}

impl Bucket {
    pub async fn open(context: Context, settings: &NatsSettings) -> Result<Bucket, StreamFailed> {
        let wanted = wanted(settings);
        let name = wanted.name.clone();
        let stream = nats::make_or_compare(&context, wanted).await?;
        let prefix = prefix(settings);
        nats::until_reached(&context, &name, &format!("{prefix}reached")).await?;
        Ok(Bucket { context, stream, prefix })
    }

    pub async fn check(&self) -> Result<Option<Check>, SealFailed> {
        let Some((_, value)) = self.read(CHECK).await? else { return Ok(None) };
        serde_json::from_slice(&value).map(Some).map_err(|why| unusable(format!("its entry check: {why}")))
    }

    /// Says what this node's keys give. `false`: another node was first.
    pub async fn put_check(&self, check: &Check) -> Result<bool, SealFailed> {
        let value = serde_json::to_vec(check).map_err(unusable)?;
        Ok(self.put(CHECK, 0, value).await?.is_some())
    }

    /// Takes numbers that nobody else ever gets, none of them below `at_least`: the first of them. Where this fails they may be taken, and
    /// are nobody's.
    pub async fn claim(&self, count: usize, at_least: u64) -> Result<u64, SealFailed> {
        for _ in 0..TRIES {
            let (revision, next) = match self.read(NEXT).await? {
                None => (0, 1),
                Some((revision, value)) => (revision, number(&value).ok_or_else(|| unusable("its entry next"))?),
            };
            let first = next.max(at_least);
            let end = first.saturating_add(count as u64);
            if self.put(NEXT, revision, end.to_string().into_bytes()).await?.is_some() {
                return Ok(first);
            }
        }
        Err(unusable("other nodes take numbers all the time"))
    }

    /// Says which keys were made; returns the revision when that is stored.
    pub async fn put_block(&self, block: &Block) -> Result<u64, SealFailed> {
        let stored = self.put(&format!("{BLOCK_PREFIX}{}", block.first), 0, block.encode()).await?;
        stored.ok_or_else(|| unusable(format!("block {} is there already", block.first)))
    }

    /// Says who was erased. Saying it twice says nothing more.
    pub async fn put_erasure(&self, erasure: &Erasure) -> Result<(), SealFailed> {
        let value = serde_json::to_vec(erasure).map_err(unusable)?;
        let mut name = ERASED_PREFIX.to_owned();
        for byte in &Sha256::digest(&value)[..16] {
            write!(name, "{byte:02x}").expect("a string takes all");
        }
        self.put(&name, 0, value).await.map(|_| ())
    }

    /// Puts a block anew without some keys, and has the revision that held them overwritten. Done too where they are not there any more.
    /// Returns the revision that is without them.
    pub async fn take_out(&self, first: u64, numbers: &[u64]) -> Result<u64, SealFailed> {
        let name = format!("{BLOCK_PREFIX}{first}");
        for _ in 0..TRIES {
            let Some((revision, value)) = self.read(&name).await? else {
                return Err(unusable(format!("block {first} is not there")));
            };
            let mut block = Block::decode(first, &value).ok_or_else(|| unusable(format!("block {first}")))?;
            if !block.take_out(numbers) {
                return Ok(revision);
            }
            if let Some(new) = self.put(&name, revision, block.encode()).await? {
                return self.overwrite(revision).await.map(|()| new);
            }
        }
        Err(unusable(format!("other nodes put block {first} all the time")))
    }

    /// Deletes a revision that was replaced, and overwrites it on the servers' disks. Done too where it is gone.
    pub async fn overwrite(&self, revision: u64) -> Result<(), SealFailed> {
        let refused = match within(self.stream.delete_message(revision)).await? {
            Ok(true) => return Ok(()),
            Ok(false) => "the servers do not delete it".to_owned(),
            Err(why) => nats::with_source(&why),
        };
        match within(self.stream.get_raw_message(revision)).await? {
            Err(gone) if gone.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(()),
            _ => Err(unusable(format!("revision {revision} is there still: {refused}"))),
        }
    }

    /// Everything that is there from a revision on, in order, and then what comes.
    pub async fn watch(&self, from: u64) -> Result<Ordered, SealFailed> {
        let config = OrderedConfig {
            deliver_subject: self.context.client().new_inbox(),
            description: Some("a node follows the keys of others".to_owned()),
            filter_subject: format!("{}>", self.prefix),
            replay_policy: ReplayPolicy::Instant,
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from.max(1) },
            ..OrderedConfig::default()
        };
        let consumer =
            within(self.stream.create_consumer(config)).await?.map_err(|why| unusable(nats::with_source(&why)))?;
        within(consumer.messages()).await?.map_err(|why| unusable(nats::with_source(&why)))
    }

    /// The next entry from a revision on, as one of the servers has it; `None` where it has none yet.
    pub async fn next(&self, from: u64) -> Result<Option<Entry>, SealFailed> {
        let next = self.stream.direct_get_next_for_subject(format!("{}>", self.prefix), Some(from.max(1)));
        match within(next).await? {
            Ok(message) => {
                let name = message.subject.strip_prefix(&self.prefix).unwrap_or_default();
                Ok(Some(Entry { revision: message.sequence, said: said(name, &message.payload) }))
            }
            Err(none) if none.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(why) => Err(unusable(nats::with_source(&why))),
        }
    }

    /// What a message of the watch says.
    pub fn entry(&self, message: &Message) -> Result<Entry, SealFailed> {
        let revision = message.info().map_err(unusable)?.stream_sequence;
        let name = message.subject.strip_prefix(&self.prefix).unwrap_or_default();
        Ok(Entry { revision, said: said(name, &message.payload) })
    }

    /// The last revision of an entry, as the stream's leader says.
    async fn read(&self, name: &str) -> Result<Option<(u64, Bytes)>, SealFailed> {
        let subject = format!("{}{name}", self.prefix);
        match within(self.stream.get_last_raw_message_by_subject(&subject)).await? {
            Ok(message) => Ok(Some((message.sequence, message.payload))),
            Err(none) if none.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(why) => Err(unusable(nats::with_source(&why))),
        }
    }

    /// Puts an entry if `expected` is its last revision (0: there is none). Returns the new one; `None` if it is another one.
    /// Where this fails, it may be put all the same, and later.
    async fn put(&self, name: &str, expected: u64, value: Vec<u8>) -> Result<Option<u64>, SealFailed> {
        // The client would keep it for when it is connected again: long after anybody waits for it.
        if self.context.client().connection_state() != State::Connected {
            return Err(unusable("no server is connected"));
        }
        let message = PublishMessage::build().expected_last_subject_sequence(expected).payload(value.into());
        let subject = format!("{}{name}", self.prefix);
        let answer = within(async { self.context.send_publish(subject, message).await?.await }).await?;
        match answer {
            Ok(stored) => Ok(Some(stored.sequence)),
            Err(other) if other.kind() == PublishErrorKind::WrongLastSequence => Ok(None),
            Err(why) => Err(unusable(nats::with_source(&why))),
        }
    }
}

fn prefix(settings: &NatsSettings) -> String {
    format!("$KV.{}-keys.", settings.name)
}

fn wanted(settings: &NatsSettings) -> Config {
    Config {
        name: format!("KV_{}-keys", settings.name),
        description: Some("Customers' keys of Offhook, wrapped".to_owned()),
        subjects: vec![format!("{}>", prefix(settings))],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: REVISIONS_MAX,
        max_consumers: -1,
        max_age: Duration::ZERO,
        max_message_size: (BLOCK_BYTES_MAX + HEADER_BYTES_MAX) as i32,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        deny_purge: true,
        allow_direct: true,
        // Nothing rests on it: every entry is put behind the revision that its writer knows.
        duplicate_window: Duration::from_secs(1),
        ..Config::default()
    }
}

async fn within<T>(asked: impl Future<Output = T>) -> Result<T, SealFailed> {
    let late = |_| unusable(format!("no answer within {} ms", ANSWER_MOST.as_millis()));
    tokio::time::timeout(ANSWER_MOST, asked).await.map_err(late)
}

fn unusable(why: impl Display) -> SealFailed {
    SealFailed::Unavailable(format!("the bucket that nodes share: {why}"))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn said(name: &str, value: &[u8]) -> Result<Said, String> {
    if let Some(first) = name.strip_prefix(BLOCK_PREFIX) {
        let block = number(first.as_bytes()).and_then(|first| Block::decode(first, value));
        return block.map(Said::Block).ok_or_else(|| format!("{name} is no block of keys"));
    }
    if name.starts_with(ERASED_PREFIX) {
        let erasure = serde_json::from_slice(value).map(Said::Erasure);
        return erasure.map_err(|why| format!("{name} is no erasure: {why}"));
    }
    Ok(Said::Other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::KeyNumber;

    #[test]
    fn entries_say_what_they_are_by_their_names() {
        let block = Block { first: 7, end: 9, keys: vec![(8, [3; _])] };
        let bytes = block.encode();
        assert_eq!(said("block.7", &bytes), Ok(Said::Block(block)));
        let erasure = Erasure { workspace: "demo".into(), customer: "ab".into(), keys: vec![KeyNumber(8)], at: 5 };
        let text = serde_json::to_vec(&erasure).unwrap();
        assert_eq!(said("erased.00", &text), Ok(Said::Erasure(erasure)));
        assert_eq!(said("next", b"257"), Ok(Said::Other));
        // What nobody of ours wrote is named, and stops nobody.
        for (name, value) in [("block.9", &bytes[..]), ("block.x", &bytes), ("block.7", b""), ("erased.00", b"{")] {
            assert!(said(name, value).unwrap_err().starts_with(name));
        }
    }
}
