//! Closed conversations of other systems, imported by the command into a real server: looked at, looked for, exported, erased, forgotten; once,
//! whatever is killed in between.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use support::clock::WallClock;
use support::http::{Http, Response};
use support::scene::{DEMO, eventually};
use support::{Agent, Customer, Options, Server, command_id, within};

const DAY_MS: u64 = 86_400_000;

fn at(rest: &str) -> String {
    format!("/v1/workspaces/{DEMO}{rest}")
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = async || server.admin("GET", &at(path), None).await;
    let answer = eventually("an answer that stays", answer, |answer: &Response| answer.status != 503).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

async fn put(server: &Server, path: &str, body: &Value) -> Response {
    let answer = async || server.admin("PUT", &at(path), Some(body)).await;
    eventually("an answer that stays", answer, |answer: &Response| answer.status != 503).await
}

/// The demo workspace with its agents and a queue of billing.
async fn server(options: Options) -> Server {
    let server = Server::start(&options);
    server.workspace(DEMO).await;
    for (what, body) in [
        ("queues/tier-2-billing", json!({"title": "Tier 2 / Billing"})),
        ("agents/ada@example.com", json!({"title": "Ada", "queues": ["support", "tier-2-billing"]})),
    ] {
        let made = put(&server, &format!("/{what}"), &body).await;
        assert!(made.is_success(), "{what}: {}", made.text());
    }
    server
}

fn command(server: &Server, dir: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command
        .args(["import"])
        .args(words.split_whitespace())
        .args(["--history", "--workspace", DEMO, "--server", &format!("http://{}", server.address)])
        .arg("--key-file")
        .arg(server.data_dir().join("admin.key"))
        .env_remove("OFFHOOK_API_KEY")
        .current_dir(dir);
    command
}

/// Runs it to its end, beside this test's own clients.
async fn run(server: &Server, dir: &Path, words: &str) -> Output {
    let mut command = command(server, dir, words);
    tokio::task::spawn_blocking(move || command.output().expect("offhook can be started")).await.unwrap()
}

/// What it printed, and what it said on standard error.
async fn must(server: &Server, dir: &Path, words: &str) -> (String, String) {
    let done = run(server, dir, words).await;
    let said = String::from_utf8(done.stderr).unwrap();
    let printed = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{printed}{said}\n{}", server.log_tail());
    (printed, said)
}

async fn customer(server: &Server, external: &str) -> String {
    let found = get(server, &format!("/customers?external_id={external}")).await;
    found["customer"].as_str().unwrap().to_owned()
}

fn texts(page: &Value, member: &str) -> Vec<String> {
    page[member].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap_or("?").to_owned()).collect()
}

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

