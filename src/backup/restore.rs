//! Brings a backup back into an empty directory, from which a server then starts. Everything is checked as it is read.
//!
//! A directory that is not done yet has a mark in it, and no server starts from it.

use super::chain;
use super::failed::{BackupFailed, OrFailed};
use super::files;
use super::held::{self, Part};
use super::keys;
use super::manifest::{Kind, Manifest};
use super::meter::Meter;
use super::segment::SegmentReader;
use crate::audit::{Limits, Trail};
use crate::clock;
use crate::files::FILES_DIR_NAME;
use crate::journal::sqlite::Restoring;
use crate::seal::{self, ERASURES_FILE_NAME};
use serde_json::json;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The mark.
const UNFINISHED_FILE_NAME: &str = "restore-unfinished";

pub struct RestoreWanted {
    pub from: PathBuf,
    pub keys_from: PathBuf,
    /// Its name; `None`: the newest.
    pub at: Option<String>,
    pub data_dir: PathBuf,
    /// Of a node of a cluster for another node: without what each has for itself.
    pub new_node: bool,
}

pub struct Restored {
    pub manifest: Manifest,
    pub records: u64,
    /// Files of messages that are not as they were, and were left out.
    pub files_left_out: Vec<String>,
}

/// # Errors
/// Nothing can be started from the directory; it may be restored to once more.
pub fn restore(wanted: &RestoreWanted, meter: &mut Meter<'_>) -> Result<Restored, BackupFailed> {
    let chain = chain::chain(&wanted.from, wanted.at.as_deref())?;
    let last = chain.last().expect("not empty");
    if wanted.new_node && last.views.is_empty() {
        return Err(BackupFailed::Refused(format!("{} is of no node of a cluster", last.name)));
    }
    if chain[0].kind != Kind::Whole {
        return Err(BackupFailed::Refused(format!("{} is no backup of data", chain[0].name)));
    }
    let (keys, keys_manifest) = keys::newest(&wanted.keys_from)?;
    let dir = &wanted.data_dir;
    make_room(dir)?;
    let mark = dir.join(UNFINISHED_FILE_NAME);
    File::create(&mark).and_then(|mark| mark.sync_all()).or_failed("marking", &mark)?;
    held::sync_dir(dir)?;
    for part in &keys_manifest.parts {
        copy_part(&keys, part, dir, meter)?;
    }
    let whole = wanted.from.join(&chain[0].name);
    meter.begin("bringing back the view", chain[0].parts.iter().map(|part| part.bytes).sum());
    for part in chain[0].parts.iter().filter(|part| part.path == crate::view::FILE_NAME) {
        copy_part(&whole, part, dir, meter)?;
    }
    // Who was signed in, and how it stood: as of the last.
    let small = |part: &&Part| {
        let name = part.path.as_str();
        let is_others = wanted.new_node && super::OF_ONE_NODE.contains(&name);
        super::SMALL_FILES.contains(&name) && name != ERASURES_FILE_NAME && !is_others
    };
    for part in last.parts.iter().filter(small) {
        copy_part(&wanted.from.join(&last.name), part, dir, meter)?;
    }
    keep_erased(wanted)?;
    // A node's are on the servers of NATS.
    let records = if last.views.is_empty() { records(wanted, &chain, meter)? } else { 0 };
    let files_left_out = message_files(wanted, &chain, meter)?;
    leave_lines(dir, last)?;
    held::sync_dir(dir)?;
    fs::remove_file(&mark).or_failed("removing", &mark)?;
    held::sync_dir(dir)?;
    Ok(Restored { manifest: last.clone(), records, files_left_out })
}

/// In each workspace's audit trail, that it was brought back, and as of when: what was done after that is not in it.
fn leave_lines(dir: &Path, from: &Manifest) -> Result<(), BackupFailed> {
    let failed = |why: &dyn std::fmt::Display| BackupFailed::Refused(format!("the audit trail: {why}"));
    let trail = Trail::open(dir, Limits { kept_ms: None, acts_max: u64::MAX }).map_err(|why| failed(&why))?;
    for (workspace, position) in from.positions() {
        let said = json!({"backup": from.name, "made_at": from.made_at, "position": position});
        let act = json!({"who": {"command": "restore"}, "call": "offhook restore", "said": said});
        trail.add_blocking(workspace, clock::wall_ms(), act.to_string()).map_err(|why| failed(&why))?;
    }
    Ok(())
}

