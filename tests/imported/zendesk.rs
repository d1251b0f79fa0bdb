//! Tickets of Zendesk: where they are to be seen, and what becomes of them when their customer is erased.

use crate::support::scene::DEMO;
use crate::support::{Agent, Customer, Options, Server};
use crate::{at, customer, get, must, remove_view, server, texts};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::path::Path;

const USERS: &str = r#"{"users": [
    {"id": 1, "name": "Ada", "email": "ada@example.com", "role": "agent", "active": true},
    {"id": 2, "name": "Bob", "email": "bob@example.com", "role": "agent", "active": false},
    {"id": 3, "name": "Zoë", "email": "zoe@example.org", "external_id": "c-17", "role": "end-user"},
    {"id": 4, "name": "Max", "email": "max@example.org", "external_id": null, "role": "end-user"}
], "next_page": null}"#;
const GROUPS: &str = r#"{"groups": [{"id": 7, "name": "Tier 2 / Billing", "is_public": true, "deleted": false}]}"#;
const TICKETS: &str = r#"{"tickets": [
    {"id": 35436, "subject": "Invoice 1007", "status": "closed", "requester_id": 3, "assignee_id": 1, "group_id": 7,
     "created_at": "2020-03-01T10:00:00Z", "updated_at": "2020-03-05T10:00:00Z", "tags": ["billing"],
     "via": {"channel": "email"}, "satisfaction_rating": {"score": "good", "comment": "quick and kind"}},
    {"id": 35437, "subject": "Late", "status": "open", "requester_id": 3, "assignee_id": 1, "group_id": 7,
     "created_at": "2020-03-02T10:00:00Z", "updated_at": "2020-03-02T10:00:00Z", "tags": []},
    {"id": 35438, "subject": "Hello", "status": "solved", "requester_id": 4, "assignee_id": 2, "group_id": 99,
     "created_at": "2021-05-01T10:00:00Z", "updated_at": "2021-05-01T12:00:00Z", "tags": [], "via": {"channel": "chat"}}
], "next_page": null}"#;
const COMMENTS: &str = r#"{"comments": [
    {"id": 101, "type": "Comment", "author_id": 3, "body": "It is wrong, unmistakably.", "public": true, "attachments": [{"id": 5}],
     "created_at": "2020-03-01T10:00:00Z"},
    {"id": 103, "type": "Comment", "author_id": 1, "body": "Here is a new one.", "public": true, "created_at": "2020-03-01T12:00:00Z"},
    {"id": 102, "type": "Comment", "author_id": 1, "body": "their third this year", "public": false, "created_at": "2020-03-01T11:00:00Z"},
    {"id": 104, "type": "Comment", "author_id": -1, "body": "Closed by itself.", "public": true, "created_at": "2020-03-05T10:00:00Z"}
]}"#;
const EVENTS: &str = r#"{"ticket_events": [
    {"id": 900, "ticket_id": 35438, "timestamp": 1619863200, "created_at": "2021-05-01T10:00:00Z", "child_events": [
        {"id": 201, "type": "Comment", "event_type": "Comment", "author_id": 4, "body": "Hello?", "public": true},
        {"id": 202, "event_type": "Change", "status": "open"}]},
    {"id": 901, "ticket_id": 35438, "timestamp": 1619866800, "created_at": "2021-05-01T11:00:00Z", "child_events": [
        {"id": 203, "type": "Comment", "event_type": "Comment", "author_id": 2, "body": "Hello!", "public": true}]}
], "end_time": 1619866800, "next_page": null}"#;
const ZENDESK: &str = "zendesk comments_35436.json events.json tickets.json users.json groups.json";

fn zendesk(dir: &Path) {
    for (name, text) in [
        ("users.json", USERS),
        ("groups.json", GROUPS),
        ("tickets.json", TICKETS),
        ("comments_35436.json", COMMENTS),
        ("events.json", EVENTS),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
    }
}

