//! Nodes that hear of each other through a bucket: who comes, who is killed, who leaves, and servers that stand still.

use crate::journal::settings;
use crate::support::nats::Nats;
use async_nats::jetstream::Context;
use futures_util::StreamExt;
use offhook::cluster::{Lease, LeaseSettings, Roll};
use offhook::desk::ids::NodeNumber;
use offhook::journal::nats::connect;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// Of nodes whose silence matters.
const SHORT_MS: u64 = 1_000;
/// Longer than any wait here: what is heard of by then is not heard of by silence.
const LONG_MS: u64 = 60_000;
const WAIT: Duration = Duration::from_secs(30);
const BUCKET: &str = "offhook-nodes";

async fn context(nats: &Nats) -> Context {
    connect(&settings(nats)).await.expect("the server answers")
}

async fn join(nats: &Nats, node: &str, lease_ms: u64) -> Lease {
    let own = LeaseSettings { node: node.to_owned(), address: format!("{node}:7788"), lease_ms };
    Lease::join(context(nats).await, &settings(nats), own).await.expect("there is room")
}

fn names(roll: &Roll) -> Vec<&str> {
    roll.nodes.iter().map(|node| &*node.name).collect()
}

/// Waits until exactly these are live for this node, and gives the roll that says so. Every roll on the way goes through `seen`.
async fn until(rolls: &mut watch::Receiver<Arc<Roll>>, live: &[&str], mut seen: impl FnMut(&Roll)) -> Arc<Roll> {
    let heard = timeout(WAIT, async {
        loop {
            let roll = rolls.borrow_and_update().clone();
            seen(&roll);
            if names(&roll) == live {
                return roll;
            }
            rolls.changed().await.expect("the lease is held");
        }
    });
    heard.await.unwrap_or_else(|_| panic!("{live:?} are not live, but {:?}", names(&rolls.borrow())))
}

async fn all_see(leases: &[&Lease], live: &[&str]) {
    for lease in leases {
        until(&mut lease.rolls(), live, |_| ()).await;
    }
}

#[tokio::test]
async fn nodes_hear_of_each_other_and_of_one_that_leaves_at_once() {
    let nats = Nats::alone("").await;
    // At once, also where it makes the bucket.
    let (a, b) = tokio::join!(join(&nats, "a", LONG_MS), join(&nats, "b", LONG_MS));
    let c = join(&nats, "c", LONG_MS).await;
    assert_eq!(names(&c.rolls().borrow()), ["a", "b", "c"], "whoever was there is in the first roll");
    all_see(&[&a, &b, &c], &["a", "b", "c"]).await;
    let roll = c.rolls().borrow().clone();
    assert_eq!(roll.node(a.number()).map(|node| &*node.address), Some("a:7788"));
    assert!(a.number() != b.number() && c.number() > a.number().max(b.number()));
    assert!(c.number().0 < 1 << 48);

    let gone = b.number();
    b.leave().await;
    let roll = until(&mut a.rolls(), &["a", "c"], |_| ()).await;
    assert!(roll.gone == [gone] && roll.is_gone(gone));
    // Whoever comes later knows it too.
    let d = join(&nats, "d", LONG_MS).await;
    assert!(d.rolls().borrow().is_gone(gone) && !d.rolls().borrow().is_gone(a.number()));
}

#[tokio::test]
async fn a_node_that_is_killed_is_gone_when_its_lease_is_over_and_not_before() {
    let nats = Nats::alone("").await;
    let a = join(&nats, "a", SHORT_MS).await;
    let b = join(&nats, "b", SHORT_MS).await;
    all_see(&[&a, &b], &["a", "b"]).await;
    let bucket = context(&nats).await.get_key_value(BUCKET).await.expect("it is there");
    let began = Instant::now();
    let mut beats = bucket.watch("b").await.expect("it is watched");
    timeout(WAIT, beats.next()).await.expect("a heartbeat comes").expect("one").expect("a good one");
    let number = b.number();
    drop(b);
    let roll = until(&mut a.rolls(), &["a"], |_| ()).await;
    // Times are cut down to whole milliseconds.
    assert!(began.elapsed() >= Duration::from_millis(SHORT_MS - 1), "{:?}", began.elapsed());
    assert!(roll.is_gone(number));
}

