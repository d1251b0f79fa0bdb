//! The admin API's calls and refusals, against a fake workspace.

use super::router;
use crate::audit::{Limits, Trail};
use crate::desk::command::{Ask, Author, Notice};
use crate::desk::ids::{CustomerId, KeyNumber, Principal};
use crate::desk::refusal::Refusal;
use crate::desk::settings::{ApiKey, Role};
use crate::gateway::http::fakes::{AT, Call, FakeDesk, World};
use crate::gateway::http::identities::{AgentToken, Identities};
use crate::gateway::signin::{Endings, Signins};
use axum::Router;
use serde_json::{Value, json};
use std::sync::Arc;

fn world() -> (World, Router) {
    let world = World::new();
    world.desks.desks.lock().unwrap().push(FakeDesk::new("other"));
    for (secret, scopes) in [(1, &["read"][..]), (2, &["read", "write", "admin", "keys"]), (3, &["keys"])] {
        key(&world, &world.desk, secret, scopes);
    }
    let router = router_of(&world, 100);
    (world, router)
}

fn router_of(world: &World, calls_per_s: u32) -> Router {
    let endings = Endings { signins: Arc::new(Signins::in_memory()), desks: world.door.desks.clone(), now_s: || 0 };
    let dir = tempfile::tempdir().unwrap();
    let trail = Trail::open(dir.path(), Limits { kept_ms: None, acts_max: 100 }).unwrap();
    // It has its files open, and needs their names no more.
    router(world.door.clone(), endings, None, trail, calls_per_s)
}

fn key(world: &World, desk: &FakeDesk, secret: u8, scopes: &[&str]) {
    let scopes = scopes.iter().map(|scope| (*scope).into()).collect();
    let (_, kept) = world.identities.new_api_key([secret; 32], "test", scopes, Default::default());
    Arc::make_mut(&mut desk.inside().published.api_keys).insert(kept.id.clone(), kept);
}

fn text(secret: u8) -> String {
    format!("ohk_{}", format!("{secret:02x}").repeat(32))
}

fn call(line: &str) -> Call {
    let (method, path) = line.split_once(' ').unwrap();
    Call::new(&format!("{method} /v1/workspaces/demo{path}")).token(&text(2))
}

fn asked(world: &World) -> Ask {
    world.desk.inside().asked.last().unwrap().ask.clone()
}

#[tokio::test]
async fn scopes_roles_and_workspaces_are_enforced() {
    let (world, router) = world();
    let by = |token: &str, line: &str| {
        let (method, path) = line.split_once(' ').unwrap();
        Call::new(&format!("{method} /v1/workspaces{path}")).token(token).id(1).json(json!({}))
    };
    by(&text(1), "GET /demo/settings").to(&router).await.ok(200);
    for line in [
        "PUT /demo/settings",
        "PUT /demo/queues/q",
        "DELETE /demo/queues/q",
        "PUT /demo/agents/a",
        "GET /demo/keys",
        "POST /demo/keys",
        "POST /demo/conversations/c1/close",
    ] {
        by(&text(1), line).to(&router).await.is(403, "forbidden", None);
    }
    by(&text(3), "GET /demo/conversations").to(&router).await.is(403, "forbidden", None);
    by(&text(2), "GET /other/settings").to(&router).await.is(404, "not_found", None);
    by(&text(2), "GET /nowhere/settings").to(&router).await.is(404, "not_found", None);
    let unknown = by(&text(9), "GET /demo/settings").to(&router).await;
    unknown.is(401, "unauthorized", None);
    assert_eq!(unknown.body["reason"], "unknown_key");
    Call::new("GET /v1/workspaces/demo/settings").to(&router).await.is(401, "unauthorized", None);

    for (token, role) in [("jwt-admin", Role::Admin), ("jwt-agent", Role::Agent), ("jwt-supervisor", Role::Supervisor)]
    {
        let claims = AgentToken { name: "ada".into(), workspace: "demo".into(), role };
        world.identities.agents.lock().unwrap().insert(token.into(), claims);
    }
    by("jwt-admin", "PUT /demo/settings").to(&router).await.ok(200);
    by("jwt-admin", "GET /other/settings").to(&router).await.is(404, "not_found", None);
    by("jwt-agent", "GET /demo/settings").to(&router).await.is(403, "forbidden", None);
    by("jwt-supervisor", "GET /demo/settings").to(&router).await.is(403, "forbidden", None);
    call("PUT /agents/ada").id(2).json(json!({"active": false})).to(&router).await.ok(200);
    by("jwt-admin", "GET /demo/settings").to(&router).await.is(403, "agent_deactivated", Some("agent"));
}

