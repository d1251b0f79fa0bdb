//! The history beside the data, as `status.json`: written whole and put in place by a rename, so that whoever reads it (a
//! supervisor, while there is no server) sees one moment of it. At most 64 KiB.
//!
//! The file's time of change is the beat: it is set while the server lives, which needs no room on the disk and no sync. After a
//! start it tells since when nobody was served.

use super::history::History;
use super::shown::Shown;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub const FILE_NAME: &str = "status.json";
pub const FILE_BYTES_MAX: usize = 64 << 10;
const FORMAT: u32 = 1;

/// The file: what a status page shows, with what only a server reads beside it.
#[derive(Debug, Serialize, Deserialize)]
struct File1 {
    format: u32,
    /// The server was told to stop, and did.
    stopped: bool,
    #[serde(flatten)]
    shown: Shown,
}

/// What the last server left.
#[derive(Debug)]
pub struct Left {
    pub history: History,
    /// Until then it was there.
    pub beat: u64,
    /// It ended since it was told to.
    pub stopped: bool,
}

/// Where the history is kept.
#[derive(Debug)]
pub struct Kept {
    dir: PathBuf,
}

impl Kept {
    #[must_use]
    pub fn in_directory(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(FILE_NAME)
    }

    /// What is there; `None` at a first start.
    ///
    /// # Errors
    /// It is there and cannot be read, or is not one of ours.
    pub fn read(&self) -> io::Result<Option<Left>> {
        let mut file = match File::open(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(&mut file, 2 * FILE_BYTES_MAX as u64), &mut text)?;
        let kept: File1 = serde_json::from_str(&text)?;
        if kept.format != FORMAT {
            return Err(io::Error::other(format!("it has the format {}, of another release", kept.format)));
        }
        let touched = file.metadata()?.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at = kept.shown.at;
        let history = kept.shown.into_history();
        let beat = at.max(u64::try_from(touched.as_millis()).unwrap_or(u64::MAX));
        Ok(Some(Left { history, beat, stopped: kept.stopped }))
    }

    /// Writes it and waits until it is on the disk.
    ///
    /// # Errors
    /// The old one is still there.
    pub fn write(&self, history: &History, stopped: bool) -> io::Result<()> {
        let text = text(history, stopped);
        let made = self.dir.join(format!("{FILE_NAME}.new"));
        let written = File::create(&made).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&made, self.path())
        });
        if written.is_err() {
            // Half a file helps nobody, and takes room that may be short just now.
            let _ = fs::remove_file(&made);
        }
        written
    }

    /// The server lives.
    ///
    /// # Errors
    /// There is no file, or its time cannot be set.
    pub fn beat(&self, now: u64) -> io::Result<()> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(now);
        File::open(self.path())?.set_times(FileTimes::new().set_modified(at))
    }

    /// Puts one that cannot be read aside, so that the next can be written.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn put_aside(&self) -> io::Result<()> {
        fs::rename(self.path(), self.dir.join(format!("{FILE_NAME}.unreadable")))
    }
}

/// At most `FILE_BYTES_MAX`: the oldest incidents give way.
fn text(history: &History, stopped: bool) -> String {
    let mut history = history.clone();
    loop {
        let file = File1 { format: FORMAT, stopped, shown: Shown::of(&history) };
        let text = serde_json::to_string(&file).expect("names and numbers");
        if text.len() <= FILE_BYTES_MAX || !history.forget_oldest() {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Judged;
    use super::super::{Component, ComponentState, Each};
    use super::*;

    fn out(why: &str) -> Each<Judged> {
        Component::ALL.map(|_| Judged { state: ComponentState::MajorOutage, why: why.to_owned().into() })
    }

    #[test]
    fn what_was_kept_comes_back_with_the_last_beat() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::in_directory(dir.path());
        assert!(kept.read().unwrap().is_none());
        assert!(kept.beat(1).is_err(), "no beat without a file");
        let mut history = History::begin(5_000);
        history.tell(9_000, &out("the disk is full"));
        kept.write(&history, false).unwrap();
        kept.beat(12_000).unwrap();
        let left = kept.read().unwrap().unwrap();
        assert_eq!((left.beat, left.stopped), (12_000, false));
        assert_eq!(left.history, history);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_is_not_ours_is_put_aside_and_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::in_directory(dir.path());
        fs::write(dir.path().join(FILE_NAME), "{\"format\":1").unwrap();
        assert!(kept.read().is_err());
        kept.put_aside().unwrap();
        assert!(kept.read().unwrap().is_none());
        assert!(dir.path().join("status.json.unreadable").exists());
    }

    #[test]
    fn it_stays_below_its_bound_and_the_newest_incidents_stay() {
        let mut history = History::begin(0);
        let well = Component::ALL.map(|_| Judged::default());
        for second in 0..400 {
            history.tell(second * 1_000, &if second % 2 == 0 { out(&"why ".repeat(40)) } else { well.clone() });
        }
        let last = history.incidents.back().unwrap().began_at;
        let text = text(&history, true);
        assert!(text.len() <= FILE_BYTES_MAX && text.len() > FILE_BYTES_MAX / 2, "{}", text.len());
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["incidents"].as_array().unwrap().last().unwrap()["began_at"], last);
        assert_eq!((&read["status"], &read["stopped"]), (&"operational".into(), &true.into()));
    }
}
