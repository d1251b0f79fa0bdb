//! Changes that are made only while the thing is as its sender knows it, and what answers tell of rates.

use super::support::scene::{DEMO, server};
use super::support::{Customer, Http, Options, Response, Server, command_id};
use serde_json::{Value, json};

async fn ask(server: &Server, method: &str, path: &str, headers: &str, body: Option<Value>) -> Response {
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\n{headers}", server.admin_key());
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    http.ask(method, &format!("/v1/workspaces/{DEMO}{path}"), &headers, body.as_bytes()).await.unwrap()
}

async fn change(server: &Server, method: &str, path: &str, condition: &str, body: Option<Value>) -> Response {
    let headers = format!("Idempotency-Key: {}\r\n{condition}", command_id());
    ask(server, method, path, &headers, body).await
}

fn tag(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("etag").expect("a tag").to_owned()
}

fn is(answer: &Response, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_the_same_thing_one_hears_of_the_other() {
    let mut server = server();
    change(&server, "PUT", "/agents/ada", "", Some(json!({"title": "Ada"}))).await;
    let settings = ask(&server, "GET", "/settings", "", None).await.json();
    let bodies = [
        ("/settings", settings),
        ("/queues/support", json!({"title": "Support"})),
        ("/agents/ada", json!({"title": "A"})),
    ];
    for (path, mut body) in bodies {
        let seen = tag(&ask(&server, "GET", path, "", None).await);
        let known = ask(&server, "GET", path, &format!("If-None-Match: {seen}\r\n"), None).await;
        assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
        match path {
            "/settings" => body["devices_max"] = 3.into(),
            _ => body["title"] = "first".into(),
        }
        let id = format!("Idempotency-Key: {}\r\nIf-Match: {seen}\r\n", command_id());
        let first = ask(&server, "PUT", path, &id, Some(body.clone())).await;
        let changed = tag(&first);
        assert_ne!(changed, seen, "{path}");
        assert_eq!(tag(&ask(&server, "GET", path, "", None).await), changed, "{path}: it is told with the answer");
        is(
            &change(&server, "PUT", path, &format!("If-Match: {seen}\r\n"), Some(body.clone())).await,
            412,
            "changed_meanwhile",
        );
        let again = ask(&server, "PUT", path, &id, Some(body.clone())).await;
        assert_eq!((again.status, &again.body), (200, &first.body), "{path}: what was done is answered as it was");
        let either = format!("If-Match: \"0\", {changed}\r\n");
        assert_eq!(change(&server, "PUT", path, &either, Some(body.clone())).await.status, 200, "{path}");
        is(
            &change(&server, "PUT", path, &format!("If-Match: W/{changed}\r\n"), Some(body.clone())).await,
            412,
            "changed_meanwhile",
        );
        is(&change(&server, "PUT", path, "If-Match: new\r\n", Some(body)).await, 400, "bad_request");
    }
    let before = tag(&ask(&server, "GET", "/queues/support", "", None).await);
    server.kill();
    server.start_again();
    assert_eq!(tag(&ask(&server, "GET", "/queues/support", "", None).await), before, "a restart changes no tag");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_new_is_made_once_and_what_is_to_be_there_is_not_made() {
    let server = server();
    for path in ["/queues/sales", "/agents/bob"] {
        let body = Some(json!({"title": "x"}));
        is(&change(&server, "PUT", path, "If-Match: *\r\n", body.clone()).await, 412, "changed_meanwhile");
        assert_eq!(change(&server, "PUT", path, "If-None-Match: *\r\n", body.clone()).await.status, 200);
        is(&change(&server, "PUT", path, "If-None-Match: *\r\n", body.clone()).await, 412, "changed_meanwhile");
        assert_eq!(change(&server, "PUT", path, "If-Match: *\r\n", body.clone()).await.status, 200);
        is(&change(&server, "PUT", path, "If-None-Match: \"x\"\r\n", body).await, 400, "bad_request");
    }
    let seen = tag(&ask(&server, "GET", "/queues/sales", "", None).await);
    change(&server, "POST", "/queues/sales/drain", "", Some(json!({"on": true}))).await;
    is(
        &change(&server, "DELETE", "/queues/sales", &format!("If-Match: {seen}\r\n"), None).await,
        412,
        "changed_meanwhile",
    );
    let now = tag(&ask(&server, "GET", "/queues/sales", "", None).await);
    assert_eq!(change(&server, "DELETE", "/queues/sales", &format!("If-Match: {now}\r\n"), None).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_tell_how_often_their_sender_may_still_ask() {
    let limited = Options::default().set("identity.api_key_requests_per_s=1").set("messenger.visitor_messages_per_s=1");
    let server = Server::start(&limited.set("messenger.visitor_burst=3"));
    let first = ask(&server, "GET", "/queues", "", None).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"calls\";q=1;w=1"));
    assert_eq!(first.header("ratelimit"), Some("\"calls\";r=0;t=1"));
    // Somebody is refused among many at once, and is told when to come.
    let many = futures_util::future::join_all((0..20).map(|_| ask(&server, "GET", "/queues", "", None))).await;
    let refused = many.iter().find(|answer| answer.status == 429).expect("one too many");
    assert_eq!((refused.header("ratelimit"), refused.header("retry-after")), (Some("\"calls\";r=0;t=1"), Some("1")));

    let customer = Customer::start(server.address, DEMO, "hello").await;
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", customer.token, command_id());
    let path = format!("/v1/messenger/{DEMO}/conversations/{}/messages", customer.conversation);
    let posted = http.ask("POST", &path, &headers, br#"{"text": "more"}"#).await.unwrap();
    assert_eq!(posted.header("ratelimit-policy"), Some("\"calls\";q=15;w=2, \"messages\";q=3;w=3"));
    assert!(posted.header("ratelimit").is_some_and(|told| told.contains("\"messages\";r=2;t=1")), "{posted:?}");
}
