//! Backups of a running server's data directory: taken, checked, and brought back.
//!
//! ```text
//! DIR/20261127T080000.123Z/        a whole one: view.db, records of each workspace, lists, manifest.json
//! DIR/20261127T080500.456Z/        the records since the one before it
//!                                  (of a node of a cluster each is a whole one, without records: these are on the servers of NATS)
//! DIR/files/WORKSPACE/…            files of messages, which never change: each once, for all backups
//! DIR/keys/ or another place       keys of customers and of the server: only the newest copy
//! ```
//!
//! It runs as a process of its own, beside the server, and reads what SQLite lets it read: the server knows nothing of it but the
//! few words in `backup.json`. A backup is one when its directory has lost the ending `.part`, which is the last thing that is done.
//!
//! Never holds a read transaction for longer than a moment, but one: while the view's copy is made exact. That one is bounded by
//! what the view's log may grow to meanwhile.

mod chain;
mod failed;
mod files;
mod held;
mod keys;
mod manifest;
mod meter;
mod pages;
mod records;
mod restore;
mod segment;
mod standing;
mod take;
mod verify;

pub use chain::all_of;
pub use failed::BackupFailed;
pub use manifest::{FORMAT, Kind, Manifest};
pub use meter::Meter;
pub use restore::{RestoreWanted, Restored, is_finished, restore};
pub use standing::{Standing, show};
pub use take::{Taken, Wanted, take};
pub use verify::{Checked, verify};

use crate::journal::elsewhere;
use crate::seal::ERASURES_FILE_NAME;

/// Beside journal and view: copied as they stand.
const SMALL_FILES: [&str; 7] = [
    "signins.db",
    "audit.db",
    "webhooks.db",
    "quotas.json",
    "status.json",
    // Or a single server would start from what was brought back.
    elsewhere::MARK_FILE_NAME,
    ERASURES_FILE_NAME,
];
/// Of these, what each node of a cluster has for itself, and webhooks: those that were removed since would be set again for all.
const OF_ONE_NODE: [&str; 4] = ["signins.db", "audit.db", "webhooks.db", "status.json"];
/// What opens things: kept apart. `keys.db` and `master.key` are the customers', the others the server's own. And whose keys are gone.
const KEY_FILES: [&str; 5] = ["master.key", "server.key", "admin.key", "agent.key", ERASURES_FILE_NAME];
