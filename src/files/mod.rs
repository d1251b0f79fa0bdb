//! Files that are added to messages, on the disk beside the journal: one directory for each conversation, each file sealed with its
//! customer's key.
//!
//! ```text
//! files/WORKSPACE/CONVERSATION/FILE.RANDOM.part ──synced, scanned──▶ files/WORKSPACE/CONVERSATION/FILE
//! ```
//!
//! In a cluster what is on a disk are copies: a file is acknowledged when it is in the store that all nodes share (`shared/`), and fetched
//! from there by a node that is to read it (`copies.rs`). What was here before is put there once (`bring.rs`).
//!
//! Which message a file belongs to is in the journal alone. What no message names goes with a sweep (`engine/leftovers.rs`), as does what
//! belongs to a conversation that is forgotten: so a crash between any two steps leaves nothing behind for good.

mod bring;
mod copies;
mod format;
mod incoming;
pub mod kind;
pub mod name;
mod part;
mod room;
mod shared;
mod stored;
mod sweep;
#[cfg(test)]
mod tests;

pub use format::{About, CHUNK_BYTES, Place, stored_bytes};
pub use incoming::{Announced, Incoming, Whole};
pub use shared::{Begun, Entry, NotShared, SharedFiles};
pub use stored::{NotOpened, Stored};
pub use sweep::{Found, Listing};

use crate::desk::files::FileId;
use crate::desk::ids::{CommandId, ConversationId};
use crate::seal::{KeyNumber, KeyRing, SealFailed};
use part::Part;
use room::{NoRoom, Room, Rooms};
use rustix::fs::{CWD, RenameFlags, Timespec, Timestamps, renameat_with};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Their directory in the data directory; made with the first file.
pub const FILES_DIR_NAME: &str = "files";
/// A directory may be swept away, empty, between its making and the first file in it.
const BEGIN_TIMES: usize = 3;

#[derive(Debug, Clone, Copy)]
pub struct FilesSettings {
    /// Of one workspace, on the disk.
    pub workspace_bytes_max: u64,
    /// How long a file is kept that no message names.
    pub unnamed_kept_ms: u64,
}

