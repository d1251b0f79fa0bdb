//! What sealing promises: opens for the right place only, never after erasure, and goes on while the disk does not.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn opened() -> (TempDir, KeyRing) {
    let dir = tempfile::tempdir().unwrap();
    let ring = KeyRing::open(dir.path()).unwrap();
    (dir, ring)
}

fn refusal(dir: &Path) -> OpenFailed {
    KeyRing::open(dir).err().unwrap()
}

/// Makes every write to the store fail, until `false`.
fn read_only(ring: &KeyRing, on: bool) {
    ring.store().writing().pragma_update(None, "query_only", on).unwrap();
}

#[test]
fn what_was_sealed_opens_from_the_envelope_alone_also_after_a_restart() {
    let (dir, ring) = opened();
    let key = ring.assign().unwrap();
    let sealed = ring.seal(key, b"message", "Grüße".as_bytes()).unwrap();
    assert_eq!(sealed.key(), Some(key));
    assert!(sealed.0.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    let json = serde_json::to_string(&sealed).unwrap();
    assert_eq!(json, format!("\"{}\"", sealed.0));
    let sealed: Sealed = serde_json::from_str(&json).unwrap();
    assert_eq!(ring.unseal(b"message", &sealed).unwrap(), "Grüße".as_bytes());
    drop(ring);
    let ring = KeyRing::open(dir.path()).unwrap();
    assert_eq!(ring.unseal(b"message", &sealed).unwrap(), "Grüße".as_bytes());
    assert_eq!(ring.seal(key, b"message", b"again").unwrap().key(), Some(key));
}

#[test]
fn it_opens_for_no_other_place_key_or_bytes() {
    let (_dir, ring) = opened();
    let (one, other) = (ring.assign().unwrap(), ring.assign().unwrap());
    let sealed = ring.seal(one, b"message", b"secret").unwrap();
    assert_eq!(ring.unseal(b"name", &sealed), Err(Unsealed::Damaged));
    for at in 0..sealed.0.len() {
        let mut text = sealed.0.to_string();
        let flipped = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        text.replace_range(at..=at, flipped);
        let opened = ring.unseal(b"message", &Sealed(text.into()));
        assert!(opened.is_err(), "character {at}");
    }
    for text in ["", "AQ", "not an envelope at all", "Ö123456789012345", &sealed.0[..20], &sealed.0[..12]] {
        assert!(ring.unseal(b"message", &Sealed(text.into())).is_err(), "{text}");
    }
    // The other customer's number on this one's ciphertext.
    let relabelled = ring.seal(other, b"message", b"x").unwrap().0[..12].to_owned() + &sealed.0[12..];
    assert_eq!(ring.unseal(b"message", &Sealed(relabelled.into())), Err(Unsealed::Damaged));
    assert!(!format!("{sealed:?}").contains(&*sealed.0));
}

#[test]
fn the_same_text_is_sealed_differently_each_time() {
    let (_dir, ring) = opened();
    let key = ring.assign().unwrap();
    assert_ne!(ring.seal(key, b"m", b"x").unwrap(), ring.seal(key, b"m", b"x").unwrap());
    let too_large = ring.seal(key, b"m", &vec![0; (1 << 20) + 1]);
    assert!(matches!(too_large, Err(SealFailed::TooLarge { .. })));
}

#[test]
fn an_erased_key_opens_nothing_seals_nothing_and_is_gone_from_the_disk() {
    let (dir, ring) = opened();
    let (erased, kept) = (ring.assign().unwrap(), ring.assign().unwrap());
    let sealed = ring.seal(erased, b"message", b"secret").unwrap();
    let other = ring.seal(kept, b"message", b"other").unwrap();
    let wrapped: Vec<u8> = ring
        .store()
        .writing()
        .query_row("SELECT wrapped FROM key WHERE number = ?1", [erased.0 as i64], |row| row.get(0))
        .unwrap();
    ring.erase(&[erased]).unwrap();
    assert_eq!(ring.unseal(b"message", &sealed), Err(Unsealed::Erased));
    assert!(matches!(ring.seal(erased, b"message", b"x"), Err(SealFailed::Erased)));
    assert_eq!(ring.unseal(b"message", &other).unwrap(), b"other");
    for file in ["keys.db", "keys.db-wal"] {
        let bytes = std::fs::read(dir.path().join(file)).unwrap();
        assert!(!bytes.windows(wrapped.len()).any(|part| part == wrapped), "{file}");
    }
    ring.erase(&[erased, KeyNumber(u64::MAX)]).unwrap();
    drop(ring);
    let ring = KeyRing::open(dir.path()).unwrap();
    assert_eq!(ring.unseal(b"message", &sealed), Err(Unsealed::Erased));
}

#[test]
fn no_key_is_handed_out_twice_over_restarts_and_erasures() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let ring = KeyRing::open(dir.path()).unwrap();
        let keys: Vec<KeyNumber> = (0..40).map(|_| ring.assign().unwrap()).collect();
        assert!(keys.iter().all(|key| seen.insert(*key)));
        ring.erase(&keys).unwrap();
    }
}

