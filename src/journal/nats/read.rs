//! What is read back: the last record, records after a position, and how much they take.

use super::places::{Place, Search};
use super::{Inner, OF_ONE_NODE, SUBJECT_PREFIX, stored};
use crate::journal::{JournalFailed, Position, Span, StoredRecord};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageError, Stream};
use futures_util::{StreamExt, TryStreamExt};
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// Messages that are asked for at once: 64 times 256 KiB are 16 MiB at most.
const AT_ONCE: usize = 64;
/// So few are asked for one by one: a consumer would cost more.
const FEW: usize = 2;
/// Of those whose reader is gone.
const CONSUMER_LIVES: Duration = Duration::from_secs(10);
const SIZE_HEADER: &str = "Nats-Msg-Size";

pub(super) fn unavailable(why: impl Display) -> JournalFailed {
    JournalFailed::Unavailable(why.to_string())
}

fn failed(error: &RawMessageError) -> JournalFailed {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    JournalFailed::Unavailable(format!("{error}{source}"))
}

/// The last record of a subject.
pub(super) async fn last(stream: &Stream, subject: &str) -> Result<Option<(Place, StoredRecord)>, JournalFailed> {
    match stream.get_last_raw_message_by_subject(subject).await {
        Ok(message) => stored(subject, message.sequence, &message.headers, message.payload).map(Some),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

impl Inner {
    /// The first record at or behind a sequence.
    pub(super) async fn at_or_behind(
        &self,
        subject: &str,
        sequence: u64,
    ) -> Result<Option<(Place, StoredRecord)>, JournalFailed> {
        match self.stream.get_first_raw_message_by_subject(subject, sequence).await {
            Ok(message) => stored(subject, message.sequence, &message.headers, message.payload).map(Some),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Where to begin to read; `None` when nothing is behind that position.
    async fn begin(&self, workspace: &Arc<str>, after: Position) -> Result<Option<u64>, JournalFailed> {
        if let Some(sequence) = self.places.sequence_of(workspace, after) {
            return Ok(Some(sequence + 1));
        }
        let Some((last, _)) = self.last(workspace).await? else { return Ok(None) };
        if last.position <= after {
            return Ok(None);
        }
        let subject = self.subject(workspace);
        let mut search = Search::new(after, last.sequence);
        while let Some(probe) = search.probe() {
            search.found(probe, self.at_or_behind(&subject, probe).await?.map(|(place, _)| place));
        }
        Ok(Some(search.begin()))
    }

    pub(super) async fn read(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, JournalFailed> {
        let Some(mut next) = self.begin(workspace, after).await? else { return Ok(Vec::new()) };
        let subject = self.subject(workspace);
        let mut records = Vec::new();
        if records_max <= FEW {
            while records.len() < records_max {
                let Some((place, record)) = self.at_or_behind(&subject, next).await? else { break };
                next = place.sequence + 1;
                records.push(record);
                self.places.read_to(workspace, place);
            }
            return Ok(records);
        }
        let consumer = self.consumer(&subject, next, false).await?;
        let mut bytes = 0;
        'reading: while records.len() < records_max {
            let wanted = AT_ONCE.min(records_max - records.len());
            let mut batch = consumer.fetch().max_messages(wanted).messages().await.map_err(unavailable)?;
            let mut some = false;
            while let Some(message) = batch.next().await {
                let message = message.map_err(unavailable)?;
                let sequence = message.info().map_err(unavailable)?.stream_sequence;
                let headers = message.headers.clone().unwrap_or_default();
                let (place, record) = stored(&subject, sequence, &headers, message.message.payload)?;
                bytes += record.body.len();
                if bytes > bytes_max && !records.is_empty() {
                    break 'reading;
                }
                // What was between them was cut meanwhile: whoever reads on is to see that.
                if records.last().is_some_and(|last: &StoredRecord| last.position.next() != record.position) {
                    break 'reading;
                }
                some = true;
                self.places.read_to(workspace, place);
                records.push(record);
            }
            if !some {
                break;
            }
        }
        self.give_up(consumer);
        Ok(records)
    }

    pub(super) async fn span(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
    ) -> Result<Span, JournalFailed> {
        let mut span = Span { records: 0, bytes: 0, to: after };
        let Some(next) = self.begin(workspace, after).await? else { return Ok(span) };
        let subject = self.subject(workspace);
        let consumer = self.consumer(&subject, next, true).await?;
        while span.records < records_max {
            let wanted = 1_024.min(records_max - span.records);
            let mut batch = consumer.fetch().max_messages(wanted).messages().await.map_err(unavailable)?;
            let before = span.records;
            while let Some(message) = batch.next().await {
                let message = message.map_err(unavailable)?;
                let sequence = message.info().map_err(unavailable)?.stream_sequence;
                let headers = message.headers.clone().unwrap_or_default();
                let bytes = headers.get(SIZE_HEADER).and_then(|size| size.as_str().parse::<u64>().ok());
                let (place, _) = stored(&subject, sequence, &headers, message.message.payload)?;
                span.records += 1;
                span.bytes += bytes.unwrap_or(0);
                span.to = place.position;
            }
            if span.records == before {
                break;
            }
        }
        self.give_up(consumer);
        Ok(span)
    }

    /// Reads a subject from a sequence on. It is of one server and in memory: whoever reads and loses it begins again.
    async fn consumer(
        &self,
        subject: &str,
        sequence: u64,
        headers_only: bool,
    ) -> Result<Consumer<pull::Config>, JournalFailed> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: sequence },
            filter_subject: subject.to_owned(),
            ack_policy: AckPolicy::None,
            inactive_threshold: CONSUMER_LIVES,
            memory_storage: true,
            num_replicas: 1,
            headers_only,
            ..pull::Config::default()
        };
        self.stream.create_consumer(config).await.map_err(unavailable)
    }

    /// A consumer that nobody reads: the server would find out by itself, a while later.
    fn give_up(&self, consumer: Consumer<pull::Config>) {
        let (stream, name) = (self.stream.clone(), consumer.cached_info().name.clone());
        tokio::spawn(async move { drop(stream.delete_consumer(&name).await) });
    }

    pub(super) async fn workspaces(&self) -> Result<Vec<Arc<str>>, JournalFailed> {
        let all = format!("{}.{SUBJECT_PREFIX}.", self.prefix);
        let subjects = self.stream.info_with_subjects(format!("{all}>")).await.map_err(unavailable)?;
        let subjects: Vec<(String, usize)> = subjects.try_collect().await.map_err(unavailable)?;
        let mut names: Vec<Arc<str>> = subjects
            .iter()
            .filter_map(|(subject, _)| self.workspace_of(subject.strip_prefix(&all)?))
            .map(Arc::from)
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Of a workspace that is one node's alone: a fence that is wrong must stay wrong for all others.
    pub(super) async fn forget(&self, workspace: &Arc<str>) -> Result<u64, JournalFailed> {
        debug_assert!(workspace.starts_with(OF_ONE_NODE), "{workspace} is not this node's alone");
        let purged = self.stream.purge().filter(self.subject(workspace)).await;
        self.places.forget(workspace);
        Ok(purged.map_err(unavailable)?.purged)
    }

    pub(super) async fn cut(&self, workspace: &Arc<str>, below: Position) -> Result<u64, JournalFailed> {
        let Some((last, _)) = self.last(workspace).await? else { return Ok(0) };
        let before_it = Position(below.0.saturating_sub(1));
        let first_kept =
            self.begin(workspace, before_it).await?.map_or(last.sequence, |first| first.min(last.sequence));
        let purged = self.stream.purge().filter(self.subject(workspace)).sequence(first_kept).await;
        Ok(purged.map_err(unavailable)?.purged)
    }
}
