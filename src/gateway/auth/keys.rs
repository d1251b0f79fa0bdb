//! Keys that sign and check tokens: how they are named in the settings, and how their bytes are read.
//!
//! A key knows its one algorithm. A token's header may repeat it but never choose it: believing the header is how a public
//! key comes to be used as an HMAC secret.

use std::path::{Path, PathBuf};

use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use super::is_workspace;

/// RFC 7518, 3.2: an HMAC key is at least as long as the hash.
const SECRET_BYTES_MIN: usize = 32;
/// The longest key file that is read; an RSA key of 16,384 bits takes 13 KB.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The ways of signing that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Algorithm {
    #[serde(rename = "HS256")]
    #[value(name = "HS256")]
    Hs256,
    #[serde(rename = "RS256")]
    #[value(name = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    #[value(name = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    #[value(name = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// Its name in a token's header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(super) fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

/// One entry of `identity.agent_keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    pub kid: String,
    pub algorithm: Algorithm,
    /// A public key in PEM, or for HS256 the secret itself.
    pub file: PathBuf,
    /// If given, tokens signed with this key are good for this workspace only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// Why a key cannot be used. The sentence never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("kid {kid:?}: a kid has 1 to 128 printable characters")]
    BadKid { kid: String },
    #[error("kid {kid:?} is there twice; tokens name their key by it, so give each its own")]
    SameKid { kid: String },
    #[error("workspace {workspace:?}: a workspace is [a-z0-9][a-z0-9-]{{0,62}}")]
    BadWorkspace { workspace: String },
    #[error("the key file {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the secret is too short: HS256 takes at least {SECRET_BYTES_MIN} bytes")]
    ShortSecret,
    #[error("a PEM file is no secret for HS256: set the algorithm that it was made for")]
    PemAsSecret,
    #[error("this is a private key; give its public half, so that a reader of this machine cannot sign")]
    PrivateGiven,
    #[error("not a key for {algorithm}: {reason}")]
    NotAKey { algorithm: &'static str, reason: String },
    #[error("kid {kid:?}, file {path}: {source}")]
    InFile { kid: String, path: PathBuf, source: Box<KeyError> },
}

impl KeySettings {
    /// Checks what can be checked without reading the file.
    pub fn check(&self) -> Result<(), KeyError> {
        check_kid(&self.kid)?;
        match &self.workspace {
            Some(workspace) if !is_workspace(workspace) => Err(KeyError::BadWorkspace { workspace: workspace.clone() }),
            _ => Ok(()),
        }
    }
}

pub(super) fn check_kid(kid: &str) -> Result<(), KeyError> {
    if super::is_external_id(kid, 128) { Ok(()) } else { Err(KeyError::BadKid { kid: kid.to_owned() }) }
}

/// Reads a key file of bounded size; the newline at the end that editors add is not part of a secret.
pub fn read_key_file(path: &Path) -> Result<Vec<u8>, KeyError> {
    use std::io::Read;
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(KEY_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > KEY_FILE_BYTES_MAX {
        return Err(unreadable(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "over 64 KiB")));
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(bytes)
}

/// A key that checks signatures of one algorithm.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl VerifyingKey {
    /// Takes a public key in PEM, or for HS256 a secret; a key that could never verify is refused here, not at the first
    /// token.
    pub fn read(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        let pem = bytes.trim_ascii_start().starts_with(b"-----BEGIN");
        let not_a_key = |reason: jsonwebtoken::errors::Error| KeyError::NotAKey {
            algorithm: algorithm.name(),
            reason: reason.to_string(),
        };
        let key = match algorithm {
            Algorithm::Hs256 => {
                check_secret(bytes, pem)?;
                DecodingKey::from_secret(bytes)
            }
            _ if bytes.windows(12).any(|window| window == b"PRIVATE KEY-") => {
                return Err(KeyError::PrivateGiven);
            }
            Algorithm::Rs256 => DecodingKey::from_rsa_pem(bytes).map_err(not_a_key)?,
            Algorithm::Es256 => DecodingKey::from_ec_pem(bytes).map_err(not_a_key)?,
            Algorithm::EdDsa => DecodingKey::from_ed_pem(bytes).map_err(not_a_key)?,
        };
        // The library parses the key itself only when it verifies (a P-384 key passes as EC until then), so it does once.
        jsonwebtoken::crypto::verify("AAAA", b"", &key, algorithm.library()).map_err(not_a_key)?;
        Ok(Self { algorithm, key })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A key that signs with one algorithm: for `offhook token` and for tests.
pub struct SigningKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: EncodingKey,
}

impl SigningKey {
    /// Takes a private key in PEM (PKCS#8), or for HS256 a secret.
    pub fn read(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        let pem = bytes.trim_ascii_start().starts_with(b"-----BEGIN");
        let not_a_key = |reason: jsonwebtoken::errors::Error| KeyError::NotAKey {
            algorithm: algorithm.name(),
            reason: reason.to_string(),
        };
        let key = match algorithm {
            Algorithm::Hs256 => {
                check_secret(bytes, pem)?;
                EncodingKey::from_secret(bytes)
            }
            Algorithm::Rs256 => EncodingKey::from_rsa_pem(bytes).map_err(not_a_key)?,
            Algorithm::Es256 => EncodingKey::from_ec_pem(bytes).map_err(not_a_key)?,
            Algorithm::EdDsa => EncodingKey::from_ed_pem(bytes).map_err(not_a_key)?,
        };
        Ok(Self { algorithm, key })
    }
}

fn check_secret(bytes: &[u8], pem: bool) -> Result<(), KeyError> {
    if pem {
        Err(KeyError::PemAsSecret)
    } else if bytes.len() < SECRET_BYTES_MIN {
        Err(KeyError::ShortSecret)
    } else {
        Ok(())
    }
}
