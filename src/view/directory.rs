//! Which workspaces the view holds and how far each has come: what readers wait on.

use super::failed::Behind;
use super::keys::WorkspaceNumber;
use super::write::Stands;
use dashmap::DashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Directory {
    known: DashMap<Arc<str>, Arc<Known>>,
}

/// One workspace. Its number is missing while somebody waits for one whose first batch is not committed yet.
struct Known {
    number: OnceLock<WorkspaceNumber>,
    wall_ms: AtomicU64,
    reported: AtomicU64,
    position: watch::Sender<u64>,
}

impl Directory {
    fn known(&self, name: &str) -> Arc<Known> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let new = || Known {
            number: OnceLock::new(),
            wall_ms: AtomicU64::new(0),
            reported: AtomicU64::new(0),
            position: watch::Sender::new(0),
        };
        self.known.entry(Arc::from(name)).or_insert_with(|| Arc::new(new())).clone()
    }

    /// After a commit.
    pub fn reached(&self, name: &str, stand: Stands) {
        let known = self.known(name);
        let number = *known.number.get_or_init(|| stand.number);
        assert!(number == stand.number, "a workspace keeps its number");
        known.wall_ms.store(stand.wall_ms, Ordering::Relaxed);
        known.reported.store(stand.reported, Ordering::Relaxed);
        known.position.send_replace(stand.position);
    }

    /// Its number, and the wall time of its last turn.
    pub fn find(&self, name: &str) -> Option<(WorkspaceNumber, u64)> {
        let known = self.known.get(name)?;
        Some((*known.number.get()?, known.wall_ms.load(Ordering::Relaxed)))
    }

    pub fn position(&self, name: &str) -> u64 {
        self.known.get(name).map_or(0, |known| *known.position.borrow())
    }

    /// How far its reports have come, and the view, where those are not the same.
    pub fn reports_behind(&self, name: &str) -> Option<(u64, u64)> {
        let known = self.known.get(name)?;
        let (reported, position) = (known.reported.load(Ordering::Relaxed), *known.position.borrow());
        (reported < position).then_some((reported, position))
    }

    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> =
            self.known.iter().filter(|known| known.number.get().is_some()).map(|known| known.key().clone()).collect();
        names.sort();
        names
    }

    pub async fn wait_for(&self, name: &str, wanted: u64, at_most: Duration) -> Result<(), Behind> {
        if self.position(name) >= wanted {
            return Ok(());
        }
        let mut position = self.known(name).position.subscribe();
        // The directory holds the sender, so the only way not to be reached is to be late.
        if let Ok(Ok(_)) = tokio::time::timeout(at_most, position.wait_for(|reached| *reached >= wanted)).await {
            return Ok(());
        }
        Err(Behind { reached: self.position(name), wanted })
    }
}
