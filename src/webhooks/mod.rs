//! Webhooks: the event feed brought to endpoints by the Standard Webhooks rules. Each endpoint has a place in the feed and a runner of its
//! own, so none is in another's way; what an endpoint does not take waits in the journal, and nowhere else.

pub mod endpoint;
mod follow;
mod message;
mod runner;
mod schedule;
mod secret;
mod shared;
mod store;

pub use endpoint::{Endpoint, Held, Paused, Spec};
pub use message::Outcome;
pub use secret::Secret;
pub use shared::Cluster;
pub use store::{NotKept, STORE};

use crate::client::{Courier, Url};
use crate::feed::Feeds;
use crate::store_file::OpenFailed;
use crate::telemetry::catalogue::{WEBHOOK_OLDEST_SECONDS, WEBHOOKS};
use runner::Runner;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use store::Store;
use tokio::task::JoinHandle;

/// Endpoints of one workspace, and of all.
pub const EACH_MAX: usize = 20;
pub const ALL_MAX: usize = 1_000;
/// Where the other nodes of a cluster could not be told that an endpoint is paused.
const PAUSE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How messages are sent.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Messages under way to one endpoint.
    pub connections_max: usize,
    pub retry_first_ms: u64,
    pub retry_most_ms: u64,
    /// An endpoint that did not take something for so long is paused.
    pub pause_after_ms: u64,
}

type Endpoints = BTreeMap<(Arc<str>, Arc<str>), Arc<Endpoint>>;

/// What the runners share.
struct Shared {
    endpoints: RwLock<Endpoints>,
    store: Arc<Store>,
    courier: Courier,
    settings: Settings,
    cluster: Option<Arc<Cluster>>,
}

/// The endpoints of all workspaces.
pub struct Webhooks {
    shared: Arc<Shared>,
    feeds: Feeds,
    /// One change at a time, so that each is on disk as it is in memory.
    changing: tokio::sync::Mutex<()>,
    runners: Mutex<Vec<JoinHandle<()>>>,
    /// What is shared with other nodes: followed, and told.
    sharing: Mutex<Vec<JoinHandle<()>>>,
}

/// Why an endpoint was not set.
#[derive(Debug, thiserror::Error)]
pub enum NotSet {
    #[error("there are as many as there may be")]
    TooMany { most: usize },
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl Webhooks {
    /// Reads which there are. They run from `start` on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(
        dir: &Path,
        feeds: Feeds,
        courier: Courier,
        settings: Settings,
        cluster: Option<Cluster>,
    ) -> Result<Self, OpenFailed> {
        let store = Store::open(dir)?;
        let found = store.load().unwrap_or_else(|error| {
            tracing::error!(%error, "webhooks cannot be read: none are sent");
            Vec::new()
        });
        let keyed = found.into_iter().map(|one| ((one.workspace.clone(), one.name.clone()), Arc::new(one)));
        let endpoints = RwLock::new(keyed.collect());
        let cluster = cluster.map(Arc::new);
        let shared = Arc::new(Shared { endpoints, store: Arc::new(store), courier, settings, cluster });
        let changing = tokio::sync::Mutex::default();
        Ok(Self { shared, feeds, changing, runners: Mutex::default(), sharing: Mutex::default() })
    }

    /// Begins to deliver; in a cluster when it has heard what there is.
    pub fn start(self: &Arc<Self>) {
        if let Some(cluster) = &self.shared.cluster {
            let follow = tokio::spawn(follow::follow(self.clone(), cluster.clone()));
            let keep = tokio::spawn(follow::keep(self.shared.clone(), cluster.clone()));
            self.sharing().extend([follow, keep]);
            return;
        }
        for endpoint in self.shared.all() {
            let (workspace, webhook) = (endpoint.workspace.clone(), endpoint.name.clone());
            if !self.run(endpoint) {
                tracing::error!(%workspace, %webhook, "a webhook of no workspace");
            }
        }
    }

