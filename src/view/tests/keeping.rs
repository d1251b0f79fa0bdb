//! How the view keeps what it was given: once, in order, through restarts and bad disks.

use super::*;

async fn all_of(desk: &Desk) -> (Rows<EventRow>, Stored) {
    (desk.view.events_of(W, C1, None, 200).await.unwrap(), desk.view.load(W).await.unwrap())
}

#[tokio::test]
async fn the_same_turns_again_change_nothing() {
    let mut desk = Desk::new();
    let waiting = conversation(State::Waiting);
    desk.turn(vec![opened(C1), posted(C1, 1, 2)], vec![], vec![(C1, waiting.clone())]).await;
    desk.turn(vec![posted(C1, 2, 3)], vec![], vec![(C1, Conversation { last_number: 2, ..waiting.clone() })]).await;
    let before = all_of(&desk).await;
    let again = turn_at(1, vec![opened(C1), posted(C1, 1, 2)], vec![]);
    let stale = Batch { conversations: vec![(C1, waiting)], ..batch_of(again.clone()) };
    desk.view.apply(stale).await.unwrap();
    let mut desk = desk.reopened();
    assert_eq!(all_of(&desk).await, before);
    // A batch that overlaps brings only what is new.
    let third = turn_at(3, vec![posted(C1, 3, 4)], vec![]);
    let turns = [again, turn_at(2, vec![posted(C1, 2, 3)], vec![]), third].map(Arc::new).to_vec();
    let overlapping = Batch { turns, after: 0, to: 3, ..batch_of(turn_at(1, vec![], vec![])) };
    desk.view.apply(overlapping).await.unwrap();
    desk.position = 3;
    assert_eq!(all_of(&desk).await.0.rows.len(), before.0.rows.len() + 1);
    assert_eq!(desk.view.position(W), 3);
}

#[tokio::test]
async fn a_batch_after_a_gap_is_refused_alone() {
    let mut desk = Desk::new();
    desk.events(vec![opened(C1)]).await;
    let gap = desk.view.apply(batch_of(turn_at(3, vec![opened(C2)], vec![])));
    let next = desk.view.apply(batch_of(turn_at(2, vec![posted(C1, 1, 2)], vec![])));
    let other = Batch { workspace: "other".into(), after: 5, to: 6, ..batch_of(turn_at(6, vec![], vec![])) };
    let other = desk.view.apply(other);
    assert!(matches!(gap.await, Err(ViewFailed::Gap { stored: 1, after: 2, .. })));
    next.await.unwrap();
    assert!(matches!(other.await, Err(ViewFailed::Gap { stored: 0, after: 5, .. })));
    assert_eq!(desk.view.workspaces(), [Arc::from(W)]);
}

#[tokio::test]
async fn workspaces_do_not_see_each_other() {
    let mut desk = Desk::new();
    desk.turn(vec![opened(C1), posted(C1, 1, 2)], vec![], vec![(C1, conversation(State::Waiting))]).await;
    let theirs = turn_at(1, vec![opened(C1)], vec![]);
    let waiting = Conversation { priority: 9, ..conversation(State::Waiting) };
    let batch = Batch { workspace: "other".into(), conversations: vec![(C1, waiting.clone())], ..batch_of(theirs) };
    desk.view.apply(batch).await.unwrap();
    assert_eq!(desk.view.conversation("other", C1).await.unwrap(), Some(waiting));
    assert_eq!(desk.view.events_of("other", C1, None, 9).await.unwrap().rows.len(), 1);
    assert_eq!(desk.view.conversations_of_customer("other", ZOE, 9).await.unwrap().len(), 1);
    assert_eq!(desk.view.load(W).await.unwrap().conversations[0].1.priority, 0);
}

