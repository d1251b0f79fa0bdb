//! `offhook upgrade`: another binary in the running server's place, and back by itself if that does not go well.

use super::CommandError;
use crate::supervisor::{Ask, Conversation, Line};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Puts another binary in the place of the running server, and the old one back if it does not go well.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook upgrade /usr/bin/offhook
  offhook upgrade --status

The supervisor asks the new binary for its version and lets it check settings and data, read-only. Then the old server commits what it has
and ends, and the new one starts on the same listening sockets. If it does not serve within supervisor.upgrade_ready_ms, or dies, hangs or is
not ready within supervisor.probation_ms after that, the old binary is started again: also when its file was replaced meanwhile.

Which binary runs is remembered until the supervisor itself ends. After that, whatever starts the supervisor decides: so install the
new version where it looks, and then name that path here.

Ends with 0 when the new version serves, 1 when the old one serves again, 2 when nothing was touched.")]
pub struct Upgrade {
    /// The new binary.
    #[arg(value_name = "PATH", required_unless_present = "status")]
    binary: Option<PathBuf>,
    /// Shows what the supervisor knows: what runs, restarts, the last upgrade.
    #[arg(long, conflicts_with = "binary")]
    status: bool,
}

impl Upgrade {
    pub(super) fn run(&self, data_dir: &Path, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let ask = match &self.binary {
            Some(path) => Ask::Upgrade(
                std::path::absolute(path).map_err(|error| CommandError(format!("{}: {error}", path.display())))?,
            ),
            None => Ask::Status,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        runtime.block_on(follow(data_dir, &ask, out))
    }
}

async fn follow(dir: &Path, ask: &Ask, out: &mut impl Write) -> Result<ExitCode, CommandError> {
    let nobody = |error| {
        let dir = dir.display();
        CommandError(format!(
            "no supervisor answers in {dir}: {error}; is `offhook serve` running, without --no-supervisor?"
        ))
    };
    let mut conversation = Conversation::begin(dir, ask).await.map_err(nobody)?;
    while let Some(line) = conversation.next().await.map_err(CommandError::of)? {
        let (said, ended) = match line {
            Line::Progress(text) => (text, None),
            Line::Status(facts) => {
                (serde_json::to_string_pretty(&facts).map_err(CommandError::of)?, Some(ExitCode::SUCCESS))
            }
            Line::Outcome { outcome, why } => told(&outcome, why.as_deref()),
        };
        // Whoever has seen enough (a closed pipe) does not stop an upgrade.
        let _ = writeln!(out, "{said}").and_then(|()| out.flush());
        if let Some(code) = ended {
            return Ok(code);
        }
    }
    Err(CommandError("the supervisor ended before it was known how this ends; see its log".to_owned()))
}

fn told(outcome: &str, why: Option<&str>) -> (String, Option<ExitCode>) {
    let why = why.unwrap_or_default();
    match outcome {
        "done" => ("done: the new version serves".to_owned(), Some(ExitCode::SUCCESS)),
        "rolled_back" => (format!("rolled back: {why}; the old version is started again"), Some(ExitCode::from(1))),
        "refused" => (format!("refused: {why}; nothing was touched"), Some(ExitCode::from(2))),
        _ => (format!("{outcome}: {why}"), Some(ExitCode::from(1))),
    }
}
