//! Starting, writing, reading, paging; what a customer sees, and every bad input.

use crate::support::http::Http;
use crate::support::scene::{DEMO, eventually, server};
use crate::support::{Agent, Customer, command_id};
use crate::{call, problem, until_state};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_start_answers_with_the_conversation_a_token_and_a_stream() {
    let server = server();
    let id = command_id();
    let start = |body: Value| {
        let id = id.clone();
        async move {
            call(server.address, "POST", "/conversations", &[("Idempotency-Key", &id)], body.to_string().as_bytes())
                .await
        }
    };
    let first = start(json!({"text": "hello", "name": "Zoë"})).await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let started = first.json();
    let shown = &started["conversation"];
    assert_eq!(
        (&shown["state"], &shown["queue"], &shown["agent"]),
        (&json!("waiting"), &json!("Support"), &Value::Null)
    );
    assert_eq!((&shown["last_number"], &started["number"]), (&json!(1), &json!(1)));
    assert!(started["token"].as_str().is_some_and(|token| token.starts_with("ohv1.")));
    assert!(started["events"].as_str().is_some_and(|path| path.contains("?ticket=ohs1.")));
    let again = start(json!({"text": "hello", "name": "Zoë"})).await.json();
    for member in ["conversation", "opened_at"] {
        assert_eq!(again["conversation"][member], shown[member], "a retry hears the same");
    }
    assert_eq!(again["token"], started["token"]);
    let other = start(json!({"text": "another", "name": "Zoë"})).await;
    assert_eq!((other.status, problem(&other)["code"].clone()), (409, json!("id_reused")));
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_change_nothing_twice_even_after_a_kill() {
    let mut server = server();
    let id = command_id();
    let key = [("Idempotency-Key", id.as_str())];
    let body = json!({"text": "hello"}).to_string();
    let first = call(server.address, "POST", "/conversations", &key, body.as_bytes()).await.json();
    let (token, conversation) =
        (first["token"].as_str().unwrap(), first["conversation"]["conversation"].as_str().unwrap());
    let bearer = format!("Bearer {token}");
    let post_id = command_id();
    let headers = [("Authorization", bearer.as_str()), ("Idempotency-Key", post_id.as_str())];
    let messages = format!("/conversations/{conversation}/messages");
    let text = json!({"text": "once"}).to_string();
    let posted = call(server.address, "POST", &messages, &headers, text.as_bytes()).await.json();
    for kill in [false, true] {
        if kill {
            server.kill();
            server.start_again();
        }
        let again = call(server.address, "POST", "/conversations", &key, body.as_bytes()).await;
        assert_eq!(again.status, 201, "{}", again.text());
        assert_eq!(
            (&again.json()["token"], &again.json()["conversation"]["conversation"]),
            (&json!(token), &json!(conversation))
        );
        assert_eq!(call(server.address, "POST", &messages, &headers, text.as_bytes()).await.json(), posted);
        let list = call(server.address, "GET", "/", &headers, b"").await.json();
        assert_eq!(list["conversations"].as_array().map(Vec::len), Some(1));
        assert_eq!(list["conversations"][0]["last_number"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_its_place_its_agent_and_nothing_inside() {
    let server = server();
    let mut first = Customer::start(server.address, DEMO, "first").await;
    let mut second = Customer::start(server.address, DEMO, "second").await;
    let mut events = second.follow(None).await;
    let place = |wanted: u64| move |event: &Value| event["place"] == wanted;
    until_state(&mut events, place(2)).await;
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let profile = json!({"title": "Ada Lovelace", "capacity": {"chat": 1}});
    assert_eq!(server.admin("PUT", &format!("/v1/workspaces/{DEMO}/agents/ada"), Some(&profile)).await.status, 200);
    agent.must(json!({"type": "set_status", "status": "available"})).await;
    let offer = agent.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], first.conversation.as_str(), "the oldest first");
    // An offer is not the customer's to see.
    let shown = first.call("GET", "", None).await.json();
    assert_eq!(shown["state"], "waiting");
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    until_state(&mut events, place(1)).await;
    let shown =
        eventually("the agent", async || first.call("GET", "", None).await.json(), |shown| shown["state"] == "active")
            .await;
    assert_eq!(shown["agent"], json!({"title": "Ada Lovelace"}));
    let text = shown.to_string();
    assert!(!text.contains("\"ada\"") && !text.contains("priority") && !text.contains("skills"), "{text}");
    // Another's conversation is none.
    let mine = std::mem::replace(&mut second.conversation, first.conversation.clone());
    for (method, what, body) in [
        ("GET", "", None),
        ("GET", "messages", None),
        ("POST", "messages", Some(json!({"text": "x"}))),
        ("POST", "read", Some(json!({"number": 1}))),
        ("POST", "typing", None),
        ("POST", "leave", None),
        ("GET", "events", None),
    ] {
        let refused = second.call(method, what, body).await;
        assert_eq!(
            (refused.status, problem(&refused)["code"].clone()),
            (404, json!("no_such_conversation")),
            "{method} {what}"
        );
    }
    second.conversation = mine;
    assert_eq!(second.call("GET", "", None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_messages_come_from_either_end() {
    let server = server();
    let mut customer = Customer::start(server.address, DEMO, "text 1").await;
    for number in 2..=7 {
        customer.post(&format!("text {number}")).await;
    }
    let mut page = async |query: &str| {
        let answer = customer.call("GET", &format!("messages{query}"), None).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let page = answer.json();
        let numbers: Vec<u64> =
            page["messages"].as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()).collect();
        (numbers, page["more"].as_bool().unwrap())
    };
    assert_eq!(page("").await, ((1..=7).collect(), false));
    assert_eq!(page("?limit=2").await, (vec![6, 7], true));
    assert_eq!(page("?limit=2&before=6").await, (vec![4, 5], true));
    assert_eq!(page("?limit=2&after=0").await, (vec![1, 2], true));
    assert_eq!(page("?limit=5&after=5").await, (vec![6, 7], false));
    for (query, status, code, field) in [
        ("?after=x", 422, "bad_cursor", "after"),
        ("?before=-1", 422, "bad_cursor", "before"),
        ("?after=1&before=3", 422, "bad_cursor", "before"),
        ("?limit=0", 422, "bad_field", "limit"),
        ("?limit=201", 422, "bad_field", "limit"),
        ("?colour=red", 400, "bad_request", "colour"),
        ("?limit=1&limit=2", 400, "bad_request", "limit"),
    ] {
        let refused = customer.call("GET", &format!("messages{query}"), None).await;
        let problem = problem(&refused);
        assert_eq!(
            (refused.status, &problem["code"], &problem["field"]),
            (status, &json!(code), &json!(field)),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_body_and_header_is_named() {
    let server = server();
    let mut customer = Customer::start(server.address, DEMO, "hello").await;
    let id = command_id();
    let fat_text = json!({"text": "x".repeat(16_385)}).to_string();
    let fat_metadata = json!({"metadata": {"k": "x".repeat(5_000)}}).to_string();
    let huge = format!(r#"{{"text":"{}"}}"#, "x".repeat(300_000));
    let starts: &[(&[u8], u16, &str, Option<&str>)] = &[
        (b"", 400, "bad_request", None),
        (b"{", 400, "bad_request", None),
        (b"[]", 400, "bad_request", None),
        (b"{\"text\":\"\xff\"}", 400, "bad_request", None),
        (br#"{"text":"\ud800"}"#, 400, "bad_request", None),
        (br#"{"text":17}"#, 400, "bad_request", Some("text")),
        (br#"{"text":""}"#, 422, "bad_field", Some("text")),
        (br#"{"queue":"vip"}"#, 400, "bad_request", Some("queue")),
        (br#"{"priority":10}"#, 400, "bad_request", Some("priority")),
        (br#"{"skills":{"french":3}}"#, 400, "bad_request", Some("skills")),
        (br#"{"channel":"fax"}"#, 404, "no_such_channel", Some("channel")),
        (br#"{"metadata":{"a":{"b":1}}}"#, 400, "bad_request", Some("metadata")),
        (fat_text.as_bytes(), 413, "too_large", Some("text")),
        (fat_metadata.as_bytes(), 413, "too_large", Some("metadata")),
        (huge.as_bytes(), 413, "too_large", Some("body")),
    ];
    for (body, status, code, field) in starts {
        let refused = call(server.address, "POST", "/conversations", &[("Idempotency-Key", &id)], body).await;
        let said = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(refused.status, *status, "{said}: {}", refused.text());
        let problem = problem(&refused);
        assert_eq!(problem["code"], *code, "{said}: {problem}");
        if let Some(field) = field {
            assert_eq!(problem["field"], *field, "{said}: {problem}");
        }
    }
    let bearer = format!("Bearer {}", customer.token);
    let messages = format!("/conversations/{}/messages", customer.conversation);
    let cases: &[(&str, &[(&str, &str)], u16, &str)] = &[
        (&messages, &[("Authorization", &bearer)], 400, "missing_id"),
        (&messages, &[("Authorization", &bearer), ("Idempotency-Key", "17")], 400, "bad_request"),
        (&messages, &[("Idempotency-Key", &id)], 401, "unauthorized"),
        (&messages, &[("Authorization", "Bearer ohv1.forged"), ("Idempotency-Key", &id)], 401, "unauthorized"),
        (&messages, &[("Authorization", "Bearer a.b.c"), ("Idempotency-Key", &id)], 401, "unauthorized"),
        (&messages, &[("Authorization", "Basic abc"), ("Idempotency-Key", &id)], 401, "unauthorized"),
        (
            "/conversations/17/messages",
            &[("Authorization", &bearer), ("Idempotency-Key", &id)],
            404,
            "no_such_conversation",
        ),
        (
            "/conversations/c999/messages",
            &[("Authorization", &bearer), ("Idempotency-Key", &id)],
            404,
            "no_such_conversation",
        ),
        ("/nowhere", &[], 404, "not_found"),
        ("", &[], 405, "method_not_allowed"),
    ];
    for (path, headers, status, code) in cases {
        let refused = call(server.address, "POST", path, headers, br#"{"text":"x"}"#).await;
        assert_eq!(refused.status, *status, "{path} {headers:?}: {}", refused.text());
        assert_eq!(problem(&refused)["code"], *code, "{path} {headers:?}");
    }
    let number = customer.call("POST", "read", Some(json!({"number": 99}))).await;
    assert_eq!((number.status, problem(&number)["code"].clone()), (422, json!("no_such_message")));
    let mut http = Http::connect(server.address).await.unwrap();
    let elsewhere = http
        .ask("POST", "/v1/messenger/nowhere/conversations", &format!("Idempotency-Key: {id}\r\n"), b"{}")
        .await
        .unwrap();
    assert_eq!((elsewhere.status, problem(&elsewhere)["code"].clone()), (404, json!("not_found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_said_plainly() {
    let server = server();
    let queue = format!("/v1/workspaces/{DEMO}/queues/support");
    assert_eq!(server.admin("PUT", &queue, Some(&json!({"waiting_max": 2}))).await.status, 200);
    for _ in 0..2 {
        Customer::start(server.address, DEMO, "hello").await;
    }
    let full = Customer::try_start(server.address, DEMO, &json!({"text": "hello"})).await.err().expect("it is full");
    assert_eq!((full.status, problem(&full)["code"].clone()), (409, json!("queue_full")));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_large_messages_are_short_and_say_that_there_are_more() {
    let server = server();
    let mut customer = Customer::start(server.address, DEMO, "hello").await;
    // More than a page may hold in bytes, and fewer than it may in rows.
    let large = "x".repeat(16_000);
    for _ in 2..=120 {
        customer.post(&large).await;
    }
    let numbers = |page: &Value| {
        let rows = page["messages"].as_array().expect("rows").iter();
        rows.map(|row| row["number"].as_u64().expect("a number")).collect::<Vec<_>>()
    };
    let all: Vec<u64> = (1..=120).collect();
    let mut read = Vec::new();
    loop {
        let after = read.last().copied().unwrap_or(0);
        let page = customer.call("GET", &format!("messages?after={after}&limit=200"), None).await.json();
        let found = numbers(&page);
        assert!(!found.is_empty() && found.len() < 120, "{} rows", found.len());
        read.extend(found);
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(read, all, "forward");
    let mut back = numbers(&customer.call("GET", "messages?limit=200", None).await.json());
    while back[0] > 1 {
        let page = customer.call("GET", &format!("messages?before={}&limit=200", back[0]), None).await.json();
        assert_eq!(page["more"], numbers(&page)[0] > 1);
        back = [numbers(&page), back].concat();
    }
    assert_eq!(back, all, "backward");
    for (what, member) in [("messages", "number"), ("events", "position")] {
        let (mut found, mut cursor) = (0, String::new());
        loop {
            let path =
                format!("/v1/workspaces/{DEMO}/conversations/{}/{what}?limit=200{cursor}", customer.conversation);
            let page = server.admin("GET", &path, None).await.json();
            let rows = page[what].as_array().expect("rows");
            assert!(rows.iter().all(|row| row[member].is_u64()));
            found += rows.len();
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        // Events: it was opened, and each message.
        assert!(found >= 120, "{what}: {found}");
    }
}
