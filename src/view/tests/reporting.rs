//! Reports as the view keeps them: counted once, kept longer than what they count, and caught up with where they are behind.

use super::*;
use crate::view::reports::measures::{ANSWERED, HANDLED, Measure, OPENED};
use crate::view::reports::{BUCKET_MS, Cube, Wanted};

const DAY_MS: u64 = 86_400_000;

fn wanted() -> Wanted {
    let from = START_MS / BUCKET_MS * BUCKET_MS;
    Wanted {
        cube: Cube::Queues,
        bounds: vec![from, from + DAY_MS],
        agent: None,
        queue: None,
        channel: None,
        by_agent: false,
        by_queue: true,
        by_channel: false,
        now_ms: 0,
        rows_max: 10,
    }
}

async fn counted(desk: &Desk, measures: [Measure; 3]) -> [i64; 3] {
    let found = desk.view.report(W, wanted()).await.unwrap().unwrap();
    assert_eq!(found.position, desk.position);
    measures.map(|measure| found.totals.get(measure))
}

const ALL: [Measure; 3] = [OPENED, ANSWERED, HANDLED];

async fn one_conversation() -> Desk {
    let mut desk = Desk::new();
    desk.turn(vec![opened(C1), offer_made(1, C1)], vec![], vec![(C1, conversation(State::Waiting))]).await;
    desk.events(vec![offer_ended(1, C1, OfferEnd::Accepted, Some(2))]).await;
    desk.turn(vec![ended(C1, 3)], vec![], vec![(C1, conversation(State::Closed))]).await;
    desk
}

fn rows(desk: &Desk, table: &str) -> i64 {
    let file = rusqlite::Connection::open(desk.dir.path().join(FILE_NAME)).unwrap();
    file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn turns_that_come_again_are_counted_once_and_a_restart_counts_nothing() {
    let desk = one_conversation().await;
    let again = turn_at(1, vec![opened(C1), offer_made(1, C1)], vec![]);
    desk.view.apply(batch_of(again)).await.unwrap();
    let desk = desk.reopened();
    assert_eq!(counted(&desk, ALL).await, [1, 1, 1]);
}

#[tokio::test]
async fn counts_outlive_the_conversation_and_go_when_they_are_old_themselves() {
    let desk = one_conversation().await;
    assert_eq!(rows(&desk, "report_talk"), 1);
    let pruned = desk.view.prune(START_MS + 2 * DAY_MS, Some(DAY_MS), 20).await.unwrap();
    assert_eq!((pruned.conversations, rows(&desk, "report_talk")), (1, 0));
    assert_eq!(counted(&desk, ALL).await, [1, 1, 1]);
    desk.view.prune_reports(Some("other"), START_MS + 2 * DAY_MS, 20).await.unwrap();
    desk.view.prune_reports(None, START_MS / BUCKET_MS * BUCKET_MS, 20).await.unwrap();
    assert_eq!(counted(&desk, ALL).await, [1, 1, 1], "none of these is older");
    desk.view.prune_reports(None, START_MS + 2 * DAY_MS, 20).await.unwrap();
    assert_eq!((counted(&desk, ALL).await, rows(&desk, "report_cell")), ([0, 0, 0], 0));
}

/// As a release left it that knows nothing of reports.
fn without_reports(desk: Desk) -> Desk {
    let Desk { view, dir, position } = desk;
    drop(view);
    let file = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    for table in ["report_progress", "report_talk", "report_person", "report_cell"] {
        file.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    drop(file);
    let view = View::open(dir.path(), settings(), || false).unwrap();
    Desk { view, dir, position }
}

#[tokio::test]
async fn reports_that_are_behind_count_what_they_missed_and_then_go_on() {
    let mut desk = without_reports(one_conversation().await);
    assert_eq!(desk.view.reports_behind(W), Some((0, 3)));
    // What is projected meanwhile is counted in its turn.
    desk.events(vec![opened(C2)]).await;
    assert_eq!(desk.view.sync().await.unwrap()[W], 0, "the journal must keep what is not counted");
    let missed = || {
        vec![
            turn_at(1, vec![opened(C1), offer_made(1, C1)], vec![]),
            turn_at(2, vec![offer_ended(1, C1, OfferEnd::Accepted, Some(2))], vec![]),
            turn_at(3, vec![ended(C1, 3)], vec![]),
            turn_at(4, vec![opened(C2)], vec![]),
            // Not projected yet.
            turn_at(5, vec![offer_made(2, C2)], vec![]),
        ]
    };
    assert_eq!(desk.view.catch_up(W.into(), 1, missed()).await.unwrap(), 0, "that leaves one out");
    assert_eq!(desk.view.catch_up(W.into(), 0, missed().split_off(1)).await.unwrap(), 0, "and so does that");
    assert_eq!(desk.view.catch_up(W.into(), 0, missed()[..2].to_vec()).await.unwrap(), 2);
    assert_eq!(desk.view.catch_up(W.into(), 2, missed().split_off(2)).await.unwrap(), 4);
    assert_eq!((desk.view.reports_behind(W), desk.view.sync().await.unwrap()[W]), (None, 4));
    desk.events(vec![offer_made(2, C2)]).await;
    assert_eq!(counted(&desk, ALL).await, [2, 1, 1]);
    assert_eq!(desk.view.report(W, wanted()).await.unwrap().unwrap().since_ms, 0);
}

#[tokio::test]
async fn what_they_missed_and_is_gone_they_do_without_and_say_so() {
    let mut desk = Desk::new();
    let talking = conversation(State::Active { owner: ADA });
    desk.turn(vec![opened(C1), offer_made(1, C1)], vec![], vec![(C1, conversation(State::Waiting))]).await;
    desk.turn(vec![offer_ended(1, C1, OfferEnd::Accepted, Some(2))], vec![], vec![(C1, talking)]).await;
    let mut desk = without_reports(desk);
    assert_eq!(desk.view.begin_reports_anew(W.into()).await.unwrap(), 2);
    desk.events(vec![ended(C1, 3)]).await;
    assert_eq!(counted(&desk, ALL).await, [0, 0, 1], "what goes on is known, what was is not");
    assert_eq!(desk.view.report(W, wanted()).await.unwrap().unwrap().since_ms, wall_of(2).0);
}

#[tokio::test]
async fn a_page_of_a_report_holds_whole_intervals() {
    let mut desk = one_conversation().await;
    for number in 3..6 {
        let mut open = opened(ConversationId(number));
        if let Event::ConversationOpened { queue, .. } = &mut open {
            *queue = QueueId(number as u32);
        }
        desk.events(vec![open]).await;
    }
    let first = START_MS / BUCKET_MS * BUCKET_MS;
    let wanted = |rows_max| Wanted { bounds: vec![first - BUCKET_MS, first, first + BUCKET_MS], rows_max, ..wanted() };
    let of = async |rows_max| desk.view.report(W, wanted(rows_max)).await.unwrap().unwrap();
    let whole = of(4).await;
    assert_eq!((whole.rows.len(), whole.next, whole.totals.get(OPENED)), (4, None, 4));
    let none = of(3).await;
    assert_eq!((none.rows.len(), none.next, none.totals.get(OPENED)), (0, Some(1), 4), "totals are of all");
}
