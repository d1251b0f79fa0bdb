//! A file that is being written, under a name of its own beside its place: gone again with its room, unless it is kept.

use super::room::Room;
use super::{Files, Place};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// All of its calls block on the disk.
pub(super) struct Part {
    pub files: Arc<Files>,
    pub file: File,
    pub path: PathBuf,
    /// By which the sweep knows that it is under way.
    random: u128,
    room: Option<Room>,
}

impl Part {
    pub fn new(files: Arc<Files>, file: File, path: PathBuf, random: u128, room: Room) -> Self {
        Self { files, file, path, random, room: Some(room) }
    }

    /// Puts it at its place for good, where nothing is: whether it did. Returns when power may fail.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn keep(&mut self, place: &Place) -> io::Result<bool> {
        let was_put = self.files.put(&self.path, place)?;
        if was_put && let Some(room) = self.room.take() {
            room.keep();
        }
        Ok(was_put)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.room.is_some() {
            // What cannot be removed now goes with the next sweep.
            let _ = std::fs::remove_file(&self.path);
        }
        self.files.parts().remove(&self.random);
    }
}
