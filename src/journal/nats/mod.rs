//! NATS JetStream as the journal: one stream, in it a subject for each workspace, on which the last record's sequence is the fence.
//!
//! ```text
//! append ─▶ publish with "only if the subject's last sequence is still S" ─▶ stored │ wrong last sequence │ no answer
//! tail ───▶ the subject's last message, asked of the stream's leader
//! read ───▶ a consumer that lives as long as the answer
//! ```
//!
//! A sequence counts in the whole stream and a position in one workspace, so that each message says its position in a header, and
//! which sequence a position has is remembered or searched for (`places.rs`). Safety rests on the fence alone: what was read may be
//! old, since whoever decides upon it appends behind it, and is refused.
//!
//! Measured: with three replicas on server 2.9 that fence lets two to eight of eight writers win, and from 2.10 on one. So an older
//! server is refused, and what the stream is like is read back and compared (`stream.rs`).

mod append;
mod bucket;
mod connect;
mod cut;
mod fill;
mod live;
mod mark;
mod places;
mod read;
mod stream;
mod trial;

pub(crate) use append::is_full;
pub use bucket::{Bucket, bucket};
pub use connect::{ConnectFailed, NatsSettings, connect, is_address, is_token};
pub use live::Live;
pub use mark::Mark;
pub use stream::{Held, StreamFailed, stream_name};
pub(crate) use stream::{kept, make_or_compare, until_reached, with_source};
pub use trial::{Trial, attempt};

use super::health::HealthCell;
use super::{
    Appended, Journal, JournalFailed, JournalHealth, JournalState, NewRecord, Position, Span, StoredRecord, TurnId,
};
use crate::overload::disk;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Stream;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use places::{Place, Places};
use std::sync::Arc;
use stream::SUBJECT_PREFIX;

const POSITION_HEADER: &str = "Offhook-Position";
const TURN_HEADER: &str = "Offhook-Turn";
/// Names of workspaces that begin so are one node's alone, and have that node's name behind them on the servers.
const OF_ONE_NODE: char = '_';

/// A journal in a stream that is there and is as it should be.
#[derive(Clone)]
pub struct NatsJournal(Arc<Inner>);

struct Inner {
    context: Context,
    stream: Stream,
    prefix: String,
    /// Of workspaces that are this node's alone.
    node: String,
    places: Places,
    health: HealthCell,
}

impl NatsJournal {
    /// Makes the stream, or looks whether the one that is there is as it should be.
    ///
    /// # Errors
    /// The servers are too old or cannot be asked, or the stream is another one; nothing was changed then.
    pub async fn open(context: Context, settings: &NatsSettings, node: &str) -> Result<Self, StreamFailed> {
        let stream = stream::open(&context, settings).await?;
        let (places, health) = (Places::default(), HealthCell::new());
        let (prefix, node) = (settings.name.clone(), node.to_owned());
        Ok(Self(Arc::new(Inner { context, stream, prefix, node, places, health })))
    }

    /// What the stream holds now.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn held(&self) -> Result<Held, JournalFailed> {
        stream::held(&self.0.stream).await
    }
}

impl Inner {
    fn subject(&self, workspace: &str) -> String {
        if workspace.starts_with(OF_ONE_NODE) {
            return format!("{}.{SUBJECT_PREFIX}.{workspace}-{}", self.prefix, self.node);
        }
        format!("{}.{SUBJECT_PREFIX}.{workspace}", self.prefix)
    }

    /// The workspace of this name on the servers, where it is not another node's alone.
    fn workspace_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        if name.starts_with(OF_ONE_NODE) {
            return name.strip_suffix(self.node.as_str())?.strip_suffix('-');
        }
        Some(name)
    }

    /// What every call ends with: how the journal is follows from how it answers.
    fn look<T>(&self, answer: Result<T, JournalFailed>) -> Result<T, JournalFailed> {
        match &answer {
            Ok(_) => self.is_well(),
            Err(failed @ JournalFailed::Damaged(_)) => {
                self.health.become_state(JournalState::Damaged, Some(&failed.to_string()));
            }
            Err(failed) => self.health.become_state(JournalState::Failing, Some(&failed.to_string())),
        }
        answer
    }

    /// The servers answer as they should; what is decided here has room by this node's own disk.
    fn is_well(&self) {
        let state = if disk().is_critical() { JournalState::KeptBack } else { JournalState::Healthy };
        self.health.become_state(state, None);
    }

    /// The last record's place, as the stream's leader says.
    async fn last(&self, workspace: &Arc<str>) -> Result<Option<(Place, StoredRecord)>, JournalFailed> {
        let last = read::last(&self.stream, &self.subject(workspace)).await?;
        if let Some((place, _)) = &last {
            self.places.tail_is(workspace, *place);
        }
        Ok(last)
    }
}

impl Journal for NatsJournal {
    fn append(&self, workspace: &Arc<str>, record: NewRecord) -> BoxFuture<'static, Appended> {
        let (inner, workspace) = (self.0.clone(), workspace.clone());
        async move { inner.append(&workspace, record).await }.boxed()
    }

    fn tail(&self, workspace: &Arc<str>) -> BoxFuture<'static, Result<Option<StoredRecord>, JournalFailed>> {
        let (inner, workspace) = (self.0.clone(), workspace.clone());
        async move { inner.look(inner.last(&workspace).await.map(|last| last.map(|(_, record)| record))) }.boxed()
    }

    fn read(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
        bytes_max: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredRecord>, JournalFailed>> {
        let (inner, workspace) = (self.0.clone(), workspace.clone());
        async move { inner.look(inner.read(&workspace, after, records_max, bytes_max).await) }.boxed()
    }

    fn span(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
    ) -> BoxFuture<'static, Result<Span, JournalFailed>> {
        let (inner, workspace) = (self.0.clone(), workspace.clone());
        async move { inner.look(inner.span(&workspace, after, records_max).await) }.boxed()
    }

    fn workspaces(&self) -> BoxFuture<'static, Result<Vec<Arc<str>>, JournalFailed>> {
        let inner = self.0.clone();
        async move { inner.look(inner.workspaces().await) }.boxed()
    }

    fn cut(&self, workspace: &Arc<str>, below: Position) -> BoxFuture<'static, Result<u64, JournalFailed>> {
        let (inner, workspace) = (self.0.clone(), workspace.clone());
        async move { inner.look(inner.cut(&workspace, below).await) }.boxed()
    }

    fn forget(&self, workspace: &Arc<str>) -> BoxFuture<'static, Result<u64, JournalFailed>> {
        let (inner, workspace) = (self.0.clone(), workspace.clone());
        async move { inner.look(inner.forget(&workspace).await) }.boxed()
    }

    fn health(&self) -> Arc<JournalHealth> {
        self.0.health.load()
    }
}

/// A message of the stream as the record that it is.
///
/// # Errors
/// It was not written by a journal of ours.
fn stored(
    subject: &str,
    sequence: u64,
    headers: &async_nats::HeaderMap,
    body: Bytes,
) -> Result<(Place, StoredRecord), JournalFailed> {
    let damaged = |what: &str| JournalFailed::Damaged(format!("message {sequence} on {subject} has no {what}"));
    let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    let position = header(POSITION_HEADER).and_then(|text| text.parse().ok()).map(Position);
    let position = position.ok_or_else(|| damaged(POSITION_HEADER))?;
    let turn = header(TURN_HEADER).and_then(|text| u128::from_str_radix(&text, 16).ok()).map(TurnId);
    let turn = turn.ok_or_else(|| damaged(TURN_HEADER))?;
    Ok((Place { position, sequence }, StoredRecord { position, turn, body }))
}
