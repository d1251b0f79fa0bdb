//! What the supervisor knows and its server shows: restarts, upgrades, what runs. It outlives the server in the supervisor's memory, and is read
//! through a descriptor that each server inherits: a file of memory, so that no disk is in the way.

use super::inherited::Inherited;
use super::keeper::Cause;
use crate::telemetry::catalogue;
use rustix::fs::MemfdFlags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

const BYTES_MAX: usize = 64 * 1024;
/// How an upgrade can end: the metric's label.
pub(super) const OUTCOMES: [&str; 4] = ["done", "rolled_back", "refused", "interrupted"];

/// Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The supervisor's process number.
    pub supervisor: u32,
    pub since: u64,
    /// The server: `away`, `starting`, `serving`, `silent`, `ending`.
    pub server: String,
    /// Which binary runs, or is started next.
    pub binary: String,
    pub version: String,
    /// By cause.
    pub restarts: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_restart: Option<Restart>,
    /// By outcome.
    pub upgrades: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
    /// Connections that the supervisor answered itself (`answered`), or had no room for (`turned_away`).
    pub stood_in: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    pub cause: String,
    pub why: String,
    pub at: u64,
}

/// The last upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    pub to: String,
    pub to_version: String,
    pub from: String,
    pub from_version: String,
    /// `trying`, or how it ended.
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub at: u64,
}

impl Facts {
    pub(super) fn new(supervisor: u32, since: u64) -> Self {
        let none = |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), 0)).collect();
        let restarts = Cause::ALL.map(Cause::word);
        Self {
            supervisor,
            since,
            restarts: none(&restarts),
            upgrades: none(&OUTCOMES),
            stood_in: none(&["answered", "turned_away"]),
            ..Self::default()
        }
    }

    /// As counters, with what each is called.
    pub(super) fn counters(&self) -> [(&'static str, &'static str, &BTreeMap<String, u64>); 3] {
        [
            (catalogue::RESTARTS_TOTAL, "cause", &self.restarts),
            (catalogue::UPGRADES_TOTAL, "outcome", &self.upgrades),
            (catalogue::STOOD_IN_TOTAL, "answer", &self.stood_in),
        ]
    }
}

/// Where the supervisor writes them.
pub(super) struct Board {
    file: File,
    /// What was written last is covered whole by what is written next.
    length: Mutex<usize>,
}

impl Board {
    pub fn make() -> io::Result<Self> {
        let fd = rustix::fs::memfd_create("offhook-facts", MemfdFlags::CLOEXEC)?;
        Ok(Self { file: fd.into(), length: Mutex::default() })
    }

    pub fn write(&self, facts: &Facts) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(facts)?;
        let mut length = self.length.lock().unwrap_or_else(PoisonError::into_inner);
        let written = bytes.len();
        bytes.resize(written.max(*length), b' ');
        self.file.write_all_at(&bytes, 0)?;
        *length = written;
        Ok(())
    }
}

impl AsFd for Board {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The supervisor over this process, as this process sees it.
#[derive(Debug)]
pub struct Supervised {
    file: File,
    last: Mutex<Option<Facts>>,
}

impl Supervised {
    /// `None` where nobody of ours runs this process.
    #[must_use]
    pub fn of(inherited: &mut Inherited) -> Option<Self> {
        inherited.facts.take().map(|file| Self { file, last: Mutex::default() })
    }

    /// As they were written last; what is read in the middle of a write is passed over.
    pub fn facts(&self) -> Option<Facts> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = vec![0; BYTES_MAX];
        let read = self.file.read_at(&mut bytes, 0).unwrap_or(0);
        if let Ok(facts) = serde_json::from_slice(&bytes[..read]) {
            *last = Some(facts);
        }
        last.clone()
    }

    /// The supervisor's counters become metrics of this process.
    pub fn count(&self) {
        let Some(facts) = self.facts() else { return };
        for (name, label, counts) in facts.counters() {
            for (word, count) in counts {
                metrics::counter!(name, label => word.clone()).absolute(*count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_also_when_it_becomes_shorter() {
        let board = Board::make().unwrap();
        let mut inherited = Inherited { facts: Some(board.file.try_clone().unwrap()), ..Inherited::default() };
        let supervised = Supervised::of(&mut inherited).unwrap();
        assert_eq!(supervised.facts(), None);
        let mut facts = Facts::new(7, 1_000);
        for binary in ["/usr/bin/offhook", "/a", "/usr/local/bin/offhook"] {
            binary.clone_into(&mut facts.binary);
            board.write(&facts).unwrap();
            assert_eq!(supervised.facts().as_ref(), Some(&facts));
        }
    }

    #[test]
    fn what_is_half_written_is_passed_over() {
        let board = Board::make().unwrap();
        let mut inherited = Inherited { facts: Some(board.file.try_clone().unwrap()), ..Inherited::default() };
        let supervised = Supervised::of(&mut inherited).unwrap();
        let facts = Facts::new(7, 1_000);
        board.write(&facts).unwrap();
        assert!(supervised.facts().is_some());
        board.file.write_all_at(b"{\"supervisor\":", 0).unwrap();
        assert_eq!(supervised.facts(), Some(facts));
    }
}
