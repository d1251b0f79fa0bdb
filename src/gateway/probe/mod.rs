//! The server's own probe: every few seconds the whole job is done as clients do it, over the public port on the loopback.
//!
//! ```text
//!   visitor starts, agent signs in ─▶ offer ─▶ accept ─▶ message to the agent ─▶ message to the visitor ─▶ read ─▶ close ─▶ API
//! ```
//!
//! It has a workspace of its own ([`PROBES`]) that people are not shown: not in lists of workspaces, not in the admin API, not in the
//! counts of agents, conversations, offers and messages. What the process does for it (connections, turns, commits, requests) is
//! counted, since it is done. What it leaves behind is forgotten after ten minutes ([`Engine::prune_probes`]).

mod job;

use super::auth::probe_keys::ProbeKeys;
use super::health::Probes;
use crate::client::Address;
use crate::clock;
use crate::desk::command::{Ask, Command};
use crate::desk::settings::ApiKey;
use crate::engine::workspace::PROBES;
use crate::engine::{Engine, NotDone};
use crate::health::rules::Probed;
use crate::health::{Component, Each};
use crate::telemetry::catalogue;
use job::Job;
use std::sync::Arc;
use std::time::Duration;

/// How often it is tried to make its workspace, while that cannot be done.
const TRY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub struct ProbeSettings {
    pub every: Duration,
    pub within: Duration,
    pub slow_ms: u64,
}

pub struct Probe {
    pub engine: Arc<Engine>,
    pub keys: ProbeKeys,
    /// The public port.
    pub address: Address,
    pub probes: Arc<Probes>,
    pub settings: ProbeSettings,
}

impl Probe {
    /// For ever; spawn it.
    pub async fn run(self) {
        while let Err(not_done) = self.furnish().await {
            tracing::debug!(?not_done, "the probe's workspace cannot be made now");
            self.probes.ended(nothing_can_be_begun());
            // Nobody tells when the workspace can be made.
            tokio::time::sleep(TRY_AGAIN).await;
        }
        loop {
            let stopwatch = clock::stopwatch();
            let probed = self.probe().await;
            self.probes.ended(probed);
            let took = Duration::from_secs_f64(stopwatch.seconds());
            // Not sooner after one that took long: what is slow is not helped by being asked more.
            tokio::time::sleep(self.settings.every.saturating_sub(took).max(self.settings.every / 2)).await;
        }
    }

    /// Its workspace, with the API key that opens it; nothing is written where all is there already.
    async fn furnish(&self) -> Result<(), NotDone> {
        let workspace = self.engine.create_workspace(PROBES).await?;
        let (key, _) = self.keys.api_key();
        if workspace.published().api_keys.contains_key(key.id.as_str()) {
            return Ok(());
        }
        let kept = ApiKey {
            id: key.id.as_str().into(),
            name: key.name.as_str().into(),
            sha256: key.hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
            scopes: key.scopes.iter().map(|scope| scope.word().into()).collect(),
            created_at: clock::wall_ms(),
        };
        workspace.ask(Command::of_server(Ask::PutApiKey(Box::new(kept)))).await.map(|_| ())
    }

    async fn probe(&self) -> Each<Probed> {
        let mut job = Job::new(self.address.clone(), &self.keys);
        let stopwatch = clock::stopwatch();
        if tokio::time::timeout(self.settings.within, job.all()).await.is_err() {
            job.gave_up();
        }
        if job.failed.is_empty() {
            metrics::histogram!(catalogue::PROBE_SECONDS).record(stopwatch.seconds());
        }
        // The API is asked by itself: it may be well when all else is not, and the other way round.
        if tokio::time::timeout(self.settings.within, job.api()).await.is_err() {
            job.gave_up();
        }
        let outcome = job.failed.first().map_or("done", |(step, _)| step.name());
        metrics::counter!(catalogue::PROBES_TOTAL, "outcome" => outcome).increment(1);
        for (step, why) in &job.failed {
            tracing::debug!(step = step.name(), %why, "a probe failed");
        }
        Component::ALL.map(|component| self.fared(&job, component))
    }

    fn fared(&self, job: &Job<'_>, component: Component) -> Probed {
        if let Some((step, why)) = job.failed.iter().find(|(step, _)| step.keeps_from().contains(&component)) {
            return Probed::Failed(format!("{}: {why}", step.words()).into());
        }
        match job.slowest_ms[component.place()] {
            None => Probed::Untried,
            Some(ms) if ms > self.settings.slow_ms => Probed::Slow,
            Some(_) => Probed::Well,
        }
    }
}

/// Its workspace cannot be made: neither could anybody else's do anything.
fn nothing_can_be_begun() -> Each<Probed> {
    let failed = || Probed::Failed("nothing can be committed".into());
    let mut probed: Each<Probed> = Each::default();
    probed[Component::Messenger.place()] = failed();
    probed[Component::ConversationOffers.place()] = failed();
    probed
}
