//! Reading, cutting, verifying and showing.

use super::super::super::verify::{Progress, verify};
use super::super::super::{JournalFailed, show};
use super::*;

async fn positions(journal: &SqliteJournal, after: u64, records: usize, bytes: usize) -> Vec<u64> {
    let read = journal.read(&name("acme"), Position(after), records, bytes).await.unwrap();
    read.iter().map(|stored| stored.position.0).collect()
}

#[tokio::test]
async fn a_read_begins_after_a_position_and_is_bounded_both_ways() {
    let (_dir, journal) = opened();
    fill(&journal, "other", 2).await;
    fill(&journal, "acme", 5).await;
    let two = sound(1).body.len() + sound(2).body.len();
    assert_eq!(positions(&journal, 0, 10, usize::MAX).await, [1, 2, 3, 4, 5]);
    assert_eq!(positions(&journal, 3, 10, usize::MAX).await, [4, 5]);
    assert_eq!(positions(&journal, 0, 2, usize::MAX).await, [1, 2]);
    assert_eq!(positions(&journal, 1, 10, two).await, [2, 3]);
    assert_eq!(positions(&journal, 1, 10, 0).await, [2], "one at least, or nobody gets further");
    assert!(positions(&journal, 5, 10, 10).await.is_empty());
    assert!(positions(&journal, u64::MAX, 10, 10).await.is_empty());
    assert!(journal.tail(&name("nobody")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_cut_deletes_what_is_below_and_never_the_last() {
    let (dir, journal) = opened();
    fill(&journal, "acme", 600).await;
    fill(&journal, "other", 3).await;
    assert_eq!(journal.cut(&name("acme"), Position(401)).await.unwrap(), 400);
    assert_eq!(positions(&journal, 0, 2, usize::MAX).await, [401, 402]);
    assert_eq!(journal.cut(&name("acme"), Position(u64::MAX)).await.unwrap(), 199);
    assert_eq!(positions(&journal, 0, 9, usize::MAX).await, [600]);
    assert_eq!(journal.cut(&name("acme"), Position(u64::MAX)).await.unwrap(), 0);
    assert_eq!(journal.cut(&name("nobody"), Position(9)).await.unwrap(), 0);
    assert_eq!(journal.tail(&name("other")).await.unwrap().unwrap().position, Position(3));
    drop(journal);
    let journal = open_in(dir.path());
    let next = journal.append(&name("acme"), sound(600)).await;
    assert_eq!(next, Appended::Committed(Position(601)));
}

#[tokio::test]
async fn a_workspace_that_is_forgotten_begins_anew() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 300).await;
    fill(&journal, "other", 2).await;
    assert_eq!(journal.forget(&name("acme")).await.unwrap(), 300);
    assert!(journal.tail(&name("acme")).await.unwrap().is_none());
    assert_eq!(journal.append(&name("acme"), sound(0)).await, Appended::Committed(Position(1)));
    assert_eq!(journal.tail(&name("other")).await.unwrap().unwrap().position, Position(2));
}

#[tokio::test]
async fn an_append_does_not_wait_for_the_whole_of_a_cut() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 600).await;
    let hold = journal.hold_up();
    let cut = journal.cut(&name("acme"), Position(601));
    let append = journal.append(&name("other"), sound(0));
    drop(hold);
    assert_eq!(append.await, Appended::Committed(Position(1)));
    assert_eq!(cut.await.unwrap(), 599);
}

#[tokio::test]
async fn a_read_beyond_its_time_gives_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let hasty = Settings { read_limit_ms: 0, ..settings() };
    let journal = SqliteJournal::open(dir.path(), hasty).unwrap();
    fill(&journal, "acme", 3).await;
    assert_eq!(positions(&journal, 0, 10, usize::MAX).await, [1]);
    assert!(matches!(journal.workspaces().await, Err(JournalFailed::TooSlow { limit_ms: 0 })));
}

#[tokio::test]
async fn a_sound_journal_verifies_also_after_a_cut() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 20).await;
    fill(&journal, "other", 1).await;
    journal.cut(&name("acme"), Position(5)).await.unwrap();
    let mut last = Progress::default();
    let report = verify(&journal, |progress| last = progress).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.records, last.workspaces_done, last.records), (17, 2, 17));
    assert_eq!(report.workspaces[0].first, Some(Position(5)));
    assert!(journal.check_pages().await.unwrap().is_empty());
}

/// Breaks position 3 of 5 by SQL, and gives what verify says.
async fn broken(sql: &'static str) -> String {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 5).await;
    journal.aside(move |db| db.execute_batch(sql).unwrap());
    let report = verify(&journal, |_| {}).await.unwrap();
    let bad = report.workspaces[0].first_bad.as_ref().unwrap();
    assert_eq!(bad.position, Position(3), "{bad:?}");
    bad.reason.clone()
}

#[tokio::test]
async fn verify_names_the_first_bad_position_and_why() {
    let cases = [
        ("DELETE FROM record WHERE position = 3", "missing"),
        ("UPDATE record SET body = x'00' WHERE position >= 3", "too few"),
        ("UPDATE record SET turn = zeroblob(16) WHERE position = 3", "stored as turn"),
        ("UPDATE record SET body = (SELECT body FROM record WHERE position = 4) WHERE position = 3", "at position 4"),
    ];
    for (sql, reason) in cases {
        let said = broken(sql).await;
        assert!(said.contains(reason), "{sql}: {said}");
    }
    let unreadable = broken("UPDATE record SET turn = x'00' WHERE position = 3").await;
    assert!(unreadable.contains("cannot be read"), "{unreadable}");
}

#[tokio::test]
async fn verify_notices_time_that_goes_back() {
    for (back, said) in [((5, 9), "desk time"), ((20, 1), "wall time")] {
        let (_dir, journal) = opened();
        for (at, (desk_ms, wall_ms)) in [(10, 2), back].into_iter().enumerate() {
            let at = at as u64;
            let head = Head { position: Position(at + 1), turn: TurnId(at.into()), desk_ms, wall_ms, lead: None };
            let nothing: [Value; 0] = [];
            let body = record::encode(&head, &nothing, &nothing);
            let new = NewRecord { turn: head.turn, body, ..sound(at) };
            journal.append(&name("acme"), new).await;
        }
        let report = verify(&journal, |_| {}).await.unwrap();
        let bad = report.workspaces[0].first_bad.as_ref().unwrap();
        assert!(bad.reason.contains(said) && bad.position == Position(2), "{bad:?}");
    }
}

#[tokio::test]
async fn show_prints_one_line_a_record_and_says_what_is_damaged() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 4).await;
    journal.aside(|db| db.execute("UPDATE record SET body = x'00' WHERE position = 3", []).unwrap());
    let mut lines: Vec<Value> = Vec::new();
    let acme = name("acme");
    let shown = show::show(&journal, &acme, Position(2), |line| {
        lines.push(serde_json::from_str(line).unwrap());
        lines.len() < 2
    });
    assert_eq!(shown.await.unwrap(), 2);
    assert_eq!(lines[0]["position"], 2);
    assert_eq!(lines[0]["events"][0]["n"], 1);
    assert_eq!(lines[1]["damaged"], "1 bytes are too few for a record");
}
