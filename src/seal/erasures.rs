//! The ledger of erasures, `erasures.log`: whose keys are gone for good. Written and synced before a key is erased, kept with every backup, and
//! applied whenever keys are opened: so no copy of `keys.db`, however old, brings a customer back.
//!
//! One line of JSON for each erasure; no name in it, only the customer's number.

use super::KeyNumber;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The file's name in the data directory.
pub const ERASURES_FILE_NAME: &str = "erasures.log";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Erasure {
    pub workspace: String,
    /// As the workspace numbers its customers, in hexadecimal digits.
    pub customer: String,
    pub keys: Vec<KeyNumber>,
    /// Milliseconds since 1970.
    pub at: u64,
}

/// All of them. A line that was broken off by a crash says nothing: what it was for was not acknowledged, and not done.
///
/// # Errors
/// There is a file, and it cannot be read.
pub fn read_erasures(path: &Path) -> io::Result<Vec<Erasure>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line: &[u8]| match serde_json::from_slice(line) {
        Ok(erasure) => Some(erasure),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a line of the ledger of erasures cannot be read");
            None
        }
    };
    Ok(lines.filter_map(read).collect())
}

/// Adds to the ledger in a directory what it does not have; on the disk when this returns.
///
/// # Errors
/// It may or may not be there: add it again.
pub fn add_erasures(dir: &Path, erasures: &[Erasure]) -> io::Result<()> {
    let path: PathBuf = dir.join(ERASURES_FILE_NAME);
    let known: BTreeSet<Erasure> = read_erasures(&path)?.into_iter().collect();
    let mut lines = Vec::new();
    for erasure in erasures.iter().filter(|erasure| !known.contains(erasure)) {
        // Behind a line that was broken off this begins a line of its own.
        lines.push(b'\n');
        serde_json::to_writer(&mut lines, erasure)?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    lines.push(b'\n');
    let mut file = open(&path)?;
    file.write_all(&lines)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()
}

fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erasure(key: u64) -> Erasure {
        Erasure { workspace: "demo".into(), customer: "ab".into(), keys: vec![KeyNumber(key)], at: key }
    }

    #[test]
    fn each_is_kept_once_and_what_a_crash_broke_off_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(ERASURES_FILE_NAME);
        assert_eq!(read_erasures(&path).unwrap(), []);
        add_erasures(dir.path(), &[erasure(1), erasure(2)]).unwrap();
        let bytes = fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            let left = read_erasures(&path).unwrap();
            add_erasures(dir.path(), &[erasure(1), erasure(2), erasure(3)]).unwrap();
            let mut found = read_erasures(&path).unwrap();
            found.sort();
            assert_eq!(found, [erasure(1), erasure(2), erasure(3)], "cut off at {end}, when {left:?} were left");
        }
    }
}
