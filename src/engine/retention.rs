//! What is forgotten: closed conversations in the view after the retention, and the journal below what the view has on disk and what is
//! younger than that.

use super::Engine;
use super::workspace::{PROBES, Workspace};
use crate::clock;
use crate::journal::{Journal, JournalFailed, Position, StoredRecord, record};
use crate::telemetry::catalogue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// In which the view is pruned.
const PRUNE_STEPS: u32 = 20;

/// Whether a record is older than what is kept. One that cannot be read is kept for whoever looks into it.
#[must_use]
pub fn is_old(stored: &StoredRecord, oldest_kept_ms: u64) -> bool {
    record::decode(&stored.body).is_ok_and(|record| record.head.wall_ms < oldest_kept_ms)
}

/// The first position to keep, found by halving between the first record and the last that may go.
///
/// # Errors
/// The journal could not be read.
pub async fn first_kept(
    journal: &Arc<dyn Journal>,
    workspace: &Arc<str>,
    view_position: u64,
    oldest_kept_ms: u64,
) -> Result<Option<Position>, JournalFailed> {
    let Some(first) = journal.read(workspace, Position(0), 1, 1).await?.into_iter().next() else { return Ok(None) };
    let (mut low, mut high) = (first.position.0, view_position);
    // Everything below `low` is old; `high` and above is kept.
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(stored) = journal.read(workspace, Position(middle - 1), 1, 1).await?.into_iter().next() else { break };
        if is_old(&stored, oldest_kept_ms) { low = middle + 1 } else { high = middle }
    }
    Ok((low > first.position.0).then_some(Position(low)))
}

impl Engine {
    /// How long the server keeps closed conversations; `None`: for ever.
    #[must_use]
    pub fn kept_ms(&self) -> Option<u64> {
        (self.settings.retention_days > 0).then(|| self.settings.retention_days * 86_400_000)
    }

    /// Forget what the settings say to forget: in the view, then in the journal below what the view has on disk.
    pub(super) async fn prune(&self) {
        let retention_ms = self.kept_ms();
        let view = self.view();
        if let Err(error) = view.prune(clock::wall_ms(), retention_ms, PRUNE_STEPS).await {
            tracing::warn!(%error, "the view could not be pruned");
            return;
        }
        let own = self.own_retentions(retention_ms);
        for (workspace, own_ms) in &own {
            if let Err(error) = view.prune_of(workspace, clock::wall_ms(), *own_ms, PRUNE_STEPS).await {
                tracing::warn!(%workspace, %error, "the workspace's conversations could not be pruned");
            }
        }
        if self.settings.reports_days > 0 {
            let before_ms = clock::wall_ms().saturating_sub(self.settings.reports_days * 86_400_000);
            if let Err(error) = view.prune_reports(None, before_ms, PRUNE_STEPS).await {
                tracing::warn!(%error, "old reports could not be forgotten");
            }
        }
        // In a cluster whoever leads a workspace cuts it, when all have it.
        if self.shared.cluster.is_some() || (retention_ms.is_none() && own.is_empty()) {
            return;
        }
        let synced = match view.sync().await {
            Ok(synced) => synced,
            Err(error) => return tracing::warn!(%error, "the view could not be synced: the journal is not cut"),
        };
        for (workspace, position) in synced {
            if let Some(kept_ms) = own.get(&workspace).copied().or(retention_ms) {
                self.cut(&workspace, position, clock::wall_ms().saturating_sub(kept_ms)).await;
            }
        }
    }

    /// Of workspaces that keep things for a shorter time than the server does: how long.
    pub(super) fn own_retentions(&self, of_server_ms: Option<u64>) -> BTreeMap<Arc<str>, u64> {
        let own = |workspace: Arc<Workspace>| {
            let days = workspace.published().settings.retention_days?;
            Some((workspace.name().clone(), u64::from(days) * 86_400_000))
        };
        self.all().into_iter().filter_map(own).filter(|(_, own)| of_server_ms.is_none_or(|most| *own < most)).collect()
    }

    /// What the server's own probe did is worth nothing soon after, and it never ends.
    pub async fn prune_probes(&self, kept_ms: u64) {
        let view = self.view();
        if let Err(error) = view.prune_of(PROBES, clock::wall_ms(), kept_ms, PRUNE_STEPS).await {
            return tracing::warn!(%error, "the probe's conversations could not be pruned");
        }
        let before_ms = clock::wall_ms().saturating_sub(kept_ms);
        if let Err(error) = view.prune_reports(Some(PROBES), before_ms, PRUNE_STEPS).await {
            return tracing::warn!(%error, "the probe's reports could not be pruned");
        }
        match view.sync().await {
            Ok(synced) => {
                if let Some((workspace, position)) = synced.get_key_value(PROBES) {
                    self.cut(workspace, *position, clock::wall_ms().saturating_sub(kept_ms)).await;
                }
            }
            Err(error) => tracing::warn!(%error, "the view could not be synced: the probe's journal is not cut"),
        }
    }

    async fn cut(&self, workspace: &Arc<str>, position: u64, oldest_kept_ms: u64) {
        match first_kept(self.journal(), workspace, position, oldest_kept_ms).await {
            Ok(Some(below)) => match self.cut_below(workspace, below).await {
                Ok(0) => {}
                Ok(records) if **workspace == *PROBES => tracing::debug!(records, "probes were cut"),
                Ok(records) => {
                    metrics::counter!(catalogue::JOURNAL_CUT_RECORDS_TOTAL).increment(records);
                    tracing::info!(%workspace, records, "the journal was cut");
                }
                Err(error) => tracing::warn!(%workspace, %error, "the journal could not be cut"),
            },
            Ok(None) => {}
            Err(error) => tracing::warn!(%workspace, %error, "the journal could not be read for cutting"),
        }
    }

    async fn cut_below(&self, workspace: &Arc<str>, below: Position) -> Result<u64, JournalFailed> {
        let cut = self.journal().cut(workspace, below).await;
        if let Some(workspace) = self.workspace(workspace) {
            workspace.quota().measure_again();
        }
        cut
    }
}
