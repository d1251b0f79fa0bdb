//! A file on its way in: under a name of its own until all of it is on the disk, and gone again if it does not come so far.

use super::format::{About, CHUNK_BYTES, HEAD_BYTES, Place, head};
use super::kind::{self, TextCheck};
use super::part::Part;
use super::{Files, NotTaken};
use crate::seal::{Chunks, KeyNumber};
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// What is to be stored.
#[derive(Clone, Debug)]
pub struct Announced {
    pub place: Place,
    pub key: KeyNumber,
    /// As it is shown.
    pub name: String,
    pub bytes: u64,
    pub types: Vec<Arc<str>>,
}

/// All of its calls block on the disk.
pub struct Incoming {
    announced: Announced,
    chunks: Chunks,
    part: Part,
    count: u32,
    bytes: u64,
    sha256: Sha256,
    seen: Option<Seen>,
}

/// What its first chunk told.
struct Seen {
    kind: &'static str,
    size: Option<(u32, u32)>,
    text: Option<TextCheck>,
}

impl Incoming {
    pub(super) fn new(announced: Announced, chunks: Chunks, part: Part) -> Self {
        Self { announced, chunks, part, count: 0, bytes: 0, sha256: Sha256::new(), seen: None }
    }

    /// Takes the next chunk: each is whole, but for the last.
    ///
    /// # Errors
    /// Its kind is not allowed, or the disk does not take it.
    pub fn write(&mut self, mut chunk: Vec<u8>, last: bool) -> Result<Vec<u8>, NotTaken> {
        assert!(chunk.len() == CHUNK_BYTES || last, "only the last chunk is shorter");
        let seen = match &mut self.seen {
            Some(seen) => seen,
            None => self.seen.insert(look(&chunk, &self.announced.types)?),
        };
        if let Some(text) = &mut seen.text
            && !text.goes_on(&chunk, last)
        {
            return Err(NotTaken::Kind);
        }
        self.bytes += chunk.len() as u64;
        self.sha256.update(&chunk);
        self.chunks.seal(self.count, last, &mut chunk);
        self.count += 1;
        self.part.file.write_all(&chunk)?;
        chunk.clear();
        Ok(chunk)
    }

    /// All of it has come: it is synced, and waits under its own name to be kept.
    ///
    /// # Errors
    /// It cannot be sealed, or the disk does not take it.
    pub fn finish(mut self) -> Result<Whole, NotTaken> {
        let seen = self.seen.take().expect("a file has a chunk");
        let about = About {
            name: self.announced.name.clone(),
            kind: seen.kind.to_owned(),
            bytes: self.bytes,
            width: seen.size.map(|(width, _)| width),
            height: seen.size.map(|(_, height)| height),
            sha256: std::mem::take(&mut self.sha256).finalize().into(),
        };
        let (key, place) = (self.announced.key, &self.announced.place);
        let head: [u8; HEAD_BYTES] = head(&self.part.files.keys, key, place, self.chunks.stream(), &about)?;
        self.part.file.write_all_at(&head, 0)?;
        self.part.file.sync_all()?;
        Ok(Whole { incoming: self, about })
    }
}

fn look(first: &[u8], types: &[Arc<str>]) -> Result<Seen, NotTaken> {
    let kind = kind::signed(first).unwrap_or(kind::TEXT);
    if !types.iter().any(|allowed| **allowed == *kind) {
        return Err(NotTaken::Kind);
    }
    let size = kind::size(kind, first).map_err(|_| NotTaken::TooManyPixels)?;
    // A text without a signature has nothing else to be known by.
    Ok(Seen { kind, size, text: (kind == kind::TEXT).then(TextCheck::default) })
}

/// A file that is on the disk, and not yet at its place.
pub struct Whole {
    incoming: Incoming,
    pub about: About,
}

impl Whole {
    /// Where it is until it is kept.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.incoming.part.path
    }

    #[must_use]
    pub fn place(&self) -> &Place {
        &self.incoming.announced.place
    }

    #[must_use]
    pub fn files(&self) -> &Arc<Files> {
        &self.incoming.part.files
    }

    /// Puts it at its place for good: returns when power may fail. The same file there already is as good; another is not.
    ///
    /// # Errors
    /// Another is there, or the disk does not take it.
    pub fn keep(mut self) -> Result<About, NotTaken> {
        let files = self.incoming.part.files.clone();
        let place = self.incoming.announced.place.clone();
        if self.incoming.part.keep(&place)? {
            return Ok(self.about.clone());
        }
        let there = files.open(&place).map_err(|_| NotTaken::Differs)?;
        if self.is(&there.about) { Ok(there.about.clone()) } else { Err(NotTaken::Differs) }
    }

    /// Whether that is the same file, for whoever sent it.
    pub(super) fn is(&self, other: &About) -> bool {
        other.sha256 == self.about.sha256 && other.name == self.about.name
    }
}
