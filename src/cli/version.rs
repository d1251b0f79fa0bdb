//! `offhook version` and `--version`: what this binary was built from, and the formats that it writes.

use super::CommandError;
use crate::gateway::signin;
use crate::journal::{record, sqlite};
use crate::telemetry::build;
use crate::{seal, view, webhooks};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::sync::LazyLock;

/// What `--version` shows, behind the name. The first line is the version alone: an older supervisor reads it before it upgrades.
pub(super) static LONG: LazyLock<String> = LazyLock::new(|| Facts::own().to_text());

/// Shows what this binary was built from, and the formats of the data that it writes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook version
  offhook version --json

`offhook --version` shows the same, `offhook -V` the version alone. No settings are read, and no server is asked.")]
pub struct Version {
    /// As one JSON object.
    #[arg(long)]
    json: bool,
}

impl Version {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), CommandError> {
        let shown = match self.json {
            true => serde_json::to_string_pretty(&Facts::own()).map_err(CommandError::of)?,
            false => format!("offhook {}", *LONG),
        };
        writeln!(out, "{shown}").map_err(CommandError::of)
    }
}

#[derive(Debug, Serialize)]
struct Facts {
    version: &'static str,
    /// 40 hexadecimal digits, or `unknown`.
    commit: &'static str,
    /// Whether the source was as the commit has it: `clean`, `modified` or `unknown`.
    tree: &'static str,
    target: &'static str,
    profile: &'static str,
    opt_level: &'static str,
    rustc: &'static str,
    sqlite: &'static str,
    /// Seconds since 1970, where the build was told (SOURCE_DATE_EPOCH).
    source_date: Option<u64>,
    formats: Formats,
}

/// A newer number is of a newer release: what `offhook check --data` compares.
#[derive(Debug, Serialize)]
struct Formats {
    journal: i64,
    /// Of each record in the journal.
    record: u8,
    view: i64,
    keys: i64,
    signins: i64,
    webhooks: i64,
}

impl Facts {
    fn own() -> Self {
        Self {
            version: build::VERSION,
            commit: build::COMMIT,
            tree: build::TREE,
            target: build::TARGET,
            profile: build::PROFILE,
            opt_level: build::OPT_LEVEL,
            rustc: build::RUSTC,
            sqlite: rusqlite::version(),
            source_date: build::SOURCE_DATE.parse().ok(),
            formats: Formats {
                journal: sqlite::FORMAT,
                record: record::VERSION,
                view: view::SCHEMA,
                keys: seal::FORMAT,
                signins: signin::STORE.format,
                webhooks: webhooks::STORE.format,
            },
        }
    }

    fn to_text(&self) -> String {
        let Self { version, commit, tree, target, profile, opt_level, rustc, sqlite, source_date, formats } = self;
        let Formats { journal, record, view, keys, signins, webhooks } = formats;
        // Where the commit is not known there is no more to say of it.
        let source = if commit == tree { (*commit).to_owned() } else { format!("{commit}, {tree}") };
        let date = source_date.map(|date| format!("\nsource date: {date}")).unwrap_or_default();
        format!(
            "{version}\ncommit: {source}{date}\ntarget: {target}, {profile}, opt-level {opt_level}\n\
             rustc: {rustc}\nsqlite: {sqlite}\n\
             formats: journal {journal}, record {record}, view {view}, keys {keys}, signins {signins}, \
             webhooks {webhooks}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_version_and_the_facts_are_the_same_in_both_forms() {
        let (mut text, mut json) = (Vec::new(), Vec::new());
        Version { json: false }.run(&mut text).unwrap();
        Version { json: true }.run(&mut json).unwrap();
        let text = String::from_utf8(text).unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(text.lines().next(), Some(concat!("offhook ", env!("CARGO_PKG_VERSION"))));
        for fact in ["version", "commit", "tree", "target", "profile", "rustc", "sqlite"] {
            let value = facts[fact].as_str().unwrap();
            assert!(!value.is_empty() && text.contains(value), "{fact}: {value}: {text}");
        }
        for (name, format) in facts["formats"].as_object().unwrap() {
            assert!(text.contains(&format!("{name} {format}")), "{name}: {text}");
        }
        let commit = facts["commit"].as_str().unwrap();
        assert!(commit == "unknown" || commit.len() >= 40, "{commit}");
    }
}
