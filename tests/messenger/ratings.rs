//! What it was like: said by the customer when it is over, seen by the agent and the administrator, found by its score.

use crate::problem;
use crate::support::agent::Agent;
use crate::support::command_id;
use crate::support::customer::{Customer, event_named};
use crate::support::scene::{DEMO, eventually, server, talking};
use crate::support::server::Server;
use serde_json::{Value, json};

async fn admin(server: &Server, path: &str) -> Value {
    let answer = server.admin("GET", &format!("/v1/workspaces/{DEMO}{path}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn rate(customer: &mut Customer, body: Value) -> (u16, Value) {
    let answer = customer.call("POST", "rating", Some(body)).await;
    let told = if answer.status == 204 { Value::Null } else { problem(&answer) };
    (answer.status, told)
}

async fn found(server: &Server, score: u8) -> Value {
    admin(server, &format!("/conversations?score={score}")).await["conversations"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_rates_a_conversation_that_is_over_and_everybody_who_may_sees_it() {
    let mut server = server();
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let id = customer.conversation.clone();
    let (status, told) = rate(&mut customer, json!({"score": 5})).await;
    assert_eq!((status, &told["code"], &told["state"]), (409, &json!("wrong_state"), &json!("active")));
    for (body, code, field) in [
        (json!({}), "bad_request", "score"),
        (json!({"score": 0}), "bad_field", "score"),
        (json!({"score": 6}), "bad_field", "score"),
        (json!({"score": 256}), "bad_field", "score"),
        (json!({"score": "5"}), "bad_request", "score"),
        (json!({"score": 5, "comment": "x".repeat(2_001)}), "too_large", "comment"),
        (json!({"score": 5, "queue": "vip"}), "bad_request", "queue"),
    ] {
        let (_, told) = rate(&mut customer, body).await;
        assert_eq!((&told["code"], &told["field"]), (&json!(code), &json!(field)), "{told}");
    }

    let mut events = customer.follow(None).await;
    ada.must(json!({"type": "close", "conversation": id})).await;
    event_named(&mut events, "ended").await;
    let mut another = Customer::start(server.address, DEMO, "mine").await;
    another.conversation.clone_from(&id);
    let (status, told) = rate(&mut another, json!({"score": 1})).await;
    assert_eq!((status, &told["code"]), (404, &json!("no_such_conversation")));

    let first = command_id();
    let body = || Some(json!({"score": 2, "comment": "So <b>slow</b>"}));
    assert_eq!(customer.call_with("POST", "rating", body(), &first).await.status, 204);
    let rated = ada.wait_for("rated").await;
    assert_eq!(
        (&rated["conversation"], &rated["score"], &rated["comment"], &rated["before"]),
        (&json!(id), &json!(2), &json!("So <b>slow</b>"), &Value::Null)
    );
    assert_eq!(event_named(&mut events, "rated").await.json()["score"], 2);
    let shown = customer.call("GET", "", None).await.json();
    assert_eq!((&shown["state"], &shown["rating"]["score"]), (&json!("closed"), &json!(2)));
    assert!(shown["ended_at"].as_u64() > Some(0) && shown["rating"]["at"].as_u64() >= shown["ended_at"].as_u64());

    // Changed, killed, repeated: the last counts, and nothing counts twice.
    let second = command_id();
    assert_eq!(customer.call_with("POST", "rating", Some(json!({"score": 4})), &second).await.status, 204);
    server.kill();
    server.start_again();
    let mut customer = customer.at(server.address).await;
    for (id, body) in [(&first, body()), (&second, Some(json!({"score": 4})))] {
        assert_eq!(customer.call_with("POST", "rating", body, id).await.status, 204);
    }
    let reused = customer.call_with("POST", "rating", Some(json!({"score": 5})), &second).await;
    assert_eq!(problem(&reused)["code"], "id_reused");
    assert_eq!(customer.call("GET", "", None).await.json()["rating"]["score"], 4);

    let facts = admin(&server, &format!("/conversations/{id}")).await;
    assert_eq!((&facts["rating"]["score"], &facts["rating"]["comment"]), (&json!(4), &Value::Null));
    let history = admin(&server, &format!("/conversations/{id}/events")).await;
    let ratings = history["events"].as_array().unwrap();
    let ratings: Vec<&Value> = ratings.iter().filter(|event| event["event"] == "conversation_rated").collect();
    assert_eq!(ratings.len(), 2, "{history}");
    assert_eq!(ratings[0]["data"], json!({"conversation": id, "score": 2, "comment": "So <b>slow</b>"}));
    assert_eq!(ratings[1]["data"], json!({"conversation": id, "score": 4, "before": 2}));
    assert_eq!(found(&server, 4).await[0]["conversation"], json!(id));
    assert_eq!(found(&server, 2).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_says_whether_and_how_it_is_rated() {
    let server = server();
    server.change_settings(DEMO, |settings| settings["rating"] = json!({"scale": "two"})).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (mut customer, offer) = crate::support::scene::offered(&server, &mut ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(customer.call("POST", "leave", None).await.status, 204);
    let (_, told) = rate(&mut customer, json!({"score": 3})).await;
    assert_eq!((&told["code"], &told["field"]), (&json!("bad_setting"), &json!("score")));
    assert_eq!(rate(&mut customer, json!({"score": 5})).await.0, 204);
    server.change_settings(DEMO, |settings| settings["rating"] = json!({"scale": "none"})).await;
    let (status, told) = rate(&mut customer, json!({"score": 1})).await;
    assert_eq!((status, &told["code"]), (409, &json!("rating_over")));
    let metrics = eventually(
        "the metric",
        async || server.operators_page("/metrics").await.text().to_owned(),
        |text| text.contains("offhook_ratings_total{"),
    )
    .await;
    assert!(metrics.contains("offhook_ratings_total{score=\"5\",changed=\"no\"} 1"), "{metrics}");
    assert_eq!(found(&server, 5).await.as_array().unwrap().len(), 1);
}
