//! The one thread that writes view.db. Batches that wait are committed together; a group that fails is answered with
//! the reason and leaves nothing behind, so its batches can simply be handed in again.

use super::batch::Batch;
use super::directory::Directory;
use super::failed::{OrFailed, ViewFailed};
use super::health::Condition;
use super::keys::WorkspaceNumber;
use super::prune::{self, PruneStep, Pruned};
use super::reports::{Counted, Missed, OldReports};
use super::sorting::{Recent, Sorting};
use super::{entities, project};
use crate::desk::conversation::Conversation;
use crate::desk::ids::ConversationId;
use crate::desk::stored::Row;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;
use tokio::sync::oneshot;

/// Batches are committed together up to about this many turns.
const GROUP_TURNS_MAX: usize = 4_000;

pub(super) type Answer<T> = oneshot::Sender<Result<T, ViewFailed>>;

pub(super) enum Job {
    Apply(Batch, Answer<()>),
    Prune(PruneStep, Answer<Pruned>),
    /// Count records into the reports, which are behind the view; answers with how far they have come.
    CatchUp(Missed, Answer<u64>),
    /// Forget cells of reports that are older; answers with how many went.
    PruneReports(OldReports, Answer<usize>),
    /// Make all that is committed safe from power loss; answers with each workspace's position then.
    Sync(Answer<HashMap<Arc<str>, u64>>),
}

pub(super) struct Writer {
    pub connection: Connection,
    pub directory: Arc<Directory>,
    pub condition: Arc<Condition>,
    pub monotonic: fn() -> Instant,
    pub workspaces: HashMap<Arc<str>, Stands>,
    pub sweep: prune::Sweep,
    pub sorting: Sorting,
}

/// Where a workspace stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Stands {
    pub number: WorkspaceNumber,
    pub position: u64,
    pub wall_ms: u64,
    /// How far reports have come: mostly as far.
    pub reported: u64,
}

impl Writer {
    /// Until the last sender is gone.
    pub fn run(mut self, jobs: Receiver<Job>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
            match job {
                Job::Apply(batch, answer) => {
                    let mut turns = batch.turns.len();
                    let mut group = vec![(batch, answer)];
                    while turns < GROUP_TURNS_MAX {
                        match jobs.try_recv() {
                            Ok(Job::Apply(batch, answer)) => {
                                turns += batch.turns.len();
                                group.push((batch, answer));
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit_group(group);
                }
                // A caller that went away needs no answer.
                Job::Prune(step, answer) => {
                    let pruned = prune::step(&mut self.connection, &step, &mut self.sweep);
                    if pruned.is_err() {
                        // What was counted may not be counted twice.
                        self.sweep = prune::Sweep::default();
                    }
                    self.note(pruned.as_ref().err());
                    let _ = answer.send(pruned);
                }
                Job::CatchUp(missed, answer) => {
                    let reported = self.catch_up(missed);
                    self.note(reported.as_ref().err());
                    let _ = answer.send(reported);
                }
                Job::PruneReports(old, answer) => {
                    let pruned = self.prune_reports(old);
                    self.note(pruned.as_ref().err());
                    let _ = answer.send(pruned);
                }
                Job::Sync(answer) => {
                    let synced = self.sync();
                    self.note(synced.as_ref().err());
                    let _ = answer.send(synced);
                }
            }
        }
    }

    fn commit_group(&mut self, group: Vec<(Batch, Answer<()>)>) {
        let began = (self.monotonic)();
        let (batches, answers): (Vec<Batch>, Vec<Answer<()>>) = group.into_iter().unzip();
        let written = self.write(&batches);
        metrics::histogram!("offhook_view_commit_seconds").record((self.monotonic)().duration_since(began));
        self.note(written.as_ref().err());
        match written {
            Ok((stands, refused)) => {
                for (name, stand) in stands {
                    self.directory.reached(&name, stand);
                    self.workspaces.insert(name, stand);
                }
                for (answer, refused) in answers.into_iter().zip(refused) {
                    let _ = answer.send(refused.map_or(Ok(()), Err));
                }
            }
            Err(failed) => {
                for answer in answers {
                    let _ = answer.send(Err(failed.clone()));
                }
            }
        }
    }

    /// One transaction. A batch with a gap before it is refused alone; any other failure is the whole group's.
    #[expect(clippy::type_complexity, reason = "the two results belong to one commit and go nowhere else")]
    fn write(&mut self, batches: &[Batch]) -> Result<(HashMap<Arc<str>, Stands>, Vec<Option<ViewFailed>>), ViewFailed> {
        let doing = "beginning to write the view";
        if !self.connection.is_autocommit() {
            // The end of an earlier one failed too: it must not be in the way for ever.
            self.connection.execute_batch("ROLLBACK").or_failed(doing)?;
        }
        let transaction = self.connection.transaction().or_failed(doing)?;
        let mut changes: HashMap<Arc<str>, Changes<'_>> = HashMap::new();
        let mut refused = Vec::with_capacity(batches.len());
        let mut recent = self.sorting.begin();
        for batch in batches {
            let change = match changes.get_mut(&batch.workspace) {
                Some(change) => change,
                None => {
                    let stand = match self.workspaces.get(&batch.workspace) {
                        Some(stand) => *stand,
                        None if batch.after == 0 => new_workspace(&transaction, &batch.workspace)?,
                        None => {
                            refused.push(Some(gap(batch, 0)));
                            continue;
                        }
                    };
                    // Reports that are behind count what they missed first.
                    let counted = stand.reported == stand.position;
                    let counted = counted.then(|| Counted::of(&transaction, stand.number)).transpose()?;
                    changes.entry(batch.workspace.clone()).or_insert_with(|| Changes::from(stand, counted))
                }
            };
            refused.push(change.take(&transaction, batch, &mut recent)?);
        }
        let mut stands = HashMap::new();
        for (name, change) in changes {
            stands.insert(name, change.finish(&transaction)?);
        }
        let step = self.sorting.step(&transaction, recent)?;
        if let Err(failed) = transaction.commit().or_failed("committing to the view") {
            self.sorting.take_back(&step);
            return Err(failed);
        }
        self.sorting.keep(step);
        Ok((stands, refused))
    }

    /// `NORMAL` syncs no commit; one commit with `FULL` syncs the log, and with it every commit before it.
    fn sync(&mut self) -> Result<HashMap<Arc<str>, u64>, ViewFailed> {
        let doing = "syncing the view";
        // What the reports have not counted yet they find in the journal alone.
        let positions = self.workspaces.iter();
        let positions = positions.map(|(name, stand)| (name.clone(), stand.position.min(stand.reported))).collect();
        self.connection.pragma_update(None, "synchronous", "FULL").or_failed(doing)?;
        let synced = self.connection.execute("UPDATE synced SET times = times + 1", []).or_failed(doing);
        self.connection.pragma_update(None, "synchronous", "NORMAL").or_failed(doing)?;
        synced?;
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .or_failed("moving the view's log into the view")?;
        Ok(positions)
    }

    fn note(&self, failed: Option<&ViewFailed>) {
        match failed {
            None => self.condition.written(),
            Some(failed) => self.condition.failed(failed),
        }
    }
}

fn gap(batch: &Batch, stored: u64) -> ViewFailed {
    ViewFailed::Gap { workspace: batch.workspace.clone(), stored, after: batch.after }
}

fn new_workspace(connection: &Connection, name: &str) -> Result<Stands, ViewFailed> {
    connection
        .execute("INSERT INTO workspace (name, position, wall_ms) VALUES (?1, 0, 0)", [name])
        .or_failed("keeping a new workspace")?;
    Ok(Stands { number: WorkspaceNumber(connection.last_insert_rowid()), position: 0, wall_ms: 0, reported: 0 })
}

/// What a group changes of one workspace. Entities are written once, as the last batch has them.
struct Changes<'a> {
    stand: Stands,
    moved: bool,
    seen: project::Seen,
    /// What its reports count, unless they are behind.
    counted: Option<Counted>,
    rows: BTreeMap<(&'static str, &'a str), &'a Row>,
    conversations: BTreeMap<ConversationId, &'a Conversation>,
}

impl<'a> Changes<'a> {
    fn from(stand: Stands, counted: Option<Counted>) -> Self {
        Self {
            stand,
            moved: false,
            counted,
            seen: project::Seen::default(),
            rows: BTreeMap::new(),
            conversations: BTreeMap::new(),
        }
    }