#[tokio::test]
async fn settings_are_read_and_replaced_and_faults_are_named() {
    let (world, router) = world();
    let mut settings = call("GET /settings").to(&router).await.ok(200);
    assert_eq!(settings["devices_max"], 5);
    settings["devices_max"] = json!(3);
    let put = |id: u32, body: Value| call("PUT /settings").id(id).json(body);
    put(1, settings.clone()).to(&router).await.ok(200);
    assert!(matches!(asked(&world), Ask::PutSettings(put) if put.devices_max == 3));
    assert!(matches!(world.desk.inside().asked[0].principal, Principal::ApiKey(_)));
    put(2, json!({"statuses": [{"name": "x"}]})).to(&router).await.is(
        400,
        "bad_request",
        Some("statuses[0].available"),
    );
    put(3, json!({"colour": 1})).to(&router).await.is(400, "bad_request", Some("colour"));
    call("PUT /settings").json(settings.clone()).to(&router).await.is(400, "missing_id", Some("Idempotency-Key"));
    world.desk.inside().refuse = Some(Refusal::BadSetting { field: "channels[0].weight".into(), what: "is 0".into() });
    put(4, settings).to(&router).await.is(422, "bad_setting", Some("channels[0].weight"));
    call("PUT /settings").id(5).body(vec![b' '; 300 * 1024]).to(&router).await.is(413, "too_large", Some("body"));
}

#[tokio::test]
async fn queues_are_listed_put_and_removed() {
    let (world, router) = world();
    let page = call("GET /queues").to(&router).await.ok(200);
    assert_eq!((page["queues"][0]["name"].as_str(), page["next"].as_str()), (Some("support"), None));
    assert_eq!(call("GET /queues/support").to(&router).await.ok(200)["title"], "Support");
    call("GET /queues/none").to(&router).await.is(404, "no_such_queue", Some("queue"));
    let put = call("PUT /queues/vente%20%C3%A9").id(1).json(json!({"waiting_max": 5})).to(&router).await.ok(200);
    assert_eq!(put["name"], "vente é");
    assert!(matches!(asked(&world), Ask::PutQueue(queue) if &*queue.name == "vente é" && queue.waiting_max == 5));
    let other = call("PUT /queues/a").id(2).json(json!({"name": "b"})).to(&router).await;
    other.is(422, "bad_field", Some("name"));
    call("PUT /queues/a").id(3).json(json!({"waiting_most": 1})).to(&router).await.is(
        400,
        "bad_request",
        Some("waiting_most"),
    );
    call("DELETE /queues/support").id(4).to(&router).await.ok(204);
    world.desk.inside().refuse = Some(Refusal::QueueInUse { queue: "support".into(), conversations: 2 });
    call("DELETE /queues/support").id(5).to(&router).await.is(409, "queue_in_use", Some("queue"));
}

#[tokio::test]
async fn agents_are_put_member_by_member_and_listed_in_pages() {
    let (world, router) = world();
    for (id, name) in ["ada", "bob", "eve"].into_iter().enumerate() {
        let put =
            call(&format!("PUT /agents/{name}")).id(id as u32).json(json!({"title": name, "queues": ["support"]}));
        assert_eq!(put.to(&router).await.ok(200)["queues"], json!(["support"]));
    }
    let Ask::PutAgent(ask) = asked(&world) else { panic!() };
    assert_eq!((ask.active, ask.skills.clone()), (None, None));
    let first = call("GET /agents?limit=2").to(&router).await.ok(200);
    assert_eq!((first["agents"].as_array().unwrap().len(), &first["next"]), (2, &json!("bob")));
    let second = call("GET /agents?limit=2&cursor=bob").to(&router).await.ok(200);
    assert_eq!((&second["agents"][0]["name"], &second["next"]), (&json!("eve"), &Value::Null));
    call("GET /agents/nobody").to(&router).await.is(404, "no_such_agent", Some("agent"));
    call("PUT /agents/ada").id(9).json(json!({"skills": {"french": "x"}})).to(&router).await.is(
        400,
        "bad_request",
        Some("skills.french"),
    );
    let live = call("GET /live/agents").to(&router).await.ok(200);
    assert_eq!((&live["rows"][0]["agent"], &live["rows"][0]["status"]), (&json!("ada"), &json!("available")));
    assert_eq!(call("GET /live/queues").to(&router).await.ok(200)["rows"][0]["queue"], "support");
}

