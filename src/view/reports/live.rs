//! Reports that keep up: each turn is counted in the transaction that projects it.

use super::fold::Fold;
use super::table::{Progress, Rows, progress};
use crate::view::batch::CommittedTurn;
use crate::view::failed::ViewFailed;
use crate::view::keys::WorkspaceNumber;
use rusqlite::Connection;

/// What one transaction counts of one workspace.
pub(in crate::view) struct Counted {
    fold: Fold,
    since_ms: u64,
}

impl Counted {
    pub fn of(connection: &Connection, workspace: WorkspaceNumber) -> Result<Self, ViewFailed> {
        let Progress { position: _, wall_ms, since_ms, facts } = progress(connection, workspace)?;
        Ok(Self { fold: Fold::of(facts, wall_ms), since_ms })
    }

    pub fn turn(
        &mut self,
        connection: &Connection,
        workspace: WorkspaceNumber,
        turn: &CommittedTurn,
    ) -> Result<(), ViewFailed> {
        self.fold.turn(turn.now.wall.0, &turn.events, &mut Rows { connection, workspace })
    }

    /// Writes it, as of this position, which it gives back.
    pub fn keep(self, connection: &Connection, workspace: WorkspaceNumber, position: u64) -> Result<u64, ViewFailed> {
        Rows { connection, workspace }.keep(self.fold, position, self.since_ms)?;
        Ok(position)
    }
}
