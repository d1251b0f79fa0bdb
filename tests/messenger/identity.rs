//! Who may do what: rates, origins, entry rules, customers who become known and who sign out.

use crate::support::scene::{DEMO, eventually};
use crate::support::sse::Events;
use crate::support::{Customer, Options, Response, Server, command_id, now_s, within};
use crate::{call, problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

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

/// As the workspace's own backend signs it.
fn customer_token(customer: &str, plan: Option<&str>) -> String {
    let encoded = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encoded(json!({"alg": "HS256", "typ": "JWT", "kid": "c"}));
    let mut claims = json!({"sub": customer, "name": "Grace Hopper", "iat": now_s(), "exp": now_s() + 3_600});
    if let Some(plan) = plan {
        claims["attributes"] = json!({ "plan": plan });
    }
    let signed = format!("{header}.{}", encoded(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(CUSTOMER_KEY).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
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
    let list = eventually(
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
async fn no_name_and_no_text_lies_readable_on_the_disk() {
    let mut server = Server::start(&Options::default().without_rate_limits());
    let start = json!({"text": "quokka says hello", "name": "Quokka Quokkason", "metadata": {"page": "/quokkas"}});
    let mut customer = Customer::try_start(server.address, DEMO, &start).await.unwrap();
    let contact = json!({"email": "quokka@example.com"});
    assert!(customer.call("POST", "contact", Some(contact)).await.is_success());
    assert!(customer.call("POST", "messages", Some(json!({"text": "another quokka"}))).await.is_success());
    // The view has them too when they are read.
    let read = customer.call("GET", "messages", None).await;
    assert!(read.json()["messages"][1]["text"].as_str().is_some_and(|text| text == "another quokka"), "{read:?}");
    server.kill();
    let mut files = 0;
    for file in std::fs::read_dir(server.data_dir()).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap().to_ascii_lowercase();
        assert!(!bytes.windows(6).any(|six| six == b"quokka"), "{}", file.path().display());
        files += 1;
    }
    assert!(files > 6, "{files}: journal, view and keys, with their logs");
}
