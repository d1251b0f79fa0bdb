//! Records of another journal, appended as they are: with their own positions and turns, and many under way at once.
//!
//! ```text
//! look ──▶ the first by the subject's fence ──▶ the others each behind the one before, by the whole stream's sequence
//!  ▲                                               │
//!  └────────── something else came about ◀─────────┘
//! ```
//!
//! Nobody else may write to the stream meanwhile, so that its sequences are known ahead. Where somebody does, or a record is lost, the
//! next one does not find what it expects, nor does any behind it: what is stored is always a beginning of what was to be.

use super::append::{Means, answer_means, not_sent_means};
use super::places::Place;
use super::read::unavailable;
use super::{Inner, NatsJournal, POSITION_HEADER, TURN_HEADER};
use crate::journal::carry::{CarryFailed, Sink};
use crate::journal::{JournalFailed, RefusedAppend, StoredRecord};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const UNDER_WAY_RECORDS: usize = 512;
const UNDER_WAY_BYTES: usize = 8 << 20;
/// Looked at again so often without one record more: half a minute, longer than NATS elects.
const FRUITLESS_MAX: u32 = 120;
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// What the servers store of a message beside its subject and body: 34 bytes of their own, and headers of 161 at most.
const STORED_BESIDE: u64 = 200;

impl Sink for NatsJournal {
    async fn add(&mut self, workspace: &Arc<str>, records: &[StoredRecord]) -> Result<(), CarryFailed> {
        self.0.fill(workspace, records).await
    }

    async fn forget(&mut self, workspace: &Arc<str>) -> Result<(), CarryFailed> {
        self.0.forget(workspace).await?;
        Ok(())
    }
}

impl NatsJournal {
    /// What its limit leaves room for, in bytes; `None` where it has none.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn free_bytes(&self) -> Result<Option<u64>, JournalFailed> {
        let info = self.0.stream.get_info().await.map_err(unavailable)?;
        let most = u64::try_from(info.config.max_bytes).ok().filter(|most| *most > 0);
        Ok(most.map(|most| most.saturating_sub(info.state.bytes)))
    }

    /// What so many records of a workspace take there at most, with bodies of so many bytes.
    #[must_use]
    pub fn stored_bytes(&self, workspace: &str, records: u64, bytes: u64) -> u64 {
        bytes + records * (STORED_BESIDE + self.0.subject(workspace).len() as u64)
    }
}

/// What a record expects.
enum Behind {
    /// The subject's last sequence.
    Subject(u64),
    /// The last sequence of the whole stream.
    Stream(u64),
}

enum Stopped {
    Full,
    Why(String),
}

