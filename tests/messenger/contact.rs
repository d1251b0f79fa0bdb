//! Who a customer is and where it can be reached, said after the beginning.

use crate::problem;
use crate::support::command_id;
use crate::support::scene::{DEMO, server, talking};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_says_anew_who_it_is_and_its_agent_sees_it() {
    let mut server = server();
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let id = customer.conversation.clone();
    for (body, code, field) in [
        (json!({}), "bad_request", "name"),
        (json!({"email": "no address"}), "bad_field", "email"),
        (json!({"email": "a@b\nBcc: everybody@example.org"}), "bad_field", "email"),
        (json!({"email": format!("{}@example.org", "x".repeat(250))}), "too_large", "email"),
        (json!({"name": "x".repeat(129)}), "too_large", "name"),
        (json!({"name": "Zoë", "priority": "9"}), "bad_request", "priority"),
    ] {
        let refused = customer.call("POST", "contact", Some(body)).await;
        let told = problem(&refused);
        assert_eq!((&told["code"], &told["field"]), (&json!(code), &json!(field)), "{told}");
    }
    let first = command_id();
    let said = || Some(json!({"name": "Zoë", "email": "zoe@example.org"}));
    assert_eq!(customer.call_with("POST", "contact", said(), &first).await.status, 204);
    let told = ada.wait_for("described").await;
    assert_eq!(
        (&told["conversation"], &told["name"], &told["metadata"]),
        (&json!(id), &json!("Zoë"), &json!({"email": "zoe@example.org"}))
    );
    assert_eq!(customer.call("POST", "contact", Some(json!({"name": ""}))).await.status, 204);
    let told = ada.wait_for("described").await;
    assert_eq!((&told["name"], &told["metadata"]["email"]), (&Value::Null, &json!("zoe@example.org")));

    // The first, repeated after a kill, does not undo the second.
    server.kill();
    server.start_again();
    let mut customer = customer.at(server.address).await;
    assert_eq!(customer.call_with("POST", "contact", said(), &first).await.status, 204);
    let facts = server.admin("GET", &format!("/v1/workspaces/{DEMO}/conversations/{id}"), None).await.json();
    assert_eq!((&facts["name"], &facts["metadata"]["email"]), (&Value::Null, &json!("zoe@example.org")));

    let mut another = crate::support::Customer::start(server.address, DEMO, "mine").await;
    another.conversation.clone_from(&id);
    assert_eq!(another.call("POST", "contact", Some(json!({"name": "Eve"}))).await.status, 404);
    assert_eq!(customer.call("POST", "leave", None).await.status, 204);
    let over = customer.call("POST", "contact", Some(json!({"name": "Zoë"}))).await;
    assert_eq!((over.status, &problem(&over)["code"]), (409, &json!("wrong_state")));
}
