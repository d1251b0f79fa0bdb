//! The one writer of each workspace: turns, and the delivery of what was committed.
//!
//! One task owns one workspace ([`run`]); whoever wants something of it goes through its [`workspace::Workspace`].

pub mod attaching;
mod clustered;
mod commit;
mod committed;
pub mod counted;
mod cutting;
pub mod deliver;
mod deliver_customers;
pub mod deliver_labels;
mod deliver_moves;
pub mod deliver_replies;
mod deliver_why;
pub mod desk_clock;
mod followers;
mod following;
mod hints;
pub mod idle;
mod incoming;
pub mod intake;
mod keyed;
mod leftovers;
mod leftovers_shared;
mod levels;
mod load;
mod look_up;
pub mod outlook;
mod own;
pub mod passing;
pub mod past;
mod project;
pub mod published;
pub mod quota;
mod readers;
mod reports;
mod retention;
pub mod route;
mod run;
pub mod settle;
pub mod shapes;
pub mod shares;
pub mod sheets;
mod tail;
mod threads;
mod traced;
pub mod turn;
mod unloaded;
pub mod watch;
pub mod workspace;

pub use clustered::Clustered;
pub use committed::{Committed, Standing};
pub use deliver::FrameLimits;
pub use followers::Changes;
pub use incoming::Incoming;
pub use load::{LeftBehind, LoadFailed, turn_of};
pub use outlook::Outlook;
pub use published::{AgentRow, NotDone, Published, QueueRow, Replied};
pub use quota::{OverQuota, OwnQuota, Quota, Quotas, Used};
pub use threads::Threads;
pub use workspace::{Taking, Workspace};

use crate::clock;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::SessionId;
use crate::desk::settings::{QueueSettings, Settings};
use crate::files::Files;
use crate::journal::{Journal, JournalFailed};
use crate::presence::{Registry, WorkspaceNumber};
use crate::seal::KeyRing;
use crate::telemetry::labels::BoundedLabels;
use crate::view::View;
use quota::NotKept;
use run::{Run, Shared};
use shares::Shares;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch as signal;
use tokio::task::JoinHandle;

/// The queue that a new workspace begins with.
const FIRST_QUEUE: &str = "support";
/// The most workspaces of one process.
const WORKSPACES_MAX: usize = 10_000;
const HOUSEKEEPING_MS: u64 = 1_000;
/// How often the journal is cut and the view pruned.
const PRUNE_EVERY_MS: u64 = 60_000;
/// How long what the server's own probe did is kept, and how often it is cut: each cut syncs the view.
const PROBES_KEPT_MS: u64 = 600_000;
const PRUNE_PROBES_EVERY_MS: u64 = 600_000;

#[derive(Debug, Clone, Copy)]
pub struct EngineSettings {
    pub intake: intake::Limits,
    pub frames: FrameLimits,
    pub tick_record_every_ms: u64,
    pub view_lag_bytes_max: usize,
    /// Days that the journal and closed conversations are kept; 0 keeps all.
    pub retention_days: u64,
    /// Days that reports are kept, with conversations or without; 0 keeps all.
    pub reports_days: u64,
}

/// How a workspace's quota stands.
#[derive(Debug, Clone, Copy, serde::Serialize, schemars::JsonSchema)]
pub struct QuotaStands {
    /// What holds; 0: without a limit.
    pub quota: Quota,
    /// What of it is set for this workspace alone.
    pub set: OwnQuota,
    pub used: Used,
}

/// All workspaces of this process.
pub struct Engine {
    workspaces: RwLock<BTreeMap<Arc<str>, Arc<Workspace>>>,
    shared: Arc<Shared>,
    files: Arc<Files>,
    settings: EngineSettings,
    quotas: Arc<Quotas>,
    shares: Arc<Shares>,
    /// The place is the number.
    by_number: RwLock<Vec<Arc<Workspace>>>,
    stop: signal::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    threads: Threads,
}

