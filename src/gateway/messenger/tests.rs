//! The messenger's calls, each and every refusal, against a fake workspace.

use super::{MessengerBounds, router};
use crate::desk::command::{Ask, Author, Notice};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, KeyNumber, Principal};
use crate::desk::refusal::Refusal;
use crate::desk::settings::{AgentProfile, EntryRule};
use crate::desk::time::WallTime;
use crate::gateway::http::desks::NotDone;
use crate::gateway::http::fakes::{AT, Call, World};
use crate::gateway::http::identities::KnownCustomer;
use axum::Router;
use serde_json::json;
use std::sync::Arc;

const TEXTS: [&str; 9] = [
    "hello",
    "Zoë, naïve — œuvre",
    "Привет, мир",
    "こんにちは世界",
    "مرحبا بالعالم",
    "שלום",
    "👩‍👩‍👧‍👦🦀",
    "two\nlines\r\nand \t \"quotes\" \\ \u{0} \u{2028} </script>",
    "नमस्ते e\u{301}\u{200d}\u{202e}",
];

fn world() -> (World, Router) {
    let world = World::new();
    let router = router(world.door.clone(), MessengerBounds::default());
    (world, router)
}

fn start(id: u32) -> Call {
    Call::new("POST /v1/messenger/demo/conversations").id(id)
}