#[tokio::test]
async fn a_key_is_said_once_and_again_only_to_the_same_request() {
    let (_, router) = world();
    let create = |id: u32, body: Value| call("POST /keys").id(id).json(body);
    let body = json!({"name": "ci", "scopes": ["read"]});
    let made = create(1, body.clone()).to(&router).await.ok(201);
    assert_eq!(create(1, body.clone()).to(&router).await.ok(201), made);
    assert_ne!(create(2, body.clone()).to(&router).await.ok(201)["key"], made["key"]);
    create(1, json!({"name": "ci", "scopes": ["write"]})).to(&router).await.is(409, "id_reused", Some("id"));
    let by_it = Call::new("GET /v1/workspaces/demo/settings").token(made["key"].as_str().unwrap());
    by_it.to(&router).await.ok(200);
    let listed = call("GET /keys").to(&router).await.ok(200).to_string();
    assert!(listed.contains(made["id"].as_str().unwrap()));
    assert!(!listed.contains(made["key"].as_str().unwrap()) && !listed.contains("sha256"));
    create(3, json!({"name": "ci", "scopes": ["root"]})).to(&router).await.is(422, "bad_field", Some("scopes"));
    create(4, json!({"name": "", "scopes": ["read"]})).to(&router).await.is(422, "bad_field", Some("name"));
    create(5, body.clone()).header("x", "y").to(&router).await.ok(201);
    let weak = Call::new("POST /v1/workspaces/demo/keys").token(&text(3)).id(6).json(body);
    weak.to(&router).await.is(403, "forbidden", None);
    call("DELETE /keys/abc").id(7).to(&router).await.ok(204);
}

