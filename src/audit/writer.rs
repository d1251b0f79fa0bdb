//! The one writer of the trail: takes all that wait, and writes them with one fsync.

use super::Limits;
use super::chain::Sum;
use super::store::{self, NotKept, Row};
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot;

/// Of one transaction.
const TOGETHER_MAX: usize = 256;
/// Acts between two looks for what may be forgotten, of one workspace.
const FORGET_EVERY: u64 = 64;

pub(super) struct Job {
    pub workspace: Arc<str>,
    pub at: u64,
    pub line: String,
    pub answer: oneshot::Sender<Result<(), NotKept>>,
}

/// Until nobody can ask any more.
pub(super) fn run(waiting: &Receiver<Job>, db: Connection, limits: Limits) {
    let mut ends = HashMap::new();
    while let Ok(first) = waiting.recv() {
        let more = std::iter::from_fn(|| waiting.try_recv().ok());
        let jobs: Vec<Job> = std::iter::once(first).chain(more.take(TOGETHER_MAX - 1)).collect();
        let written = write(&db, &mut ends, &jobs, limits);
        if let Err(error) = &written {
            tracing::error!(%error, "the audit trail cannot be written");
            // What was not committed is no end to go on from.
            ends.clear();
        }
        let written = written.map_err(NotKept::from);
        for job in jobs {
            let _ = job.answer.send(written.clone());
        }
    }
}

/// Where each workspace's trail ends.
type Ends = HashMap<Arc<str>, (u64, Sum)>;

fn write(db: &Connection, ends: &mut Ends, jobs: &[Job], limits: Limits) -> rusqlite::Result<()> {
    let tx = db.unchecked_transaction()?;
    for job in jobs {
        let (number, sum) = match ends.get(&job.workspace) {
            Some(end) => *end,
            None => store::last(&tx, &job.workspace)?.unwrap_or_default(),
        };
        let number = number + 1;
        let sum = sum.after(&job.workspace, number, &job.line);
        store::add(&tx, &job.workspace, &Row { number, at: job.at, line: job.line.clone(), sum })?;
        ends.insert(job.workspace.clone(), (number, sum));
        if number.is_multiple_of(FORGET_EVERY) {
            let up_to = number.saturating_sub(limits.acts_max);
            let before = limits.kept_ms.map_or(0, |kept_ms| job.at.saturating_sub(kept_ms));
            store::forget(&tx, &job.workspace, up_to, before, number)?;
        }
    }
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::super::{Trail, store};
    use super::*;

    const ALL: Limits = Limits { kept_ms: None, acts_max: u64::MAX };

    fn numbers(dir: &std::path::Path) -> Vec<(u64, bool)> {
        let mut found = Vec::new();
        store::each(dir, "demo", |row, follows| found.push((row.number, follows))).unwrap();
        found
    }

    async fn fill(trail: &Trail, acts: u64, at: impl Fn(u64) -> u64) {
        for act in 1..=acts {
            trail.add("demo", at(act), format!("{{\"act\":{act}}}")).await.unwrap();
            trail.add("other", at(act), "{}".to_owned()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_trail_goes_on_after_a_restart_and_each_line_follows_from_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let trail = Trail::open(dir.path(), ALL).unwrap();
            fill(&trail, 3, |act| act).await;
        }
        assert_eq!(numbers(dir.path()), (1..=6).map(|number| (number, true)).collect::<Vec<_>>());
        let trail = Trail::open(dir.path(), ALL).unwrap();
        let page = |before, from, to| {
            let rows = trail.page("demo", before, from, to, 2).unwrap();
            rows.iter().map(|row| row.number).collect::<Vec<_>>()
        };
        assert_eq!(page(None, None, None), [6, 5]);
        assert_eq!(page(Some(5), None, None), [4, 3]);
        assert_eq!(page(None, Some(2), Some(3)), [5, 2], "by their times");
    }

    #[tokio::test]
    async fn a_line_that_was_changed_or_taken_out_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        fill(&Trail::open(dir.path(), ALL).unwrap(), 5, |act| act).await;
        let db = rusqlite::Connection::open(dir.path().join(store::STORE.name)).unwrap();
        db.execute_batch("UPDATE act SET line = '{}' WHERE workspace = 'demo' AND number = 2").unwrap();
        assert_eq!(numbers(dir.path()), [(1, true), (2, false), (3, true), (4, true), (5, true)]);
        db.execute_batch("DELETE FROM act WHERE workspace = 'demo' AND number = 4").unwrap();
        assert_eq!(numbers(dir.path()), [(1, true), (2, false), (3, true), (5, false)]);
    }

    #[tokio::test]
    async fn what_is_too_much_or_too_old_is_forgotten_and_the_rest_still_follows() {
        let dir = tempfile::tempdir().unwrap();
        let few = Limits { kept_ms: None, acts_max: 10 };
        fill(&Trail::open(dir.path(), few).unwrap(), 2 * FORGET_EVERY, |act| act).await;
        let last = 2 * FORGET_EVERY;
        assert_eq!(numbers(dir.path()), (last - 9..=last).map(|number| (number, true)).collect::<Vec<_>>());
        let young = Limits { kept_ms: Some(1_000), acts_max: u64::MAX };
        fill(&Trail::open(dir.path(), young).unwrap(), FORGET_EVERY, |act| act * 100).await;
        let kept = numbers(dir.path());
        assert_eq!((kept.len(), kept.iter().all(|(_, follows)| *follows)), (11, true));
    }
}
