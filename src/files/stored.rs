//! A file that is read: chunk by chunk, each checked before a byte of it is given out. All calls block on the disk.

use super::format::{About, CHUNK_BYTES, HEAD_BYTES, Place, chunks_of, read_head, stored_bytes};
use super::shared::NotShared;
use crate::seal::{CHUNK_MORE_BYTES, Chunks, KeyRing, Unsealed};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error("there is none")]
    None,
    #[error(transparent)]
    Sealed(#[from] Unsealed),
    /// Of a copy.
    #[error("there is no room for it on the disk")]
    NoRoom,
    #[error(transparent)]
    Shared(#[from] NotShared),
    #[error(transparent)]
    Failed(io::Error),
}

impl From<io::Error> for NotOpened {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => NotOpened::None,
            io::ErrorKind::UnexpectedEof => NotOpened::Sealed(Unsealed::Damaged),
            _ => NotOpened::Failed(error),
        }
    }
}

#[derive(Debug)]
pub struct Stored {
    pub about: About,
    file: File,
    chunks: Chunks,
    next: u64,
}

impl Stored {
    pub(super) fn open(keys: &KeyRing, path: &Path, place: &Place) -> Result<Self, NotOpened> {
        let mut file = File::open(path)?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head)?;
        let (key, stream, about) = read_head(keys, place, &head)?;
        if file.metadata()?.len() != stored_bytes(about.bytes) {
            return Err(Unsealed::Damaged.into());
        }
        let chunks = keys.open_chunks(key, &place.context("chunk"), stream)?;
        Ok(Self { about, file, chunks, next: 0 })
    }

    /// The next chunk; `None` behind the last.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, NotOpened> {
        let count = chunks_of(self.about.bytes);
        if self.next >= count {
            return Ok(None);
        }
        let before = self.next * CHUNK_BYTES as u64;
        let bytes = (self.about.bytes - before).min(CHUNK_BYTES as u64) as usize;
        let mut chunk = vec![0; bytes + CHUNK_MORE_BYTES];
        self.file.read_exact(&mut chunk)?;
        self.chunks.open(self.next as u32, self.next + 1 == count, &mut chunk)?;
        self.next += 1;
        Ok(Some(chunk))
    }
}
