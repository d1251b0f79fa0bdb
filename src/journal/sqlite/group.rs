//! One group of appends in one transaction: who is in it, how it commits, and what each is answered.
//!
//! An append that is fenced is refused by itself, before anything is written for it. A fault of the disk refuses the
//! whole group, and after one in COMMIT the file is asked what really happened.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use metrics::{counter, histogram};
use rusqlite::{ErrorCode, OptionalExtension};

use super::super::{Appended, Position, RefusedAppend};
use super::fault::{Fault, FaultKind};
use super::inbox::AppendJob;
use super::now;
use super::writer::{Tail, Writer};
use crate::telemetry::traces::Open;

/// More workspaces than are busy at once on one machine; beyond it the map starts over.
const TAILS_MAX: usize = 65_536;

impl Writer {
    pub(super) fn commit_group(&mut self, jobs: Vec<AppendJob>) {
        if self.tails.len() > TAILS_MAX {
            self.tails.clear();
        }
        let jobs = self.refuse_without_room(jobs);
        if jobs.is_empty() {
            return;
        }
        let answers = self.attempt(&jobs);
        let again = self.reserve.can_be_released()
            && jobs.iter().zip(&answers).any(|(job, answer)| is_worth_the_reserve(job, answer));
        if !again {
            return finish(jobs.into_iter().zip(answers));
        }
        self.reserve.release();
        let (last_resort, others): (Vec<_>, Vec<_>) =
            jobs.into_iter().zip(answers).partition(|(job, answer)| is_worth_the_reserve(job, answer));
        finish(others);
        let last_resort: Vec<AppendJob> = last_resort.into_iter().map(|(job, _)| job).collect();
        let answers = self.attempt(&last_resort);
        finish(last_resort.into_iter().zip(answers));
    }

    /// Answers those for whom there is no room, and gives back the others.
    fn refuse_without_room(&mut self, jobs: Vec<AppendJob>) -> Vec<AppendJob> {
        if !self.reserve.is_held() {
            self.settle();
        }
        let ordinary = match (self.reserve.is_held(), self.is_over_budget()) {
            (false, _) => Some(RefusedAppend::Full),
            (true, true) => Some(RefusedAppend::KeptBack),
            (true, false) => None,
        };
        let last_resort = self.is_beyond_kept_back().then_some(RefusedAppend::Full);
        if ordinary.is_none() && last_resort.is_none() {
            return jobs;
        }
        let mut kept = Vec::new();
        for job in jobs {
            match if job.record.last_resort { last_resort } else { ordinary } {
                None => kept.push(job),
                Some(refused) => answer(job, Appended::Refused(refused)),
            }
        }
        kept
    }

    /// Tries the group, and says for each how it ended.
    fn attempt(&mut self, jobs: &[AppendJob]) -> Vec<Appended> {
        let started = now();
        let span = span_of(jobs);
        let placed = self.place(jobs);
        let (answers, outcome) = match placed {
            Err(fault) => {
                self.abandon(jobs);
                (vec![Appended::Refused(fault.refusal()); jobs.len()], Err(fault))
            }
            Ok(answers) => self.commit(jobs, answers),
        };
        if let Some(mut span) = span {
            span.set("offhook.records", outcome.as_ref().map_or(0, |records| *records as u64));
            outcome.is_err().then(|| span.fail());
            span.end();
        }
        match outcome {
            Err(fault) => self.note(&fault),
            Ok(0) => {}
            Ok(records) => {
                histogram!("offhook_journal_commit_seconds").record(started.elapsed());
                histogram!("offhook_journal_batch_records").record(records as f64);
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.measure();
                self.settle();
            }
        }
        answers
    }

