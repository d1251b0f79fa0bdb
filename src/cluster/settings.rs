//! What is set at one node and holds at all: a bucket `NAME-settings` in NATS, whose entries each node hears of and keeps a copy of.
//!
//! ```text
//! quota.acme           {"agents": 50}
//! webhooks.set.acme    sealed (`webhooks/shared.rs`)
//! webhooks.place.acme
//! signins.acme.5d41…   sealed (`gateway/signin/shared.rs`), one for each agent who ever signed in
//! ```
//!
//! An entry is put in the place of the one that was read, so that of two who change it at once neither takes back what the other did, and
//! one that was on its way for long changes nothing any more. It is never removed: so who was away hears of each that has changed.

use crate::journal::nats::{Bucket, NatsSettings, StreamFailed, bucket, with_source};
use crate::telemetry::catalogue::CLUSTER_SETTINGS_FOLLOWED;
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig, OrderedError};
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::message::Message;
use async_nats::jetstream::stream::{DirectGetErrorKind, LastRawMessageErrorKind};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::ReadyChunks;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// Of one entry: the webhooks of a workspace, as many and as large as may be.
const BYTES_MAX: i32 = 256 * 1024;
/// How often a change is tried where others were quicker, or a replica that was read was behind.
const TRIES: u32 = 50;
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Entries that are taken in at once.
const AT_ONCE: usize = 64;
const FOLLOW_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Until then what was put may be on its way back; afterwards it is asked for.
const OVERDUE_AFTER: Duration = Duration::from_millis(100);

/// Nothing is known to be set: the servers do not answer, or not in time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the settings that nodes share: {0}")]
pub struct NotShared(String);

impl NotShared {
    #[must_use]
    pub fn of(why: impl Display) -> Self {
        Self(why.to_string())
    }
}

/// The bucket, made or found as it should be.
pub struct SharedSettings {
    context: Context,
    store: Store,
    answer_within: Duration,
}

impl SharedSettings {
    /// # Errors
    /// The bucket cannot be reached or made, or is another one than it has to be; nothing was changed then.
    pub async fn open(context: Context, nats: &NatsSettings) -> Result<Self, StreamFailed> {
        let shape = Bucket {
            name: "settings",
            description: "What is set for all nodes of Offhook",
            max_age: Duration::ZERO,
            bytes_max: BYTES_MAX,
        };
        let store = bucket(&context, nats, &shape).await?;
        Ok(Self { context, store, answer_within: nats.answer_within })
    }

    /// Entries whose names begin with this word and a full stop. For each word there is one, which is followed once.
    #[must_use]
    pub fn part(self: &Arc<Self>, word: &'static str) -> Arc<Part> {
        Arc::new(Part { settings: self.clone(), word, heard: watch::Sender::new(0), overdue: Notify::new() })
    }

    async fn within<T>(&self, asked: impl Future<Output = T>) -> Result<T, NotShared> {
        // The client would keep it for when it is connected again: long after anybody waits for it.
        if self.context.client().connection_state() != State::Connected {
            return Err(NotShared::of("no server of NATS is connected"));
        }
        let late = |_| NotShared(format!("no answer within {} ms", self.answer_within.as_millis()));
        timeout(self.answer_within, asked).await.map_err(late)
    }
}

/// What is shared of one kind.
pub struct Part {
    settings: Arc<SharedSettings>,
    word: &'static str,
    /// Up to which revision everything was taken in here.
    heard: watch::Sender<u64>,
    /// Somebody waits for what the watch has not brought.
    overdue: Notify,
}

/// One entry, as it is now.
#[derive(Debug, Clone)]
pub struct Said {
    /// Behind the part's word: a workspace's.
    pub name: Arc<str>,
    pub value: Bytes,
}

