//! Takes a backup of a data directory, beside the server that runs on it.
//!
//! ```text
//! records so far ─▶ the view, as of one moment ─▶ records that came meanwhile ─▶ files ─▶ keys ─▶ manifest ─▶ its name
//! ```
//!
//! In this order since the journal may be ahead of the view and never behind it, a file is on the disk before a record names it,
//! and a key before a record that needs it.

use super::chain::{self, PART};
use super::failed::{BackupFailed, OrFailed};
use super::held::{self, BackupLock, Part};
use super::manifest::{FORMAT, Kind, Manifest, Reached};
use super::meter::Meter;
use super::pages::{self, Source};
use super::records::Records;
use super::segment::SegmentWriter;
use super::{SMALL_FILES, files, keys};
use crate::clock;
use crate::cluster::is_of_node;
use crate::engine::workspace::PROBES;
use crate::journal::{Position, record};
use crate::view;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub struct Wanted {
    pub data_dir: PathBuf,
    pub to: PathBuf,
    /// Where keys go.
    pub keys_to: PathBuf,
    /// A whole one also where the records since the last would do.
    pub whole: bool,
    /// A whole one when the last is older.
    pub whole_after_ms: u64,
    /// Whole ones that are kept, with what goes on from them; 0 keeps all.
    pub keep_whole: usize,
    pub wal_bytes_max: u64,
}

/// What was taken.
pub struct Taken {
    pub manifest: Manifest,
    /// Why it is a whole one though records alone were to be taken.
    pub why_whole: Option<String>,
}

/// # Errors
/// No backup was taken; those that are there are as they were.
pub fn take(wanted: &Wanted, meter: &mut Meter<'_>) -> Result<Taken, BackupFailed> {
    let of_node = is_of_node(&wanted.data_dir);
    let records = (!of_node).then(|| Records::open(&wanted.data_dir)).transpose()?;
    let view = wanted.data_dir.join(view::FILE_NAME);
    if of_node && !view.is_file() {
        return Err(BackupFailed::Refused(format!("there is no {}: the node has not run yet", view.display())));
    }
    held::make_dir(&wanted.to)?;
    let _lock = BackupLock::take(&wanted.to)?;
    chain::remove_parts(&wanted.to)?;
    let before = records.as_ref().map_or(Ok(Err(None)), |records| before(wanted, records));
    let (before, why_whole) = match before? {
        Ok(before) => (Some(before), None),
        Err(why) => (None, why),
    };
    let began_at = clock::wall_ms();
    let name = name_of(began_at);
    let dir = wanted.to.join(format!("{name}{PART}"));
    held::make_dir(&dir)?;
    let taking = Taking { wanted, records: records.as_ref(), dir: &dir, before: before.as_ref() };
    let (workspaces, views, parts) = taking.all(meter)?;
    keys::copy(&wanted.data_dir, &wanted.keys_to, wanted.wal_bytes_max, meter)?;
    let manifest = Manifest {
        format: FORMAT,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        name: name.clone(),
        kind: if before.is_some() { Kind::More } else { Kind::Whole },
        after: before.map(|before| before.name),
        began_at,
        made_at: clock::wall_ms(),
        workspaces,
        views: if of_node { views } else { BTreeMap::new() },
        parts,
    };
    manifest.write(&dir)?;
    fs::rename(&dir, wanted.to.join(&name)).or_failed("naming", &dir)?;
    held::sync_dir(&wanted.to)?;
    forget_old(wanted)?;
    Ok(Taken { manifest, why_whole })
}

