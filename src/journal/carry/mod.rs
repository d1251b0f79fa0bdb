//! A journal carried into another one, workspace by workspace: from the disk of a single server into the stream of a cluster, and back.
//!
//! ```text
//! plan ──▶ carry ──▶ same
//!  │         │         └ every record of both is read and compared
//!  │         └ records as they are, in order: same position, same turn, same body
//!  └ what is there already is the beginning of the same history, or it is refused before anything is copied
//! ```
//!
//! There is no note of how far it came: whoever runs it again finds that out from what is there.

mod extent;
mod reading;
mod same;

pub use reading::extent_of;
pub use same::same;

use super::record;
use super::{Journal, JournalFailed, Position, StoredRecord};
use extent::Begin;
pub use extent::Extent;
use reading::{at, behind, page, workspaces};
use std::sync::Arc;

const PAGE_RECORDS: usize = 1_024;
/// Names of workspaces that begin so are one node's alone: what they hold is worth nothing, and must only not contradict its view.
const OF_ONE_NODE: char = '_';

/// Why not everything was carried.
#[derive(Debug, thiserror::Error)]
pub enum CarryFailed {
    #[error(
        "workspace {workspace}: the record at position {position} is another one there: it is not the same history"
    )]
    OtherHistory { workspace: Arc<str>, position: Position },
    #[error(
        "workspace {workspace}: what is there ends at position {ends}, and the journal that it comes from begins at {begins}: what is \
         between them is gone, or they are two histories"
    )]
    Apart { workspace: Arc<str>, ends: Position, begins: Position },
    #[error("workspace {workspace}: somebody else appends to it: position {position} is there")]
    NotAlone { workspace: Arc<str>, position: Position },
    #[error("there is room for {free} bytes in the stream, and what is to be copied takes {needed}")]
    NoRoom { needed: u64, free: u64 },
    #[error(
        "workspace {workspace}: the record at position {position} is damaged ({why}); see `offhook journal verify`"
    )]
    Damaged { workspace: Arc<str>, position: Position, why: String },
    #[error("workspace {workspace}: the record at position {position} is not there, and should be")]
    Missing { workspace: Arc<str>, position: Position },
    #[error("the stream is full: give it more room (`cluster.bytes_max`, `nats stream edit`)")]
    Full,
    #[error("{0}")]
    Journal(#[from] JournalFailed),
    #[error("writing {doing}: {why}")]
    NotWritten { doing: &'static str, why: String },
}

impl CarryFailed {
    /// To do it once more would end in the same way.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::OtherHistory { .. }
            | Self::Apart { .. }
            | Self::NotAlone { .. }
            | Self::NoRoom { .. }
            | Self::Damaged { .. }
            | Self::Full => true,
            Self::Missing { .. } | Self::Journal(_) | Self::NotWritten { .. } => false,
        }
    }
}

/// Where records go.
pub trait Sink {
    /// Adds records that follow each other and what is there; where nothing is there, they begin it. Committed when this returns; those
    /// that are there already are left as they are.
    fn add(&mut self, workspace: &Arc<str>, records: &[StoredRecord]) -> impl Future<Output = Result<(), CarryFailed>>;

    /// Removes what there is of a workspace that is one node's alone.
    fn forget(&mut self, workspace: &Arc<str>) -> impl Future<Output = Result<(), CarryFailed>>;
}

/// What is to be done with one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub workspace: Arc<str>,
    /// What it comes from, as it was when this was planned.
    pub source: Extent,
    /// Copied is what is behind it.
    pub after: Position,
    /// How many that are, and their bodies.
    pub records: u64,
    pub bytes: u64,
    /// What is there goes first.
    pub anew: bool,
}

impl Part {
    #[must_use]
    pub fn is_of_one_node(&self) -> bool {
        self.workspace.starts_with(OF_ONE_NODE)
    }
}

/// What is to be copied; `target` is `None` where there is nothing yet. Changes nothing.
///
/// # Errors
/// What is there is not the beginning of the same history; or one of both could not be read.
pub async fn plan(source: &dyn Journal, target: Option<&dyn Journal>) -> Result<Vec<Part>, CarryFailed> {
    let mut parts = Vec::new();
    for workspace in workspaces(source).await? {
        let Some(from) = extent_of(source, &workspace).await? else { continue };
        let there = match target {
            Some(target) => extent_of(target, &workspace).await?,
            None => None,
        };
        let (begin, anew) =
            if workspace.starts_with(OF_ONE_NODE) {
                extent::begin_of_one_node(from, there)
            } else {
                let begin = extent::begin(from, there).map_err(|extent::Apart { ends, begins }| {
                    CarryFailed::Apart { workspace: workspace.clone(), ends, begins }
                })?;
                (begin, false)
            };
        if let (Some(shared), Some(target)) = (begin.shared, target)
            && at(source, &workspace, shared).await? != at(target, &workspace, shared).await?
        {
            return Err(CarryFailed::OtherHistory { workspace, position: shared });
        }
        let (records, bytes) = behind(source, &workspace, begin.after).await?;
        parts.push(Part { workspace, source: from, after: begin.after, records, bytes, anew });
    }
    Ok(parts)
}

/// Copies what is behind `part.after`; `told` hears how many bytes of bodies came, page by page.
///
/// # Errors
/// Not everything was copied; what was stays, and is where the next attempt begins.
pub async fn carry(
    source: &dyn Journal,
    sink: &mut impl Sink,
    part: &Part,
    page_bytes: usize,
    mut told: impl AsyncFnMut(usize),
) -> Result<(), CarryFailed> {
    if part.anew {
        sink.forget(&part.workspace).await?;
    }
    let mut after = part.after;
    while after < part.source.last {
        let page = page(source, &part.workspace, (after, part.source.last), page_bytes).await?;
        for (expected, record) in (after.0 + 1..).zip(&page) {
            sound(&part.workspace, Position(expected), record)?;
        }
        let Some(last) = page.last() else {
            return Err(CarryFailed::Missing { workspace: part.workspace.clone(), position: after.next() });
        };
        sink.add(&part.workspace, &page).await?;
        after = last.position;
        told(page.iter().map(|record| record.body.len()).sum()).await;
    }
    Ok(())
}

/// What is damaged is not spread.
fn sound(workspace: &Arc<str>, expected: Position, stored: &StoredRecord) -> Result<(), CarryFailed> {
    let damaged = |why: String| CarryFailed::Damaged { workspace: workspace.clone(), position: expected, why };
    if stored.position != expected {
        return Err(damaged(format!("it is missing, the next one is {}", stored.position)));
    }
    let head = record::decode(&stored.body).map_err(|why| damaged(why.to_string()))?.head;
    if head.position != stored.position || head.turn != stored.turn {
        return Err(damaged(format!("it says that it is turn {} at {}", head.turn, head.position)));
    }
    Ok(())
}

impl Begin {
    /// Everything, as of a workspace that is not there.
    fn whole(source: Extent) -> Self {
        Self { shared: None, after: Position(source.first.0 - 1) }
    }
}
