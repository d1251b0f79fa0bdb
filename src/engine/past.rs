//! A workspace as it stood at a position, from its journal alone: the same code as living through it, and nothing written.

use super::load::{LoadFailed, turn_of};
use crate::desk::Desk;
use crate::desk::touched::Touched;
use crate::journal::{Journal, JournalFailed, Position};
use crate::view::CommittedTurn;
use std::sync::Arc;

const PAGE_RECORDS: usize = 1_024;
const PAGE_BYTES: usize = 4 << 20;

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastFailed {
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    #[error(transparent)]
    Record(#[from] LoadFailed),
    #[error("the journal of {workspace:?} begins at {first}: what came before was cut, so no desk can be made from it")]
    Cut { workspace: Arc<str>, first: Position },
    #[error("the journal of {workspace:?} ends at {last}, before {asked}")]
    NotYet { workspace: Arc<str>, last: Position, asked: Position },
}

/// The desk right after the record at `at`, or after the last one.
///
/// # Errors
/// The journal cannot be read, was cut, or does not reach that far.
pub async fn desk_at(
    journal: &dyn Journal,
    workspace: &Arc<str>,
    at: Option<Position>,
) -> Result<(Desk, Position), PastFailed> {
    each_turn(journal, workspace, at, |_, _, _| {}).await
}

/// The same, with a look at the desk right after each turn, and at what the turn touched.
///
/// # Errors
/// As [`desk_at`].
pub async fn each_turn(
    journal: &dyn Journal,
    workspace: &Arc<str>,
    at: Option<Position>,
    mut see: impl FnMut(&Desk, &CommittedTurn, &Touched),
) -> Result<(Desk, Position), PastFailed> {
    let mut desk = Desk::default();
    let mut last = Position::NOTHING;
    loop {
        let page = journal.read(workspace, last, PAGE_RECORDS, PAGE_BYTES).await?;
        if page.is_empty() {
            return match at {
                Some(asked) if last < asked => Err(PastFailed::NotYet { workspace: workspace.clone(), last, asked }),
                _ => Ok((desk, last)),
            };
        }
        for stored in &page {
            if at.is_some_and(|at| last >= at) {
                return Ok((desk, last));
            }
            if stored.position != last.next() {
                return Err(PastFailed::Cut { workspace: workspace.clone(), first: stored.position });
            }
            let turn = turn_of(stored)?;
            desk.replay(turn.now, &turn.events, &turn.outcomes);
            let touched = desk.take_touched();
            see(&desk, &turn, &touched);
            last = stored.position;
        }
    }
}
