//! Why the process should not be sent work now: what `/readyz` says.

use super::http::desks::Soon;
use super::operators::{Health, Reason};
use crate::engine::{Engine, Taking};
use crate::journal::{Journal, JournalState};
use crate::view::{Standing, View};
use std::sync::Arc;

/// Reasons that are said of all that there may be.
const REASONS_MAX: usize = 20;

/// What the operators' port says of the process.
pub struct ProcessHealth {
    pub engine: Arc<Engine>,
    pub journal: Arc<dyn Journal>,
    pub view: Arc<View>,
}

impl Health for ProcessHealth {
    fn not_ready(&self) -> Soon<'_, Vec<Reason>> {
        let mut reasons = Vec::new();
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
}