impl Engine {
    /// Starts every workspace that the journal or the view knows of.
    ///
    /// # Errors
    /// The journal could not be asked which there are.
    pub async fn start(
        journal: Arc<dyn Journal>,
        view: Arc<View>,
        keys: Arc<KeyRing>,
        files: Arc<Files>,
        registry: Arc<Registry>,
        (settings, quotas): (EngineSettings, Quotas),
        (threads, cluster): (Threads, Option<(Clustered, Incoming)>),
    ) -> Result<Arc<Self>, JournalFailed> {
        let (stop, stopped) = signal::channel(false);
        let (cluster, incoming) = cluster.map_or((None, None), |(cluster, incoming)| (Some(cluster), Some(incoming)));
        let mut names: BTreeSet<Arc<str>> = journal.workspaces().await?.into_iter().collect();
        names.extend(view.workspaces());
        let shared = Arc::new(Shared {
            journal,
            view,
            keys,
            registry,
            limits: settings.frames,
            tick_record_every_ms: settings.tick_record_every_ms,
            view_lag_bytes_max: settings.view_lag_bytes_max,
            labels: BoundedLabels::default(),
            cluster: cluster.map(Arc::new),
            stop: stopped,
        });
        let engine = Arc::new(Self {
            workspaces: RwLock::default(),
            shared,
            files,
            settings,
            quotas: Arc::new(quotas),
            shares: Arc::default(),
            by_number: RwLock::default(),
            stop,
            tasks: Mutex::default(),
            threads,
        });
        for name in names {
            engine.run(&name);
        }
        if let Some(Incoming { journal, post, questions, told, hints }) = incoming {
            if let Some(cluster) = engine.shared.cluster.clone() {
                let cutting = engine.threads.spawn(cutting::run(engine.clone(), journal.clone(), cluster));
                engine.tasks().push(cutting);
            }
            let records = engine.threads.spawn(incoming::records(engine.clone(), journal));
            engine.tasks().push(records);
            let questions = engine.threads.spawn(incoming::questions(engine.clone(), post.clone(), questions));
            engine.tasks().push(questions);
            let round = engine.threads.spawn(hints::pass_round(engine.clone(), post, told, hints));
            engine.tasks().push(round);
            if let Some(cluster) = &engine.shared.cluster {
                let (following, mut stop) = (engine.clone(), engine.shared.stop.clone());
                let quotas = cluster.quotas.clone();
                engine.tasks().push(tokio::spawn(async move {
                    tokio::select! {
                        () = quota::shared::follow(following, quotas) => {}
                        () = run::stopped(&mut stop) => {}
                    }
                }));
            }
        }
        let housekeeping = tokio::spawn(engine.clone().keep_house());
        engine.tasks().push(housekeeping);
        let leftovers = tokio::spawn(leftovers::sweep(engine.clone(), engine.shared.stop.clone()));
        engine.tasks().push(leftovers);
        let measuring = tokio::spawn(quota::measure(engine.clone(), engine.shared.stop.clone()));
        engine.tasks().push(measuring);
        let behind = tokio::spawn(reports::catch_up(engine.clone(), engine.shared.stop.clone()));
        engine.tasks().push(behind);
        Ok(engine)
    }

    #[must_use]
    pub fn workspace(&self, name: &str) -> Option<Arc<Workspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// By its number in this process.
    #[must_use]
    pub fn numbered(&self, number: WorkspaceNumber) -> Option<Arc<Workspace>> {
        self.by_number.read().unwrap_or_else(PoisonError::into_inner).get(number as usize).cloned()
    }