impl Part {
    /// Puts what `change` makes of an entry, if it makes anything, and returns the revision from which on it is so. `change` is
    /// asked again where another was quicker.
    ///
    /// # Errors
    /// `change` refused; or the servers did not answer: it may be set then, and setting it again is no harm.
    pub async fn change<E: From<NotShared>>(
        &self,
        name: &str,
        mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<u64, E> {
        let (store, key) = (&self.settings.store, format!("{}.{name}", self.word));
        for _ in 0..TRIES {
            let held = self.settings.within(store.entry(&*key)).await?;
            let held = held.map_err(|why| NotShared::of(with_source(&why)))?;
            let revision = held.as_ref().map_or(0, |held| held.revision);
            let Some(value) = change(held.as_ref().map(|held| &*held.value))? else { return Ok(revision) };
            match self.settings.within(store.update(&*key, value.into(), revision)).await? {
                Ok(revision) => return Ok(revision),
                Err(other) if other.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(why) => return Err(NotShared::of(with_source(&why)).into()),
            }
            // Who else changes it is let go first.
            sleep(AGAIN_AFTER).await;
        }
        Err(NotShared::of(format!("other nodes change {key} all the time")).into())
    }

    /// An entry as the servers' leader has it, with its revision.
    ///
    /// # Errors
    /// The servers did not answer.
    pub async fn read(&self, name: &str) -> Result<Option<(Bytes, u64)>, NotShared> {
        let Store { stream, prefix, .. } = &self.settings.store;
        let subject = format!("{prefix}{}.{name}", self.word);
        match self.settings.within(stream.get_last_raw_message_by_subject(&subject)).await? {
            Ok(message) => Ok(Some((message.payload, message.sequence))),
            Err(none) if none.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(why) => Err(NotShared::of(with_source(&why))),
        }
    }

    /// Until what was put is taken in here.
    ///
    /// # Errors
    /// It did not come in time. It is set.
    pub async fn until_heard(&self, revision: u64) -> Result<(), NotShared> {
        let mut heard = self.heard.subscribe();
        let comes = async {
            while timeout(OVERDUE_AFTER, heard.wait_for(|heard| *heard >= revision)).await.is_err() {
                self.overdue.notify_one();
            }
        };
        let late = |_| NotShared::of("it is set, and did not come back to this node in time");
        timeout(self.settings.answer_within, comes).await.map_err(late)
    }

    /// Hears of all that is there, and then of what changes.
    #[must_use]
    pub fn follow(self: &Arc<Self>) -> Following {
        Following { part: self.clone(), watch: None, came: 0, failing: false }
    }

    /// Whether there is nothing to come by now, and the watch.
    async fn watch(&self) -> Result<(bool, ReadyChunks<Ordered>), NotShared> {
        let (settings, from) = (&self.settings, *self.heard.borrow() + 1);
        let config = OrderedConfig {
            deliver_subject: settings.context.client().new_inbox(),
            description: Some("a node follows what is set at others".to_owned()),
            filter_subject: format!("{}{}.>", settings.store.prefix, self.word),
            replay_policy: ReplayPolicy::Instant,
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ..OrderedConfig::default()
        };
        let consumer = settings.within(settings.store.stream.create_consumer(config)).await?;
        let consumer = consumer.map_err(|why| NotShared::of(with_source(&why)))?;
        let is_all = consumer.cached_info().num_pending == 0;
        let messages = settings.within(consumer.messages()).await?;
        let messages = messages.map_err(|why| NotShared::of(with_source(&why)))?;
        Ok((is_all, messages.ready_chunks(AT_ONCE)))
    }

    /// The next entry from a revision on, as one of the servers has it.
    async fn after(&self, revision: u64) -> Result<Option<(u64, Option<Said>)>, NotShared> {
        let Store { stream, prefix, .. } = &self.settings.store;
        let subject = format!("{prefix}{}.>", self.word);
        match self.settings.within(stream.direct_get_next_for_subject(subject, Some(revision + 1))).await? {
            Ok(message) => Ok(Some((message.sequence, self.said(&message.subject, &message.payload)))),
            Err(none) if none.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(why) => Err(NotShared::of(with_source(&why))),
        }
    }

    fn said(&self, subject: &str, value: &Bytes) -> Option<Said> {
        let key = subject.strip_prefix(&*self.settings.store.prefix)?;
        let name = key.strip_prefix(self.word)?.strip_prefix('.')?;
        Some(Said { name: name.into(), value: value.clone() })
    }
}

/// One who follows a part. It begins anew by itself behind what was taken in, whatever happens to the servers.
pub struct Following {
    part: Arc<Part>,
    watch: Option<ReadyChunks<Ordered>>,
    /// The last revision that was handed out; no older one is.
    came: u64,
    /// Whether it was said that it fails.
    failing: bool,
}

impl Following {
    /// Entries that came, each as it is now, in order; and whether that was all by now. They are to be `taken`, or come again.
    pub async fn next(&mut self) -> (Vec<Said>, bool) {
        loop {
            let failed = match &mut self.watch {
                None => match self.part.watch().await {
                    Ok((is_all, watch)) => {
                        metrics::gauge!(CLUSTER_SETTINGS_FOLLOWED, "part" => self.part.word).set(1.0);
                        self.watch = Some(watch);
                        if is_all {
                            return (Vec::new(), true);
                        }
                        continue;
                    }
                    Err(failed) => failed,
                },
                Some(watch) => {
                    let came = tokio::select! {
                        came = watch.next() => came.ok_or_else(|| NotShared::of("the servers say nothing more")).and_then(|messages| self.of(messages)),
                        () = self.part.overdue.notified() => self.overdue().await,
                    };
                    match came {
                        Ok((said, is_all)) if said.is_empty() && !is_all => continue,
                        Ok(came) => return came,
                        Err(failed) => failed,
                    }
                }
            };
            self.again(&failed).await;
        }
    }

    fn of(&mut self, messages: Vec<Result<Message, OrderedError>>) -> Result<(Vec<Said>, bool), NotShared> {
        let (mut said, mut is_all) = (Vec::with_capacity(messages.len()), false);
        for message in messages {
            let message = message.map_err(NotShared::of)?;
            let place = message.info().map_err(NotShared::of)?;
            is_all = place.pending == 0;
            // What was asked for comes once more.
            if place.stream_sequence > self.came {
                self.came = place.stream_sequence;
                said.extend(self.part.said(&message.subject, &message.payload));
            }
        }
        Ok((said, is_all))
    }

    /// What the watch has not brought: when a server is lost it stands still for up to ten seconds, and the others have what it would bring.
    async fn overdue(&mut self) -> Result<(Vec<Said>, bool), NotShared> {
        let mut said = Vec::new();
        while said.len() < AT_ONCE
            && let Some((revision, one)) = self.part.after(self.came).await?
        {
            self.came = revision;
            said.extend(one);
        }
        Ok((said, false))
    }

    /// What was handed out is kept here.
    pub fn taken(&mut self) {
        let came = self.came;
        self.part.heard.send_modify(|heard| *heard = came.max(*heard));
        if std::mem::take(&mut self.failing) {
            tracing::info!(part = self.part.word, "what is set at other nodes comes again");
        }
    }

    /// It cannot be taken: it comes again after a while.
    pub async fn again(&mut self, why: &impl Display) {
        self.watch = None;
        self.came = *self.part.heard.borrow();
        metrics::gauge!(CLUSTER_SETTINGS_FOLLOWED, "part" => self.part.word).set(0.0);
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(part = self.part.word, error = %why, "what is set at other nodes does not come; tried again until it does");
        }
        // Servers tell nobody when they can be asked again.
        sleep(FOLLOW_AGAIN_AFTER).await;
    }
}
