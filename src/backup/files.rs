//! Files of messages, in one place for all backups: they never change, so each is copied once. Each backup lists those that came since the
//! one before it, with their sums; a whole one lists all.

use super::chain;
use super::failed::{BackupFailed, OrFailed};
use super::held::{self, Part};
use super::meter::Meter;
use crate::files::FILES_DIR_NAME;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// One line a file: its sum, its bytes, its path below `files/`.
pub(super) const LIST_FILE_NAME: &str = "message_files.list";

/// Files that are listed, each by a hash of its path: sixteen bytes for each of a million.
pub(super) type Known = HashSet<u128>;

/// Those that a backup lists, or one that it goes on from. What only lies there is not among them: one that was broken off left it.
pub(super) fn known(to: &Path, name: &str) -> Result<Known, BackupFailed> {
    let mut known = Known::new();
    for manifest in chain::chain(to, Some(name))? {
        listed(&to.join(manifest.name), |part| {
            known.insert(mark(&part.path));
            Ok(())
        })?;
    }
    Ok(known)
}

fn mark(path: &str) -> u128 {
    let hash = Sha256::digest(path);
    u128::from_be_bytes(hash[..16].try_into().expect("sixteen of thirty-two"))
}

/// Copies what is not there yet, and lists what is not known yet.
pub(super) fn copy(
    data_dir: &Path,
    to: &Path,
    backup: &Path,
    known: &Known,
    meter: &mut Meter<'_>,
) -> Result<Option<Part>, BackupFailed> {
    let source = data_dir.join(FILES_DIR_NAME);
    if !source.is_dir() {
        return Ok(None);
    }
    meter.begin("copying files of messages", 0);
    let list = backup.join(LIST_FILE_NAME);
    let mut listed = BufWriter::new(held::create(&list)?);
    each(&source, &mut |path| {
        let below = path.strip_prefix(&source).expect("found below it");
        let kept = to.join(FILES_DIR_NAME).join(below);
        let part = match kept.is_file() {
            _ if known.contains(&mark(&below.to_string_lossy())) => return Ok(()),
            true => held::sum_of(path, meter),
            false => copy_one(path, &kept, meter),
        };
        let part = match part {
            // Forgotten meanwhile.
            Err(BackupFailed::Disk { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(()),
            part => part?.part(below.to_str().unwrap_or_default()),
        };
        writeln!(listed, "{} {} {}", part.sha256, part.bytes, part.path).or_failed("writing", &list)
    })?;
    listed.flush().and_then(|()| listed.get_ref().sync_all()).or_failed("syncing", &list)?;
    Ok(Some(held::sum_of(&list, meter)?.part(LIST_FILE_NAME)))
}

fn copy_one(from: &Path, to: &Path, meter: &mut Meter<'_>) -> Result<held::Sum, BackupFailed> {
    let dir = to.parent().expect("below a directory");
    held::make_dir(dir)?;
    let made = to.with_extension("part");
    match fs::remove_file(&made) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).or_failed("removing", &made),
        _ => {}
    }
    let sum = held::copy(from, &made, meter)?;
    fs::rename(&made, to).or_failed("naming", to)?;
    for dir in dir.ancestors().take(3) {
        held::sync_dir(dir)?;
    }
    Ok(sum)
}

/// Every whole file in the directories of workspaces and conversations.
fn each(dir: &Path, of: &mut impl FnMut(&Path) -> Result<(), BackupFailed>) -> Result<(), BackupFailed> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.or_failed("reading", dir)?,
    };
    for entry in entries {
        let path = entry.or_failed("reading", dir)?.path();
        if path.is_dir() {
            each(&path, of)?;
        } else if path.extension().is_none() {
            of(&path)?;
        }
    }
    Ok(())
}

/// What a backup lists, one after the other.
pub(super) fn listed(backup: &Path, mut of: impl FnMut(Part) -> Result<(), BackupFailed>) -> Result<(), BackupFailed> {
    let path = backup.join(LIST_FILE_NAME);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => BufReader::new(file.or_failed("reading", &path)?),
    };
    for line in file.lines() {
        let line = line.or_failed("reading", &path)?;
        let part = part_of(&line).ok_or_else(|| BackupFailed::damaged(&path, "a line of it says nothing"))?;
        of(part)?;
    }
    Ok(())
}

fn part_of(line: &str) -> Option<Part> {
    let (sha256, rest) = line.split_once(' ')?;
    let (bytes, path) = rest.split_once(' ')?;
    // It becomes a path below directories that are ours.
    let plain = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (plain && !path.is_empty()).then(|| Part {
        path: path.into(),
        bytes: bytes.parse().unwrap_or(0),
        sha256: sha256.into(),
    })
}

/// Removes what no backup lists any more.
pub(super) fn forget_unlisted(to: &Path) -> Result<(), BackupFailed> {
    let mut kept: HashSet<PathBuf> = HashSet::new();
    for (name, manifest) in chain::all_of(to)? {
        // What cannot be read may list what nothing else does.
        manifest?;
        listed(&to.join(name), |part| {
            kept.insert(PathBuf::from(part.path));
            Ok(())
        })?;
    }
    let pool = to.join(FILES_DIR_NAME);
    each(&pool, &mut |path| match kept.contains(path.strip_prefix(&pool).expect("found below it")) {
        true => Ok(()),
        false => fs::remove_file(path).or_failed("removing", path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_leads_elsewhere_is_none() {
        let part = part_of("ab 12 demo/c1/f").unwrap();
        assert_eq!((part.path.as_str(), part.bytes, part.sha256.as_str()), ("demo/c1/f", 12, "ab"));
        for line in ["", "ab", "ab 12", "ab 12 ", "ab 12 ../f", "ab 12 /etc/f", "ab 12 demo/../../f"] {
            assert_eq!(part_of(line), None, "{line}");
        }
    }
}
