//! What waits for the writer: appends in order of arrival, bounded in number and in bytes, and cuts behind them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;

use super::super::{Appended, JournalFailed, NewRecord, Position, RefusedAppend};
use super::lock;
use crate::telemetry::traces::Context;

/// One commit takes at most this much, so that the first of a long queue need not wait for the last.
const GROUP_RECORDS_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 4 << 20;
const CUTS_MAX: usize = 4_096;

pub(super) struct AppendJob {
    pub workspace: Arc<str>,
    pub record: NewRecord,
    /// The append's span, where it is sampled.
    pub trace: Option<Context>,
    pub answer: oneshot::Sender<Appended>,
}

pub(super) struct CutJob {
    pub workspace: Arc<str>,
    pub below: Position,
    /// With the last record, which else stays: the workspace begins anew.
    pub whole: bool,
    pub deleted: u64,
    pub answer: oneshot::Sender<Result<u64, JournalFailed>>,
}

#[cfg(test)]
pub(super) type Aside = Box<dyn FnOnce(&rusqlite::Connection) + Send>;

/// What the writer does next: one group of appends, then one step of one cut.
#[derive(Default)]
pub(super) struct Work {
    pub appends: Vec<AppendJob>,
    pub cut: Option<CutJob>,
    #[cfg(test)]
    pub asides: Vec<Aside>,
}

#[derive(Default)]
struct Waiting {
    appends: VecDeque<AppendJob>,
    bytes: usize,
    cuts: VecDeque<CutJob>,
    #[cfg(test)]
    asides: Vec<Aside>,
    closed: bool,
}

pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    came: Condvar,
    records_max: usize,
    bytes_max: usize,
}

impl Inbox {
    pub fn new(records_max: usize, bytes_max: usize) -> Inbox {
        Inbox { waiting: Mutex::default(), came: Condvar::new(), records_max, bytes_max }
    }

    pub fn push_append(&self, job: AppendJob) -> Result<(), RefusedAppend> {
        let bytes = job.record.body.len();
        if bytes > super::super::RECORD_BYTES_MAX {
            return Err(RefusedAppend::TooLarge);
        }
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(RefusedAppend::Closed);
        }
        if waiting.appends.len() >= self.records_max || waiting.bytes.saturating_add(bytes) > self.bytes_max {
            return Err(RefusedAppend::Busy);
        }
        waiting.bytes += bytes;
        waiting.appends.push_back(job);
        drop(waiting);
        self.came.notify_one();
        Ok(())
    }

    pub fn push_cut(&self, job: CutJob) -> Result<(), JournalFailed> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(JournalFailed::Closed);
        }
        if waiting.cuts.len() >= CUTS_MAX {
            return Err(JournalFailed::Busy);
        }
        waiting.cuts.push_back(job);
        drop(waiting);
        self.came.notify_one();
        Ok(())
    }

    /// Puts a cut that is not done behind the others, so that a long one does not hold up the short ones.
    pub fn put_back(&self, job: CutJob) {
        lock(&self.waiting).cuts.push_back(job);
    }

    /// Runs something on the writer's connection, before the appends that wait.
    #[cfg(test)]
    pub fn push_aside(&self, aside: Aside) {
        lock(&self.waiting).asides.push(aside);
        self.came.notify_one();
    }

    /// Waits for work, for at most `patience` where given; an empty `Work` says that it ran out. `None` once it is
    /// closed and every append has been taken.
    pub fn take(&self, patience: Option<Duration>) -> Option<Work> {
        let mut waiting = lock(&self.waiting);
        if waiting.is_idle() && !waiting.closed {
            waiting = match patience {
                None => self
                    .came
                    .wait_while(waiting, |w| w.is_idle() && !w.closed)
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
                Some(patience) => {
                    self.came
                        .wait_timeout_while(waiting, patience, |w| w.is_idle() && !w.closed)
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .0
                }
            };
        }
        if waiting.closed && waiting.appends.is_empty() {
            return None;
        }
        Some(Work {
            appends: waiting.take_group(),
            cut: waiting.cuts.pop_front(),
            #[cfg(test)]
            asides: std::mem::take(&mut waiting.asides),
        })
    }

    /// Takes nothing more in. What waits is still taken out.
    pub fn close(&self) {
        lock(&self.waiting).closed = true;
        self.came.notify_all();
    }

    /// Closes, and answers those that will never be tried.
    pub fn close_now(&self) {
        self.close();
        let mut waiting = lock(&self.waiting);
        waiting.bytes = 0;
        waiting.cuts.clear();
        for job in std::mem::take(&mut waiting.appends) {
            let _ = job.answer.send(Appended::Refused(RefusedAppend::Closed));
        }
    }
}

impl Waiting {
    fn is_idle(&self) -> bool {
        #[cfg(test)]
        if !self.asides.is_empty() {
            return false;
        }
        self.appends.is_empty() && self.cuts.is_empty()
    }

    fn take_group(&mut self) -> Vec<AppendJob> {
        let (mut count, mut bytes) = (0, 0);
        for job in self.appends.iter().take(GROUP_RECORDS_MAX) {
            bytes += job.record.body.len();
            if bytes > GROUP_BYTES_MAX {
                bytes -= job.record.body.len();
                break;
            }
            count += 1;
        }
        self.bytes -= bytes;
        self.appends.drain(..count).collect()
    }
}
