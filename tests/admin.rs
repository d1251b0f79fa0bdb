//! The admin API: scopes, pages, settings, queues, agents, keys, live state, history and search; and the operators' port.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::http::Http;
use support::scene::{DEMO, eventually, refused, server, talking};
use support::{Agent, Customer, Response, Server, command_id, within};

/// A call below the first workspace, with this token and this command id.
async fn call_as(
    server: &Server,
    token: &str,
    id: Option<&str>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Response {
    let mut http = Http::connect(server.address).await.unwrap();
    let mut headers = format!("Authorization: Bearer {token}\r\n");
    if let Some(id) = id {
        headers += &format!("Idempotency-Key: {id}\r\n");
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let path = format!("/v1/workspaces/{DEMO}{path}");
    within("an answer", http.ask(method, &path, &headers, body.as_bytes())).await.unwrap()
}

async fn call(server: &Server, method: &str, path: &str, body: Option<Value>) -> Response {
    call_as(server, &server.admin_key(), Some(&command_id()), method, path, body).await
}

async fn ok(server: &Server, method: &str, path: &str, body: Option<Value>) -> Value {
    let answer = call(server, method, path, body).await;
    assert!(answer.is_success(), "{method} {path}: {} {}", answer.status, answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

fn is(answer: &Response, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.json()["code"], code, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_put_whole_and_checked() {
    let mut server = server();
    let settings = ok(&server, "GET", "/settings", None).await;
    assert_eq!(settings["default_queue"], "support");
    for (member, wrong) in [
        ("devices_max", json!(0)),
        ("delivery_ms", json!(1)),
        ("offer_grace_ms", json!(1_000_000)),
        ("default_queue", json!("nowhere")),
        ("statuses", json!([])),
        ("new_agent_queues", json!(["nowhere"])),
    ] {
        let mut put = settings.clone();
        put[member] = wrong;
        let refused = call(&server, "PUT", "/settings", Some(put)).await;
        is(&refused, 422, "bad_setting");
        assert!(refused.json()["field"].as_str().is_some_and(|field| field.starts_with(member)), "{}", refused.text());
    }
    let unknown = call(&server, "PUT", "/settings", Some(json!({"devices_most": 5}))).await;
    is(&unknown, 400, "bad_request");
    assert_eq!(unknown.json()["field"], "devices_most");
    assert_eq!(ok(&server, "GET", "/settings", None).await, settings, "nothing of it was taken");
    let mut put = settings.clone();
    put["devices_max"] = 3.into();
    let id = command_id();
    let key = server.admin_key();
    for _ in 0..2 {
        let done = call_as(&server, &key, Some(&id), "PUT", "/settings", Some(put.clone())).await;
        assert_eq!((done.status, done.json()), (200, put.clone()));
    }
    is(&call_as(&server, &key, Some(&id), "PUT", "/settings", Some(settings)).await, 409, "id_reused");
    is(&call_as(&server, &key, None, "PUT", "/settings", Some(put.clone())).await, 400, "missing_id");
    server.kill();
    server.start_again();
    assert_eq!(ok(&server, "GET", "/settings", None).await, put);
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_come_and_go_and_one_that_holds_something_stays() {
    let server = server();
    for name in ["b", "a", "c"] {
        assert_eq!(ok(&server, "PUT", &format!("/queues/{name}"), Some(json!({"title": name}))).await["name"], name);
    }
    let page = ok(&server, "GET", "/queues?limit=2", None).await;
    let names = |page: &Value| -> Vec<String> {
        page["queues"].as_array().unwrap().iter().map(|queue| queue["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names(&page), &page["next"]), (vec!["a".to_owned(), "b".to_owned()], &json!("b")));
    let rest = ok(&server, "GET", "/queues?limit=2&cursor=b", None).await;
    assert_eq!((names(&rest), &rest["next"]), (vec!["c".to_owned(), "support".to_owned()], &Value::Null));
    ok(&server, "DELETE", "/queues/b", None).await;
    is(&call(&server, "GET", "/queues/b", None).await, 404, "no_such_queue");
    is(&call(&server, "DELETE", "/queues/b", None).await, 404, "no_such_queue");
    is(&call(&server, "DELETE", "/queues/support", None).await, 422, "bad_setting");
    is(&call(&server, "PUT", "/queues/d", Some(json!({"name": "e"}))).await, 422, "bad_field");
    is(&call(&server, "PUT", "/queues/d", Some(json!({"waiting_max": 0}))).await, 422, "bad_setting");
    server.change_settings(DEMO, |settings| settings["entry_rules"] = json!([{"queue": "a"}])).await;
    let customer = Customer::start(server.address, DEMO, "hello").await;
    server.change_settings(DEMO, |settings| settings["entry_rules"] = json!([])).await;
    is(&call(&server, "DELETE", "/queues/a", None).await, 409, "queue_in_use");
    ok(&server, "POST", &format!("/conversations/{}/close", customer.conversation), None).await;
    ok(&server, "DELETE", "/queues/a", None).await;
    let rows = eventually(
        "live queues",
        async || ok(&server, "GET", "/live/queues", None).await,
        |page| page["rows"].as_array().is_some_and(|rows| rows.len() == 2),
    );
    assert_eq!(rows.await["rows"][1]["queue"], "support");
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_changed_member_by_member() {
    let server = server();
    let made = ok(
        &server,
        "PUT",
        "/agents/ada",
        Some(json!({"title": "Ada", "skills": {"french": 5}, "queues": ["support"]})),
    )
    .await;
    assert_eq!((&made["title"], &made["active"], &made["queues"]), (&json!("Ada"), &json!(true), &json!(["support"])));
    let changed = ok(&server, "PUT", "/agents/ada", Some(json!({"capacity": {"chat": 1}}))).await;
    assert_eq!(
        (&changed["title"], &changed["skills"], &changed["capacity"]),
        (&json!("Ada"), &json!({"french": 5}), &json!({"chat": 1}))
    );
    for (body, status, code) in [
        (json!({"skills": {"french": 11}}), 422, "bad_setting"),
        (json!({"queues": ["nowhere"]}), 422, "bad_setting"),
        (json!({"name": "bob"}), 422, "bad_field"),
        (json!({"colour": "red"}), 400, "bad_request"),
    ] {
        let refused = call(&server, "PUT", "/agents/ada", Some(body.clone())).await;
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)), "{body}: {}", refused.text());
    }
    is(&call(&server, "GET", "/agents/nobody", None).await, 404, "no_such_agent");
    // Capacity 1: a second conversation waits until the first is over.
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let first = Customer::start(server.address, DEMO, "first").await;
    let offer = agent.wait_for("offer").await["offer"]["offer"].clone();
    agent.must(json!({"type": "accept", "offer": offer})).await;
    let second = Customer::start(server.address, DEMO, "second").await;
    agent.must(json!({"type": "ready"})).await;
    assert!(agent.kept().all(|frame| frame["type"] != "offer"));
    agent.must(json!({"type": "close", "conversation": first.conversation})).await;
    let offer = agent.wait_for("offer").await;
    assert_eq!(offer["offer"]["conversation"]["conversation"], second.conversation.as_str());
    let row = support::scene::live_agent(&server, "ada").await;
    assert_eq!(
        (&row["connection"], &row["status"], &row["offers"]),
        (&json!("online"), &json!("available"), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let mut server = server();
    let make = |scopes: Value| json!({"name": "ci", "scopes": scopes});
    let id = command_id();
    let made = call_as(&server, &server.admin_key(), Some(&id), "POST", "/keys", Some(make(json!(["read"])))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("ohk_"));
    let again = call_as(&server, &server.admin_key(), Some(&id), "POST", "/keys", Some(make(json!(["read"])))).await;
    assert_eq!(again.json()["key"], key.as_str(), "whoever did not hear the answer asks again");
    let listed = ok(&server, "GET", "/keys", None).await.to_string();
    assert!(!listed.contains(&key) && listed.contains(made.json()["id"].as_str().unwrap()));
    assert_eq!(call_as(&server, &key, None, "GET", "/settings", None).await.status, 200);
    let settings = ok(&server, "GET", "/settings", None).await;
    for (method, path, body) in [
        ("PUT", "/settings", Some(settings)),
        ("PUT", "/queues/x", Some(json!({}))),
        ("PUT", "/agents/x", Some(json!({}))),
        ("GET", "/keys", None),
        ("POST", "/keys", Some(make(json!(["read"])))),
        ("POST", "/conversations/c1/close", None),
    ] {
        is(&call_as(&server, &key, Some(&command_id()), method, path, body).await, 403, "forbidden");
    }
    let keys_only = ok(&server, "POST", "/keys", Some(make(json!(["keys"])))).await["key"].as_str().unwrap().to_owned();
    let more = call_as(&server, &keys_only, Some(&command_id()), "POST", "/keys", Some(make(json!(["admin"])))).await;
    is(&more, 403, "forbidden");
    is(&call(&server, "POST", "/keys", Some(make(json!(["root"])))).await, 422, "bad_field");
    server.workspace("other").await;
    let mut http = Http::connect(server.address).await.unwrap();
    let elsewhere = http
        .ask("GET", "/v1/workspaces/other/settings", &format!("Authorization: Bearer {key}\r\n"), b"")
        .await
        .unwrap();
    is(&elsewhere, 404, "not_found");
    server.kill();
    server.start_again();
    assert_eq!(call_as(&server, &key, None, "GET", "/settings", None).await.status, 200, "after a restart");
    ok(&server, "DELETE", &format!("/keys/{}", made.json()["id"].as_str().unwrap()), None).await;
    is(&call_as(&server, &key, None, "GET", "/settings", None).await, 401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_administrator_is_told_so() {
    let server = server();
    let mut http = Http::connect(server.address).await.unwrap();
    let none = http.ask("GET", &format!("/v1/workspaces/{DEMO}/settings"), "", b"").await.unwrap();
    is(&none, 401, "unauthorized");
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    for (token, status, code) in [
        ("ohk_forged".to_owned(), 401, "unauthorized"),
        ("a.b.c".to_owned(), 401, "unauthorized"),
        (server.agent_token(DEMO, "ada", Role::Agent), 403, "forbidden"),
        (server.agent_token(DEMO, "sue", Role::Supervisor), 403, "forbidden"),
        (server.agent_token("other", "eve", Role::Admin), 404, "not_found"),
    ] {
        is(&call_as(&server, &token, None, "GET", "/settings", None).await, status, code);
    }
    let admin = server.agent_token(DEMO, "root", Role::Admin);
    assert_eq!(call_as(&server, &admin, None, "GET", "/settings", None).await.status, 200);
    is(&call(&server, "PATCH", "/settings", None).await, 405, "method_not_allowed");
    is(&call(&server, "GET", "/nowhere", None).await, 404, "not_found");
    is(&call(&server, "GET", "/queues?limit=0", None).await, 422, "bad_field");
    is(&call(&server, "GET", "/conversations?state=asleep", None).await, 422, "bad_field");
    is(&call(&server, "GET", "/conversations?cursor=17", None).await, 422, "bad_cursor");
    is(&call(&server, "GET", "/conversations?agent=nobody", None).await, 404, "no_such_agent");
    is(&call(&server, "GET", "/conversations/c99", None).await, 404, "no_such_conversation");
    let huge = Some(json!({"title": "x".repeat(300_000)}));
    is(&call(&server, "PUT", "/queues/x", huge).await, 413, "too_large");
    let names = http
        .ask("GET", "/v1/workspaces", &format!("Authorization: Bearer {}\r\n", server.admin_key()), b"")
        .await
        .unwrap();
    assert_eq!(names.json()["workspaces"], json!([DEMO]));
    let named = server.admin("PUT", "/v1/workspaces/Bad_Name", None).await;
    assert_eq!(named.status, 422, "{}", named.text());
}

/// As after a disk that was full behind the first queue, and before the settings that lead there.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_was_made_by_half_is_made_whole_when_it_is_made_again() {
    let server = server();
    let whole = server.workspace("acme").await;
    assert_eq!((&whole["default_queue"], &whole["new_agent_queues"]), (&json!("support"), &json!(["support"])));
    let half = |settings: &mut Value| {
        settings["default_queue"] = Value::Null;
        settings["new_agent_queues"] = json!([]);
    };
    server.change_settings("acme", half).await;
    assert_eq!(server.workspace("acme").await, whole);
    // What somebody has set stays.
    let own = |settings: &mut Value| {
        half(settings);
        settings["offer_grace_ms"] = 1_000.into();
    };
    server.change_settings("acme", own).await;
    assert_eq!(server.workspace("acme").await["default_queue"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_by_filter_and_by_word_in_pages() {
    let server = server();
    let (mut agent, mut first) = talking(&server, "ada").await;
    first.post("Where is my ORDER?").await;
    let second = Customer::start(server.address, DEMO, "Где мой ЗАКАЗ?").await;
    let mut third = Customer::start(server.address, DEMO, "nothing").await;
    assert_eq!(third.call("POST", "leave", None).await.status, 204);
    let found = async |query: &str| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ok(&server, "GET", &format!("/conversations?limit=1&{query}{cursor}"), None).await;
            ids.extend(
                page["conversations"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["conversation"].as_str().unwrap().to_owned()),
            );
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    };
    let ids = |all: &[&Customer]| all.iter().map(|one| one.conversation.clone()).collect::<Vec<_>>();
    assert_eq!(found("").await, ids(&[&third, &second, &first]));
    assert_eq!(found("state=closed").await, ids(&[&third]));
    assert_eq!(found("agent=ada&state=active").await, ids(&[&first]));
    assert_eq!(found("text=order").await, ids(&[&first]));
    assert_eq!(found("text=%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7").await, ids(&[&second]));
    assert_eq!(found("queue=support&text=zebra").await, ids(&[]));
    assert_eq!(found("from=0&to=1").await, ids(&[]));
    let facts = ok(&server, "GET", &format!("/conversations/{}", first.conversation), None).await;
    assert_eq!((&facts["owner"], &facts["state"], &facts["last_number"]), (&json!("ada"), &json!("active"), &json!(2)));
    let messages = ok(&server, "GET", &format!("/conversations/{}/messages?limit=1", first.conversation), None).await;
    assert_eq!((&messages["messages"][0]["text"], &messages["next"]), (&json!("hello"), &json!("1")));
    let events = ok(&server, "GET", &format!("/conversations/{}/events", first.conversation), None).await;
    let names: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names[..2], ["conversation_opened", "message_posted"]);
    assert!(names.contains(&"offer_ended".to_owned()), "{names:?}");
    ok(&server, "POST", &format!("/conversations/{}/close", first.conversation), None).await;
    let gone = agent.wait_for("conversation_gone").await;
    assert_eq!(gone["conversation"], first.conversation.as_str());
    is(&call(&server, "POST", &format!("/conversations/{}/close", first.conversation), None).await, 409, "wrong_state");
    let send = json!({"type": "send", "conversation": first.conversation, "text": "x"});
    assert_eq!(refused(&mut agent, send).await["code"], "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_told_how_it_is() {
    let server = server();
    let (_agent, _customer) = talking(&server, "ada").await;
    for page in ["/healthz", "/readyz"] {
        assert_eq!(server.operators_page(page).await.status, 200, "{page}");
    }
    assert_eq!(server.operators_page("/readyz").await.json()["ready"], true);
    assert_eq!(server.operators_page("/status").await.json()["status"], "operational");
    assert_eq!(server.operators_page("/v1/workspaces").await.status, 404, "the two ports are apart");
    let mut http = Http::connect(server.address).await.unwrap();
    assert_eq!(http.ask("GET", "/metrics", "", b"").await.unwrap().status, 404);
    let page = async || server.operators_page("/metrics").await.text().to_owned();
    let counted = |page: &String| page.contains("offhook_offers_total{end=\"accepted\"} 1");
    let metrics = eventually("an accepted offer in the metrics", page, counted).await;
    // Each sample has its kind and its meaning before it, and no label holds an id.
    let described: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    for line in metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(described.contains(name) || described.contains(base), "{line}");
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(!line.contains("\"ada\"") && !line.contains("\"c1\""), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn why_says_who_comes_first_and_what_excludes_each_other() {
    let mut server = server();
    let put = json!({"queues": ["support"], "tiers": {"support": 2}});
    assert_eq!(ok(&server, "PUT", "/agents/ann", Some(put)).await["tiers"], json!({"support": 2}));
    let offering = json!({"agents_by": "least_loaded", "offer_to_at_most": 3});
    let queue = ok(&server, "PUT", "/queues/support", Some(json!({"offering": offering}))).await;
    assert_eq!((&queue["offering"]["agents_by"], &queue["offering"]["weight"]), (&json!("least_loaded"), &json!(1)));
    let wrong = json!({"offering": {"offer_to_at_most": 21}});
    let refused = call(&server, "PUT", "/queues/support", Some(wrong)).await;
    is(&refused, 422, "bad_setting");
    assert_eq!(refused.json()["field"], "offering.offer_to_at_most");
    let customer = Customer::start(server.address, DEMO, "help").await;
    let why = ok(&server, "GET", &format!("/conversations/{}/why", customer.conversation), None).await;
    assert_eq!((&why["state"], &why["needs"]["queues"]), (&json!("waiting"), &json!(["support"])));
    assert_eq!(why["excluded"], json!([{"agent": "ann", "rule": "offline"}]));
    assert_eq!(why["excluded_by_rule"], json!({"offline": 1}));
    let idle = ok(&server, "GET", "/agents/ann/why", None).await;
    assert_eq!((&idle["excluded"], &idle["groups"][0]["rule"]), (&json!("offline"), &json!("offline")));
    is(&call(&server, "GET", "/agents/nobody/why", None).await, 404, "no_such_agent");
    is(&call(&server, "GET", "/conversations/c999/why", None).await, 404, "no_such_conversation");
    server.stop();
}
