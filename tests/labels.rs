//! Labels over the wire: disposition, tags and fields, from an agent and from the admin API; what is required, what is sealed.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::http::Http;
use support::scene::{DEMO, refused, server, talking};
use support::{Agent, Server, command_id};

async fn put(server: &Server, path: &str, change: Value) -> Value {
    let path = format!("/v1/workspaces/{DEMO}{path}");
    let mut whole = server.admin("GET", &path, None).await.json();
    for (name, value) in change.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let put = server.admin("PUT", &path, Some(&whole)).await;
    assert!(put.is_success(), "{}", put.text());
    put.json()
}

async fn rules(server: &Server) {
    let labels = json!({"dispositions": ["solved", "spam"], "fields": [
        {"name": "count", "type": "number"},
        {"name": "story", "type": "text"},
        {"name": "born", "type": "date", "personal": true},
    ]});
    put(server, "/settings", json!({"labels": labels})).await;
    put(server, "/queues/support", json!({"labels": {"dispositions": ["solved"], "disposition_required": true}})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_labels_a_conversation_and_finishes_it_with_what_is_required() {
    let server = server();
    rules(&server).await;
    let (mut ada, customer) = talking(&server, "ada").await;
    let rules = ada.must(json!({"type": "label_rules", "queue": "support"})).await;
    assert_eq!((&rules["dispositions"], &rules["disposition_required"]), (&json!(["solved"]), &json!(true)));
    assert_eq!((&rules["tags"], &rules["fields"][2]["personal"]), (&json!(null), &json!(true)));
    assert_eq!(refused(&mut ada, json!({"type": "label_rules", "queue": "nowhere"})).await["code"], "no_such_queue");

    let id = &customer.conversation;
    let label = |members: Value| {
        let mut frame = json!({"type": "label", "conversation": id});
        frame.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        frame
    };
    for (members, code, field) in [
        (json!({"disposition": "spam"}), "bad_label", "disposition"),
        (json!({"fields": {"count": "many"}}), "bad_label", "fields.count"),
        (json!({"fields": {"size": 1}}), "bad_label", "fields.size"),
        (json!({"fields": {"born": "yesterday"}}), "bad_label", "fields.born"),
        (json!({"fields": {"story": {}}}), "bad_field", "fields.story"),
        (json!({"tags": "vip"}), "bad_request", "tags"),
    ] {
        let error = refused(&mut ada, label(members)).await;
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(field)), "{error}");
    }
    let missing = refused(&mut ada, json!({"type": "close", "conversation": id})).await;
    assert_eq!((&missing["code"], &missing["field"]), (&json!("label_missing"), &json!("disposition")));
    let fields = json!({"count": 7.5, "story": "it \"rained\"", "born": "1969-07-20"});
    ada.must(label(json!({"tags": ["vip", "billing"], "fields": fields}))).await;
    let told = ada.wait_for("labelled").await;
    assert_eq!(told["labels"], json!({"disposition": null, "tags": ["billing", "vip"], "fields": fields}));

    let mut bob = Agent::connect(&server, DEMO, "bob").await;
    assert_eq!(refused(&mut bob, label(json!({"tags": []}))).await["code"], "not_yours");
    let mut again = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(again.welcome["snapshot"]["conversations"][0]["labels"], told["labels"]);
    let close = json!({"type": "close", "conversation": id, "disposition": "solved", "fields": {"count": null}});
    again.must(close).await;
    let gone = again.wait_for("conversation_gone").await;
    assert_eq!((&gone["cause"], &gone["by"]), (&json!("closed"), &json!("agent")));

    let path = format!("/v1/workspaces/{DEMO}/conversations");
    let facts = server.admin("GET", &format!("{path}/{id}"), None).await.json();
    let kept = json!({"story": "it \"rained\"", "born": "1969-07-20"});
    assert_eq!(facts["labels"], json!({"disposition": "solved", "tags": ["billing", "vip"], "fields": kept}));
    let events = server.admin("GET", &format!("{path}/{id}/events"), None).await.json();
    let labelled: Vec<&Value> =
        events["events"].as_array().unwrap().iter().filter(|event| event["event"] == "conversation_labelled").collect();
    assert_eq!(labelled.len(), 2);
    assert_eq!(labelled[1]["data"]["labels"], facts["labels"]);
    assert_eq!(labelled[1]["data"]["by"], json!({"agent": "ada"}));
    for (query, count) in
        [("disposition=solved", 1), ("disposition=solved&tag=vip", 1), ("tag=billing", 1), ("tag=solved", 0)]
    {
        let found = server.admin("GET", &format!("{path}?{query}"), None).await.json();
        assert_eq!(found["conversations"].as_array().unwrap().len(), count, "{query}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_with_a_token_is_named_in_what_it_labels_and_a_key_is_not() {
    let server = server();
    rules(&server).await;
    let (_ada, customer) = talking(&server, "ada").await;
    server.admin("PUT", &format!("/v1/workspaces/{DEMO}/agents/root"), Some(&json!({}))).await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", customer.conversation);
    let (token, id) = (server.agent_token(DEMO, "root", Role::Admin), command_id());
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {id}\r\n");
    let mut http = Http::connect(server.address).await.unwrap();
    let named = http.ask("POST", &format!("{path}/label"), &headers, br#"{"disposition": "solved"}"#).await.unwrap();
    assert_eq!(named.status, 204, "{}", named.text());
    let unnamed = server.admin("POST", &format!("{path}/label"), Some(&json!({"tags": ["vip"]}))).await;
    assert_eq!(unnamed.status, 204, "{}", unnamed.text());
    let events = server.admin("GET", &format!("{path}/events"), None).await.json();
    let labelled =
        events["events"].as_array().unwrap().iter().filter(|event| event["event"] == "conversation_labelled");
    let by: Vec<&Value> = labelled.map(|event| &event["data"]["by"]).collect();
    assert_eq!(by, [&json!({"agent": "root"}), &json!("admin")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_labels_and_personal_values_lie_sealed() {
    let mut server = server();
    rules(&server).await;
    let (_ada, customer) = talking(&server, "ada").await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", customer.conversation);
    let label = json!({"disposition": "solved", "fields": {"story": "a needle in it", "born": "1969-07-20"}});
    let done = server.admin("POST", &format!("{path}/label"), Some(&label)).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let wrong = server.admin("POST", &format!("{path}/label"), Some(&json!({"tags": ["x"], "colour": 1}))).await;
    assert_eq!((wrong.status, &wrong.json()["field"]), (400, &json!("colour")));
    let facts = server.admin("GET", &path, None).await.json();
    assert_eq!(facts["labels"]["fields"], label["fields"]);
    server.kill();
    for entry in std::fs::read_dir(server.data_dir()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        for clear in ["a needle in it", "1969-07-20"] {
            assert!(!bytes.windows(clear.len()).any(|part| part == clear.as_bytes()), "{clear} lies in the clear");
        }
    }
    server.start_again();
    assert_eq!(server.admin("GET", &path, None).await.json()["labels"], facts["labels"]);
}