fn remove_view(data_dir: &Path) {
    for name in ["view.db", "view.db-wal", "view.db-shm"] {
        let _ = std::fs::remove_file(data_dir.join(name));
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn chatwoots_resolved_conversations_are_taken_with_their_messages() {
    let server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let conversations = r#"{"data": {"meta": {"all_count": 2}, "payload": [
        {"id": 12, "inbox_id": 7, "status": "resolved", "created_at": 1600000000, "last_activity_at": 1600000900, "labels": ["vip"],
         "meta": {"sender": {"id": 88, "name": "Zoë", "email": "zoe@example.org", "phone_number": "+491", "identifier": "c-17"},
                  "assignee": {"id": 5, "name": "Ada", "email": "ada@example.com"}, "channel": "Channel::WebWidget"},
         "additional_attributes": {}},
        {"id": 13, "inbox_id": 7, "status": "open", "created_at": 1600000000, "last_activity_at": 1600000900, "labels": [], "meta": {}}
    ]}}"#;
    let messages = r#"{"meta": {}, "payload": [
        {"id": 1, "conversation_id": 12, "message_type": 0, "content": "Is anybody there?", "created_at": 1600000000, "private": false,
         "sender": {"id": 88, "name": "Zoë", "type": "contact"}},
        {"id": 2, "conversation_id": 12, "message_type": 2, "content": "Conversation was assigned", "created_at": 1600000100, "private": false},
        {"id": 3, "conversation_id": 12, "message_type": 1, "content": "ask for the number", "created_at": 1600000200, "private": true,
         "sender": {"id": 5, "name": "Ada", "type": "user"}},
        {"id": 4, "conversation_id": 12, "message_type": 1, "content": "I am.", "created_at": 1600000300, "private": false,
         "sender": {"id": 5, "name": "Ada", "type": "user"}},
        {"id": 5, "conversation_id": 12, "message_type": 3, "content": "Please rate us", "created_at": 1600000800, "private": false,
         "content_type": "input_csat",
         "content_attributes": {"submitted_values": {"csat_survey_response": {"rating": 4, "feedback_message": "fine"}}}},
        {"id": 6, "conversation_id": 13, "message_type": 0, "content": "later", "created_at": 1600000000, "private": false}
    ]}"#;
    std::fs::write(dir.join("conversations.json"), conversations).unwrap();
    std::fs::write(dir.join("messages_12.json"), messages).unwrap();
    let inboxes = r#"{"payload": [{"id": 7, "name": "Tier 2 / Billing", "channel_type": "Channel::WebWidget"}]}"#;
    std::fs::write(dir.join("inboxes.json"), inboxes).unwrap();
    let words = "chatwoot messages_12.json conversations.json inboxes.json";
    let (printed, said) = must(&server, dir, words).await;
    assert!(printed.contains(": 1 conversations imported, 0 were here already"), "{printed}");
    for left in ["1 conversations that are open", "1 lines of activity", "1 messages of conversations that are open"] {
        assert!(said.contains(&format!("left: {left}")), "{left}: {said}");
    }
    let zoe = customer(&server, "c-17").await;
    let facts = get(&server, &format!("/conversations?customer={zoe}")).await["conversations"][0].take();
    assert_eq!((&facts["imported"]["id"], &facts["queue"]), (&json!("12"), &json!("tier-2-billing")), "{facts}");
    assert_eq!((&facts["labels"]["tags"], &facts["rating"]["score"]), (&json!(["vip"]), &json!(4)), "{facts}");
    assert_eq!(
        (&facts["opened_at"], &facts["ended_at"]),
        (&json!(1_600_000_000_000_u64), &json!(1_600_000_900_000_u64))
    );
    let id = facts["conversation"].as_str().unwrap();
    let messages = get(&server, &format!("/conversations/{id}/messages")).await;
    assert_eq!(texts(&messages, "messages"), ["Is anybody there?", "I am."]);
    assert_eq!(messages["messages"][1]["author"], json!({"agent": "ada@example.com"}));
    assert_eq!(texts(&get(&server, &format!("/conversations/{id}/notes")).await, "notes"), ["ask for the number"]);
    let (printed, _) = must(&server, dir, words).await;
    assert!(printed.contains(": 0 conversations imported, 1 were here already"), "{printed}");
}

/// Tables of so many conversations with two messages each.
fn tables(dir: &Path, conversations: usize) {
    let (mut about, mut said) = ("conversation,customer,opened,closed,agent\n".to_owned(), String::new());
    said += "conversation,at,author,text\n";
    for number in 0..conversations {
        let at = 1_500_000_000_000_u64 + number as u64 * 60_000;
        about += &format!("t{number},c{},{at},{},ada@example.com\n", number % 50, at + 9_000);
        said += &format!("t{number},{at},customer,\"question {number}\nof two lines\"\n");
        said += &format!("t{number},{},ada@example.com,answer {number}\n", at + 9_000);
    }
    std::fs::write(dir.join("conversations.csv"), about).unwrap();
    std::fs::write(dir.join("messages.csv"), said).unwrap();
}

const TABLES: &str = "csv conversations.csv messages.csv";

async fn imported(server: &Server) -> f64 {
    let answer = server.admin("GET", &at("/conversations?state=closed&limit=200"), None).await;
    if answer.status != 200 { 0.0 } else { answer.json()["conversations"].as_array().unwrap().len() as f64 }
}