#[tokio::test]
async fn while_the_servers_stand_still_nobody_is_given_up() {
    let nats = Nats::alone("").await;
    let a = join(&nats, "a", SHORT_MS).await;
    let b = join(&nats, "b", SHORT_MS).await;
    let c = join(&nats, "c", SHORT_MS).await;
    all_see(&[&a, &b, &c], &["a", "b", "c"]).await;
    let killed = c.number();
    nats.freeze();
    // What must not come about tells nobody that it did not: three leases go by.
    tokio::time::sleep(3 * Duration::from_millis(SHORT_MS)).await;
    nats.thaw();
    // The one that is killed now is given up, so the others' silence is counted again; and nobody else was.
    drop(c);
    for lease in [&a, &b] {
        let only_c = |roll: &Roll| assert!(roll.gone.iter().all(|gone| *gone == killed), "{roll:?}");
        until(&mut lease.rolls(), &["a", "b"], only_c).await;
    }
}

#[tokio::test]
async fn a_node_that_is_started_anew_is_another_one_at_once() {
    let nats = Nats::alone("").await;
    let a = join(&nats, "a", LONG_MS).await;
    let b = join(&nats, "b", LONG_MS).await;
    until(&mut a.rolls(), &["a", "b"], |_| ()).await;
    let old = b.number();
    drop(b);
    let b = join(&nats, "b", LONG_MS).await;
    let mut rolls = a.rolls();
    let roll = timeout(WAIT, rolls.wait_for(|roll| roll.node(b.number()).is_some())).await.expect("in time");
    let roll = roll.expect("the lease is held").clone();
    assert!(b.number() > old && roll.is_gone(old) && roll.gone == [old]);
    assert_eq!(names(&roll), ["a", "b"]);
    assert!(b.rolls().borrow().is_gone(old));
}

#[tokio::test]
async fn of_two_processes_with_one_name_the_older_one_hears_that_it_is_none_any_more() {
    let nats = Nats::alone("").await;
    let older = join(&nats, "b", SHORT_MS).await;
    let newer = join(&nats, "b", SHORT_MS).await;
    let taken = timeout(WAIT, older.taken_over()).await.expect("it hears of it");
    assert_eq!((taken.own, taken.newer), (older.number(), newer.number()));
    assert!(taken.to_string().contains("another process has the name b"), "{taken}");
    assert!(older.rolls().borrow().nodes.is_empty());
    // It takes nothing with it that is the newer one's.
    older.leave().await;
    let a = join(&nats, "a", SHORT_MS).await;
    assert_eq!(names(&a.rolls().borrow()), ["a", "b"]);
    assert_eq!(a.rolls().borrow().nodes[1].number, newer.number());
}

#[tokio::test]
async fn a_watch_that_the_server_forgot_is_begun_anew() {
    let nats = Nats::alone("").await;
    let a = join(&nats, "a", SHORT_MS).await;
    let b = join(&nats, "b", SHORT_MS).await;
    all_see(&[&a, &b], &["a", "b"]).await;
    let stream = context(&nats).await.get_stream(format!("KV_{BUCKET}")).await.expect("it is there");
    let watches: Vec<String> = stream.consumer_names().map(|name| name.expect("a name")).collect().await;
    assert_eq!(watches.len(), 2);
    for name in watches {
        stream.delete_consumer(&name).await.expect("it is deleted");
    }
    let c = join(&nats, "c", SHORT_MS).await;
    for lease in [&a, &b, &c] {
        let nobody = |roll: &Roll| assert!(roll.gone.is_empty(), "{roll:?}");
        until(&mut lease.rolls(), &["a", "b", "c"], nobody).await;
    }
}

#[tokio::test]
async fn no_number_comes_again_where_the_bucket_is_made_anew() {
    let nats = Nats::alone("").await;
    let before = join(&nats, "a", SHORT_MS).await;
    let number = before.number();
    before.leave().await;
    context(&nats).await.delete_key_value(BUCKET).await.expect("it is removed");
    let after = join(&nats, "a", SHORT_MS).await;
    assert!(after.number() > number && number > NodeNumber(0), "{number}, {}", after.number());
}

#[tokio::test]
async fn a_bucket_of_another_shape_is_refused_and_not_changed() {
    let nats = Nats::alone("").await;
    let context = context(&nats).await;
    let other = async_nats::jetstream::kv::Config { bucket: BUCKET.to_owned(), history: 5, ..Default::default() };
    context.create_key_value(other).await.expect("it is made");
    let own = LeaseSettings { node: "a".to_owned(), address: String::new(), lease_ms: SHORT_MS };
    let failed = Lease::join(context.clone(), &settings(&nats), own).await.err().expect("it is another one");
    let text = failed.to_string();
    assert!(failed.is_final() && text.contains("KV_offhook-nodes"), "{text}");
    assert!(text.contains("max_msgs_per_subject is 5 and has to be 1") && text.contains("max_age"), "{text}");
}
