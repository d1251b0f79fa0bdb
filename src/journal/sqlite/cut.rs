//! Retention: deleting a workspace's old records in small steps, so that no append waits long behind one.

use super::super::JournalFailed;
use super::fault::Fault;
use super::inbox::CutJob;
use super::writer::Writer;

/// One step deletes at most this much; both bound how long its transaction takes.
const STEP_RECORDS_MAX: i64 = 256;
const STEP_BYTES_MAX: i64 = 1 << 20;

impl Writer {
    pub(super) fn cut_step(&mut self, mut cut: CutJob) {
        match self.delete_oldest(&cut) {
            Ok(0) => {
                if cut.whole {
                    self.tails.remove(&cut.workspace);
                }
                self.measure();
                let _ = cut.answer.send(Ok(cut.deleted));
            }
            Ok(deleted) => {
                cut.deleted += deleted;
                self.measure();
                self.settle();
                self.inbox.put_back(cut);
            }
            Err(fault) => {
                if let Err(error) = self.clean_start() {
                    tracing::warn!(%error, "a cut of the journal did not roll back");
                }
                let failed: JournalFailed = fault.failed();
                self.note(&fault);
                let _ = cut.answer.send(Err(failed));
            }
        }
    }

    fn delete_oldest(&self, cut: &CutJob) -> Result<u64, Fault> {
        self.delete_oldest_rows(cut).map_err(|error| Fault::of(&self.db, &error))
    }

    fn delete_oldest_rows(&self, cut: &CutJob) -> rusqlite::Result<u64> {
        self.clean_start()?;
        let below = i64::try_from(cut.below.0).unwrap_or(i64::MAX);
        // The last record stays whatever is asked: it is where the workspace's position lives.
        let mut find = self.db.prepare_cached(
            "SELECT id, length(body) FROM record
             WHERE workspace = (SELECT id FROM workspace WHERE name = ?1) AND position < ?2
               AND (?4 OR position < (SELECT max(position) FROM record
                                      WHERE workspace = (SELECT id FROM workspace WHERE name = ?1)))
             ORDER BY position LIMIT ?3",
        )?;
        let mut rows = find.query((&*cut.workspace, below, STEP_RECORDS_MAX, cut.whole))?;
        let (mut ids, mut bytes) = (Vec::new(), 0_i64);
        while let Some(row) = rows.next()? {
            bytes += row.get::<_, i64>(1)?;
            if bytes > STEP_BYTES_MAX && !ids.is_empty() {
                break;
            }
            ids.push(row.get::<_, i64>(0)?);
        }
        drop(rows);
        if ids.is_empty() {
            return Ok(0);
        }
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let mut delete = self.db.prepare_cached("DELETE FROM record WHERE id = ?1")?;
        for id in &ids {
            delete.execute([id])?;
        }
        self.db.execute_batch("COMMIT")?;
        Ok(ids.len() as u64)
    }
}
