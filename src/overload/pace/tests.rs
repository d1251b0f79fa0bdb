//! Lines and promises, with times in hand.

use super::*;

fn pace(at_once: usize, waiting_max: usize) -> Arc<Pace> {
    Pace::new(PaceLimits { at_once, waiting_max })
}

fn now(entry: Entry) -> Served {
    let Entry::Now(place) = entry else { panic!("{entry:?}") };
    place
}

fn waits(entry: Entry) -> InLine {
    let Entry::Wait(line) = entry else { panic!("{entry:?}") };
    line
}

fn told(entry: Entry) -> u64 {
    let Entry::Later(later) = entry else { panic!("{entry:?}") };
    later.retry_after_ms
}

#[tokio::test]
async fn who_comes_back_is_served_before_who_came_first() {
    let pace = pace(1, 10);
    let first = now(pace.enter(Comer::New));
    let new = waits(pace.enter(Comer::New));
    let back = waits(pace.enter(Comer::Returning));
    drop(first);
    let back = back.await.unwrap();
    assert_eq!(pace.size(), (1, 1));
    drop(back);
    drop(new.await.unwrap());
    assert_eq!(pace.size(), (0, 0));
}

#[tokio::test]
async fn one_who_comes_back_takes_the_place_of_the_last_new_one_and_that_one_is_told_when() {
    let pace = pace(1, 2);
    let _served = now(pace.enter(Comer::New));
    let _first = waits(pace.enter(Comer::New));
    let last = waits(pace.enter(Comer::New));
    assert!(told(pace.enter(Comer::New)) >= RETRY_MS_MIN);
    let _back = waits(pace.enter(Comer::Returning));
    assert!(last.await.unwrap_err().retry_after_ms >= RETRY_MS_MIN);
    let _again = waits(pace.enter(Comer::Returning));
    assert!(told(pace.enter(Comer::Returning)) >= RETRY_MS_MIN, "only those who come back are left");
}

#[tokio::test]
async fn who_gives_up_leaves_no_place_behind() {
    let pace = pace(1, 2);
    let served = now(pace.enter(Comer::New));
    let gone = waits(pace.enter(Comer::Returning));
    let there = waits(pace.enter(Comer::New));
    drop(gone);
    // Full, but for the one who is gone.
    let also = waits(pace.enter(Comer::New));
    drop(served);
    let there = there.await.unwrap();
    drop(there);
    // Its turn has come, and it goes without having looked.
    drop(also);
    assert_eq!(pace.size(), (0, 0));
}

#[test]
fn those_who_are_told_to_come_back_come_one_after_another() {
    let pace = pace(1, 0);
    let _served = now(pace.enter_at(Comer::New, 1_000));
    let times: Vec<u64> = (0..5_000).map(|_| told(pace.enter_at(Comer::Returning, 1_000))).collect();
    // At a thousand a second, the last of 5,000 has its place after five seconds; a tenth of it is jitter.
    let within = |ms: std::ops::Range<u64>| times.iter().filter(|time| ms.contains(time)).count();
    for second in 0..5 {
        let count = within(second * 1_000..(second + 1) * 1_000);
        assert!((600..1_400).contains(&count), "{count} in the second {second}");
    }
    let new = told(pace.enter_at(Comer::New, 1_000));
    assert!(new >= 4_400, "{new}: behind all who come back");
}

#[test]
fn nobody_is_told_to_stay_away_for_ever_and_not_all_for_the_same_time() {
    let pace = pace(1, 0);
    let _served = now(pace.enter_at(Comer::New, 0));
    let times: Vec<u64> = (0..100_000).map(|_| told(pace.enter_at(Comer::New, 0))).collect();
    assert!(times.iter().all(|time| (RETRY_MS_MIN..=RETRY_MS_MAX).contains(time)));
    let late: std::collections::HashSet<u64> = times[90_000..].iter().copied().collect();
    assert!(late.len() > 3_000, "{}", late.len());
    // What was promised is over by then.
    assert!(told(pace.enter_at(Comer::New, 60_000)) < 300);
}

#[test]
fn the_speed_is_measured_only_while_somebody_waits() {
    let mut speed = Speed { per_s: RATE_AT_FIRST, since_ms: 0, done: 0 };
    (0..100).for_each(|second| speed.did_one(false, second * 1_000));
    assert_eq!(speed.per_s, RATE_AT_FIRST);
    speed.begin(200_000);
    (1..=2_000).for_each(|done| speed.did_one(true, 200_000 + done * 5));
    assert!((195.0..210.0).contains(&speed.per_s), "{}", speed.per_s);
}
