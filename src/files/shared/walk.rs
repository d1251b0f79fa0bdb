//! The store walked through in steps, and what nobody has any more removed from it.

use super::{BEGUN, Entry, NotShared, PART, SharedFiles, Trouble, WHOLE};
use crate::files::Place;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;

/// Files that are looked at in one step.
const STEP: usize = 1_024;
/// Of a walk that nobody goes on with.
const CONSUMER_LIVES: Duration = Duration::from_secs(60);

/// Something is there of this file.
#[derive(Debug, Clone)]
pub struct Begun {
    pub place: Place,
    sequence: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// Through all files of a workspace.
pub struct Walk<'a> {
    shared: &'a SharedFiles,
    workspace: Arc<str>,
    consumer: Consumer<pull::Config>,
}

impl SharedFiles {
    /// # Errors
    /// It cannot be asked.
    pub async fn walk(&self, workspace: &Arc<str>) -> Result<Walk<'_>, NotShared> {
        let config = || pull::Config {
            deliver_policy: DeliverPolicy::All,
            filter_subject: format!("{}.{BEGUN}.{workspace}.*.*", self.prefix),
            ack_policy: AckPolicy::None,
            inactive_threshold: CONSUMER_LIVES,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let create = || async {
            self.stream.create_consumer(config()).await.map_err(|error| Trouble::Passing(error.to_string()))
        };
        let consumer = self.patiently(create).await?;
        Ok(Walk { shared: self, workspace: workspace.clone(), consumer })
    }

    /// The last sequence of the stream, as its leader says.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn end(&self) -> Result<u64, NotShared> {
        let ask = || async {
            let info = self.stream.get_info().await;
            info.map(|info| info.state.last_sequence).map_err(|error| Trouble::Passing(error.to_string()))
        };
        self.patiently(ask).await
    }

    /// Removes a file that was seen so, and all that was put of it up to this end; what came since stays. Whether it was still as it was seen:
    /// one that is going to be named is another message by then.
    ///
    /// # Errors
    /// It cannot be asked; the rest goes with the next sweep.
    pub async fn remove(&self, begun: &Begun, entry: Option<&Entry>, end: u64) -> Result<bool, NotShared> {
        let place = &begun.place;
        if let Some(entry) = entry
            && self.purge(&self.subject(WHOLE, place), entry.sequence).await? == 0
            && self.entry(place).await?.is_some()
        {
            return Ok(false);
        }
        self.purge(&format!("{}.*.*", self.subject(PART, place)), end).await?;
        // Last, since by this it is found.
        self.purge(&self.subject(BEGUN, place), begun.sequence).await?;
        Ok(true)
    }
}

impl Walk<'_> {
    /// The next few; none: there are no more.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn next_few(&mut self) -> Result<Vec<Begun>, NotShared> {
        let unreachable = |why: String| NotShared::Unreachable(why);
        let batch = self.consumer.fetch().max_messages(STEP).messages().await;
        let mut batch = batch.map_err(|error| unreachable(error.to_string()))?;
        let mut few = Vec::new();
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| unreachable(error.to_string()))?;
            let info = message.info().map_err(|error| unreachable(error.to_string()))?;
            let at_ms = u64::try_from(info.published.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
            let sequence = info.stream_sequence;
            let mut last = message.subject.rsplit('.');
            let (file, conversation) = (last.next().map(str::parse), last.next().map(str::parse));
            let (Some(Ok(file)), Some(Ok(conversation))) = (file, conversation) else { continue };
            let place = Place { workspace: self.workspace.clone(), conversation, file };
            few.push(Begun { place, sequence, at_ms });
        }
        Ok(few)
    }

    /// The server would find out by itself, a while later.
    pub async fn end(self) {
        let _ = self.shared.stream.delete_consumer(&self.consumer.cached_info().name).await;
    }
}
