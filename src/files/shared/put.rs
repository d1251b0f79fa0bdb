//! How a file comes into the store, and how it is kept there when a message is going to name it.

use super::{
    ATTEMPT_HEADER, BEGUN, Entry, NotShared, PART, PART_BYTES, PARTS_HEADER, SharedFiles, Trouble, WHOLE,
    memory_for_one, parts_of,
};
use crate::clock;
use crate::files::Place;
use crate::files::format::HEAD_BYTES;
use crate::journal::nats::{is_full, with_source};
use async_nats::connection::State;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

/// However large it is. Longer than that nobody puts one: what was begun before and has no end is nobody's.
const PUT_WITHIN: Duration = Duration::from_secs(60);

pub enum Put {
    Stored,
    /// One was there before.
    There(Entry),
}

enum Published {
    Stored,
    /// Another message was there.
    Fenced,
}

impl SharedFiles {
    /// Puts a file that lies whole on the disk, of so many bytes with its head.
    ///
    /// # Errors
    /// It is not there, or that is not known; what was put of it goes with the sweep.
    pub async fn put(&self, place: &Place, file: Arc<File>, bytes: u64) -> Result<Put, NotShared> {
        let late = |_| Err(NotShared::Unreachable(format!("it was not put within {} s", PUT_WITHIN.as_secs())));
        tokio::time::timeout(PUT_WITHIN, self.put_all(place, file, bytes)).await.unwrap_or_else(late)
    }

    async fn put_all(&self, place: &Place, file: Arc<File>, bytes: u64) -> Result<Put, NotShared> {
        let (begun, whole) = (self.subject(BEGUN, place), self.subject(WHOLE, place));
        if let Some(entry) = self.entry(place).await? {
            if self.last(&begun).await?.is_some() {
                return Ok(Put::There(entry));
            }
            // It came so late that all else of it was taken for left over, and was never acknowledged.
            self.purge(&whole, entry.sequence).await?;
        }
        let _taken = memory_for_one()?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| NotShared::Unreachable(error.to_string()))?;
        let attempt = u128::from_le_bytes(random);
        self.publish(&begun, PublishMessage::build).await?;
        let (part, behind) = (self.subject(PART, place), bytes - HEAD_BYTES as u64);
        for number in 0..parts_of(behind) {
            let at = number * PART_BYTES as u64;
            let length = (behind - at).min(PART_BYTES as u64) as usize;
            let payload = read_at(&file, HEAD_BYTES as u64 + at, length).await?;
            let message = || PublishMessage::build().payload(payload.clone());
            if let Err(why) = self.publish(&format!("{part}.{attempt:032x}.{number}"), message).await {
                self.discard(&part, attempt).await;
                return Err(why);
            }
        }
        let head = read_at(&file, 0, HEAD_BYTES).await?;
        let message = || whole_message(attempt, parts_of(behind), 0, head.clone());
        // Where this has no answer, it may be there: so its parts stay, until the sweep has looked.
        match self.publish(&whole, message).await? {
            Published::Stored => Ok(Put::Stored),
            Published::Fenced => match self.entry(place).await? {
                // By a message whose answer was lost.
                Some(entry) if entry.attempt == attempt => Ok(Put::Stored),
                Some(entry) => {
                    self.discard(&part, attempt).await;
                    Ok(Put::There(entry))
                }
                None => Err(NotShared::Unreachable("it comes and goes".to_owned())),
            },
        }
    }

    /// What is not removed now goes with the sweep.
    async fn discard(&self, part: &str, attempt: u128) {
        let _ = self.stream.purge().filter(format!("{part}.{attempt:032x}.*")).await;
    }

    /// Keeps it from now on as if it had just come: whether it was still there as it was seen. So a sweep that saw it before removes nothing.
    ///
    /// # Errors
    /// That is not known.
    pub async fn keep(&self, place: &Place, entry: &Entry, unnamed_kept_ms: u64) -> Result<bool, NotShared> {
        let head = Bytes::copy_from_slice(&entry.head[..]);
        let message = || whole_message(entry.attempt, entry.parts, entry.sequence, head.clone());
        match self.publish(&self.subject(WHOLE, place), message).await {
            Ok(Published::Stored) => Ok(true),
            // Somebody else was going to name it too; or an answer was lost.
            Ok(Published::Fenced) => {
                let now = self.entry(place).await?;
                Ok(now.is_some_and(|now| now.attempt == entry.attempt))
            }
            // There is no room for the word either; but nobody removes it soon.
            Err(NotShared::Full(_)) if clock::wall_ms() < entry.at_ms + unnamed_kept_ms / 2 => Ok(true),
            Err(why) => Err(why),
        }
    }

    async fn publish(&self, subject: &str, message: impl Fn() -> PublishMessage) -> Result<Published, NotShared> {
        let message = &message;
        let publish = || async {
            // The client would keep it for when it is connected again: long after anybody waits for it.
            if self.context.client().connection_state() != State::Connected {
                return Err(Trouble::Passing("no server is connected".to_owned()));
            }
            let sent = async { self.context.send_publish(subject.to_owned(), message()).await?.await };
            match sent.await {
                Ok(_) => Ok(Published::Stored),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(Published::Fenced),
                Err(error) if means_full(&error) => Err(Trouble::Full),
                Err(error) => Err(Trouble::Passing(with_source(&error))),
            }
        };
        self.patiently(publish).await
    }
}

fn whole_message(attempt: u128, parts: u64, expected: u64, head: Bytes) -> PublishMessage {
    PublishMessage::build()
        .expected_last_subject_sequence(expected)
        .header(ATTEMPT_HEADER, format!("{attempt:032x}").as_str())
        .header(PARTS_HEADER, parts.to_string().as_str())
        .payload(head)
}

fn means_full(error: &PublishError) -> bool {
    let said = error.source().and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>());
    said.is_some_and(|said| is_full(said.error_code()))
}

async fn read_at(file: &Arc<File>, at: u64, length: usize) -> Result<Bytes, NotShared> {
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, at).map(|()| Bytes::from(bytes))
    });
    let read = read.await.unwrap_or_else(|_| Err(io::Error::other("a thread ended")));
    read.map_err(|error| NotShared::Unreachable(format!("it cannot be read here: {error}")))
}