fn knows(world: &World, token: &str, subject: &str, attributes: &[(&str, &str)]) {
    let known = KnownCustomer {
        subject: subject.to_owned(),
        issued_at: WallTime(AT),
        name: Some("Zoë Signed".to_owned()),
        attributes: attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    world.identities.known.lock().unwrap().insert(token.to_owned(), known);
}

fn last_ask(world: &World) -> Ask {
    world.desk.inside().asked.last().unwrap().ask.clone()
}

#[tokio::test]
async fn a_visitor_starts_and_a_retry_is_the_same_customer_with_the_same_token() {
    let (world, router) = world();
    let body = json!({"text": "hello", "name": "Zoë", "metadata": {"page": "/pricing"}});
    let first = start(1).json(body.clone()).to(&router).await.ok(201);
    assert_eq!(first["conversation"]["conversation"], "c1");
    assert_eq!(first["conversation"]["state"], "waiting");
    assert_eq!(first["conversation"]["queue"], "Support");
    assert_eq!(first["number"], 1);
    assert!(first["events"].as_str().unwrap().starts_with("/v1/messenger/demo/conversations/c1/events?ticket=ohs1."));
    let again = start(1).json(body).to(&router).await.ok(201);
    assert_eq!(again, first);
    assert_eq!(world.desk.inside().conversations.len(), 1);
    start(1).json(json!({"text": "other"})).to(&router).await.is(409, "id_reused", Some("id"));
    let other = start(2).json(json!({})).to(&router).await.ok(201);
    assert_ne!(other["token"], first["token"]);
    assert_eq!(other["number"], json!(null));

    let Ask::Open(open) = world.desk.inside().asked[0].ask.clone() else { panic!() };
    assert_eq!(world.desk.inside().asked[0].principal, Principal::Visitor);
    let seals = world.door.desks.seals();
    assert_eq!(seals.unseal(b"text", &open.text.unwrap()).unwrap(), b"hello");
    let about: serde_json::Value =
        serde_json::from_slice(&seals.unseal(b"about", &open.about.unwrap()).unwrap()).unwrap();
    assert_eq!(about, json!({"name": "Zoë", "metadata": {"page": "/pricing"}, "known": false}));
}

#[tokio::test]
async fn texts_in_many_scripts_come_back_byte_for_byte() {
    let (world, router) = world();
    let started = start(1).json(json!({"text": TEXTS[0]})).to(&router).await.ok(201);
    let token = started["token"].as_str().unwrap().to_owned();
    for (place, text) in TEXTS.iter().enumerate().skip(1) {
        let post = Call::new("POST /v1/messenger/demo/conversations/c1/messages").token(&token);
        let posted = post.id(10 + place as u32).json(json!({"text": text})).to(&router).await.ok(201);
        assert_eq!(posted, json!({"number": place + 1, "at": AT}));
    }
    let read = Call::new("GET /v1/messenger/demo/conversations/c1/messages?limit=200").token(&token);
    let page = read.to(&router).await.ok(200);
    for (row, text) in page["messages"].as_array().unwrap().iter().zip(TEXTS) {
        assert_eq!(row["text"].as_str().unwrap().as_bytes(), text.as_bytes());
        assert_eq!(row["author"], "customer");
    }
    assert_eq!(page["messages"].as_array().unwrap().len(), TEXTS.len());
    assert_eq!(world.desk.inside().conversations[&ConversationId(1)].key, KeyNumber(1));
}

#[tokio::test]
async fn a_known_customer_is_placed_by_signed_attributes_and_keeps_its_key() {
    let (world, router) = world();
    let rule = EntryRule {
        attributes: [("plan".into(), vec!["gold".into()])].into(),
        known: Some(true),
        priority: Some(10),
        skills: [("french".into(), 3)].into(),
        ..EntryRule::default()
    };
    Arc::make_mut(&mut world.desk.inside().published.settings).entry_rules = vec![rule];
    knows(&world, "jwt-zoe", "zoe@shop", &[("plan", "gold")]);
    let started = start(1).token("jwt-zoe").json(json!({"name": "Not Zoë"})).to(&router).await.ok(201);
    assert_eq!(started["token"], json!(null));
    let Ask::Open(open) = last_ask(&world) else { panic!() };
    assert_eq!((open.priority, open.skills.get("french"), open.key), (Some(10), Some(&3), KeyNumber(1)));
    let about = String::from_utf8(world.door.desks.seals().unseal(b"about", &open.about.unwrap()).unwrap()).unwrap();
    assert!(about.contains("Zoë Signed") && about.contains("gold") && about.contains(r#""known":true"#), "{about}");
    start(2).token("jwt-zoe").json(json!({"text": "again"})).to(&router).await.ok(201);
    let Ask::Open(second) = last_ask(&world) else { panic!() };
    assert_eq!((second.key, second.customer), (KeyNumber(1), open.customer));
}

#[tokio::test]
async fn what_a_visitor_may_not_decide_is_an_unknown_field() {
    let (_, router) = world();
    for field in ["queue", "skills", "priority", "customer", "known"] {
        start(1).json(json!({field: "x"})).to(&router).await.is(400, "bad_request", Some(field));
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_with_the_field_named() {
    let (_, router) = world();
    start(1).body("not json").to(&router).await.is(400, "bad_request", None);
    start(1).body(vec![b'"', 0xff, b'"']).to(&router).await.is(400, "bad_request", None);
    start(1).json(json!({"text": 5})).to(&router).await.is(400, "bad_request", Some("text"));
    start(1).json(json!({"metadata": {"a": 1}})).to(&router).await.is(400, "bad_request", Some("metadata"));
    start(1).json(json!({"text": "x".repeat(16 * 1024 + 1)})).to(&router).await.is(413, "too_large", Some("text"));
    start(1).json(json!({"metadata": {"a": "x".repeat(5_000)}})).to(&router).await.is(
        413,
        "too_large",
        Some("metadata"),
    );
    start(1).body(vec![b' '; 200 * 1024]).to(&router).await.is(413, "too_large", Some("body"));
    start(1).json(json!({"text": ""})).to(&router).await.is(422, "bad_field", Some("text"));
    let without = Call::new("POST /v1/messenger/demo/conversations").json(json!({}));
    without.to(&router).await.is(400, "missing_id", Some("Idempotency-Key"));
    let wrong = Call::new("POST /v1/messenger/demo/conversations").header("idempotency-key", "1").json(json!({}));
    wrong.to(&router).await.is(400, "bad_request", Some("Idempotency-Key"));
    start(1).json(json!({"text": "x".repeat(16 * 1024)})).to(&router).await.ok(201);
}

#[tokio::test]
async fn others_conversations_do_not_exist_for_a_customer() {
    let (world, router) = world();
    let id = world.desk.open(1);
    let stranger = world.anonymous(2);
    let at = format!("/v1/messenger/demo/conversations/{id}");
    for path in [at.clone(), format!("{at}/messages"), format!("{at}/events")] {
        let answer = Call::new(&format!("GET {path}")).token(&stranger).to(&router).await;
        answer.is(404, "no_such_conversation", Some("conversation"));
    }
    for (call, body) in [
        ("messages", json!({"text": "x"})),
        ("read", json!({"number": 1})),
        ("typing", json!({})),
        ("leave", json!({})),
    ] {
        let answer = Call::new(&format!("POST {at}/{call}")).token(&stranger).id(1).json(body).to(&router).await;
        answer.is(404, "no_such_conversation", Some("conversation"));
    }
    for wrong in ["c99", "17", "c017", "%ff"] {
        let answer =
            Call::new(&format!("GET /v1/messenger/demo/conversations/{wrong}")).token(&stranger).to(&router).await;
        assert_eq!(answer.status, 404, "{wrong}");
    }
    let list = Call::new("GET /v1/messenger/demo/").token(&stranger).to(&router).await.ok(200);
    assert_eq!(list, json!({"conversations": []}));
    let own = Call::new("GET /v1/messenger/demo").token(&world.anonymous(1)).to(&router).await.ok(200);
    assert_eq!(own["conversations"][0]["conversation"], "c1");
    let one = Call::new(&format!("GET {at}")).token(&world.anonymous(1)).to(&router).await.ok(200);
    assert!(one["events"].as_str().unwrap().contains("ticket="));
}

#[tokio::test]
async fn a_customer_reads_types_and_leaves() {
    let (world, router) = world();
    let id = world.desk.open(1);
    let token = world.anonymous(1);
    let call = |what: &str| Call::new(&format!("POST /v1/messenger/demo/conversations/{id}/{what}")).token(&token);
    call("read").id(1).json(json!({"number": 1})).to(&router).await.ok(204);
    let reader = Author::Customer(CustomerId(1));
    assert_eq!(last_ask(&world), Ask::Read { conversation: id, reader, number: 1 });
    call("typing").to(&router).await.ok(204);
    call("typing").json(json!({"text": "x"})).to(&router).await.is(400, "bad_request", Some("text"));
    call("leave").to(&router).await.is(400, "missing_id", Some("Idempotency-Key"));
    call("leave").id(2).to(&router).await.ok(204);
    assert!(matches!(last_ask(&world), Ask::Close { .. }));
    call("read").id(3).json(json!({"number": "1"})).to(&router).await.is(400, "bad_request", Some("number"));
    world.desk.inside().refuse = Some(Refusal::NoSuchMessage { number: 9, last: 1 });
    call("read").id(4).json(json!({"number": 9})).to(&router).await.is(422, "no_such_message", Some("number"));
    world.desk.inside().refuse = Some(Refusal::WrongState { conversation: id, state: "closed".into() });
    let closed = call("messages").id(5).json(json!({"text": "x"})).to(&router).await;
    closed.is(409, "wrong_state", Some("conversation"));
    assert_eq!(closed.body["state"], "closed");
}

#[tokio::test]
async fn tokens_are_refused_with_their_reason() {
    let (world, router) = world();
    let list = || Call::new("GET /v1/messenger/demo");
    let expired = format!("ohv1.demo.{}.expired", CustomerId(1));
    let other = format!("ohv1.other.{}.1", CustomerId(1));
    for (call, reason) in [
        (list(), "missing"),
        (list().header("authorization", "Basic abc"), "malformed"),
        (list().token("ohv1.x"), "malformed"),
        (list().token(&expired), "expired"),
        (list().token(&other), "unknown_key"),
        (list().token("jwt-unknown"), "unknown_key"),
    ] {
        let answer = call.to(&router).await;
        answer.is(401, "unauthorized", None);
        assert_eq!(answer.body["reason"], reason);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    Call::new("GET /v1/messenger/nowhere").to(&router).await.is(404, "not_found", None);
    let sign_out = || Call::new("POST /v1/messenger/demo/sign_out").token(&world.anonymous(1)).id(1);
    sign_out().to(&router).await.ok(204);
    let revoked = list().token(&world.anonymous(1)).to(&router).await;
    revoked.is(401, "unauthorized", None);
    assert_eq!(revoked.body["reason"], "revoked");
    sign_out().to(&router).await.ok(204);
}

#[tokio::test]
async fn an_anonymous_customer_becomes_a_known_one() {
    let (world, router) = world();
    world.desk.open(1);
    knows(&world, "jwt-zoe", "zoe@shop", &[]);
    let identify = |token: &str| Call::new("POST /v1/messenger/demo/identify").token(token).id(7);
    let body = json!({"anonymous_token": world.anonymous(1)});
    let merged = identify("jwt-zoe").json(body.clone()).to(&router).await.ok(200);
    assert_eq!(merged, json!({"conversations": 1}));
    assert_eq!(identify("jwt-zoe").json(body.clone()).to(&router).await.ok(200), merged);
    identify(&world.anonymous(2)).json(body).to(&router).await.is(403, "forbidden", None);
    let bad = identify("jwt-zoe").json(json!({"anonymous_token": "ohv1.bad"})).to(&router).await;
    bad.is(422, "bad_field", Some("anonymous_token"));
    identify("jwt-zoe").json(json!({})).to(&router).await.is(400, "bad_request", Some("anonymous_token"));
}

#[tokio::test]
async fn messages_come_in_pages_and_cursors_are_checked() {
    let (world, router) = world();
    let id = world.desk.open(1);
    let profile: AgentProfile = serde_json::from_value(json!({"name": "ada", "title": "Ada"})).unwrap();
    world.desk.inside().profiles.insert("ada".into(), Arc::new(profile));
    for number in 1..=5 {
        let sealed = world.door.desks.seals().seal(KeyNumber(1), b"text", format!("m{number}").as_bytes()).unwrap();
        let author = if number == 3 { Author::Agent(AgentId(1)) } else { Author::Customer(CustomerId(1)) };
        world.desk.posted(id, author, sealed);
    }
    let page = async |query: &str| {
        let call = Call::new(&format!("GET /v1/messenger/demo/conversations/{id}/messages{query}"));
        call.token(&world.anonymous(1)).to(&router).await
    };
    let numbers = async |query: &str| {
        let body = page(query).await.ok(200);
        let numbers: Vec<u64> =
            body["messages"].as_array().unwrap().iter().map(|row| row["number"].as_u64().unwrap()).collect();
        (numbers, body["more"].as_bool().unwrap())
    };
    assert_eq!(numbers("").await, (vec![1, 2, 3, 4, 5], false));
    assert_eq!(numbers("?limit=2").await, (vec![4, 5], true));
    assert_eq!(numbers("?before=4&limit=2").await, (vec![2, 3], true));
    assert_eq!(numbers("?after=1&limit=2").await, (vec![2, 3], true));
    assert_eq!(numbers("?after=3&limit=2").await, (vec![4, 5], false));
    assert_eq!(numbers("?after=5").await, (vec![], false));
    let third = page("?after=2&limit=1").await.ok(200);
    assert_eq!(
        third["messages"][0],
        json!({"number": 3, "author": "agent", "agent": {"title": "Ada"}, "text": "m3", "at": AT})
    );
    for (query, status, code, field) in [
        ("?after=x", 422, "bad_cursor", "after"),
        ("?before=-1", 422, "bad_cursor", "before"),
        ("?after=1&before=2", 422, "bad_cursor", "before"),
        ("?limit=0", 422, "bad_field", "limit"),
        ("?limit=201", 422, "bad_field", "limit"),
        ("?page=1", 400, "bad_request", "page"),
    ] {
        page(query).await.is(status, code, Some(field));
    }
    world.desks.seals.erased.lock().unwrap().insert(KeyNumber(1));
    assert_eq!(page("?limit=1").await.ok(200)["messages"][0]["text"], "");
    world.desk.inside().view_stuck = true;
    world.desk.inside().position += 1;
    let behind = page("").await;
    behind.is(503, "behind", None);
    assert_eq!(behind.headers["retry-after"], "1");
}

#[tokio::test]
async fn rates_are_limited_by_customer_and_by_address_and_retries_are_not_counted() {
    let (world, router) = world();
    let from = |id: u32, address: &str| start(id).header("x-address", address).json(json!({}));
    for id in 1..=5 {
        from(id, "10.0.0.1").to(&router).await.ok(201);
        from(id, "10.0.0.1").to(&router).await.ok(201);
    }
    let limited = from(6, "10.0.0.1").to(&router).await;
    limited.is(429, "rate_limited", None);
    assert_eq!(limited.body["retry_after_ms"], 120_000);
    assert_eq!(limited.headers["retry-after"], "120");
    from(6, "10.0.0.2").to(&router).await.ok(201);
    for id in 10..=14 {
        from(id, &format!("10.0.1.{id}")).token(&world.anonymous(9)).to(&router).await.ok(201);
    }
    from(15, "10.0.1.15").token(&world.anonymous(9)).to(&router).await.is(429, "rate_limited", None);
    for host in 1..=5_u32 {
        from(20 + host, &format!("2001:db8::{host}")).to(&router).await.ok(201);
    }
    from(26, "2001:db8::ffff").to(&router).await.is(429, "rate_limited", None);
    world.pass_ms(120_000);
    from(6, "10.0.0.1").to(&router).await.ok(201);

    let id = world.desk.open(1);
    let post = |number: u32| {
        let call = Call::new(&format!("POST /v1/messenger/demo/conversations/{id}/messages"));
        call.token(&world.anonymous(1)).id(number).json(json!({"text": "x"}))
    };
    for number in 0..10 {
        post(100 + number).to(&router).await.ok(201);
    }
    let limited = post(200).to(&router).await;
    limited.is(429, "rate_limited", None);
    assert_eq!(
        (limited.body["retry_after_ms"].clone(), &limited.headers["retry-after"]),
        (json!(1_000), &"1".parse().unwrap())
    );
    world.pass_ms(1_000);
    post(200).to(&router).await.ok(201);
}

#[tokio::test]
async fn only_listed_origins_may_call_and_preflights_are_answered() {
    let (_, router) = world();
    let preflight = |origin: &str| {
        let call = Call::new("OPTIONS /v1/messenger/demo/conversations").header("origin", origin);
        call.header("access-control-request-method", "POST").header("access-control-request-headers", "idempotency-key")
    };
    let answer = preflight("https://shop.example").to(&router).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
    assert!(answer.headers["access-control-allow-headers"].to_str().unwrap().contains("Idempotency-Key"));
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    assert_eq!(answer.headers["vary"], "Origin");
    for origin in ["https://evil.example", "null"] {
        let answer = preflight(origin).to(&router).await;
        answer.is(403, "forbidden", None);
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        start(1).header("origin", origin).json(json!({})).to(&router).await.is(403, "forbidden", None);
    }
    let allowed = start(1).header("origin", "https://shop.example").json(json!({})).to(&router).await;
    assert_eq!((allowed.status.as_u16(), &allowed.headers["vary"]), (201, &"Origin".parse().unwrap()));
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://shop.example");
    let refused = start(2).header("origin", "https://shop.example").body("x").to(&router).await;
    assert_eq!(refused.headers["access-control-allow-origin"], "https://shop.example");
}

#[tokio::test]
async fn what_the_workspace_cannot_do_now_is_told_with_when_to_come_back() {
    let (world, router) = world();
    world.desk.inside().not_done = Some(NotDone::Busy { retry_after_ms: 1_500 });
    let busy = start(1).json(json!({})).to(&router).await;
    busy.is(503, "busy", None);
    assert_eq!((&busy.headers["retry-after"], &busy.body["retry_after_ms"]), (&"2".parse().unwrap(), &json!(1_500)));
    world.desk.inside().not_done = Some(NotDone::Unavailable { retry_after_ms: 1_000, why: "the disk is full".into() });
    start(1).json(json!({})).to(&router).await.is(503, "unavailable", None);
    world.desk.inside().not_done = None;
    world.desk.inside().refuse = Some(Refusal::QueueFull { queue: "support".into(), waiting_max: 1 });
    start(1).json(json!({})).to(&router).await.is(409, "queue_full", Some("queue"));
    world.desk.inside().refuse = None;
    Arc::make_mut(&mut world.desk.inside().published.settings).default_queue = None;
    start(1).json(json!({})).to(&router).await.is(404, "no_such_queue", None);
}

#[tokio::test]
async fn pages_that_are_not_there_and_wrong_methods_are_problems_too() {
    let (_, router) = world();
    Call::new("GET /nowhere").to(&router).await.is(404, "not_found", None);
    Call::new("GET /v1/messenger/demo/conversations/c1/nothing").to(&router).await.is(404, "not_found", None);
    let wrong = Call::new("DELETE /v1/messenger/demo/conversations/c1/messages").to(&router).await;
    wrong.is(405, "method_not_allowed", None);
    assert!(wrong.headers["allow"].to_str().unwrap().contains("POST"));
}

#[tokio::test]
async fn what_the_workspace_itself_says_is_read_in_the_clear() {
    let (world, router) = world();
    let id = world.desk.open(1);
    world.desk.posted(id, Author::System(Notice::NobodyThere), "We are back at 9.".into());
    let call = Call::new(&format!("GET /v1/messenger/demo/conversations/{id}/messages"));
    let page = call.token(&world.anonymous(1)).to(&router).await.ok(200);
    assert_eq!(
        page["messages"],
        json!([{"number": 1, "author": "system", "notice": "nobody_there", "text": "We are back at 9.", "at": AT}])
    );
}
