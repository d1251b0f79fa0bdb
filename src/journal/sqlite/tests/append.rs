//! Appending: fences, groups, bounds, and what a restart finds.

use futures_util::future::join_all;

use super::super::super::{RECORD_BYTES_MAX, RefusedAppend};
use super::*;

#[tokio::test]
async fn the_first_record_is_at_position_one_and_the_next_follow() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 3).await;
    let tail = journal.tail(&name("acme")).await.unwrap().unwrap();
    assert_eq!((tail.position, tail.turn), (Position(3), TurnId(1002)));
    assert_eq!(tail.body, sound(2).body);
}

#[tokio::test]
async fn an_append_behind_another_position_is_fenced() {
    let (_dir, journal) = opened();
    let acme = name("acme");
    let early = journal.append(&acme, sound(1)).await;
    assert_eq!(early, Appended::Refused(RefusedAppend::Fenced { actual: Position(0) }));
    fill(&journal, "acme", 2).await;
    let late = journal.append(&acme, sound(1)).await;
    assert_eq!(late, Appended::Refused(RefusedAppend::Fenced { actual: Position(2) }));
    let far = NewRecord { expected: Position(u64::MAX), ..sound(1) };
    assert!(matches!(journal.append(&acme, far).await, Appended::Refused(RefusedAppend::Fenced { .. })));
}

#[tokio::test]
async fn a_fenced_workspace_name_is_not_kept() {
    let (_dir, journal) = opened();
    journal.append(&name("ghost"), sound(5)).await;
    assert!(journal.workspaces().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_written_behind_the_writers_back_fences_it() {
    let (_dir, journal) = opened();
    fill(&journal, "acme", 1).await;
    journal.aside(|db| {
        let sql = "INSERT INTO record(workspace, position, turn, body) VALUES (1, 2, zeroblob(16), x'00')";
        db.execute(sql, []).unwrap();
    });
    let hold = journal.hold_up();
    let fenced = journal.append(&name("acme"), sound(1));
    let other = journal.append(&name("other"), sound(0));
    drop(hold);
    assert_eq!(fenced.await, Appended::Refused(RefusedAppend::Fenced { actual: Position(2) }));
    assert_eq!(other.await, Appended::Committed(Position(1)));
    let next = journal.append(&name("acme"), sound(2)).await;
    assert_eq!(next, Appended::Committed(Position(3)));
}

#[tokio::test]
async fn what_waits_for_the_writer_shares_one_commit() {
    let (_dir, journal) = opened();
    let hold = journal.hold_up();
    let names: Vec<_> = (0..200).map(|n| name(&format!("w{n}"))).collect();
    let appends: Vec<_> = names.iter().map(|name| journal.append(name, sound(0))).collect();
    let before = journal.commits();
    drop(hold);
    for ended in join_all(appends).await {
        assert_eq!(ended, Appended::Committed(Position(1)));
    }
    assert_eq!(journal.commits() - before, 1);
    assert_eq!(journal.workspaces().await.unwrap(), names);
}

#[tokio::test]
async fn one_bad_append_in_a_group_fails_alone() {
    let (_dir, journal) = opened();
    let hold = journal.hold_up();
    let good = journal.append(&name("a"), sound(0));
    let fenced = journal.append(&name("b"), sound(9));
    let too_large = journal.append(&name("c"), sized(0, RECORD_BYTES_MAX + 1));
    let largest = journal.append(&name("d"), sized(0, RECORD_BYTES_MAX));
    drop(hold);
    assert_eq!(good.await, Appended::Committed(Position(1)));
    assert_eq!(fenced.await, Appended::Refused(RefusedAppend::Fenced { actual: Position(0) }));
    assert_eq!(too_large.await, Appended::Refused(RefusedAppend::TooLarge));
    assert_eq!(largest.await, Appended::Committed(Position(1)));
}

#[tokio::test]
async fn a_group_is_bounded_and_the_rest_goes_into_the_next() {
    let (_dir, journal) = opened();
    let hold = journal.hold_up();
    let names: Vec<_> = (0..40).map(|n| name(&format!("w{n}"))).collect();
    let append = |name| journal.append(name, sized(0, RECORD_BYTES_MAX));
    let appends: Vec<_> = names.iter().map(append).collect();
    drop(hold);
    for ended in join_all(appends).await {
        assert_eq!(ended, Appended::Committed(Position(1)));
    }
    // 16 of 256 KiB are the 4 MiB that one commit takes.
    assert_eq!(journal.commits(), 3);
}

#[tokio::test]
async fn a_full_inbox_says_busy_by_count_and_by_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let bounded = Settings { inbox_records_max: 3, inbox_bytes_max: 1000, ..settings() };
    let journal = SqliteJournal::open(dir.path(), bounded).unwrap();
    let hold = journal.hold_up();
    let first = journal.append(&name("a"), sized(0, 900));
    let by_bytes = journal.append(&name("b"), sized(0, 101)).await;
    assert_eq!(by_bytes, Appended::Refused(RefusedAppend::Busy));
    let second = journal.append(&name("b"), sized(0, 1));
    let third = journal.append(&name("c"), sized(0, 1));
    let by_count = journal.append(&name("d"), sized(0, 1)).await;
    assert_eq!(by_count, Appended::Refused(RefusedAppend::Busy));
    drop(hold);
    for waiting in [first, second, third] {
        assert_eq!(waiting.await, Appended::Committed(Position(1)));
    }
    let again = journal.append(&name("d"), sized(0, 900)).await;
    assert_eq!(again, Appended::Committed(Position(1)));
}

#[tokio::test]
async fn an_append_that_nobody_listens_to_is_still_made() {
    let (_dir, journal) = opened();
    drop(journal.append(&name("acme"), sound(0)));
    let next = journal.append(&name("acme"), sound(1)).await;
    assert_eq!(next, Appended::Committed(Position(2)));
}

#[tokio::test]
async fn closing_commits_what_waits_and_a_restart_finds_it() {
    let (dir, journal) = opened();
    fill(&journal, "acme", 2).await;
    let hold = journal.hold_up();
    let waiting = journal.append(&name("acme"), sound(2));
    drop(hold);
    drop(journal);
    assert_eq!(waiting.await, Appended::Committed(Position(3)));
    assert!(!dir.path().join("journal.db-wal").exists(), "a clean end leaves no WAL");
    let journal = open_in(dir.path());
    let fenced = journal.append(&name("acme"), sound(2)).await;
    assert_eq!(fenced, Appended::Refused(RefusedAppend::Fenced { actual: Position(3) }));
    let next = journal.append(&name("acme"), sound(3)).await;
    assert_eq!(next, Appended::Committed(Position(4)));
}

#[tokio::test]
async fn the_wal_starts_over_while_appends_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let wal_bytes_max = 1 << 20;
    let small = Settings { wal_bytes_max, ..settings() };
    let journal = SqliteJournal::open(dir.path(), small).unwrap();
    let mut largest = 0;
    for at in 0..200 {
        journal.append(&name("acme"), sized(at, 128 * 1024)).await;
        largest = largest.max(std::fs::metadata(dir.path().join("journal.db-wal")).unwrap().len());
    }
    // 25 MiB went through it; without starting over it would hold them all. Beyond four times its bound nothing is written before it
    // was copied, however little time the checkpointer gets.
    assert!(largest < 5 << 20, "the WAL grew to {largest} bytes");
}
