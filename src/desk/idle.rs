//! What becomes of an agent whose client has reported no input for long: a setting, and its check.

use super::refusal::Refusal;
use super::settings::Status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// From a second to a day.
const AFTER_MS: std::ops::RangeInclusive<u64> = 1_000..=86_400_000;

/// A person in an available status is given another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdleAgents {
    pub after_ms: u64,
    /// One that is not available; absent: the first of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Arc<str>>,
}

impl IdleAgents {
    /// Refused with the field named, below `idle_agents`.
    ///
    /// # Errors
    /// The first member that does not hold.
    pub fn check(&self, statuses: &[Status]) -> Result<(), Refusal> {
        let refused = |field: &str, what: &str| Err(Refusal::BadSetting { field: field.into(), what: what.into() });
        if !AFTER_MS.contains(&self.after_ms) {
            return refused("idle_agents.after_ms", "1000 to 86400000 (a day)");
        }
        let away = |name: &Arc<str>| statuses.iter().any(|status| status.name == *name && !status.available);
        if !self.status.as_ref().is_none_or(away) {
            return refused("idle_agents.status", "a status that is not available");
        }
        Ok(())
    }
}
