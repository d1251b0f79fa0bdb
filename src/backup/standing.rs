//! What the server shows of backups: the command that takes one leaves a few words in the data directory, `backup.json`.

use crate::telemetry::catalogue;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

const FILE_NAME: &str = "backup.json";
const BYTES_MAX: u64 = 4_096;

/// Times are milliseconds since 1970; 0: never.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    pub last_success_at: u64,
    pub last_failure_at: u64,
    /// Of the last that succeeded: what it read, and how long it took.
    pub bytes: u64,
    pub took_ms: u64,
}

impl Standing {
    /// What the last one left, or nothing where that cannot be read.
    #[must_use]
    pub fn read(data_dir: &Path) -> Self {
        let mut text = String::new();
        let read = File::open(data_dir.join(FILE_NAME)).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
        read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// # Errors
    /// What the last one left is still there.
    pub fn write(&self, data_dir: &Path) -> io::Result<()> {
        let made = data_dir.join(format!("{FILE_NAME}.new"));
        let mut file = File::create(&made)?;
        file.write_all(&serde_json::to_vec(self).expect("numbers"))?;
        fs::rename(&made, data_dir.join(FILE_NAME))
    }
}

/// Before each scrape: a file of a hundred bytes is read.
pub fn show(data_dir: &Path) {
    let standing = Standing::read(data_dir);
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    metrics::gauge!(catalogue::BACKUP_LAST_SUCCESS_TIMESTAMP_SECONDS).set(seconds(standing.last_success_at));
    metrics::gauge!(catalogue::BACKUP_LAST_FAILURE_TIMESTAMP_SECONDS).set(seconds(standing.last_failure_at));
    metrics::gauge!(catalogue::BACKUP_LAST_BYTES).set(standing.bytes as f64);
    metrics::gauge!(catalogue::BACKUP_LAST_DURATION_SECONDS).set(seconds(standing.took_ms));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_nothing_is_no_fault() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Standing::read(dir.path()), Standing::default());
        let standing = Standing { last_success_at: 5, last_failure_at: 3, bytes: 9, took_ms: 2 };
        standing.write(dir.path()).unwrap();
        assert_eq!(Standing::read(dir.path()), standing);
        fs::write(dir.path().join(FILE_NAME), "{\"last_success_at\":").unwrap();
        assert_eq!(Standing::read(dir.path()), Standing::default());
    }
}
