//! Streams: a consumer with a library that is not ours, killed and started again, on a server that is killed; and how streams end.

use crate::support::foreign::front;
use crate::support::scene::{DEMO, eventually, offered, server, talking};
use crate::support::script::Script;
use crate::support::sse::Events;
use crate::support::{Agent, Options, Server, within};
use crate::{all, curl, key, python, tree};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

fn consumer(address: std::net::SocketAddr, key: &str, kept: &Path) -> Script {
    let mut command = Command::new(python());
    command.arg(tree("follow.py")).env("OFFHOOK_URL", format!("http://{address}")).env("OFFHOOK_WORKSPACE", DEMO);
    let mut script = Script::start(command.env("OFFHOOK_KEY", key).env("OFFHOOK_KEPT", kept));
    assert_eq!(script.line(), "following");
    script
}

/// One conversation, from its start to its end; the id of its last event.
async fn a_talk(server: &Server, ada: &mut Agent, key: &str) -> String {
    let (mut customer, offer) = offered(server, ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "Good morning"})).await;
    customer.post("Thank you").await;
    ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
    let ended = all(server, key, "&types=conversation.ended");
    ended.last().expect("it ended")["id"].as_str().expect("an id").to_owned()
}

/// Until the consumer has heard this one.
fn hears(consumer: &mut Script, id: &str) {
    loop {
        let line = consumer.line();
        assert!(!line.is_empty(), "the consumer ended before it heard {id}");
        if line == id {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_killed_on_a_server_that_is_killed_hears_everything_once() {
    let mut server = server();
    let key = key(&server, &["events"]).await;
    let (address, behind) = front(server.address).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let kept = directory.path().join("kept");

    let mut heard = consumer(address, &key, &kept);
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let last = a_talk(&server, &mut ada, &key).await;
    hears(&mut heard, &last);
    drop(heard);
    // Nobody listens.
    a_talk(&server, &mut ada, &key).await;
    let mut heard = consumer(address, &key, &kept);
    server.kill();
    server.start_again();
    *behind.lock().expect("never poisoned") = server.address;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let last = a_talk(&server, &mut ada, &key).await;
    hears(&mut heard, &last);

    let said = std::fs::read_to_string(&kept).expect("what it kept");
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut expected = all(&server, &key, "");
    let end = expected.iter().position(|event| event["id"] == last.as_str()).expect("the last");
    expected.truncate(end + 1);
    assert_eq!(said[..=end], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_with_what_happens_and_ends_with_its_key_and_with_the_server() {
    let mut server = server();
    let (one, other) = (key(&server, &["events"]).await, key(&server, &["events"]).await);
    let follow = async |key: &str, query: &str| {
        let headers = format!("Authorization: Bearer {key}\r\n");
        let path = format!("/v1/workspaces/{DEMO}/events{query}");
        within("a stream", Events::open_with(server.address, &path, &headers)).await.expect("an answer")
    };
    let mut mine = follow(&one, "?types=offer.*&after=latest").await.expect("a stream");
    let mut theirs = follow(&other, "").await.expect("a stream");
    assert_eq!(follow(&one, "?limit=5").await.err(), Some(400));
    assert_eq!(follow(&one, "?after=77777").await.err(), Some(422));
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (_, offer) = offered(&server, &mut ada).await;
    let made = within("an offer", mine.next()).await.expect("a stream").expect("an event").json();
    assert_eq!((&made["type"], &made["offer"]), (&json!("offer.made"), &offer["offer"]));
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let ended = within("its end", mine.next()).await.expect("a stream").expect("an event").json();
    assert_eq!((&ended["type"], &ended["end"]), (&json!("offer.ended"), &json!("accepted")));

    // The key goes, and nobody hears more with it, not even that.
    let id = other.split('_').nth(1).expect("an id in the key");
    let removed = server.admin("DELETE", &format!("/v1/workspaces/{DEMO}/keys/{id}"), None).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    let end = async {
        let mut told = Vec::new();
        while let Ok(Some(event)) = theirs.next().await {
            told.push(event.json()["type"].clone());
        }
        told
    };
    let told = within("its end", end).await;
    assert!(told.contains(&json!("offer.ended")) && !told.contains(&json!("api_key.removed")), "{told:?}");
    assert_eq!(curl(&server, &other, "").0, 401);

    assert!(server.stop().success());
    assert!(!matches!(within("its end", mine.next()).await, Ok(Some(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_its_stream_costs_one_part_of_it_and_misses_nothing() {
    let server = Server::start(&Options::default().without_rate_limits().set("server.write_timeout_ms=600000"));
    let key = key(&server, &["events", "read"]).await;
    let (mut ada, mut customer) = talking(&server, "ada").await;
    // As little as the kernel lets it hold.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a buffer");
    let mut stream = socket.connect(server.address).await.expect("the server listens");
    let request = format!(
        "GET /v1/workspaces/{DEMO}/events?types=message.posted&texts=true&after=latest HTTP/1.1\r\nHost: a\r\n\
         Accept: text/event-stream\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("a connection");
    let mut said = Vec::new();
    let hello = async {
        while !String::from_utf8_lossy(&said).contains("retry:")
            && stream.read_buf(&mut said).await.is_ok_and(|read| read > 0)
        {}
    };
    within("a stream", hello).await;

    let text = "x".repeat(16_000);
    for _ in 0..150 {
        customer.post(&text).await;
    }
    let held = async || server.metric("offhook_reserve_bytes{purpose=\"streams\"}").await;
    let held = eventually("what it does not read", held, |bytes| *bytes > 0.0).await;
    assert!(held <= 2.0 * 512.0 * 1024.0, "{held} bytes are held for it");
    // Nobody else waits for it.
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "the last"})).await;

    let rest = async {
        while !String::from_utf8_lossy(&said[said.len().saturating_sub(40_000)..]).contains("\"the last\"") {
            assert!(stream.read_buf(&mut said).await.expect("a stream") > 0, "it ended");
        }
    };
    within("the rest", rest).await;
    let whole = String::from_utf8_lossy(&said);
    assert_eq!(whole.matches("\ndata: ").count(), 151);
    let none = async || server.metric("offhook_reserve_bytes{purpose=\"streams\"}").await;
    eventually("what was held for it", none, |bytes| *bytes == 0.0).await;
}
