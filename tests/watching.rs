//! What is watched and what is said of it agree: alerts, their tests and their entries in the runbook; metrics and who names them.

use offhook::telemetry::catalogue::METRICS;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../config/deploy/prometheus/rules.yml");
const RULES_TESTS: &str = include_str!("../config/deploy/prometheus/rules_test.yml");
const DASHBOARD: &str = include_str!("../config/deploy/grafana/offhook.json");
const RUNBOOK: &str = include_str!("../docs/runbook.md");

/// What stands behind `word` on lines that begin with it.
fn behind<'a>(text: &'a str, word: &str) -> BTreeSet<&'a str> {
    text.lines().filter_map(|line| line.trim().strip_prefix(word)).map(str::trim).collect()
}

fn alerts() -> BTreeSet<&'static str> {
    behind(RULES, "- alert:")
}

#[test]
fn every_alert_has_an_entry_that_says_what_to_do_and_a_link_to_it() {
    let entries: BTreeSet<&str> = RUNBOOK.split("\n### ").skip(1).filter_map(|entry| entry.lines().next()).collect();
    assert_eq!(alerts(), entries);
    for entry in RUNBOOK.split("\n### ").skip(1) {
        for part in ["**Means**: ", "**Users see**: ", "**First**: "] {
            assert!(entry.contains(part), "{part} is missing of {entry}");
        }
    }
    for rule in RULES.split("- alert:").skip(1) {
        let name = rule.lines().next().unwrap_or_default().trim();
        let link = format!("runbook: docs/runbook.md#{}\n", name.to_lowercase());
        assert!(rule.contains(&link), "{name} has no {link}");
    }
}

#[test]
fn every_alert_has_risen_in_a_test() {
    let risen: BTreeSet<&str> = RULES_TESTS
        .split("alertname: ")
        .skip(1)
        .filter(|case| case.lines().nth(1).is_some_and(|line| line.trim() == "exp_alerts:"))
        .filter_map(|case| case.lines().next())
        .collect();
    assert_eq!(alerts(), risen);
}

#[test]
fn every_metric_that_is_watched_is_one_of_ours() {
    let mut ours: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    for metric in METRICS.iter().filter(|metric| metric.kind.word() == "histogram") {
        ours.extend(["bucket", "sum", "count"].map(|end| format!("{}_{end}", metric.name)));
    }
    ours.extend(behind(RULES, "- record:").into_iter().map(str::to_owned));
    for (file, text) in [("rules.yml", RULES), ("offhook.json", DASHBOARD), ("runbook.md", RUNBOOK)] {
        let mut named = 0;
        for (at, start) in text.match_indices("offhook").filter(|(at, _)| text[at + 7..].starts_with(['_', ':'])) {
            let rest = &text[at + start.len()..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            let name = format!("{start}{}", &rest[..end]);
            // A module's path, in a setting of the log.
            if !name.contains("::") {
                assert!(ours.contains(&name), "{file} names {name}, which is no metric");
                named += 1;
            }
        }
        assert!(named >= 3, "{file} names metrics");
    }
}

#[test]
fn the_dashboard_is_one_and_shows_each_component() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    assert!(panels.iter().any(|panel| panel["type"] == "state-timeline"));
}
