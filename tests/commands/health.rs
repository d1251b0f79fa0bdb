//! `offhook check --health` and the journal's commands beside a running server and after it.

use super::server::Server;

#[test]
fn health_and_readiness_are_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Server::start(dir, "127.0.0.1:0");
    assert_eq!(server.must(dir, "offhook check --health", &[]), "{\"alive\":true}\n");
    assert_eq!(server.must(dir, "offhook check --ready", &[]), "{\"ready\":true,\"reasons\":[]}\n");
    let gone = server.sh(dir, "offhook check --health --set server.operators_listen=127.0.0.1:1", &[]);
    assert_eq!(gone.status.code(), Some(1), "{gone:?}");
}

#[test]
fn a_journal_is_shown_beside_its_server_and_verified_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut server = Server::start(dir, "127.0.0.1:0");
    assert!(server.must(dir, "offhook journal show demo", &[]).contains("queue_put"));
    let refused = server.sh(dir, "offhook journal verify", &[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    server.must(dir, "offhook journal show demo | head -1; kill -9 \"$(cat data/lock)\"", &[]);
    server.ended();
    let verified = server.must(dir, "offhook journal verify", &[]);
    assert!(verified.contains("\nsound: "), "{verified}");
}
