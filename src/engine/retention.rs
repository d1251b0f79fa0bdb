//! Where the journal may be cut: below what the view has on disk, and below what is younger than the retention.

use crate::journal::{Journal, JournalFailed, Position, StoredRecord, record};
use std::sync::Arc;

/// Whether a record is older than what is kept. One that cannot be read is kept for whoever looks into it.
#[must_use]
pub fn is_old(stored: &StoredRecord, oldest_kept_ms: u64) -> bool {
    record::decode(&stored.body).is_ok_and(|record| record.head.wall_ms < oldest_kept_ms)
}

/// The first position to keep, found by halving between the first record and the last that may go.
///
/// # Errors
/// The journal could not be read.
pub async fn first_kept(
    journal: &Arc<dyn Journal>,
    workspace: &Arc<str>,
    view_position: u64,
    oldest_kept_ms: u64,
) -> Result<Option<Position>, JournalFailed> {
    let Some(first) = journal.read(workspace, Position(0), 1, 1).await?.into_iter().next() else { return Ok(None) };
    let (mut low, mut high) = (first.position.0, view_position);
    // Everything below `low` is old; `high` and above is kept.
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(stored) = journal.read(workspace, Position(middle - 1), 1, 1).await?.into_iter().next() else { break };
        if is_old(&stored, oldest_kept_ms) { low = middle + 1 } else { high = middle }
    }
    Ok((low > first.position.0).then_some(Position(low)))
}