/// All of them are there, each once.
async fn all_are_there(server: &Server, conversations: usize) {
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(server, &format!("/conversations?limit=200{cursor}")).await;
        numbers.extend(page["conversations"].as_array().unwrap().iter().map(|one| {
            assert_eq!(one["last_number"], 2, "{one}");
            one["imported"]["id"].as_str().unwrap().to_owned()
        }));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    numbers.sort_unstable();
    let mut expected: Vec<String> = (0..conversations).map(|number| format!("t{number}")).collect();
    expected.sort_unstable();
    assert_eq!(numbers, expected);
}

fn begun(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("offhook can be started")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_over_kills_of_the_server_and_of_the_command_and_makes_nothing_twice() {
    let server = server(Options::supervised().set("identity.api_key_requests_per_s=1000000")).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let all = 600;
    tables(dir, all);
    // The command is killed in the middle.
    let mut child = begun(command(&server, dir, TABLES));
    eventually("some conversations", async || imported(&server).await, |found| *found >= 50.0).await;
    child.kill().unwrap();
    child.wait().unwrap();
    // The server is killed in the middle, and the command waits for it.
    let mut again = command(&server, dir, TABLES);
    let child = begun(again_quietly(&mut again));
    let done = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    eventually("more of them", async || imported(&server).await, |found| *found >= 100.0).await;
    server.kill_the_child();
    let done = within("its end", done).await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}\n{}", server.log_tail());
    all_are_there(&server, all).await;
    let (printed, _) = must(&server, dir, TABLES).await;
    assert!(printed.contains(&format!(": 0 conversations imported, {all} were here already")), "{printed}");
    all_are_there(&server, all).await;
}

