//! Keys are kept apart, and only as they are now: an older copy would hold the key of a customer who was erased since.

use super::chain;
use super::failed::{BackupFailed, OrFailed};
use super::held;
use super::manifest::{FORMAT, Kind, Manifest};
use super::meter::Meter;
use super::pages::{self, Source};
use super::{KEY_FILES, take};
use crate::clock;
use crate::seal::KEYS_FILE_NAME;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Copies them to a place of their own, and removes the copy before.
pub(super) fn copy(data_dir: &Path, to: &Path, wal_bytes_max: u64, meter: &mut Meter<'_>) -> Result<(), BackupFailed> {
    held::make_dir(to)?;
    chain::remove_parts(to)?;
    let began_at = clock::wall_ms();
    let name = take::name_of(began_at);
    let dir = to.join(format!("{name}{}", chain::PART));
    held::make_dir(&dir)?;
    let (keys, made) = (data_dir.join(KEYS_FILE_NAME), dir.join(KEYS_FILE_NAME));
    pages::copy(&Source { path: &keys, wal_bytes_max }, &made, "copying keys", meter, |_| Ok(()))?;
    let mut parts = vec![held::sum_of(&made, meter)?.part(KEYS_FILE_NAME)];
    for file in KEY_FILES {
        let source = data_dir.join(file);
        if source.is_file() {
            parts.push(held::copy(&source, &dir.join(file), meter)?.part(file));
        }
    }
    let manifest = Manifest {
        format: FORMAT,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        name: name.clone(),
        kind: Kind::Keys,
        after: None,
        began_at,
        made_at: clock::wall_ms(),
        workspaces: BTreeMap::new(),
        views: BTreeMap::new(),
        parts,
    };
    manifest.write(&dir)?;
    fs::rename(&dir, to.join(&name)).or_failed("naming", &dir)?;
    held::sync_dir(to)?;
    for older in chain::all_of(to)?.into_keys().filter(|older| *older < name) {
        chain::remove(to, &older)?;
    }
    Ok(())
}

/// Where the newest whole copy is.
pub(super) fn newest(dir: &Path) -> Result<(PathBuf, Manifest), BackupFailed> {
    match chain::all_of(dir)?.pop_last() {
        Some((name, manifest)) => Ok((dir.join(name), manifest?)),
        None => Err(BackupFailed::Refused(format!(
            "there is no copy of the keys in {}: name their place with --keys-from, without them nothing can be read",
            dir.display()
        ))),
    }
}
