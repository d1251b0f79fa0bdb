//! Outcomes are found by keys that are as good as random. Put into their index at once, each would dirty a page of its own,
//! and the sync of those pages stands in the way of the journal's. So an outcome is appended to what is recent, and
//! sorted in with a whole generation, in the order of keys: a commit sorts in the next few, which lie on few pages.
//!
//! ```text
//!   insert ──▶ gathering ──a generation is full──▶ being sorted ──some with each commit──▶ outcome_sorted, with its index
//!              └───── outcome_recent, keys held here ─────┘
//! ```
//!
//! How far it has come is in the file, so that a start after a kill goes on where it was. A release that knows nothing of it reads
//! and writes the view `outcome`, which is both.

use super::failed::{OrFailed, ViewFailed};
use super::keys::WorkspaceNumber;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows of `outcome_recent` have ids from here on and all others below it, so that one order of ids goes through both.
pub(super) const RECENT_FROM: i64 = 1 << 62;

/// The table of outcomes becomes what is sorted in, with the index that it had.
const TABLES: &str = "
ALTER TABLE outcome RENAME TO outcome_sorted;
CREATE TABLE outcome_recent (
  id INTEGER PRIMARY KEY,
  workspace INTEGER NOT NULL,
  key INTEGER NOT NULL,
  at INTEGER NOT NULL,
  remembered BLOB NOT NULL,
  answer BLOB NOT NULL
);
-- Recent rows up to sorted_to are sorted in, and of those up to sorting_to the ones up to this key and row.
CREATE TABLE outcome_sorting (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sorted_to INTEGER NOT NULL,
  sorting_to INTEGER NOT NULL,
  key INTEGER NOT NULL,
  row INTEGER NOT NULL
);
INSERT INTO outcome_sorting VALUES (1, 4611686018427387903, 4611686018427387903, 0, 0);
CREATE VIEW outcome AS
  SELECT id, workspace, key, at, remembered, answer FROM outcome_sorted
  UNION ALL
  SELECT id, workspace, key, at, remembered, answer FROM outcome_recent
  WHERE id > (SELECT sorted_to FROM outcome_sorting) AND NOT (
    id <= (SELECT sorting_to FROM outcome_sorting) AND (key, id) <= (SELECT key, row FROM outcome_sorting)
  );
-- What a release does that knows one table only: the first that it writes sorts in all.
CREATE TRIGGER outcome_insert INSTEAD OF INSERT ON outcome BEGIN
  INSERT INTO outcome_sorted (workspace, key, at, remembered, answer)
    SELECT workspace, key, at, remembered, answer FROM outcome WHERE id >= 4611686018427387904 ORDER BY id;
  DELETE FROM outcome_recent;
  INSERT INTO outcome_sorted (workspace, key, at, remembered, answer)
    VALUES (NEW.workspace, NEW.key, NEW.at, NEW.remembered, NEW.answer);
END;
CREATE TRIGGER outcome_delete INSTEAD OF DELETE ON outcome BEGIN
  DELETE FROM outcome_sorted WHERE id = OLD.id;
  DELETE FROM outcome_recent WHERE id = OLD.id;
END;
";

/// Makes the tables, if the file has the one table of before.
pub(super) fn make_tables(connection: &mut Connection) -> Result<(), ViewFailed> {
    let doing = "making the tables of outcomes";
    let is_one_table = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'outcome'", [], |_| Ok(()))
        .optional()
        .or_failed(doing)?;
    if is_one_table.is_none() {
        return Ok(());
    }
    let making = connection.transaction().or_failed(doing)?;
    making.execute_batch(TABLES).or_failed(doing)?;
    making.commit().or_failed(doing)
}

/// Keys of what is not sorted in: some 24 bytes an outcome, of two generations at most.
#[derive(Default)]
pub(super) struct Unsorted(Mutex<Held>);

/// Key and id of each.
#[derive(Default)]
struct Held {
    gathering: BTreeSet<(i64, i64)>,
    sorting: BTreeSet<(i64, i64)>,
}

