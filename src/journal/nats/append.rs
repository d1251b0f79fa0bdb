//! An append: what is published, and what each answer means.

use super::places::Place;
use super::{Inner, OF_ONE_NODE, POSITION_HEADER, TURN_HEADER};
use crate::journal::{Appended, JournalState, NewRecord, RECORD_BYTES_MAX, RefusedAppend};
use crate::overload::disk;
use async_nats::connection::State;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use std::error::Error;
use std::sync::Arc;

impl Inner {
    pub(super) async fn append(&self, workspace: &Arc<str>, record: NewRecord) -> Appended {
        let appended = self.publish(workspace, record).await;
        match &appended {
            Appended::Committed(_) | Appended::Refused(RefusedAppend::Fenced { .. } | RefusedAppend::TooLarge) => {
                self.is_well();
            }
            Appended::Refused(refused @ RefusedAppend::KeptBack) => {
                self.health.become_state(JournalState::KeptBack, Some(&refused.to_string()));
            }
            Appended::Refused(refused @ RefusedAppend::Full) => {
                self.health.become_state(JournalState::Full, Some(&refused.to_string()));
            }
            Appended::Refused(refused) => {
                self.health.become_state(JournalState::Failing, Some(&refused.to_string()));
            }
            Appended::Unknown(why) => self.health.become_state(JournalState::Failing, Some(why)),
        }
        appended
    }

    async fn publish(&self, workspace: &Arc<str>, record: NewRecord) -> Appended {
        if record.body.len() > RECORD_BYTES_MAX {
            return Appended::Refused(RefusedAppend::TooLarge);
        }
        // What is decided here makes the view grow, here as at the others, whose disks are no larger.
        if disk().is_critical() && !record.last_resort {
            return Appended::Refused(RefusedAppend::KeptBack);
        }
        // The client would keep it for when it is connected again: long after anybody waits for it.
        if self.context.client().connection_state() != State::Connected {
            return Appended::Refused(RefusedAppend::Unreachable);
        }
        let expected = match self.places.sequence_of(workspace, record.expected) {
            Some(sequence) => sequence,
            None => match self.last(workspace).await {
                Ok(Some((place, _))) if place.position == record.expected => place.sequence,
                Ok(Some((place, _))) if place.position > record.expected => {
                    return Appended::Refused(RefusedAppend::Fenced { actual: place.position });
                }
                // Its view may have come from elsewhere: what is empty begins where that stands.
                Ok(None) if workspace.starts_with(OF_ONE_NODE) => 0,
                // Not there yet, where we were asked: nothing was sent.
                Ok(_) | Err(_) => return Appended::Refused(RefusedAppend::Unreachable),
            },
        };
        let position = record.expected.next();
        let message = PublishMessage::build()
            .expected_last_subject_sequence(expected)
            .header(POSITION_HEADER, position.to_string().as_str())
            .header(TURN_HEADER, record.turn.to_string().as_str())
            .payload(record.body.clone());
        let sent = match self.context.send_publish(self.subject(workspace), message).await {
            Ok(sent) => sent,
            Err(not_sent) => return Appended::Refused(not_sent_means(&not_sent)),
        };
        match sent.await {
            Ok(stored) => {
                self.places.tail_is(workspace, Place { position, sequence: stored.sequence });
                Appended::Committed(position)
            }
            Err(answer) => match answer_means(&answer) {
                Means::Refused(refused) => Appended::Refused(refused),
                Means::Unknown => Appended::Unknown(answer.to_string()),
                Means::Fenced => self.who_was_first(workspace, &record).await,
            },
        }
    }

    /// Somebody else appended: or we did, by a message that was believed to be lost.
    async fn who_was_first(&self, workspace: &Arc<str>, record: &NewRecord) -> Appended {
        let position = record.expected.next();
        match self.last(workspace).await {
            Ok(Some((_, last))) if last.position == position && last.turn == record.turn => {
                Appended::Committed(position)
            }
            Ok(Some((_, last))) if last.position == position => {
                Appended::Refused(RefusedAppend::Fenced { actual: last.position })
            }
            // More came after it; or what was read is old. Whoever settles it reads what is at its position.
            Ok(_) => Appended::Unknown("the fence does not hold any more, and the end of the journal moves".to_owned()),
            Err(failed) => Appended::Unknown(format!("the fence does not hold any more, and {failed}")),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Means {
    Refused(RefusedAppend),
    /// The fence does not hold any more.
    Fenced,
    Unknown,
}

/// It has not left this process.
pub(super) fn not_sent_means(not_sent: &PublishError) -> RefusedAppend {
    match not_sent.kind() {
        PublishErrorKind::MaxPayloadExceeded => RefusedAppend::TooLarge,
        PublishErrorKind::MaxAckPending | PublishErrorKind::TimedOut => RefusedAppend::Busy,
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::Other => RefusedAppend::Unreachable,
    }
}

/// Only what a server says before it stores anything is a refusal; all else is not known.
pub(super) fn answer_means(answer: &PublishError) -> Means {
    match answer.kind() {
        PublishErrorKind::WrongLastSequence => Means::Fenced,
        PublishErrorKind::Other => {
            let said = answer.source().and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>());
            said.map_or(Means::Unknown, |said| code_means(said.error_code()))
        }
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::MaxPayloadExceeded => Means::Unknown,
    }
}

/// Whether a server says by this that there is no room.
pub(crate) fn is_full(code: ErrorCode) -> bool {
    let full = [
        ErrorCode::STREAM_STORE_FAILED,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::MEMORY_RESOURCES_EXCEEDED,
    ];
    full.contains(&code)
}

fn code_means(code: ErrorCode) -> Means {
    match code {
        code if is_full(code) => Means::Refused(RefusedAppend::Full),
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM => Means::Refused(RefusedAppend::TooLarge),
        _ => Means::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_refusal() {
        for kind in [PublishErrorKind::TimedOut, PublishErrorKind::BrokenPipe, PublishErrorKind::StreamNotFound] {
            assert_eq!(answer_means(&PublishError::new(kind)), Means::Unknown);
        }
        assert_eq!(answer_means(&PublishError::new(PublishErrorKind::WrongLastSequence)), Means::Fenced);
        assert_eq!(code_means(ErrorCode::STREAM_STORE_FAILED), Means::Refused(RefusedAppend::Full));
        assert_eq!(code_means(ErrorCode::CLUSTER_NOT_LEADER), Means::Unknown);
    }
}