#[test]
fn many_threads_use_up_many_blocks_and_never_share_a_key() {
    let (_dir, ring) = opened();
    // On a slow disk an attempt may be told to come again; what is handed out is what counts.
    let take = || std::iter::repeat_with(|| ring.assign()).filter_map(Result::ok).take(500).collect::<Vec<_>>();
    let keys: Vec<KeyNumber> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 2000);
    let last = keys[1999];
    let sealed = ring.seal(last, b"m", b"x").unwrap();
    assert_eq!(ring.unseal(b"m", &sealed).unwrap(), b"x");
}

#[test]
fn while_the_disk_takes_no_keys_those_made_ahead_go_out_and_sealing_goes_on() {
    let (_dir, ring) = opened();
    let known = ring.assign().unwrap();
    read_only(&ring, true);
    let run_out = loop {
        match ring.assign() {
            Ok(_) => {}
            Err(failed) => break failed,
        }
    };
    assert!(matches!(run_out, SealFailed::KeysRunOut(_)), "{run_out}");
    assert_eq!(ring.ahead_count(), 0);
    let sealed = ring.seal(known, b"m", b"x").unwrap();
    assert_eq!(ring.unseal(b"m", &sealed).unwrap(), b"x");
    assert!(matches!(ring.erase(&[known]), Err(SealFailed::Unavailable(_))));
    assert_eq!(ring.unseal(b"m", &sealed).unwrap(), b"x", "what was not erased still opens");
    read_only(&ring, false);
    // The maker tries again by itself; each attempt here waits for it.
    while ring.assign().is_err() {}
}

#[test]
fn a_key_that_does_not_unwrap_is_damage_and_not_erasure() {
    let (dir, ring) = opened();
    let key = ring.assign().unwrap();
    let sealed = ring.seal(key, b"m", b"x").unwrap();
    ring.store().writing().execute("UPDATE key SET wrapped = zeroblob(72)", []).unwrap();
    drop(ring);
    let ring = KeyRing::open(dir.path()).unwrap();
    assert!(matches!(ring.unseal(b"m", &sealed), Err(Unsealed::Unavailable(_))));
    assert!(matches!(ring.seal(key, b"m", b"x"), Err(SealFailed::Damaged(_))));
}

#[test]
fn the_master_key_is_made_once_for_its_owner_only() {
    let (dir, ring) = opened();
    drop(ring);
    let path = dir.path().join(MASTER_FILE_NAME);
    let made = std::fs::read(&path).unwrap();
    assert_eq!(made.len(), 32);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!dir.path().join("master.key.new").exists());
    drop(KeyRing::open(dir.path()).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), made);
}

#[test]
fn a_wrong_short_or_missing_master_key_is_named() {
    let (dir, ring) = opened();
    drop(ring);
    let path = dir.path().join(MASTER_FILE_NAME);
    std::fs::write(&path, [1; 32]).unwrap();
    assert!(matches!(refusal(dir.path()), OpenFailed::WrongMasterKey { .. }));
    for bytes in [0, 31, 33, 10_000] {
        std::fs::write(&path, vec![1; bytes]).unwrap();
        let failed = refusal(dir.path());
        assert!(matches!(failed, OpenFailed::Master(MasterKeyFailed::WrongLength { .. })), "{failed}");
    }
    std::fs::remove_file(&path).unwrap();
    let failed = refusal(dir.path());
    assert!(matches!(failed, OpenFailed::Master(MasterKeyFailed::Missing { .. })));
    assert!(!path.exists(), "no new master key beside keys of an old one");
}

#[test]
fn a_damaged_store_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(KEYS_FILE_NAME), vec![0xA5; 8192]).unwrap();
    assert!(matches!(refusal(dir.path()), OpenFailed::Damaged { .. }));
}

#[test]
fn keyed_hashes_are_equal_for_equal_ids_of_one_domain_and_installation() {
    let (dir, ring) = opened();
    let hash = ring.keyed_hash("customer", b"42");
    assert_eq!(hash, ring.keyed_hash("customer", b"42"));
    assert_ne!(hash, ring.keyed_hash("customer", b"43"));
    assert_ne!(ring.keyed_hash("ab", b"c"), ring.keyed_hash("a", b"bc"));
    let (_other_dir, other) = opened();
    assert_ne!(hash, other.keyed_hash("customer", b"42"));
    drop(ring);
    assert_eq!(hash, KeyRing::open(dir.path()).unwrap().keyed_hash("customer", b"42"));
}

mod cache_tests {
    use super::super::cache::Cache;
    use super::super::sealed::ClearKey;
    use super::*;

    const KEY: ClearKey = ClearKey([7; 32]);

    #[test]
    fn the_cache_never_exceeds_its_bound_and_keeps_what_is_used() {
        let cache = Cache::new(320);
        let used = KeyNumber(5);
        cache.keep(used, KEY, cache.erasures_seen());
        for number in 1_000..20_000 {
            cache.keep(KeyNumber(number), KEY, cache.erasures_seen());
            assert!(cache.find(used).is_some(), "after {number}");
            assert!(cache.len() <= 320);
        }
        assert!(cache.find(KeyNumber(1_000)).is_none());
    }

    #[test]
    fn a_key_erased_while_it_was_read_is_not_put_back() {
        let cache = Cache::new(320);
        let seen = cache.erasures_seen();
        cache.erase(&[KeyNumber(5)]);
        cache.keep(KeyNumber(5), KEY, seen);
        assert!(cache.find(KeyNumber(5)).is_none());
    }
}
