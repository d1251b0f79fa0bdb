//! Which backups there are in a directory, and which of them belong together.

use super::failed::{BackupFailed, OrFailed};
use super::manifest::{Kind, MANIFEST_FILE_NAME, Manifest};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Of what is not done yet, or is being removed.
pub(super) const PART: &str = ".part";

/// By name, which is by time. What was never finished is not among them; what cannot be read is.
///
/// # Errors
/// The directory cannot be read.
pub fn all_of(dir: &Path) -> Result<BTreeMap<String, Result<Manifest, BackupFailed>>, BackupFailed> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).or_failed("looking for backups in", dir)? {
        let path = entry.or_failed("looking for backups in", dir)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.ends_with(PART) && path.join(MANIFEST_FILE_NAME).is_file() {
            found.insert(name.to_owned(), Manifest::read(&path));
        }
    }
    Ok(found)
}

/// From the whole one up to `name`, or to the newest.
pub(super) fn chain(dir: &Path, name: Option<&str>) -> Result<Vec<Manifest>, BackupFailed> {
    let mut all = all_of(dir)?;
    let Some(mut name) = name.map(str::to_owned).or_else(|| all.keys().next_back().cloned()) else {
        return Err(BackupFailed::Refused(format!("there is no backup in {}", dir.display())));
    };
    let mut chain = Vec::new();
    loop {
        let Some(found) = all.remove(&name) else {
            let there: Vec<_> = all_of(dir)?.into_keys().collect();
            return Err(BackupFailed::Refused(format!(
                "there is no backup {name} in {}; there are: {}",
                dir.display(),
                there.join(", ")
            )));
        };
        let manifest = found?;
        let after = manifest.after.clone();
        let whole = manifest.kind == Kind::Whole;
        chain.insert(0, manifest);
        match after {
            Some(before) if !whole => name = before,
            _ => return Ok(chain),
        }
    }
}

/// Removes what was never finished, and nothing that is not ours.
pub(super) fn remove_parts(dir: &Path) -> Result<(), BackupFailed> {
    for entry in fs::read_dir(dir).or_failed("looking for backups in", dir)? {
        let path = entry.or_failed("looking for backups in", dir)?.path();
        let ours = path.file_name().and_then(|name| name.to_str()).is_some_and(is_part);
        if ours && path.is_dir() {
            fs::remove_dir_all(&path).or_failed("removing", &path)?;
        }
    }
    Ok(())
}

/// `20261127T080000.123Z.part`
fn is_part(name: &str) -> bool {
    name.strip_suffix(PART).is_some_and(|name| {
        name.ends_with('Z') && name.len() == "20261127T080000.123Z".len() && name.as_bytes()[8] == b'T'
    })
}

/// Removes a backup so that it is not taken for one from the first moment on.
pub(super) fn remove(dir: &Path, name: &str) -> Result<(), BackupFailed> {
    let (path, aside) = (dir.join(name), dir.join(format!("{name}{PART}")));
    match fs::rename(&path, &aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).or_failed("removing", &path),
        _ => {}
    }
    fs::remove_dir_all(&aside).or_failed("removing", &aside)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::FORMAT;
    use super::*;

    fn put(dir: &Path, name: &str, after: Option<&str>) {
        let path = dir.join(name);
        fs::create_dir(&path).unwrap();
        let kind = if after.is_none() { Kind::Whole } else { Kind::More };
        let manifest = Manifest {
            format: FORMAT,
            release: String::new(),
            name: name.into(),
            kind,
            after: after.map(str::to_owned),
            began_at: 0,
            made_at: 0,
            workspaces: BTreeMap::new(),
            views: BTreeMap::new(),
            parts: Vec::new(),
        };
        manifest.write(&path).unwrap();
    }

    #[test]
    fn a_chain_goes_back_to_the_whole_one_and_what_is_missing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let names = |chain: Vec<Manifest>| chain.into_iter().map(|manifest| manifest.name).collect::<Vec<_>>();
        assert!(chain(dir.path(), None).unwrap_err().to_string().contains("no backup in"));
        put(dir.path(), "1", None);
        put(dir.path(), "2", Some("1"));
        put(dir.path(), "3", Some("2"));
        put(dir.path(), "4", None);
        fs::create_dir(dir.path().join("9.part")).unwrap();
        assert_eq!(names(chain(dir.path(), None).unwrap()), ["4"]);
        assert_eq!(names(chain(dir.path(), Some("3")).unwrap()), ["1", "2", "3"]);
        remove(dir.path(), "2").unwrap();
        let refused = chain(dir.path(), Some("3")).unwrap_err().to_string();
        assert!(refused.contains("no backup 2") && refused.contains("1, 3, 4"), "{refused}");
    }

    #[test]
    fn only_what_was_not_finished_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["20261127T080000.123Z.part", "20261127T080000.123Z", "photos.part"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        remove_parts(dir.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["20261127T080000.123Z", "photos.part"]);
    }
}
