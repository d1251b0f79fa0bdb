//! The files of a cluster, on the servers of NATS: as they lie sealed on the disk of the node that took them, in a stream that all nodes share.
//!
//! ```text
//! files.begun.WORKSPACE.CONVERSATION.FILE                 somebody began to put it: by this the sweep finds whatever there is of it
//! files.part.WORKSPACE.CONVERSATION.FILE.ATTEMPT.NUMBER   256 KiB of its chunks
//! files.whole.WORKSPACE.CONVERSATION.FILE                 its head, and whose parts are its: put last, and only where there is none
//! ```
//!
//! Of each subject the last message counts. A file is there when its `whole` is; of two nodes that put the same one at once, one wins that
//! and the other learns what is there. Everything that is removed is removed up to a sequence that was seen, so that what came since stays.
//!
//! It is no object store of NATS's own making (a bucket `OBJ_…`), since that one overwrites: who puts an object again, at another node or since
//! an answer was lost, removes the chunks that somebody is reading, and of two who put it at once the chunks of one stay for ever, under a name that
//! nothing tells. And of each object that was removed a message would stay.

mod put;
mod walk;

pub(super) use put::Put;
pub use walk::Begun;

use super::Place;
use super::format::HEAD_BYTES;
use crate::clock;
use crate::desk::files::FileId;
use crate::desk::ids::ConversationId;
use crate::journal::nats::{NatsSettings, StreamFailed, kept, make_or_compare, until_reached, with_source};
use crate::overload::{Purpose, Taken, Weight, memory};
use async_nats::jetstream::Context;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Config, DirectGetErrorKind, LastRawMessageErrorKind, Stream};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, Semaphore};

/// Of what is behind the head, in one message.
pub(super) const PART_BYTES: usize = 256 << 10;
/// What headers take beside it.
const HEADER_BYTES_MAX: usize = 4 << 10;
/// What one file on its way takes: a part, and what the client still holds of it.
const UNDER_WAY_BYTES: usize = 2 * PART_BYTES;
/// Files that are fetched at once; others wait.
const FETCHES_MAX: usize = 8;
/// For so long a step that is not answered is tried again.
const STALLED_MS: u64 = 5_000;
const AGAIN_AFTER: Duration = Duration::from_millis(250);

const BEGUN: &str = "begun";
const PART: &str = "part";
const WHOLE: &str = "whole";
const ATTEMPT_HEADER: &str = "Offhook-Attempt";
const PARTS_HEADER: &str = "Offhook-Parts";

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum NotShared {
    #[error(
        "the cluster's files take what they may: let the stream {0} have more bytes (`nats stream edit`), or keep conversations for less long"
    )]
    Full(String),
    #[error("the cluster's files cannot be reached: {0}")]
    Unreachable(String),
    #[error("of the file a part is missing, or is another's")]
    Damaged,
    #[error("there is no memory for it now")]
    NoMemory,
}

/// A file that is there.
#[derive(Debug, Clone)]
pub struct Entry {
    sequence: u64,
    /// Unix milliseconds: when it was put, or last going to be named.
    pub at_ms: u64,
    attempt: u128,
    pub(super) parts: u64,
    pub(super) head: Box<[u8; HEAD_BYTES]>,
}

type Turns = BTreeMap<(Arc<str>, ConversationId, FileId), Weak<Turn<()>>>;

pub struct SharedFiles {
    context: Context,
    stream: Stream,
    name: String,
    /// `offhook.files`
    prefix: String,
    fetches: Semaphore,
    /// Of files that are being fetched: no more than are read at once.
    turns: Mutex<Turns>,
}

impl SharedFiles {
    /// Makes the stream, or looks whether the one that is there is as it should be.
    ///
    /// # Errors
    /// The servers cannot be asked, or the stream is another one; nothing was changed then.
    pub async fn open(
        context: Context,
        settings: &NatsSettings,
        bytes_max: Option<u64>,
    ) -> Result<SharedFiles, StreamFailed> {
        let (name, prefix) = (format!("{}-files", settings.name), format!("{}.files", settings.name));
        let wanted = Config {
            name: name.clone(),
            description: Some("Files of messages of Offhook, sealed".to_owned()),
            subjects: vec![format!("{prefix}.>")],
            max_messages_per_subject: 1,
            max_message_size: (PART_BYTES + HEADER_BYTES_MAX) as i32,
            ..kept(settings, bytes_max)
        };
        let stream = make_or_compare(&context, wanted).await?;
        until_reached(&context, &name, &format!("{prefix}.reached")).await?;
        let (fetches, turns) = (Semaphore::new(FETCHES_MAX), Mutex::default());
        Ok(SharedFiles { context, stream, name, prefix, fetches, turns })
    }

