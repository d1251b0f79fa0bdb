//! Channels of a workspace's own, from outside: a service hands customers' messages in and says what became of the answers, over HTTP
//! with a key of its own.

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::http::Http;
use support::scene::{DEMO, eventually, server};
use support::{Agent, Options, Response, Server, command_id, within};

/// A service that carries messages, with its key.
struct Service {
    key: String,
    http: Http,
}

impl Service {
    async fn of(server: &Server, scopes: &[&str]) -> Self {
        let body = json!({"name": "mail", "scopes": scopes});
        let made = server.admin("POST", &format!("/v1/workspaces/{DEMO}/keys"), Some(&body)).await;
        let key = made.json()["key"].as_str().unwrap_or_else(|| panic!("{}", made.text())).to_owned();
        Self { key, http: Http::connect(server.address).await.expect("the server listens") }
    }

    async fn call(&mut self, path: &str, id: Option<&str>, body: &str) -> Response {
        let id = id.map_or(String::new(), |id| format!("Idempotency-Key: {id}\r\n"));
        let headers = format!("Authorization: Bearer {}\r\n{id}", self.key);
        let path = format!("/v1/workspaces/{DEMO}/channel/{path}");
        within("an answer", self.http.ask("POST", &path, &headers, body.as_bytes())).await.expect("an answer")
    }

    /// A message of `zoe` by e-mail. On a machine that is busy with other things it is handed in again when it was told to.
    async fn message(&mut self, id: &str, thread: &str, text: &str) -> Response {
        let zoe = json!({"id": "zoe@example.org", "name": "Zoë", "email": "zoe@example.org"});
        let body = json!({"customer": zoe, "thread": thread, "text": text}).to_string();
        let until_taken = async {
            loop {
                let answer = self.call("email/messages", Some(id), &body).await;
                if answer.status != 503 {
                    return answer;
                }
                let ms = answer.json()["retry_after_ms"].as_u64().expect("when to come again");
                // As long as the server asked for.
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
        };
        within("a message that is taken", until_taken).await
    }

    async fn taken(&mut self, id: &str, thread: &str, text: &str) -> (String, u64, bool) {
        let answer = self.message(id, thread, text).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let told = answer.json();
        let conversation = told["conversation"].as_str().expect("a conversation").to_owned();
        (conversation, told["number"].as_u64().expect("a number"), told["started"] == true)
    }

    async fn report(&mut self, conversation: &str, number: u64, body: Value) -> Response {
        let path = format!("email/conversations/{conversation}/messages/{number}/delivery");
        self.call(&path, None, &body.to_string()).await
    }
}

fn is(answer: &Response, status: u16, code: &str, field: Option<&str>) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{}", answer.text());
    assert_eq!(answer.json()["field"].as_str(), field, "{}", answer.text());
}

async fn show(server: &Server, path: &str) -> Value {
    let shown = server.admin("GET", &format!("/v1/workspaces/{DEMO}{path}"), None).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    shown.json()
}

async fn by_email(server: &Server) -> Agent {
    let mut ada = Agent::connect(server, DEMO, "ada").await;
    ada.must(json!({"type": "set_status", "status": "available", "channels": ["email"]})).await;
    ada
}

