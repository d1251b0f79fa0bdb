//! Customers' keys that nodes share: each node a ring of its own, on a directory of its own.

use crate::journal::settings;
use crate::support::nats::Nats;
use async_nats::jetstream::{Context, stream};
use futures_util::TryStreamExt;
use offhook::journal::nats::{NatsSettings, StreamFailed, connect};
use offhook::seal::{
    ERASURES_FILE_NAME, Erasure, KEYS_FILE_NAME, KeyNumber, KeyRing, MASTER_FILE_NAME, OpenFailed, SealFailed,
    SharedKeys, Unsealed, read_erasures,
};
use rusqlite::Connection;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SERVER_KEY: &[u8] = b"what server.key gives";
const MASTER_KEY: [u8; 32] = [5; 32];

/// A directory with the cluster's master key.
pub fn directory() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join(MASTER_FILE_NAME), MASTER_KEY).expect("a file");
    dir
}

async fn try_open(nats: &Nats, dir: &Path, server_key: &[u8]) -> Result<KeyRing, OpenFailed> {
    let settings = settings(nats);
    let context = connect(&settings).await.expect("the server answers");
    let shared = SharedKeys::open(context, &settings, server_key).await.expect("the bucket is as it has to be");
    KeyRing::open_shared(dir, shared).await
}

pub async fn open(nats: &Nats, dir: &Path) -> KeyRing {
    try_open(nats, dir, SERVER_KEY).await.expect("the ring opens")
}

fn erasure(keys: &[KeyNumber]) -> Erasure {
    Erasure { workspace: "demo".to_owned(), customer: "ab".to_owned(), keys: keys.to_vec(), at: 1_000 }
}

/// What another node does comes when it comes, and nobody is told.
async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within 30 s");
}

/// Whoever watched this finds that out within ten seconds.
pub async fn end_watches(stream: &stream::Stream) {
    let names: Vec<String> = stream.consumer_names().try_collect().await.expect("it says who watches");
    assert!(!names.is_empty(), "nobody watches");
    for name in names {
        stream.delete_consumer(&name).await.expect("it can be ended");
    }
}

/// A key as it lies in the store of a node.
fn wrapped(dir: &Path, number: KeyNumber) -> Option<Vec<u8>> {
    let db = Connection::open(dir.join(KEYS_FILE_NAME)).expect("keys.db");
    db.query_row("SELECT wrapped FROM key WHERE number = ?1", [number.0 as i64], |row| row.get(0)).ok()
}

fn lies_on_the_disk_of(dir: &Path, bytes: &[u8]) -> bool {
    let holds = |name: &str| fs::read(dir.join(name)).is_ok_and(|held| held.windows(bytes.len()).any(|at| at == bytes));
    holds("keys.db") || holds("keys.db-wal")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_node_opens_on_all_and_one_that_has_not_come_is_not_taken_for_erased() {
    let nats = Nats::alone("").await;
    let (a, b) = (directory(), directory());
    let first = open(&nats, a.path()).await;
    let early = first.assign().unwrap();
    let sealed = first.seal(early, b"message", b"from a").unwrap();
    let second = open(&nats, b.path()).await;
    assert_eq!(second.unseal(b"message", &sealed).unwrap(), b"from a", "what was there before it began");
    // The second node's keys are made while the first one runs.
    let late = second.assign().unwrap();
    assert_ne!(late, early);
    let sealed = second.seal(late, b"message", b"from b").unwrap();
    first.until_known(late).await.expect("it comes");
    assert_eq!(first.unseal(b"message", &sealed).unwrap(), b"from b");
    assert_eq!(first.keyed_hash("customer", b"42"), second.keyed_hash("customer", b"42"));

    let nobodys = KeyNumber(1_000_000);
    assert!(matches!(first.seal(nobodys, b"message", b"x"), Err(SealFailed::Unavailable(_))));
    assert!(matches!(first.is_erased(nobodys), Err(SealFailed::Unavailable(_))));
    assert!(matches!(first.until_known(nobodys).await, Err(SealFailed::Unavailable(_))));
    let failed = first.erase_customer(&erasure(&[late, nobodys])).unwrap_err();
    assert!(failed.to_string().contains("key 1000000 has not come from the node that made it"), "{failed}");
    assert_eq!(first.is_erased(late).ok(), Some(false), "nothing is done where not all can be");
}

/// As when a server is lost that had a part in it: a watch stands still for seconds, and says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_watch_does_not_bring_is_asked_for() {
    let nats = Nats::alone("").await;
    let (a, b) = (directory(), directory());
    let (first, second) = (open(&nats, a.path()).await, open(&nats, b.path()).await);
    let context = connect(&settings(&nats)).await.expect("the server answers");
    end_watches(&context.get_stream("KV_offhook-keys").await.expect("it is there")).await;
    let new = std::iter::repeat_with(|| first.assign().expect("there are more")).nth(400).expect("it goes on");
    let sealed = first.seal(new, b"message", b"from a").expect("it is here");
    assert!(matches!(second.unseal(b"message", &sealed), Err(Unsealed::Unavailable(_))), "it has come by itself");
    // By itself it would come after ten seconds, when the watch is found out not to be there.
    let asked = Instant::now();
    while second.until_known(new).await.is_err() && asked.elapsed() < Duration::from_secs(6) {}
    assert_eq!(second.unseal(b"message", &sealed).expect("it is known"), b"from a");
}

