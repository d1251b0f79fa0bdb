//! `offhook journal` on real files, sound, damaged, absent and in use.

use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use super::*;
use crate::journal::record::{self, Head};
use crate::journal::sqlite::{Settings, SqliteJournal};
use crate::journal::{Appended, NewRecord, TurnId};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    journal: super::Journal,
}

fn run(words: &[&str], dir: &Path) -> Result<(ExitCode, String), String> {
    let line = Line::try_parse_from([&["journal"], words].concat()).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    let code = line.journal.run(dir, &mut out).map_err(|error| error.to_string())?;
    Ok((code, String::from_utf8(out).unwrap()))
}

/// A journal of one workspace with three records, closed.
fn kept() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { kept_back_bytes: 64 * 1024, ..Settings::default() };
    let journal = SqliteJournal::open(dir.path(), settings).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for expected in 0..3 {
        let (position, turn) = (Position(expected + 1), TurnId(u128::from(expected) + 7));
        let head = Head { position, turn, desk_ms: expected, wall_ms: 1_700_000_000_000, lead: None };
        let nothing: [serde_json::Value; 0] = [];
        let body = record::encode(&head, &[json!({"n": expected})], &nothing);
        let record = NewRecord { turn, expected: Position(expected), body, last_resort: false };
        assert_eq!(runtime.block_on(journal.append(&"demo".into(), record)), Appended::Committed(position));
    }
    dir
}

#[test]
fn records_are_shown_from_a_position_on_up_to_a_limit() {
    let dir = kept();
    let (code, shown) = run(&["show", "demo", "--from", "2", "--limit", "1"], dir.path()).unwrap();
    assert_eq!((code, shown.lines().count()), (ExitCode::SUCCESS, 1));
    let line: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&line["position"], &line["events"]), (&json!(2), &json!([{"n": 1}])));
    assert_eq!(run(&["show", "demo"], dir.path()).unwrap().1.lines().count(), 3);
    assert_eq!(run(&["show", "demo", "--from", "9"], dir.path()).unwrap().1, "");
    let unknown = run(&["show", "dem"], dir.path()).unwrap_err();
    assert!(unknown.contains("there are: demo"), "{unknown}");
}

#[test]
fn showing_works_beside_a_running_server_and_verifying_is_refused() {
    let dir = kept();
    let _server = DataLock::take(dir.path()).unwrap();
    assert_eq!(run(&["show", "demo"], dir.path()).unwrap().1.lines().count(), 3);
    let refused = run(&["verify"], dir.path()).unwrap_err();
    assert!(refused.contains("in use") && refused.contains(&std::process::id().to_string()), "{refused}");
}

#[test]
fn a_sound_journal_verifies() {
    let dir = kept();
    let (code, shown) = run(&["verify"], dir.path()).unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{shown}");
    assert!(shown.contains("workspace demo: 3 records, 1 to 3: sound\nsound: 3 records"), "{shown}");
    let report: serde_json::Value = serde_json::from_str(&run(&["verify", "--json"], dir.path()).unwrap().1).unwrap();
    assert_eq!((&report["sound"], &report["report"]["records"]), (&json!(true), &json!(3)));
}

#[test]
fn the_first_damaged_position_is_said_and_the_exit_code_is_1() {
    let dir = kept();
    let db = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    db.execute("UPDATE record SET body = zeroblob(40) WHERE position = 2", []).unwrap();
    drop(db);
    let (code, shown) = run(&["verify"], dir.path()).unwrap();
    assert_eq!(code, ExitCode::from(1));
    assert!(shown.contains("damaged from 2 on:") && shown.contains("\ndamaged: 3 records"), "{shown}");
}

#[test]
fn a_directory_without_a_journal_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for words in [&["show", "demo"][..], &["verify"]] {
        let refused = run(words, dir.path()).unwrap_err();
        assert!(refused.contains("there is no journal"), "{refused}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
