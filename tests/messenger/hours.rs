//! What a customer, an agent and an administrator see of a queue that is closed, and of its opening.

use crate::support::agent::Agent;
use crate::support::customer::Customer;
use crate::support::scene::{DEMO, eventually, server};
use crate::support::server::Server;
use crate::{problem, until_state};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Open at any time in UTC, but for these days.
async fn put_hours(server: &Server, exceptions: Value) {
    let path = format!("/v1/workspaces/{DEMO}/settings");
    let mut settings = server.admin("GET", &path, None).await.json();
    let always = json!(["00:00-24:00"]);
    settings["hours"] = json!({"office": {"time_zone": "Etc/UTC", "exceptions": exceptions, "weekly": {
        "monday": always, "tuesday": always, "wednesday": always, "thursday": always, "friday": always,
        "saturday": always, "sunday": always,
    }}});
    let put = server.admin("PUT", &path, Some(&settings)).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

async fn put_queue(server: &Server, waiting: Value) {
    let body = json!({"hours": "office", "waiting": waiting});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/support"), Some(&body)).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

async fn live_queue(server: &Server) -> Value {
    server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/queues"), None).await.json()["rows"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_queue_says_when_it_opens_and_offers_everything_when_it_does() {
    let server = server();
    let today = TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
    let (from, until) = (today.yesterday().unwrap(), today.checked_add(2.days()).unwrap());
    let opens = TimeZone::UTC.to_timestamp(until.tomorrow().unwrap().at(0, 0, 0, 0)).unwrap().as_millisecond();
    put_hours(&server, json!([{"name": "The move", "date": from.to_string(), "until": until.to_string()}])).await;
    put_queue(&server, json!({"out_of_hours": "refuse"})).await;
    let refused = Customer::try_start(server.address, DEMO, &json!({"text": "hello"})).await.err().unwrap();
    let refused = (refused.status, problem(&refused));
    assert_eq!((refused.0, &refused.1["code"], &refused.1["opens_at"]), (409, &json!("queue_closed"), &json!(opens)));

    put_queue(&server, json!({"out_of_hours": {"take_message": {"text": "We write to you."}}})).await;
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let mut customer = Customer::start(server.address, DEMO, "hello").await;
    let shown = customer.call("GET", "", None).await.json();
    assert_eq!((&shown["state"], &shown["opens_at"]), (&json!("waiting"), &json!(opens)));
    let told = customer.call("GET", "messages", None).await.json()["messages"][1].clone();
    assert_eq!((&told["notice"], &told["text"]), (&json!("out_of_hours"), &json!("We write to you.")));
    let mut events = customer.follow(None).await;
    until_state(&mut events, |state| state["opens_at"] == opens).await;
    let row = eventually("the live row", async || live_queue(&server).await, |row| row["open"] == false).await;
    assert_eq!((&row["opens_at"], &row["closes_at"]), (&json!(opens), &Value::Null));
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}/why", customer.conversation);
    let why = server.admin("GET", &path, None).await.json();
    assert_eq!((&why["excluded"][0]["rule"], &why["needs"]["closed"]), (&json!("queue_closed"), &json!(true)));

    // The other days are open: nobody is kept waiting any longer.
    put_hours(&server, json!([])).await;
    let of_customer = |frame: &Value| {
        frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == customer.conversation.as_str()
    };
    agent.until("the offer", of_customer).await;
    eventually("the live row", async || live_queue(&server).await, |row| row["open"] == true).await;
    let metrics = server.operators_page("/metrics").await;
    assert!(metrics.text().contains("offhook_out_of_hours_total{what=\"left\"} 1"), "{}", metrics.text());
}