/// Whether a server may start from a directory.
///
/// # Errors
/// A restore into it was broken off.
pub fn is_finished(data_dir: &Path) -> Result<(), BackupFailed> {
    match data_dir.join(UNFINISHED_FILE_NAME).exists() {
        false => Ok(()),
        true => Err(BackupFailed::Refused(format!(
            "a restore into {} was broken off: run `offhook restore` once more",
            data_dir.display()
        ))),
    }
}

/// Empty, or left by a restore that was broken off.
fn make_room(dir: &Path) -> Result<(), BackupFailed> {
    held::make_dir(dir)?;
    let entries = || fs::read_dir(dir).or_failed("looking into", dir);
    if entries()?.next().is_none() {
        return Ok(());
    }
    if !dir.join(UNFINISHED_FILE_NAME).is_file() {
        return Err(BackupFailed::Refused(format!(
            "{} is not empty: name a directory that is, and keep this one until the new one runs",
            dir.display()
        )));
    }
    for entry in entries()? {
        let path = entry.or_failed("looking into", dir)?.path();
        // Last of all, or a second one that is broken off would leave a directory that nobody takes.
        if path.ends_with(UNFINISHED_FILE_NAME) {
            continue;
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.or_failed("removing", &path)?;
    }
    Ok(())
}

/// Who was erased stays so, whichever backup is brought back: the ledgers of all that there are count.
fn keep_erased(wanted: &RestoreWanted) -> Result<(), BackupFailed> {
    for name in chain::all_of(&wanted.from)?.into_keys() {
        let path = wanted.from.join(name).join(ERASURES_FILE_NAME);
        let erased = seal::read_erasures(&path).or_failed("reading", &path)?;
        seal::add_erasures(&wanted.data_dir, &erased).or_failed("writing erasures into", &wanted.data_dir)?;
    }
    Ok(())
}

fn copy_part(from: &Path, part: &Part, to: &Path, meter: &mut Meter<'_>) -> Result<(), BackupFailed> {
    let source = from.join(&part.path);
    let sum = match held::copy(&source, &to.join(&part.path), meter) {
        Err(BackupFailed::Disk { source: error, .. }) if error.kind() == ErrorKind::NotFound => {
            return Err(BackupFailed::damaged(&source, "it is missing"));
        }
        sum => sum?,
    };
    held::same(&source, part, sum)
}

fn records(wanted: &RestoreWanted, chain: &[Manifest], meter: &mut Meter<'_>) -> Result<u64, BackupFailed> {
    let mut journal = Restoring::begin(&wanted.data_dir)?;
    let path = wanted.data_dir.join(crate::journal::sqlite::FILE_NAME);
    let mut count = 0;
    for manifest in chain {
        let dir = wanted.from.join(&manifest.name);
        let segments = manifest.parts.iter().filter(|part| part.path.ends_with(".records"));
        meter.begin("bringing back records", segments.clone().map(|part| part.bytes).sum());
        for part in segments {
            let workspace = part.path.trim_start_matches("records/").trim_end_matches(".records");
            let mut reader = SegmentReader::open(&dir.join(&part.path))?;
            while let Some(record) = reader.next()? {
                journal.add(workspace, &record).or_failed("writing", &path)?;
                meter.took(record.body.len());
                count += 1;
            }
            reader.same_as(part)?;
        }
    }
    journal.end().or_failed("writing", &path)?;
    File::open(&path).and_then(|file| file.sync_all()).or_failed("syncing", &path)?;
    Ok(count)
}

fn message_files(
    wanted: &RestoreWanted,
    chain: &[Manifest],
    meter: &mut Meter<'_>,
) -> Result<Vec<String>, BackupFailed> {
    meter.begin("bringing back files of messages", 0);
    let (from, to) = (wanted.from.join(FILES_DIR_NAME), wanted.data_dir.join(FILES_DIR_NAME));
    let mut left_out = Vec::new();
    for manifest in chain {
        files::listed(&wanted.from.join(&manifest.name), |part| {
            let made = to.join(&part.path);
            held::make_dir(made.parent().expect("below a directory"))?;
            if made.is_file() {
                return Ok(());
            }
            match copy_part(&from, &part, &to, meter) {
                Err(why) if why.is_damage() => {
                    // One file that is lost is no reason to lose the rest.
                    left_out.push(why.to_string());
                    let _ = fs::remove_file(&made);
                    Ok(())
                }
                done => done,
            }
        })?;
    }
    Ok(left_out)
}
