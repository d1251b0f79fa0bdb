//! The server's own account of a stretch of time, from its metrics: for finding out why a figure is what it is.

use super::support::Server;
use std::collections::BTreeMap;

/// What is told of; the rest of the metrics says little about speed.
const NAMES: [&str; 7] = [
    "offhook_turn",
    "offhook_intake_refused",
    "offhook_refusals",
    "offhook_http",
    "offhook_journal_",
    "offhook_offers",
    "offhook_view_",
];

pub struct Account(BTreeMap<String, f64>);

impl Account {
    pub async fn of(server: &Server) -> Self {
        let page = server.operators_page("/metrics").await;
        let lines = page.text().lines().filter(|line| NAMES.iter().any(|name| line.starts_with(name)));
        let values = lines.filter_map(|line| line.rsplit_once(' '));
        Self(values.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// Tells how much came to everything since then: of counters how many, of histograms how many and how long.
    pub async fn say_since(&self, server: &Server) {
        let now = Self::of(server).await;
        let since = |name: &str| now.0.get(name).copied().unwrap_or(0.0) - self.0.get(name).copied().unwrap_or(0.0);
        for name in now.0.keys() {
            let many = since(name);
            if many <= 0.0 || name.contains("_bucket") || name.contains("_sum") {
                continue;
            }
            if let Some((before, labels)) = name.split_once("_count").filter(|(_, rest)| !rest.contains("total")) {
                let mean = since(&format!("{before}_sum{labels}")) / many;
                let places = quantiles(&now.0, before, labels, &since, many);
                eprintln!("    {before}{labels}: {many:.0} times, mean {}{places}", shown(before, mean));
            } else {
                eprintln!("    {name}: {many:.0}");
            }
        }
    }
}

/// The upper ends of the buckets that the median and the 99th percentile are in.
fn quantiles(
    lines: &BTreeMap<String, f64>,
    before: &str,
    labels: &str,
    since: &dyn Fn(&str) -> f64,
    many: f64,
) -> String {
    let labels = labels.trim_matches(['{', '}']);
    let mut buckets: Vec<(f64, f64)> = lines
        .keys()
        .filter(|name| name.starts_with(&format!("{before}_bucket")) && name.contains(labels))
        .filter_map(|name| {
            let (_, end) = name.split_once("le=\"")?;
            Some((end.split('"').next()?.parse().unwrap_or(f64::INFINITY), since(name)))
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let below = |part: f64| buckets.iter().find(|(_, count)| *count >= many * part).map_or(f64::NAN, |(end, _)| *end);
    if buckets.is_empty() {
        return String::new();
    }
    format!(", p50 under {}, p99 under {}", shown(before, below(0.5)), shown(before, below(0.99)))
}

fn shown(name: &str, value: f64) -> String {
    if name.ends_with("_seconds") { format!("{:.3} ms", value * 1_000.0) } else { format!("{value:.1}") }
}

/// Waits until the view has written all that was committed: what it still owes is not taken from what is measured next.
pub async fn until_projected(server: &Server) {
    loop {
        let page = server.operators_page("/metrics").await;
        let lag = page.text().lines().filter(|line| line.starts_with("offhook_view_lag_records"));
        let owed: f64 = lag.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum();
        if owed == 0.0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
