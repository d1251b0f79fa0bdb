//! The view at a start: made anew where there is none, and looked at whether the journal goes on from it.

use super::cluster::patiently;
use super::{StartFailed, failed};
use crate::clock;
use crate::engine::LeftBehind;
use crate::engine::workspace::PROBES;
use crate::journal::{Journal, JournalFailed, Position};
use crate::view::{self, View};
use std::path::Path;
use std::sync::Arc;

/// # Errors
/// It cannot be opened, or the journal does not go on from it.
pub(super) async fn open_view(dir: &Path, journal: &Arc<dyn Journal>, of_node: bool) -> Result<Arc<View>, StartFailed> {
    let doing = "opening the view";
    // Asked before, since opening may not wait: a journal that was cut cannot make the view anew.
    let mut firsts = Vec::new();
    // The probe's journal is cut all the time.
    let workspaces = journal.workspaces().await.map_err(failed("asking the journal"))?;
    for workspace in workspaces.into_iter().filter(|name| **name != *PROBES) {
        let first = journal.read(&workspace, Position(0), 1, 1).await.map_err(failed("asking the journal"))?;
        firsts.extend(first.first().map(|record| (workspace, record.position)));
    }
    let whole = firsts.iter().all(|(_, first)| *first == Position(1));
    let view = View::open(dir, view::Settings::with_clock(clock::instant), move || whole).map_err(failed(doing))?;
    if of_node {
        goes_on(&view, &firsts).map_err(failed(doing))?;
        // Whoever is asked may be behind for a moment.
        patiently("comparing the view with the journal", |_| false, || is_ahead(&view, journal)).await?;
    }
    if view.position(PROBES) == 0 || !probes_go_on(&view, journal).await? {
        // Made anew, or brought from elsewhere: from the probe's journal that cannot be, and nobody misses it.
        journal.forget(&PROBES.into()).await.map_err(failed("forgetting the probe's journal"))?;
    }
    Ok(view)
}

/// Whether the journal goes on from a view, which begins so for each workspace; records that were cut are in it alone.
///
/// # Errors
/// What is between the two is in neither.
fn goes_on(view: &View, firsts: &[(Arc<str>, Position)]) -> Result<(), LeftBehind> {
    let behind = |(name, first): &&(Arc<str>, Position)| first.0 > view.position(name) + 1;
    firsts.iter().find(behind).map_or(Ok(()), |(workspace, first)| {
        let view = Position(view.position(workspace));
        Err(LeftBehind { workspace: workspace.clone(), first: *first, view })
    })
}

/// Why a node must not go on with its view.
#[derive(Debug, thiserror::Error)]
enum Ahead {
    #[error(
        "the view here has {workspace} up to {view}, and the cluster's journal ends at {last}: that is another journal, or records of it were \
         lost. Look at `cluster.name` and at the stream; to go on with the journal as it is, start from an empty directory with the key files"
    )]
    Of { workspace: Arc<str>, view: Position, last: Position },
    #[error(transparent)]
    Journal(#[from] JournalFailed),
}

/// What is shown here and is in no journal would never be decided upon again.
///
/// # Errors
/// The view has more than the journal.
async fn is_ahead(view: &View, journal: &Arc<dyn Journal>) -> Result<(), Ahead> {
    for workspace in view.workspaces().into_iter().filter(|name| **name != *PROBES) {
        let last = journal.tail(&workspace).await?.map_or(Position::NOTHING, |last| last.position);
        let view = Position(view.position(&workspace));
        if view > last {
            return Err(Ahead::Of { workspace, view, last });
        }
    }
    Ok(())
}

/// Whether the probe's journal, which is this node's own, goes on from a view, which may have been another node's.
///
/// # Errors
/// The journal cannot be asked.
async fn probes_go_on(view: &View, journal: &Arc<dyn Journal>) -> Result<bool, StartFailed> {
    let (probes, stands) = (Arc::from(PROBES), Position(view.position(PROBES)));
    let asking = "asking the probe's journal";
    let tail = journal.tail(&probes).await.map_err(failed(asking))?;
    let next = journal.read(&probes, stands, 1, 1).await.map_err(failed(asking))?;
    Ok(match next.first() {
        Some(next) => next.position == stands.next(),
        None => tail.is_none_or(|tail| tail.position == stands),
    })
}
