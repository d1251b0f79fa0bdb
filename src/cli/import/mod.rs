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
mod history;
mod read;
#[cfg(test)]
mod tests;
mod zendesk;

use super::CommandError;
use super::reach::Reach;
use crate::config::Config;
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
  offhook import zendesk users.json groups.json tickets.ndjson comments_*.json --history --workspace acme

Standard output is a declaration for `offhook apply`; standard error says what was read and what has no place here. Nothing is changed, so it
may be run as often as you like. Ends with 0, or with 2 and the file, line and column that cannot be read.

With --history closed conversations are sent to a running server. What is there already is not sent twice, so it may be broken off and run
again. Ends with 0 when all are there, 1 when some were refused, 2 when it could not go on.";

/// Makes a declaration of agents, queues and tags from another system's export; with --history, sends its closed conversations to a server.
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
    /// Sends closed conversations to a running server, in place of making a declaration.
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    reach: Reach,
    /// With --history: the queue for conversations whose own is not there; without it, the workspace's default queue.
    #[arg(long, value_name = "NAME", requires = "history")]
    queue: Option<String>,
    /// With --history: how the server knows this system, where there are several of a kind.
    #[arg(long, value_name = "NAME", requires = "history")]
    source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    Csv,
    Zendesk,
    Chatwoot,
}

impl Import {
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        if self.history {
            return history::run(self, self.reach.find(config)?, out);
        }
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
