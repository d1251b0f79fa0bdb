//! The journal on JetStream: what every journal has to do, and what only this one can meet.

use crate::support::nats::Nats;
use bytes::Bytes;
use futures_util::future::join_all;
use offhook::engine::settle::{Next, Settling};
use offhook::journal::nats::{NatsJournal, NatsSettings, connect};
use offhook::journal::{Appended, Journal, JournalState, NewRecord, Position, RefusedAppend, StoredRecord, TurnId};
use std::sync::Arc;
use std::time::Duration;

pub fn settings(nats: &Nats) -> NatsSettings {
    NatsSettings {
        servers: vec![nats.address.clone()],
        credentials: None,
        ca: None,
        name: "offhook".to_owned(),
        replicas: 1,
        bytes_max: None,
        answer_within: Duration::from_secs(5),
    }
}

async fn open(settings: &NatsSettings) -> NatsJournal {
    let context = connect(settings).await.expect("the server answers");
    NatsJournal::open(context, settings, "a").await.expect("the stream is as it has to be")
}

fn workspace(name: &str) -> Arc<str> {
    Arc::from(name)
}

fn record(expected: u64, turn: u128) -> NewRecord {
    let body = Bytes::from(format!("record {} of turn {turn}", expected + 1));
    NewRecord { turn: TurnId(turn), expected: Position(expected), body, last_resort: false }
}

async fn fill(journal: &NatsJournal, workspace: &Arc<str>, from: u64, to: u64) {
    for position in from..=to {
        let appended = journal.append(workspace, record(position - 1, u128::from(position))).await;
        assert_eq!(appended, Appended::Committed(Position(position)));
    }
}

#[tokio::test]
async fn records_are_appended_behind_each_other_and_read_back() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let journal = open(&settings).await;
    let (acme, other) = (workspace("acme"), workspace("other"));
    assert_eq!(journal.tail(&acme).await.unwrap(), None);
    assert!(journal.read(&acme, Position(0), 10, 1_000).await.unwrap().is_empty());
    assert!(journal.workspaces().await.unwrap().is_empty());
    for round in 0..10 {
        fill(&journal, &acme, round * 30 + 1, round * 30 + 30).await;
        fill(&journal, &other, round * 7 + 1, round * 7 + 7).await;
    }
    assert_eq!(journal.workspaces().await.unwrap(), [acme.clone(), other.clone()]);

    // Another one knows nothing of where positions are in the stream.
    let fresh = open(&settings).await;
    let tail = fresh.tail(&acme).await.unwrap().expect("there is one");
    assert_eq!((tail.position, tail.turn), (Position(300), TurnId(300)));
    for journal in [&journal, &fresh] {
        for (after, many) in [(0, 1_000), (0, 1), (150, 2), (150, 100), (298, 100), (299, 1), (300, 5), (400, 5)] {
            let read = journal.read(&acme, Position(after), many, usize::MAX).await.unwrap();
            let positions: Vec<u64> = read.iter().map(|record| record.position.0).collect();
            let wanted: Vec<u64> = (after + 1..=300).take(many).collect();
            assert_eq!(positions, wanted, "{many} after {after}");
            assert!(read.iter().all(|stored| stored.body == record(stored.position.0 - 1, stored.turn.0).body));
        }
    }
    // One at least, and then as many as there is room for.
    assert_eq!(fresh.read(&acme, Position(10), 100, 1).await.unwrap().len(), 1);
    assert_eq!(fresh.read(&acme, Position(10), 100, 70).await.unwrap().len(), 3);
    let span = fresh.span(&acme, Position(290), 1_000).await.unwrap();
    let bytes: usize = (290..300).map(|before| record(before, u128::from(before) + 1).body.len()).sum();
    assert_eq!((span.records, span.bytes, span.to), (10, bytes as u64, Position(300)));
    let some = fresh.span(&acme, Position(100), 30).await.unwrap();
    assert_eq!((some.records, some.to), (30, Position(130)));
}

#[tokio::test]
async fn who_comes_second_is_fenced() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let (first, second) = (open(&settings).await, open(&settings).await);
    let acme = workspace("acme");
    fill(&first, &acme, 1, 3).await;
    // It knows nothing, and says so itself or hears it from the server.
    let fenced = Appended::Refused(RefusedAppend::Fenced { actual: Position(3) });
    assert_eq!(second.append(&acme, record(2, 99)).await, fenced);
    fill(&second, &acme, 4, 4).await;
    let fenced = Appended::Refused(RefusedAppend::Fenced { actual: Position(4) });
    assert_eq!(first.append(&acme, record(3, 98)).await, fenced);
    // Ahead of what is there: nothing is sent.
    assert_eq!(first.append(&acme, record(7, 97)).await, Appended::Refused(RefusedAppend::Unreachable));
    fill(&first, &acme, 5, 5).await;
    let large = NewRecord { body: Bytes::from(vec![0; 300 * 1024]), ..record(5, 96) };
    assert_eq!(first.append(&acme, large).await, Appended::Refused(RefusedAppend::TooLarge));
    let turns: Vec<u128> =
        first.read(&acme, Position(0), 10, usize::MAX).await.unwrap().iter().map(|record| record.turn.0).collect();
    assert_eq!(turns, [1, 2, 3, 4, 5]);
}

