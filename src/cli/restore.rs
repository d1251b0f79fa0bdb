//! `offhook restore`: brings a backup back into an empty data directory.

use super::backup::{keys_place, reached};
use super::{CommandError, check_data};
use crate::backup::{self, Meter, RestoreWanted};
use crate::clock;
use crate::config::Config;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook restore --from /srv/backup --keys-from /srv/backup-keys --data-dir /var/lib/offhook
  offhook restore --from /srv/backup --at 20261127T080000.123Z --data-dir /tmp/looked-at
  offhook restore --new-node --from /srv/backup --data-dir /var/lib/offhook

Everything is checked as it is read. Progress is on standard error. Ends with 0 when a server can be started from the directory, 1 when it can
and files of messages are missing (the report names them), 2 when nothing was restored: then the same command may be run again.";

/// Brings a backup back into an empty data directory, from which a server then starts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Restore {
    /// Where backups are.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Where the copy of the keys is; without it: DIR/keys.
    #[arg(long, value_name = "DIR")]
    keys_from: Option<PathBuf>,
    /// Which backup; without it the newest.
    #[arg(long, value_name = "NAME")]
    at: Option<String>,
    /// The directory that is filled; without it the data directory of the settings.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The directory is for another node of the cluster than the backup is of: what each node has for itself (webhooks, audit trail, sign-ins)
    /// stays out.
    #[arg(long)]
    new_node: bool,
}

impl Restore {
    pub(super) fn run(
        &self,
        load: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let data_dir = match &self.data_dir {
            Some(given) => given.clone(),
            None => load()?.sections.server.data_dir,
        };
        let wanted = RestoreWanted {
            from: self.from.clone(),
            keys_from: keys_place(self.keys_from.as_deref(), &self.from),
            at: self.at.clone(),
            data_dir,
            new_node: self.new_node,
        };
        let began = clock::stopwatch();
        let mut progress = std::io::stderr();
        let mut meter = Meter::new(0, &mut progress);
        let restored = backup::restore(&wanted, &mut meter).map_err(CommandError::of)?;
        check_data::check(&wanted.data_dir)?;
        let (name, dir) = (&restored.manifest.name, wanted.data_dir.display());
        let (records, seconds) = (restored.records, began.seconds());
        writeln!(out, "{name} is in {dir}: {records} records, {seconds:.1} s").map_err(CommandError::of)?;
        reached(&restored.manifest, out).map_err(CommandError::of)?;
        for left_out in &restored.files_left_out {
            writeln!(out, "  left out: {left_out}").map_err(CommandError::of)?;
        }
        Ok(if restored.files_left_out.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
