//! `offhook journal`: looks into a data directory's journal, and never writes it.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::CommandError;
use crate::journal::Journal as _;
use crate::journal::lock::DataLock;
use crate::journal::sqlite::ReadOnlyJournal;
use crate::journal::verify::{self, Progress, Report};
use crate::journal::{Position, show};

/// Shows a workspace's records, or checks them all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  offhook journal show demo --from 1 --limit 20\n  offhook journal verify")]
pub struct Journal {
    #[command(subcommand)]
    asked: Asked,
}

#[derive(Debug, Subcommand)]
enum Asked {
    Show(Show),
    Verify(Verify),
}

/// Prints records as lines of JSON: position, turn, both times, events, outcomes. Personal data in them is sealed.
///
/// Safe beside a running server: it reads committed records a page at a time and takes no lock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  offhook journal show demo --limit 20\n  \
                        offhook journal show demo --from 800 | head -1\n\n\
                        Ends with 0, or with 2 when there is nothing to read.")]
struct Show {
    workspace: String,
    /// The first position to show.
    #[arg(long, default_value_t = 1, value_name = "POSITION")]
    from: u64,
    /// The most records to show.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Checks every page of the file and every record of every workspace: sums, order, positions, clocks.
///
/// Refused while a server runs on the data directory: the check is one long read, which would make the server's
/// files grow, and records that are cut meanwhile would look missing. Check a copy instead, or stop the server.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  offhook journal verify --set server.data_dir=/var/lib/offhook\n\n\
                        Progress is on standard error. Ends with 0 when everything is sound, 1 when something is\n\
                        damaged (the report says from which position on), 2 when it could not be checked.")]
struct Verify {
    /// The report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Journal {
    pub(super) fn run(&self, data_dir: &Path, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        match &self.asked {
            Asked::Show(show) => runtime.block_on(show.run(data_dir, out)),
            Asked::Verify(verify) => runtime.block_on(verify.run(data_dir, out)),
        }
    }
}

impl Show {
    async fn run(&self, data_dir: &Path, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let journal = ReadOnlyJournal::open(data_dir).map_err(CommandError::of)?;
        let workspace: Arc<str> = self.workspace.as_str().into();
        let names = journal.workspaces().await.map_err(CommandError::of)?;
        if !names.contains(&workspace) {
            return Err(CommandError(format!(
                "no workspace {:?} in this journal; there are: {}",
                self.workspace,
                names.join(", ")
            )));
        }
        let mut left = self.limit.unwrap_or(u64::MAX);
        if left == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        show::show(&journal, &workspace, Position(self.from), |line| {
            left -= 1;
            // A closed pipe (`| head`) is enough, and no fault.
            writeln!(out, "{line}").is_ok() && left > 0
        })
        .await
        .map_err(CommandError::of)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Verify {
    async fn run(&self, data_dir: &Path, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        // Absent before locked: taking the lock makes a file, which a mistyped directory should not get.
        let journal = ReadOnlyJournal::open(data_dir).map_err(CommandError::of)?;
        let _lock = DataLock::take(data_dir).map_err(CommandError::of)?;
        eprintln!("checking the pages of {}", data_dir.join("journal.db").display());
        let pages = journal.check_pages().await.map_err(CommandError::of)?;
        let mut said = 0;
        let report = verify::verify(&journal, |progress: Progress| {
            if progress.workspaces_done == progress.workspaces || progress.records >= said + 100_000 {
                said = progress.records;
                let Progress { workspaces_done, workspaces, records, bytes } = progress;
                eprintln!("{workspaces_done} of {workspaces} workspaces, {records} records, {bytes} bytes");
            }
        })
        .await
        .map_err(CommandError::of)?;
        let sound = pages.is_empty() && report.is_sound();
        let written = if self.json {
            let report = serde_json::json!({ "sound": sound, "pages": pages, "report": report });
            writeln!(out, "{report}")
        } else {
            write_for_people(out, &pages, &report, sound)
        };
        written.map_err(CommandError::of)?;
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn write_for_people(out: &mut impl Write, pages: &[String], report: &Report, sound: bool) -> std::io::Result<()> {
    for sentence in pages {
        writeln!(out, "page damaged: {sentence}")?;
    }
    for found in &report.workspaces {
        let shown = |position: Option<Position>| position.map_or("none".to_owned(), |position| position.to_string());
        let (name, first, last) = (&found.workspace, shown(found.first), shown(found.last));
        write!(out, "workspace {name}: {} records, {first} to {last}: ", found.records)?;
        match &found.first_bad {
            None => writeln!(out, "sound")?,
            Some(bad) => writeln!(out, "damaged from {} on: {}", bad.position, bad.reason)?,
        }
    }
    writeln!(out, "{}: {} records, {} bytes", if sound { "sound" } else { "damaged" }, report.records, report.bytes)
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