    /// Whether its workspace is here.
    fn run(&self, endpoint: Arc<Endpoint>) -> bool {
        let Some(feed) = self.feeds.of(&endpoint.workspace) else { return false };
        let runner = Runner { endpoint, feed, shared: self.shared.clone() };
        let mut runners = self.runners();
        runners.retain(|runner| !runner.is_finished());
        runners.push(tokio::spawn(runner.run()));
        true
    }

    /// Waits until each has kept its place; they end with the workspaces that they follow.
    pub async fn stop(&self) {
        let runners = std::mem::take(&mut *self.runners());
        for runner in runners {
            let _ = runner.await;
        }
        std::mem::take(&mut *self.sharing()).iter().for_each(JoinHandle::abort);
        if let Some(cluster) = &self.shared.cluster {
            cluster.keep_places(|workspace, name| self.one(workspace, name)).await;
        }
    }

    fn sharing(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.sharing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runners(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.runners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One workspace's, in the order of their names.
    #[must_use]
    pub fn of(&self, workspace: &str) -> Vec<Arc<Endpoint>> {
        self.shared.all().into_iter().filter(|one| *one.workspace == *workspace).collect()
    }

    #[must_use]
    pub fn one(&self, workspace: &str, name: &str) -> Option<Arc<Endpoint>> {
        self.shared.one(workspace, name)
    }

    /// Makes one, or sets the one that is there, by what `change` makes of how it stands. Answers how it stands then.
    ///
    /// # Errors
    /// There are too many; or it could not be written, and nothing has changed.
    pub async fn set<E: From<NotSet>>(
        &self,
        workspace: &Arc<str>,
        name: &str,
        change: impl FnOnce(Option<Held>) -> Result<Held, E>,
    ) -> Result<Held, E> {
        let _one = self.changing.lock().await;
        let there = self.one(workspace, name);
        if there.is_none() {
            let (all, own) = (self.shared.all().len(), self.of(workspace).len());
            if all >= ALL_MAX || own >= EACH_MAX {
                return Err(NotSet::TooMany { most: EACH_MAX }.into());
            }
        }
        let before = there.as_ref().map(|one| one.held());
        let mut held = change(before.clone())?;
        if let Some(cluster) = &self.shared.cluster {
            let place = |held: &Held| (held.cursor, held.failing_ms);
            if before.as_ref().is_none_or(|before| place(before) != place(&held)) {
                held.spec.run = shared::new_run();
            }
            cluster.put(workspace, name, before.as_ref().map(|before| &before.spec), &held).await?;
            return Ok(held);
        }
        let (store, own, named, kept) = (self.shared.store.clone(), workspace.clone(), name.to_owned(), held.clone());
        let put = blocking(move || store.put(&own, &named, &kept));
        match there {
            Some(one) => {
                // Before it is on disk, so that no place of before is kept over it.
                let before = one.held();
                one.set(held.clone());
                if let Err(not_kept) = put.await {
                    one.set(before);
                    return Err(NotSet::from(not_kept).into());
                }
            }
            None => {
                put.await.map_err(NotSet::from)?;
                let Held { spec, cursor, failing_ms, .. } = held.clone();
                let one = Arc::new(Endpoint::new(workspace.clone(), name.into(), spec, cursor, failing_ms));
                self.shared.put(one.clone());
                self.run(one);
            }
        }
        Ok(held)
    }

    /// Whether there was one.
    ///
    /// # Errors
    /// It could not be written, and is there still.
    pub async fn remove(&self, workspace: &str, name: &str) -> Result<bool, NotKept> {
        let _one = self.changing.lock().await;
        let Some(one) = self.one(workspace, name) else { return Ok(false) };
        match &self.shared.cluster {
            Some(cluster) => cluster.remove(workspace, name).await?,
            None => self.shared.remove(&one).await?,
        }
        Ok(true)
    }

    /// Whether it would be sent to, as far as the address says it by itself.
    ///
    /// # Errors
    /// It would not, and why.
    pub fn may_send_to(&self, url: &str) -> Result<(), String> {
        let url = Url::parse_with(url, true).map_err(|_| "is no address of a server: https://HOST/…".to_owned())?;
        self.shared.courier.may_send_to(&url).map_err(|why| format!("cannot be used here: {why}"))
    }

    /// Sends one message that is no event, now.
    pub async fn test(&self, endpoint: &Endpoint, id: &str, body: Vec<u8>) -> Outcome {
        message::send(&self.shared.courier, endpoint, id, body.into(), None).await
    }

    /// For metrics, once a second.
    pub fn gauge(&self) {
        let (mut active, mut failing, mut paused, mut oldest_ms) = (0, 0, 0, 0);
        for one in self.shared.all() {
            let held = one.held();
            match (held.spec.paused, held.failing_ms) {
                (Some(_), _) => paused += 1,
                (None, Some(ms)) => (failing, oldest_ms) = (failing + 1, ms.max(oldest_ms)),
                (None, None) => active += 1,
            }
        }
        for (state, count) in [("active", active), ("failing", failing), ("paused", paused)] {
            metrics::gauge!(WEBHOOKS, "state" => state).set(f64::from(count));
        }
        metrics::gauge!(WEBHOOK_OLDEST_SECONDS).set(oldest_ms as f64 / 1_000.0);
    }
}

impl Shared {
    fn all(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn one(&self, workspace: &str, name: &str) -> Option<Arc<Endpoint>> {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        endpoints.get(&(workspace.into(), name.into())).cloned()
    }

    /// From the disk, and then from here: what is under way is given up.
    async fn remove(&self, one: &Arc<Endpoint>) -> Result<(), NotKept> {
        let (store, removed) = (self.store.clone(), one.clone());
        blocking(move || store.remove(&removed.workspace, &removed.name)).await?;
        self.take(one);
        one.set(one.held());
        Ok(())
    }

    /// On the disk.
    async fn keep(&self, workspace: &str, name: &str, held: &Held) -> Result<(), NotKept> {
        let (store, workspace, name, held) = (self.store.clone(), workspace.to_owned(), name.to_owned(), held.clone());
        blocking(move || store.put(&workspace, &name, &held)).await
    }

    fn put(&self, one: Arc<Endpoint>) {
        let key = (one.workspace.clone(), one.name.clone());
        self.endpoints.write().unwrap_or_else(PoisonError::into_inner).insert(key, one);
    }

    fn take(&self, one: &Endpoint) {
        let key = (one.workspace.clone(), one.name.clone());
        self.endpoints.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// Whether it is this one that is there under its name.
    fn has(&self, one: &Arc<Endpoint>) -> bool {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        endpoints.get(&(one.workspace.clone(), one.name.clone())).is_some_and(|there| Arc::ptr_eq(there, one))
    }

    async fn keep_place(&self, one: &Arc<Endpoint>) {
        let (store, kept) = (self.store.clone(), one.clone());
        if let Err(error) = blocking(move || store.keep_place(&kept)).await {
            tracing::warn!(%error, "a webhook's place is not kept: what was sent since may be sent again");
        }
    }

    /// The other nodes of a cluster are told soon that its place moved, or that it fails.
    fn moved(&self, one: &Endpoint) {
        if let Some(cluster) = &self.cluster {
            cluster.moved(one);
        }
    }

    /// `run` is what was delivered.
    async fn pause(&self, one: &Arc<Endpoint>, begun: u64, run: u64, why: Paused) {
        if let Some(cluster) = &self.cluster {
            if let Err(error) = cluster.pause(one, run, why).await {
                tracing::warn!(%error, "that a webhook is paused is not kept: it is tried again");
                // Servers tell nobody when they take something again.
                tokio::time::sleep(PAUSE_AGAIN_AFTER).await;
            }
            return;
        }
        one.note(begun, |held| held.spec.paused = Some(why));
        if let Err(error) = self.keep(&one.workspace, &one.name, &one.held()).await {
            tracing::warn!(%error, "that a webhook is paused is not kept: it is tried again after a restart");
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, NotKept> + Send + 'static) -> Result<T, NotKept> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(NotKept::of(&error)))
}
