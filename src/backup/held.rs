//! Files of a backup: written with their sum, read against it, and locked while somebody writes.

use super::failed::{BackupFailed, OrFailed};
use super::meter::Meter;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

/// Of one read or write.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// One file of a backup, by its path below the backup's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub path: String,
    pub bytes: u64,
    /// Of SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// A sum that grows with what is written.
#[derive(Default)]
pub(super) struct Sum {
    hash: Sha256,
    bytes: u64,
}

impl Sum {
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub fn part(self, path: impl Into<String>) -> Part {
        Part { path: path.into(), bytes: self.bytes, sha256: hex(&self.hash.finalize()) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a file to its end.
pub(super) fn sum_of(path: &Path, meter: &mut Meter<'_>) -> Result<Sum, BackupFailed> {
    let file = File::open(path).or_failed("reading", path)?;
    passed(file, &mut io::sink(), path, meter)
}

/// Copies what is left of `from`, and sums it up.
pub(super) fn passed(
    mut from: impl Read,
    to: &mut impl Write,
    path: &Path,
    meter: &mut Meter<'_>,
) -> Result<Sum, BackupFailed> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut sum = Sum::default();
    loop {
        let bytes = from.read(&mut piece).or_failed("reading", path)?;
        if bytes == 0 {
            return Ok(sum);
        }
        sum.add(&piece[..bytes]);
        to.write_all(&piece[..bytes]).or_failed("writing a copy of", path)?;
        meter.took(bytes);
    }
}

/// Copies a file that does not change to a new one, on the disk when this returns.
pub(super) fn copy(from: &Path, to: &Path, meter: &mut Meter<'_>) -> Result<Sum, BackupFailed> {
    let source = File::open(from).or_failed("reading", from)?;
    let mut made = create(to)?;
    let sum = passed(source, &mut made, from, meter)?;
    made.sync_all().or_failed("syncing", to)?;
    Ok(sum)
}

/// Whether a part is what it was. Damage also where it is missing.
pub(super) fn check(dir: &Path, part: &Part, meter: &mut Meter<'_>) -> Result<(), BackupFailed> {
    let path = dir.join(&part.path);
    if !path.is_file() {
        return Err(BackupFailed::damaged(&path, "it is missing"));
    }
    same(&path, part, sum_of(&path, meter)?)
}

pub(super) fn same(path: &Path, part: &Part, found: Sum) -> Result<(), BackupFailed> {
    let found = found.part(part.path.clone());
    match found == *part {
        true => Ok(()),
        false if found.bytes != part.bytes => {
            Err(BackupFailed::damaged(path, format!("it has {} bytes and had {}", found.bytes, part.bytes)))
        }
        false => Err(BackupFailed::damaged(path, "its sum is not what it was")),
    }
}

/// For nobody else's eyes, and nothing may be there yet.
pub(super) fn create(path: &Path) -> Result<File, BackupFailed> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path).or_failed("making", path)
}

pub(super) fn make_dir(path: &Path) -> Result<(), BackupFailed> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).or_failed("making", path)
}

/// The names in it are on the disk.
pub(super) fn sync_dir(path: &Path) -> Result<(), BackupFailed> {
    File::open(path).and_then(|dir| dir.sync_all()).or_failed("syncing", path)
}

/// Held while a backup is taken; the file stays, as of the data directory's lock.
pub(super) struct BackupLock {
    _file: File,
}

impl BackupLock {
    pub fn take(dir: &Path) -> Result<Self, BackupFailed> {
        let path = dir.join("lock");
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.or_failed("locking", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(BackupFailed::Refused(format!(
                "another backup is being taken to {}: wait until it has ended",
                dir.display()
            ))),
            Err(TryLockError::Error(source)) => Err(source).or_failed("locking", &path),
        }
    }
}
