//! The old records of a subject taken away: in steps that hold the servers up for a moment only, and never the last one, which is the fence.

use super::NatsJournal;
use super::places::Place;
use super::read::unavailable;
use crate::journal::{JournalFailed, Position, StoredRecord};
use std::sync::Arc;

/// Sequences of the stream that one cut may cover: while servers take records away they store none.
const SPAN_MAX: u64 = 262_144;

impl NatsJournal {
    /// Takes away the oldest records that are below a position and old, as many as one cut may; answers how many went. Whoever is old has
    /// only older ones before it.
    ///
    /// # Errors
    /// The servers did not say that they are gone: some may be.
    pub async fn cut_old(
        &self,
        workspace: &Arc<str>,
        below: Position,
        is_old: impl Fn(&StoredRecord) -> bool + Send + Sync,
    ) -> Result<u64, JournalFailed> {
        let (inner, subject) = (&self.0, self.0.subject(workspace));
        let goes = |place: Place, record: &StoredRecord| place.position < below && is_old(record);
        let Some((first, record)) = inner.at_or_behind(&subject, 1).await? else { return Ok(0) };
        let Some((last, _)) = inner.last(workspace).await? else { return Ok(0) };
        if !goes(first, &record) || first.sequence >= last.sequence {
            return Ok(0);
        }
        // All up to `low` go, and all from `high` on stay: the last one whatever it is.
        let (mut low, mut high) = (first.sequence, last.sequence.min(first.sequence + SPAN_MAX));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match inner.at_or_behind(&subject, middle).await? {
                Some((place, record)) if place.sequence < high && goes(place, &record) => low = place.sequence,
                _ => high = middle,
            }
        }
        let purged = inner.stream.purge().filter(subject).sequence(low + 1).await;
        Ok(purged.map_err(unavailable)?.purged)
    }
}