    fn take(
        &mut self,
        connection: &Connection,
        batch: &'a Batch,
        recent: &mut Recent,
    ) -> Result<Option<ViewFailed>, ViewFailed> {
        if batch.after > self.stand.position {
            return Ok(Some(gap(batch, self.stand.position)));
        }
        if batch.to <= self.stand.position {
            return Ok(None);
        }
        for turn in &batch.turns {
            if turn.position > self.stand.position && turn.position <= batch.to {
                project::turn(connection, self.stand.number, turn, &mut self.seen, recent)?;
                if let Some(counted) = &mut self.counted {
                    counted.turn(connection, self.stand.number, turn)?;
                }
                self.stand.position = turn.position;
                self.stand.wall_ms = self.stand.wall_ms.max(turn.now.wall.0);
            }
        }
        self.stand.position = batch.to;
        self.moved = true;
        self.rows.extend(batch.rows.iter().map(|row| ((row.kind, row.id.as_str()), row)));
        self.conversations.extend(batch.conversations.iter().map(|(id, conversation)| (*id, conversation)));
        Ok(None)
    }

    fn finish(self, connection: &Connection) -> Result<Stands, ViewFailed> {
        let Stands { number, position, wall_ms, reported } = self.stand;
        if !self.moved {
            return Ok(self.stand);
        }
        let reported = match self.counted {
            Some(counted) => counted.keep(connection, number, position)?,
            None => reported,
        };
        for row in self.rows.values() {
            entities::put_entity(connection, number, row)?;
        }
        for (id, into) in &self.seen.merged {
            entities::merge_customer(connection, number, *id, *into)?;
        }
        for (id, conversation) in &self.conversations {
            entities::put_conversation(connection, number, *id, conversation, &self.seen, wall_ms)?;
        }
        connection
            .prepare_cached("UPDATE workspace SET position = ?2, wall_ms = ?3 WHERE id = ?1")
            .and_then(|mut update| update.execute(params![number.0, position as i64, wall_ms as i64]))
            .or_failed("keeping the position")?;
        Ok(Stands { reported, ..self.stand })
    }
}
