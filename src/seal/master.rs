//! The master key: one file, made once, never replaced, and what is derived from it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::sealed::ClearKey;

/// The file's name in the data directory.
pub const MASTER_FILE_NAME: &str = "master.key";

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyFailed {
    #[error("{path} must hold exactly 32 bytes and holds {bytes}; restore it from its backup")]
    WrongLength { path: PathBuf, bytes: usize },
    #[error(
        "{path} is missing, and keys that it has wrapped are there; restore it from its backup. A new one would make \
         every sealed text unreadable"
    )]
    Missing { path: PathBuf },
    #[error("cannot use {path}")]
    Disk { path: PathBuf, source: io::Error },
    #[error("the system gives no randomness")]
    NoRandomness(#[from] getrandom::Error),
}

/// What is used of the master key: one key that wraps, one that hashes. Neither tells anything of the other.
pub(super) struct Master {
    pub wrapping: ClearKey,
    hashing: ClearKey,
}

impl Master {
    /// Reads the key, or makes it where `may_make` (there are no keys yet that an older one could have wrapped).
    pub fn open(dir: &Path, may_make: bool) -> Result<Master, MasterKeyFailed> {
        let path = dir.join(MASTER_FILE_NAME);
        let failed = |source| MasterKeyFailed::Disk { path: path.clone(), source };
        match read(&path) {
            Ok(bytes) => return Master::from_bytes(&bytes, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        if !may_make {
            return Err(MasterKeyFailed::Missing { path });
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        make(dir, &path, &key).map_err(failed)?;
        // What counts is what the file says, not what this process meant to write.
        let bytes = read(&path).map_err(failed)?;
        Master::from_bytes(&bytes, &path)
    }

    fn from_bytes(bytes: &[u8], path: &Path) -> Result<Master, MasterKeyFailed> {
        let Ok(key) = <[u8; 32]>::try_from(bytes) else {
            return Err(MasterKeyFailed::WrongLength { path: path.to_owned(), bytes: bytes.len() });
        };
        let derive = |purpose: &str| ClearKey(hmac(&key, &[purpose.as_bytes()]));
        Ok(Master { wrapping: derive("offhook wrapping key 1"), hashing: derive("offhook hashing key 1") })
    }

    /// A hash that only this installation can make. Its domain's length is hashed too, so that no domain and bytes
    /// can be taken for another pair.
    pub fn keyed_hash(&self, domain: &str, bytes: &[u8]) -> [u8; 16] {
        let length = (domain.len() as u64).to_le_bytes();
        let whole = hmac(&self.hashing.0, &[&length, domain.as_bytes(), bytes]);
        let mut short = [0; 16];
        short.copy_from_slice(&whole[..16]);
        short
    }
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(), mode = format!("{:o}", mode & 0o777),
            "the master key can be read by others than its owner; set its mode to 600"
        );
    }
    let mut bytes = Vec::new();
    // One more than it may hold is enough to know.
    file.take(4_096).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes the key beside its place, then links it there: the link fails if something is there already, and a crash
/// leaves either the whole key or none.
fn make(dir: &Path, path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let draft = dir.join("master.key.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(key)?;
    file.sync_all()?;
    fs::hard_link(&draft, path)?;
    fs::remove_file(&draft)?;
    File::open(dir)?.sync_all()
}
