//! Order for each conversation, others beside one that fails, patience with an endpoint that is down, and a cursor that never passes over
//! what is not done.

use super::*;
use crate::journal::Position;

const DELAYS: Delays = Delays { first_ms: 1_000, most_ms: 8_000 };
const ALL: u16 = u16::MAX;

fn place(position: u64) -> Place {
    Place::behind_event(Position(position), 0)
}

fn schedule(lanes: &[&str]) -> Schedule {
    let mut schedule = Schedule::new(Place::behind(Position(0)), DELAYS, 4);
    for (position, lane) in (1..).zip(lanes) {
        schedule.put(Item { place: place(position), lane: (*lane).into(), body: Bytes::from_static(b"{}") });
    }
    schedule
}

/// The lanes that are sent something now.
fn flying(schedule: &mut Schedule, now_ms: u64) -> Vec<(u64, Arc<str>)> {
    std::iter::from_fn(|| schedule.next(now_ms)).map(|item| (item.place.position.0, item.lane)).collect()
}

#[test]
fn each_conversation_is_in_order_and_several_fly_at_once() {
    let mut schedule = schedule(&["c1", "c1", "c2", "", "c1", "c3", "c4"]);
    let first = flying(&mut schedule, 0);
    assert_eq!(first, [(1, "c1".into()), (3, "c2".into()), (4, "".into()), (6, "c3".into())]);
    assert_eq!(schedule.cursor(), Place::behind(Position(0)));
    schedule.done(&"c2".into());
    assert_eq!(flying(&mut schedule, 0), [(7, "c4".into())]);
    assert_eq!(schedule.cursor(), Place::behind(Position(0)), "the first is not done");
    schedule.done(&"c1".into());
    assert_eq!((schedule.cursor(), flying(&mut schedule, 0)), (place(1), vec![(2, "c1".into())]));
    for lane in ["c1", "", "c3", "c4"] {
        schedule.done(&lane.into());
    }
    assert_eq!((schedule.cursor(), flying(&mut schedule, 0)), (place(4), vec![(5, "c1".into())]));
    schedule.was_read_to(Place::behind(Position(9)));
    schedule.done(&"c1".into());
    assert_eq!((schedule.cursor(), schedule.bytes()), (Place::behind(Position(9)), 0));
}

#[test]
fn one_that_fails_waits_longer_each_time_and_holds_up_no_other() {
    let mut schedule = schedule(&["c1", "c1", "c2", "c2", "c2", "c2"]);
    flying(&mut schedule, 0);
    let (mut now_ms, mut waits) = (0, Vec::new());
    for _ in 0..5 {
        schedule.failed(&"c1".into(), now_ms, None, ALL);
        // The other goes on, so nobody doubts the endpoint.
        schedule.done(&"c2".into());
        flying(&mut schedule, now_ms);
        let until_ms = schedule.next_at_ms().expect("it waits");
        waits.push(until_ms - now_ms);
        assert!(flying(&mut schedule, until_ms - 1).is_empty());
        assert_eq!(flying(&mut schedule, until_ms), [(1, "c1".into())]);
        now_ms = until_ms;
    }
    assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 8_000]);
    assert_eq!((schedule.cursor(), schedule.is_failing()), (Place::behind(Position(0)), true));
    schedule.done(&"c1".into());
    assert!(!schedule.is_failing());
    assert_eq!(flying(&mut schedule, now_ms), [(2, "c1".into())]);
    assert_eq!(DELAYS.after(1, 0), 500);
}

#[test]
fn an_endpoint_that_is_down_is_asked_one_thing_at_a_time_and_less_and_less_often() {
    let lanes: Vec<String> = (0..100).map(|lane| format!("c{lane}")).collect();
    let mut schedule = schedule(&lanes.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut now_ms, mut asked) = (0, 0);
    while now_ms < 3_600_000 {
        for (_, lane) in flying(&mut schedule, now_ms) {
            asked += 1;
            schedule.failed(&lane, now_ms, None, ALL);
        }
        now_ms = schedule.next_at_ms().expect("it goes on trying").max(now_ms + 1);
    }
    // An hour is 450 times the longest delay.
    assert!((400..520).contains(&asked), "{asked}");
    let one = flying(&mut schedule, now_ms);
    assert_eq!((one.len(), schedule.next_at_ms()), (1, None), "nothing is due before it lands");
    schedule.done(&one[0].1);
    assert_eq!(flying(&mut schedule, now_ms).len(), 4, "it is well again");
}

#[test]
fn who_asks_to_be_left_alone_is_but_not_for_ever() {
    let mut schedule = schedule(&["c1", "c2", "c3", "c4", "c5"]);
    flying(&mut schedule, 0);
    schedule.failed(&"c1".into(), 0, Some(5_000), ALL);
    schedule.failed(&"c2".into(), 0, Some(u64::MAX / 2), ALL);
    assert!(flying(&mut schedule, 7_999).is_empty());
    assert_eq!(flying(&mut schedule, 8_000).len(), 2);
}

#[test]
fn so_much_is_held_and_no_more() {
    let mut schedule = schedule(&[]);
    let body = Bytes::from(vec![b' '; BYTES_MAX / 4]);
    for position in 1..=4 {
        assert!(schedule.has_room());
        schedule.put(Item { place: place(position), lane: "c1".into(), body: body.clone() });
    }
    assert!(!schedule.has_room());
}
