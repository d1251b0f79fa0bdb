//! The journal's records, copied a page at a time: nobody waits for a read of some hundred microseconds.

use super::failed::{BackupFailed, OrFailed};
use super::meter::Meter;
use super::segment::SegmentWriter;
use crate::journal::sqlite::ReadOnlyJournal;
use crate::journal::{Journal, Position, StoredRecord};
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;

const PAGE_RECORDS: usize = 256;
const PAGE_BYTES: usize = 128 << 10;

pub(super) struct Records {
    journal: ReadOnlyJournal,
    runtime: Runtime,
}

impl Records {
    pub fn open(data_dir: &Path) -> Result<Self, BackupFailed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.or_failed("preparing to read", data_dir)?;
        Ok(Self { journal: ReadOnlyJournal::open(data_dir)?, runtime })
    }

    pub fn workspaces(&self) -> Result<Vec<Arc<str>>, BackupFailed> {
        Ok(self.runtime.block_on(self.journal.workspaces())?)
    }

    pub fn at(&self, workspace: &Arc<str>, position: Position) -> Result<Option<StoredRecord>, BackupFailed> {
        let before = Position(position.0.saturating_sub(1));
        let read = self.runtime.block_on(self.journal.read(workspace, before, 1, PAGE_BYTES))?;
        Ok(read.into_iter().next().filter(|record| record.position == position))
    }

    /// Copies what comes after a position, to the end as it is when that is reached; where records were cut meanwhile, what was
    /// written is forgotten. Gives the position of the first that is held.
    pub fn copy(
        &self,
        workspace: &Arc<str>,
        mut after: Position,
        to: &mut SegmentWriter,
        meter: &mut Meter<'_>,
    ) -> Result<Option<Position>, BackupFailed> {
        let mut first = None;
        loop {
            let read = self.journal.read(workspace, after, PAGE_RECORDS, PAGE_BYTES);
            let page = self.runtime.block_on(read)?;
            let Some(newest) = page.last() else { return Ok(first) };
            if page[0].position != after.next() && to.last.is_some() {
                to.begin_anew()?;
                first = None;
            }
            first.get_or_insert(page[0].position);
            let mut bytes = 0;
            for record in &page {
                bytes += to.add(record)?;
            }
            after = newest.position;
            meter.took(bytes);
        }
    }
}
