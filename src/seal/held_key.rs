//! A key that whoever seals has in hand, as one that all nodes of a cluster derive: bytes sealed with it are bound to where they lie.

use super::SealFailed;
use super::sealed::{ClearKey, decrypt, encrypt};

/// Shown in no log.
#[derive(Debug, Clone)]
pub struct HeldKey(ClearKey);

impl HeldKey {
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(ClearKey(bytes))
    }

    /// Nonce, ciphertext and tag; they open with the same key and place alone.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn seal(&self, place: &[u8], clear: &[u8]) -> Result<Vec<u8>, SealFailed> {
        encrypt(&self.0, place, clear).map_err(|error| SealFailed::Unavailable(error.to_string()))
    }

    /// `None` for what was not sealed with this key for this place.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        decrypt(&self.0, place, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_with_the_same_key_and_for_the_same_place_alone() {
        let (key, other) = (HeldKey::new([1; 32]), HeldKey::new([2; 32]));
        let sealed = key.seal(b"set.acme", b"secret").unwrap();
        assert_eq!(key.open(b"set.acme", &sealed).as_deref(), Some(&b"secret"[..]));
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        for (key, place, sealed) in
            [(&other, "set.acme", &sealed[..]), (&key, "set.other", &sealed), (&key, "set.acme", b"x")]
        {
            assert_eq!(key.open(place.as_bytes(), sealed), None, "{place}");
        }
    }
}