    /// Which store it is: another one, where it was made anew under its name.
    #[must_use]
    pub fn made(&self) -> String {
        format!("{} {}", self.name, self.stream.cached_info().created.unix_timestamp_nanos())
    }

    fn subject(&self, what: &str, place: &Place) -> String {
        let Place { workspace, conversation, file } = place;
        format!("{}.{what}.{workspace}.{conversation}.{file}", self.prefix)
    }

    /// The file, as the stream's leader knows of it.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn entry(&self, place: &Place) -> Result<Option<Entry>, NotShared> {
        self.last(&self.subject(WHOLE, place)).await?.map(|message| entry_of(&message)).transpose()
    }

    async fn last(&self, subject: &str) -> Result<Option<StreamMessage>, NotShared> {
        let ask = || async {
            match self.stream.get_last_raw_message_by_subject(subject).await {
                Ok(message) => Ok(Some(message)),
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
                Err(error) => Err(Trouble::Passing(with_source(&error))),
            }
        };
        self.patiently(ask).await
    }

    /// What is behind the head, by its number. A replica is asked, and may not have it yet; then the leader is.
    ///
    /// # Errors
    /// It is missing, or cannot be asked for.
    pub(super) async fn part(&self, place: &Place, entry: &Entry, number: u64) -> Result<Bytes, NotShared> {
        let subject = format!("{}.{:032x}.{number}", self.subject(PART, place), entry.attempt);
        match self.stream.direct_get_last_for_subject(&subject).await {
            Ok(message) => return Ok(message.payload),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {}
            Err(error) => tracing::debug!(%error, "a part of a file is asked for again"),
        }
        Ok(self.last(&subject).await?.ok_or(NotShared::Damaged)?.payload)
    }

    /// Removes what is on this subject up to a sequence: how many there were.
    async fn purge(&self, subject: &str, to: u64) -> Result<u64, NotShared> {
        let purge = || async {
            let purged = self.stream.purge().filter(subject).sequence(to + 1).await;
            purged.map(|purged| purged.purged).map_err(|error| Trouble::Passing(with_source(&error)))
        };
        self.patiently(purge).await
    }

    /// Again and again, for a while: servers elect a leader, or are started again.
    async fn patiently<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, NotShared>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let until_ms = clock::monotonic_ms() + STALLED_MS;
        loop {
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(Trouble::Full) => return Err(NotShared::Full(self.name.clone())),
                Err(Trouble::Passing(why)) if clock::monotonic_ms() >= until_ms => {
                    return Err(NotShared::Unreachable(why));
                }
                Err(Trouble::Passing(_)) => {}
            }
            // Servers that elect tell nobody when they have.
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Whose turn it is to fetch this file: others wait for it.
    pub(super) fn turn(&self, place: &Place) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let key = (place.workspace.clone(), place.conversation, place.file);
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }

    pub(super) fn fetches(&self) -> &Semaphore {
        &self.fetches
    }
}

enum Trouble {
    Full,
    Passing(String),
}

/// For a file on its way, in or out.
pub(super) fn memory_for_one() -> Result<Taken, NotShared> {
    let taken = memory().reserve.guard(Purpose::Files, Weight::Ordinary, UNDER_WAY_BYTES);
    taken.map_err(|_| NotShared::NoMemory)
}

/// How many messages so many bytes behind the head are.
pub(super) fn parts_of(bytes: u64) -> u64 {
    bytes.div_ceil(PART_BYTES as u64)
}

fn entry_of(message: &StreamMessage) -> Result<Entry, NotShared> {
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
    let attempt = header(ATTEMPT_HEADER).and_then(|text| u128::from_str_radix(text, 16).ok());
    let parts = header(PARTS_HEADER).and_then(|text| text.parse().ok());
    let head = <[u8; HEAD_BYTES]>::try_from(&*message.payload).ok();
    let (Some(attempt), Some(parts), Some(head)) = (attempt, parts, head) else { return Err(NotShared::Damaged) };
    let at_ms = u64::try_from(message.time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    Ok(Entry { sequence: message.sequence, at_ms, attempt, parts, head: Box::new(head) })
}
