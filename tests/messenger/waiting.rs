//! What a customer hears of the rules for those who wait.

use crate::problem;
use crate::support::Customer;
use crate::support::customer::event_named;
use crate::support::scene::{DEMO, server, talking};
use crate::support::server::Server;
use serde_json::{Value, json};

async fn put_queue(server: &Server, waiting: Value) {
    let body = json!({"waiting_max": 1, "waiting": waiting});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/support"), Some(&body)).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_and_nobody_there_are_told_by_a_message_or_a_plain_refusal() {
    let server = server();
    put_queue(&server, json!({"when_full": {"message_and_close": {"text": "We are full: ✆ 1-2-3"}}})).await;
    let _first = Customer::start(server.address, DEMO, "first").await;
    let mut second = Customer::start(server.address, DEMO, "second").await;
    assert_eq!(second.call("GET", "", None).await.json()["state"], "closed");
    let page = second.call("GET", "messages", None).await.json();
    let told = &page["messages"][1];
    assert_eq!((&told["author"], &told["notice"]), (&json!("system"), &json!("queue_full")));
    assert_eq!(told["text"], "We are full: ✆ 1-2-3");
    let mut events = second.follow(None).await;
    assert_eq!(event_named(&mut events, "ended").await.json()["by"], "system");
    put_queue(&server, json!({"nobody_there": "refuse"})).await;
    let refused = Customer::try_start(server.address, DEMO, &json!({"text": "third"})).await.err().unwrap();
    assert_eq!((refused.status, problem(&refused)["code"].clone()), (409, json!("nobody_there")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waited_the_longest_hears_it_on_the_stream_and_an_administrator_reads_it() {
    let server = server();
    put_queue(
        &server,
        json!({"waiting_ms_max": 1000, "after_longest": {"message_and_close": {"text": "Nobody is free."}}}),
    )
    .await;
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let mut events = customer.follow(Some(2)).await;
    let told = event_named(&mut events, "message").await.json();
    assert_eq!((&told["number"], &told["notice"]), (&json!(2), &json!("waited_too_long")));
    assert_eq!(event_named(&mut events, "ended").await.json()["by"], "system");
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/messages", customer.conversation);
    let read = server.admin("GET", &path, None).await.json();
    assert_eq!(read["messages"][1]["author"], json!({"system": "waited_too_long"}));
    assert_eq!(read["messages"][1]["text"], "Nobody is free.");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_moved_by_a_rule_hears_to_which_queue_and_not_why() {
    let server = server();
    let sales =
        server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/sales"), Some(&json!({"title": "Sales"}))).await;
    assert_eq!(sales.status, 200, "{}", sales.text());
    put_queue(&server, json!({"waiting_ms_max": 1000, "after_longest": {"move": {"queue": "sales"}}})).await;
    let mut customer = Customer::start(server.address, DEMO, "hello").await;
    let mut events = customer.follow(Some(2)).await;
    let moved = event_named(&mut events, "moved").await;
    assert_eq!(moved.id, 3, "it is numbered");
    let told = moved.json();
    assert_eq!(told["queue"], "Sales");
    assert_eq!(told.as_object().map(serde_json::Map::len), Some(2), "the title and the time: {told}");
    assert_eq!(customer.call("GET", "", None).await.json()["queue"], "Sales");
    let mut again = customer.follow(None).await;
    assert_eq!(event_named(&mut again, "moved").await.json(), told, "from the view as from the engine");
    let page = server.operators_page("/metrics").await;
    let metrics = page.text();
    assert!(metrics.contains("offhook_moves_total{kind=\"moved\"} 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_again_when_nobody_is_there_meets_the_same_rule() {
    let server = server();
    let (mut ada, mut customer) = talking(&server, "ada").await;
    ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
    put_queue(&server, json!({"nobody_there": "refuse"})).await;
    ada.must(json!({"type": "set_status", "status": "away"})).await;
    let refused = customer.call("POST", "messages", Some(json!({"text": "one more thing"}))).await;
    assert_eq!((refused.status, problem(&refused)["code"].clone()), (409, json!("nobody_there")));
    put_queue(&server, json!({"nobody_there": {"message_and_wait": {"text": "Soon."}}})).await;
    assert_eq!(customer.post("one more thing").await, 2);
    let page = customer.call("GET", "messages", None).await.json();
    assert_eq!(
        (&page["messages"][2]["notice"], &page["messages"][2]["text"]),
        (&json!("nobody_there"), &json!("Soon."))
    );
    assert_eq!(customer.call("GET", "", None).await.json()["state"], "waiting");
}