/// By time, so that their order is that of names.
pub(super) fn name_of(wall_ms: u64) -> String {
    let at = i64::try_from(wall_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%S.%3fZ").to_string()
}

/// The one that this goes on from; or why a whole one is taken, where that is not what was asked for.
fn before(wanted: &Wanted, records: &Records) -> Result<Result<Manifest, Option<String>>, BackupFailed> {
    if wanted.whole {
        return Ok(Err(None));
    }
    let chain = match chain::chain(&wanted.to, None) {
        Ok(chain) => chain,
        // The first.
        Err(BackupFailed::Refused(_)) => return Ok(Err(None)),
        Err(newer @ BackupFailed::Newer { .. }) => return Err(newer),
        Err(damaged) => return Ok(Err(Some(format!("the last backup cannot be gone on from: {damaged}")))),
    };
    let (whole, last) = (chain.first().expect("not empty"), chain.last().expect("not empty"));
    if !last.views.is_empty() {
        return Ok(Err(Some(format!("{} is of a node of a cluster", last.name))));
    }
    if clock::wall_ms().saturating_sub(whole.made_at) >= wanted.whole_after_ms {
        return Ok(Err(None));
    }
    for (name, reached) in last.workspaces.iter().filter(|(name, _)| *name != PROBES) {
        let held = records.at(&Arc::from(name.as_str()), Position(reached.last))?;
        if held.is_none_or(|record| record.turn.to_string() != reached.turn) {
            return Ok(Err(Some(format!(
                "the journal of {name} does not go on from where {} ends (it was cut, or restored from another)",
                last.name
            ))));
        }
    }
    Ok(Ok(last.clone()))
}

/// Where a view stands, for each workspace.
type Views = BTreeMap<String, u64>;

struct Taking<'a> {
    wanted: &'a Wanted,
    /// None at a node of a cluster.
    records: Option<&'a Records>,
    dir: &'a Path,
    before: Option<&'a Manifest>,
}

impl Taking<'_> {
    /// How far each workspace is held, where the view stands, and what there is.
    fn all(&self, meter: &mut Meter<'_>) -> Result<(BTreeMap<String, Reached>, Views, Vec<Part>), BackupFailed> {
        held::make_dir(&self.dir.join("records"))?;
        let mut segments = BTreeMap::new();
        self.records(&mut segments, &BTreeMap::new(), "copying records", meter)?;
        let mut parts = Vec::new();
        let mut view = Views::new();
        if self.before.is_none() {
            view = self.view(&mut parts, meter)?;
            self.records(&mut segments, &view, "copying records that came meanwhile", meter)?;
        }
        let workspaces = self.reached(segments, &view, &mut parts)?;
        let known = self.before.map(|before| files::known(&self.wanted.to, &before.name)).transpose()?;
        let known = known.unwrap_or_default();
        parts.extend(files::copy(&self.wanted.data_dir, &self.wanted.to, self.dir, &known, meter)?);
        for name in SMALL_FILES {
            parts.extend(self.small(name, meter)?);
        }
        Ok((workspaces, view, parts))
    }

    /// Goes on with each workspace from where it was left.
    fn records(
        &self,
        segments: &mut BTreeMap<String, Segment>,
        view: &BTreeMap<String, u64>,
        stage: &'static str,
        meter: &mut Meter<'_>,
    ) -> Result<(), BackupFailed> {
        let Some(records) = self.records else { return Ok(()) };
        meter.begin(stage, 0);
        for workspace in records.workspaces()? {
            let name = workspace.to_string();
            let probes = name == PROBES;
            // The probe's are cut all the time and worth nothing: enough for its view to go on from.
            if probes && !view.contains_key(PROBES) {
                continue;
            }
            let held = self.before.and_then(|before| before.workspaces.get(&name)).map_or(0, |reached| reached.last);
            let from = if probes { view[PROBES].saturating_sub(1) } else { held };
            let segment = segments.entry(name.clone()).or_insert_with(|| Segment {
                writer: SegmentWriter::new(self.dir, format!("records/{name}.records")),
                first: None,
            });
            let after = segment.writer.last.as_ref().map_or(Position(from), |record| record.position);
            let first = records.copy(&workspace, after, &mut segment.writer, meter)?;
            let goes_on = segment.first.is_some() && first == Some(after.next());
            match first {
                Some(first) if goes_on || segment.first.is_none() => {
                    segment.first.get_or_insert(first);
                }
                // What was between the two was cut: it is in the view by then.
                Some(first) => segment.first = Some(first),
                None => {}
            }
        }
        Ok(())
    }

    fn view(&self, parts: &mut Vec<Part>, meter: &mut Meter<'_>) -> Result<BTreeMap<String, u64>, BackupFailed> {
        let (source, made) = (self.wanted.data_dir.join(view::FILE_NAME), self.dir.join(view::FILE_NAME));
        if !source.is_file() {
            return Ok(BTreeMap::new());
        }
        let source = Source { path: &source, wal_bytes_max: self.wanted.wal_bytes_max };
        let positions = pages::copy(&source, &made, "copying the view", meter, positions)?;
        meter.begin("summing up the view", fs::metadata(&made).map_or(0, |file| file.len()));
        parts.push(held::sum_of(&made, meter)?.part(view::FILE_NAME));
        Ok(positions)
    }

    /// How far each workspace is held, once its records are on the disk.
    fn reached(
        &self,
        segments: BTreeMap<String, Segment>,
        view: &BTreeMap<String, u64>,
        parts: &mut Vec<Part>,
    ) -> Result<BTreeMap<String, Reached>, BackupFailed> {
        let mut workspaces = self.before.map(|before| before.workspaces.clone()).unwrap_or_default();
        for (name, Segment { writer, first }) in segments {
            let held = workspaces.get(&name).cloned();
            let stands = view.get(&name).copied().or(held.as_ref().map(|held| held.view)).unwrap_or(0);
            let from = held.map_or(stands, |held| held.last);
            if first.is_some_and(|first| first.0 > from + 1) {
                return Err(BackupFailed::Refused(format!(
                    "the journal of {name} was cut while it was copied: take the backup once more"
                )));
            }
            if let Some(last) = writer.last.clone() {
                let head = record::decode(&last.body).map_err(|why| {
                    BackupFailed::damaged(
                        &self.wanted.data_dir.join("journal.db"),
                        format!("record {} of {name}: {why}; see `offhook journal verify`", last.position),
                    )
                })?;
                let (turn, wall_ms) = (last.turn.to_string(), head.head.wall_ms);
                workspaces.insert(name, Reached { last: last.position.0, turn, wall_ms, view: stands });
            }
            parts.extend(writer.end()?);
        }
        Ok(workspaces)
    }

    fn small(&self, name: &str, meter: &mut Meter<'_>) -> Result<Option<Part>, BackupFailed> {
        let (source, made) = (self.wanted.data_dir.join(name), self.dir.join(name));
        if !source.is_file() {
            return Ok(None);
        }
        if !name.ends_with(".db") {
            return Ok(Some(held::copy(&source, &made, meter)?.part(name)));
        }
        let source = Source { path: &source, wal_bytes_max: self.wanted.wal_bytes_max };
        pages::copy(&source, &made, "copying a small database", meter, |_| Ok(()))?;
        Ok(Some(held::sum_of(&made, meter)?.part(name)))
    }
}

