//! A wall clock that a test sets while the server runs: `tests/shim/clock.c`, preloaded into the server.

use super::server::Options;
use super::shim::shim;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

pub struct WallClock {
    directory: tempfile::TempDir,
    control: File,
}

impl WallClock {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("clock");
        fs::write(&path, [0; 8]).expect("the control file can be written");
        let control = File::options().write(true).open(path).expect("the control file is there");
        Self { directory, control }
    }

    /// A server with these is told the time by this clock.
    pub fn under(&self, mut options: Options) -> Options {
        let control = self.directory.path().join("clock");
        options.environment.push(("LD_PRELOAD".to_owned(), shim("clock").display().to_string()));
        options.environment.push(("OFFHOOK_CLOCK_CONTROL".to_owned(), control.display().to_string()));
        options
    }

    /// So far off the real one, at once, for the running server too.
    pub fn set_off_ms(&self, ms: i64) {
        self.control.write_all_at(&ms.to_ne_bytes(), 0).expect("the control file can be written");
    }
}
