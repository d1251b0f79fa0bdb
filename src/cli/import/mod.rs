//! `offhook import`: reads what another system exports, and writes it as a declaration for `offhook apply`.
//!
//! ```text
//! files ──▶ csv, zendesk, chatwoot: records in their own words ──▶ gathered: ours, and what has no place here ──▶ workspace.toml
//! ```
//!
//! It changes nothing itself: `offhook apply --diff` shows what would change, and applying twice changes nothing.

mod chatwoot;
mod csv;
mod gathered;
mod read;
#[cfg(test)]
mod tests;
mod zendesk;

use super::CommandError;
use clap::{Args, ValueEnum};
use gathered::Gathered;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook import zendesk users.json groups.json group_memberships.json >workspace.toml
  offhook import chatwoot agents.json inboxes.json teams.json team_members_3.json labels.json >workspace.toml
  offhook import csv agents.csv queues.csv tags.csv --workspace acme >workspace.toml
  offhook apply --diff workspace.toml

Standard output is a declaration for `offhook apply`; standard error says what was read and what has no place here. Nothing is changed, so it
may be run as often as you like. Ends with 0, or with 2 and the file, line and column that cannot be read.";

/// Makes a declaration of agents, queues and tags from another system's export.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// Whose export it is, or `csv` for tables of your own (docs/import.md).
    from: From,
    /// The files, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The workspace that the declaration is for.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    Csv,
    Zendesk,
    Chatwoot,
}

impl Import {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let mut gathered = Gathered::default();
        for file in &self.files {
            eprintln!("reading {}", file.display());
            match self.from {
                From::Csv => csv::read(file, &mut gathered),
                From::Zendesk => read::each(file, |record| zendesk::take(record, &mut gathered)),
                From::Chatwoot => {
                    let team = chatwoot::team_of(file);
                    read::each(file, |record| chatwoot::take(record, team, &mut gathered))
                }
            }
            .map_err(CommandError)?;
        }
        let text = gathered.declaration(self.workspace.as_deref()).map_err(CommandError)?;
        for line in gathered.report() {
            eprintln!("{line}");
        }
        out.write_all(text.as_bytes()).map_err(CommandError::of)?;
        Ok(ExitCode::SUCCESS)
    }
}
