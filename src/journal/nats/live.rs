//! Records as they are committed, of all workspaces and by whomever: what a node follows.

use super::read::unavailable;
use super::{NatsJournal, OF_ONE_NODE, SUBJECT_PREFIX, stored};
use crate::journal::{JournalFailed, StoredRecord};
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use futures_util::StreamExt;
use std::sync::Arc;

/// Begins with what is committed after it was made.
pub struct Live {
    journal: NatsJournal,
    messages: Ordered,
}

impl NatsJournal {
    /// # Errors
    /// The servers do not answer.
    pub async fn live(&self) -> Result<Live, JournalFailed> {
        let inner = &self.0;
        let last = inner.stream.get_info().await.map_err(unavailable)?.state.last_sequence;
        let config = OrderedConfig {
            deliver_subject: inner.context.client().new_inbox(),
            filter_subject: format!("{}.{SUBJECT_PREFIX}.*", inner.prefix),
            // Not "new": made anew before anything came, it would leave out what came meanwhile.
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: last + 1 },
            ..OrderedConfig::default()
        };
        let consumer = inner.stream.create_consumer(config).await.map_err(unavailable)?;
        let messages = consumer.messages().await.map_err(unavailable)?;
        Ok(Live { journal: self.clone(), messages })
    }
}

impl Live {
    /// The next one. May be dropped and called again.
    ///
    /// # Errors
    /// No more come: begin anew, and read what was missed.
    pub async fn next(&mut self) -> Result<(Arc<str>, StoredRecord), JournalFailed> {
        loop {
            let message = self.messages.next().await;
            let message = message.ok_or_else(|| unavailable("it brings nothing more"))?.map_err(unavailable)?;
            let sequence = message.info().map_err(unavailable)?.stream_sequence;
            let headers = message.headers.clone().unwrap_or_default();
            let subject = message.subject.clone();
            let Some((_, workspace)) = subject.rsplit_once('.') else { continue };
            if workspace.starts_with(OF_ONE_NODE) {
                continue;
            }
            let (place, record) = stored(&subject, sequence, &headers, message.message.payload)?;
            let workspace = Arc::from(workspace);
            self.journal.0.places.tail_is(&workspace, place);
            return Ok((workspace, record));
        }
    }
}
