//! Records of a workspace as the journal's stream brings them, until its task takes them: bounded in bytes, since what does not fit
//! is read from the journal.

use crate::journal::StoredRecord;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Of records that wait; one always may.
const BYTES_MAX: usize = 512 * 1024;

#[derive(Debug, Default)]
pub struct Tail {
    state: Mutex<Waiting>,
    notify: Notify,
}

/// What came and was not taken yet.
#[derive(Debug, Default)]
pub struct Waiting {
    pub records: VecDeque<StoredRecord>,
    bytes: usize,
    /// Something came that is not among them: read the journal.
    pub missed: bool,
}

impl Tail {
    /// A record was committed, by whomever.
    pub fn push(&self, record: StoredRecord) {
        let mut state = self.lock();
        let bytes = state.bytes + record.body.len();
        if bytes > BYTES_MAX && !state.records.is_empty() {
            state.missed = true;
        } else if !state.missed {
            state.bytes = bytes;
            state.records.push_back(record);
        }
        drop(state);
        self.notify.notify_one();
    }

    /// Records may have been missed.
    pub fn miss(&self) {
        self.lock().missed = true;
        self.notify.notify_one();
    }

    /// Something else waits for the same task.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    /// Until something waits.
    pub async fn filled(&self) {
        self.notify.notified().await;
    }

    #[must_use]
    pub fn take(&self) -> Waiting {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Position, TurnId};
    use bytes::Bytes;

    fn record(position: u64, bytes: usize) -> StoredRecord {
        StoredRecord { position: Position(position), turn: TurnId(1), body: Bytes::from(vec![0; bytes]) }
    }

    #[test]
    fn what_does_not_fit_is_to_be_read_and_nothing_behind_it_is_kept() {
        let tail = Tail::default();
        tail.push(record(1, BYTES_MAX + 1));
        tail.push(record(2, 1));
        tail.push(record(3, 1));
        let waiting = tail.take();
        assert_eq!(waiting.records.iter().map(|record| record.position.0).collect::<Vec<_>>(), [1]);
        assert!(waiting.missed);
        tail.push(record(4, 1));
        let waiting = tail.take();
        assert!(waiting.records.len() == 1 && !waiting.missed);
    }
}
