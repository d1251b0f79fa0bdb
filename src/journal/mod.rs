//! The events of every workspace, kept: one trait for both kinds of journal, and the words that they share.
//!
//! A journal keeps opaque bytes under a workspace's own consecutive positions. What the bytes mean is
//! [`record`]'s business, so that a damaged record can be reported, skipped over and shown without
//! the journal itself failing.

pub mod carry;
pub mod elsewhere;
mod health;
pub mod local_disk;
pub mod lock;
pub mod nats;
pub mod record;
pub mod show;
pub mod sqlite;
pub mod verify;

pub use health::{JournalHealth, JournalState};

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest body that an append takes. A turn that could be larger goes in steps.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// A workspace's own consecutive record number: the first is 1, and 0 means nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    pub const NOTHING: Position = Position(0);

    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A turn's random id, made by whoever appends, so that after an unknown outcome it can look for its own record.
/// Written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TurnId(pub u128);

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnId({self})")
    }
}

impl Serialize for TurnId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TurnId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        // from_str_radix alone would take a sign and any length.
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(serde::de::Error::custom("a turn id is 32 hex digits"));
        }
        u128::from_str_radix(&text, 16).map(TurnId).map_err(serde::de::Error::custom)
    }
}

/// What an append asks for.
#[derive(Debug, Clone)]
pub struct NewRecord {
    pub turn: TurnId,
    /// The last committed position; the new record becomes the one after it.
    pub expected: Position,
    /// An encoded record, at most [`RECORD_BYTES_MAX`].
    pub body: Bytes,
    /// May use the room that is kept back: accepts and closes, which commit last of all.
    pub last_resort: bool,
}

/// A record as the journal holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    pub position: Position,
    pub turn: TurnId,
    pub body: Bytes,
}

/// How an append ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// On disk, at this position.
    Committed(Position),
    /// Nothing happened.
    Refused(RefusedAppend),
    /// It may or may not be there: read the tail back before anything else. The sentence is for the log.
    Unknown(String),
}

/// How much some records that follow each other take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub records: usize,
    /// Of their bodies.
    pub bytes: u64,
    /// The last of them; where there is none, the position that was asked about.
    pub to: Position,
}

/// Why nothing was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAppend {
    #[error("the workspace's journal is at position {actual}, not where this turn expected it")]
    Fenced { actual: Position },
    #[error("the disk is full")]
    Full,
    #[error("the disk is read-only")]
    ReadOnly,
    #[error("the journal is damaged")]
    Damaged,
    #[error("the record is larger than {RECORD_BYTES_MAX} bytes")]
    TooLarge,
    #[error("what is left of the disk budget is kept back for accepts and closes")]
    KeptBack,
    #[error("too many appends wait for the disk")]
    Busy,
    #[error("the disk reported a fault, and the record is not there")]
    DiskFault,
    #[error("the journal cannot be reached")]
    Unreachable,
    #[error("the journal is closed")]
    Closed,
}

impl RefusedAppend {
    /// The word for metrics.
    pub fn word(self) -> &'static str {
        match self {
            RefusedAppend::Fenced { .. } => "fenced",
            RefusedAppend::Full => "full",
            RefusedAppend::ReadOnly => "read_only",
            RefusedAppend::Damaged => "damaged",
            RefusedAppend::TooLarge => "too_large",
            RefusedAppend::KeptBack => "kept_back",
            RefusedAppend::Busy => "busy",
            RefusedAppend::DiskFault => "disk_fault",
            RefusedAppend::Unreachable => "unreachable",
            RefusedAppend::Closed => "closed",
        }
    }
}

/// Why the journal could not be read, or cut.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalFailed {
    #[error("the journal is damaged: {0}; run `offhook journal verify`")]
    Damaged(String),
    #[error("the journal could not be reached: {0}")]
    Unavailable(String),
    #[error("the journal took longer than {limit_ms} ms")]
    TooSlow { limit_ms: u64 },
    #[error("too much waits for the journal")]
    Busy,
    #[error("the journal is closed")]
    Closed,
}

/// Where records are kept. One workspace has one append in flight; many workspaces share a commit.
///
/// Each call does its asking at once; dropping the returned future only stops listening to the answer.
/// Futures must be polled inside a tokio runtime.
pub trait Journal: Send + Sync + 'static {
    /// Appends one record behind `record.expected`.
    fn append(&self, workspace: &Arc<str>, record: NewRecord) -> BoxFuture<'static, Appended>;

    /// The last record, or `None` for a workspace that has none.
    fn tail(&self, workspace: &Arc<str>) -> BoxFuture<'static, Result<Option<StoredRecord>, JournalFailed>>;

    /// Records after a position, in order: at most `records_max` of them and `bytes_max` bytes of bodies, but
    /// one at least if there is one. Begins later than `after + 1` where the journal was cut.
    fn read(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
        bytes_max: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredRecord>, JournalFailed>>;

    /// How much the records after a position take, of at most `records_max` of them.
    fn span(
        &self,
        workspace: &Arc<str>,
        after: Position,
        records_max: usize,
    ) -> BoxFuture<'static, Result<Span, JournalFailed>>;

    /// Every workspace that ever committed a record, by name.
    fn workspaces(&self) -> BoxFuture<'static, Result<Vec<Arc<str>>, JournalFailed>>;

    /// Deletes records below a position, in bounded steps between appends, and never the last one. Answers how many.
    fn cut(&self, workspace: &Arc<str>, below: Position) -> BoxFuture<'static, Result<u64, JournalFailed>>;

    /// Deletes every record of a workspace that nobody runs, so that it begins anew: for one whose history is worth nothing.
    fn forget(&self, workspace: &Arc<str>) -> BoxFuture<'static, Result<u64, JournalFailed>>;

    /// How the journal is. Cheap: reads a pointer.
    fn health(&self) -> Arc<JournalHealth>;
}
