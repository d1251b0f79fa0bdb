//! The recorder behind the metrics macros, and the page that Prometheus scrapes.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::build;
use super::catalogue::{self, MetricKind};

/// From 0.1 ms, below a commit on a good disk, to 30 s, a chat's offer.
const SECONDS_BUCKETS: &[f64] =
    &[1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];
const COUNT_BUCKETS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0];
/// Histograms keep each sample until somebody drains them; where nothing scrapes, only this upkeep does.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The page of metrics.
#[derive(Clone)]
pub struct Exporter {
    handle: PrometheusHandle,
}

#[derive(Debug, thiserror::Error)]
pub enum ExporterError {
    #[error("the metrics' buckets are not allowed: {0}")]
    Buckets(#[from] BuildError),
    #[error("a metrics recorder is installed already")]
    Installed,
}

impl Exporter {
    /// Installs the recorder for this process and describes every metric. Once.
    pub fn install() -> Result<Self, ExporterError> {
        let recorder = recorder()?;
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| ExporterError::Installed)?;
        catalogue::describe_all();
        metrics::gauge!(catalogue::BUILD_INFO, "version" => build::VERSION, "commit" => build::COMMIT).set(1.0);
        Ok(Self { handle })
    }

    /// The metrics as Prometheus reads them, as they are now.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Drains the histograms for ever; spawn it. Drop the task to stop.
    pub async fn upkeep(self) {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }
}

fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let mut builder = PrometheusBuilder::new().set_buckets(SECONDS_BUCKETS)?;
    for metric in catalogue::METRICS {
        if metric.kind == MetricKind::Histogram && metric.unit == metrics::Unit::Count {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), COUNT_BUCKETS)?;
        }
    }
    Ok(builder.build_recorder())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_counts_have_buckets_of_their_own_and_keep_their_names() {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            catalogue::describe_all();
            metrics::histogram!(catalogue::TURN_SECONDS, "stage" => "decide").record(0.0003);
            metrics::histogram!(catalogue::JOURNAL_BATCH_RECORDS).record(7.0);
            metrics::counter!(catalogue::OFFERS_TOTAL, "end" => "accepted").increment(1);
        });
        handle.run_upkeep();
        let page = handle.render();
        for line in [
            r#"offhook_turn_seconds_bucket{stage="decide",le="0.00025"} 0"#,
            r#"offhook_turn_seconds_bucket{stage="decide",le="0.0005"} 1"#,
            r#"offhook_journal_batch_records_bucket{le="10"} 1"#,
            r#"offhook_offers_total{end="accepted"} 1"#,
            "# TYPE offhook_turn_seconds histogram",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
