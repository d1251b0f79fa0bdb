//! Walks a journal and says how far each workspace's records can be trusted.
//!
//! Works on any [`Journal`], a page of records at a time, and never writes.

use std::sync::Arc;

use serde::Serialize;

use super::record::{self, Head};
use super::{Journal, JournalFailed, Position, StoredRecord};

const PAGE_RECORDS: usize = 1_024;
const PAGE_BYTES: usize = 4 << 20;

/// How far the walk has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub workspaces_done: usize,
    pub workspaces: usize,
    pub records: u64,
    pub bytes: u64,
}

#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub records: u64,
    pub bytes: u64,
    pub workspaces: Vec<Verified>,
}

impl Report {
    pub fn is_sound(&self) -> bool {
        self.workspaces.iter().all(|workspace| workspace.first_bad.is_none())
    }
}

/// What was found in one workspace. Records after the first bad one are counted and not judged.
#[derive(Debug, Serialize)]
pub struct Verified {
    pub workspace: Arc<str>,
    pub records: u64,
    /// Above 1 where older records were cut.
    pub first: Option<Position>,
    pub last: Option<Position>,
    pub first_bad: Option<Bad>,
}

#[derive(Debug, Serialize)]
pub struct Bad {
    pub position: Position,
    pub reason: String,
}

/// Verifies every workspace. Fails only if the list of workspaces cannot be read: pages that cannot be are
/// reported as that workspace's first bad position.
pub async fn verify(journal: &dyn Journal, mut progress: impl FnMut(Progress)) -> Result<Report, JournalFailed> {
    let names = journal.workspaces().await?;
    let mut report = Report::default();
    let mut so_far = Progress { workspaces: names.len(), ..Progress::default() };
    for name in names {
        let mut walk = Walk::new(name);
        let mut page_records = PAGE_RECORDS;
        loop {
            let workspace = Arc::clone(&walk.found.workspace);
            match journal.read(&workspace, walk.at, page_records, PAGE_BYTES).await {
                Ok(page) if page.is_empty() => break,
                Ok(page) => {
                    for stored in &page {
                        walk.step(stored);
                        so_far.records += 1;
                        so_far.bytes += stored.body.len() as u64;
                    }
                }
                // One by one, to come to the very record that cannot be read.
                Err(_) if page_records > 1 => page_records = 1,
                Err(failed) => {
                    walk.bad(walk.at.next(), format!("it cannot be read: {failed}"));
                    break;
                }
            }
            progress(so_far);
        }
        report.workspaces.push(walk.found);
        so_far.workspaces_done += 1;
        progress(so_far);
    }
    (report.records, report.bytes) = (so_far.records, so_far.bytes);
    Ok(report)
}

/// One workspace's walk: what the next record must not contradict.
struct Walk {
    found: Verified,
    at: Position,
    before: Option<Head>,
}

impl Walk {
    fn new(workspace: Arc<str>) -> Walk {
        Walk {
            found: Verified { workspace, records: 0, first: None, last: None, first_bad: None },
            at: Position::NOTHING,
            before: None,
        }
    }

    fn step(&mut self, stored: &StoredRecord) {
        self.found.records += 1;
        self.found.first.get_or_insert(stored.position);
        self.found.last = Some(stored.position);
        let expected = self.at.next();
        let begun = self.at != Position::NOTHING;
        self.at = stored.position;
        if begun && stored.position != expected {
            self.bad(expected, format!("it is missing; the next one there is {}", stored.position));
            return;
        }
        match self.judge(stored) {
            Ok(head) => self.before = Some(head),
            Err(reason) => self.bad(stored.position, reason),
        }
    }

    fn judge(&self, stored: &StoredRecord) -> Result<Head, String> {
        let head = record::decode(&stored.body).map_err(|damage| damage.to_string())?.head;
        if head.position != stored.position {
            return Err(format!("its head says that it is at position {}", head.position));
        }
        if head.turn != stored.turn {
            return Err(format!("it is stored as turn {} and its head says {}", stored.turn, head.turn));
        }
        let Some(before) = self.before else {
            return Ok(head);
        };
        if head.turn == before.turn {
            return Err("it has the same turn as the record before it".to_owned());
        }
        if head.desk_ms < before.desk_ms {
            return Err(format!("desk time goes back from {} to {} ms", before.desk_ms, head.desk_ms));
        }
        if head.wall_ms < before.wall_ms {
            return Err(format!("wall time goes back from {} to {} ms", before.wall_ms, head.wall_ms));
        }
        Ok(head)
    }

    fn bad(&mut self, position: Position, reason: String) {
        self.found.first_bad.get_or_insert(Bad { position, reason });
    }
}
