//! The journal's promises, tried on real files. Here is what the tests share.

mod append;
mod reading;
mod trouble;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use bytes::Bytes;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::super::record::{self, Head};
use super::super::{Appended, Journal, JournalState, NewRecord, Position, TurnId};
use super::{Settings, SqliteJournal};

/// A small reserve: most tests want none of the disk.
fn settings() -> Settings {
    Settings { kept_back_bytes: 64 * 1024, ..Settings::default() }
}

fn open_in(dir: &Path) -> SqliteJournal {
    SqliteJournal::open(dir, settings()).unwrap()
}

fn opened() -> (TempDir, SqliteJournal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = open_in(dir.path());
    (dir, journal)
}

fn name(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// A sound record at the position after `expected`.
fn sound(expected: u64) -> NewRecord {
    let head = Head {
        position: Position(expected + 1),
        turn: TurnId(u128::from(expected) + 1000),
        desk_ms: expected * 10,
        wall_ms: 1_692_953_520_000 + expected,
        lead: None,
    };
    let nothing: [Value; 0] = [];
    NewRecord {
        turn: head.turn,
        expected: Position(expected),
        body: record::encode(&head, &[serde_json::json!({"n": expected})], &nothing),
        last_resort: false,
    }
}

fn sized(expected: u64, bytes: usize) -> NewRecord {
    NewRecord { body: Bytes::from(vec![7; bytes]), ..sound(expected) }
}

fn last_resort(record: NewRecord) -> NewRecord {
    NewRecord { last_resort: true, ..record }
}

async fn fill(journal: &SqliteJournal, workspace: &str, records: u64) {
    let workspace = name(workspace);
    for at in 0..records {
        let ended = journal.append(&workspace, sound(at)).await;
        assert_eq!(ended, Appended::Committed(Position(at + 1)));
    }
}

impl SqliteJournal {
    /// Runs something on the writer's connection and waits for it.
    fn aside<T: Send + 'static>(&self, run: impl FnOnce(&Connection) -> T + Send + 'static) -> T {
        let (done, is_done) = mpsc::channel();
        self.inbox.push_aside(Box::new(move |db| {
            done.send(run(db)).unwrap();
        }));
        is_done.recv().unwrap()
    }

    /// Holds the writer up until the returned sender is dropped.
    fn hold_up(&self) -> mpsc::Sender<()> {
        let (begun, has_begun) = mpsc::channel();
        let (hold, held) = mpsc::channel::<()>();
        self.inbox.push_aside(Box::new(move |_| {
            begun.send(()).unwrap();
            let _ = held.recv();
        }));
        has_begun.recv().unwrap();
        hold
    }

    async fn becomes(&self, state: JournalState) {
        let mut health = self.follow_health();
        health.wait_for(|health| health.state == state).await.unwrap();
    }
}
