//! What is taken, shown and given out, and what is refused with its reason.

use crate::support::http::{Http, Response};
use crate::support::scene::{DEMO, refused, server, talking};
use crate::support::{Agent, Customer, command_id, within};
use crate::{ask, files_path, picture, post, read, stored, upload, uploaded};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
