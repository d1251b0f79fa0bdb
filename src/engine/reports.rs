//! Reports that are behind the view, since a release that knows nothing of them wrote it: what they missed is read from the journal, beside
//! everything else. Where the journal no longer has it, they begin anew.

use super::load::turn_of;
use super::{Engine, run};
use crate::clock;
use crate::journal::Position;
use crate::telemetry::catalogue::REPORTS_LAG_RECORDS;
use crate::view::ViewFailed;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as signal;

const PAGE_RECORDS: usize = 1_024;
const PAGE_BYTES: usize = 4 << 20;
/// How often somebody is told how far it has come.
const TOLD_EVERY_MS: u64 = 10_000;
/// After a failure, and while the view has too much to do.
const AGAIN: Duration = Duration::from_secs(1);

/// Until all reports count what the view holds, or the engine stops.
pub(super) async fn catch_up(engine: Arc<Engine>, mut stop: signal::Receiver<bool>) {
    metrics::gauge!(REPORTS_LAG_RECORDS).set(0.0);
    for workspace in engine.all() {
        engine.until_loaded(&workspace).await;
        let mut told_at_ms = clock::monotonic_ms();
        while let Some((reported, position)) = engine.view().reports_behind(workspace.name()) {
            metrics::gauge!(REPORTS_LAG_RECORDS).set((position - reported) as f64);
            if clock::monotonic_ms() >= told_at_ms {
                told_at_ms = clock::monotonic_ms() + TOLD_EVERY_MS;
                tracing::info!(workspace = %workspace.name(), reported, position, "reports count what they missed");
            }
            let step = tokio::select! {
                step = step(&engine, workspace.name(), reported) => step,
                () = run::stopped(&mut stop) => return,
            };
            if let Err(error) = step {
                if !matches!(error, ViewFailed::Busy) {
                    tracing::warn!(workspace = %workspace.name(), %error, "reports could not count what they missed");
                }
                tokio::select! {
                    // A store that failed is tried again after a while: it tells nobody when it is well.
                    () = tokio::time::sleep(AGAIN) => {}
                    () = run::stopped(&mut stop) => return,
                }
            }
        }
    }
    metrics::gauge!(REPORTS_LAG_RECORDS).set(0.0);
}

async fn step(engine: &Engine, workspace: &Arc<str>, reported: u64) -> Result<(), ViewFailed> {
    let records = match engine.journal().read(workspace, Position(reported), PAGE_RECORDS, PAGE_BYTES).await {
        Ok(records) => records,
        Err(error) => {
            let why = error.to_string().into();
            return Err(ViewFailed::Sqlite { doing: "reading what reports missed", why });
        }
    };
    let turns: Result<Vec<_>, _> = records.iter().map(turn_of).collect();
    match turns {
        Ok(turns) if turns.first().is_some_and(|first| first.position == reported + 1) => {
            engine.view().catch_up(workspace.clone(), reported, turns).await?;
        }
        found => {
            let why = found.err().map_or_else(|| "the journal was cut".to_owned(), |error| error.to_string());
            tracing::warn!(%workspace, %why, "reports begin anew: what they missed is gone");
            engine.view().begin_reports_anew(workspace.clone()).await?;
        }
    }
    Ok(())
}