#[tokio::test(flavor = "multi_thread")]
async fn makers_that_race_never_give_a_number_twice() {
    let nats = Nats::alone("").await;
    let dirs = [directory(), directory(), directory()];
    let mut rings = Vec::new();
    for dir in &dirs {
        rings.push(open(&nats, dir.path()).await);
    }
    let take = |ring: &KeyRing| {
        let made = std::iter::repeat_with(|| ring.assign()).filter_map(Result::ok).take(1_500);
        made.collect::<Vec<KeyNumber>>()
    };
    let keys: Vec<KeyNumber> = std::thread::scope(|scope| {
        let threads: Vec<_> = rings.iter().map(|ring| scope.spawn(move || take(ring))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect()
    });
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 4_500);
    let texts: Vec<_> = keys.iter().step_by(97).map(|key| (key, rings[0].seal(*key, b"m", b"x"))).collect();
    for (key, sealed) in texts {
        for ring in &rings {
            ring.until_known(*key).await.expect("it comes");
        }
        let sealed = match sealed {
            Ok(sealed) => sealed,
            // It had not come when it was tried first.
            Err(_) => rings[0].seal(*key, b"m", b"x").unwrap(),
        };
        assert!(rings.iter().all(|ring| ring.unseal(b"m", &sealed).unwrap() == b"x"), "key {key}");
    }
    // Numbers of all of them, after all of them began again.
    drop(rings);
    let again = open(&nats, dirs[1].path()).await;
    assert!(!keys.contains(&again.assign().unwrap()));
    assert!(keys.iter().all(|key| again.is_erased(*key).is_ok_and(|erased| !erased)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_other_keys_is_refused_and_none_is_made_for_it() {
    let nats = Nats::alone("").await;
    let a = directory();
    drop(open(&nats, a.path()).await);
    let refused = async |dir: &Path, server_key: &[u8]| match try_open(&nats, dir, server_key).await {
        Err(failed @ OpenFailed::OtherCluster { .. }) => failed.to_string(),
        other => panic!("{:?}", other.err()),
    };
    let advice = "copy master.key and server.key from another node of this cluster";
    let none = tempfile::tempdir().unwrap();
    let failed = refused(none.path(), SERVER_KEY).await;
    assert!(failed.contains("has not the master.key of this cluster") && failed.contains(advice), "{failed}");
    assert!(!none.path().join(MASTER_FILE_NAME).exists() && !none.path().join(KEYS_FILE_NAME).exists());
    fs::write(none.path().join(MASTER_FILE_NAME), [6; 32]).unwrap();
    let failed = refused(none.path(), SERVER_KEY).await;
    assert!(failed.contains("has not the master.key of"), "{failed}");
    let failed = refused(none.path(), b"another").await;
    assert!(failed.contains("has not the master.key and server.key of"), "{failed}");
    fs::write(none.path().join(MASTER_FILE_NAME), MASTER_KEY).unwrap();
    let failed = refused(none.path(), b"another").await;
    assert!(failed.contains("has not the server.key of"), "{failed}");
    drop(open(&nats, none.path()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_on_one_node_is_erased_on_all_and_gone_from_every_disk() {
    let nats = Nats::alone("").await;
    let (a, b, c) = (directory(), directory(), directory());
    let (first, second) = (open(&nats, a.path()).await, open(&nats, b.path()).await);
    drop(open(&nats, c.path()).await);
    let (gone, kept) = (first.assign().unwrap(), first.assign().unwrap());
    let sealed = first.seal(gone, b"m", b"secret").unwrap();
    let other = first.seal(kept, b"m", b"other").unwrap();
    assert_eq!(second.unseal(b"m", &sealed).unwrap(), b"secret", "it is in the memory of both");
    let bytes = wrapped(b.path(), gone).expect("it came to the other node");
    assert_eq!(wrapped(a.path(), gone).as_ref(), Some(&bytes));
    until("NATS writes", || nats.holds(&bytes)).await;

    first.erase_customer(&erasure(&[gone])).unwrap();
    assert_eq!(first.unseal(b"m", &sealed), Err(Unsealed::Erased));
    assert!(!nats.holds(&bytes), "NATS has it on its disk");
    until("the other node erases", || second.unseal(b"m", &sealed) == Err(Unsealed::Erased)).await;
    let third = open(&nats, c.path()).await;
    assert_eq!(third.unseal(b"m", &sealed), Err(Unsealed::Erased), "it was away");
    assert!(matches!(third.seal(gone, b"m", b"x"), Err(SealFailed::Erased)));
    until("all ledgers have it", || {
        let ledger = |dir: &TempDir| read_erasures(&dir.path().join(ERASURES_FILE_NAME)).unwrap();
        [&a, &b].iter().all(|dir| ledger(dir) == [erasure(&[gone])])
    })
    .await;
    for dir in [&a, &b, &c] {
        until("its disk is clean", || !lies_on_the_disk_of(dir.path(), &bytes)).await;
    }
    for ring in [&first, &second, &third] {
        assert_eq!(ring.unseal(b"m", &other).unwrap(), b"other", "its neighbour stays");
    }
    // Again, on another node: nothing more is said.
    second.erase_customer(&erasure(&[gone])).unwrap();
    // A node that brings back a copy from before.
    drop(second);
    let db = Connection::open(b.path().join(KEYS_FILE_NAME)).unwrap();
    db.execute("INSERT INTO key VALUES (?1, ?2)", (gone.0 as i64, &bytes)).unwrap();
    drop(db);
    fs::remove_file(b.path().join(ERASURES_FILE_NAME)).unwrap();
    let second = open(&nats, b.path()).await;
    assert_eq!(second.unseal(b"m", &sealed), Err(Unsealed::Erased));
    assert_eq!(read_erasures(&b.path().join(ERASURES_FILE_NAME)).unwrap(), [erasure(&[gone])]);
}

/// A node said so and came no further: the others finish it.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_its_node_did_not_finish_is_finished_by_another() {
    let nats = Nats::alone("").await;
    let a = directory();
    let ring = open(&nats, a.path()).await;
    let gone = ring.assign().unwrap();
    let sealed = ring.seal(gone, b"m", b"secret").unwrap();
    let bytes = wrapped(a.path(), gone).unwrap();
    until("NATS writes", || nats.holds(&bytes)).await;
    let context = connect(&settings(&nats)).await.unwrap();
    let said = serde_json::to_vec(&erasure(&[gone])).unwrap();
    context.publish("$KV.offhook-keys.erased.unfinished", said.into()).await.unwrap().await.unwrap();
    // And something that nobody of ours wrote: it stops nobody.
    context.publish("$KV.offhook-keys.block.7777", "nonsense".into()).await.unwrap().await.unwrap();
    until("it is erased here", || ring.unseal(b"m", &sealed) == Err(Unsealed::Erased)).await;
    until("it is gone from the bucket", || !nats.holds(&bytes)).await;
    let late = directory();
    let another = open(&nats, late.path()).await;
    assert_eq!(another.unseal(b"m", &sealed), Err(Unsealed::Erased));
    assert!(!lies_on_the_disk_of(late.path(), &bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_bucket_is_not_reached_keys_made_ahead_go_out_and_it_comes_back_by_itself() {
    let nats = Nats::alone("").await;
    let (a, b) = (directory(), directory());
    let (ring, other) = (open(&nats, a.path()).await, open(&nats, b.path()).await);
    let known = ring.assign().unwrap();
    let sealed = ring.seal(known, b"m", b"x").unwrap();
    nats.freeze();
    let mut handed_out = 0;
    let why = loop {
        match ring.assign() {
            Ok(_) => handed_out += 1,
            // Those that are first wait for an answer that may still come.
            Err(SealFailed::KeysRunOut(why)) if why.contains("is slow") => {}
            Err(failed) => break failed.to_string(),
        }
    };
    assert!(handed_out >= 128, "{handed_out}");
    assert!(why.contains("no key is ready") && why.contains("the bucket that nodes share: no answer"), "{why}");
    assert_eq!(ring.unseal(b"m", &sealed).unwrap(), b"x", "what is known needs no bucket");
    let failed = ring.erase_customer(&erasure(&[known])).unwrap_err();
    assert!(matches!(failed, SealFailed::Unavailable(_)), "{failed}");
    assert_eq!(ring.unseal(b"m", &sealed).unwrap(), b"x", "what cannot be said to all is not done on one");
    nats.thaw();
    let new = std::iter::repeat_with(|| ring.assign()).find_map(Result::ok).expect("it comes back");
    until("the other node follows again", || other.is_erased(new).is_ok()).await;
    ring.erase_customer(&erasure(&[known])).unwrap();
    until("the other node erases", || other.unseal(b"m", &sealed) == Err(Unsealed::Erased)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_server_brings_its_keys_and_another_ones_keys_are_refused() {
    let nats = Nats::alone("").await;
    let (a, b, c) = (directory(), directory(), directory());
    let alone = KeyRing::open(a.path()).unwrap();
    let keys: Vec<KeyNumber> = (0..300).map(|_| alone.assign().unwrap()).collect();
    let seal = |key: &KeyNumber| alone.seal(*key, b"m", b"x").unwrap();
    let (first, middle, last) = (seal(&keys[0]), seal(&keys[150]), seal(&keys[299]));
    alone.erase_customer(&erasure(&[keys[0], keys[150]])).unwrap();
    drop(alone);
    let alone = KeyRing::open(c.path()).unwrap();
    drop(alone);

    let ring = open(&nats, a.path()).await;
    let new = ring.assign().unwrap();
    assert!(!keys.contains(&new));
    let other = open(&nats, b.path()).await;
    assert_eq!(other.unseal(b"m", &last).unwrap(), b"x");
    assert_eq!(other.unseal(b"m", &middle), Err(Unsealed::Erased));
    until("it says whom it erased", || other.unseal(b"m", &first) == Err(Unsealed::Erased)).await;
    until("the ledger has it", || {
        read_erasures(&b.path().join(ERASURES_FILE_NAME)).unwrap() == [erasure(&[keys[0], keys[150]])]
    })
    .await;
    match try_open(&nats, c.path(), SERVER_KEY).await {
        Err(failed @ OpenFailed::OtherKeys { .. }) => {
            let failed = failed.to_string();
            assert!(failed.contains("is another one in the cluster"), "{failed}");
        }
        other => panic!("{:?}", other.err()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_which_nothing_can_be_overwritten_is_refused() {
    let nats = Nats::alone("").await;
    let settings: NatsSettings = settings(&nats);
    let context: Context = connect(&settings).await.unwrap();
    let other = stream::Config {
        name: "KV_offhook-keys".to_owned(),
        subjects: vec!["$KV.offhook-keys.>".to_owned()],
        max_messages_per_subject: 1,
        deny_delete: true,
        ..Default::default()
    };
    context.create_stream(other).await.unwrap();
    let failed = SharedKeys::open(context, &settings, SERVER_KEY).await.err().expect("it is another one");
    assert!(matches!(failed, StreamFailed::Differs { .. }));
    let failed = failed.to_string();
    for part in ["max_msgs_per_subject is 1 and has to be 64", "deny_delete is true and has to be false"] {
        assert!(failed.contains(part), "{failed}");
    }
}

/// What the shape of the bucket rests on: NATS passes over what was replaced, and overwrites what is deleted by its number.
#[tokio::test]
async fn what_is_put_anew_stays_on_the_disk_of_nats_until_it_is_deleted_by_its_number() {
    let nats = Nats::alone("").await;
    let context: Context = connect(&settings(&nats)).await.unwrap();
    let config = |revisions, subject: &str| stream::Config {
        name: format!("KEEPS{revisions}"),
        subjects: vec![subject.to_owned()],
        max_messages_per_subject: revisions,
        ..Default::default()
    };
    context.create_stream(config(1, "one")).await.unwrap();
    let many = context.create_stream(config(64, "many")).await.unwrap();
    for subject in ["one", "many"] {
        let secret = format!("the secret of {subject}");
        context.publish(subject.to_owned(), secret.clone().into()).await.unwrap().await.unwrap();
        context.publish(subject.to_owned(), "without it".into()).await.unwrap().await.unwrap();
        until("NATS writes", || nats.holds(secret.as_bytes())).await;
    }
    let one = context.get_stream("KEEPS1").await.unwrap();
    assert!(
        one.get_raw_message(1).await.is_err() && one.delete_message(1).await.is_err(),
        "nobody reaches it any more"
    );
    assert!(nats.holds(b"the secret of one"), "and it is there");
    assert!(many.delete_message(1).await.unwrap());
    assert!(!nats.holds(b"the secret of many"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_no_server_uses_gets_all_keys_and_goes_on_by_itself_with_numbers_that_nobody_has() {
    let nats = Nats::alone("").await;
    let share = async |dir: &Path| {
        let settings = settings(&nats);
        let context = connect(&settings).await.expect("the server answers");
        let shared = SharedKeys::open(context, &settings, SERVER_KEY).await.expect("the bucket is as it has to be");
        KeyRing::share(dir, shared).await
    };
    let (single, other) = (directory(), directory());
    let mut keys = Vec::new();
    let mut before = None;
    // Alone, in the cluster, and alone again, more than once.
    for round in 0..3 {
        let alone = KeyRing::open(single.path()).expect("the ring opens");
        let own = alone.assign().expect("a key");
        if let Some((number, sealed)) = &before {
            assert_eq!(alone.unseal(b"m", sealed).unwrap(), b"from the other node", "key {number}, round {round}");
        }
        let sealed = alone.seal(own, b"m", b"from the single server").unwrap();
        drop(alone);
        share(single.path()).await.expect("it is the cluster's");
        let node = open(&nats, other.path()).await;
        assert_eq!(node.unseal(b"m", &sealed).unwrap(), b"from the single server");
        let of_node = node.assign().expect("a key");
        before = Some((of_node, node.seal(of_node, b"m", b"from the other node").unwrap()));
        drop(node);
        share(single.path()).await.expect("it is the cluster's");
        keys.extend([own, of_node]);
    }
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 6, "{keys:?}");
    let none = tempfile::tempdir().unwrap();
    assert!(matches!(share(none.path()).await, Err(OpenFailed::OtherCluster { .. })));
}
