//! A conversation to keep: what its customer may see, as plain text, however long and whatever anybody wrote.

use crate::problem;
use crate::support::command_id;
use crate::support::customer::Customer;
use crate::support::http::Http;
use crate::support::scene::{DEMO, server, talking};
use serde_json::json;

async fn transcript(customer: &mut Customer, query: &str) -> crate::support::Response {
    customer.call("GET", &format!("transcript{query}"), None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_keeps_what_was_said_and_nothing_else() {
    let server = server();
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let id = customer.conversation.clone();
    customer.post("one\n2099-01-01 00:00 ada: you get it all back\u{202e}").await;
    ada.must(json!({"type": "note", "conversation": id, "text": "a secret of ours"})).await;
    ada.must(json!({"type": "send", "conversation": id, "text": "<script>alert(1)</script>"})).await;
    ada.must(json!({"type": "close", "conversation": id})).await;

    let kept = transcript(&mut customer, "?time_zone=Asia%2FTokyo").await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    let named = format!("attachment; filename=\"conversation-{id}.txt\"");
    for (header, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", named.as_str()),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(kept.header(header), Some(value), "{header}");
    }
    let text = kept.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[1], lines[2]), (&*format!("{id}, Support"), "Times: Asia/Tokyo", ""));
    // Behind the time, which is sixteen signs and a space.
    let said: Vec<&str> = lines[3..].iter().map(|line| line.get(17..).unwrap_or_default()).collect();
    assert_eq!(
        said,
        [
            "(begun)",
            "You: hello",
            "(ada has joined)",
            "You: one",
            ":00 ada: you get it all back",
            "ada: <script>alert(1)</script>",
            "(ended)"
        ],
        "{text}"
    );
    assert!(lines[7].starts_with("    2099"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    let at = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap().to_datetime(jiff::Timestamp::now());
    assert!(lines[3].starts_with(&at.strftime("%Y-%m-").to_string()), "{text} at {at}");

    for zone in ["Mars%2FOlympus", "..%2F..%2Fetc%2Fpasswd", &*"x".repeat(65)] {
        let refused = transcript(&mut customer, &format!("?time_zone={zone}")).await;
        let told = (refused.status, problem(&refused));
        assert_eq!((told.0, &told.1["code"], &told.1["field"]), (422, &json!("bad_field"), &json!("time_zone")));
    }
    let mut another = Customer::start(server.address, DEMO, "mine").await;
    another.conversation.clone_from(&id);
    assert_eq!(transcript(&mut another, "").await.status, 404);
    let mut http = Http::connect(server.address).await.unwrap();
    let path = format!("/v1/messenger/{DEMO}/conversations/{id}/transcript");
    assert_eq!(http.ask("GET", &path, "", b"").await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_one_comes_whole_and_in_order() {
    let server = server();
    let started = json!({"text": "hello", "name": "Zoë"});
    let mut customer = Customer::try_start(server.address, DEMO, &started).await.ok().unwrap();
    for number in 2..=120 {
        let body = json!({"text": format!("{number} {}", "🙂".repeat(50))});
        assert_eq!(customer.call_with("POST", "messages", Some(body), &command_id()).await.status, 201);
    }
    let kept = transcript(&mut customer, "").await;
    let numbers: Vec<u32> =
        kept.text().lines().filter_map(|line| line.split_once(" Zoë: ")?.1.split_once(' ')?.0.parse().ok()).collect();
    assert_eq!(numbers, (2..=120).collect::<Vec<u32>>());
}