#[tokio::test]
async fn history_is_unsealed_and_search_finds_words() {
    let (world, router) = world();
    let seals = world.door.desks.seals();
    for (customer, words) in [(1, "Where is my ORDER?"), (2, "Где мой ЗАКАЗ?"), (3, "nothing")] {
        let id = world.desk.open(customer);
        let sealed = seals.seal(KeyNumber(customer as u64), b"text", words.as_bytes()).unwrap();
        world.desk.posted(id, Author::Customer(CustomerId(customer)), sealed);
    }
    let found = async |query: &str| {
        let page = call(&format!("GET /conversations{query}")).to(&router).await.ok(200);
        let ids: Vec<String> = page["conversations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["conversation"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(found("").await, (vec!["c3".into(), "c2".into(), "c1".into()], None));
    assert_eq!(found("?limit=2").await, (vec!["c3".into(), "c2".into()], Some("c2".into())));
    assert_eq!(found("?limit=2&cursor=c2").await, (vec!["c1".into()], None));
    assert_eq!(found("?text=order").await, (vec!["c1".into()], None));
    assert_eq!(found("?text=%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7").await, (vec!["c2".into()], None));
    assert_eq!(found(&format!("?customer={}&state=waiting&queue=support", CustomerId(3))).await.0, ["c3"]);
    for (query, status, code, field) in [
        ("?state=asleep", 422, "bad_field", "state"),
        ("?customer=zoe", 422, "bad_field", "customer"),
        ("?from=yesterday", 422, "bad_field", "from"),
        ("?cursor=17", 422, "bad_cursor", "cursor"),
        ("?queue=none", 404, "no_such_queue", "queue"),
        ("?agent=none", 404, "no_such_agent", "agent"),
        ("?words=x", 400, "bad_request", "words"),
    ] {
        call(&format!("GET /conversations{query}")).to(&router).await.is(status, code, Some(field));
    }
    let messages = call("GET /conversations/c2/messages").to(&router).await.ok(200);
    assert_eq!(
        messages["messages"][0],
        json!({"number": 1, "author": {"customer": CustomerId(2)}, "text": "Где мой ЗАКАЗ?", "at": AT})
    );
    let events = call("GET /conversations/c1/events").to(&router).await.ok(200);
    assert_eq!(events["events"][0]["event"], "message_posted");
    assert_eq!(events["events"][0]["data"]["text"], "Where is my ORDER?");
    assert_eq!(events["events"][0]["data"]["conversation"], "c1");
    world.desks.seals.erased.lock().unwrap().insert(KeyNumber(2));
    let erased = call("GET /conversations/c2/messages").to(&router).await.ok(200);
    assert_eq!(erased["messages"][0]["text"], Value::Null);
    call("GET /conversations/c99").to(&router).await.is(404, "no_such_conversation", Some("conversation"));
    call("POST /conversations/c1/close").id(1).to(&router).await.ok(204);
}

#[tokio::test]
async fn a_search_that_is_long_goes_on_where_it_stopped() {
    let (world, router) = world();
    let seals = world.door.desks.seals();
    let long = seals.seal(KeyNumber(1), b"text", "x".repeat(16 * 1024).as_bytes()).unwrap();
    let needle = seals.seal(KeyNumber(1), b"text", b"needle").unwrap();
    let id = world.desk.open(1);
    for _ in 0..300 {
        world.desk.posted(id, Author::Customer(CustomerId(1)), long.clone());
    }
    world.desk.posted(id, Author::Customer(CustomerId(1)), needle);
    let first = call("GET /conversations?text=needle").to(&router).await.ok(200);
    assert_eq!(first["conversations"], json!([]));
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with("c1."), "{next}");
    let second = call(&format!("GET /conversations?text=needle&cursor={next}")).to(&router).await.ok(200);
    assert_eq!((&second["conversations"][0]["conversation"], &second["next"]), (&json!("c1"), &Value::Null));
}

#[tokio::test]
async fn workspaces_are_listed_and_made_by_who_reaches_them() {
    let (world, router) = world();
    let list = |token: &str| Call::new("GET /v1/workspaces").token(token);
    assert_eq!(list(&text(1)).to(&router).await.ok(200), json!({"workspaces": ["demo"]}));
    let make = |token: &str, name: &str| Call::new(&format!("PUT /v1/workspaces/{name}")).token(token).id(1);
    make(&text(2), "new").to(&router).await.is(404, "not_found", None);
    let kept = ApiKey {
        id: "root".into(),
        name: "root".into(),
        sha256: "0".repeat(64).into(),
        scopes: vec!["read".into(), "admin".into()],
        created_at: 0,
    };
    *world.identities.server_key.lock().unwrap() = Some(("ohk_root".to_owned(), kept));
    make("ohk_root", "new").to(&router).await.ok(200);
    assert_eq!(make("ohk_root", "new").to(&router).await.ok(200), json!({"workspace": "new"}));
    make("ohk_root", "Bad_Name").to(&router).await.is(422, "bad_field", Some("workspace"));
    assert_eq!(list("ohk_root").to(&router).await.ok(200), json!({"workspaces": ["demo", "other", "new"]}));
}

#[tokio::test]
async fn keys_are_limited_to_a_hundred_a_second() {
    let (world, router) = world();
    for _ in 0..100 {
        call("GET /settings").to(&router).await.ok(200);
    }
    let limited = call("GET /settings").to(&router).await;
    limited.is(429, "rate_limited", None);
    assert_eq!(limited.body["retry_after_ms"], 10);
    world.pass_ms(10);
    call("GET /settings").to(&router).await.ok(200);
    call("PATCH /settings").to(&router).await.is(405, "method_not_allowed", None);
}

#[tokio::test]
async fn what_the_workspace_itself_says_is_in_history_and_found_by_words() {
    let (world, router) = world();
    let id = world.desk.open(1);
    world.desk.posted(id, Author::System(Notice::Reminder), "Are you still there?".into());
    let page = call(&format!("GET /conversations/{id}/messages")).to(&router).await.ok(200);
    assert_eq!(page["messages"][0]["author"], json!({"system": "reminder"}));
    assert_eq!(page["messages"][0]["text"], "Are you still there?");
    let found = call("GET /conversations?text=still").to(&router).await.ok(200);
    assert_eq!(found["conversations"][0]["conversation"], json!(id.to_string()));
}
