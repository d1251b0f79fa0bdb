//! What lies on the disk: sealed, there after every crash, and gone when nobody has it any more.

use crate::support::scene::{DEMO, eventually, server, talking};
use crate::support::{Customer, Options, Server, as_cluster};
use crate::{begun, picture, post, read, stored, uploaded};
use serde_json::json;
use tokio::io::AsyncReadExt;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_text_and_what_is_stored_is_sealed() {
    let server = server();
    let (_ada, mut zoe) = talking(&server, "ada").await;
    let long = "x".repeat(300);
    let names = [
        ("..%2F..%2F..%2Fetc%2Fpasswd", ".._.._.._etc_passwd".to_owned()),
        ("gpj%E2%80%AEexe.png", "gpjexe.png".to_owned()),
        ("%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "<img src=x onerror=alert(1)>".to_owned()),
        ("a%0D%0AX-Evil%3A%20y", "a__X-Evil: y".to_owned()),
        (&*long, format!("{}…{}", "x".repeat(179), "x".repeat(20))),
    ];
    for (given, kept) in &names {
        let file = uploaded(&server, &zoe, given, &picture()).await;
        assert_eq!(file["name"], **kept);
        let answer = read(&server, "messenger", &zoe.conversation, &zoe.token, &file).await;
        assert!(answer.status == 200 && answer.header("x-evil").is_none());
        assert_eq!(post(&mut zoe, "look", &[&file]).await.status, 201);
    }
    assert_eq!(stored(&server).len(), names.len());
    let mut all = stored(&server);
    all.extend(
        std::fs::read_dir(server.data_dir()).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file()),
    );
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        let found = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!found(b"secret of the customer") && !found(b"etc_passwd") && !found(b"onerror"), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_message_names_goes_and_what_one_names_stays_over_kills() {
    let mut server = server();
    let (_ada, mut zoe) = talking(&server, "ada").await;
    let named = uploaded(&server, &zoe, "a.png", &picture()).await;
    let later = uploaded(&server, &zoe, "b.png", &picture()).await;
    assert_eq!(post(&mut zoe, "look", &[&named]).await.status, 201);
    // One that is half there, as a kill leaves it.
    let mut half = begun(&server, &zoe, picture().len(), &picture()[..100_000]).await;
    eventually("what has come of it on the disk", async || stored(&server).len(), |count| *count == 3).await;
    server.kill();
    let _ = half.read(&mut [0; 16]).await;
    server.start_again();
    let mut zoe = zoe.at(server.address).await;
    // Acknowledged before the kill: it can be named after it.
    assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, &named).await.body, picture());
    assert_eq!(post(&mut zoe, "and this", &[&later]).await.status, 201);
    eventually("the half one to be gone", async || stored(&server).len(), |count| *count == 2).await;
    assert_eq!(server.metric(r#"offhook_files_removed_total{cause="broken_off"}"#).await, 1.0);
    let never = uploaded(&server, &zoe, "d.png", &picture()).await;
    assert_eq!(stored(&server).len(), 3);
    // Closed, so that from now on the view alone knows of it.
    assert_eq!(zoe.call("POST", "leave", None).await.status, 204);
    server.kill();
    server.start_again_with(Options::default().without_rate_limits().set("files.unnamed_kept_ms=1000"));
    let mut zoe = zoe.at(server.address).await;
    eventually("the unnamed one to be gone", async || stored(&server).len(), |count| *count == 2).await;
    assert!(server.metric(r#"offhook_files_removed_total{cause="unnamed"}"#).await >= 1.0);
    // In a cluster it goes from where all nodes find it after that.
    let asked = async || read(&server, "messenger", &zoe.conversation, &zoe.token, &never).await.status;
    eventually("nothing of it", asked, |status| *status == 404).await;
    assert_eq!(post(&mut zoe, "too late", &[&never]).await.json()["code"], "no_such_file");
    for file in [&named, &later] {
        assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, file).await.body, picture());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_who_and_what_is_forgotten_go() {
    if as_cluster::passes_over("keys that are missing come from the bucket again, and what all share goes otherwise") {
        return;
    }
    let mut server = Server::start(&Options::default().without_rate_limits().set("health.probe_every_ms=0"));
    let mut zoe = Customer::start(server.address, DEMO, "hello").await;
    let mut max = Customer::start(server.address, DEMO, "me too").await;
    for customer in [&mut zoe, &mut max] {
        let file = uploaded(&server, customer, "a.png", &picture()).await;
        assert_eq!(post(customer, "look", &[&file]).await.status, 201);
        assert_eq!(customer.call("POST", "leave", None).await.status, 204);
    }
    server.stop();
    assert_eq!(stored(&server).len(), 2);
    // As the retention leaves the first one's conversation, and an erasure the second one's key.
    let view = rusqlite::Connection::open(server.data_dir().join("view.db")).unwrap();
    assert_eq!(
        view.execute("DELETE FROM conversation WHERE key = (SELECT min(key) FROM conversation)", []).unwrap(),
        1
    );
    drop(view);
    let keys = rusqlite::Connection::open(server.data_dir().join("keys.db")).unwrap();
    assert!(keys.execute("DELETE FROM key", []).unwrap() >= 2);
    drop(keys);
    server.start_again();
    eventually("both to be gone", async || stored(&server).len(), |count| *count == 0).await;
    for cause in ["forgotten", "erased"] {
        assert_eq!(server.metric(&format!("offhook_files_removed_total{{cause=\"{cause}\"}}")).await, 1.0, "{cause}");
    }
    let gone = async || server.metric("offhook_files_bytes").await;
    eventually("their room", gone, |bytes| *bytes == 0.0).await;
    let page = max.at(server.address).await.call("GET", "messages", None).await.json();
    let shown = &page["messages"][1]["files"][0];
    assert_eq!((&shown["name"], &shown["type"]), (&json!(""), &json!("image/png")), "{page}");
}