/// Five times so many of each, in turns.
async fn fill_both(journal: &NatsJournal, (one, many): (&Arc<str>, u64), (other, few): (&Arc<str>, u64)) {
    for round in 0..5 {
        fill(journal, one, round * many + 1, (round + 1) * many).await;
        fill(journal, other, round * few + 1, (round + 1) * few).await;
    }
}

#[tokio::test]
async fn a_cut_takes_what_is_below_and_never_the_last() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let journal = open(&settings).await;
    let (acme, other) = (workspace("acme"), workspace("other"));
    fill_both(&journal, (&acme, 20), (&other, 1)).await;
    assert_eq!(journal.cut(&acme, Position(41)).await.unwrap(), 40);
    let fresh = open(&settings).await;
    let first = fresh.read(&acme, Position(0), 1, 1).await.unwrap();
    assert_eq!(first[0].position, Position(41));
    let many = fresh.read(&acme, Position(0), 100, usize::MAX).await.unwrap();
    assert_eq!((many[0].position, many.len()), (Position(41), 60));
    assert_eq!(fresh.read(&acme, Position(60), 100, usize::MAX).await.unwrap()[0].position, Position(61));
    assert_eq!(journal.cut(&acme, Position(5_000)).await.unwrap(), 59);
    assert_eq!(fresh.tail(&acme).await.unwrap().unwrap().position, Position(100));
    fill(&journal, &acme, 101, 102).await;
    let kept = fresh.read(&other, Position(0), 100, usize::MAX).await.unwrap();
    assert_eq!(kept.len(), 5, "another workspace keeps all of its own");
}

/// What a leader cuts: below a position, and what is old; others who follow go on, and a reader never skips what went meanwhile.
#[tokio::test]
async fn a_cut_of_what_is_old_takes_nothing_else_and_upsets_nobody() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let journal = open(&settings).await;
    let (acme, other) = (workspace("acme"), workspace("other"));
    fill_both(&journal, (&acme, 20), (&other, 3)).await;
    let mut live = journal.live().await.expect("it can be followed");
    let up_to = |most: u64| move |stored: &StoredRecord| stored.position.0 <= most;
    let first = async || journal.read(&acme, Position(0), 1, 1).await.unwrap()[0].position.0;
    assert_eq!(journal.cut_old(&workspace("nobody"), Position(9), |_| true).await.unwrap(), 0);
    assert_eq!(journal.cut_old(&acme, Position(50), up_to(0)).await.unwrap(), 0, "nothing is old");
    assert_eq!(journal.cut_old(&acme, Position(1), |_| true).await.unwrap(), 0, "nobody has it");
    for (below, old, cut, kept) in [(31, 200, 30, 31), (90, 40, 10, 41), (42, 200, 1, 42), (42, 200, 0, 42)] {
        assert_eq!(journal.cut_old(&acme, Position(below), up_to(old)).await.unwrap(), cut, "below {below}");
        assert_eq!(first().await, kept, "below {below}");
    }
    assert_eq!(journal.cut_old(&acme, Position(1_000), |_| true).await.unwrap(), 58);
    assert_eq!(journal.cut_old(&acme, Position(1_000), |_| true).await.unwrap(), 0, "the last one stays");
    assert_eq!((first().await, journal.tail(&acme).await.unwrap().unwrap().position), (100, Position(100)));
    assert_eq!(journal.read(&other, Position(0), 100, usize::MAX).await.unwrap().len(), 15);

    let fresh = open(&settings).await;
    assert_eq!(
        fresh.append(&acme, record(99, 7)).await,
        Appended::Refused(RefusedAppend::Fenced { actual: Position(100) })
    );
    fill(&fresh, &acme, 101, 101).await;
    let (name, record) = live.next().await.expect("it is followed still");
    assert_eq!((name, record.position), (acme, Position(101)));
}