#[tokio::test]
async fn an_event_that_cannot_be_kept_stops_no_other() {
    let mut desk = Desk::new();
    let beyond = ConversationId(1 << 40);
    let unmade = Event::OfferDelivered { offer: OfferId(99), accepts_at: None, of: None };
    let events = vec![opened(beyond), unmade, opened(C1)];
    desk.turn(events, vec![], vec![(beyond, conversation(State::Waiting)), (C1, conversation(State::Waiting))]).await;
    assert_eq!(desk.view.load(W).await.unwrap().conversations.len(), 1);
    assert_eq!(desk.view.events_of(W, C1, None, 9).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_reader_waits_until_the_view_has_come_that_far() {
    let mut desk = Desk::new();
    let view = desk.view.clone();
    let waiting = tokio::spawn(async move { view.wait_for(W, 2, Duration::from_secs(60)).await });
    desk.events(vec![opened(C1)]).await;
    let behind = desk.view.wait_for(W, 2, Duration::ZERO).await;
    assert_eq!(behind, Err(Behind { reached: 1, wanted: 2 }));
    desk.events(vec![posted(C1, 1, 2)]).await;
    waiting.await.unwrap().unwrap();
    desk.view.wait_for(W, 1, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_synced_position_may_be_cut() {
    let mut desk = Desk::new();
    desk.events(vec![opened(C1)]).await;
    assert_eq!(desk.view.sync().await.unwrap().get(W), Some(&1));
}

#[tokio::test]
async fn a_full_view_says_so_and_recovers_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let small = Settings { bytes_max: Some(200 << 10), ..settings() };
    let view = View::open(dir.path(), small, || false).unwrap();
    let batch = |position: u64| {
        let text = "x".repeat(16 << 10).into();
        let author = Author::Customer(ZOE);
        let number = position as u32;
        let files = Default::default();
        let event = Event::MessagePosted { conversation: C1, number, author, text, public: number, files };
        batch_of(turn_at(position, vec![event], vec![]))
    };
    let old = vec![posted(C2, 1, 1); 200];
    let closed = vec![(C2, conversation(State::Closed))];
    view.apply(Batch { conversations: closed, ..batch_of(turn_at(1, old, vec![])) }).await.unwrap();
    let mut position = 2;
    let failed = loop {
        match view.apply(batch(position)).await {
            Ok(()) => position += 1,
            Err(failed) => break failed,
        }
    };
    assert!(matches!(failed, ViewFailed::Full { .. }), "{failed}");
    assert_eq!(view.health().standing, Standing::Full);
    assert_eq!(view.position(W), position - 1);
    assert_eq!(view.messages(W, C1, Page::Last, 1).await.unwrap().rows[0].number, position as u32 - 1);
    // Room is made: what was closed long ago goes.
    let day = 86_400_000;
    assert!(view.prune(wall_of(1).0 + 2 * day, Some(day), 100).await.unwrap().done);
    view.apply(batch(position)).await.unwrap();
    assert_eq!((view.health().standing, view.position(W)), (Standing::Healthy, position));
}

#[tokio::test]
async fn a_damaged_view_is_put_aside_only_while_the_journal_is_whole() {
    let mut desk = Desk::new();
    desk.events(vec![opened(C1)]).await;
    let Desk { view, dir, .. } = desk;
    drop(view);
    let path = dir.path().join("view.db");
    std::fs::write(&path, vec![7; 64 << 10]).unwrap();
    let refused = View::open(dir.path(), settings(), || false);
    assert!(matches!(refused.err(), Some(ViewFailed::DamagedForGood { .. })));
    let view = View::open(dir.path(), settings(), || true).unwrap();
    assert_eq!(view.position(W), 0);
    assert!(dir.path().join("view.db.damaged-1").exists());
}

#[tokio::test]
async fn damage_met_while_running_is_remembered_for_the_next_start() {
    let mut desk = Desk::new();
    desk.events(vec![opened(C1)]).await;
    let Desk { view, dir, .. } = desk;
    drop(view);
    let mark = dir.path().join("view.db.damaged");
    // A page where opening does not look.
    let path = dir.path().join("view.db");
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'event'";
    let root: i64 = rusqlite::Connection::open(&path).unwrap().query_row(root, [], |row| row.get(0)).unwrap();
    let root = root as usize;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(root - 1) * 4096..root * 4096].fill(7);
    std::fs::write(&path, bytes).unwrap();
    let view = View::open(dir.path(), settings(), || false).unwrap();
    let met = view.apply(batch_of(turn_at(2, vec![opened(C2)], vec![]))).await;
    assert!(matches!(met, Err(ViewFailed::Damaged { .. })), "{met:?}");
    assert_eq!(view.health().standing, Standing::Damaged);
    drop(view);
    assert!(mark.exists());
    assert!(matches!(View::open(dir.path(), settings(), || false).err(), Some(ViewFailed::DamagedForGood { .. })));
    View::open(dir.path(), settings(), || true).unwrap();
    assert!(!mark.exists());
}

#[test]
fn a_view_of_another_release_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(View::open(dir.path(), settings(), || false).unwrap());
    let path = dir.path().join("view.db");
    for (version, newer) in [(schema::SCHEMA + 1, true), (0, false)] {
        rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        let failed = View::open(dir.path(), settings(), || true).err().unwrap();
        match failed {
            ViewFailed::Newer { found, .. } if newer => assert_eq!(found, version),
            ViewFailed::Older { found, .. } if !newer => assert_eq!(found, version),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn more_batches_than_may_wait_are_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let view = View::open(dir.path(), Settings { batches_waiting_max: 1, ..settings() }, || false).unwrap();
    // Another writer holds the file, so that the view's own must wait.
    let other = rusqlite::Connection::open(dir.path().join("view.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut busy = 0;
    let mut accepted = Vec::new();
    for _ in 0..10 {
        let mut applying = view.apply(batch_of(turn_at(1, vec![opened(C1)], vec![])));
        match futures_util::poll!(&mut applying) {
            std::task::Poll::Ready(Err(ViewFailed::Busy)) => busy += 1,
            _ => accepted.push(applying),
        }
    }
    assert!(busy >= 7, "{busy}");
    other.execute_batch("ROLLBACK").unwrap();
    for applied in accepted {
        applied.await.unwrap();
    }
    assert_eq!(view.events_of(W, C1, None, 9).await.unwrap().rows.len(), 1);
}