    /// Begins the transaction and inserts whatever passes the fence.
    fn place(&mut self, jobs: &[AppendJob]) -> Result<Vec<Appended>, Fault> {
        let begun = self.clean_start().and_then(|()| self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([]));
        begun.map_err(|error| Fault::of(&self.db, &error))?;
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let answer = self.place_one(job).map_err(|error| Fault::of(&self.db, &error))?;
            answers.push(answer);
        }
        Ok(answers)
    }

    fn place_one(&mut self, job: &AppendJob) -> rusqlite::Result<Appended> {
        let known = match self.tails.get(&job.workspace) {
            Some(tail) => Some(*tail),
            None => self.load_tail(&job.workspace)?,
        };
        let actual = known.map_or(Position::NOTHING, |tail| tail.last);
        if actual != job.record.expected {
            return Ok(Appended::Refused(RefusedAppend::Fenced { actual }));
        }
        let workspace = match known {
            Some(tail) => tail.workspace,
            None => {
                let mut insert = self.db.prepare_cached("INSERT INTO workspace(name) VALUES (?1)")?;
                insert.insert([&*job.workspace])?
            }
        };
        let position = actual.next();
        let inserted = self
            .db
            .prepare_cached("INSERT INTO record(workspace, position, turn, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute((workspace, position.0 as i64, job.record.turn.0.to_be_bytes(), &job.record.body[..]));
        match inserted {
            Ok(_) => {
                let tail = Tail { workspace, last: position };
                self.tails.insert(Arc::clone(&job.workspace), tail);
                Ok(Appended::Committed(position))
            }
            // The index knows better than the map: somebody else has written here.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                self.tails.remove(&job.workspace);
                let actual = self.load_tail(&job.workspace)?.map_or(Position::NOTHING, |tail| tail.last);
                Ok(Appended::Refused(RefusedAppend::Fenced { actual }))
            }
            Err(error) => Err(error),
        }
    }

    fn load_tail(&self, name: &str) -> rusqlite::Result<Option<Tail>> {
        self.db
            .prepare_cached(
                "SELECT id, coalesce((SELECT max(position) FROM record WHERE workspace = workspace.id), 0)
                 FROM workspace WHERE name = ?1",
            )?
            .query_row([name], |row| {
                let last: i64 = row.get(1)?;
                Ok(Tail { workspace: row.get(0)?, last: Position(last.max(0) as u64) })
            })
            .optional()
    }

    /// Commits what was placed. Gives the number of records that are in it.
    fn commit(&mut self, jobs: &[AppendJob], answers: Vec<Appended>) -> (Vec<Appended>, Result<usize, Fault>) {
        let is_in = |answer: &&Appended| matches!(answer, Appended::Committed(_));
        let records = answers.iter().filter(is_in).count();
        if records == 0 {
            self.abandon(&[]);
            return (answers, Ok(0));
        }
        let committed = self.db.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        let Err(error) = committed else {
            return (answers, Ok(records));
        };
        let fault = Fault::of(&self.db, &error);
        self.abandon(jobs);
        let settled = answers.into_iter().zip(jobs).map(|(answer, job)| match answer {
            Appended::Committed(position) => self.settled(job, position, &fault),
            refused => refused,
        });
        (settled.collect(), Err(fault))
    }

    /// What a failed COMMIT came to, read back from the file. Not after a failed sync: then what is read is
    /// what the kernel remembers, and not what the disk has.
    fn settled(&self, job: &AppendJob, position: Position, fault: &Fault) -> Appended {
        if fault.kind == FaultKind::FailedSync {
            return Appended::Unknown(fault.sentence.clone());
        }
        let found = self
            .db
            .prepare_cached(
                "SELECT turn FROM record
                 WHERE workspace = (SELECT id FROM workspace WHERE name = ?1) AND position = ?2",
            )
            .and_then(|mut statement| {
                statement.query_row((&*job.workspace, position.0 as i64), |row| row.get(0)).optional()
            });
        match found {
            Ok(turn) if turn == Some(job.record.turn.0.to_be_bytes()) => Appended::Committed(position),
            Ok(_) => Appended::Refused(fault.refusal()),
            Err(error) => Appended::Unknown(format!("{}; then {error}", fault.sentence)),
        }
    }

    /// Rolls back, and forgets what the map took over from the transaction.
    fn abandon(&mut self, jobs: &[AppendJob]) {
        if let Err(error) = self.clean_start() {
            tracing::warn!(%error, "the journal's transaction did not roll back; the next one tries again");
        }
        for job in jobs {
            self.tails.remove(&job.workspace);
        }
    }
}

/// The commit's, where an append in it is sampled: part of the first of these, and with a link to each.
fn span_of(jobs: &[AppendJob]) -> Option<Open> {
    let mut appends = jobs.iter().filter_map(|job| job.trace);
    let first = appends.next()?;
    let mut span = Open::child(first, "journal commit".into());
    std::iter::once(first).chain(appends).for_each(|append| span.link(append));
    Some(span)
}

fn is_worth_the_reserve(job: &AppendJob, answer: &Appended) -> bool {
    job.record.last_resort && *answer == Appended::Refused(RefusedAppend::Full)
}

fn finish(answered: impl IntoIterator<Item = (AppendJob, Appended)>) {
    for (job, outcome) in answered {
        answer(job, outcome);
    }
}

fn answer(job: AppendJob, outcome: Appended) {
    count(&outcome);
    // Whoever asked may have stopped listening; the record stands all the same.
    let _ = job.answer.send(outcome);
}

/// Counts an append by how it ended.
pub(super) fn count(outcome: &Appended) {
    let word = match outcome {
        Appended::Committed(_) => "committed",
        Appended::Refused(refused) => refused.word(),
        Appended::Unknown(_) => "unknown",
    };
    counter!("offhook_journal_appends_total", "outcome" => word).increment(1);
}