/// Of a node's own the view may be another node's: an empty subject goes on from there, and a fence holds as ever.
#[tokio::test]
async fn a_workspace_of_one_nodes_own_begins_where_its_view_stands() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let journal = open(&settings).await;
    let (own, acme) = (workspace("_own"), workspace("acme"));
    assert_eq!(journal.append(&acme, record(7, 8)).await, Appended::Refused(RefusedAppend::Unreachable));
    fill(&journal, &own, 8, 9).await;
    let again = open(&settings).await.append(&own, record(7, 99)).await;
    assert_eq!(again, Appended::Refused(RefusedAppend::Fenced { actual: Position(9) }));
    assert_eq!(journal.read(&own, Position(7), 9, usize::MAX).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_append_without_an_answer_is_unknown_and_found_by_its_turn() {
    let nats = Nats::alone("").await;
    let settings = NatsSettings { answer_within: Duration::from_millis(600), ..settings(&nats) };
    let journal = open(&settings).await;
    let acme = workspace("acme");
    fill(&journal, &acme, 1, 1).await;
    nats.freeze();
    let appended = journal.append(&acme, record(1, 77)).await;
    assert!(matches!(appended, Appended::Unknown(_)), "{appended:?}");
    assert!(journal.tail(&acme).await.is_err());
    assert_eq!(journal.health().state, JournalState::Failing);
    nats.thaw();
    // It was on its way, and arrives; what is read meanwhile may overtake it, so that the barrier decides.
    let settling = Settling::of(TurnId(77), Position(1));
    let mut next = Next::ReadTail;
    loop {
        next = match next {
            Next::ReadTail => {
                let tail = journal.tail(&acme).await;
                tail.map_or(Next::Wait, |tail| settling.tail_was(tail.as_ref()))
            }
            Next::AppendBarrier { expected } => {
                settling.barrier_was(&journal.append(&acme, record(expected.0, 78)).await)
            }
            Next::Wait => Next::ReadTail,
            Next::Happened => break,
            Next::ReadAt(_) | Next::DidNotHappen => panic!("it was sent first: {next:?}"),
        }
    }
    let tail = journal.tail(&acme).await.unwrap().expect("there is one");
    assert_eq!((tail.position, tail.turn), (Position(2), TurnId(77)));
    let appended = journal.append(&acme, record(1, 79)).await;
    assert_eq!(appended, Appended::Refused(RefusedAppend::Fenced { actual: Position(2) }));
    assert_eq!(journal.health().state, JournalState::Healthy);
    fill(&journal, &acme, 3, 3).await;
}

#[tokio::test]
async fn a_full_stream_refuses_and_keeps_what_it_has() {
    let nats = Nats::alone("").await;
    let settings = NatsSettings { bytes_max: Some(600 * 1024), ..settings(&nats) };
    let journal = open(&settings).await;
    let acme = workspace("acme");
    let large = |expected| NewRecord { body: Bytes::from(vec![7; 250 * 1024]), ..record(expected, 1) };
    assert_eq!(journal.append(&acme, large(0)).await, Appended::Committed(Position(1)));
    assert_eq!(journal.append(&acme, large(1)).await, Appended::Committed(Position(2)));
    assert_eq!(journal.append(&acme, large(2)).await, Appended::Refused(RefusedAppend::Full));
    assert_eq!(journal.health().state, JournalState::Full);
    assert_eq!(journal.tail(&acme).await.unwrap().unwrap().position, Position(2));
    assert_eq!(journal.cut(&acme, Position(2)).await.unwrap(), 1);
    assert_eq!(journal.append(&acme, large(2)).await, Appended::Committed(Position(3)));
}

#[tokio::test]
async fn a_stream_of_another_shape_is_refused_and_not_changed() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let context = connect(&settings).await.expect("it answers");
    let other = async_nats::jetstream::stream::Config {
        name: "OFFHOOK_JOURNAL".to_owned(),
        subjects: vec!["offhook.journal.*".to_owned()],
        max_age: Duration::from_secs(3_600),
        ..Default::default()
    };
    context.create_stream(other).await.expect("it is made");
    let failed = NatsJournal::open(context.clone(), &settings, "a").await.err().expect("it is another one").to_string();
    for part in
        ["OFFHOOK_JOURNAL", "max_age is 3600s and has to be 0ns", "discard is Old and has to be New", "deny_delete"]
    {
        assert!(failed.contains(part), "{failed}");
    }
    let held = context.get_stream("OFFHOOK_JOURNAL").await.expect("it is there").cached_info().config.max_age;
    assert_eq!(held, Duration::from_secs(3_600));
}

/// Of eight who append behind the same record one is first, and all know it, round after round.
#[tokio::test]
async fn of_eight_writers_one_wins_each_place() {
    let nats = Nats::alone("").await;
    let settings = settings(&nats);
    let acme = workspace("acme");
    let mut writers = Vec::new();
    for _ in 0..8 {
        writers.push(open(&settings).await);
    }
    for round in 0..100_u64 {
        let attempts = (0..).zip(&writers).map(|(who, journal)| journal.append(&acme, record(round, who + 1)));
        let ended = join_all(attempts).await;
        let won = ended.iter().filter(|appended| matches!(appended, Appended::Committed(_))).count();
        assert_eq!(won, 1, "round {round}: {ended:?}");
        let fenced = |appended: &&Appended| matches!(appended, Appended::Refused(RefusedAppend::Fenced { .. }));
        assert_eq!(ended.iter().filter(fenced).count(), 7, "round {round}: {ended:?}");
    }
    let read = writers[0].read(&acme, Position(0), 1_000, usize::MAX).await.unwrap();
    assert!(read.iter().map(|record| record.position.0).eq(1..=100));
}