    /// Of people's workspaces, in the order of names.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let workspaces = self.workspaces.read().unwrap_or_else(PoisonError::into_inner);
        workspaces.keys().filter(|name| ***name != *workspace::PROBES).cloned().collect()
    }

    /// The probe's too.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Workspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Makes a workspace with default settings and one queue, or finds the one that is there.
    ///
    /// # Errors
    /// Nothing could be committed; or there are too many.
    pub async fn create_workspace(&self, name: &str) -> Result<Arc<Workspace>, NotDone> {
        if let Some(held) = self.workspace(name) {
            self.until_loaded(&held).await;
            let published = held.published();
            // Its first queue may have been committed, and its settings not, as a disk was full in between.
            let only_first = published.queues.keys().all(|name| **name == *FIRST_QUEUE);
            let is_set = *published.settings != Settings::default();
            if !published.queues.is_empty() && (is_set || !only_first) {
                return Ok(held);
            }
            return Self::furnish(held).await;
        }
        if self.names().len() >= WORKSPACES_MAX {
            return Err(NotDone::Unavailable { retry_after_ms: 60_000, why: "there are too many workspaces".into() });
        }
        let workspace = self.run(&Arc::from(name));
        self.until_loaded(&workspace).await;
        Self::furnish(workspace).await
    }

    /// A new workspace's first queue, and settings that lead there.
    async fn furnish(workspace: Arc<Workspace>) -> Result<Arc<Workspace>, NotDone> {
        let queue = QueueSettings { title: "Support".into(), ..QueueSettings::named(FIRST_QUEUE) };
        let settings = Settings {
            default_queue: Some(FIRST_QUEUE.into()),
            new_agent_queues: vec![FIRST_QUEUE.into()],
            ..Settings::default()
        };
        workspace.ask(Command::of_server(Ask::PutQueue(Box::new(queue)))).await?;
        workspace.ask(Command::of_server(Ask::PutSettings(Box::new(settings)))).await?;
        Ok(workspace)
    }

    /// Until it takes commands, but not for long: a store that cannot be read may take any time.
    pub async fn until_loaded(&self, workspace: &Workspace) {
        for _ in 0..500 {
            if !matches!(workspace.taking(), Taking::Nothing { .. }) {
                return;
            }
            // A load takes milliseconds and has nobody else to tell: looked at is cheaper than told.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn run(&self, name: &Arc<str>) -> Arc<Workspace> {
        let mut workspaces = self.workspaces.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = workspaces.get(name) {
            return held.clone();
        }
        let mut by_number = self.by_number.write().unwrap_or_else(PoisonError::into_inner);
        let number = by_number.len() as WorkspaceNumber;
        let workspace = Arc::new(Workspace::new(name.clone(), number, self.settings.intake, self.shares.clone()));
        if !workspace.is_probes() {
            workspace.quota().set(&self.quotas.of(name).0);
        }
        // In a cluster until it leads.
        workspace.committed.follows(self.shared.cluster.is_some());
        by_number.push(workspace.clone());
        drop(by_number);
        workspaces.insert(name.clone(), workspace.clone());
        drop(workspaces);
        let task = self.threads.spawn(Run::new(workspace.clone(), self.shared.clone()).run());
        self.tasks().push(task);
        workspace
    }

    /// How the quota of a workspace stands.
    #[must_use]
    pub fn quota_of(&self, workspace: &Workspace) -> QuotaStands {
        let (quota, set) = self.quotas.of(workspace.name());
        QuotaStands { quota, set, used: workspace.quota().used(&workspace.amounts()) }
    }

    /// Sets a workspace's own quota, whole, in a cluster at all nodes; it is on the disk then, and holds.
    ///
    /// # Errors
    /// What was set before holds on.
    pub async fn put_quota(&self, workspace: &Workspace, own: OwnQuota) -> Result<(), NotKept> {
        if let Some(cluster) = &self.shared.cluster {
            return quota::shared::put(&cluster.quotas, workspace.name(), own).await;
        }
        let (quotas, name) = (self.quotas.clone(), workspace.name().clone());
        let put = tokio::task::spawn_blocking(move || quotas.put(&name, own)).await;
        workspace.quota().set(&put.unwrap_or_else(|gone| std::panic::resume_unwind(gone.into_panic()))?);
        Ok(())
    }

    /// In a cluster: other nodes may have committed what this one has not lived through.
    #[must_use]
    pub fn may_be_behind(&self) -> bool {
        self.shared.cluster.is_some()
    }

    /// Ends when this node of a cluster was away for longer than records are kept.
    pub async fn left_behind(&self) -> LeftBehind {
        match &self.shared.cluster {
            Some(cluster) => cluster.left_behind().await,
            None => std::future::pending().await,
        }
    }

    /// A new session's id: in a cluster it says on which node it is.
    #[must_use]
    pub fn session_here(&self, random: SessionId) -> SessionId {
        self.shared.cluster.as_ref().map_or(random, |cluster| SessionId::on(cluster.own(), random.0))
    }

    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.shared.keys
    }

    #[must_use]
    pub fn files(&self) -> &Arc<Files> {
        &self.files
    }

    #[must_use]
    pub fn view(&self) -> &Arc<View> {
        &self.shared.view
    }

    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.shared.registry
    }

    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.shared.journal
    }

    /// Ends every workspace in order: what was decided is delivered, and the view is fed.
    pub async fn stop(&self) {
        let _ = self.stop.send(true);
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            let _ = task.await;
        }
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Once a second: dead peers and ended tokens, gauges; once a minute: retention.
    async fn keep_house(self: Arc<Self>) {
        let mut stop = self.shared.stop.clone();
        // Soon: what became too old while nobody ran is forgotten first.
        let mut prune_at_ms = clock::monotonic_ms();
        let mut prune_probes_at_ms = clock::monotonic_ms();
        loop {
            tokio::select! {
                // The pace of housekeeping: gauges and pruning follow no event.
                () = tokio::time::sleep(Duration::from_millis(HOUSEKEEPING_MS)) => {}
                () = run::stopped(&mut stop) => return,
            }
            let registry = self.registry();
            registry.sweep(clock::monotonic_ms(), clock::steady_s());
            metrics::gauge!("offhook_sessions").set(registry.sessions() as f64);
            metrics::gauge!("offhook_streams").set(registry.streams() as f64);
            counted::gauge_all(&self.all(), &self.shared.labels);
            if clock::monotonic_ms() >= prune_at_ms {
                prune_at_ms = clock::monotonic_ms() + PRUNE_EVERY_MS;
                self.prune().await;
            }
            if clock::monotonic_ms() >= prune_probes_at_ms && self.workspace(workspace::PROBES).is_some() {
                prune_probes_at_ms = clock::monotonic_ms() + PRUNE_PROBES_EVERY_MS;
                self.prune_probes(PROBES_KEPT_MS).await;
            }
        }
    }
}
