//! A mark in the stream, beside the records: that no node may use it now. On a subject that is no workspace's, and in the stream itself, so
//! that a copy of the stream has it too.

use super::read::unavailable;
use super::{NatsJournal, SUBJECT_PREFIX};
use crate::journal::JournalFailed;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Behind the cluster's name and the word for journals. No node's alone: it has no node's name behind it.
const SUBJECT_WORD: &str = "_mark";

/// Why no node may use the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A single server's journal is being brought into it, or that was broken off.
    Adopting,
    /// What it holds was brought back to a single server, where it goes on.
    Returned,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mark::Adopting => {
                "a single server's journal is being brought into this cluster, or that was broken off: run `offhook cluster adopt` once more"
            }
            Mark::Returned => {
                "the journal of this cluster was brought back to a single server, where it goes on: `offhook cluster adopt` brings it here again"
            }
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Said {
    mark: Mark,
}

impl NatsJournal {
    /// The one that is set.
    ///
    /// # Errors
    /// The servers do not answer, or the mark is of a newer release.
    pub async fn mark(&self) -> Result<Option<Mark>, JournalFailed> {
        match self.0.stream.get_last_raw_message_by_subject(&self.mark_subject()).await {
            Ok(message) => {
                let said: Result<Said, _> = serde_json::from_slice(&message.payload);
                said.map(|said| Some(said.mark))
                    .map_err(|why| JournalFailed::Damaged(format!("the mark in the stream cannot be read: {why}")))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// # Errors
    /// It may not be set.
    pub async fn set_mark(&self, mark: Mark) -> Result<(), JournalFailed> {
        let said = serde_json::to_vec(&Said { mark }).expect("plain members are written");
        let sent = self.0.context.publish(self.mark_subject(), said.into()).await.map_err(unavailable)?;
        sent.await.map_err(unavailable)?;
        Ok(())
    }

    /// # Errors
    /// It may still be set.
    pub async fn remove_mark(&self) -> Result<(), JournalFailed> {
        self.0.stream.purge().filter(self.mark_subject()).await.map_err(unavailable)?;
        Ok(())
    }

    fn mark_subject(&self) -> String {
        format!("{}.{SUBJECT_PREFIX}.{SUBJECT_WORD}", self.0.prefix)
    }
}