/// Why a file was not taken; nothing is kept of it.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("its kind is not allowed")]
    Kind,
    #[error("the picture is too large to be shown")]
    TooManyPixels,
    #[error("another file was stored by the same command id")]
    Differs,
    #[error("files are being counted")]
    NotCounted,
    #[error("the workspace's files take what they may")]
    Full,
    #[error(transparent)]
    Sealed(#[from] SealFailed),
    #[error(transparent)]
    Shared(#[from] NotShared),
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl From<NoRoom> for NotTaken {
    fn from(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::NotCounted => NotTaken::NotCounted,
            NoRoom::Full => NotTaken::Full,
        }
    }
}

/// All files of this process. Every call that is not `async` blocks on the disk.
pub struct Files {
    dir: PathBuf,
    keys: Arc<KeyRing>,
    settings: FilesSettings,
    rooms: Arc<Rooms>,
    /// Those under way, by the random part of their names.
    parts: Mutex<BTreeSet<u128>>,
    /// Held while a file is named or removed, so that none is removed that was just named.
    naming: Mutex<()>,
    /// Held while copies make room, so that two do not make it twice.
    making_room: Mutex<()>,
    /// In a cluster: where they really are.
    shared: Option<SharedFiles>,
    brought: AtomicBool,
}

impl Files {
    #[must_use]
    pub fn new(data_dir: &Path, keys: Arc<KeyRing>, settings: FilesSettings, shared: Option<SharedFiles>) -> Arc<Self> {
        Arc::new(Self {
            dir: data_dir.join(FILES_DIR_NAME),
            keys,
            settings,
            rooms: Arc::default(),
            parts: Mutex::default(),
            naming: Mutex::default(),
            making_room: Mutex::default(),
            shared,
            brought: AtomicBool::new(false),
        })
    }

    #[must_use]
    pub fn unnamed_kept_ms(&self) -> u64 {
        self.settings.unnamed_kept_ms
    }

    /// What a workspace's files take on the disk, with those under way.
    #[must_use]
    pub fn bytes_of(&self, workspace: &str) -> u64 {
        self.rooms.of(workspace)
    }

    /// A file's id follows from the command that brings it, so that one that is sent again is the same file, with nothing remembered.
    #[must_use]
    pub fn id_of(&self, workspace: &str, conversation: ConversationId, sender: &str, command: CommandId) -> FileId {
        let text = format!("{workspace} {conversation} {sender} {command}");
        FileId(u128::from_be_bytes(self.keys.keyed_hash("file", text.as_bytes())))
    }

    /// Makes room for a file, and opens it.
    ///
    /// # Errors
    /// There is no room, its customer's key is gone, or the disk does not take it.
    pub fn begin(self: &Arc<Self>, announced: Announced) -> Result<Incoming, NotTaken> {
        let place = &announced.place;
        let room = self.room(&place.workspace, stored_bytes(announced.bytes))?;
        let chunks = self.keys.seal_chunks(announced.key, &place.context("chunk"))?;
        let part = self.open_part(place, room)?;
        // Where the head will be.
        part.file.set_len(format::HEAD_BYTES as u64)?;
        io::Seek::seek(&mut &part.file, io::SeekFrom::End(0))?;
        Ok(Incoming::new(announced, chunks, part))
    }

    /// Of what a workspace may have on the disk. Copies make room, since each can be fetched again.
    fn room(&self, workspace: &Arc<str>, bytes: u64) -> Result<Room, NoRoom> {
        let take = || self.rooms.take(workspace, bytes, self.settings.workspace_bytes_max);
        match take() {
            Err(NoRoom::Full) if self.is_brought() => {
                self.make_room(workspace, bytes);
                take()
            }
            taken => taken,
        }
    }

    fn open_part(self: &Arc<Self>, place: &Place, room: Room) -> Result<Part, NotTaken> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| SealFailed::Unavailable(error.to_string()))?;
        let part = u128::from_le_bytes(random);
        let dir = self.dir_of(place);
        let path = dir.join(format!("{}.{part:032x}.part", place.file));
        self.parts().insert(part);
        let mut opened = Err(io::Error::from(io::ErrorKind::NotFound));
        for _ in 0..BEGIN_TIMES {
            opened = make_dirs(&dir).and_then(|()| private().create_new(true).open(&path));
            if !matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotFound) {
                break;
            }
        }
        match opened {
            Ok(file) => Ok(Part::new(self.clone(), file, path, part, room)),
            Err(error) => {
                self.parts().remove(&part);
                Err(error.into())
            }
        }
    }

    /// Whether it was put there: not where one is. Returns when power may fail.
    fn put(&self, part: &Path, place: &Place) -> io::Result<bool> {
        let path = self.path_of(place);
        let was_put = match renameat_with(CWD, part, CWD, &path, RenameFlags::NOREPLACE) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        // Whoever made a directory, or put the file there before, may not have come so far as to sync it.
        let synced = self.dir_of(place).ancestors().take(4).try_for_each(|dir| File::open(dir)?.sync_all());
        if was_put && synced.is_err() {
            let _ = std::fs::remove_file(path);
        }
        synced.map(|()| was_put)
    }

    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(&self, place: &Place) -> Result<Stored, NotOpened> {
        Stored::open(&self.keys, &self.path_of(place), place)
    }

    /// Opens what is not yet at its place.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_whole(&self, whole: &Whole) -> Result<Stored, NotOpened> {
        Stored::open(&self.keys, whole.path(), whole.place())
    }

    /// What a file is that a message is going to name: it is kept from now on as if it had just come.
    ///
    /// # Errors
    /// As `open`.
    fn touch(&self, place: &Place) -> Result<About, NotOpened> {
        let _naming = self.naming();
        let stored = self.open(place)?;
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        rustix::fs::utimensat(CWD, self.path_of(place), &times, rustix::fs::AtFlags::empty())
            .map_err(|error| NotOpened::Failed(error.into()))?;
        Ok(stored.about)
    }

    /// Whether a customer was erased, and its files with it.
    #[must_use]
    pub fn is_erased(&self, key: KeyNumber) -> bool {
        matches!(self.keys.seal(key, b"file", b""), Err(SealFailed::Erased))
    }

    fn dir_of(&self, place: &Place) -> PathBuf {
        self.dir.join(&*place.workspace).join(place.conversation.to_string())
    }

    fn path_of(&self, place: &Place) -> PathBuf {
        self.dir_of(place).join(place.file.to_string())
    }

    fn parts(&self) -> MutexGuard<'_, BTreeSet<u128>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For nobody else's eyes.
fn private() -> std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.write(true).mode(0o600);
    options
}

fn make_dirs(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