fn again_quietly(command: &mut Command) -> Command {
    std::mem::replace(command, Command::new("true"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_table_is_named_with_its_place_and_nothing_is_sent() {
    let server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (about, place) in [
        (
            "conversation,customer,opened,closed\n1,,2020-01-01T00:00:00Z,2020-01-02T00:00:00Z\n",
            "line 2, column 2 (customer)",
        ),
        ("conversation,customer,opened,closed\n1,c,yesterday,2020-01-02T00:00:00Z\n", "line 2, column 3 (opened)"),
        ("conversation,customer,opened,closed\n1,c,5000,4000\n", "line 2, column 4 (closed)"),
        ("conversation,customer,colour\n", "line 1, column 3"),
        ("number,customer\n", "line 1, column 1"),
        ("conversation,at,author,text\n1,1000,customer,\n", "line 2, column 4 (text)"),
    ] {
        std::fs::write(dir.join("table.csv"), about).unwrap();
        let done = run(&server, dir, "csv table.csv").await;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!((done.status.code(), done.stdout.is_empty()), (Some(2), true), "{said}");
        assert!(said.contains(place), "{place}: {said}");
    }
    let done = run(&server, dir, "csv table.csv --queue nowhere").await;
    assert!(String::from_utf8_lossy(&done.stderr).contains("--queue \"nowhere\""), "{done:?}");
    assert_eq!(get(&server, "/conversations").await["conversations"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_larger_than_a_call_goes_in_parts_and_loses_nothing() {
    let mut server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut said = "conversation,at,author,text,note\n".to_owned();
    for number in 0..450_u64 {
        let (author, note) = if number % 7 == 0 { ("ada@example.com", number % 14 == 0) } else { ("customer", false) };
        said += &format!("big,{},{author},{number} {},{note}\n", 1_000 + number, "é".repeat(300));
    }
    let long = format!("long {}", "ü".repeat(20_000));
    said += &format!("big,9000,customer,{long},\n");
    std::fs::write(dir.join("messages.csv"), said).unwrap();
    std::fs::write(dir.join("conversations.csv"), "conversation,customer,opened,closed\nbig,c-17,1000,9000\n").unwrap();
    let (printed, told) = must(&server, dir, TABLES).await;
    assert!(printed.contains(": 1 conversations imported"), "{printed}");
    assert!(told.contains("left: 1 texts of more than 16 KiB"), "{told}");
    for _ in 0..2 {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = get(&server, &format!("/conversations/c1/messages?limit=200{cursor}")).await;
            all.extend(page["messages"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let notes = 450_u64.div_ceil(14);
        assert!(all.iter().enumerate().all(|(place, one)| one["number"] == json!(place + 1)));
        assert!(all.windows(2).all(|two| two[0]["at"].as_u64() <= two[1]["at"].as_u64()));
        let pieces = all.iter().skip(450 - notes as usize).map(|one| one["text"].as_str().unwrap());
        assert_eq!(pieces.collect::<String>(), long);
        let facts = get(&server, "/conversations/c1").await;
        assert_eq!(facts["last_number"], json!(all.len()));
        let mut kept = get(&server, "/conversations/c1/notes?limit=200").await;
        assert_eq!(kept["notes"].take().as_array().unwrap().len() as u64, notes);
        let (printed, _) = must(&server, dir, TABLES).await;
        assert!(printed.contains(": 0 conversations imported, 1 were here already"), "{printed}");
        server.kill();
        remove_view(server.data_dir());
        server.start_again();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_is_refused_with_its_field() {
    let server = server(Options::default()).await;
    let good = json!({
        "customer": {"id": "c-17"}, "opened_at": 1_000, "closed_at": 9_000, "queue": "support", "agent": "ada@example.com",
        "messages": [{"author": "customer", "at": 1_000, "text": "hello"}],
    });
    let large = "x".repeat(16 * 1024 + 1);
    let message = |member: &str, value: Value| {
        let mut body = good.clone();
        body["messages"][0][member] = value;
        body
    };
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let far = json!(u64::MAX);
    for (body, status, code, field) in [
        (with("customer", json!({})), 422, "bad_field", "customer.id"),
        (with("customer", json!({"id": 7})), 400, "bad_request", "customer.id"),
        (with("customer", json!({"id": "x".repeat(257)})), 422, "bad_field", "customer.id"),
        (
            with("customer", json!({"id": "c", "attributes": {"a": "x".repeat(5_000)}})),
            413,
            "too_large",
            "customer.attributes",
        ),
        (with("colour", json!("red")), 400, "bad_request", "colour"),
        (with("queue", json!("nowhere")), 404, "no_such_queue", "queue"),
        (with("channel", json!("smoke")), 404, "no_such_channel", "channel"),
        (with("agent", json!("nobody")), 404, "no_such_agent", "agent"),
        (with("closed_at", far.clone()), 422, "bad_field", "closed_at"),
        (with("closed_at", json!(-1)), 400, "bad_request", "closed_at"),
        (with("opened_at", json!(9_001)), 422, "bad_field", "opened_at"),
        (with("opened_at", json!(1_001)), 422, "bad_field", "messages[0].at"),
        (with("disposition", json!("nothing")), 422, "bad_label", "disposition"),
        (with("tags", json!(["x".repeat(65)])), 422, "bad_label", "tags"),
        (with("tags", json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>())), 422, "bad_label", "tags"),
        (with("fields", json!({"colour": "red"})), 422, "bad_label", "fields.colour"),
        (with("fields", json!({"colour": []})), 422, "bad_field", "fields.colour"),
        (with("metadata", json!({"a": "x".repeat(5_000)})), 413, "too_large", "metadata"),
        (with("rating", json!({"score": 0})), 422, "bad_field", "rating.score"),
        (with("rating", json!({"score": 5, "comment": "x".repeat(2_001)})), 413, "too_large", "rating.comment"),
        (with("messages", json!({})), 400, "bad_request", "messages"),
        (message("at", json!(9_001)), 422, "bad_field", "messages[0].at"),
        (message("text", json!("")), 422, "bad_field", "messages[0].text"),
        (message("text", json!(large)), 413, "too_large", "messages[0].text"),
        (message("author", json!("somebody")), 400, "bad_request", "messages[0].author"),
        (message("author", json!({"agent": "nobody"})), 404, "no_such_agent", "messages[0].author"),
        (message("note", json!(true)), 422, "bad_field", "messages[0].note"),
        (with("messages", json!(vec![good["messages"][0].clone(); 201])), 413, "too_large", "messages"),
    ] {
        let refused = put(&server, "/imports/own/1", &body).await;
        let said = refused.json();
        let shown: String = body.to_string().chars().take(200).collect();
        assert_eq!(
            (refused.status, &said["code"], &said["field"]),
            (status, &json!(code), &json!(field)),
            "{shown}: {said}"
        );
    }
    for (path, code, field) in [
        ("/imports/Own/1", "bad_field", "source"),
        ("/imports/own/%20", "bad_field", "id"),
        ("/imports/own/1/parts/1", "bad_field", "part"),
        ("/imports/own/1/parts/x", "bad_field", "part"),
    ] {
        let body = if path.contains("parts") { json!({"messages": good["messages"]}) } else { good.clone() };
        let refused = put(&server, path, &body).await.json();
        assert_eq!((&refused["code"], &refused["field"]), (&json!(code), &json!(field)), "{path}: {refused}");
    }
    let part = json!({"messages": [{"author": "other", "at": 9_000, "text": "bye"}]});
    let early = put(&server, "/imports/own/1/parts/2", &part).await;
    assert_eq!((early.status, &early.json()["code"]), (409, &json!("part_missing")), "{}", early.text());
    assert_eq!(get(&server, "/conversations").await["conversations"], json!([]), "nothing of it was taken");

    let made = put(&server, "/imports/own/a%2F1", &good).await;
    assert_eq!((made.status, made.json()), (201, json!({"conversation": "c1", "parts": 1, "was_here": false})));
    // Another body changes nothing: it is known by its names.
    let again = put(&server, "/imports/own/a%2F1", &with("opened_at", json!(500))).await;
    assert_eq!((again.status, again.json()), (200, json!({"conversation": "c1", "parts": 1, "was_here": true})));
    let skipped = put(&server, "/imports/own/a%2F1/parts/3", &part).await.json();
    assert_eq!((&skipped["code"], &skipped["field"]), (&json!("part_missing"), &json!("part")), "{skipped}");
    let before = json!({"messages": [{"author": "other", "at": 999, "text": "bye"}]});
    let before = put(&server, "/imports/own/a%2F1/parts/2", &before).await.json();
    assert_eq!((&before["code"], &before["field"]), (&json!("bad_field"), &json!("messages[0].at")), "{before}");
    for (status, was_here) in [(201, false), (200, true)] {
        let more = put(&server, "/imports/own/a%2F1/parts/2", &part).await;
        assert_eq!(
            (more.status, more.json()),
            (status, json!({"conversation": "c1", "parts": 2, "was_here": was_here}))
        );
    }
    assert_eq!(texts(&get(&server, "/conversations/c1/messages").await, "messages"), ["hello", "bye"]);
    // What was had elsewhere is neither labelled nor closed nor reopened here.
    let noted = server.admin("POST", &at("/conversations/c1/notes"), Some(&json!({"text": "x"}))).await;
    assert_eq!((noted.status, &noted.json()["code"]), (409, &json!("wrong_state")), "{}", noted.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retention_counts_from_when_it_was_closed_over_there() {
    let clock = WallClock::new();
    let mut server = server(clock.under(Options::default())).await;
    server
        .change_settings(DEMO, |settings| {
            settings["reopen_ms"] = DAY_MS.into();
            settings["retention_days"] = 10.into();
        })
        .await;
    let now = support::now_s() as u64 * 1_000;
    let closed = |days: u64| {
        let at = now - days * DAY_MS;
        json!({"customer": {"id": "c-17"}, "opened_at": at - 1_000, "closed_at": at, "queue": "support"})
    };
    let old = put(&server, "/imports/own/old", &closed(11)).await;
    assert_eq!((old.status, &old.json()["code"]), (422, &json!("too_old")), "{}", old.text());
    for (id, days) in [("older", 8), ("newer", 2)] {
        assert_eq!(put(&server, &format!("/imports/own/{id}"), &closed(days)).await.status, 201);
    }
    clock.set_off_ms((4 * DAY_MS) as i64);
    server.kill();
    server.start_again();
    let status = async |id: &str| server.admin("GET", &at(&format!("/conversations/{id}")), None).await.status;
    eventually("it is forgotten", async || status("c1").await, |status| *status == 404).await;
    assert_eq!(status("c2").await, 200);
    // It does not come again by an import that is run once more.
    let again = put(&server, "/imports/own/older", &closed(8)).await;
    assert_eq!((again.status, &again.json()["code"]), (422, &json!("too_old")), "{}", again.text());
}

/// A call with this token.
async fn call(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> Response {
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {}\r\n", command_id());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let ask = async || {
        let mut http = Http::connect(server.address).await.unwrap();
        within("an answer", http.ask(method, path, &headers, body.as_bytes())).await.unwrap()
    };
    eventually("an answer that stays", ask, |answer| answer.status != 503).await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_customer_reads_it_by_the_id_that_tokens_have_and_its_agent_finds_it_and_neither_goes_on_in_it() {
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("customers.key");
    std::fs::write(&file, b"a secret of the workspace's own backend").unwrap();
    let setting = format!(
        r#"identity.customer_keys=[{{kid="c", algorithm="HS256", file="{}", workspace="{DEMO}"}}]"#,
        file.display()
    );
    let server = server(Options::default().without_rate_limits().set(&setting)).await;
    let now = support::now_s() as u64 * 1_000 - 60_000;
    let body = json!({
        "customer": {"id": "c-17"}, "opened_at": now, "closed_at": now + 1_000, "queue": "support", "agent": "ada@example.com",
        "messages": [
            {"author": "customer", "at": now, "text": "hello"},
            {"author": {"agent": "ada@example.com"}, "at": now, "text": "between us", "note": true},
            {"author": "other", "at": now + 1_000, "text": "We close now."},
        ],
    });
    assert_eq!(put(&server, "/imports/own/1", &body).await.status, 201);
    get(&server, "/conversations/c1").await;
    let signed = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["token", "--customer", "c-17", "--kid", "c", "--key-file"])
        .arg(&file)
        .output()
        .unwrap();
    let token = String::from_utf8(signed.stdout).unwrap().trim().to_owned();
    let path = format!("/v1/messenger/{DEMO}/conversations/c1");
    let read = call(&server, &token, "GET", &format!("{path}/messages"), &Value::Null).await;
    assert_eq!(read.status, 200, "{}", read.text());
    assert_eq!(texts(&read.json(), "messages"), ["hello", "We close now."]);
    assert_eq!(read.json()["messages"][1]["notice"], "imported", "{}", read.text());
    // It was closed a minute ago, and what was had here could still be gone on with and rated.
    let posted = call(&server, &token, "POST", &format!("{path}/messages"), &json!({"text": "one more thing"})).await;
    assert_eq!((posted.status, &posted.json()["code"]), (409, &json!("wrong_state")), "{}", posted.text());
    let rated = call(&server, &token, "POST", &format!("{path}/rating"), &json!({"score": 5})).await;
    assert_eq!((rated.status, &rated.json()["code"]), (409, &json!("rating_over")), "{}", rated.text());
    // Who owned it over there finds it as its own; others do not.
    for (agent, conversations) in [("ada@example.com", 1), ("bob", 0)] {
        let _here = Agent::connect(&server, DEMO, agent).await;
        let token = server.agent_token(DEMO, agent, Role::Agent);
        let found = call(&server, &token, "GET", &at("/conversations"), &Value::Null).await.json();
        assert_eq!(found["conversations"].as_array().unwrap().len(), conversations, "{agent}: {found}");
    }
    let refused =
        call(&server, &server.agent_token(DEMO, "bob", Role::Supervisor), "PUT", &at("/imports/own/2"), &body).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}
