//! Files of a cluster that nobody has any more, removed from what the nodes share, by the node that leads their workspace.
//!
//! A node that stood still may believe that it leads and knows nothing of what was named meanwhile. So what would go is looked up, then the
//! journal is asked for its end and waited for, and what it says is held against it once more; and each is removed only as it was looked up,
//! which a file that is going to be named is not any more (`files/shared/`).

use super::leftovers::{BEHIND, Standing, not_in_messages, standing};
use super::{Engine, Taking, Workspace};
use crate::clock;
use crate::files::{Begun, Entry, Files, NotShared, SharedFiles};
use crate::telemetry::catalogue::FILES_SHARED_REMOVED_TOTAL;
use std::sync::Arc;

/// What was begun so long ago and is not whole never will be: a node gives up after a minute.
const BROKEN_OFF_MS: u64 = 600_000;
/// Files of a workspace that are removed in one sweep.
const REMOVED_MAX: usize = 10_000;

/// Of what is there in the store.
struct Going {
    begun: Begun,
    entry: Option<Entry>,
}

/// The rest goes with the next sweep.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSwept {
    /// So it is for other workspaces too.
    #[error(transparent)]
    Shared(#[from] NotShared),
    #[error("{0}")]
    Here(&'static str),
}

pub(super) async fn sweep_of(
    engine: &Engine,
    files: &Files,
    shared: &SharedFiles,
    workspace: &Arc<Workspace>,
) -> Result<(), NotSwept> {
    if workspace.leads().is_none() {
        return Ok(());
    }
    let mut walk = shared.walk(workspace.name()).await?;
    let mut removed = 0;
    while removed < REMOVED_MAX {
        let end = shared.end().await?;
        let few = walk.next_few().await?;
        if few.is_empty() {
            break;
        }
        caught_up(engine, workspace, workspace.position().0).await?;
        let mut going = Vec::new();
        for begun in few {
            if why(engine, files, workspace, &begun, None).await?.is_some() {
                let entry = shared.entry(&begun.place).await?;
                going.push(Going { begun, entry });
            }
        }
        if going.is_empty() {
            continue;
        }
        let last = engine.journal().tail(workspace.name()).await;
        let last = last.map_err(|_| NotSwept::Here("the journal cannot be asked for its end"))?;
        caught_up(engine, workspace, last.map_or(0, |last| last.position.0)).await?;
        for Going { begun, entry } in going {
            let Some(cause) = why(engine, files, workspace, &begun, Some(entry.as_ref())).await? else { continue };
            if workspace.leads().is_none() || matches!(workspace.taking(), Taking::Nothing { .. }) {
                return Err(NotSwept::Here("this node leads it no more"));
            }
            if shared.remove(&begun, entry.as_ref(), end).await? {
                metrics::counter!(FILES_SHARED_REMOVED_TOTAL, "cause" => cause).increment(1);
                removed += 1;
            }
        }
    }
    walk.end().await;
    Ok(())
}

/// What is not in memory must be in the view, or is nowhere: so nothing may be on its way there.
async fn caught_up(engine: &Engine, workspace: &Workspace, position: u64) -> Result<(), NotSwept> {
    let reached = engine.view().wait_for(workspace.name(), position, BEHIND).await;
    reached.map_err(|_| NotSwept::Here("the view is behind"))
}

/// Why it goes, if it does; as far as that can be said before it was looked up (`None`), or with what was found then.
async fn why(
    engine: &Engine,
    files: &Files,
    workspace: &Workspace,
    begun: &Begun,
    found: Option<Option<&Entry>>,
) -> Result<Option<&'static str>, NotSwept> {
    let place = &begun.place;
    let before = |kept_ms: u64| clock::wall_ms().saturating_sub(kept_ms);
    let held = match standing(engine, files, workspace, place.conversation).await.map_err(NotSwept::Here)? {
        Standing::NotKnown => return Ok(None),
        // It may still be on its way, and what comes behind its removal would never be found.
        Standing::Gone(_) if matches!(found, Some(None)) && begun.at_ms >= before(BROKEN_OFF_MS) => return Ok(None),
        Standing::Gone(cause) => return Ok(Some(cause)),
        Standing::Held(held) => held,
    };
    let (at_ms, cause, since) = match found {
        Some(Some(entry)) => (entry.at_ms, "unnamed", before(files.unnamed_kept_ms())),
        Some(None) => (begun.at_ms, "broken_off", before(files.unnamed_kept_ms().max(BROKEN_OFF_MS))),
        // It was put after it was begun.
        None => (begun.at_ms, "unnamed", before(files.unnamed_kept_ms())),
    };
    if at_ms >= since || held.files().contains(&place.file) {
        return Ok(None);
    }
    let mut unnamed = vec![place.file];
    let looked = not_in_messages(engine, workspace, place.conversation, &mut unnamed, |file| *file).await;
    looked.map_err(NotSwept::Here)?;
    Ok((!unnamed.is_empty()).then_some(cause))
}
