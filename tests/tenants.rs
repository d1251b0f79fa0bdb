//! Quotas of workspaces: each holds, says which it is, is counted, and is nothing to the neighbour.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::http::Http;
use support::scene::{DEMO, eventually, refused, server};
use support::socket::Heard;
use support::{Agent, Customer, Options, Response, Server, command_id, within};

const ACME: &str = "acme";

async fn acme(quota: Value) -> Server {
    let server = server();
    server.workspace(ACME).await;
    put_quota(&server, quota).await;
    server
}

async fn put_quota(server: &Server, quota: Value) -> Value {
    let put = server.admin("PUT", &format!("/v1/workspaces/{ACME}/quota"), Some(&quota)).await;
    assert_eq!(put.status, 200, "{}", put.text());
    put.json()
}

async fn quota(server: &Server) -> Value {
    let shown = server.admin("GET", &format!("/v1/workspaces/{ACME}/quota"), None).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    shown.json()
}

/// What becomes of a start once there is room for it: a machine that is busy with other things puts it off.
async fn try_start(server: &Server, workspace: &str) -> Result<Customer, Response> {
    within("room for a start", async {
        loop {
            let started = Customer::try_start(server.address, workspace, &json!({"text": "hello"})).await;
            match started {
                Err(busy) if busy.status == 503 => {
                    let ms = busy.json()["retry_after_ms"].as_u64().expect("when to come again");
                    // As long as the server asked for.
                    tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                }
                started => return started,
            }
        }
    })
    .await
}

#[track_caller]
fn is_quota(answer: &Response, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let problem = answer.json();
    assert_eq!((&problem["code"], &problem["what"]), (&json!("quota"), &json!(what)), "{problem}");
    assert_eq!(answer.header("retry-after").is_some(), status == 429, "{answer:?}");
    assert_eq!(problem["retry_after_ms"].is_u64(), status == 429, "{problem}");
}

async fn refusals(server: &Server, what: &str) {
    let series = format!("offhook_quota_refused_total{{workspace=\"{ACME}\",what=\"{what}\"}}");
    eventually(&series, async || server.metric(&series).await, |count| *count >= 1.0).await;
}