async fn accepted(agent: &mut Agent) -> Value {
    let offer = agent.wait_for("offer").await["offer"].clone();
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    offer["conversation"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_outside_is_there_once_and_goes_on_in_its_thread_over_a_kill_and_a_close() {
    let mut server = server();
    let mut mail = Service::of(&server, &["channel"]).await;
    let mut ada = by_email(&server).await;

    let first = ("c1".to_owned(), 1, true);
    assert_eq!(mail.taken("<1@example.org>", "T1", "hello").await, first);
    let offered = accepted(&mut ada).await;
    assert_eq!(
        (&offered["channel"], &offered["name"], &offered["known"]),
        (&json!("email"), &json!("Zoë"), &json!(true))
    );
    assert_eq!(offered["metadata"]["email"], "zoe@example.org");
    assert_eq!(mail.taken("<1@example.org>", "T1", "hello").await, first);
    is(&mail.message("<1@example.org>", "T1", "another").await, 409, "id_reused", Some("id"));
    assert_eq!(mail.taken("<2@example.org>", "T1", "are you there?").await, ("c1".into(), 2, false));
    assert_eq!(ada.wait_for("message").await["text"], "are you there?");
    // Another thread is another conversation, of the same customer.
    assert_eq!(mail.taken("<3@example.org>", "T2", "a second thing").await, ("c2".into(), 1, true));
    let (one, two) = (show(&server, "/conversations/c1").await, show(&server, "/conversations/c2").await);
    assert_eq!(
        (&one["customer"], &one["outside"]),
        (&two["customer"], &json!({"customer": "zoe@example.org", "thread": "T1"}))
    );

    server.kill();
    server.start_again();
    let mut mail = Service { http: Http::connect(server.address).await.expect("it listens"), ..mail };
    assert_eq!(mail.taken("<1@example.org>", "T1", "hello").await, first);
    assert_eq!(mail.taken("<2@example.org>", "T1", "are you there?").await, ("c1".into(), 2, false));
    assert_eq!(mail.taken("<4@example.org>", "T1", "and now?").await, ("c1".into(), 3, false));

    let mut ada = by_email(&server).await;
    ada.must(json!({"type": "close", "conversation": "c1"})).await;
    assert_eq!(mail.taken("<5@example.org>", "T1", "one thing more").await, ("c1".into(), 4, false));
    // What it was told while the conversation was open, it is told when that was over and began again.
    assert_eq!(mail.taken("<4@example.org>", "T1", "and now?").await, ("c1".into(), 3, false));
    let messages = show(&server, "/conversations/c1/messages").await;
    let texts: Vec<&str> =
        messages["messages"].as_array().expect("messages").iter().filter_map(|one| one["text"].as_str()).collect();
    assert_eq!(texts, ["hello", "are you there?", "and now?", "one thing more"]);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_was_closed_for_long_begins_anew() {
    let server = server();
    server.change_settings(DEMO, |settings| settings["reopen_ms"] = json!(0)).await;
    let mut mail = Service::of(&server, &["channel"]).await;
    assert_eq!(mail.taken("<1@example.org>", "", "hello").await, ("c1".into(), 1, true));
    let close = format!("/v1/workspaces/{DEMO}/conversations/c1/close");
    assert_eq!(server.admin("POST", &close, None).await.status, 204);
    let again = async || {
        let id = command_id();
        let mut mail =
            Service { http: Http::connect(server.address).await.expect("it listens"), key: mail.key.clone() };
        mail.taken(&id, "", "again").await
    };
    // A closing in this very millisecond may still be reopened.
    let begun = eventually("a conversation that begins", again, |(_, _, started)| *started).await;
    assert_eq!(begun, ("c2".into(), 1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_first_messages_that_come_at_once_one_begins_and_the_others_go_on() {
    let server = server();
    let mail = Service::of(&server, &["channel"]).await;
    let mut at_once = Vec::new();
    for nth in 0..8 {
        let http = Http::connect(server.address).await.expect("it listens");
        let mut mail = Service { key: mail.key.clone(), http };
        at_once.push(tokio::spawn(async move { mail.taken(&format!("m{nth}"), "T1", &format!("part {nth}")).await }));
    }
    let mut told = Vec::new();
    for one in at_once {
        told.push(one.await.expect("an answer"));
    }
    told.sort();
    let numbers: Vec<u64> = told.iter().map(|(_, number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(told.iter().all(|(conversation, number, started)| conversation == "c1" && *started == (*number == 1)));
    let messages = show(&server, "/conversations/c1/messages").await;
    assert!(messages["messages"].as_array().expect("messages").iter().all(|one| one["text"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_an_answer_is_told_to_its_agent_and_kept() {
    let mut server = server();
    let mut mail = Service::of(&server, &["channel"]).await;
    let mut ada = by_email(&server).await;
    mail.taken("<1@example.org>", "T1", "hello").await;
    accepted(&mut ada).await;
    let said = ada.must(json!({"type": "send", "conversation": "c1", "text": "good morning"})).await;
    assert_eq!(said["number"], 2);
    let own = ada.until("its own message", |frame| frame["type"] == "message" && frame["number"] == 2).await;
    assert_eq!(own["delivery"], json!({"state": "pending"}));

    for (state, body) in [
        ("sent", json!({"state": "sent"})),
        ("failed", json!({"state": "failed", "reason": "mailbox full"})),
        ("delivered", json!({"state": "delivered"})),
    ] {
        assert_eq!(mail.report("c1", 2, body.clone()).await.status, 204);
        let told = ada.wait_for("delivery").await;
        assert_eq!((&told["conversation"], &told["number"], &told["state"]), (&json!("c1"), &json!(2), &json!(state)));
        assert_eq!(told["reason"], body["reason"]);
    }
    // What says less than is known is taken and changes nothing.
    assert_eq!(mail.report("c1", 2, json!({"state": "sent"})).await.status, 204);
    assert_eq!(mail.report("c1", 2, json!({"state": "failed"})).await.status, 204);
    let history = ada.must(json!({"type": "history", "conversation": "c1"})).await;
    assert_eq!(history["messages"][1]["delivery"], json!({"state": "delivered"}));
    assert!(history["messages"][0]["delivery"].is_null());

    server.kill();
    server.start_again();
    let mut mail = Service { http: Http::connect(server.address).await.expect("it listens"), ..mail };
    let mut ada = by_email(&server).await;
    ada.must(json!({"type": "close", "conversation": "c1"})).await;
    assert_eq!(mail.report("c1", 2, json!({"state": "read"})).await.status, 204);
    let messages = show(&server, "/conversations/c1/messages").await;
    assert_eq!(messages["messages"][1]["delivery"], json!({"state": "read"}));
    let events = show(&server, "/conversations/c1/events?limit=200").await;
    let reported: Vec<&Value> = events["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["event"] == "delivery_reported")
        .map(|event| &event["data"]["state"])
        .collect();
    assert_eq!(reported, ["sent", "failed", "delivered", "read"]);
    assert_eq!(server.metric("offhook_deliveries_total{state=\"read\"}").await, 1.0);

    is(&mail.report("c1", 1, json!({"state": "sent"})).await, 409, "delivery_over", Some("number"));
    is(&mail.report("c1", 3, json!({"state": "sent"})).await, 422, "no_such_message", Some("number"));
    is(&mail.report("c7", 2, json!({"state": "sent"})).await, 404, "no_such_conversation", Some("conversation"));
    is(&mail.report("c1", 2, json!({"state": "bounced"})).await, 422, "bad_field", Some("state"));
    is(&mail.report("c1", 2, json!({"state": "sent", "reason": "x"})).await, 422, "bad_field", Some("reason"));
    let long = "x".repeat(65);
    is(&mail.report("c1", 2, json!({"state": "failed", "reason": long})).await, 413, "too_large", Some("reason"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_begins_by_a_channel_is_answered_in_the_same_conversation() {
    let server = server();
    let mut mail = Service::of(&server, &["channel"]).await;
    mail.taken("<1@example.org>", "T1", "hello").await;
    let close = format!("/v1/workspaces/{DEMO}/conversations/c1/close");
    assert_eq!(server.admin("POST", &close, None).await.status, 204);
    let customer = show(&server, "/conversations/c1").await["customer"].clone();
    let mut ada = by_email(&server).await;
    let start = json!({"type": "start", "customer": customer, "queue": "support", "channel": "email", "text": "one thing more"});
    assert_eq!(ada.must(start).await["conversation"], "c2");
    assert_eq!(show(&server, "/conversations/c2").await["outside"]["thread"], "T1");
    assert_eq!(mail.report("c2", 1, json!({"state": "sent"})).await.status, 204);
    assert_eq!(mail.taken("<2@example.org>", "T1", "yes?").await, ("c2".into(), 2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_and_too_much_of_it_is_refused_by_name_and_changes_nothing() {
    let server = Server::start(&Options::default());
    let mut mail = Service::of(&server, &["channel"]).await;
    let good = r#"{"customer":{"id":"u7"},"text":"hi"}"#;
    is(&mail.call("email/messages", None, good).await, 400, "missing_id", Some("Idempotency-Key"));
    is(&mail.call("pigeon/messages", Some("m1"), good).await, 404, "no_such_channel", Some("channel"));
    for (body, status, code, field) in [
        ("{", 400, "bad_request", None),
        (r#"{"text":"hi"}"#, 400, "bad_request", Some("customer")),
        (r#"{"customer":{"id":"u7"},"text":""}"#, 422, "bad_field", Some("text")),
        (r#"{"customer":{"id":"u7","plan":"x"},"text":"hi"}"#, 400, "bad_request", Some("customer.plan")),
        (r#"{"customer":{"id":"u7"},"text":"hi","at":1}"#, 400, "bad_request", Some("at")),
    ] {
        is(&mail.call("email/messages", Some("m1"), body).await, status, code, field);
    }
    let long = format!(r#"{{"customer":{{"id":"u7"}},"text":"{}"}}"#, "x".repeat(16 * 1024 + 1));
    is(&mail.call("email/messages", Some("m1"), &long).await, 413, "too_large", Some("text"));
    let mut reader = Service::of(&server, &["read", "write", "admin", "keys", "route"]).await;
    is(&reader.call("email/messages", Some("m1"), good).await, 403, "forbidden", None);
    is(&reader.report("c1", 1, json!({"state": "sent"})).await, 403, "forbidden", None);
    let nothing = show(&server, "/conversations").await;
    assert_eq!(nothing["conversations"], json!([]));

    // One customer's messages are limited, whoever carries them. (What was refused above counts as well, so: another one.)
    let other = good.replace("u7", "u8");
    let mut asked = 0;
    let refused = loop {
        let answer = mail.call("email/messages", Some(&command_id()), &other).await;
        // What a busy machine puts off was asked all the same.
        if ![201, 503].contains(&answer.status) {
            break answer;
        }
        asked += 1;
    };
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("rate_limited")), "{}", refused.text());
    assert!(asked >= 60 && refused.json()["retry_after_ms"].as_u64() > Some(0), "{asked}: {}", refused.text());
}
