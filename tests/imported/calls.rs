//! The call itself: what it refuses, and how long it takes what is old.

use crate::support::Options;
use crate::support::clock::WallClock;
use crate::support::scene::{DEMO, eventually};
use crate::{DAY_MS, at, get, put, server, support, texts};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_is_refused_with_its_field() {
    let server = server(Options::default()).await;
    let good = json!({
        "customer": {"id": "c-17"}, "opened_at": 1_000, "closed_at": 9_000, "queue": "support", "agent": "ada@example.com",
        "messages": [{"author": "customer", "at": 1_000, "text": "hello"}],
    });
    let large = "x".repeat(16 * 1024 + 1);
    let message = |member: &str, value: Value| {
        let mut body = good.clone();
        body["messages"][0][member] = value;
        body
    };
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let far = json!(u64::MAX);
    for (body, status, code, field) in [
        (with("customer", json!({})), 422, "bad_field", "customer.id"),
        (with("customer", json!({"id": 7})), 400, "bad_request", "customer.id"),
        (with("customer", json!({"id": "x".repeat(257)})), 422, "bad_field", "customer.id"),
        (
            with("customer", json!({"id": "c", "attributes": {"a": "x".repeat(5_000)}})),
            413,
            "too_large",
            "customer.attributes",
        ),
        (with("colour", json!("red")), 400, "bad_request", "colour"),
        (with("queue", json!("nowhere")), 404, "no_such_queue", "queue"),
        (with("channel", json!("smoke")), 404, "no_such_channel", "channel"),
        (with("agent", json!("nobody")), 404, "no_such_agent", "agent"),
        (with("closed_at", far.clone()), 422, "bad_field", "closed_at"),
        (with("closed_at", json!(-1)), 400, "bad_request", "closed_at"),
        (with("opened_at", json!(9_001)), 422, "bad_field", "opened_at"),
        (with("opened_at", json!(1_001)), 422, "bad_field", "messages[0].at"),
        (with("disposition", json!("nothing")), 422, "bad_label", "disposition"),
        (with("tags", json!(["x".repeat(65)])), 422, "bad_label", "tags"),
        (with("tags", json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>())), 422, "bad_label", "tags"),
        (with("fields", json!({"colour": "red"})), 422, "bad_label", "fields.colour"),
        (with("fields", json!({"colour": []})), 422, "bad_field", "fields.colour"),
        (with("metadata", json!({"a": "x".repeat(5_000)})), 413, "too_large", "metadata"),
        (with("rating", json!({"score": 0})), 422, "bad_field", "rating.score"),
        (with("rating", json!({"score": 5, "comment": "x".repeat(2_001)})), 413, "too_large", "rating.comment"),
        (with("messages", json!({})), 400, "bad_request", "messages"),
        (message("at", json!(9_001)), 422, "bad_field", "messages[0].at"),
        (message("text", json!("")), 422, "bad_field", "messages[0].text"),
        (message("text", json!(large)), 413, "too_large", "messages[0].text"),
        (message("author", json!("somebody")), 400, "bad_request", "messages[0].author"),
        (message("author", json!({"agent": "nobody"})), 404, "no_such_agent", "messages[0].author"),
        (message("note", json!(true)), 422, "bad_field", "messages[0].note"),
        (with("messages", json!(vec![good["messages"][0].clone(); 201])), 413, "too_large", "messages"),
    ] {
        let refused = put(&server, "/imports/own/1", &body).await;
        let said = refused.json();
        let shown: String = body.to_string().chars().take(200).collect();
        assert_eq!(
            (refused.status, &said["code"], &said["field"]),
            (status, &json!(code), &json!(field)),
            "{shown}: {said}"
        );
    }
    for (path, code, field) in [
        ("/imports/Own/1", "bad_field", "source"),
        ("/imports/own/%20", "bad_field", "id"),
        ("/imports/own/1/parts/1", "bad_field", "part"),
        ("/imports/own/1/parts/x", "bad_field", "part"),
    ] {
        let body = if path.contains("parts") { json!({"messages": good["messages"]}) } else { good.clone() };
        let refused = put(&server, path, &body).await.json();
        assert_eq!((&refused["code"], &refused["field"]), (&json!(code), &json!(field)), "{path}: {refused}");
    }
    let part = json!({"messages": [{"author": "other", "at": 9_000, "text": "bye"}]});
    let early = put(&server, "/imports/own/1/parts/2", &part).await;
    assert_eq!((early.status, &early.json()["code"]), (409, &json!("part_missing")), "{}", early.text());
    assert_eq!(get(&server, "/conversations").await["conversations"], json!([]), "nothing of it was taken");

    let made = put(&server, "/imports/own/a%2F1", &good).await;
    assert_eq!((made.status, made.json()), (201, json!({"conversation": "c1", "parts": 1, "was_here": false})));
    // Another body changes nothing: it is known by its names.
    let again = put(&server, "/imports/own/a%2F1", &with("opened_at", json!(500))).await;
    assert_eq!((again.status, again.json()), (200, json!({"conversation": "c1", "parts": 1, "was_here": true})));
    let skipped = put(&server, "/imports/own/a%2F1/parts/3", &part).await.json();
    assert_eq!((&skipped["code"], &skipped["field"]), (&json!("part_missing"), &json!("part")), "{skipped}");
    let before = json!({"messages": [{"author": "other", "at": 999, "text": "bye"}]});
    let before = put(&server, "/imports/own/a%2F1/parts/2", &before).await.json();
    assert_eq!((&before["code"], &before["field"]), (&json!("bad_field"), &json!("messages[0].at")), "{before}");
    for (status, was_here) in [(201, false), (200, true)] {
        let more = put(&server, "/imports/own/a%2F1/parts/2", &part).await;
        assert_eq!(
            (more.status, more.json()),
            (status, json!({"conversation": "c1", "parts": 2, "was_here": was_here}))
        );
    }
    assert_eq!(texts(&get(&server, "/conversations/c1/messages").await, "messages"), ["hello", "bye"]);
    // What was had elsewhere is neither labelled nor closed nor reopened here.
    let noted = server.admin("POST", &at("/conversations/c1/notes"), Some(&json!({"text": "x"}))).await;
    assert_eq!((noted.status, &noted.json()["code"]), (409, &json!("wrong_state")), "{}", noted.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retention_counts_from_when_it_was_closed_over_there() {
    let clock = WallClock::new();
    let mut server = server(clock.under(Options::default())).await;
    server
        .change_settings(DEMO, |settings| {
            settings["reopen_ms"] = DAY_MS.into();
            settings["retention_days"] = 10.into();
        })
        .await;
    let now = support::now_s() as u64 * 1_000;
    let closed = |days: u64| {
        let at = now - days * DAY_MS;
        json!({"customer": {"id": "c-17"}, "opened_at": at - 1_000, "closed_at": at, "queue": "support"})
    };
    let old = put(&server, "/imports/own/old", &closed(11)).await;
    assert_eq!((old.status, &old.json()["code"]), (422, &json!("too_old")), "{}", old.text());
    for (id, days) in [("older", 8), ("newer", 2)] {
        assert_eq!(put(&server, &format!("/imports/own/{id}"), &closed(days)).await.status, 201);
    }
    clock.set_off_ms((4 * DAY_MS) as i64);
    server.kill();
    server.start_again();
    let status = async |id: &str| server.admin("GET", &at(&format!("/conversations/{id}")), None).await.status;
    eventually("it is forgotten", async || status("c1").await, |status| *status == 404).await;
    assert_eq!(status("c2").await, 200);
    // It does not come again by an import that is run once more.
    let again = put(&server, "/imports/own/older", &closed(8)).await;
    assert_eq!((again.status, &again.json()["code"]), (422, &json!("too_old")), "{}", again.text());
}
