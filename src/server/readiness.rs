//! What the process says of itself to the operators: why it should not be sent work now, and what the process over it knows.

use crate::engine::{Engine, Taking};
use crate::gateway::http::desks::Soon;
use crate::gateway::operators::{Health, Reason};
use crate::journal::{Journal, JournalState};
use crate::supervisor::Supervised;
use crate::view::{Standing, View};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reasons that are said of all that there may be.
const REASONS_MAX: usize = 20;

pub struct ProcessHealth {
    engine: Arc<Engine>,
    journal: Arc<dyn Journal>,
    view: Arc<View>,
    supervised: Arc<Option<Supervised>>,
    /// The stop in order has begun.
    stops: AtomicBool,
}

impl ProcessHealth {
    pub fn new(
        engine: Arc<Engine>,
        journal: Arc<dyn Journal>,
        view: Arc<View>,
        supervised: Arc<Option<Supervised>>,
    ) -> Self {
        Self { engine, journal, view, supervised, stops: AtomicBool::new(false) }
    }

    pub fn stops(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// How and when the server before this one ended, as the process over it knows it.
    pub fn last_end(&self) -> Option<(u64, String)> {
        let last = (*self.supervised).as_ref()?.facts()?.last_restart?;
        Some((last.at, format!("{}: {}", last.cause, last.why)))
    }
}

impl Health for ProcessHealth {
    fn not_ready(&self) -> Soon<'_, Vec<Reason>> {
        let mut reasons = Vec::new();
        if self.stops.load(Ordering::Relaxed) {
            reasons.push(Reason { component: "server", message: "it stops".to_owned() });
        }
        let journal = self.journal.health();
        if journal.state != JournalState::Healthy {
            let message = journal.last_error.clone().unwrap_or_default().to_string();
            reasons.push(Reason { component: "journal", message: format!("{}: {message}", journal.state.word()) });
        }
        let view = self.view.health();
        if view.standing != Standing::Healthy {
            reasons.push(Reason { component: "view", message: view.sentence.to_string() });
        }
        for workspace in self.engine.all().into_iter().filter(|workspace| !workspace.is_probes()) {
            let why = match workspace.taking() {
                Taking::Everything => continue,
                Taking::LastResort { why } | Taking::Nothing { why } => why,
            };
            reasons.push(Reason { component: "workspace", message: format!("{}: {why}", workspace.name()) });
            if reasons.len() >= REASONS_MAX {
                break;
            }
        }
        Box::pin(std::future::ready(reasons))
    }

    fn supervisor(&self) -> Option<serde_json::Value> {
        let facts = (*self.supervised).as_ref()?.facts()?;
        serde_json::to_value(facts).ok()
    }
}
