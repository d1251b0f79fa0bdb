//! How much each workspace with a quota of storage has in the journal and in files, about a second late: in steps, and from where the
//! last one ended, so that a journal of any length is no long reading.

use super::super::Engine;
use super::super::run::stopped;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The pace of looking: a quota is overdrawn by no more than what comes in this time.
const EVERY: Duration = Duration::from_secs(1);
/// Records of one step: a few milliseconds of one of the journal's readers.
const STEP_RECORDS: usize = 8_192;

/// Until the server stops.
pub(in crate::engine) async fn measure(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    loop {
        for workspace in engine.all() {
            let account = workspace.quota();
            if !account.is_measured() {
                continue;
            }
            account.hold_files(engine.files().bytes_of(workspace.name()));
            loop {
                let after = account.measured_to();
                let span = match engine.journal().span(workspace.name(), after, STEP_RECORDS).await {
                    Ok(span) => span,
                    Err(error) => {
                        tracing::warn!(workspace = %workspace.name(), %error, "the workspace's storage was not measured");
                        break;
                    }
                };
                // One that was cut meanwhile is begun anew, by the next look.
                if account.measured_to() == after {
                    account.measured(span.bytes, span.to);
                }
                if span.records < STEP_RECORDS || *stop.borrow() {
                    break;
                }
            }
        }
        tokio::select! {
            // Nobody is told of each record that it is there: they are counted.
            () = tokio::time::sleep(EVERY) => {}
            () = stopped(&mut stop) => return,
        }
    }
}
