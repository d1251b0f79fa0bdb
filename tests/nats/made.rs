//! Journals of a single server that are made for a test: sound records that hold nothing.

use crate::journal::settings;
use crate::support::nats::Nats;
use bytes::Bytes;
use offhook::journal::nats::{NatsJournal, connect};
use offhook::journal::record::{Head, encode};
use offhook::journal::sqlite::Restoring;
use offhook::journal::{Journal, Position, StoredRecord, TurnId};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;

/// A data directory whose journal has these workspaces, each from a position to another.
pub fn directory_with(workspaces: &[(&str, u64, u64)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (workspace, first, last) in workspaces {
        append(dir.path(), workspace, *first, *last);
    }
    dir
}

/// Records with turns that no other has.
pub fn append(dir: &Path, workspace: &str, first: u64, last: u64) {
    let mut journal = Restoring::go_on(dir).expect("a journal");
    for position in first..=last {
        journal.add(workspace, &record(position)).expect("it is written");
    }
    journal.end().expect("it is written");
}

fn record(position: u64) -> StoredRecord {
    let mut turn = [0; 16];
    getrandom::fill(&mut turn).expect("the system gives randomness");
    let turn = TurnId(u128::from_be_bytes(turn));
    let at = Position(position);
    let head = Head { position: at, turn, desk_ms: position, wall_ms: position, lead: None };
    let nothing: [serde_json::Value; 0] = [];
    // Of about what a turn takes, and more in some.
    let outcomes = [json!({"filler": ".".repeat(500 + (position % 7) as usize * 100)})];
    let body: Bytes = encode(&head, &nothing, &outcomes);
    StoredRecord { position: at, turn, body }
}

/// The workspaces that the stream has.
pub async fn filled(nats: &Nats) -> Vec<String> {
    let settings = settings(nats);
    let context = connect(&settings).await.expect("the server answers");
    let journal = NatsJournal::open(context, &settings, "a").await.expect("the stream is as it has to be");
    let names = journal.workspaces().await.expect("it answers");
    names.iter().map(ToString::to_string).collect()
}
