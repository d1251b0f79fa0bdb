//! Before a conversation is begun: whether anybody is there, and the message that is left when nobody is.

use crate::support::agent::Agent;
use crate::support::customer::Customer;
use crate::support::scene::{DEMO, eventually, server};
use crate::support::server::Server;
use crate::{call, problem};
use serde_json::{Value, json};

async fn reception(server: &Server, query: &str) -> Value {
    let answer = call(server.address, "GET", &format!("/reception{query}"), &[], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("public, max-age=5"));
    answer.json()
}

/// Rows of queues are as of a second ago.
async fn until_reception(server: &Server, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("the reception", async || reception(server, "").await, wanted).await
}

async fn put_queue(server: &Server, name: &str, body: Value) {
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/{name}"), Some(&body)).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_anybody_is_there_is_said_before_anything_is_begun() {
    let server = server();
    let nobody = until_reception(&server, |told| told["nobody_there"] == true).await;
    assert_eq!(nobody, json!({"open": true, "nobody_there": true, "message": false}));
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    until_reception(&server, |told| told["nobody_there"] == false).await;
    ada.must(json!({"type": "set_status", "status": "away"})).await;
    put_queue(&server, "support", json!({"waiting": {"nobody_there": "refuse"}})).await;
    let refused = until_reception(&server, |told| told["refused"] == "nobody_there").await;
    assert_eq!(refused["message"], false);
    put_queue(&server, "letters", json!({})).await;
    server.change_settings(DEMO, |settings| settings["left_messages"] = json!({"queue": "letters"})).await;
    until_reception(&server, |told| told["message"] == true).await;

    // By the entry rules, as a start would be.
    let rules = json!([{"metadata": {"page": ["/letters"]}, "queue": "letters"}]);
    server.change_settings(DEMO, |settings| settings["entry_rules"] = rules.clone()).await;
    let placed = "?channel=chat&metadata=%7B%22page%22%3A%22%2Fletters%22%7D";
    let told =
        eventually("the other queue", async || reception(&server, placed).await, |told| told["refused"] == Value::Null);
    assert_eq!(told.await["message"], false);

    for (query, code, field) in [
        ("?metadata=%5B%5D", "bad_request", "metadata"),
        ("?metadata=%7B%22a%22%3A1%7D", "bad_request", "metadata"),
        (&*format!("?metadata=%7B%22a%22%3A%22{}%22%7D", "x".repeat(1_100)), "too_large", "metadata"),
        (&*format!("?channel={}", "x".repeat(200)), "too_large", "channel"),
        ("?queue=vip", "bad_request", "queue"),
    ] {
        let told = problem(&call(server.address, "GET", &format!("/reception{query}"), &[], b"").await);
        assert_eq!((&told["code"], &told["field"]), (&json!(code), &json!(field)), "{told}");
    }
    let none = call(server.address, "GET", "/reception", &[("Authorization", "Bearer ohv1.nonsense")], b"").await;
    assert_eq!(none.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_left_where_nothing_can_be_begun_and_waits_for_somebody() {
    let mut server = server();
    put_queue(&server, "letters", json!({})).await;
    put_queue(&server, "support", json!({"waiting": {"nobody_there": "refuse"}})).await;
    let left = json!({"queue": "letters", "channel": "email"});
    server.change_settings(DEMO, |settings| settings["left_messages"] = left.clone()).await;
    for (body, field) in [
        (json!({"or_message": true, "metadata": {"email": "zoe@example.org"}}), "text"),
        (json!({"or_message": true, "text": "call me"}), "metadata.email"),
        (json!({"or_message": true, "text": "call me", "metadata": {"email": "no address"}}), "metadata.email"),
        (json!({"or_message": "yes", "text": "call me"}), "or_message"),
    ] {
        let refused = Customer::try_start(server.address, DEMO, &body).await.err().unwrap();
        assert_eq!(problem(&refused)["field"], json!(field), "{}", refused.text());
    }
    let message = json!({"text": "call me", "metadata": {"email": "zoe@example.org"}});
    let refused = Customer::try_start(server.address, DEMO, &message).await.err().unwrap();
    assert_eq!(problem(&refused)["code"], "nobody_there");
    let mut message = message;
    message["or_message"] = json!(true);
    let customer = Customer::try_start(server.address, DEMO, &message).await.ok().unwrap();

    server.kill();
    server.start_again();
    let mut customer = customer.at(server.address).await;
    let shown = customer.call("GET", "", None).await.json();
    assert_eq!((&shown["state"], &shown["message"]), (&json!("waiting"), &json!(true)));

    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let put = json!({"queues": ["support", "letters"]});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/agents/ada"), Some(&put)).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let offered = ada.wait_for("offer").await["offer"]["conversation"].clone();
    assert_eq!(
        (&offered["conversation"], &offered["queue"], &offered["channel"], &offered["message"]),
        (&json!(customer.conversation), &json!("letters"), &json!("email"), &json!(true))
    );
    assert_eq!(offered["metadata"]["email"], "zoe@example.org");

    // Somebody is there now: the same words begin a conversation like any other.
    let begun = Customer::try_start(server.address, DEMO, &message).await.ok().unwrap();
    let mut begun = begun;
    let shown = begun.call("GET", "", None).await.json();
    assert_eq!((&shown["message"], &shown["queue"]), (&Value::Null, &json!("support")));
    let third = Customer::try_start(server.address, DEMO, &message).await.ok().unwrap();
    assert_ne!(third.conversation, begun.conversation);
}
