//! Reads backups from end to end: every sum, every record, every page of the databases, and whether one goes on from the other.

use super::chain;
use super::failed::{BackupFailed, OrFailed};
use super::files;
use super::held;
use super::keys;
use super::manifest::{Kind, Manifest};
use super::meter::Meter;
use super::segment::SegmentReader;
use crate::files::FILES_DIR_NAME;
use crate::journal::{StoredRecord, record};
use crate::seal::{self, KEYS_FILE_NAME};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;

/// What was found of one backup.
pub struct Checked {
    pub name: String,
    /// `None` where not even that could be read.
    pub manifest: Option<Manifest>,
    pub records: u64,
    /// What is wrong, a sentence each; nothing if it is sound.
    pub wrong: Vec<String>,
}

/// Checks every backup, or the chain of one; and the copy of the keys, which has no name.
///
/// # Errors
/// They cannot be listed.
pub fn verify(
    from: &Path,
    keys_from: &Path,
    only: Option<&str>,
    meter: &mut Meter<'_>,
) -> Result<Vec<Checked>, BackupFailed> {
    let mut all = chain::all_of(from)?;
    if let Some(only) = only {
        let wanted = chain::chain(from, Some(only))?;
        all.retain(|name, _| wanted.iter().any(|manifest| manifest.name == *name));
    }
    if all.is_empty() {
        return Err(BackupFailed::Refused(format!("there is no backup in {}", from.display())));
    }
    let mut ends = Ends::default();
    let mut found = Vec::new();
    for (name, manifest) in all {
        let mut checked = Checked { name, manifest: None, records: 0, wrong: Vec::new() };
        match manifest {
            Ok(manifest) => {
                check(from, &manifest, &mut ends, &mut checked, meter);
                checked.manifest = Some(manifest);
            }
            Err(why) => checked.wrong.push(why.to_string()),
        }
        found.push(checked);
    }
    found.push(check_keys(keys_from, meter));
    Ok(found)
}

/// Where the backup before ended, workspace by workspace.
#[derive(Default)]
struct Ends {
    name: Option<String>,
    last: BTreeMap<String, u64>,
}

fn check(from: &Path, manifest: &Manifest, ends: &mut Ends, checked: &mut Checked, meter: &mut Meter<'_>) {
    let dir = from.join(&manifest.name);
    if manifest.kind == Kind::Whole {
        *ends = Ends::default();
    } else if manifest.after != ends.name {
        let after = manifest.after.as_deref().unwrap_or("one without a name");
        checked.wrong.push(format!("it goes on from {after}, which is not there"));
    }
    meter.begin("checking", manifest.parts.iter().map(|part| part.bytes).sum());
    for part in &manifest.parts {
        let done = match part.path.strip_prefix("records/").and_then(|name| name.strip_suffix(".records")) {
            Some(workspace) => check_records(&dir, part, workspace, manifest, ends, checked, meter),
            None => held::check(&dir, part, meter).and_then(|()| match part.path.ends_with(".db") {
                true => check_pages(&dir.join(&part.path), meter),
                false => Ok(()),
            }),
        };
        if let Err(why) = done {
            checked.wrong.push(why.to_string());
        }
    }
    for (workspace, reached) in &manifest.workspaces {
        if ends.last.get(workspace) != Some(&reached.last) {
            checked.wrong.push(format!("records of {workspace} up to {} should be there", reached.last));
        }
    }
    let listed = files::listed(&dir, |part| {
        if let Err(why) = held::check(&from.join(FILES_DIR_NAME), &part, meter) {
            checked.wrong.push(why.to_string());
        }
        Ok(())
    });
    if let Err(why) = listed {
        checked.wrong.push(why.to_string());
    }
    ends.name = Some(manifest.name.clone());
}

fn check_records(
    dir: &Path,
    part: &held::Part,
    workspace: &str,
    manifest: &Manifest,
    ends: &mut Ends,
    checked: &mut Checked,
    meter: &mut Meter<'_>,
) -> Result<(), BackupFailed> {
    let path = dir.join(&part.path);
    let mut reader = SegmentReader::open(&path)?;
    // A whole one begins wherever the journal did, at the latest where the view stands.
    let view = manifest.workspaces.get(workspace).map_or(0, |reached| reached.view);
    let mut last = ends.last.get(workspace).copied();
    while let Some(stored) = reader.next()? {
        let at = stored.position.0;
        let goes_on = last.map_or(at <= view + 1, |last| at == last + 1);
        if !goes_on {
            return Err(reader.damaged(&format!("record {at} does not follow what is there before it")));
        }
        sound(&stored).map_err(|why| reader.damaged(&format!("record {at}: {why}")))?;
        last = Some(at);
        checked.records += 1;
        meter.took(stored.body.len());
    }
    reader.same_as(part)?;
    ends.last.extend(last.map(|last| (workspace.to_owned(), last)));
    Ok(())
}

fn sound(stored: &StoredRecord) -> Result<(), String> {
    let head = record::decode(&stored.body).map_err(|why| why.to_string())?.head;
    match head.position == stored.position && head.turn == stored.turn {
        true => Ok(()),
        false => Err("its head says that it is another".to_owned()),
    }
}

/// Opened as what never changes: nothing is made beside it.
fn open_still(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

/// Table by table, so that somebody hears of it.
fn check_pages(path: &Path, meter: &mut Meter<'_>) -> Result<(), BackupFailed> {
    let db = open_still(path).or_failed("opening", path)?;
    let mut select = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").or_failed("reading", path)?;
    let tables = select.query_map([], |row| row.get::<_, String>(0)).or_failed("reading", path)?;
    for table in tables {
        let table = table.or_failed("reading", path)?;
        meter.begin("checking a table's pages", 0);
        let found = db.query_row("SELECT * FROM pragma_integrity_check(?1)", [&table], |row| row.get::<_, String>(0));
        match found {
            Ok(found) if found == "ok" => {}
            Ok(found) => return Err(BackupFailed::damaged(path, found)),
            Err(error) => return Err(BackupFailed::damaged(path, error)),
        }
    }
    Ok(())
}

fn check_keys(keys_from: &Path, meter: &mut Meter<'_>) -> Checked {
    let mut checked = Checked { name: "keys".into(), manifest: None, records: 0, wrong: Vec::new() };
    let (dir, manifest) = match keys::newest(keys_from) {
        Ok(newest) => newest,
        Err(why) => {
            checked.wrong.push(why.to_string());
            return checked;
        }
    };
    for part in &manifest.parts {
        let path = dir.join(&part.path);
        let done = held::check(&dir, part, meter).and_then(|()| match part.path.ends_with(".db") {
            true => check_pages(&path, meter),
            false => Ok(()),
        });
        if let Err(why) = done {
            checked.wrong.push(why.to_string());
        }
    }
    if checked.wrong.is_empty() {
        let path = dir.join(KEYS_FILE_NAME);
        let opened = open_still(&path).or_failed("opening", &path).map_err(|why| why.to_string());
        if let Err(why) = opened.and_then(|db| seal::check_wrapping(&dir, &db).map_err(|why| why.to_string())) {
            checked.wrong.push(why);
        }
    }
    checked.manifest = Some(manifest);
    checked
}
