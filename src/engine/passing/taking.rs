//! Batches that other nodes pass on to who leads a workspace: taken once each, answered when all of them is decided.

use super::shapes::{Batch, BatchAnswer, Passed, Told};
use crate::desk::command::Command;
use crate::engine::published::{NotDone, Replied};
use crate::engine::workspace::Workspace;
use crate::journal::Position;
use crate::journal::record::Lead;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};

/// Nodes of which the last batch is known: more than a cluster has, with those that are gone.
const SENDERS_MAX: usize = 128;

/// The last batch of each node, with its answer.
#[derive(Debug, Default)]
pub struct Taken(Mutex<HashMap<u64, Last>>);

#[derive(Debug, Clone)]
struct Last {
    term: u64,
    number: u64,
    /// `None` until it is known, and for ever where that was never found out.
    answer: watch::Receiver<Option<Bytes>>,
}

/// What is to be done with a batch.
enum Standing {
    New(watch::Sender<Option<Bytes>>),
    Known(watch::Receiver<Option<Bytes>>),
    Overtaken,
}

impl Taken {
    fn begin(&self, batch: &Batch) -> Standing {
        let mut senders = self.lock();
        if let Some(last) = senders.get(&batch.sender) {
            if (last.term, last.number) == (batch.term, batch.number) {
                return Standing::Known(last.answer.clone());
            }
            if (last.term, last.number) > (batch.term, batch.number) {
                return Standing::Overtaken;
            }
        }
        if senders.len() >= SENDERS_MAX
            && !senders.contains_key(&batch.sender)
            && let Some(oldest) = senders.keys().min().copied()
        {
            senders.remove(&oldest);
        }
        let (answer, answered) = watch::channel(None);
        senders.insert(batch.sender, Last { term: batch.term, number: batch.number, answer: answered });
        Standing::New(answer)
    }

    /// This node leads no more: by another claim none of it is asked for again.
    pub(in crate::engine) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workspace {
    /// What becomes of a batch of another node's; `None` while that is not known, and where it never will be.
    pub async fn take_batch(self: &Arc<Self>, batch: Batch) -> Option<Bytes> {
        let lead = self.leads();
        let not_led = |term: Option<Lead>| {
            let answer = BatchAnswer::NotLed { term: term.map(|lead| lead.term.0) };
            answer.encode().ok()
        };
        if lead.is_none_or(|lead| lead.term.0 != batch.term) {
            return not_led(lead);
        }
        let answer = match self.taken().begin(&batch) {
            Standing::New(answer) => answer,
            Standing::Known(mut answered) => return answered.wait_for(Option::is_some).await.ok()?.clone(),
            // Its sender has heard what became of it.
            Standing::Overtaken => return None,
        };
        let bytes = decided(self.take_commands(batch.commands)).await?;
        answer.send_replace(Some(bytes.clone()));
        Some(bytes)
    }

    fn take_commands(
        &self,
        commands: Vec<Command>,
    ) -> Vec<Result<oneshot::Receiver<Result<Replied, NotDone>>, NotDone>> {
        commands.into_iter().map(|command| self.submit_passed(command)).collect()
    }
}

/// Until every one of them is; `None` where of one nobody knows.
async fn decided(waiting: Vec<Result<oneshot::Receiver<Result<Replied, NotDone>>, NotDone>>) -> Option<Bytes> {
    let mut answers = Vec::with_capacity(waiting.len());
    for one in waiting {
        let (position, result) = match one {
            Ok(answered) => match answered.await.ok()? {
                Ok(Replied { position, result }) => (position, Told::from(result)),
                Err(not_done) => (Position::NOTHING, Told::NotDone(not_done)),
            },
            Err(not_done) => (Position::NOTHING, Told::NotDone(not_done)),
        };
        answers.push(Passed { position, result });
    }
    let answer = BatchAnswer::Led { answers }.encode();
    answer.inspect_err(|error| tracing::error!(%error, "answers for another node have no room")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sender: u64, term: u64, number: u64) -> Batch {
        Batch { workspace: "acme".into(), term, sender, number, commands: Vec::new() }
    }

    #[test]
    fn a_batch_that_comes_again_is_the_same_and_an_older_one_is_passed_over() {
        let taken = Taken::default();
        let Standing::New(answer) = taken.begin(&batch(7, 3, 1)) else { panic!("it is new") };
        answer.send_replace(Some(Bytes::from_static(b"done")));
        let Standing::Known(answered) = taken.begin(&batch(7, 3, 1)) else { panic!("it came before") };
        assert_eq!(*answered.borrow(), Some(Bytes::from_static(b"done")));
        assert!(matches!(taken.begin(&batch(8, 3, 1)), Standing::New(_)), "another node's");
        assert!(matches!(taken.begin(&batch(7, 3, 2)), Standing::New(_)));
        assert!(matches!(taken.begin(&batch(7, 3, 1)), Standing::Overtaken));
        assert!(matches!(taken.begin(&batch(7, 9, 1)), Standing::New(_)), "by a later claim");
        taken.forget();
        assert!(matches!(taken.begin(&batch(7, 9, 1)), Standing::New(_)));
    }

    #[test]
    fn no_more_senders_are_remembered_than_there_may_be() {
        let taken = Taken::default();
        for sender in 0..2 * SENDERS_MAX as u64 {
            assert!(matches!(taken.begin(&batch(sender, 1, 1)), Standing::New(_)));
        }
        assert_eq!(taken.lock().len(), SENDERS_MAX);
        assert!(matches!(taken.begin(&batch(2 * SENDERS_MAX as u64 - 1, 1, 1)), Standing::Known(_)), "the newest stay");
    }
}
