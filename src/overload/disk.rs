//! How much of the disk's budget is used, and what is shed for it: first new conversations of anonymous visitors, then all
//! that is not an accept, a reject or a close. The room that those commit on is kept back beside this (`journal`'s reserve).
//!
//! ```text
//!   plenty ──▶ low ──▶ critical     at a mark, at once
//!   plenty ◀── low ◀── critical     well below it, one at a time
//! ```

use crate::telemetry::catalogue as names;
use crate::wire::error::WireError;
use metrics::{counter, gauge};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// How full it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Fill {
    Plenty,
    Low,
    Critical,
}

/// Where each begins, in thousandths of the budget, and how far below it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskMarks {
    pub low: u32,
    pub critical: u32,
    pub gap: u32,
}

impl DiskMarks {
    /// What comes after `now` when this is read. Pure.
    fn next(self, now: Fill, level: u32) -> Fill {
        let reached = match level {
            _ if level >= self.critical => Fill::Critical,
            _ if level >= self.low => Fill::Low,
            _ => Fill::Plenty,
        };
        let (left, below) = match now {
            Fill::Critical => (self.critical, Fill::Low),
            Fill::Low => (self.low, Fill::Plenty),
            Fill::Plenty => (0, Fill::Plenty),
        };
        if reached >= now {
            reached
        } else if level + self.gap < left {
            below
        } else {
            now
        }
    }
}

static DISK: Disk = Disk { fill: AtomicU8::new(0), files_bytes: AtomicU64::new(0) };

/// The process's data directory, as of a second ago.
#[must_use]
pub fn disk() -> &'static Disk {
    &DISK
}

#[derive(Debug)]
pub struct Disk {
    fill: AtomicU8,
    /// What messages' files take: too many to be looked at each second.
    files_bytes: AtomicU64,
}

/// When a start may be tried again: disks fill and empty slowly.
const RETRY_MS: u64 = 30_000;

impl Disk {
    #[must_use]
    pub fn is_low(&self) -> bool {
        self.fill.load(Relaxed) >= Fill::Low as u8
    }

    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.fill.load(Relaxed) >= Fill::Critical as u8
    }

    pub fn hold_files(&self, bytes: u64) {
        self.files_bytes.store(bytes, Relaxed);
    }

    /// Counts a start, or a file, that was shed, and says what to answer.
    #[must_use]
    pub fn refuse_start(&self) -> WireError {
        counter!(names::DISK_SHED_TOTAL).increment(1);
        WireError::unavailable(RETRY_MS, "the disk is nearly full")
    }
}

/// Reads how full it is, for the meter.
#[derive(Debug)]
pub struct DiskMeter {
    directory: PathBuf,
    /// 0: as much as there is.
    budget_bytes: u64,
    marks: DiskMarks,
    fill: Fill,
}

impl DiskMeter {
    #[must_use]
    pub fn new(directory: PathBuf, budget_bytes: u64, marks: DiskMarks) -> Self {
        Self { directory, budget_bytes, marks, fill: Fill::Plenty }
    }

    pub(super) fn read(&mut self) {
        let Some((used_bytes, free_bytes)) = used_in(&self.directory).zip(free_on(&self.directory)) else {
            // The journal finds out by itself what is the matter with the disk.
            return;
        };
        let used_bytes = used_bytes.saturating_add(DISK.files_bytes.load(Relaxed));
        let there_is = used_bytes.saturating_add(free_bytes);
        let most = if self.budget_bytes > 0 { self.budget_bytes.min(there_is) } else { there_is };
        let fill = self.marks.next(self.fill, super::meter::level(used_bytes, most));
        if fill != self.fill {
            let (used_mib, most_mib) = (used_bytes >> 20, most >> 20);
            tracing::warn!(from = ?self.fill, to = ?fill, used_mib, most_mib, "the room on the disk changed");
        }
        self.fill = fill;
        DISK.fill.store(fill as u8, Relaxed);
        for (kind, bytes) in [("used", used_bytes), ("free", free_bytes), ("most", most)] {
            gauge!(names::DISK_BYTES, "kind" => kind).set(bytes as f64);
        }
        for (mark, at) in [("low", Fill::Low), ("critical", Fill::Critical)] {
            gauge!(names::DISK_FILL, "mark" => mark).set(if fill >= at { 1.0 } else { 0.0 });
        }
    }
}

/// What the files of a directory take.
fn used_in(directory: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let files = std::fs::read_dir(directory).ok()?.flatten();
    // One that is deleted meanwhile takes nothing.
    Some(files.filter_map(|file| file.metadata().ok()).map(|found| found.blocks() * 512).sum())
}

/// What a file system still has for us.
fn free_on(directory: &Path) -> Option<u64> {
    let path = CString::new(directory.as_os_str().as_bytes()).ok()?;
    // SAFETY: a structure of numbers, for which all zeros is a value.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero, and the structure outlives the call.
    let failed = unsafe { libc::statvfs(path.as_ptr(), &raw mut found) };
    (failed == 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: DiskMarks = DiskMarks { low: 900, critical: 970, gap: 20 };

    fn script(levels: &[u32]) -> Vec<Fill> {
        let mut now = Fill::Plenty;
        let step = |level: &u32| {
            now = MARKS.next(now, *level);
            now
        };
        levels.iter().map(step).collect()
    }

    #[test]
    fn marks_are_met_at_once_and_left_well_below_one_at_a_time() {
        use Fill::{Critical, Low, Plenty};
        assert_eq!(script(&[0, 899, 900, 969, 970]), [Plenty, Plenty, Low, Low, Critical]);
        assert_eq!(
            script(&[1_000, 960, 950, 949, 890, 880, 879]),
            [Critical, Critical, Critical, Low, Low, Low, Plenty]
        );
        assert_eq!(script(&[999, 0, 0]), [Critical, Low, Plenty]);
        assert_eq!(script(&[905, 895, 905, 885]), [Low; 4]);
    }

    #[test]
    fn a_directory_and_its_file_system_are_measured() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(used_in(dir.path()), Some(0));
        std::fs::write(dir.path().join("file"), vec![7; 1 << 20]).unwrap();
        assert!(used_in(dir.path()).is_some_and(|bytes| bytes >= 1 << 20));
        assert!(free_on(dir.path()).is_some_and(|bytes| bytes > 0));
        let nowhere = dir.path().join("nowhere");
        assert_eq!((used_in(&nowhere), free_on(&nowhere)), (None, None));
    }
}
