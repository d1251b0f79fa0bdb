//! The envelope: a version, the key's number, a nonce and the ciphertext, as text that fits into any JSON.
//!
//! ```text
//! base64url without padding of: 1 | key number u64 LE | nonce 24 bytes | ciphertext | tag 16 bytes
//! ```
//!
//! Version and number are authenticated with the caller's context, so an envelope opens only for the key
//! and the place that it was made for.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};

use super::KeyNumber;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + 8;
/// What encrypting adds.
pub(super) const MORE_BYTES: usize = NONCE_BYTES + TAG_BYTES;
pub(super) const CLEAR_KEY_BYTES: usize = 32;
/// Larger than anything that is sealed whole: a message is at most 16 KiB, metadata 4 KiB.
pub(super) const CLEAR_BYTES_MAX: usize = 1 << 20;

/// Sealed bytes as text. Any text may be put in; only what was sealed here opens.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub Box<str>);

impl fmt::Debug for Sealed {
    /// Says which key and how much: ciphertext in a log helps nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(key {:?}, {} bytes)", self.key().map(|key| key.0), self.0.len())
    }
}

impl Sealed {
    /// The key that it was sealed with, if it is an envelope at all.
    pub fn key(&self) -> Option<KeyNumber> {
        // 12 characters are exactly 9 bytes, so only the head is decoded.
        let head = URL_SAFE_NO_PAD.decode(self.0.get(..12)?).ok()?;
        let (version, number) = head.split_first()?;
        let number = u64::from_le_bytes(number.try_into().ok()?);
        (*version == VERSION).then_some(KeyNumber(number))
    }
}

/// 32 bytes of key, which no log shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ClearKey(pub [u8; CLEAR_KEY_BYTES]);

impl fmt::Debug for ClearKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearKey(..)")
    }
}

/// Fails only if the system gives no randomness.
pub(super) fn seal(
    number: KeyNumber,
    key: &ClearKey,
    context: &[u8],
    clear: &[u8],
) -> Result<Sealed, getrandom::Error> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + clear.len() + MORE_BYTES);
    bytes.extend_from_slice(&head(number));
    let box_bytes = encrypt(key, &bound(number, context), clear)?;
    bytes.extend_from_slice(&box_bytes);
    Ok(Sealed(URL_SAFE_NO_PAD.encode(bytes).into_boxed_str()))
}

/// `None` if the text is not an envelope of this key and context, byte for byte.
pub(super) fn unseal(number: KeyNumber, key: &ClearKey, context: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed.0.as_bytes()).ok()?;
    let (found, box_bytes) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    match *found == head(number) {
        true => decrypt(key, &bound(number, context), box_bytes),
        false => None,
    }
}

/// Encrypts under a fresh nonce: nonce, ciphertext, tag.
pub(super) fn encrypt(key: &ClearKey, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)?;
    let ciphertext = XChaCha20Poly1305::new(&key.0.into())
        .encrypt(&nonce.into(), Payload { msg, aad })
        .expect("a text far below 256 GiB encrypts");
    Ok([&nonce[..], &ciphertext].concat())
}

pub(super) fn decrypt(key: &ClearKey, aad: &[u8], box_bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = box_bytes.split_first_chunk::<NONCE_BYTES>()?;
    XChaCha20Poly1305::new(&key.0.into()).decrypt(&(*nonce).into(), Payload { msg, aad }).ok()
}

fn head(number: KeyNumber) -> [u8; HEAD_BYTES] {
    let mut head = [VERSION; HEAD_BYTES];
    head[1..].copy_from_slice(&number.0.to_le_bytes());
    head
}

/// The head has a fixed length, so head and context cannot be shifted against each other.
pub(super) fn bound(number: KeyNumber, context: &[u8]) -> Vec<u8> {
    [&head(number)[..], context].concat()
}
