//! The list of bounds is that of the document, and holds whatever queues, gathers or caches.

use super::*;
use crate::telemetry::catalogue::METRICS;
use std::path::Path;

const DOCUMENT: &str = include_str!("../../docs/operating.md");

fn row(bound: &Bound) -> String {
    let most = match bound.most {
        Setting(path) => format!("`{path}`"),
        Budget(part) => part.to_owned(),
        Fixed(most) => most.to_owned(),
    };
    format!("| {} | {most} | {} | `{}` |", bound.what, bound.beyond, bound.metric)
}

#[test]
fn the_list_and_the_document_say_the_same_in_both_directions() {
    let table = DOCUMENT.split_once("\n## Bounds\n").unwrap().1.split_once("\n## ").unwrap().0;
    let documented: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    let listed: Vec<String> = all().map(row).collect();
    assert_eq!(documented, listed);
}

#[test]
fn each_bound_names_a_file_a_setting_and_a_metric_that_are_there() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for bound in all() {
        assert!(source.join(bound.file).is_file(), "{}: {}", bound.what, bound.file);
        assert!(METRICS.iter().any(|metric| metric.name == bound.metric), "{}: {}", bound.what, bound.metric);
        if let Setting(path) = bound.most {
            assert!(crate::config::all().any(|setting| setting.path == path), "{}: {path}", bound.what);
        }
    }
}

/// What a thing is called that queues, gathers or caches.
const HOLDS: [&str; 6] = ["VecDeque<", "Semaphore::new(", "sync_channel(", "mpsc::channel(", "DashMap<", "cache_size"];
/// Held by something that is bounded: these hold no more than it.
const BOUNDED_BY_OTHERS: [(&str, &str); 10] = [
    ("engine/following.rs", "1,024 answers, until their records are here"),
    ("seal/shared/mod.rs", "one answer, for whoever waits for it"),
    ("health/shown.rs", "a copy of the history of health"),
    ("engine/workspace.rs", "a copy of the desk's open conversations"),
    ("journal/sqlite/checkpoint.rs", "one place: a pass covers all that was asked for before it"),
    ("engine/look_up.rs", "looks through the turn's commands"),
    ("engine/traced.rs", "the same"),
    ("gateway/admin/export.rs", "a page of conversations, charged as one"),
    ("journal/nats/fill.rs", "512 records or 8 MiB, of a command that serves nobody"),
    ("view/directory.rs", "one entry for each workspace"),
];

#[test]
fn whatever_queues_gathers_or_caches_is_in_the_list() {
    let mut unlisted = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut |file, text| {
        // The desk's amounts are bounded by its settings; what runs on its own (simulation, commands) serves nobody.
        let serves = !["desk/", "simulate/", "cli/", "config/"].iter().any(|module| file.starts_with(module));
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let holds = shipped
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && HOLDS.iter().any(|word| line.contains(word)));
        let tests = file.contains("test") || file.contains("fake") || file.contains("fault_vfs");
        let listed = all().any(|bound| bound.file == file);
        if serves && holds && !tests && !listed && !BOUNDED_BY_OTHERS.iter().any(|(held, _)| *held == file) {
            unlisted.push(file.to_owned());
        }
    });
    assert!(unlisted.is_empty(), "{unlisted:?} hold something that is in no list of bounds");
}

fn walk(directory: &Path, before: &str, visit: &mut impl FnMut(&str, &str)) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{before}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            walk(&path, &format!("{name}/"), visit);
        } else if name.ends_with(".rs") {
            visit(&name, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
