//! The messenger's HTTP contract, as a visitor's browser meets it.

mod support;

use offhook::gateway::auth::customer_token::{CustomerClaims, mint};
use offhook::gateway::auth::keys::{Algorithm, SigningKey};
use serde_json::{Value, json};
use std::net::SocketAddr;
use support::customer::event_named;
use support::http::Http;
use support::scene::{DEMO, offered, server, talking};
use support::sse::Events;
use support::{Agent, Customer, Options, Response, Server, command_id, now_s, within};

/// One call, with whatever headers; `path` below the messenger of the first workspace.
async fn call(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut http = Http::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let path = format!("/v1/messenger/{DEMO}{path}");
    within("an answer", http.ask(method, &path, &headers, body)).await.unwrap()
}

/// The problem that it is, with what every problem has.
fn problem(answer: &Response) -> Value {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status, "{problem}");
    for member in ["type", "title", "detail", "code", "message"] {
        assert!(problem[member].is_string(), "{member}: {problem}");
    }
    if let Some(ms) = problem["retry_after_ms"].as_u64() {
        let seconds = ms.div_ceil(1_000).max(1).to_string();
        assert_eq!(answer.header("retry-after"), Some(seconds.as_str()), "{problem}");
    }
    problem
}

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
    let shown = support::scene::eventually(
        "the agent",
        async || first.call("GET", "", None).await.json(),
        |shown| shown["state"] == "active",
    )
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

