//! `offhook verify`: reads backups from end to end and says what of them is sound.

use super::CommandError;
use super::backup::{keys_place, reached};
use crate::backup::{self, Checked, Meter};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook verify --backup /srv/backup --keys-from /srv/backup-keys
  offhook verify --backup /srv/backup --at 20261127T080000.123Z --json

Every sum is computed again, every record is opened, every page of the databases is looked at, and each backup must go on from the one before it.
Progress is on standard error. Ends with 0 when everything is sound, 1 when something is damaged, 2 when nothing could be looked at.";

/// Checks backups: sums, records, pages, and whether one goes on from the other.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Verify {
    /// Where backups are.
    #[arg(long, value_name = "DIR")]
    backup: PathBuf,
    /// Where the copy of the keys is; without it: DIR/keys.
    #[arg(long, value_name = "DIR")]
    keys_from: Option<PathBuf>,
    /// Only this one, with those that it goes on from.
    #[arg(long, value_name = "NAME")]
    at: Option<String>,
    /// The most that is read in a second; 0: as fast as it goes.
    #[arg(long, default_value_t = 0, value_name = "BYTES")]
    bytes_per_s: u64,
    /// The report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let mut progress = std::io::stderr();
        let mut meter = Meter::new(self.bytes_per_s, &mut progress);
        let keys_from = keys_place(self.keys_from.as_deref(), &self.backup);
        let found = backup::verify(&self.backup, &keys_from, self.at.as_deref(), &mut meter);
        let found = found.map_err(CommandError::of)?;
        let sound = found.iter().all(|checked| checked.wrong.is_empty());
        let written = match self.json {
            true => writeln!(out, "{}", json(&found, sound)),
            false => found.iter().try_for_each(|checked| for_people(checked, out)),
        };
        written.map_err(CommandError::of)?;
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn json(found: &[Checked], sound: bool) -> serde_json::Value {
    let each = found.iter().map(|checked| {
        serde_json::json!({
            "name": checked.name,
            "kind": checked.manifest.as_ref().map(|manifest| manifest.kind),
            "made_at": checked.manifest.as_ref().map(|manifest| manifest.made_at),
            "workspaces": checked.manifest.as_ref().map(|manifest| &manifest.workspaces),
            "records": checked.records,
            "wrong": checked.wrong,
        })
    });
    serde_json::json!({ "sound": sound, "backups": each.collect::<Vec<_>>() })
}

fn for_people(checked: &Checked, out: &mut impl Write) -> std::io::Result<()> {
    let kind = checked.manifest.as_ref().map_or("unreadable", |manifest| manifest.kind.word());
    let sound = if checked.wrong.is_empty() { "sound" } else { "damaged" };
    writeln!(out, "{}: {kind}, {} records, {sound}", checked.name, checked.records)?;
    checked.manifest.iter().try_for_each(|manifest| reached(manifest, out))?;
    checked.wrong.iter().try_for_each(|why| writeln!(out, "  {why}"))
}
