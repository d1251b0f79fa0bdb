//! What the server says of itself on its operators' port.

use crate::engine::{Engine, Taking};
use crate::gateway::http::desks::Soon;
use crate::gateway::operators::{Health, Reason};
use crate::journal::{Journal, JournalState};
use crate::supervisor::Supervised;
use crate::view::{Standing, View};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the operators' port says of the process.
pub(super) struct ProcessHealth {
    pub engine: Arc<Engine>,
    pub journal: Arc<dyn Journal>,
    pub view: Arc<View>,
    pub supervised: Arc<Option<Supervised>>,
    /// The stop in order has begun.
    pub stops: AtomicBool,
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
        for workspace in self.engine.all() {
            let why = match workspace.taking() {
                Taking::Everything => continue,
                Taking::LastResort { why } | Taking::Nothing { why } => why,
            };
            reasons.push(Reason { component: "workspace", message: format!("{}: {why}", workspace.name()) });
            if reasons.len() >= 20 {
                break;
            }
        }
        Box::pin(std::future::ready(reasons))
    }

    fn components(&self) -> Vec<(&'static str, bool)> {
        let workspaces = self.engine.all().iter().all(|held| held.taking() == Taking::Everything);
        vec![
            ("journal", self.journal.health().state == JournalState::Healthy),
            ("view", self.view.health().standing == Standing::Healthy),
            ("workspaces", workspaces),
        ]
    }

    fn supervisor(&self) -> Option<serde_json::Value> {
        let facts = (*self.supervised).as_ref()?.facts()?;
        serde_json::to_value(facts).ok()
    }
}