/// The next `state` that is as wanted.
async fn until_state(events: &mut Events, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let state = event_named(events, "state").await.json();
        if wanted(&state) {
            return state;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_gives_each_numbered_event_once_wherever_it_is_taken_up() {
    let mut server = server();
    let (mut agent, mut customer) = talking(&server, "ada").await;
    for number in 2..6 {
        assert_eq!(customer.post(&format!("text {number}")).await, number);
    }
    agent.must(json!({"type": "close", "conversation": customer.conversation})).await;
    customer.post("one more thing").await;
    let wanted =
        ["opened", "message", "joined", "message", "message", "message", "message", "ended", "reopened", "message"];
    for kill in [false, true] {
        if kill {
            server.kill();
            server.start_again();
        }
        for after in 0..=wanted.len() {
            let opened = within("a stream", Events::open(server.address, &customer.events, Some(after as u64))).await;
            let mut events = opened.unwrap().unwrap();
            let mut seen = Vec::new();
            while seen.len() < wanted.len() - after {
                let event = within("an event", events.next()).await.unwrap().unwrap();
                if !["state", "read", "typing"].contains(&event.name.as_str()) {
                    assert_eq!(event.id, (after + seen.len() + 1) as u64, "{event:?}");
                    seen.push(event.name);
                }
            }
            assert_eq!(seen, wanted[after..]);
        }
        let beyond = within("an answer", Events::open(server.address, &customer.events, Some(999))).await.unwrap();
        assert_eq!(beyond.err(), Some(422));
    }
    // By the query as well as by the header, and never with another's ticket.
    let path = format!(
        "/conversations/{}/events?after=9&{}",
        customer.conversation,
        customer.events.split_once('?').unwrap().1
    );
    let mut http = Http::connect(server.address).await.unwrap();
    http.send("GET", &format!("/v1/messenger/{DEMO}{path}"), "", b"").await.unwrap();
    let head = within("an answer", http.head()).await.unwrap();
    let header = |name: &str| head.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.clone());
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    let first = within("a chunk", http.chunk()).await.unwrap().unwrap();
    assert!(first.starts_with(b"retry: 1000\n\n"), "{}", String::from_utf8_lossy(&first));
    let forged = format!("/conversations/{}/events?ticket=ohs1.abc", customer.conversation);
    let refused = call(server.address, "GET", &forged, &[], b"").await;
    assert_eq!((refused.status, problem(&refused)["code"].clone()), (401, json!("unauthorized")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_on_the_stream_as_it_happens() {
    let server = server();
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let (mut customer, offer) = offered(&server, &mut agent).await;
    let mut events = customer.follow(None).await;
    assert_eq!(event_named(&mut events, "message").await.json()["text"], "hello");
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(event_named(&mut events, "joined").await.json()["agent"]["title"], "ada");
    assert_eq!(until_state(&mut events, |state| state["state"] == "active").await["agent_connection"], "online");
    agent.must(json!({"type": "read", "conversation": customer.conversation, "number": 1})).await;
    assert_eq!(event_named(&mut events, "read").await.json()["number"], 1);
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "hi"})).await;
    let message = event_named(&mut events, "message").await.json();
    assert_eq!((&message["author"], &message["text"]), (&json!("agent"), &json!("hi")));
    assert_eq!(message["agent"]["title"], "ada");
    drop(agent);
    until_state(&mut events, |state| state["agent_connection"] == "reconnecting").await;
    let _back = Agent::connect(&server, DEMO, "ada").await;
    until_state(&mut events, |state| state["agent_connection"] == "online").await;
    assert_eq!(customer.call("POST", "leave", None).await.status, 204);
    assert_eq!(event_named(&mut events, "ended").await.json()["by"], "customer");
    let again = customer.call("POST", "leave", None).await;
    assert_eq!((again.status, problem(&again)["code"].clone()), (409, json!("wrong_state")));
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
async fn rates_are_limited_and_say_when_to_come_again() {
    let server = Server::start(&Options::default());
    let mut customer = Customer::start(server.address, DEMO, "hello").await;
    let limited = loop {
        let answer = customer.call("POST", "messages", Some(json!({"text": "again"}))).await;
        if answer.status != 201 {
            break answer;
        }
    };
    assert_eq!((limited.status, problem(&limited)["code"].clone()), (429, json!("rate_limited")));
    assert!(limited.json()["retry_after_ms"].as_u64().is_some_and(|ms| (1..=1_000).contains(&ms)));
    let mut starts = 1;
    let refused = loop {
        match Customer::try_start(server.address, DEMO, &json!({"text": "another"})).await {
            Ok(_) => starts += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.status, starts), (429, 5), "five starts in ten minutes from one address");
    assert!(problem(&refused)["retry_after_ms"].as_u64() > Some(1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_may_call_and_others_may_not() {
    let server = Server::start(&Options::default().set("identity.origins=https://www.example.com"));
    let ask = [
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type,idempotency-key"),
    ];
    let with = |origin: &'static str| [&ask[..], &[("Origin", origin)]].concat();
    let preflight = call(server.address, "OPTIONS", "/conversations", &with("https://www.example.com"), b"").await;
    assert!(preflight.is_success(), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://www.example.com"));
    let allowed = preflight.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
    for header in ["authorization", "content-type", "idempotency-key", "last-event-id"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    assert!(preflight.header("vary").is_some_and(|vary| vary.contains("Origin")));
    let refused = call(server.address, "OPTIONS", "/conversations", &with("https://evil.example"), b"").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    let id = command_id();
    let origin = [("Origin", "https://www.example.com"), ("Idempotency-Key", id.as_str())];
    let started = call(server.address, "POST", "/conversations", &origin, br#"{"text":"hello"}"#).await;
    assert_eq!((started.status, started.header("access-control-allow-origin")), (201, Some("https://www.example.com")));
    let evil = [("Origin", "https://www.example.com.evil.example"), ("Idempotency-Key", id.as_str())];
    assert_eq!(call(server.address, "POST", "/conversations", &evil, br#"{"text":"hello"}"#).await.status, 403);
}

const CUSTOMER_KEY: &[u8] = b"a secret of the workspace's own backend";

/// A server that takes customers' tokens signed with `CUSTOMER_KEY`.
fn with_known_customers(directory: &std::path::Path) -> Server {
    let file = directory.join("customers.key");
    std::fs::write(&file, CUSTOMER_KEY).unwrap();
    let keys = format!(
        r#"identity.customer_keys=[{{kid="c", algorithm="HS256", file="{}", workspace="{DEMO}"}}]"#,
        file.display()
    );
    Server::start(&Options::default().without_rate_limits().set(&keys))
}

fn customer_token(customer: &str, plan: Option<&str>) -> String {
    let key = SigningKey::read(Algorithm::Hs256, CUSTOMER_KEY).unwrap();
    let claims = CustomerClaims {
        customer: customer.to_owned(),
        name: Some("Grace Hopper".to_owned()),
        email: None,
        attributes: plan.map(|plan| json!({ "plan": plan }).to_string()),
        expires_at_s: now_s() + 3_600,
        issued_at_s: None,
    };
    mint(&claims, now_s(), Some("c"), &key).unwrap()
}

async fn start_as(server: &Server, token: &str, body: &Value) -> Response {
    let (bearer, id) = (format!("Bearer {token}"), command_id());
    let headers = [("Authorization", bearer.as_str()), ("Idempotency-Key", id.as_str())];
    call(server.address, "POST", "/conversations", &headers, body.to_string().as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_rules_place_a_conversation_and_a_visitor_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_known_customers(directory.path());
    let queue = format!("/v1/workspaces/{DEMO}/queues/vip");
    assert_eq!(server.admin("PUT", &queue, Some(&json!({"title": "VIP"}))).await.status, 200);
    let rules = json!([
        {"known": true, "attributes": {"plan": ["gold"]}, "queue": "vip", "priority": 10, "skills": {"french": 3}},
    ]);
    server.change_settings(DEMO, |settings| settings["entry_rules"] = rules).await;
    let queue_of = |answer: &Response| {
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["conversation"]["queue"].as_str().unwrap().to_owned()
    };
    let gold = start_as(&server, &customer_token("7", Some("gold")), &json!({"text": "hello"})).await;
    assert_eq!(queue_of(&gold), "VIP");
    assert_eq!(gold.json()["token"], Value::Null, "who is known needs no token of ours");
    let path = format!(
        "/v1/workspaces/{DEMO}/conversations/{}",
        gold.json()["conversation"]["conversation"].as_str().unwrap()
    );
    let facts = server.admin("GET", &path, None).await.json();
    assert_eq!((&facts["priority"], &facts["skills"][0]["name"]), (&json!(10), &json!("french")));
    assert_eq!(facts["name"], "Grace Hopper");
    let iron = start_as(&server, &customer_token("8", Some("iron")), &json!({"text": "hello"})).await;
    assert_eq!(queue_of(&iron), "Support");
    let liar = json!({"text": "hello", "metadata": {"plan": "gold", "queue": "vip", "priority": "10"}});
    let liar = Customer::try_start(server.address, DEMO, &liar).await.unwrap();
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", liar.conversation);
    assert_eq!(server.admin("GET", &path, None).await.json()["queue"], "support");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_customer_becomes_known_and_a_sign_out_voids_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_known_customers(directory.path());
    let anonymous = Customer::start(server.address, DEMO, "who am I?").await;
    let known = customer_token("7", None);
    let (bearer, id) = (format!("Bearer {known}"), command_id());
    let headers = [("Authorization", bearer.as_str()), ("Idempotency-Key", id.as_str())];
    let body = json!({"anonymous_token": anonymous.token}).to_string();
    for _ in 0..2 {
        let merged = call(server.address, "POST", "/identify", &headers, body.as_bytes()).await;
        assert_eq!((merged.status, merged.json()["conversations"].clone()), (200, json!(1)), "{}", merged.text());
    }
    let bad = call(server.address, "POST", "/identify", &headers, br#"{"anonymous_token":"ohv1.x"}"#).await;
    assert_eq!((bad.status, problem(&bad)["field"].clone()), (422, json!("anonymous_token")));
    let list = support::scene::eventually(
        "the conversation, now the known customer's",
        async || call(server.address, "GET", "/", &headers[..1], b"").await.json(),
        |list| list["conversations"].as_array().is_some_and(|list| list.len() == 1),
    )
    .await;
    assert_eq!(list["conversations"][0]["conversation"], anonymous.conversation.as_str());
    let own = format!("Bearer {}", anonymous.token);
    let id = command_id();
    let refused = call(
        server.address,
        "POST",
        "/identify",
        &[("Authorization", &own), ("Idempotency-Key", &id)],
        body.as_bytes(),
    )
    .await;
    assert_eq!((refused.status, problem(&refused)["code"].clone()), (403, json!("forbidden")));

    let mut leaver = Customer::start(server.address, DEMO, "bye").await;
    let own = format!("Bearer {}", leaver.token);
    let id = command_id();
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", id.as_str())];
    for _ in 0..2 {
        assert_eq!(call(server.address, "POST", "/sign_out", &headers, b"").await.status, 204);
    }
    let refused = leaver.call("GET", "", None).await;
    assert_eq!((refused.status, problem(&refused)["reason"].clone()), (401, json!("revoked")));
    let stream = within("an answer", Events::open(server.address, &leaver.events, None)).await.unwrap();
    assert_eq!(stream.err(), Some(401));
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
