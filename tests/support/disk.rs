//! A disk that forgets what was not synced, and fails when it is told to: `tests/shim/disk.c`, preloaded into the server.

use super::server::Options;
use super::shim::shim;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// What the disk does from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Files grow only by what was freed since: ENOSPC.
    Full,
    /// EROFS.
    ReadOnly,
    /// EIO.
    WritesFail,
    /// EIO from fsync and fdatasync alone.
    SyncsFail,
    /// fsync and fdatasync do not come back.
    SyncsHang,
    /// Each takes a second and a half more.
    SyncsSlow,
}

/// What a kill takes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgets {
    /// As a kill does: the kernel keeps what was written.
    Nothing,
    /// As a power cut does: what no sync made safe; of what came after, this many thousandths, the first ones, stay.
    Unsynced { keep_permille: u32 },
    /// The same, on a disk that answers syncs of the journal's WAL and does not do them.
    UnsyncedAndLies,
}

pub struct Disk {
    directory: tempfile::TempDir,
    control: File,
}

impl Disk {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("state/control");
        fs::create_dir(directory.path().join("state")).expect("a directory can be made");
        fs::create_dir(directory.path().join("data")).expect("a directory can be made");
        fs::write(&path, [0; 64]).expect("the control file can be written");
        let control = File::options().write(true).open(path).expect("the control file is there");
        Self { directory, control }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A server with these runs on this disk.
    pub fn under(&self, options: Options, forgets: Forgets) -> Options {
        let mut options = Options { data_dir: Some(self.data_dir()), ..options };
        let mut put = |name: &str, value: String| options.environment.push((name.to_owned(), value));
        put("LD_PRELOAD", shim("disk").display().to_string());
        put("OFFHOOK_DISK_DIR", self.data_dir().display().to_string());
        put("OFFHOOK_DISK_STATE", self.directory.path().join("state").display().to_string());
        match forgets {
            Forgets::Nothing => {}
            Forgets::Unsynced { keep_permille } => {
                put("OFFHOOK_DISK_UNDO", "1".to_owned());
                put("OFFHOOK_DISK_KEEP_PERMILLE", keep_permille.to_string());
            }
            Forgets::UnsyncedAndLies => {
                put("OFFHOOK_DISK_UNDO", "1".to_owned());
                put("OFFHOOK_DISK_LIE", "journal.db-wal".to_owned());
            }
        }
        options
    }

    /// At once, for the running server too.
    pub fn turn(&self, fault: Fault) {
        let letter = match fault {
            Fault::None => 0,
            Fault::Full => b'f',
            Fault::ReadOnly => b'r',
            Fault::WritesFail => b'w',
            Fault::SyncsFail => b's',
            Fault::SyncsHang => b'h',
            Fault::SyncsSlow => b'l',
        };
        self.control.write_all_at(&[letter], 0).expect("the control file can be written");
    }
}
