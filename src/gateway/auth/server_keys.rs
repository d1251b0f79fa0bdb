//! The server's own secret, and the keys that come from it: one for each purpose, so that no ticket passes for another.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::secret_file::{self, SecretFileError};

/// The keys of our own tokens; all nodes share them, and they outlive restarts.
#[derive(Clone)]
pub struct ServerKeys {
    pub(super) visitor: [u8; 32],
    pub(super) stream: [u8; 32],
    pub(super) returning: [u8; 32],
    pub(super) probe: [u8; 32],
    pub(super) session: [u8; 32],
    pub(super) flow: [u8; 32],
    pub(super) signin: [u8; 32],
    webhooks: [u8; 32],
    signins: [u8; 32],
    shown: [u8; 32],
}

impl ServerKeys {
    /// Reads `<data_dir>/server.key` (64 hex digits), made at the first start.
    pub fn load_or_make(data_dir: &Path) -> Result<Self, SecretFileError> {
        let path = data_dir.join("server.key");
        let text = secret_file::read_or_make(&path, secret_file::random_hex)?;
        let secret = bytes_of_hex(&text).ok_or(SecretFileError::Damaged { path })?;
        Ok(Self::derive(&secret))
    }

    /// The keys that this secret gives. One HMAC each is HKDF's expansion for outputs of one block (RFC 5869, 2.3); the
    /// secret is uniform already, so nothing is to be extracted.
    pub fn derive(secret: &[u8; 32]) -> Self {
        let key = |purpose: &str| tag(secret, &["offhook/1/", purpose, "\u{1}"]);
        Self {
            visitor: key("visitor"),
            stream: key("stream"),
            returning: key("return"),
            probe: key("probe"),
            session: key("session"),
            flow: key("flow"),
            signin: key("signin"),
            webhooks: key("webhooks"),
            signins: key("signins"),
            shown: key("shown"),
        }
    }

    /// What webhooks are sealed with where the nodes of a cluster share them.
    #[must_use]
    pub fn webhooks(&self) -> [u8; 32] {
        self.webhooks
    }

    /// The same of sign-ins.
    #[must_use]
    pub fn signins(&self) -> [u8; 32] {
        self.signins
    }

    /// By which nodes find out whether they have the same `server.key`. It is the key of nothing.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.shown
    }
}

fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

pub(super) fn mac(key: &[u8; 32], parts: &[&str]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac
}

pub(super) fn tag(key: &[u8; 32], parts: &[&str]) -> [u8; 32] {
    mac(key, parts).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_outlive_a_restart_and_differ_by_purpose() {
        let dir = tempfile::tempdir().unwrap();
        let first = ServerKeys::load_or_make(dir.path()).unwrap();
        let again = ServerKeys::load_or_make(dir.path()).unwrap();
        assert_eq!(first.visitor, again.visitor);
        assert!(first.visitor != first.stream && first.stream != first.returning);
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_ne!(first.fingerprint(), ServerKeys::derive(&[7; 32]).fingerprint());
    }

    #[test]
    fn a_damaged_secret_is_refused_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        secret_file::read_or_make(&dir.path().join("server.key"), || Ok("12ab".to_owned())).unwrap();
        assert!(matches!(ServerKeys::load_or_make(dir.path()), Err(SecretFileError::Damaged { .. })));
    }
}
