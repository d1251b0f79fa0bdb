//! A file on the disk: a head of a fixed size, and behind it the chunks.
//!
//! ```text
//! "OHF" | version 1 | key number u64 LE | stream 19 bytes | length u16 LE | what it is, sealed | zeros to 4096 | chunk | chunk | …
//! ```
//!
//! Each chunk is 64 KiB in the clear, the last may be shorter; how many there are follows from the length in the sealed head.

use crate::desk::files::FileId;
use crate::desk::ids::ConversationId;
use crate::seal::{CHUNK_MORE_BYTES, KeyNumber, KeyRing, STREAM_BYTES, SealFailed, Sealed, Unsealed};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Of a chunk in the clear.
pub const CHUNK_BYTES: usize = 64 << 10;
pub const HEAD_BYTES: usize = 4_096;
const MAGIC: &[u8; 4] = b"OHF\x01";
const STREAM_AT: usize = 12;
const LENGTH_AT: usize = STREAM_AT + STREAM_BYTES;
const ABOUT_AT: usize = LENGTH_AT + 2;

/// Which file: each is sealed for its place, so that none passes for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub workspace: Arc<str>,
    pub conversation: ConversationId,
    pub file: FileId,
}

impl Place {
    /// What its head, and its chunks, are sealed for.
    #[must_use]
    pub fn context(&self, part: &str) -> Vec<u8> {
        format!("file {part} {} {} {}", self.workspace, self.conversation, self.file).into_bytes()
    }
}

/// What a file is. The name is as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// SHA-256 of what is in it, by which a retry is told from another file.
    pub sha256: [u8; 32],
}

/// How many chunks so many bytes are.
#[must_use]
pub fn chunks_of(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK_BYTES as u64)
}

/// What they take on the disk.
#[must_use]
pub fn stored_bytes(bytes: u64) -> u64 {
    HEAD_BYTES as u64 + bytes + chunks_of(bytes) * CHUNK_MORE_BYTES as u64
}

/// # Errors
/// The key is gone, or the store of keys cannot be used.
pub fn head(
    keys: &KeyRing,
    key: KeyNumber,
    place: &Place,
    stream: [u8; STREAM_BYTES],
    about: &About,
) -> Result<[u8; HEAD_BYTES], SealFailed> {
    let json = serde_json::to_vec(about).expect("strings and numbers always serialize");
    let sealed = keys.seal(key, &place.context("head"), &json)?;
    let mut head = [0; HEAD_BYTES];
    head[..4].copy_from_slice(MAGIC);
    head[4..STREAM_AT].copy_from_slice(&key.0.to_le_bytes());
    head[STREAM_AT..LENGTH_AT].copy_from_slice(&stream);
    let bytes = sealed.0.as_bytes();
    head[LENGTH_AT..ABOUT_AT].copy_from_slice(&(bytes.len() as u16).to_le_bytes());
    head.get_mut(ABOUT_AT..ABOUT_AT + bytes.len())
        .expect("a name of 200 characters, sealed, is below 2 KiB")
        .copy_from_slice(bytes);
    Ok(head)
}

/// What a head says: key, stream, and what the file is.
///
/// # Errors
/// It is not the head of this file, or its key is gone.
pub fn read_head(
    keys: &KeyRing,
    place: &Place,
    head: &[u8; HEAD_BYTES],
) -> Result<(KeyNumber, [u8; STREAM_BYTES], About), Unsealed> {
    if head[..4] != *MAGIC {
        return Err(Unsealed::Damaged);
    }
    let key = KeyNumber(u64::from_le_bytes(std::array::from_fn(|at| head[4 + at])));
    let stream = std::array::from_fn(|at| head[STREAM_AT + at]);
    let length = usize::from(u16::from_le_bytes([head[LENGTH_AT], head[LENGTH_AT + 1]]));
    let sealed = head.get(ABOUT_AT..ABOUT_AT + length).ok_or(Unsealed::Damaged)?;
    let sealed = Sealed(std::str::from_utf8(sealed).map_err(|_| Unsealed::Damaged)?.into());
    if sealed.key() != Some(key) {
        return Err(Unsealed::Damaged);
    }
    let json = keys.unseal(&place.context("head"), &sealed)?;
    Ok((key, stream, serde_json::from_slice(&json).map_err(|_| Unsealed::Damaged)?))
}
