//! Quotas that are set for single workspaces, in `quotas.json` beside the data: written whole, synced, and put in place by a rename.
//!
//! No part of the journal: they are the operator's and not the workspace's, say nothing of what happened, and an older release, which
//! knows nothing of them, serves without.

use super::{OwnQuota, Quota};
use crate::cluster::NotShared;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const FILE_NAME: &str = "quotas.json";
/// The most workspaces there are, with all that may be set for each.
const FILE_BYTES_MAX: u64 = 8 << 20;
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Whole {
    format: u32,
    workspaces: BTreeMap<Arc<str>, OwnQuota>,
}

/// Why the file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    #[error("{} cannot be read or written: {why}", .path.display())]
    File { path: PathBuf, why: io::Error },
    #[error("{} is not one of this release's ({why}): restore it, or remove it and set the quotas again", .path.display())]
    Damaged { path: PathBuf, why: String },
    #[error(transparent)]
    Shared(#[from] NotShared),
}

/// What is for all, and what is set for each.
#[derive(Debug)]
pub struct Quotas {
    usual: Quota,
    dir: PathBuf,
    own: Mutex<BTreeMap<Arc<str>, OwnQuota>>,
}

impl Quotas {
    /// # Errors
    /// The file is there and cannot be read: to go on without it would lift what it sets.
    pub fn open(dir: &Path, usual: Quota) -> Result<Self, NotKept> {
        let path = dir.join(FILE_NAME);
        let mut text = String::new();
        let own = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(why) => return Err(NotKept::File { path, why }),
            Ok(file) => {
                let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
                read.map_err(|why| NotKept::File { path: path.clone(), why })?;
                let damaged = |why: String| NotKept::Damaged { path: path.clone(), why };
                let whole: Whole = serde_json::from_str(&text).map_err(|why| damaged(why.to_string()))?;
                if whole.format != FORMAT {
                    return Err(damaged(format!("format {}", whole.format)));
                }
                whole.workspaces
            }
        };
        Ok(Self { usual, dir: dir.to_owned(), own: Mutex::new(own) })
    }

    /// What holds for a workspace, and what of it is set for it alone.
    #[must_use]
    pub fn of(&self, workspace: &str) -> (Quota, OwnQuota) {
        let own = self.own().get(workspace).copied().unwrap_or_default();
        (own.over(&self.usual), own)
    }

    /// Each workspace that has something of its own.
    #[must_use]
    pub fn set(&self) -> Vec<(Arc<str>, OwnQuota)> {
        self.own().iter().map(|(workspace, own)| (workspace.clone(), *own)).collect()
    }

    /// Sets a workspace's own, whole; when this returns it is on the disk. Blocks on it.
    ///
    /// # Errors
    /// What was set before holds on.
    pub fn put(&self, workspace: &Arc<str>, own: OwnQuota) -> Result<Quota, NotKept> {
        self.put_all(&[(workspace.clone(), own)])?;
        Ok(own.over(&self.usual))
    }

    /// Several, in order, with one write; none where nothing changes.
    ///
    /// # Errors
    /// What was set before holds on.
    pub fn put_all(&self, set: &[(Arc<str>, OwnQuota)]) -> Result<(), NotKept> {
        // Held while it is written, so that two who write do not lose one another's.
        let mut held = self.own();
        let mut workspaces = held.clone();
        for (workspace, own) in set {
            if *own == OwnQuota::default() {
                workspaces.remove(workspace);
            } else {
                workspaces.insert(workspace.clone(), *own);
            }
        }
        if workspaces != *held {
            let whole = Whole { format: FORMAT, workspaces };
            self.write(&whole).map_err(|why| NotKept::File { path: self.dir.join(FILE_NAME), why })?;
            *held = whole.workspaces;
        }
        Ok(())
    }

    fn write(&self, whole: &Whole) -> io::Result<()> {
        let made = self.dir.join(format!("{FILE_NAME}.new"));
        let text = serde_json::to_string(whole).expect("names and numbers");
        let written = File::create(&made).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&made, self.dir.join(FILE_NAME))?;
            File::open(&self.dir)?.sync_all()
        });
        if written.is_err() {
            let _ = std::fs::remove_file(&made);
        }
        written
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, OwnQuota>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_there_after_a_start_and_what_is_emptied_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let usual = Quota { agents: 5, ..Quota::default() };
        let (acme, other) = (Arc::from("acme"), Arc::from("other"));
        let quotas = Quotas::open(dir.path(), usual).unwrap();
        let own = OwnQuota { connections: Some(7), ..OwnQuota::default() };
        assert_eq!(quotas.put(&acme, own).unwrap(), Quota { connections: 7, ..usual });
        quotas.put(&other, OwnQuota { agents: Some(1), ..OwnQuota::default() }).unwrap();
        quotas.put_all(&[(other.clone(), own), (other.clone(), OwnQuota::default())]).unwrap();
        assert_eq!(quotas.set(), [(acme.clone(), own)]);
        let again = Quotas::open(dir.path(), usual).unwrap();
        assert_eq!(again.of("acme"), (Quota { connections: 7, ..usual }, own));
        assert_eq!(again.of("other"), (usual, OwnQuota::default()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_is_not_ours_lifts_no_quota() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["{", r#"{"format":2,"workspaces":{}}"#, r#"{"format":1,"workspaces":{"a":{"agent":1}}}"#] {
            std::fs::write(dir.path().join(FILE_NAME), text).unwrap();
            let refused = Quotas::open(dir.path(), Quota::default()).unwrap_err();
            assert!(matches!(refused, NotKept::Damaged { .. }), "{text}: {refused}");
        }
    }
}
