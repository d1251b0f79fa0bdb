//! How much all files take on the disk, of each workspace and together: taken before the first byte is written.

use crate::overload::disk;
use crate::telemetry::catalogue::FILES_BYTES;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Rooms {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// What is on the disk has been counted.
    counted: bool,
    all: u64,
    of: BTreeMap<Arc<str>, u64>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// What is there is being counted.
    NotCounted,
    Full,
}

/// Bytes on the disk; given back where they are not kept.
#[derive(Debug)]
pub(super) struct Room {
    rooms: Arc<Rooms>,
    workspace: Arc<str>,
    bytes: u64,
}

impl Rooms {
    pub(super) fn take(self: &Arc<Self>, workspace: &Arc<str>, bytes: u64, most: u64) -> Result<Room, NoRoom> {
        let mut held = self.held();
        if !held.counted {
            return Err(NoRoom::NotCounted);
        }
        let taken = held.of.get(workspace).copied().unwrap_or(0);
        if taken.saturating_add(bytes) > most {
            return Err(NoRoom::Full);
        }
        held.add(workspace, bytes);
        Ok(Room { rooms: self.clone(), workspace: workspace.clone(), bytes })
    }

    /// What was found on the disk at the start.
    pub(super) fn counted(&self, found: BTreeMap<Arc<str>, u64>) {
        let mut held = self.held();
        found.iter().for_each(|(workspace, bytes)| held.add(workspace, *bytes));
        held.counted = true;
    }

    /// What a workspace's take.
    pub(super) fn of(&self, workspace: &str) -> u64 {
        self.held().of.get(workspace).copied().unwrap_or(0)
    }

    /// A file is gone.
    pub(super) fn give(&self, workspace: &Arc<str>, bytes: u64) {
        let mut held = self.held();
        held.all = held.all.saturating_sub(bytes);
        if let Some(of) = held.of.get_mut(workspace) {
            *of = of.saturating_sub(bytes);
        }
        held.tell();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, workspace: &Arc<str>, bytes: u64) {
        self.all += bytes;
        *self.of.entry(workspace.clone()).or_default() += bytes;
        self.tell();
    }

    fn tell(&self) {
        disk().hold_files(self.all);
        metrics::gauge!(FILES_BYTES).set(self.all as f64);
    }
}

impl Room {
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.rooms.give(&self.workspace, self.bytes);
        }
    }
}
