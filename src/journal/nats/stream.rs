//! The stream: made as it should be, or compared with it. Never changed: what differs is an operator's to change.

use super::connect::NatsSettings;
use super::read::unavailable;
use crate::journal::{JournalFailed, RECORD_BYTES_MAX};
use async_nats::jetstream::Context;
use async_nats::jetstream::context::{GetStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{ErrorCode, stream};
use std::time::Duration;

/// In the subject of each workspace, after the cluster's name: `offhook.journal.acme`.
pub(super) const SUBJECT_PREFIX: &str = "journal";
/// What headers take beside a record.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// A sequence that no stream comes to; the largest that servers read.
const NEVER: u64 = i64::MAX as u64;
const REACHED_TRIES: u32 = 100;
const REACHED_EVERY: Duration = Duration::from_millis(50);

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub records: u64,
    pub bytes: u64,
    /// What it may hold; `None` where only the servers' disks say so.
    pub bytes_max: Option<u64>,
    pub replicas: usize,
    /// Replicas that are not up to date, or not there.
    pub behind: usize,
}

pub(super) async fn held(stream: &Stream) -> Result<Held, JournalFailed> {
    let info = stream.get_info().await.map_err(|error| unavailable(with_source(&error)))?;
    let others = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
    let behind = others.filter(|replica| !replica.current || replica.offline).count();
    let bytes_max = u64::try_from(info.config.max_bytes).ok().filter(|bytes| *bytes > 0);
    let (records, bytes) = (info.state.messages, info.state.bytes);
    Ok(Held { records, bytes, bytes_max, replicas: info.config.num_replicas, behind })
}

/// Why there is no stream that a journal can rest on.
#[derive(Debug, thiserror::Error)]
pub enum StreamFailed {
    #[error(
        "the stream {stream} is not as it should be: {what}; change it with `nats stream edit`, or choose another cluster name"
    )]
    Differs { stream: String, what: String },
    #[error("the stream {stream} could not be made: {why}")]
    NotMade { stream: String, why: String },
    #[error(transparent)]
    Journal(#[from] JournalFailed),
}

impl StreamFailed {
    /// Waiting does not mend it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Differs { .. })
    }
}

/// The name of the stream of a cluster: `OFFHOOK_JOURNAL`.
#[must_use]
pub fn stream_name(cluster: &str) -> String {
    format!("{}_JOURNAL", cluster.to_uppercase())
}

/// What the fence and the promises rest on.
fn wanted(settings: &NatsSettings) -> Config {
    Config {
        name: stream_name(&settings.name),
        description: Some("The journal of Offhook: what was acknowledged".to_owned()),
        subjects: vec![format!("{}.{SUBJECT_PREFIX}.*", settings.name)],
        max_message_size: (RECORD_BYTES_MAX + HEADER_BYTES_MAX) as i32,
        ..kept(settings, settings.bytes_max)
    }
}

/// What holds for each stream of ours: on the disks of so many servers, and nothing goes by itself. What is full takes nothing more.
pub(crate) fn kept(settings: &NatsSettings, bytes_max: Option<u64>) -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes: bytes_max.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_age: Duration::ZERO,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        deny_delete: true,
        allow_direct: true,
        // Nothing rests on it: a fence keeps out what comes twice, or it is the same.
        duplicate_window: Duration::from_secs(1),
        ..Config::default()
    }
}

/// The journal's own, and reached.
pub(super) async fn open(context: &Context, settings: &NatsSettings) -> Result<Stream, StreamFailed> {
    let wanted = wanted(settings);
    let name = wanted.name.clone();
    let held = make_or_compare(context, wanted).await?;
    until_reached(context, &name, &format!("{}.{SUBJECT_PREFIX}._reached", settings.name)).await?;
    Ok(held)
}