/// All that anybody can see of Zendesk's two.
async fn seen(server: &Server) -> Value {
    let zoe = customer(server, "c-17").await;
    let of_zoe = get(server, &format!("/conversations?customer={zoe}")).await;
    let mut all = vec![of_zoe.clone()];
    for id in ["c1", "c2"] {
        for what in ["", "/messages", "/notes", "/events"] {
            all.push(get(server, &format!("/conversations/{id}{what}")).await);
        }
    }
    for found in [
        "text=unmistakably",
        "tag=billing",
        "score=5",
        "agent=ada%40example.com",
        "queue=tier-2-billing",
        "state=closed",
        "from=1583000000000&to=1584000000000",
        "from=1619000000000",
        "to=1000",
    ] {
        let found = get(server, &format!("/conversations?{found}")).await;
        let ids = found["conversations"].as_array().unwrap().iter().map(|one| one["conversation"].clone());
        all.push(json!({"ids": ids.collect::<Vec<_>>()}));
    }
    json!(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn zendesks_closed_tickets_are_in_their_customers_histories_and_once_more_changes_nothing() {
    let mut server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    zendesk(dir);
    // Somebody is there, and would be offered whatever is to be offered.
    let mut ada = Agent::available(&server, DEMO, "ada@example.com").await;
    let before = get(&server, "/reports/conversations?from=2020-01-01").await;

    let (printed, said) = must(&server, dir, ZENDESK).await;
    assert!(
        printed.starts_with(&format!("workspace {DEMO}: 2 conversations imported, 0 were here already")),
        "{printed}"
    );
    for left in [
        "2 closed conversations",
        "left: 1 tickets that are open",
        "left: 1 attachments of comments",
        "left: 1 owners who are no agents here",
        "left: 1 authors who are no agents here",
        "left: 1 queues of conversations",
    ] {
        assert!(said.contains(left), "{left}: {said}");
    }

    let zoe = customer(&server, "c-17").await;
    let history = get(&server, &format!("/conversations?customer={zoe}")).await;
    let facts = &history["conversations"][0];
    assert_eq!(history["conversations"].as_array().unwrap().len(), 1, "{history}");
    let expected = json!({"source": "zendesk", "id": "35436"});
    assert_eq!(
        (&facts["imported"], &facts["state"], &facts["channel"]),
        (&expected, &json!("closed"), &json!("email"))
    );
    assert_eq!((&facts["queue"], &facts["name"]), (&json!("tier-2-billing"), &json!("Zoë")), "{facts}");
    assert_eq!(facts["metadata"], json!({"subject": "Invoice 1007", "email": "zoe@example.org"}), "{facts}");
    assert_eq!(
        (&facts["opened_at"], &facts["ended_at"]),
        (&json!(1_583_056_800_000_u64), &json!(1_583_402_400_000_u64))
    );
    assert_eq!((&facts["labels"]["tags"], &facts["rating"]["score"]), (&json!(["billing"]), &json!(5)), "{facts}");
    assert_eq!(facts["rating"]["comment"], "quick and kind", "{facts}");

    let conversation = facts["conversation"].as_str().unwrap().to_owned();
    // They are sent side by side, so either may have come first.
    let other = if conversation == "c1" { "c2" } else { "c1" };
    let messages = get(&server, &format!("/conversations/{conversation}/messages")).await;
    assert_eq!(texts(&messages, "messages"), ["It is wrong, unmistakably.", "Here is a new one.", "Closed by itself."]);
    let authors: Vec<&Value> = messages["messages"].as_array().unwrap().iter().map(|one| &one["author"]).collect();
    let expected = [json!({"customer": zoe}), json!({"agent": "ada@example.com"}), json!({"system": "imported"})];
    assert_eq!(authors, expected.iter().collect::<Vec<_>>());
    assert_eq!(messages["messages"][1]["at"], 1_583_064_000_000_u64);
    let notes = get(&server, &format!("/conversations/{conversation}/notes")).await;
    assert_eq!(texts(&notes, "notes"), ["their third this year"]);
    let (note, at) = (&notes["notes"][0], 1_583_060_400_000_u64);
    assert_eq!(
        (&note["author"], &note["after"], &note["at"]),
        (&json!("ada@example.com"), &json!(1), &json!(at)),
        "{note}"
    );
    let other = get(&server, &format!("/conversations/{other}/messages")).await;
    assert_eq!(texts(&other, "messages"), ["Hello?", "Bob: Hello!"]);

    // A supervisor reads it on the socket, as any other that is closed.
    let mut grace = Agent::connect_as(&server, DEMO, "grace", Role::Supervisor).await;
    let asked = json!({"type": "history", "conversation": conversation});
    let page = grace.must(asked).await;
    assert!(page.to_string().contains("unmistakably"), "{page}");

    // The feed tells of each once, and of nothing that was said.
    let feed = get(&server, "/events?types=conversation.*,message.*,note.*,offer.*,clock.*,rating.*").await;
    let told: Vec<&str> = feed["events"].as_array().unwrap().iter().filter_map(|one| one["type"].as_str()).collect();
    assert_eq!(told, ["conversation.imported"; 2], "{feed}");
    let of_zoe = feed["events"].as_array().unwrap().iter().find(|one| one["conversation"] == conversation.as_str());
    let first = of_zoe.expect("hers");
    assert_eq!((&first["customer"], &first["owner"]), (&json!(zoe), &json!("ada@example.com")), "{first}");

    // Nobody was offered anything, and reports are as they were.
    let roll = get(&server, "/live/agents").await;
    assert!(roll.to_string().contains("ada@example.com"), "{roll}");
    ada.must(json!({"type": "ready"})).await;
    let after = get(&server, "/reports/conversations?from=2020-01-01").await;
    assert_eq!((&before["totals"], &before["rows"]), (&after["totals"], &after["rows"]));
    let acts = get(&server, "/audit").await;
    let acts = acts["acts"].as_array().unwrap().iter().filter(|one| one["act"]["call"] == "/imports/{source}/{id}");
    assert_eq!(acts.count(), 1, "one line an hour");

    let all = seen(&server).await;
    let (printed, _) = must(&server, dir, ZENDESK).await;
    assert!(printed.contains(": 0 conversations imported, 2 were here already"), "{printed}");
    assert_eq!(seen(&server).await, all);
    // By when it was opened over there, beside what began here.
    let live = Customer::start_when_there_is_room(server.address, DEMO, "now").await;
    let opened = async |query: &str| {
        let found = get(&server, &format!("/conversations?{query}")).await;
        found["conversations"].as_array().unwrap().iter().map(|one| one["conversation"].clone()).collect::<Vec<_>>()
    };
    let other = if conversation == "c1" { "c2" } else { "c1" };
    assert_eq!(opened("from=1583000000000&to=1584000000000").await, [json!(conversation)]);
    assert_eq!(opened("from=1619000000000&to=1620000000000").await, [json!(other)]);
    assert_eq!(opened("from=1700000000000").await, [json!(live.conversation)]);
    assert_eq!(opened("to=1500000000000").await, [] as [Value; 0]);
    assert_eq!(opened("from=1600000000000").await, [json!(live.conversation), json!(other)]);
    let all = seen(&server).await;
    // From the journal alone it is the same.
    server.kill();
    remove_view(server.data_dir());
    server.start_again();
    assert_eq!(seen(&server).await, all);
    let (printed, _) = must(&server, dir, ZENDESK).await;
    assert!(printed.contains(": 0 conversations imported, 2 were here already"), "{printed}");
    assert_eq!(seen(&server).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_is_exported_and_erased_with_its_customer_and_not_brought_back() {
    let mut server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    zendesk(dir);
    must(&server, dir, ZENDESK).await;
    let zoe = customer(&server, "c-17").await;
    let hers = get(&server, &format!("/conversations?customer={zoe}")).await["conversations"][0]["conversation"].take();
    let hers = hers.as_str().unwrap();
    let lines = server.admin("GET", &at(&format!("/customers/{zoe}/export")), None).await;
    for said in
        ["unmistakably", "Here is a new one.", "their third this year", "Closed by itself.", "quick and kind", "35436"]
    {
        assert!(lines.text().contains(said), "{said}: {}", lines.text());
    }
    assert!(lines.text().ends_with("{\"end\":true}\n"), "{}", lines.text());
    let erased = server.admin("DELETE", &at(&format!("/customers/{zoe}")), None).await;
    assert_eq!((erased.status, &erased.json()["conversations"]), (200, &json!(1)), "{}", erased.text());
    for restarted in [false, true] {
        for what in ["", "/messages", "/notes", "/events"] {
            let page = get(&server, &format!("/conversations/{hers}{what}")).await.to_string();
            assert!(!page.contains("unmistakably") && !page.contains("third") && !page.contains("Invoice"), "{page}");
            assert!(!page.contains("itself"), "what a program said over there too: {page}");
        }
        if !restarted {
            server.kill();
            remove_view(server.data_dir());
            server.start_again();
        }
    }
    // The one that was here is; another of the same customer's is not taken.
    let more = TICKETS.replace("35437", "35439").replace("\"open\"", "\"closed\"");
    std::fs::write(dir.join("tickets.json"), more).unwrap();
    let (printed, said) = must(&server, dir, ZENDESK).await;
    assert!(printed.contains(": 0 conversations imported, 2 were here already, 1 left, 0 refused"), "{printed}");
    assert!(said.contains("left: 1 conversations of customers who were erased here"), "{said}");
}
