//! `offhook check --data`: whether this version reads what a data directory holds. Reads formats and the newest record of each workspace.

use std::path::Path;
use std::sync::Arc;

use super::CommandError;
use crate::audit;
use crate::desk::event::Event;
use crate::gateway::signin;
use crate::journal::sqlite::{FILE_NAME, ReadOnlyJournal};
use crate::journal::{Journal, record};
use crate::{seal, view, webhooks};

/// Changes nothing, and may run beside a server.
pub(super) fn check(dir: &Path) -> Result<(), CommandError> {
    view::check_format(&dir.join(view::FILE_NAME)).map_err(CommandError::of)?;
    for store in [seal::STORE, audit::STORE, signin::STORE, webhooks::STORE] {
        store.check(dir).map_err(CommandError::of)?;
    }
    // A first start has nothing to be read.
    if !dir.join(FILE_NAME).is_file() {
        return Ok(());
    }
    let journal = ReadOnlyJournal::open(dir).map_err(CommandError::of)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
    runtime.block_on(async {
        for workspace in journal.workspaces().await.map_err(CommandError::of)? {
            newest(&journal, &workspace).await?;
        }
        Ok(())
    })
}

/// What was written last is what a newer version may have written.
async fn newest(journal: &ReadOnlyJournal, workspace: &Arc<str>) -> Result<(), CommandError> {
    let Some(stored) = journal.tail(workspace).await.map_err(CommandError::of)? else { return Ok(()) };
    let unread = |what: &dyn std::fmt::Display| {
        CommandError(format!("{workspace}, position {}: this version does not read it: {what}", stored.position.0))
    };
    let decoded = record::decode(&stored.body).map_err(|error| unread(&error))?;
    for event in &decoded.events {
        serde_json::from_str::<Event>(event.get()).map_err(|error| unread(&error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_data_is_sound_and_one_of_a_newer_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check(dir.path()).is_ok());
        assert!(check(&dir.path().join("nowhere")).is_ok());
        let stores = [seal::STORE, audit::STORE, signin::STORE, webhooks::STORE].map(|store| store.name);
        for name in [FILE_NAME, view::FILE_NAME].into_iter().chain(stores) {
            let path = dir.path().join(name);
            let db = rusqlite::Connection::open(&path).unwrap();
            db.pragma_update(None, "user_version", 1_000).unwrap();
            drop(db);
            let refused = check(dir.path()).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("1000"), "{refused}");
            std::fs::remove_file(path).unwrap();
        }
    }
}