impl Held {
    fn len(&self) -> usize {
        self.gathering.len() + self.sorting.len()
    }
}

impl Unsorted {
    /// Ids of the recent rows with one of these keys, newest first. To be asked before the view is read: what is sorted in
    /// between the two is then found there.
    pub fn find(&self, keys: &[i64]) -> Vec<i64> {
        let held = self.held();
        let with = |key: &i64| {
            let rows = (*key, i64::MIN)..=(*key, i64::MAX);
            held.gathering.range(rows.clone()).chain(held.sorting.range(rows)).map(|(_, id)| *id).collect::<Vec<_>>()
        };
        let mut ids: Vec<i64> = keys.iter().flat_map(with).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids
    }

    /// Key and id of every one.
    #[cfg(test)]
    pub fn find_all(&self) -> Vec<(i64, i64)> {
        let held = self.held();
        held.gathering.iter().chain(&held.sorting).copied().collect()
    }

    /// Of a panic elsewhere nothing is half done: the sets are whole between their own calls.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As far as it has come, as in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    sorted_to: i64,
    sorting_to: i64,
    key: i64,
    row: i64,
}

/// The writer's part.
pub(super) struct Sorting {
    unsorted: Arc<Unsorted>,
    /// How many outcomes are sorted in together.
    generation: usize,
    mark: Mark,
    /// The last row that was written.
    last: i64,
    /// Rows below it are gone.
    first: i64,
}

/// Outcomes that one transaction adds.
pub(super) struct Recent {
    last: i64,
    /// Appended at most.
    most: usize,
    added: Vec<(i64, i64)>,
    inserted: usize,
}

/// What a transaction did, to be kept once it is committed.
pub(super) struct Step {
    mark: Mark,
    last: i64,
    first: i64,
    added: Vec<(i64, i64)>,
    sorted: usize,
    next_generation: bool,
}

impl Sorting {
    /// Goes on where the file says.
    pub fn open(connection: &Connection, generation: usize) -> Result<Self, ViewFailed> {
        let doing = "reading which outcomes are not sorted in";
        let mark = connection
            .query_row("SELECT sorted_to, sorting_to, key, row FROM outcome_sorting", [], |row| {
                Ok(Mark { sorted_to: row.get(0)?, sorting_to: row.get(1)?, key: row.get(2)?, row: row.get(3)? })
            })
            .or_failed(doing)?;
        let first: Option<i64> =
            connection.query_row("SELECT min(id) FROM outcome_recent", [], |row| row.get(0)).or_failed(doing)?;
        let mut select =
            connection.prepare("SELECT key, id FROM outcome_recent WHERE id > ?1 ORDER BY id").or_failed(doing)?;
        let mut rows = select.query([mark.sorted_to]).or_failed(doing)?;
        let mut held = Held::default();
        let mut last = mark.sorting_to;
        while let Some(row) = rows.next().or_failed(doing)? {
            let (key, id) = (row.get(0).or_failed(doing)?, row.get(1).or_failed(doing)?);
            last = last.max(id);
            if id > mark.sorting_to {
                held.gathering.insert((key, id));
            } else if (key, id) > (mark.key, mark.row) {
                held.sorting.insert((key, id));
            }
        }
        let unsorted = Arc::new(Unsorted(Mutex::new(held)));
        Ok(Self { unsorted, generation, mark, last, first: first.unwrap_or(last + 1) })
    }

    pub fn unsorted(&self) -> Arc<Unsorted> {
        self.unsorted.clone()
    }

    /// For one transaction.
    pub fn begin(&self) -> Recent {
        let most = (2 * self.generation).saturating_sub(self.unsorted.held().len());
        Recent { last: self.last, most, added: Vec::new(), inserted: 0 }
    }