struct Segment {
    writer: SegmentWriter,
    /// The first record that it holds.
    first: Option<Position>,
}

/// Where each workspace of a view stands.
fn positions(db: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut select = db.prepare("SELECT name, position FROM workspace")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64)))?;
    rows.collect()
}

/// What is older than the whole ones that are kept, and files that nothing lists any more.
fn forget_old(wanted: &Wanted) -> Result<(), BackupFailed> {
    if wanted.keep_whole == 0 {
        return Ok(());
    }
    let all = chain::all_of(&wanted.to)?;
    let whole: Vec<&String> = all
        .iter()
        .filter(|(_, manifest)| manifest.as_ref().is_ok_and(|manifest| manifest.kind == Kind::Whole))
        .map(|(name, _)| name)
        .collect();
    let Some(oldest) = whole.len().checked_sub(wanted.keep_whole).map(|place| whole[place]) else { return Ok(()) };
    let old: Vec<&String> = all.keys().filter(|name| *name < oldest).collect();
    if old.is_empty() {
        return Ok(());
    }
    // The newest first: what is left of a chain that is broken off still begins with its whole one.
    for name in old.iter().rev() {
        chain::remove(&wanted.to, name)?;
    }
    files::forget_unlisted(&wanted.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_time() {
        assert_eq!(name_of(1_795_766_400_123), "20261127T080000.123Z");
        assert!(name_of(999) < name_of(1_000));
    }
}