impl Inner {
    async fn fill(&self, workspace: &Arc<str>, records: &[StoredRecord]) -> Result<(), CarryFailed> {
        let (mut there, mut fruitless, mut why) = (0, 0, String::new());
        loop {
            match self.last(workspace).await {
                Ok(last) => {
                    let found = already_there(workspace, records, last.as_ref().map(|(_, record)| record))?;
                    if found.is_some_and(|found| found > there) {
                        (there, fruitless) = (found.unwrap_or(there), 0);
                    }
                    if there == records.len() {
                        return Ok(());
                    }
                    // A read that is behind finds less than is known to be there: the fence would refuse it.
                    if found == Some(there) {
                        let expected = last.map_or(0, |(place, _)| place.sequence);
                        match self.send(workspace, &records[there..], expected).await {
                            Ok(()) => return Ok(()),
                            Err(Stopped::Full) => return Err(CarryFailed::Full),
                            Err(Stopped::Why(stopped)) => why = stopped,
                        }
                    }
                }
                Err(failed) => why = failed.to_string(),
            }
            fruitless += 1;
            if fruitless > FRUITLESS_MAX {
                return Err(JournalFailed::Unavailable(format!("no record more was stored: {why}")).into());
            }
            // Servers tell nobody when they have a leader again.
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Until one of them has no good answer: then it is not known which are there.
    async fn send(&self, workspace: &Arc<str>, records: &[StoredRecord], expected: u64) -> Result<(), Stopped> {
        let Some((first, others)) = records.split_first() else { return Ok(()) };
        // Alone: it proves that nothing else is on the subject, and says where the stream ends.
        let mut sequence = answer(self.publish_as_is(workspace, first, Behind::Subject(expected)).await?).await?;
        let mut under_way: VecDeque<(PublishAckFuture, usize)> = VecDeque::new();
        let mut bytes = 0;
        for record in others {
            while under_way.len() >= UNDER_WAY_RECORDS || bytes + record.body.len() > UNDER_WAY_BYTES {
                let Some((oldest, its_bytes)) = under_way.pop_front() else { break };
                answer(oldest).await?;
                bytes -= its_bytes;
            }
            let sent = self.publish_as_is(workspace, record, Behind::Stream(sequence)).await?;
            sequence += 1;
            bytes += record.body.len();
            under_way.push_back((sent, record.body.len()));
        }
        for (sent, _) in under_way {
            answer(sent).await?;
        }
        if let Some(last) = records.last() {
            self.places.tail_is(workspace, Place { position: last.position, sequence });
        }
        Ok(())
    }

    async fn publish_as_is(
        &self,
        workspace: &Arc<str>,
        record: &StoredRecord,
        behind: Behind,
    ) -> Result<PublishAckFuture, Stopped> {
        let message = match behind {
            Behind::Subject(sequence) => PublishMessage::build().expected_last_subject_sequence(sequence),
            Behind::Stream(sequence) => PublishMessage::build().expected_last_sequence(sequence),
        };
        let message = message
            .header(POSITION_HEADER, record.position.to_string().as_str())
            .header(TURN_HEADER, record.turn.to_string().as_str())
            .payload(record.body.clone());
        let sent = self.context.send_publish(self.subject(workspace), message).await;
        sent.map_err(|error| Stopped::Why(not_sent_means(&error).to_string()))
    }
}

/// The sequence that it has.
async fn answer(sent: PublishAckFuture) -> Result<u64, Stopped> {
    match sent.await {
        Ok(stored) => Ok(stored.sequence),
        Err(error) => match answer_means(&error) {
            Means::Refused(RefusedAppend::Full) => Err(Stopped::Full),
            Means::Refused(_) | Means::Fenced | Means::Unknown => Err(Stopped::Why(error.to_string())),
        },
    }
}

/// How many of these records are there, by the last one that is; `None` where that was read from a replica that is behind.
fn already_there(
    workspace: &Arc<str>,
    records: &[StoredRecord],
    last: Option<&StoredRecord>,
) -> Result<Option<usize>, CarryFailed> {
    let (Some(first), Some(last)) = (records.first(), last) else { return Ok(Some(0)) };
    if last.position.next() == first.position {
        return Ok(Some(0));
    }
    if last.position < first.position {
        return Ok(None);
    }
    match records.get((last.position.0 - first.position.0) as usize) {
        Some(own) if own == last => Ok(Some((last.position.0 - first.position.0) as usize + 1)),
        Some(_) => Err(CarryFailed::OtherHistory { workspace: workspace.clone(), position: last.position }),
        None => Err(CarryFailed::NotAlone { workspace: workspace.clone(), position: last.position }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Position, TurnId};
    use bytes::Bytes;

    fn record(position: u64) -> StoredRecord {
        let body = Bytes::from(format!("record {position}"));
        StoredRecord { position: Position(position), turn: TurnId(u128::from(position)), body }
    }

    #[test]
    fn what_is_there_is_told_by_the_last_record_alone() {
        let acme: Arc<str> = "acme".into();
        let records: Vec<StoredRecord> = (11..=15).map(record).collect();
        let found = |last: Option<StoredRecord>| already_there(&acme, &records, last.as_ref());
        assert!(matches!(found(None), Ok(Some(0))), "nothing is there: they begin it");
        assert!(matches!(found(Some(record(10))), Ok(Some(0))));
        assert!(matches!(found(Some(record(11))), Ok(Some(1))));
        assert!(matches!(found(Some(record(15))), Ok(Some(5))));
        assert!(matches!(found(Some(record(9))), Ok(None)), "a read that is behind");
        let other = StoredRecord { turn: TurnId(99), ..record(13) };
        assert!(matches!(found(Some(other)), Err(CarryFailed::OtherHistory { position: Position(13), .. })));
        assert!(matches!(found(Some(record(16))), Err(CarryFailed::NotAlone { position: Position(16), .. })));
    }
}