/// Makes a stream, or compares the one of its name with what is wanted.
///
/// # Errors
/// It cannot be asked or made, or is another one; nothing was changed then.
pub(crate) async fn make_or_compare(context: &Context, wanted: Config) -> Result<Stream, StreamFailed> {
    let name = wanted.name.clone();
    let held = match context.get_stream(&name).await {
        Ok(held) => held,
        Err(error) if is_not_there(error.kind()) => match context.create_stream(wanted.clone()).await {
            Ok(made) => made,
            // Of two who make it at once one may be refused, since it is there by then.
            Err(why) => match context.get_stream(&name).await {
                Ok(of_another) => of_another,
                Err(_) => return Err(StreamFailed::NotMade { stream: name, why: with_source(&why) }),
            },
        },
        Err(error) => return Err(unavailable(with_source(&error)).into()),
    };
    // Also one just made: a server that ignores an option says nothing of it.
    let what = differences(&wanted, &held.cached_info().config);
    if !what.is_empty() {
        return Err(StreamFailed::Differs { stream: name, what: what.join(", ") });
    }
    Ok(held)
}

/// Of an append that is surely fenced the answer says that the stream is reached from here: one that was just made is known to its leader
/// before every server knows where to send what is for it. `subject` is one of the stream's on which nothing is ever stored.
///
/// # Errors
/// It is not reached; or there is no fence.
pub(crate) async fn until_reached(context: &Context, stream: &str, subject: &str) -> Result<(), StreamFailed> {
    let mut why = String::new();
    for _ in 0..REACHED_TRIES {
        let fenced = PublishMessage::build().expected_last_subject_sequence(NEVER);
        let sent = async { context.send_publish(subject.to_owned(), fenced).await?.await };
        match sent.await {
            Err(answer) if answer.kind() == PublishErrorKind::WrongLastSequence => return Ok(()),
            Ok(_) => {
                let what = "an append that expects what was never there is stored: there is no fence".to_owned();
                return Err(StreamFailed::Differs { stream: stream.to_owned(), what });
            }
            Err(other) => why = with_source(&other),
        }
        // Servers tell nobody when they have heard of a stream.
        tokio::time::sleep(REACHED_EVERY).await;
    }
    Err(unavailable(why).into())
}

fn is_not_there(kind: GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// What a client's error says, with what is behind it.
pub(crate) fn with_source(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// What matters of it, by the names that NATS has for it. Its limit of bytes is the operator's.
fn differences(wanted: &Config, held: &stream::Config) -> Vec<String> {
    let mut what = Vec::new();
    let mut compare = |name: &str, wanted: String, held: String| {
        if wanted != held {
            what.push(format!("{name} is {held} and has to be {wanted}"));
        }
    };
    compare("subjects", wanted.subjects.join(" "), held.subjects.join(" "));
    compare("retention", format!("{:?}", wanted.retention), format!("{:?}", held.retention));
    compare("discard", format!("{:?}", wanted.discard), format!("{:?}", held.discard));
    compare("storage", format!("{:?}", wanted.storage), format!("{:?}", held.storage));
    compare("max_msgs", wanted.max_messages.to_string(), held.max_messages.to_string());
    let each = |config: &Config| config.max_messages_per_subject.to_string();
    compare("max_msgs_per_subject", each(wanted), each(held));
    compare("max_age", format!("{:?}", wanted.max_age), format!("{:?}", held.max_age));
    compare("num_replicas", wanted.num_replicas.to_string(), held.num_replicas.to_string());
    compare("deny_delete", wanted.deny_delete.to_string(), held.deny_delete.to_string());
    compare("deny_purge", wanted.deny_purge.to_string(), held.deny_purge.to_string());
    compare("allow_direct", wanted.allow_direct.to_string(), held.allow_direct.to_string());
    compare("allow_rollup_hdrs", wanted.allow_rollup.to_string(), held.allow_rollup.to_string());
    compare("sealed", wanted.sealed.to_string(), held.sealed.to_string());
    compare("no_ack", wanted.no_ack.to_string(), held.no_ack.to_string());
    compare("mirror", wanted.mirror.is_some().to_string(), held.mirror.is_some().to_string());
    let sourced = |config: &Config| config.sources.as_ref().is_some_and(|sources| !sources.is_empty()).to_string();
    compare("sources", sourced(wanted), sourced(held));
    if held.max_message_size != -1 && held.max_message_size < wanted.max_message_size {
        what.push(format!(
            "max_msg_size is {} and has to be {} at least",
            held.max_message_size, wanted.max_message_size
        ));
    }
    what
}
