//! `offhook audit`: prints who administered a workspace, and whether the trail is whole.

use super::CommandError;
use crate::audit;
use clap::Args;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook audit demo
  offhook audit demo | tail -20

Each line's sum is over the one before it and itself. Keep the last sum somewhere else (GET /audit gives it): then nobody can write the trail anew.
Ends with 0 when each line follows from the one before it, 1 when one does not (standard error names it), 2 when there is nothing to read.";

/// Prints a workspace's audit trail as lines of JSON, oldest first, and checks that nothing was changed or taken out of it.
///
/// Safe beside a running server.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Audit {
    workspace: String,
}

impl Audit {
    pub(super) fn run(&self, data_dir: &Path, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        if !data_dir.join(audit::STORE.name).is_file() {
            return Err(CommandError(format!(
                "there is no audit trail in {}: name the data directory with --set server.data_dir=PATH",
                data_dir.display()
            )));
        }
        let mut whole = true;
        audit::each(data_dir, &self.workspace, |row, follows| {
            if !follows {
                whole = false;
                eprintln!("number {} does not follow from what is before it", row.number);
            }
            // A closed pipe (`| head`) is enough, and no fault.
            let _ = writeln!(
                out,
                "{{\"number\":{},\"at\":{},\"sum\":\"{}\",\"act\":{}}}",
                row.number, row.at, row.sum, row.line
            );
        })
        .map_err(CommandError::of)?;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
