//! What a backup says of itself: one line of JSON, and its own sum on a second. Written last.

use super::failed::{BackupFailed, OrFailed};
use super::held::{self, Part, Sum};
use crate::engine::workspace::PROBES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Raised when an older release could not read what is written.
pub const FORMAT: u32 = 1;
pub(super) const MANIFEST_FILE_NAME: &str = "manifest.json";
/// A manifest names workspaces and a few files: no list of what there are many of.
const BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Stands alone.
    Whole,
    /// The records since the one before it.
    More,
    /// Keys alone, in their own place.
    Keys,
}

impl Kind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Whole => "whole",
            Kind::More => "more",
            Kind::Keys => "keys",
        }
    }
}

/// Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The release that made it.
    pub release: String,
    pub name: String,
    pub kind: Kind,
    /// The one that it goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    pub began_at: u64,
    pub made_at: u64,
    pub workspaces: BTreeMap<String, Reached>,
    /// Of a node of a cluster, whose records are on the servers of NATS: where its view stands, for each workspace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub views: BTreeMap<String, u64>,
    pub parts: Vec<Part>,
}

/// How far a workspace is held: up to `last`, with everything that was acknowledged until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub last: u64,
    /// The turn of that record: tells whether a journal is still the one that was copied.
    pub turn: String,
    /// The wall's time in that record.
    pub wall_ms: u64,
    /// Where the view of the whole backup stands.
    pub view: u64,
}

/// What is asked before everything else.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Manifest {
    /// How far each of people's workspaces is held.
    pub fn positions(&self) -> impl Iterator<Item = (&str, u64)> {
        let held = self.workspaces.iter().map(|(name, reached)| (name.as_str(), reached.last));
        let views = self.views.iter().map(|(name, position)| (name.as_str(), *position));
        held.chain(views).filter(|(name, _)| *name != PROBES)
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), BackupFailed> {
        let path = dir.join(MANIFEST_FILE_NAME);
        let line = serde_json::to_string(self).expect("names and numbers");
        let mut sum = Sum::default();
        sum.add(line.as_bytes());
        let mut file = held::create(&path)?;
        writeln!(file, "{line}\n{}", sum.part("").sha256).or_failed("writing", &path)?;
        file.sync_all().or_failed("syncing", &path)?;
        held::sync_dir(dir)
    }

    pub(super) fn read(dir: &Path) -> Result<Self, BackupFailed> {
        let path = dir.join(MANIFEST_FILE_NAME);
        let bytes = fs::metadata(&path).or_failed("reading", &path)?.len();
        if bytes > BYTES_MAX {
            return Err(BackupFailed::damaged(&path, format!("it has {bytes} bytes")));
        }
        let text = fs::read(&path).or_failed("reading", &path)?;
        let text = String::from_utf8(text).map_err(|_| BackupFailed::damaged(&path, "it is not UTF-8"))?;
        let (line, written) = text.split_once('\n').unwrap_or((&text, ""));
        let mut sum = Sum::default();
        sum.add(line.as_bytes());
        if sum.part("").sha256 != written.trim_end_matches('\n') {
            return Err(BackupFailed::damaged(&path, "its sum is not what it was"));
        }
        let damaged = |error: serde_json::Error| BackupFailed::damaged(&path, error);
        let Format { format } = serde_json::from_str(line).map_err(damaged)?;
        if format > FORMAT {
            return Err(BackupFailed::Newer { path, found: format, known: FORMAT });
        }
        serde_json::from_str(line).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(format: u32) -> Manifest {
        let reached = Reached { last: 7, turn: "ab".into(), wall_ms: 5, view: 6 };
        Manifest {
            format,
            release: "0.1.0".into(),
            name: "n".into(),
            kind: Kind::More,
            after: Some("m".into()),
            began_at: 1,
            made_at: 2,
            workspaces: [("demo".to_owned(), reached)].into(),
            views: [("demo".to_owned(), 6)].into(),
            parts: vec![Part { path: "view.db".into(), bytes: 1, sha256: "00".into() }],
        }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_no_byte_of_it_may_change() {
        let dir = tempfile::tempdir().unwrap();
        manifest(FORMAT).write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), manifest(FORMAT));
        let path = dir.path().join(MANIFEST_FILE_NAME);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            let refused = Manifest::read(dir.path()).unwrap_err();
            assert!(refused.is_damage(), "byte {at}: {refused}");
        }
    }

    #[test]
    fn one_of_a_newer_release_is_refused_by_its_format() {
        let dir = tempfile::tempdir().unwrap();
        manifest(FORMAT + 1).write(dir.path()).unwrap();
        let refused = Manifest::read(dir.path()).unwrap_err();
        assert!(matches!(refused, BackupFailed::Newer { found, .. } if found == FORMAT + 1), "{refused}");
    }
}
