//! Files as they are and as they should not be, and tickets over restarts.

use super::tickets::ROTATE_S;
use super::*;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::server::ProducesTickets;

fn write(dir: &Path) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2033, 5, 18);
    let paths = (dir.join("tls.pem"), dir.join("tls.key"));
    std::fs::write(&paths.0, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&paths.1, key.serialize_pem()).unwrap();
    paths
}

#[test]
fn the_day_a_certificate_ends_is_read_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = write(dir.path());
    assert_eq!(certificate::read(&certificate, &key).unwrap().expires_at_s, 1_999_987_200);
}

#[test]
fn what_is_no_certificate_with_its_key_is_refused_by_the_name_of_the_file_and_the_old_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = write(dir.path());
    let tls = Tls::load(&certificate, &key, dir.path()).unwrap();
    let before = tls.shown.0.load().key.clone();
    let good = std::fs::read(&key).unwrap();
    let refused = |what: &str| {
        let error = certificate::read(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        tls.reload();
        assert!(Arc::ptr_eq(&before, &tls.shown.0.load().key));
    };
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    refused("tls.key is not the key of");
    std::fs::write(&key, "no key").unwrap();
    refused("tls.key holds no private key");
    std::fs::remove_file(&key).unwrap();
    refused("tls.key cannot be read");
    std::fs::write(&key, &good).unwrap();
    std::fs::write(&certificate, &good).unwrap();
    refused("tls.pem holds no certificate");
    write(dir.path());
    tls.reload();
    assert!(!Arc::ptr_eq(&before, &tls.shown.0.load().key));
}

#[test]
fn a_ticket_is_good_after_a_restart_and_after_a_new_key_and_not_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let first = Tickets::load_or_make(dir.path(), 1_000).unwrap();
    let ticket = first.encrypt(b"a session").unwrap();
    let again = Tickets::load_or_make(dir.path(), 1_000 + ROTATE_S).unwrap();
    assert_eq!(again.decrypt(&ticket).as_deref(), Some(&b"a session"[..]));
    assert_ne!(again.encrypt(b"").unwrap()[..8], ticket[..8], "by a new key");
    again.rotate(1_000 + 2 * ROTATE_S);
    assert_eq!(again.decrypt(&ticket), None);
    let kept = std::fs::read_to_string(dir.path().join("tls-tickets.key")).unwrap();
    assert_eq!(kept.lines().count(), 2, "the oldest is erased");
}

#[test]
fn a_ticket_with_any_bit_changed_is_none_and_a_damaged_file_costs_only_tickets() {
    let dir = tempfile::tempdir().unwrap();
    let tickets = Tickets::load_or_make(dir.path(), 1_000).unwrap();
    let ticket = tickets.encrypt(b"a session").unwrap();
    for at in 0..ticket.len() {
        let mut changed = ticket.clone();
        changed[at] ^= 1;
        assert_eq!(tickets.decrypt(&changed), None, "{at}");
    }
    assert!([0, 7, 8, 31, 32, 47].iter().all(|bytes| tickets.decrypt(&ticket[..*bytes]).is_none()));
    std::fs::write(dir.path().join("tls-tickets.key"), "1000 xyz\n").unwrap();
    assert!(Tickets::load_or_make(dir.path(), 1_000).unwrap().encrypt(b"").is_some());
}
