//! A workspace that cannot be loaded: it is tried again, and says so; unless its node of a cluster was away for too long.

use super::commit::{PATIENCE_MS, PROBE_MS};
use super::load::LoadFailed;
use super::run::Run;
use super::workspace::Taking;
use crate::clock;
use std::time::Duration;

const AGAIN: Duration = Duration::from_secs(1);

impl Run {
    /// When it is tried again. Servers of NATS that elect a leader are waited for, as for an append.
    pub(super) fn cannot_load(&mut self, failed: &LoadFailed, began_ms: u64) -> Duration {
        let clustered = self.clustered();
        if clustered.is_some() && failed.may_pass() && clock::monotonic_ms() < began_ms + PATIENCE_MS {
            tracing::warn!(workspace = %self.workspace.name(), error = %failed, "the workspace cannot be loaded yet");
            return Duration::from_millis(PROBE_MS);
        }
        tracing::error!(workspace = %self.workspace.name(), error = %failed, "the workspace cannot be loaded");
        let why = if failed.may_pass() { "its store cannot be read now" } else { "its journal is damaged" };
        self.take(Taking::Nothing { why });
        self.refuse_waiting(why);
        if let Some(clustered) = clustered
            && let Some(left_behind) = failed.left_behind(self.workspace.name())
        {
            // The others would wait for this node to lead what it cannot.
            clustered.left_behind.send_replace(Some(left_behind));
        }
        AGAIN
    }
}
