//! How many, how large, how slow, and how full a disk: each bound is met.

use crate::support::http::Http;
use crate::support::scene::{DEMO, eventually, talking};
use crate::support::{Customer, Options, Server, as_cluster, within};
use crate::{begun, files_path, post, read, stored, upload, uploaded};
use serde_json::json;
use tokio::io::AsyncReadExt;

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_bounded_in_number_in_bytes_and_in_time() {
    let options = Options::default()
        .without_rate_limits()
        .set("files.uploads_max=2")
        .set("files.visitor_bytes_per_h=1 MiB")
        .set("files.workspace_bytes_max=2 MiB")
        .set("files.upload_bytes_per_s_min=1 MiB");
    let server = Server::start(&options);
    let (_ada, zoe) = talking(&server, "ada").await;
    let max = Customer::start(server.address, DEMO, "me too").await;
    // Two that come slowly, and a third that finds no room.
    let mut slow = Vec::new();
    for customer in [&zoe, &max] {
        slow.push(begun(&server, customer, 10, b"x").await);
    }
    eventually("both under way", async || server.metric("offhook_files_uploading").await, |count| *count == 2.0).await;
    let busy = upload(&server, &zoe, "a.txt", b"x").await;
    assert_eq!((busy.status, busy.json()["code"].clone()), (503, json!("busy")));
    assert!(busy.json()["retry_after_ms"].is_u64() && busy.header("retry-after").is_some());
    for mut stream in slow {
        let mut answer = [0; 1_024];
        let count = within("the slow one to be cut", stream.read(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("bytes a second"), "{answer}");
    }
    eventually("neither under way", async || server.metric("offhook_files_uploading").await, |count| *count == 0.0)
        .await;
    assert!(stored(&server).is_empty());
    // A visitor's hour, and then the workspace's room.
    let text = vec![b'x'; 1_000_000];
    let file = uploaded(&server, &zoe, "a.txt", &text).await;
    let limited = upload(&server, &zoe, "b.txt", &text).await;
    assert_eq!((limited.status, limited.json()["code"].clone()), (429, json!("rate_limited")));
    assert!(server.metric(r#"offhook_rate_limited_total{scope="file_bytes"}"#).await >= 1.0);
    uploaded(&server, &max, "a.txt", &text).await;
    let nora = Customer::start(server.address, DEMO, "and me").await;
    let full = upload(&server, &nora, "a.txt", &text).await;
    if as_cluster::is_on() {
        // What is on a node's disk are copies: they make room, for a little more than is asked for.
        assert!(full.status == 201 && stored(&server).len() <= 2, "{}: {:?}", full.status, stored(&server));
    } else {
        assert_eq!((full.status, full.json()["code"].clone()), (503, json!("unavailable")));
    }
    assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, &file).await.body, text);
    let bytes = server.metric("offhook_files_bytes").await;
    assert!(bytes <= 2_097_152.0 && (as_cluster::is_on() || bytes >= 2_000_000.0), "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_fill_the_disks_budget_and_are_refused_before_messages_are() {
    let options = Options::default().without_rate_limits().set("journal.kept_back_bytes=4 MiB");
    let options = options.set("journal.disk_low_percent=40").set("journal.disk_critical_percent=90");
    let server = Server::start(&options.set("journal.disk_budget_bytes=64 MiB"));
    let (_ada, zoe) = talking(&server, "ada").await;
    let text = vec![b'x'; 8 << 20];
    let full = async || upload(&server, &zoe, "a.txt", &text).await;
    let refused = eventually("the mark", full, |answer| answer.status != 201).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (503, json!("unavailable")));
    assert!(refused.json()["retry_after_ms"].is_u64() && (1..=8).contains(&stored(&server).len()));
    assert!(server.metric("offhook_disk_shed_total").await >= 1.0);
    zoe.another().await.post("this goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_is_cut_and_gives_back_what_it_held() {
    let server = Server::start(&Options::default().without_rate_limits().set("server.write_timeout_ms=1000"));
    let (_ada, zoe) = talking(&server, "ada").await;
    let file = uploaded(&server, &zoe, "a.txt", &vec![b'x'; 8 << 20]).await;
    // The file may have taken longer than a connection may be idle.
    assert_eq!(post(&mut zoe.another().await, "", &[&file]).await.status, 201);
    let mut reader = Http::connect(server.address).await.unwrap();
    let path = format!("{}/{}", files_path("messenger", &zoe.conversation), file["file"].as_str().unwrap());
    reader.send("GET", &path, &format!("Authorization: Bearer {}\r\n", zoe.token), b"").await.unwrap();
    let held = async || server.metric("offhook_reserve_bytes{purpose=\"files\"}").await;
    let stuck = async || server.metric("offhook_connections_stuck_total").await;
    eventually("the cut", stuck, |count| *count >= 1.0).await;
    eventually("what it held", held, |bytes| *bytes == 0.0).await;
    drop(reader);
}
