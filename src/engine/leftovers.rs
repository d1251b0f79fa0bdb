//! Files that nobody has any more: those that no message named in time, and those of conversations and customers that are forgotten.
//! The disk is walked through, so that whatever a crash left behind is found too; and in a cluster, by the node that leads, what the nodes
//! share (`leftovers_shared.rs`).

use super::leftovers_shared::{self, NotSwept};
use super::{Engine, Taking, Workspace};
use crate::clock;
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::files::FileId;
use crate::desk::ids::ConversationId;
use crate::files::{Files, Found, Place};
use crate::seal::KeyNumber;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as signal;

/// Between two sweeps: a quarter of what an unnamed file is kept, within these.
const EVERY_MS_MIN: u64 = 250;
const EVERY_MS_MAX: u64 = 600_000;
/// How long the view may take to reach what is committed; then it is another sweep's turn.
pub(super) const BEHIND: Duration = Duration::from_secs(5);
/// Rows of a conversation that are read at once.
const PAGE: usize = 100;

/// Until the engine stops.
pub(super) async fn sweep(engine: Arc<Engine>, mut stop: signal::Receiver<bool>) {
    let files = engine.files().clone();
    let counting = files.clone();
    if tokio::task::spawn_blocking(move || counting.count()).await.is_err() {
        return tracing::error!("the files could not be counted: none are taken");
    }
    let every_ms = (files.unnamed_kept_ms() / 4).clamp(EVERY_MS_MIN, EVERY_MS_MAX);
    loop {
        if let Err(error) = files.bring().await {
            tracing::warn!(%error, "not all files that are here could be put where the other nodes find them");
        }
        // Where the store cannot be asked for one workspace, it is not waited for once more for each of the others.
        let mut shared = files.shared();
        for workspace in engine.all() {
            if let Err(why) = sweep_of(&engine, &files, &workspace).await {
                tracing::warn!(workspace = %workspace.name(), why, "files could not be swept");
            }
            let Some(store) = shared else { continue };
            if let Err(why) = leftovers_shared::sweep_of(&engine, &files, store, &workspace).await {
                tracing::warn!(workspace = %workspace.name(), %why, "the cluster's files could not be swept");
                shared = shared.filter(|_| !matches!(why, NotSwept::Shared(_)));
            }
        }
        tokio::select! {
            // The pace of the sweeps, which follow no event.
            () = tokio::time::sleep(Duration::from_millis(every_ms)) => {}
            () = super::run::stopped(&mut stop) => return,
        }
    }
}

/// Runs `on` where it may block.
async fn blocking<T: Send + 'static>(on: impl FnOnce() -> T + Send + 'static) -> Result<T, &'static str> {
    tokio::task::spawn_blocking(on).await.map_err(|_| "a thread ended")
}

async fn sweep_of(engine: &Engine, files: &Arc<Files>, workspace: &Arc<Workspace>) -> Result<(), &'static str> {
    engine.until_loaded(workspace).await;
    let (walked, name) = (files.clone(), workspace.name().clone());
    let mut listing = blocking(move || walked.conversations(&name)).await?;
    loop {
        let (walked, name) = (files.clone(), workspace.name().clone());
        let (back, few) = blocking(move || {
            let few = listing.next_few();
            let found = |id| (id, walked.found(&name, id));
            (listing, few.into_iter().map(found).collect::<Vec<_>>())
        })
        .await?;
        listing = back;
        if few.is_empty() {
            return Ok(());
        }
        // What is not in memory must be in the view, or is nowhere: so nothing may be on its way there.
        let reached = engine.view().wait_for(workspace.name(), workspace.position().0, BEHIND).await;
        reached.map_err(|_| "the view is behind")?;
        for (conversation, found) in few {
            sweep_one(engine, files, workspace, conversation, found).await?;
        }
    }
}

async fn sweep_one(
    engine: &Engine,
    files: &Arc<Files>,
    workspace: &Workspace,
    id: ConversationId,
    found: Vec<Found>,
) -> Result<(), &'static str> {
    let unnamed_since = clock::wall_ms().saturating_sub(files.unnamed_kept_ms());
    let (going, cause): (Vec<Found>, _) = match standing(engine, files, workspace, id).await? {
        Standing::NotKnown => return Ok(()),
        Standing::Gone(cause) => (found.clone(), cause),
        Standing::Held(held) => {
            let unnamed = |found: &&Found| found.touched_at < unnamed_since && !held.files().contains(&found.file);
            let mut unnamed: Vec<Found> = found.iter().filter(unnamed).copied().collect();
            not_in_messages(engine, workspace, id, &mut unnamed, |found| found.file).await?;
            (unnamed, "unnamed")
        }
    };
    if going.is_empty() && !found.is_empty() {
        return Ok(());
    }
    if matches!(workspace.taking(), Taking::Nothing { .. }) {
        return Err("the workspace is being loaded");
    }
    let before = if cause == "unnamed" { unnamed_since } else { u64::MAX };
    let (files, workspace, left) = (files.clone(), workspace.name().clone(), found.len() - going.len());
    blocking(move || {
        for found in going {
            let place = Place { workspace: workspace.clone(), conversation: id, file: found.file };
            if let Err(error) = files.remove(&place, before, cause) {
                tracing::warn!(%error, file = %found.file, "a file could not be removed");
            }
        }
        if left == 0 {
            files.remove_empty(&workspace, id);
        }
    })
    .await
}

/// Whose files they are.
pub(super) enum Standing {
    /// As long as it is being loaded, what is open is nowhere to be found.
    NotKnown,
    /// Nobody has them any more.
    Gone(&'static str),
    Held(Box<Conversation>),
}

pub(super) async fn standing(
    engine: &Engine,
    files: &Files,
    workspace: &Workspace,
    id: ConversationId,
) -> Result<Standing, &'static str> {
    if !workspace.was_opened(id) {
        return Ok(Standing::NotKnown);
    }
    let held = match workspace.conversation(id) {
        Some(open) => Some((*open).clone()),
        None => {
            let read = engine.view().conversation(workspace.name(), id).await;
            read.map_err(|_| "the view cannot be read")?
        }
    };
    Ok(match held {
        None => Standing::Gone("forgotten"),
        Some(held) if files.is_erased(KeyNumber(held.key.0)) => Standing::Gone("erased"),
        Some(held) => Standing::Held(Box::new(held)),
    })
}

/// Leaves those that really no message has. A release that did not know of files may have written the conversation without them since; its
/// messages say the truth.
pub(super) async fn not_in_messages<T>(
    engine: &Engine,
    workspace: &Workspace,
    id: ConversationId,
    unnamed: &mut Vec<T>,
    file: impl Fn(&T) -> FileId,
) -> Result<(), &'static str> {
    let mut after = None;
    while !unnamed.is_empty() {
        let read = engine.view().events_of(workspace.name(), id, after, PAGE).await;
        let page = read.map_err(|_| "the view cannot be read")?;
        for row in &page.rows {
            if let Event::MessagePosted { files, .. } = &row.event {
                unnamed.retain(|unnamed| files.iter().all(|named| named.file != file(unnamed)));
            }
        }
        after = page.rows.last().map(|row| (row.position, row.index)).or(after);
        if !page.more {
            break;
        }
    }
    Ok(())
}
