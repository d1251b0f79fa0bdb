//! `offhook why`: explains a decision, now or at any position that the journal still holds, from the data directory alone.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::CommandError;
use crate::desk::ids::ConversationId;
use crate::engine::past;
use crate::journal::Position;
use crate::journal::sqlite::ReadOnlyJournal;

/// Says why a conversation is not offered, or to whom it would be first; or why an agent is idle.
///
/// Safe beside a running server: it reads committed records, takes no lock and writes nothing. It replays the workspace's
/// journal from its beginning to the position, so it needs one that was not cut before that.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  offhook why conversation c12 --workspace demo\n  \
                        offhook why agent ann --workspace demo --position 800\n\n\
                        The position before an offer was made is what it was decided on. Ends with 0, or with 2 when\n\
                        there is nothing to say.")]
pub struct Why {
    #[command(subcommand)]
    of: Of,
    #[arg(long, global = true, default_value = "demo")]
    workspace: String,
    /// As it was right after this record of the journal; without it, as it is now.
    #[arg(long, global = true, value_name = "POSITION")]
    position: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum Of {
    /// Who could take it and in which order, and which rule excludes everybody else.
    Conversation { conversation: ConversationId },
    /// What it could take next, and which rule keeps each group that waits from it.
    Agent { agent: String },
}

impl Why {
    pub(super) fn run(&self, data_dir: &Path, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        let journal = ReadOnlyJournal::open(data_dir).map_err(CommandError::of)?;
        let workspace: Arc<str> = self.workspace.as_str().into();
        let at = self.position.map(Position);
        let (desk, position) = runtime.block_on(past::desk_at(&journal, &workspace, at)).map_err(CommandError::of)?;
        let why = match &self.of {
            Of::Conversation { conversation } => desk.why_conversation(*conversation).map(|why| json!(why)),
            Of::Agent { agent } => desk.agent_named(agent).and_then(|id| desk.why_agent(id)).map(|why| json!(why)),
        };
        let why = why.ok_or_else(|| {
            let what = match &self.of {
                Of::Conversation { conversation } => format!("conversation {conversation}"),
                Of::Agent { agent } => format!("agent {agent}"),
            };
            CommandError(format!("at position {position} the desk of {workspace:?} holds no {what}"))
        })?;
        let said = json!({ "position": position, "why": why });
        writeln!(out, "{said:#}").map_err(CommandError::of)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::desk::Desk;
    use crate::desk::needs::Loaded;
    use crate::desk::time::{DeskTime, Now, WallTime};
    use crate::journal::record::{self, Head};
    use crate::journal::sqlite::{Settings, SqliteJournal};
    use crate::journal::{Appended, Journal as _, NewRecord, TurnId};
    use crate::simulate::notation;
    use clap::Parser;
    use serde_json::Value;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        why: Why,
    }

    fn why(words: &str, dir: &Path) -> Result<Value, String> {
        let words = std::iter::once("why").chain(words.split(' '));
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        line.why.run(dir, &mut out).map_err(|error| error.to_string())?;
        Ok(serde_json::from_slice(&out).unwrap())
    }

    /// A data directory whose journal has one record for each line, a millisecond apart.
    pub(in crate::cli) fn lived(lines: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { kept_back_bytes: 64 * 1024, ..Settings::default() };
        let journal = SqliteJournal::open(dir.path(), settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut desk = Desk::default();
        for (place, line) in lines.iter().enumerate() {
            let ms = place as u64;
            let now = Now { desk: DeskTime(ms), wall: WallTime(ms) };
            let mut events = Vec::new();
            desk.handle(now, &notation::command(line).unwrap(), &Loaded::default(), &mut events).unwrap();
            let (position, turn) = (Position(ms + 1), TurnId(u128::from(ms)));
            let head = Head { position, turn, desk_ms: ms, wall_ms: ms, lead: None };
            let nothing: [Value; 0] = [];
            let body = record::encode(&head, &events, &nothing);
            let record = NewRecord { turn, expected: Position(ms), body, last_resort: false };
            assert_eq!(runtime.block_on(journal.append(&"demo".into(), record)), Appended::Committed(position));
        }
        dir
    }

    #[test]
    fn a_decision_of_the_past_is_explained_by_replaying_to_it() {
        let dir = lived(&[
            "admin queue support",
            "admin agent a0 queues=support",
            "a0 comes s0",
            "u1 opens chat in support skills=french:3",
            "admin agent a0 skills=french:3",
            "a0 sets available",
            "a0 accepts o1",
        ]);
        let rule = |position: &str| {
            let said = why(&format!("conversation c1 --workspace demo --position {position}"), dir.path()).unwrap();
            said["why"]["excluded"][0]["rule"].clone()
        };
        assert_eq!((rule("4"), rule("5")), ("status_not_available".into(), "status_not_available".into()));
        let offered = why("conversation c1 --position 6", dir.path()).unwrap();
        assert_eq!(offered["why"]["offered_to"][0]["agent"], "a0");
        let now = why("conversation c1", dir.path()).unwrap();
        assert_eq!((&now["position"], &now["why"]["owner"]), (&7.into(), &"a0".into()));
        let idle = why("agent a0 --position 4", dir.path()).unwrap();
        assert_eq!(idle["why"]["excluded"], "status_not_available");
        let group = &idle["why"]["groups"][0];
        assert_eq!((&group["first"], &group["waiting"]), (&1.into(), &1.into()));
        assert!(why("conversation c1 --position 3", dir.path()).unwrap_err().contains("holds no conversation c1"));
        assert!(why("conversation c1 --position 8", dir.path()).unwrap_err().contains("ends at 7, before 8"));
        assert!(why("agent nobody", dir.path()).unwrap_err().contains("holds no agent nobody"));
    }
}
