//! Files in conversations, over the wire: in, named, out again on both sides; every refusal; what a crash leaves; the scan.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::http::{Http, Response};
use support::scene::{DEMO, eventually, refused, server, talking};
use support::{Agent, Customer, Options, Server, command_id, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A picture of 640 by 480, so far as its head says, and of more than two chunks.
fn picture() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0".to_vec();
    bytes.extend(b"A secret of the customer's".repeat(6_000));
    bytes
}

fn files_path(side: &str, conversation: &str) -> String {
    format!("/v1/{side}/{DEMO}/conversations/{conversation}/files")
}

/// One request over a connection of its own.
async fn ask(server: &Server, method: &str, path: &str, token: &str, id: &str, body: &[u8]) -> Response {
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {id}\r\nContent-Type: image/png\r\n");
    within("an answer", http.ask(method, path, &headers, body)).await.expect("an answer")
}

async fn upload(server: &Server, customer: &Customer, name: &str, body: &[u8]) -> Response {
    let path = format!("{}?name={name}", files_path("messenger", &customer.conversation));
    ask(server, "POST", &path, &customer.token, &command_id(), body).await
}

async fn uploaded(server: &Server, customer: &Customer, name: &str, body: &[u8]) -> Value {
    let answer = upload(server, customer, name, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["file"].take()
}

async fn read(server: &Server, side: &str, conversation: &str, token: &str, file: &Value) -> Response {
    let path = format!("{}/{}", files_path(side, conversation), file["file"].as_str().unwrap());
    ask(server, "GET", &path, token, &command_id(), b"").await
}

async fn post(customer: &mut Customer, text: &str, files: &[&Value]) -> Response {
    let files: Vec<&Value> = files.iter().map(|file| &file["file"]).collect();
    customer.call("POST", "messages", Some(json!({"text": text, "files": files}))).await
}

/// Every file below the data directory that messages' files are in.
fn stored(server: &Server) -> Vec<std::path::PathBuf> {
    fn collect(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.path().is_dir() { collect(&entry.path(), found) } else { found.push(entry.path()) }
        }
    }
    let mut found = Vec::new();
    collect(&server.data_dir().join("files"), &mut found);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sends_a_picture_and_both_sides_see_it() {
    let server = server();
    let (mut ada, mut zoe) = talking(&server, "ada").await;
    let settings = &ada.welcome["settings"]["files"];
    assert_eq!(settings["max_bytes"], 10 << 20);
    assert_eq!(settings["types"][0], "image/png");
    let mut stream = zoe.follow(None).await;
    let file = uploaded(&server, &zoe, "x%20%C3%A9.png", &picture()).await;
    let bytes = picture().len();
    let expected = json!({"file": file["file"], "name": "x é.png", "type": "image/png", "bytes": bytes, "width": 640, "height": 480});
    assert_eq!(file, expected);
    // Text may be empty where there is a file.
    let posted = post(&mut zoe, "", &[&file]).await;
    assert_eq!(posted.status, 201, "{}", posted.text());
    let number = posted.json()["number"].clone();
    let frame = ada.until("the message", |frame| frame["type"] == "message" && frame["number"] == number).await;
    assert_eq!((&frame["files"], &frame["text"]), (&json!([expected]), &json!("")));
    let event = within("the event", async {
        loop {
            let event = stream.next().await.unwrap().unwrap();
            if event.name == "message" && event.json()["number"] == number {
                return event.json();
            }
        }
    })
    .await;
    assert_eq!(event["files"], json!([expected]));
    let page = zoe.call("GET", "messages", None).await.json();
    let last = page["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["files"], json!([expected]));
    assert!(page["messages"][0]["files"].is_null(), "{page}");
    let history = ada.must(json!({"type": "history", "conversation": zoe.conversation})).await;
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(messages.last().unwrap()["files"], json!([expected]), "{history}");
    let transcript = zoe.call("GET", "transcript", None).await;
    assert!(transcript.text().contains("[x é.png, 153 KiB]"), "{}", transcript.text());
    for what in ["messages", "events"] {
        let path = format!("/v1/workspaces/{DEMO}/conversations/{}/{what}", zoe.conversation);
        let page = server.admin("GET", &path, None).await;
        assert!(page.text().contains("\"x é.png\"") && !page.text().contains("A secret"), "{}", page.text());
    }

    let of_ada = server.agent_token(DEMO, "ada", Role::Agent);
    for (side, token) in [("messenger", &zoe.token), ("agent", &of_ada)] {
        let answer = read(&server, side, &zoe.conversation, token, &file).await;
        assert_eq!((answer.status, answer.body == picture()), (200, true));
        for (name, value) in [
            ("content-type", "image/png"),
            ("content-length", &*bytes.to_string()),
            ("content-disposition", "inline; filename*=UTF-8''x%20%C3%A9.png"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "private, max-age=31536000, immutable"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }

    // And the other way.
    let path = format!("{}?name=bill.txt", files_path("agent", &zoe.conversation));
    let answer = ask(&server, "POST", &path, &of_ada, &command_id(), "bill: 3 €".as_bytes()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let bill = answer.json()["file"].take();
    let send = json!({"type": "send", "conversation": zoe.conversation, "text": "your bill", "files": [bill["file"]]});
    let number = ada.must(send).await["number"].clone();
    let page = zoe.call("GET", "messages", None).await.json();
    let of_bill = page["messages"].as_array().unwrap().iter().find(|message| message["number"] == number).unwrap();
    assert_eq!(
        of_bill["files"],
        json!([{"file": bill["file"], "name": "bill.txt", "type": "text/plain", "bytes": 11}])
    );
    let answer = read(&server, "messenger", &zoe.conversation, &zoe.token, &bill).await;
    assert_eq!(answer.text(), "bill: 3 €");
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename*=UTF-8''bill.txt"));

    // A supervisor reads it too, another agent does not.
    let (_grace, _bob) =
        (Agent::connect_as(&server, DEMO, "grace", Role::Supervisor).await, Agent::connect(&server, DEMO, "bob").await);
    for (name, role, status) in [("grace", Role::Supervisor, 200), ("bob", Role::Agent, 403)] {
        let token = server.agent_token(DEMO, name, role);
        assert_eq!(read(&server, "agent", &zoe.conversation, &token, &file).await.status, status, "{name}");
    }
    let bob = server.agent_token(DEMO, "bob", Role::Agent);
    let refused = ask(&server, "POST", &path, &bob, &command_id(), b"x").await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (403, json!("not_yours")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_says_why() {
    let server = server();
    let (mut ada, zoe) = talking(&server, "ada").await;
    server
        .change_settings(DEMO, |set| set["files"] = json!({"max_bytes": 100_000, "types": ["image/png", "text/plain"]}))
        .await;
    let svg: &[u8] = b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let cases: [(&str, &[u8], u16, &str, &str); 9] = [
        ("", b"x", 400, "bad_request", "name"),
        ("%E2%80%AE", b"x", 400, "bad_request", "name"),
        ("a.png", b"", 400, "bad_request", "body"),
        ("a.png", &picture(), 413, "too_large", "body"),
        ("a.png", b"MZ\x90\0\x03\0\0\0", 400, "bad_request", "type"),
        ("a.png", b"%PDF-1.7", 400, "bad_request", "type"),
        ("a.png", b"<!DOCTYPE html><script>alert(1)</script>", 400, "bad_request", "type"),
        ("a.png", svg, 400, "bad_request", "type"),
        ("a.txt", b"zero \0 byte", 400, "bad_request", "type"),
    ];
    for (name, body, status, code, field) in cases {
        let answer = upload(&server, &zoe, name, body).await;
        let error = answer.json();
        assert_eq!((answer.status, &error["code"], &error["field"]), (status, &json!(code), &json!(field)), "{error}");
        match field {
            "type" => assert_eq!(error["allowed"], json!(["image/png", "text/plain"])),
            "body" if code == "too_large" => assert_eq!(error["max_bytes"], 100_000),
            _ => {}
        }
    }
    // No length, no id, no token.
    let path = format!("{}?name=a.txt", files_path("messenger", &zoe.conversation));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let id = command_id();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {id}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        zoe.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 411 ") && answer.contains("length_required"), "{answer}");
    let mut http = Http::connect(server.address).await.unwrap();
    let authorized = format!("Authorization: Bearer {}\r\n", zoe.token);
    assert_eq!(http.ask("POST", &path, &authorized, b"x").await.unwrap().json()["code"], "missing_id");
    let keyed = format!("Idempotency-Key: {id}\r\n");
    assert_eq!(http.ask("POST", &path, &keyed, b"x").await.unwrap().status, 401);
    assert!(stored(&server).is_empty());
    assert_eq!(server.metric("offhook_files_bytes").await, 0.0);
    // Kinds that a workspace allows are still not run by a browser.
    server.change_settings(DEMO, |set| set["files"]["types"] = json!(["text/xml", "text/html"])).await;
    for (body, kind) in [(svg, "text/xml"), (b"<!DOCTYPE html><script>alert(1)</script>", "text/html")] {
        let file = uploaded(&server, &zoe, "a.svg", body).await;
        assert_eq!(file["type"], kind);
        let answer = read(&server, "messenger", &zoe.conversation, &zoe.token, &file).await;
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert!(answer.header("content-disposition").unwrap().starts_with("attachment;"));
    }
    // None at all.
    server.change_settings(DEMO, |set| set["files"]["types"] = json!([])).await;
    assert_eq!(upload(&server, &zoe, "a.txt", b"x").await.status, 403);
    server.change_settings(DEMO, |set| set["files"] = Value::Null).await;
    assert_eq!(server.workspace(DEMO).await["files"], Value::Null);
    let answer = upload(&server, &zoe, "a.txt", b"x").await;
    assert_eq!((answer.status, answer.json()["code"].clone()), (403, json!("forbidden")));
    let again = Agent::connect(&server, DEMO, "ada").await;
    assert!(again.welcome["settings"]["files"].is_null(), "{}", again.welcome);
    for bad in [json!({"max_bytes": 0}), json!({"types": ["png"]}), json!({"most": 1})] {
        let mut settings = server.workspace(DEMO).await;
        settings["files"] = bad;
        let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/settings"), Some(&settings)).await;
        assert!(put.json()["field"].as_str().is_some_and(|field| field.starts_with("files")), "{}", put.text());
    }
    let none = json!({"type": "send", "conversation": zoe.conversation, "text": "", "files": []});
    assert_eq!(refused(&mut ada, none).await["field"], "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_belongs_to_one_message_of_its_conversation() {
    let server = server();
    let (mut ada, mut zoe) = talking(&server, "ada").await;
    let mut max = Customer::start(server.address, DEMO, "me too").await;
    let file = uploaded(&server, &zoe, "a.txt", b"hello").await;
    let at_files = |answer: Response, status: u16, code: &str| {
        let error = answer.json();
        assert_eq!(
            (answer.status, &error["code"], &error["field"]),
            (status, &json!(code), &json!("files")),
            "{error}"
        );
    };
    at_files(post(&mut max, "mine", &[&file]).await, 422, "no_such_file");
    at_files(post(&mut zoe, "twice", &[&file, &file]).await, 422, "bad_field");
    at_files(
        post(&mut zoe, "none", &[&json!({"file": "f_00000000000000000000000000000000"})]).await,
        422,
        "no_such_file",
    );
    at_files(post(&mut zoe, "no id", &[&json!({"file": "../../journal.db"})]).await, 422, "no_such_file");
    at_files(post(&mut zoe, "many", &[&file; 6]).await, 422, "bad_field");
    // A message that is sent again is the same message; another with the file is refused.
    let (body, id) = (json!({"text": "here", "files": [file["file"]]}), command_id());
    let first = zoe.call_with("POST", "messages", Some(body.clone()), &id).await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(zoe.call_with("POST", "messages", Some(body), &id).await.json(), first.json());
    at_files(post(&mut zoe, "again", &[&file]).await, 409, "file_taken");
    let send = json!({"type": "send", "conversation": zoe.conversation, "text": "mine", "files": [file["file"]]});
    assert_eq!(refused(&mut ada, send).await["code"], "file_taken");
    let send = json!({"type": "send", "conversation": max.conversation, "text": "mine", "files": [file["file"]]});
    assert_eq!(refused(&mut ada, send).await["code"], "not_yours");
    // Nobody else's conversation shows it.
    for (customer, conversation) in [(&max, &zoe.conversation), (&max, &max.conversation), (&zoe, &max.conversation)] {
        assert_eq!(read(&server, "messenger", conversation, &customer.token, &file).await.status, 404);
    }
    let elsewhere = format!("{}/{}", files_path("messenger", &zoe.conversation), "..%2F..%2Fjournal.db");
    assert_eq!(ask(&server, "GET", &elsewhere, &zoe.token, &command_id(), b"").await.status, 404);
    // An upload that is sent again is the same file, and another by the same id is refused.
    let path = format!("{}?name=b.txt", files_path("messenger", &zoe.conversation));
    let id = command_id();
    let first = ask(&server, "POST", &path, &zoe.token, &id, b"one").await.json();
    assert_eq!(ask(&server, "POST", &path, &zoe.token, &id, b"one").await.json(), first);
    assert_eq!(ask(&server, "POST", &path, &zoe.token, &id, b"two").await.json()["code"], "id_reused");
    assert_eq!(stored(&server).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_text_and_what_is_stored_is_sealed() {
    let server = server();
    let (_ada, mut zoe) = talking(&server, "ada").await;
    let long = "x".repeat(300);
    let names = [
        ("..%2F..%2F..%2Fetc%2Fpasswd", ".._.._.._etc_passwd".to_owned()),
        ("gpj%E2%80%AEexe.png", "gpjexe.png".to_owned()),
        ("%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "<img src=x onerror=alert(1)>".to_owned()),
        ("a%0D%0AX-Evil%3A%20y", "a__X-Evil: y".to_owned()),
        (&*long, format!("{}…{}", "x".repeat(179), "x".repeat(20))),
    ];
    for (given, kept) in &names {
        let file = uploaded(&server, &zoe, given, &picture()).await;
        assert_eq!(file["name"], **kept);
        let answer = read(&server, "messenger", &zoe.conversation, &zoe.token, &file).await;
        assert!(answer.status == 200 && answer.header("x-evil").is_none());
        assert_eq!(post(&mut zoe, "look", &[&file]).await.status, 201);
    }
    assert_eq!(stored(&server).len(), names.len());
    let mut all = stored(&server);
    all.extend(
        std::fs::read_dir(server.data_dir()).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file()),
    );
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        let found = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!found(b"secret of the customer") && !found(b"etc_passwd") && !found(b"onerror"), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_message_names_goes_and_what_one_names_stays_over_kills() {
    let mut server = server();
    let (_ada, mut zoe) = talking(&server, "ada").await;
    let named = uploaded(&server, &zoe, "a.png", &picture()).await;
    let later = uploaded(&server, &zoe, "b.png", &picture()).await;
    assert_eq!(post(&mut zoe, "look", &[&named]).await.status, 201);
    // One that is half there, as a kill leaves it.
    let mut half = begun(&server, &zoe, picture().len(), &picture()[..100_000]).await;
    eventually("what has come of it on the disk", async || stored(&server).len(), |count| *count == 3).await;
    server.kill();
    let _ = half.read(&mut [0; 16]).await;
    server.start_again();
    let mut zoe = zoe.at(server.address).await;
    // Acknowledged before the kill: it can be named after it.
    assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, &named).await.body, picture());
    assert_eq!(post(&mut zoe, "and this", &[&later]).await.status, 201);
    eventually("the half one to be gone", async || stored(&server).len(), |count| *count == 2).await;
    assert_eq!(server.metric(r#"offhook_files_removed_total{cause="broken_off"}"#).await, 1.0);
    let never = uploaded(&server, &zoe, "d.png", &picture()).await;
    assert_eq!(stored(&server).len(), 3);
    // Closed, so that from now on the view alone knows of it.
    assert_eq!(zoe.call("POST", "leave", None).await.status, 204);
    server.kill();
    server.start_again_with(Options::default().without_rate_limits().set("files.unnamed_kept_ms=1000"));
    let mut zoe = zoe.at(server.address).await;
    eventually("the unnamed one to be gone", async || stored(&server).len(), |count| *count == 2).await;
    assert!(server.metric(r#"offhook_files_removed_total{cause="unnamed"}"#).await >= 1.0);
    assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, &never).await.status, 404);
    assert_eq!(post(&mut zoe, "too late", &[&never]).await.json()["code"], "no_such_file");
    for file in [&named, &later] {
        assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, file).await.body, picture());
    }
}

/// An upload of so many bytes, of which these have been sent.
async fn begun(server: &Server, customer: &Customer, length: usize, sent: &[u8]) -> TcpStream {
    let path = format!("{}?name=c.png", files_path("messenger", &customer.conversation));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let (token, id) = (&customer.token, command_id());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {id}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_bounded_in_number_in_bytes_and_in_time() {
    let options = Options::default()
        .without_rate_limits()
        .set("files.uploads_max=2")
        .set("files.visitor_bytes_per_h=1 MiB")
        .set("files.workspace_bytes_max=2 MiB")
        .set("files.upload_bytes_per_s_min=1 MiB");
    let server = Server::start(&options);
    let (_ada, zoe) = talking(&server, "ada").await;
    let max = Customer::start(server.address, DEMO, "me too").await;
    // Two that come slowly, and a third that finds no room.
    let mut slow = Vec::new();
    for customer in [&zoe, &max] {
        slow.push(begun(&server, customer, 10, b"x").await);
    }
    eventually("both under way", async || server.metric("offhook_files_uploading").await, |count| *count == 2.0).await;
    let busy = upload(&server, &zoe, "a.txt", b"x").await;
    assert_eq!((busy.status, busy.json()["code"].clone()), (503, json!("busy")));
    assert!(busy.json()["retry_after_ms"].is_u64() && busy.header("retry-after").is_some());
    for mut stream in slow {
        let mut answer = [0; 1_024];
        let count = within("the slow one to be cut", stream.read(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("bytes a second"), "{answer}");
    }
    eventually("neither under way", async || server.metric("offhook_files_uploading").await, |count| *count == 0.0)
        .await;
    assert!(stored(&server).is_empty());
    // A visitor's hour, and then the workspace's room.
    let text = vec![b'x'; 1_000_000];
    let file = uploaded(&server, &zoe, "a.txt", &text).await;
    let limited = upload(&server, &zoe, "b.txt", &text).await;
    assert_eq!((limited.status, limited.json()["code"].clone()), (429, json!("rate_limited")));
    assert!(server.metric(r#"offhook_rate_limited_total{scope="file_bytes"}"#).await >= 1.0);
    uploaded(&server, &max, "a.txt", &text).await;
    let nora = Customer::start(server.address, DEMO, "and me").await;
    let full = upload(&server, &nora, "a.txt", &text).await;
    assert_eq!((full.status, full.json()["code"].clone()), (503, json!("unavailable")));
    assert_eq!(read(&server, "messenger", &zoe.conversation, &zoe.token, &file).await.body, text);
    assert!(server.metric("offhook_files_bytes").await >= 2_000_000.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_who_and_what_is_forgotten_go() {
    let mut server = Server::start(&Options::default().without_rate_limits().set("health.probe_every_ms=0"));
    let mut zoe = Customer::start(server.address, DEMO, "hello").await;
    let mut max = Customer::start(server.address, DEMO, "me too").await;
    for customer in [&mut zoe, &mut max] {
        let file = uploaded(&server, customer, "a.png", &picture()).await;
        assert_eq!(post(customer, "look", &[&file]).await.status, 201);
        assert_eq!(customer.call("POST", "leave", None).await.status, 204);
    }
    server.stop();
    assert_eq!(stored(&server).len(), 2);
    // As the retention leaves the first one's conversation, and an erasure the second one's key.
    let view = rusqlite::Connection::open(server.data_dir().join("view.db")).unwrap();
    assert_eq!(
        view.execute("DELETE FROM conversation WHERE key = (SELECT min(key) FROM conversation)", []).unwrap(),
        1
    );
    drop(view);
    let keys = rusqlite::Connection::open(server.data_dir().join("keys.db")).unwrap();
    assert!(keys.execute("DELETE FROM key", []).unwrap() >= 2);
    drop(keys);
    server.start_again();
    eventually("both to be gone", async || stored(&server).len(), |count| *count == 0).await;
    for cause in ["forgotten", "erased"] {
        assert_eq!(server.metric(&format!("offhook_files_removed_total{{cause=\"{cause}\"}}")).await, 1.0, "{cause}");
    }
    let gone = async || server.metric("offhook_files_bytes").await;
    eventually("their room", gone, |bytes| *bytes == 0.0).await;
    let page = max.at(server.address).await.call("GET", "messages", None).await.json();
    let shown = &page["messages"][1]["files"][0];
    assert_eq!((&shown["name"], &shown["type"]), (&json!(""), &json!("image/png")), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_fill_the_disks_budget_and_are_refused_before_messages_are() {
    let options = Options::default().without_rate_limits().set("journal.kept_back_bytes=4 MiB");
    let options = options.set("journal.disk_low_percent=40").set("journal.disk_critical_percent=90");
    let server = Server::start(&options.set("journal.disk_budget_bytes=64 MiB"));
    let (_ada, zoe) = talking(&server, "ada").await;
    let text = vec![b'x'; 8 << 20];
    let full = async || upload(&server, &zoe, "a.txt", &text).await;
    let refused = eventually("the mark", full, |answer| answer.status != 201).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (503, json!("unavailable")));
    assert!(refused.json()["retry_after_ms"].is_u64() && (1..=8).contains(&stored(&server).len()));
    assert!(server.metric("offhook_disk_shed_total").await >= 1.0);
    zoe.another().await.post("this goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_is_cut_and_gives_back_what_it_held() {
    let server = Server::start(&Options::default().without_rate_limits().set("server.write_timeout_ms=1000"));
    let (_ada, zoe) = talking(&server, "ada").await;
    let file = uploaded(&server, &zoe, "a.txt", &vec![b'x'; 8 << 20]).await;
    // The file may have taken longer than a connection may be idle.
    assert_eq!(post(&mut zoe.another().await, "", &[&file]).await.status, 201);
    let mut reader = Http::connect(server.address).await.unwrap();
    let path = format!("{}/{}", files_path("messenger", &zoe.conversation), file["file"].as_str().unwrap());
    reader.send("GET", &path, &format!("Authorization: Bearer {}\r\n", zoe.token), b"").await.unwrap();
    let held = async || server.metric("offhook_reserve_bytes{purpose=\"files\"}").await;
    let stuck = async || server.metric("offhook_connections_stuck_total").await;
    eventually("the cut", stuck, |count| *count >= 1.0).await;
    eventually("what it held", held, |bytes| *bytes == 0.0).await;
    drop(reader);
}

/// A scanner that answers as its number says; what it was shown is counted. 0: never.
async fn scanner(status: u16, shown: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let shown = shown.clone();
            tokio::spawn(async move {
                let (mut read, mut chunk) = (Vec::new(), [0; 65_536]);
                loop {
                    let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
                    let length = text
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
                    let head = read.windows(4).position(|four| four == b"\r\n\r\n");
                    if let (Some(head), Some(length)) = (head, length)
                        && read.len() >= head + 4 + length
                    {
                        assert!(
                            text.contains("x-file-name: a%20b.png\r\n") && text.contains("content-type: image/png\r\n")
                        );
                        assert_eq!(read[head + 4..], picture()[..]);
                        shown.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    match stream.read(&mut chunk).await {
                        Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
                        _ => return,
                    }
                }
                if status > 0 {
                    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                    let _ = stream.write_all(answer.as_bytes()).await;
                } else {
                    let _ = stream.read(&mut chunk).await;
                }
            });
        }
    });
    format!("http://{address}/scan")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_is_shown_to_the_scan_and_kept_when_that_says_so() {
    for (status, answered, code) in [
        (200, 201, ""),
        (403, 422, "file_refused"),
        (422, 422, "file_refused"),
        (500, 503, "unavailable"),
        (0, 503, "unavailable"),
    ] {
        let shown = Arc::new(AtomicUsize::new(0));
        let url = scanner(status, shown.clone()).await;
        let options = Options::default().without_rate_limits();
        let server = Server::start(&options.set(&format!("files.scan_url={url}")).set("files.scan_timeout_ms=2000"));
        let (_ada, zoe) = talking(&server, "ada").await;
        let answer = upload(&server, &zoe, "a%20b.png", &picture()).await;
        assert_eq!((answer.status, shown.load(Ordering::SeqCst)), (answered, 1), "{status}: {}", answer.text());
        assert_eq!(stored(&server).len(), usize::from(status == 200));
        if status != 200 {
            assert_eq!(answer.json()["code"], code);
        }
    }
    // Nobody there: nothing is taken, and everything else goes on.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start(&Options::default().set(&format!("files.scan_url=http://{nobody}/")));
    let (_ada, mut zoe) = talking(&server, "ada").await;
    assert_eq!(upload(&server, &zoe, "a.png", &picture()).await.json()["code"], "unavailable");
    assert!(stored(&server).is_empty());
    assert_eq!(server.metric(r#"offhook_files_scanned_total{result="unknown"}"#).await, 1.0);
    zoe.post("still here").await;
}
