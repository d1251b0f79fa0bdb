//! What is on the disk, walked through in steps: so that a million files are never a list in memory.

use super::{Files, Place};
use crate::desk::files::FileId;
use crate::desk::ids::ConversationId;
use std::collections::BTreeMap;
use std::fs::{DirEntry, Metadata, ReadDir};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Conversations that are looked at in one step.
const STEP: usize = 256;

/// A file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub file: FileId,
    /// Unix milliseconds: since when nobody has touched it.
    pub touched_at: u64,
}

/// Conversations of a workspace that have a directory.
#[derive(Debug)]
pub struct Listing(Option<ReadDir>);

impl Listing {
    /// The next few; none: there are no more.
    pub fn next_few(&mut self) -> Vec<ConversationId> {
        let Some(entries) = &mut self.0 else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).take(STEP).collect()
    }
}

impl Files {
    /// Counts what is there, once, before anything is taken.
    pub fn count(&self) {
        let mut found = BTreeMap::new();
        for workspace in self.workspaces() {
            let mut listing = self.conversations(&workspace);
            let mut bytes = 0;
            loop {
                let few = listing.next_few();
                if few.is_empty() {
                    break;
                }
                let of = |id: &ConversationId| entries(&self.dir_in(&workspace, *id));
                bytes += few.iter().flat_map(of).map(|(_, found)| found.len()).sum::<u64>();
            }
            found.insert(workspace, bytes);
        }
        self.rooms.counted(found);
    }

    /// Those that have a directory.
    #[must_use]
    pub fn workspaces(&self) -> Vec<Arc<str>> {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str().map(Arc::from)).collect()
    }

    #[must_use]
    pub fn conversations(&self, workspace: &str) -> Listing {
        Listing(std::fs::read_dir(self.dir.join(workspace)).ok())
    }

    /// A conversation's files; what is left of uploads that broke off goes.
    #[must_use]
    pub fn found(&self, workspace: &Arc<str>, conversation: ConversationId) -> Vec<Found> {
        let mut found = Vec::new();
        for (entry, metadata) in entries(&self.dir_in(workspace, conversation)) {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Ok(file) = name.parse() {
                found.push(Found { file, touched_at: touched_at(&metadata) });
            } else if let Some(part) = part_of(name)
                && !self.parts().contains(&part)
                && std::fs::remove_file(entry.path()).is_ok()
            {
                self.rooms.give(workspace, metadata.len());
                removed("broken_off");
            }
        }
        found
    }

    /// Where a conversation's files are; nothing is looked at but their names.
    pub(super) fn places(&self, workspace: &Arc<str>, conversation: ConversationId) -> Vec<Place> {
        let names = entries(&self.dir_in(workspace, conversation))
            .filter_map(|(entry, _)| entry.file_name().to_str()?.parse().ok());
        names.map(|file| Place { workspace: workspace.clone(), conversation, file }).collect()
    }

    /// Removes a file that nobody has touched since before then.
    ///
    /// # Errors
    /// The disk does not let it.
    pub fn remove(&self, place: &Place, untouched_since: u64, cause: &'static str) -> io::Result<()> {
        let path = self.path_of(place);
        let _naming = self.naming();
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) if touched_at(&metadata) < untouched_since => metadata,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        std::fs::remove_file(&path)?;
        self.rooms.give(&place.workspace, metadata.len());
        removed(cause);
        Ok(())
    }

    /// Removes the directory of a conversation that has no files any more.
    pub fn remove_empty(&self, workspace: &Arc<str>, conversation: ConversationId) {
        // One that is not empty stays.
        let _ = std::fs::remove_dir(self.dir_in(workspace, conversation));
    }

    fn dir_in(&self, workspace: &Arc<str>, conversation: ConversationId) -> std::path::PathBuf {
        self.dir.join(&**workspace).join(conversation.to_string())
    }
}

pub(super) fn removed(cause: &'static str) {
    metrics::counter!(crate::telemetry::catalogue::FILES_REMOVED_TOTAL, "cause" => cause).increment(1);
}

fn entries(dir: &Path) -> impl Iterator<Item = (DirEntry, Metadata)> + use<> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        Some((entry, metadata))
    })
}

pub(super) fn touched_at(metadata: &Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Of `FILE.RANDOM.part`.
fn part_of(name: &str) -> Option<u128> {
    let (_, random) = name.strip_suffix(".part")?.rsplit_once('.')?;
    u128::from_str_radix(random, 16).ok()
}
