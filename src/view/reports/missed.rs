//! Reports that are behind, since a release before them wrote the view: they count the journal's records until they have caught up. Where
//! those are gone, they begin anew. And what is forgotten of reports.

use super::live::Counted;
use super::seed::seed;
use super::table::{Rows, prune};
use crate::view::batch::CommittedTurn;
use crate::view::failed::{OrFailed, ViewFailed};
use crate::view::write::Writer;
use std::sync::Arc;

/// Cells that one transaction forgets at most.
const STEP_CELLS: i64 = 2_000;

/// What the reports of a workspace have not counted.
pub(in crate::view) enum Missed {
    /// Records one after the other, from behind this position.
    Turns { workspace: Arc<str>, after: u64, turns: Vec<CommittedTurn> },
    /// They are nowhere any more: reports go on from how everything stands.
    Gone { workspace: Arc<str> },
}

#[derive(Clone, Copy)]
pub(in crate::view) struct OldReports {
    pub before_ms: u64,
    /// Of this workspace alone.
    pub only: Option<&'static str>,
}

impl Writer {
    /// How far the workspace's reports have come by it.
    pub(in crate::view) fn catch_up(&mut self, missed: Missed) -> Result<u64, ViewFailed> {
        let doing = "counting what reports have missed";
        let (Missed::Turns { workspace, .. } | Missed::Gone { workspace }) = &missed;
        let Some(mut stand) = self.workspaces.get(workspace).copied() else { return Ok(0) };
        if stand.reported == stand.position {
            return Ok(stand.reported);
        }
        let transaction = self.connection.transaction().or_failed(doing)?;
        let number = stand.number;
        match &missed {
            Missed::Turns { after, turns, .. } => {
                let next = turns.iter().zip(after + 1..).all(|(turn, position)| turn.position == position);
                if *after != stand.reported || !next {
                    return Ok(stand.reported);
                }
                let mut counted = Counted::of(&transaction, number)?;
                // What the view does not have yet comes with its batch.
                for turn in turns.iter().take_while(|turn| turn.position <= stand.position) {
                    counted.turn(&transaction, number, turn)?;
                    stand.reported = turn.position;
                }
                counted.keep(&transaction, number, stand.reported)?;
            }
            Missed::Gone { .. } => {
                let fold = seed(&transaction, number, stand.wall_ms)?;
                let rows = Rows { connection: &transaction, workspace: number };
                rows.forget_standing()?;
                rows.keep(fold, stand.position, stand.wall_ms)?;
                stand.reported = stand.position;
            }
        }
        transaction.commit().or_failed(doing)?;
        self.directory.reached(workspace, stand);
        self.workspaces.insert(workspace.clone(), stand);
        Ok(stand.reported)
    }

    /// How many cells went; fewer than a step's: no more are left.
    pub(in crate::view) fn prune_reports(&mut self, old: OldReports) -> Result<usize, ViewFailed> {
        let doing = "forgetting old reports";
        let transaction = self.connection.transaction().or_failed(doing)?;
        let mut removed = 0;
        for (name, stand) in &self.workspaces {
            if old.only.is_none_or(|only| *only == **name) {
                removed += prune(&transaction, stand.number, old.before_ms, STEP_CELLS - removed as i64)?;
            }
        }
        transaction.commit().or_failed(doing)?;
        Ok(removed)
    }
}