/// The close that an agent heard instead of a welcome.
async fn turned_away(server: &Server, name: &str) -> (u16, String) {
    let token = server.agent_token(ACME, name, Role::Agent);
    match Agent::try_connect(server.address, name, &token, None).await {
        Err(Heard::Close { code, reason }) => (code, reason),
        Err(other) => panic!("{name} heard {other:?}"),
        Ok(_) => panic!("{name} was welcomed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_open_conversations_are_held_to_their_number_and_the_neighbour_is_not() {
    let server = acme(json!({"agents": 1, "open_conversations": 2})).await;
    let _ada = Agent::available(&server, ACME, "ada").await;
    let (code, reason) = turned_away(&server, "bob").await;
    assert!(code == 4103 && reason.starts_with("retry_after_ms="), "{code} {reason}");
    let path = format!("/v1/workspaces/{ACME}/agents/bob");
    is_quota(&server.admin("PUT", &path, Some(&json!({"title": "Bob"}))).await, 409, "agents");

    let mut first = try_start(&server, ACME).await.unwrap();
    let second = try_start(&server, ACME).await.unwrap();
    is_quota(&try_start(&server, ACME).await.err().unwrap(), 409, "open_conversations");

    // A neighbour has no part in it.
    Agent::available(&server, DEMO, "ada").await;
    Agent::available(&server, DEMO, "bob").await;
    for _ in 0..4 {
        try_start(&server, DEMO).await.unwrap();
    }

    // One that is closed makes room, which a message that reopens it needs as well.
    assert_eq!(first.call("POST", "leave", None).await.status, 204);
    let third = try_start(&server, ACME).await.unwrap();
    let again = first.call("POST", "messages", Some(json!({"text": "one more thing"}))).await;
    is_quota(&again, 409, "open_conversations");
    drop((second, third));
    for what in ["agents", "open_conversations"] {
        refusals(&server, what).await;
    }
    let shown = eventually("the use", async || quota(&server).await, |shown| shown["used"]["agents"] == 1).await;
    assert_eq!(shown["used"]["open_conversations"], 2, "{shown}");
    assert_eq!(shown["quota"]["open_conversations"], 2, "{shown}");
}

/// The first refusal of a service that hands in one message after the other, of one customer or each of another.
async fn by_channel(server: &Server, what: &str) -> Response {
    let mut nth = 0;
    loop {
        nth += 1;
        let customer = if what == "one thread" { 0 } else { nth };
        let body = json!({"customer": {"id": format!("{what} {customer}")}, "text": "hello"});
        let path = format!("/v1/workspaces/{ACME}/channel/email/messages");
        let taken = server.admin("POST", &path, Some(&body)).await;
        // A busy machine may put off what begins.
        if ![201, 503].contains(&taken.status) {
            return taken;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_are_a_429_that_says_when_and_are_of_the_whole_workspace() {
    let server = acme(json!({"messages_per_s": 1})).await;
    let (mut zoe, mut eve) = (try_start(&server, ACME).await.unwrap(), try_start(&server, ACME).await.unwrap());
    let mut sent = 0;
    // However slow this machine is: at one a second, five may come at once.
    let over = within("the quota's end", async {
        loop {
            let customer = if sent % 2 == 0 { &mut zoe } else { &mut eve };
            let posted = customer.call("POST", "messages", Some(json!({"text": "hello"}))).await;
            if posted.status != 201 {
                return posted;
            }
            sent += 1;
        }
    })
    .await;
    is_quota(&over, 429, "messages_per_s");
    assert!(sent >= 5, "{sent}");
    let mut neighbour = try_start(&server, DEMO).await.unwrap();
    for _ in 0..20 {
        neighbour.post("hello").await;
    }

    let over = within("the quota's end", by_channel(&server, "one thread")).await;
    is_quota(&over, 429, "messages_per_s");

    put_quota(&server, json!({"starts_per_s": 1})).await;
    zoe.post("the other quota is lifted").await;
    let over = within("the quota's end", by_channel(&server, "many threads")).await;
    is_quota(&over, 429, "starts_per_s");
    let over = within("the quota's end", async {
        loop {
            if let Err(refused) = try_start(&server, ACME).await {
                return refused;
            }
        }
    })
    .await;
    is_quota(&over, 429, "starts_per_s");
    refusals(&server, "messages_per_s").await;
    refusals(&server, "starts_per_s").await;
    // What a client is refused for its workspace's quota is no failure of the server's.
    assert_eq!(server.metric("offhook_component_answers_total{component=\"messenger\",outcome=\"failed\"}").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_as_they_come_and_go() {
    let server = acme(json!({"connections": 2})).await;
    let ada = Agent::available(&server, ACME, "ada").await;
    let customer = try_start(&server, ACME).await.unwrap();
    let stream = customer.follow(None).await;
    assert_eq!(turned_away(&server, "bob").await.0, 4103);
    let mut http = Http::connect(server.address).await.unwrap();
    let second = within("an answer", http.ask("GET", &customer.events, "", b"")).await.unwrap();
    is_quota(&second, 409, "connections");
    // Who was here comes back, whoever has its place now.
    let token = server.agent_token(ACME, "ada", Role::Agent);
    drop(ada);
    let back = within("ada", Agent::try_connect(server.address, "ada", &token, None)).await;
    assert!(back.is_ok());
    drop((stream, back));
    eventually("room", async || quota(&server).await, |shown| shown["used"]["connections"] == 0).await;
    Agent::available(&server, ACME, "bob").await;
    refusals(&server, "connections").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_whose_storage_is_used_up_ends_what_it_has_and_begins_nothing() {
    let mut server = acme(json!({"storage_bytes": 40_000})).await;
    let mut ada = Agent::available(&server, ACME, "ada").await;
    let mut customer = try_start(&server, ACME).await.unwrap();
    let text = "x".repeat(8_000);
    let over = within("the quota's end", async {
        loop {
            let posted = customer.call("POST", "messages", Some(json!({"text": text}))).await;
            if posted.status != 201 {
                return posted;
            }
        }
    })
    .await;
    is_quota(&over, 409, "storage_bytes");
    is_quota(&try_start(&server, ACME).await.err().unwrap(), 409, "storage_bytes");
    let path = format!("/v1/messenger/{ACME}/conversations/{}/files?name=a.txt", customer.conversation);
    let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", customer.token, command_id());
    let mut http = Http::connect(server.address).await.unwrap();
    is_quota(&within("an answer", http.ask("POST", &path, &headers, b"hello")).await.unwrap(), 409, "storage_bytes");

    let offer = ada.wait_for("offer").await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]["offer"]})).await;
    let said = json!({"type": "send", "conversation": customer.conversation, "text": "hello"});
    assert_eq!(refused(&mut ada, said).await["what"], "storage_bytes");
    ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
    try_start(&server, DEMO).await.unwrap();

    // It is measured again from what is there.
    assert!(server.stop().success());
    server.start_again();
    let series = "the storage after a start";
    let shown = eventually(
        series,
        async || quota(&server).await,
        |shown| shown["used"]["storage_bytes"].as_u64().is_some_and(|bytes| bytes >= 40_000),
    )
    .await;
    is_quota(&try_start(&server, ACME).await.err().unwrap_or_else(|| panic!("{shown}")), 409, "storage_bytes");
    put_quota(&server, json!({})).await;
    try_start(&server, ACME).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_alone_sets_quotas_and_they_outlive_the_server() {
    let options = Options::default().without_rate_limits().set("quotas.agents=7").set("quotas.connections=9");
    let mut server = Server::start(&options);
    server.workspace(ACME).await;
    let put = put_quota(&server, json!({"agents": 3, "connections": 0})).await;
    assert_eq!((&put["quota"]["agents"], &put["quota"]["connections"]), (&json!(3), &json!(0)), "{put}");
    assert_eq!(put["set"], json!({"agents": 3, "connections": 0}));

    let path = format!("/v1/workspaces/{ACME}/quota");
    let all = json!({"name": "tenant", "scopes": ["read", "write", "admin", "keys", "route"]});
    let made = server.admin("POST", &format!("/v1/workspaces/{ACME}/keys"), Some(&all)).await.json();
    let of_tenant = made["key"].as_str().expect("a key").to_owned();
    let admin = server.agent_token(ACME, "boss", Role::Admin);
    for token in [&of_tenant, &admin] {
        let mut http = Http::connect(server.address).await.unwrap();
        let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {}\r\n", command_id());
        let refused = within("an answer", http.ask("PUT", &path, &headers, br#"{"agents": 99}"#)).await.unwrap();
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("forbidden")), "{}", refused.text());
        let shown = within("an answer", http.ask("GET", &path, &headers, b"")).await.unwrap();
        assert_eq!(shown.json()["quota"]["agents"], 3, "{}", shown.text());
    }
    for (wrong, field) in [(json!({"agent": 1}), "agent"), (json!({"agents": -1}), "agents")] {
        let refused = server.admin("PUT", &path, Some(&wrong)).await;
        assert!((400..=422).contains(&refused.status), "{wrong}: {}", refused.text());
        assert!(refused.text().contains(field), "{wrong}: {}", refused.text());
    }

    server.kill();
    server.start_again();
    let shown = quota(&server).await;
    assert_eq!((&shown["quota"]["agents"], &shown["quota"]["connections"]), (&json!(3), &json!(0)), "{shown}");
    let of_demo = server.admin("GET", &format!("/v1/workspaces/{DEMO}/quota"), None).await.json();
    assert_eq!((&of_demo["quota"]["agents"], &of_demo["set"]), (&json!(7), &json!({})), "{of_demo}");
    let most = format!("offhook_quota_most{{workspace=\"{ACME}\",what=\"agents\"}}");
    eventually(&most, async || server.metric(&most).await, |most| *most == 3.0).await;

    // A quota that cannot be read is not one that is lifted.
    assert!(server.stop().success());
    std::fs::write(server.data_dir().join("quotas.json"), "{").unwrap();
    let refused = server.try_start_again().unwrap_err();
    assert!(refused.contains("quotas.json"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_was_made_is_taken_whatever_the_quotas_are_by_then() {
    let server = server();
    server.workspace(ACME).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    try_start(&server, DEMO).await.unwrap();
    let offer = ada.wait_for("offer").await["offer"].clone();
    let none = json!({"agents": 1, "open_conversations": 1, "messages_per_s": 1, "starts_per_s": 1, "storage_bytes": 1, "connections": 1});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/quota"), Some(&none)).await;
    assert_eq!(put.status, 200, "{}", put.text());
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
}
