//! What is asked of a journal that may be in a cluster: once more where no answer came, since servers elect leaders, and a reader that was
//! just made is not found at once by all of them.

use super::{Extent, PAGE_RECORDS};
use crate::journal::{Journal, JournalFailed, Position, StoredRecord};
use std::sync::Arc;
use std::time::Duration;

/// Who is asked tells nobody when it can answer.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Half a minute with what each takes: longer than NATS elects.
const AGAIN_MOST: u32 = 100;
/// Records that are counted with one question.
const SPAN_RECORDS: usize = 16_384;

async fn asked<T>(ask: impl AsyncFn() -> Result<T, JournalFailed>) -> Result<T, JournalFailed> {
    let mut tries = 0;
    loop {
        match ask().await {
            Err(JournalFailed::Unavailable(_) | JournalFailed::TooSlow { .. } | JournalFailed::Busy)
                if tries < AGAIN_MOST =>
            {
                tries += 1;
            }
            answer => return answer,
        }
        // Servers that elect tell nobody when they have.
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// The first and the last position.
///
/// # Errors
/// The journal could not be read.
pub async fn extent_of(journal: &dyn Journal, workspace: &Arc<str>) -> Result<Option<Extent>, JournalFailed> {
    let Some(last) = asked(async || journal.tail(workspace).await).await? else { return Ok(None) };
    let first = asked(async || journal.read(workspace, Position::NOTHING, 1, 1).await).await?;
    Ok(first.first().map(|first| Extent { first: first.position, last: last.position }))
}

pub(super) async fn workspaces(journal: &dyn Journal) -> Result<Vec<Arc<str>>, JournalFailed> {
    asked(async || journal.workspaces().await).await
}

/// Records behind `after`, up to `last`, where there are some; none where they did not come: a replica that is read may be behind what was
/// acknowledged.
pub(super) async fn page(
    journal: &dyn Journal,
    workspace: &Arc<str>,
    (after, last): (Position, Position),
    bytes: usize,
) -> Result<Vec<StoredRecord>, JournalFailed> {
    for _ in 0..AGAIN_MOST {
        let mut page = asked(async || journal.read(workspace, after, PAGE_RECORDS, bytes).await).await?;
        page.retain(|record| record.position <= last);
        if !page.is_empty() {
            return Ok(page);
        }
        // A replica tells nobody when it has caught up.
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    Ok(Vec::new())
}

pub(super) async fn at(
    journal: &dyn Journal,
    workspace: &Arc<str>,
    position: Position,
) -> Result<Option<StoredRecord>, JournalFailed> {
    let found = asked(async || journal.read(workspace, Position(position.0 - 1), 1, 1).await).await?;
    Ok(found.into_iter().next().filter(|record| record.position == position))
}

/// How many records are behind a position, and the bytes of their bodies.
pub(super) async fn behind(
    journal: &dyn Journal,
    workspace: &Arc<str>,
    mut after: Position,
) -> Result<(u64, u64), JournalFailed> {
    let (mut records, mut bytes) = (0, 0);
    loop {
        let span = asked(async || journal.span(workspace, after, SPAN_RECORDS).await).await?;
        if span.records == 0 {
            return Ok((records, bytes));
        }
        records += span.records as u64;
        bytes += span.bytes;
        after = span.to;
    }
}
