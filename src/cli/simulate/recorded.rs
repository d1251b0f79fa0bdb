//! A scenario out of a workspace's journal: what happened there, to be lived again under other settings.

use std::path::Path;
use std::sync::Arc;

use super::workspace::Workspace;
use crate::cli::CommandError;
use crate::engine::past;
use crate::journal::Position;
use crate::journal::sqlite::ReadOnlyJournal;
use crate::simulate::staffing::{Recorded, Recorder};

/// The stretch of records, the first and the last of it.
pub(super) struct Stretch {
    pub from: Option<u64>,
    pub to: Option<u64>,
}

pub(super) fn read(data_dir: &Path, workspace: &str, stretch: &Stretch) -> Result<(Workspace, Recorded), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
    let journal = ReadOnlyJournal::open(data_dir).map_err(CommandError::of)?;
    let workspace: Arc<str> = workspace.into();
    let first = stretch.from.unwrap_or(1);
    let mut recorder = Recorder::default();
    let replayed = past::each_turn(&journal, &workspace, stretch.to.map(Position), |desk, turn, touched| {
        if turn.position >= first {
            recorder.see(desk, &turn.events, &touched.agents);
        } else if turn.position + 1 == first {
            recorder.begin(desk);
        }
    });
    let (desk, last) = runtime.block_on(replayed).map_err(CommandError::of)?;
    let recorded = recorder
        .end(&desk)
        .map_err(|nothing| CommandError(format!("the journal of {workspace:?} from {first} to {last}: {nothing}")))?;
    Ok((Workspace::of(&desk), recorded))
}
