//! `offhook apply`: makes a workspace as a file declares it, and touches nothing else.

mod changes;
pub(super) mod declared;
pub(super) mod live;
pub(super) mod merge;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use super::reach::Reach;
use crate::client::{Address, Client};
use crate::config::Config;
use changes::Plan;
use declared::Declared;
use live::Live;

/// Compares a file with a live workspace, prints what differs, and makes the workspace as the file says.
///
/// What the file does not mention stays as it is: other queues and agents, and members of those that it names. Applying
/// the same file again changes nothing. Secrets of webhooks are the server's, and never shown here.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook apply --diff workspace.toml
  offhook apply workspace.toml
  OFFHOOK_API_KEY=ohk_… offhook apply --server http://10.0.0.5:7788 --workspace acme workspace.toml

Printed are + what is made, ~ what changes, - what goes (with --prune only).
Ends with 0 when the workspace is as declared, 1 when --diff found differences, 2 when something is wrong.")]
pub struct Apply {
    /// Prints the differences and changes nothing.
    #[arg(long)]
    diff: bool,
    /// Removes queues and deactivates agents that the file does not name.
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    reach: Reach,
    /// The workspace; without it, the one that the file names.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// The declaration: see config/workspace.toml for one with every kind of entry.
    #[arg(value_name = "WORKSPACE.TOML")]
    file: PathBuf,
}

/// Makes a workspace as `text` declares it, without a word: for commands that need one.
pub(super) async fn make(address: Address, key: &str, text: &str) -> Result<(), CommandError> {
    let declared = Declared::parse(text).map_err(CommandError::of)?;
    let workspace = declared.workspace.clone().unwrap_or_default();
    let mut live = Live::new(Client::new(address), key.to_owned(), workspace);
    let found = live.read(!declared.webhooks.is_empty()).await.map_err(CommandError::of)?;
    for change in Plan::of(&declared, &found, false).map_err(CommandError::of)?.changes {
        live.make(&change).await.map_err(|error| CommandError(format!("{}{error}", change.place)))?;
    }
    Ok(())
}

impl Apply {
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let shown = self.file.display();
        let text = std::fs::read_to_string(&self.file).map_err(|error| CommandError(format!("{shown}: {error}")))?;
        let declared = Declared::parse(&text).map_err(|error| CommandError(format!("{shown}: {error}")))?;
        let Some(workspace) = self.workspace.clone().or_else(|| declared.workspace.clone()) else {
            return Err(CommandError(format!("{shown}: workspace: name it there, or give --workspace")));
        };
        let (address, key) = self.reach.find(config)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        runtime.block_on(async {
            let mut live = Live::new(Client::new(address), key, workspace);
            let found = live.read(!declared.webhooks.is_empty()).await.map_err(CommandError::of)?;
            let plan =
                Plan::of(&declared, &found, self.prune).map_err(|error| CommandError(format!("{shown}: {error}")))?;
            write!(out, "{plan}").map_err(CommandError::of)?;
            if plan.changes.is_empty() {
                return writeln!(out, "workspace {} is as declared", live.workspace())
                    .map(|()| ExitCode::SUCCESS)
                    .map_err(CommandError::of);
            }
            if self.diff {
                return Ok(ExitCode::from(1));
            }
            for (done, change) in plan.changes.iter().enumerate() {
                live.make(change).await.map_err(|error| {
                    let of = plan.changes.len();
                    CommandError(format!("{shown}: {}{error} ({done} of {of} changes were made)", change.place))
                })?;
            }
            writeln!(out, "workspace {}: {} changes made", live.workspace(), plan.changes.len())
                .map(|()| ExitCode::SUCCESS)
                .map_err(CommandError::of)
        })
    }
}
