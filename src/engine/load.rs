//! A workspace's desk as it was left: the view's entities, and the journal's records that came after them.

use super::keyed;
use super::project::Projection;
use super::turn::Keeper;
use crate::clock;
use crate::desk::Desk;
use crate::desk::answer::Outcome;
use crate::desk::event::Event;
use crate::desk::stored::RowDamaged;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::journal::record::{self, Lead, Record, RecordDamaged};
use crate::journal::{Journal, JournalFailed, Position, StoredRecord};
use crate::seal::{KeyRing, SealFailed};
use crate::view::{CommittedTurn, View, ViewFailed};
use std::sync::Arc;

const READ_RECORDS_MAX: usize = 1_024;
const READ_BYTES_MAX: usize = 4 << 20;
/// While catching up, the view is fed at this much, so that a long tail does not pile up in memory.
const FEED_BYTES: usize = 16 << 20;

/// Why a workspace cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailed {
    #[error(transparent)]
    View(#[from] ViewFailed),
    #[error(transparent)]
    Row(#[from] RowDamaged),
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    #[error("what another node sealed cannot be opened yet: {0}")]
    Keyless(SealFailed),
    #[error("record {position} is damaged: {why}; run `offhook journal verify`")]
    Record { position: Position, why: RecordDamaged },
    #[error("record {position} holds an {what} that this release cannot read: {why}")]
    Line { position: Position, what: &'static str, why: String },
    #[error(
        "the journal begins at {first}, and the view ends at {view}: what is between them is lost; restore a backup"
    )]
    Gap { first: Position, view: Position },
}

/// A node of a cluster that may have no hole in what it shows: it ends, and does not start again with this view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal of {workspace} begins at {first} by now, and the view here ends at {view}: the others have cut what is between them. At a node \
     that runs: `offhook backup --whole --to DIR`. Here: `offhook restore --new-node --from DIR --data-dir NEW`, into an empty directory, from \
     which this node is started then"
)]
pub struct LeftBehind {
    pub workspace: Arc<str>,
    /// The first record that there is.
    pub first: Position,
    pub view: Position,
}

impl LoadFailed {
    /// The same of a node.
    #[must_use]
    pub fn left_behind(&self, workspace: &Arc<str>) -> Option<LeftBehind> {
        match self {
            LoadFailed::Gap { first, view } => {
                Some(LeftBehind { workspace: workspace.clone(), first: *first, view: *view })
            }
            LoadFailed::View(_)
            | LoadFailed::Row(_)
            | LoadFailed::Journal(_)
            | LoadFailed::Keyless(_)
            | LoadFailed::Record { .. }
            | LoadFailed::Line { .. } => None,
        }
    }

    /// Whether waiting may mend it; otherwise an operator must.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, LoadFailed::View(_) | LoadFailed::Journal(_) | LoadFailed::Keyless(_))
    }
}

/// Load a workspace; what the view does not have yet is in the projection.
///
/// # Errors
/// As [`LoadFailed`] says; nothing was changed.
pub async fn load(
    workspace: &Arc<str>,
    view: &Arc<View>,
    journal: &Arc<dyn Journal>,
    keys: &KeyRing,
) -> Result<(Keeper, Projection), LoadFailed> {
    let stored = view.load(workspace).await?;
    let rows = stored.rows.iter().map(|(kind, id, body)| (kind.as_str(), id.as_str(), body.as_slice()));
    let desk = Desk::from_rows(rows, stored.conversations)?;
    let mut keeper = Keeper::new(desk, Position(stored.position));
    let mut projection = Projection::from(workspace.clone(), view.clone(), stored.position);
    loop {
        let after = keeper.position();
        let records = journal.read(workspace, after, READ_RECORDS_MAX, READ_BYTES_MAX).await?;
        let Some(first) = records.first() else { break };
        if first.position != after.next() {
            return Err(LoadFailed::Gap { first: first.position, view: after });
        }
        for stored in &records {
            let (turn, lead) = read(stored)?;
            keyed::until_known(keys, keyed::of_events(&turn.events)).await.map_err(LoadFailed::Keyless)?;
            keeper.replay(stored.position, turn.now, &turn.events, &turn.outcomes);
            keeper.led_by(lead);
            let touched = keeper.take_touched();
            projection.add(turn, touched, stored.body.len());
        }
        if projection.lag_bytes() > FEED_BYTES {
            projection.hand_over(&keeper, clock::monotonic_ms());
            projection.written(clock::monotonic_ms).await?;
        }
    }
    keeper.look_at_everything();
    Ok((keeper, projection))
}

/// A record's content.
///
/// # Errors
/// It is damaged, or of a newer release.
pub fn turn_of(stored: &StoredRecord) -> Result<CommittedTurn, LoadFailed> {
    read(stored).map(|(turn, _)| turn)
}

/// The same, and in a cluster who wrote it.
///
/// # Errors
/// As [`turn_of`].
pub(super) fn read(stored: &StoredRecord) -> Result<(CommittedTurn, Option<Lead>), LoadFailed> {
    let position = stored.position;
    let Record { head, events, outcomes } =
        record::decode(&stored.body).map_err(|why| LoadFailed::Record { position, why })?;
    let line = |what| move |why: serde_json::Error| LoadFailed::Line { position, what, why: why.to_string() };
    let events: Result<Vec<Event>, _> = events.iter().map(|raw| serde_json::from_str(raw.get())).collect();
    let outcomes: Result<Vec<Outcome>, _> = outcomes.iter().map(|raw| serde_json::from_str(raw.get())).collect();
    let turn = CommittedTurn {
        position: position.0,
        now: Now { desk: DeskTime(head.desk_ms), wall: WallTime(head.wall_ms) },
        events: events.map_err(line("event"))?,
        outcomes: outcomes.map_err(line("outcome"))?,
    };
    Ok((turn, head.lead))
}