    /// Sorts in somewhat more than was inserted, so that a generation is done before the next one is full. Last before the commit;
    /// then comes `keep` or `take_back`.
    pub fn step(&mut self, connection: &Connection, recent: Recent) -> Result<Step, ViewFailed> {
        let Recent { last, added, inserted, .. } = recent;
        let most = inserted + inserted.div_ceil(4);
        let (next, done, gathered) = {
            let held = self.unsorted.held();
            let next: Vec<(i64, i64)> = held.sorting.iter().copied().take(most).collect();
            let done = next.len() == held.sorting.len();
            (next, done, held.gathering.len() + added.len())
        };
        let mut mark = self.mark;
        sort_in(connection, &next)?;
        if let Some((key, row)) = next.last() {
            (mark.key, mark.row) = (*key, *row);
        }
        if done {
            mark.sorted_to = mark.sorting_to;
        }
        let next_generation = done && gathered >= self.generation;
        if next_generation {
            (mark.sorting_to, mark.key, mark.row) = (last, i64::MIN, i64::MIN);
        }
        if mark != self.mark {
            keep_mark(connection, mark)?;
        }
        let first = (self.first + 2 * most as i64).min(mark.sorted_to + 1).max(self.first);
        if first > self.first {
            connection
                .prepare_cached("DELETE FROM outcome_recent WHERE id < ?1")
                .and_then(|mut delete| delete.execute([first]))
                .or_failed("giving up outcomes that are sorted in")?;
        }
        // Before the commit: from then on whoever reads may ask for them.
        self.unsorted.held().gathering.extend(&added);
        Ok(Step { mark, last, first, added, sorted: next.len(), next_generation })
    }

    /// It is committed.
    pub fn keep(&mut self, step: Step) {
        (self.mark, self.last, self.first) = (step.mark, step.last, step.first);
        let mut held = self.unsorted.held();
        for _ in 0..step.sorted {
            held.sorting.pop_first();
        }
        if step.next_generation {
            held.sorting = std::mem::take(&mut held.gathering);
        }
        metrics::gauge!("offhook_view_outcomes_unsorted").set(held.len() as f64);
    }

    /// It was not committed.
    pub fn take_back(&mut self, step: &Step) {
        let mut held = self.unsorted.held();
        for added in &step.added {
            held.gathering.remove(added);
        }
    }
}

impl Recent {
    /// Appends one; but what is more than keys are held of goes where it is looked for at once.
    pub fn insert(
        &mut self,
        connection: &Connection,
        workspace: WorkspaceNumber,
        (key, at): (i64, i64),
        (remembered, answer): (&[u8], &[u8]),
    ) -> Result<(), ViewFailed> {
        let doing = "remembering an outcome";
        self.inserted += 1;
        if self.added.len() == self.most {
            connection
                .prepare_cached(
                    "INSERT INTO outcome_sorted (workspace, key, at, remembered, answer) VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .and_then(|mut insert| insert.execute(params![workspace.0, key, at, remembered, answer]))
                .or_failed(doing)?;
            return Ok(());
        }
        let id = self.last + 1;
        connection
            .prepare_cached(
                "INSERT INTO outcome_recent (id, workspace, key, at, remembered, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .and_then(|mut insert| insert.execute(params![id, workspace.0, key, at, remembered, answer]))
            .or_failed(doing)?;
        self.last = id;
        self.added.push((key, id));
        Ok(())
    }
}

fn sort_in(connection: &Connection, rows: &[(i64, i64)]) -> Result<(), ViewFailed> {
    let doing = "sorting outcomes in";
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO outcome_sorted (workspace, key, at, remembered, answer) \
             SELECT workspace, key, at, remembered, answer FROM outcome_recent WHERE id = ?1",
        )
        .or_failed(doing)?;
    for (_, id) in rows {
        insert.execute([id]).or_failed(doing)?;
    }
    Ok(())
}

fn keep_mark(connection: &Connection, mark: Mark) -> Result<(), ViewFailed> {
    connection
        .prepare_cached("UPDATE outcome_sorting SET sorted_to = ?1, sorting_to = ?2, key = ?3, row = ?4")
        .and_then(|mut update| update.execute([mark.sorted_to, mark.sorting_to, mark.key, mark.row]))
        .or_failed("keeping how far outcomes are sorted in")?;
    Ok(())
}
