//! `offhook backup`: takes a backup of a data directory, beside the server that runs on it.

use super::CommandError;
use crate::backup::{self, Manifest, Meter, Standing, Taken, Wanted};
use crate::clock;
use crate::config::Config;
use crate::engine::workspace::PROBES;
use crate::slices;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook backup --to /srv/backup --keys-to /srv/backup-keys
  offhook backup --to /srv/backup --then 'rsync -a --delete /srv/backup/ other-host:/srv/offhook/'
  offhook backup --to /srv/backup --whole --keep-whole 4

The first is a whole one; those that follow hold the records that came since, until the whole one is --whole-after-hours old. So one every
few minutes is cheap, and what could be lost is what was written since the last. Progress is on standard error.

Of a node of a cluster each backup is a whole one, of its view and its keys: records are on the servers of NATS.

Ends with 0 when the backup is there and --then, if it was given, ended well; otherwise with 2. The server's metrics say when that was.";

/// Takes a backup beside a running server: view, records, files of messages, and the keys apart.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// Where backups are, this one too. Made if it is not there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Where the copy of the keys is, which replaces the one before. Without it: DIR/keys, beside what they open.
    #[arg(long, value_name = "DIR")]
    keys_to: Option<PathBuf>,
    /// The data directory; without it that of the settings.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A whole one, also where the records since the last would do.
    #[arg(long)]
    whole: bool,
    /// A whole one is taken when the last is older.
    #[arg(long, default_value_t = 168, value_name = "HOURS")]
    whole_after_hours: u64,
    /// How many whole ones are kept, each with what goes on from it; 0 keeps all.
    #[arg(long, default_value_t = 0, value_name = "N")]
    keep_whole: usize,
    /// The most that is read in a second; 0: as fast as it goes.
    #[arg(long, default_value_t = 33_554_432, value_name = "BYTES")]
    bytes_per_s: u64,
    /// The backup ends without a result when a database's log has grown beyond this while the database was read in one go.
    #[arg(long, default_value_t = 1_073_741_824, value_name = "BYTES")]
    wal_bytes_max: u64,
    /// What is run when the backup is there, by `sh -c`: to take it to another host. OFFHOOK_BACKUP names its directory.
    #[arg(long, value_name = "COMMAND")]
    then: Option<String>,
}

impl Backup {
    pub(super) fn run(
        &self,
        load: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let data_dir = match &self.data_dir {
            Some(given) => given.clone(),
            None => load()?.sections.server.data_dir,
        };
        slices::yields();
        slices::disk_last();
        let began = clock::stopwatch();
        let mut progress = std::io::stderr();
        let mut meter = Meter::new(self.bytes_per_s, &mut progress);
        let taken = backup::take(&self.wanted(&data_dir), &mut meter).map_err(CommandError::of);
        let bytes = meter.bytes;
        let done = taken.and_then(|taken| self.then(&taken).map(|()| taken));
        leave_word(&data_dir, done.is_ok(), bytes, (began.seconds() * 1_000.0) as u64);
        let Taken { manifest, why_whole } = done?;
        if let Some(why) = why_whole {
            eprintln!("a whole backup was taken: {why}");
        }
        if self.keys_to.is_none() {
            eprintln!("the keys lie beside what they open; --keys-to puts them elsewhere");
        }
        let (name, kind) = (&manifest.name, manifest.kind.word());
        writeln!(out, "{name}: {kind}, {bytes} bytes read in {:.1} s", began.seconds()).map_err(CommandError::of)?;
        reached(&manifest, out).map_err(CommandError::of)?;
        Ok(ExitCode::SUCCESS)
    }

    fn wanted(&self, data_dir: &Path) -> Wanted {
        Wanted {
            data_dir: data_dir.to_owned(),
            to: self.to.clone(),
            keys_to: keys_place(self.keys_to.as_deref(), &self.to),
            whole: self.whole,
            whole_after_ms: self.whole_after_hours.saturating_mul(3_600_000),
            keep_whole: self.keep_whole,
            wal_bytes_max: self.wal_bytes_max,
        }
    }

    fn then(&self, taken: &Taken) -> Result<(), CommandError> {
        let Some(then) = &self.then else { return Ok(()) };
        let path = self.to.join(&taken.manifest.name);
        let status = std::process::Command::new("sh").args(["-c", then]).env("OFFHOOK_BACKUP", &path).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                Err(CommandError(format!("the backup is in {}; {then:?} ended with {status}", path.display())))
            }
            Err(error) => Err(CommandError(format!("the backup is in {}; {then:?}: {error}", path.display()))),
        }
    }
}

/// Where keys are, if nothing else is said.
pub(super) fn keys_place(said: Option<&Path>, beside: &Path) -> PathBuf {
    said.map_or_else(|| beside.join("keys"), Path::to_owned)
}

/// How far each of people's workspaces is held, a line each.
pub(super) fn reached(manifest: &Manifest, out: &mut impl Write) -> std::io::Result<()> {
    for (workspace, reached) in manifest.workspaces.iter().filter(|(name, _)| *name != PROBES) {
        let at = i64::try_from(reached.wall_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        writeln!(out, "  {workspace}: up to position {}, {}", reached.last, at.unwrap_or_default())?;
    }
    for (workspace, position) in manifest.views.iter().filter(|(name, _)| *name != PROBES) {
        writeln!(out, "  {workspace}: the view up to position {position}; records are on the servers of NATS")?;
    }
    Ok(())
}

/// For the server's metrics. A backup that is there is one, whether or not this can be written.
fn leave_word(data_dir: &Path, succeeded: bool, bytes: u64, took_ms: u64) {
    let (before, now) = (Standing::read(data_dir), clock::wall_ms());
    let standing = match succeeded {
        true => Standing { last_success_at: now, bytes, took_ms, ..before },
        false => Standing { last_failure_at: now, ..before },
    };
    if let Err(error) = standing.write(data_dir) {
        eprintln!("the server's metrics will not know of this backup: {}: {error}", data_dir.display());
    }
}
