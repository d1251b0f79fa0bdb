//! What no client should send to the agents' socket: each is named, costs little, and harms nobody else.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::scene::{DEMO, server, talking};
use support::socket::{Heard, Socket, frame};
use support::{Agent, Options, Server, command_id, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_frame_is_answered_with_its_fault() {
    let server = server();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let id = command_id();
    let with = |more: &str| format!(r#"{{"id":"{id}",{more}}}"#);
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    for (text, code, field) in [
        ("not json".to_owned(), "bad_request", None),
        ("[]".to_owned(), "bad_request", None),
        ("{}".to_owned(), "missing_id", Some("id")),
        (r#"{"type":"ready"}"#.to_owned(), "missing_id", Some("id")),
        (r#"{"type":"ready","id":"xyz"}"#.to_owned(), "bad_field", Some("id")),
        (r#"{"type":"ready","id":17}"#.to_owned(), "bad_request", Some("id")),
        (with(r#""type":"dance""#), "unknown_type", Some("type")),
        (with(r#""type":17"#), "bad_request", Some("type")),
        (with(r#""offer":"o1""#), "bad_request", Some("type")),
        (with(r#""type":"accept""#), "bad_request", Some("offer")),
        (with(r#""type":"accept","offer":23"#), "bad_request", Some("offer")),
        (with(r#""type":"accept","offer":"c23""#), "bad_field", Some("offer")),
        (with(r#""type":"accept","offer":"o99999999999999999999""#), "bad_field", Some("offer")),
        (with(r#""type":"accept","offer":"o-1""#), "bad_field", Some("offer")),
        (with(r#""type":"ready","colour":"red""#), "bad_request", Some("colour")),
        (with(r#""type":"ready","offer":"o1""#), "bad_request", Some("offer")),
        (with(r#""type":"ready","type":"ready""#), "bad_request", None),
        (with(r#""type":"read","conversation":"c1","number":-1"#), "bad_request", Some("number")),
        (with(r#""type":"read","conversation":"c1","number":1.5"#), "bad_request", Some("number")),
        (with(r#""type":"set_status","status":"away","channels":"chat""#), "bad_request", Some("channels")),
        (with(&format!(r#""type":"ready","id2":{deep}"#)), "bad_request", None),
    ] {
        agent.socket.writer.text(&text).await.unwrap();
        let reply = agent.wait_for("reply").await;
        let error = &reply["error"];
        let short: String = text.chars().take(80).collect();
        assert_eq!(error["code"], code, "{short}: {reply}");
        if let Some(field) = field {
            assert_eq!(error["field"], field, "{short}: {reply}");
        }
        assert!(reply["id"] == Value::Null || reply["id"] == id.as_str(), "{short}: {reply}");
        // One that is good in between, so that they are not twenty in a row.
        agent.must(json!({"type": "ready"})).await;
    }
}

/// Sends bytes as they are, and hears how the session ends.
async fn end_after(server: &Server, bytes: &[u8]) -> (u16, String) {
    let mut agent = Agent::connect(server, DEMO, "ada").await;
    agent.socket.writer.raw(bytes).await.unwrap();
    agent.closed().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_protocol_closes_with_the_code_that_says_which() {
    let server = server();
    let (mut bystander, _customer) = talking(&server, "zoe").await;
    let unmasked = [0x81, 2, b'{', b'}'];
    let reserved = [&[0xC1][..], &frame(1, b"{}")[1..]].concat();
    let unknown = frame(3, b"");
    let long_ping = frame(9, &[0; 126]);
    let half_claimed = [&[0x81, 0xFF][..], &(1u64 << 40).to_be_bytes(), &[0; 4]].concat();
    for (what, bytes, code) in [
        ("binary", frame(2, b"{}"), 1003),
        ("not UTF-8", frame(1, &[0xff, 0xfe]), 1007),
        ("over the limit", frame(1, &vec![b' '; 65_537]), 1009),
        ("claims a terabyte", half_claimed, 1009),
        ("not masked", unmasked.to_vec(), 1002),
        ("a reserved bit", reserved, 1002),
        ("a reserved opcode", unknown, 1002),
        ("a long control frame", long_ping, 1002),
    ] {
        assert_eq!(end_after(&server, &bytes).await.0, code, "{what}");
    }
    assert_eq!(end_after(&server, &frame(8, &1000u16.to_be_bytes())).await.0, 1000);
    let bad: Vec<u8> = (0..20).flat_map(|_| frame(1, b"{}")).collect();
    assert_eq!(end_after(&server, &bad).await, (4008, "bad_frames".to_owned()));
    bystander.must(json!({"type": "ready"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_beyond_the_rate_are_refused_and_far_beyond_it_the_session_ends() {
    let server = Server::start(&Options::default());
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let ready = |count: usize| -> Vec<u8> {
        let one = |_| frame(1, json!({"type": "ready", "id": command_id()}).to_string().as_bytes());
        (0..count).flat_map(one).collect()
    };
    agent.socket.writer.raw(&ready(120)).await.unwrap();
    let mut replies = Vec::new();
    while replies.len() < 120 {
        replies.push(agent.wait_for("reply").await);
    }
    let done = replies.iter().filter(|reply| reply["ok"] == true).count();
    let limited: Vec<_> = replies.iter().filter(|reply| reply["error"]["code"] == "rate_limited").collect();
    assert!(done >= 60 && limited.len() == 120 - done && !limited.is_empty(), "{done} were done");
    assert!(limited.iter().all(|reply| reply["error"]["retry_after_ms"].as_u64() > Some(0)));
    agent.socket.writer.raw(&ready(400)).await.unwrap();
    let (code, reason) = agent.closed().await;
    assert_eq!(code, 4102);
    assert!(reason.strip_prefix("retry_after_ms=").is_some_and(|ms| ms.parse::<u64>().is_ok()), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_a_rate_of_its_own_as_soon_as_its_profile_says_so() {
    let options = Options::default().set("sessions.commands_per_s=1").set("sessions.commands_burst=1");
    let server = Server::start(&options);
    let profile = async |program: bool| {
        let body = json!({ "program": program });
        let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/agents/assistant"), Some(&body)).await;
        assert_eq!(put.status, 200, "{}", put.text());
    };
    let mut assistant = Agent::connect(&server, DEMO, "assistant").await;
    let ready = json!({"type": "ready"});
    let is_limited = |reply: &serde_json::Value| reply["error"]["code"] == "rate_limited";
    while !is_limited(&assistant.ask(ready.clone()).await) {}
    profile(true).await;
    for _ in 0..200 {
        assistant.must(ready.clone()).await;
    }
    profile(false).await;
    while !is_limited(&assistant.ask(ready.clone()).await) {}
    let page = server.operators_page("/metrics").await;
    assert!(page.text().contains(r#"offhook_rate_limited_total{scope="agent"}"#), "{}", page.text());
    assert!(!page.text().contains(r#"offhook_rate_limited_total{scope="program"}"#), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_workspace_are_of_nothing() {
    let server = server();
    let (_ada, customer) = talking(&server, "ada").await;
    server.workspace("other").await;
    let mut stranger = Agent::connect_as(&server, "other", "eve", Role::Supervisor).await;
    let (code, conversation) = (|error: Value| error["code"].clone(), customer.conversation.as_str());
    for frame in [
        json!({"type": "close", "conversation": conversation}),
        json!({"type": "history", "conversation": conversation}),
        json!({"type": "send", "conversation": conversation, "text": "x"}),
        json!({"type": "read", "conversation": conversation, "number": 1}),
    ] {
        let refused = support::scene::refused(&mut stranger, frame.clone()).await;
        assert_eq!(code(refused), "no_such_conversation", "{frame}");
    }
    let refused = support::scene::refused(&mut stranger, json!({"type": "accept", "offer": "o1"})).await;
    assert_eq!(code(refused), "no_such_offer");
    let watched = stranger.must(json!({"type": "watch", "what": "agents"})).await;
    assert_eq!(watched["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(watched["rows"][0]["agent"], "eve");
}

/// One raw request, and all that is answered until the connection ends.
async fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // It may be answered, and closed, before it was read to its end.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = within("an answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_upgrade_of_ours_is_answered_over_http() {
    let server = server();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let ours = "Sec-WebSocket-Protocol: offhook.agent.v1\r\n";
    for (headers, status) in [
        ("Connection: close\r\n".to_owned(), 400),
        (format!("{upgrade}Sec-WebSocket-Version: 8\r\n{ours}"), 426),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\n"), 400),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n"), 400),
    ] {
        let request = format!("GET /v1/agent HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        within("an answer", stream.read_exact(&mut head)).await.unwrap();
        assert_eq!(std::str::from_utf8(&head).unwrap(), format!("HTTP/1.1 {status}"), "{headers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_elsewhere_is_told_that_it_may_not() {
    let server = server();
    let token = server.agent_token(DEMO, "ada", Role::Agent);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET /v1/agent HTTP/1.1\r\nHost: {}\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: offhook.agent.v1, offhook.token.{token}\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"origin") {
        let read = within("a close", stream.read_buf(&mut answer)).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.windows(2).any(|two| two == 4003u16.to_be_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_or_oversized_head_does_not_hold_a_place() {
    let options = Options::default().set("server.header_timeout_ms=300").set("server.handshakes_pending_max=4");
    let server = Server::start(&options);
    // As many as there are places, each with half a head.
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /v1/agent HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
        slow.push(stream);
    }
    // Whoever comes behind them is served all the same, once their time is over.
    Agent::connect(&server, DEMO, "ada").await;
    for mut stream in slow {
        let mut rest = Vec::new();
        let _ = within("the end of a slow one", stream.read_to_end(&mut rest)).await;
    }
    let huge = format!("GET /v1/agent HTTP/1.1\r\nHost: x\r\nX-Huge: {}\r\n\r\n", "x".repeat(40 * 1024));
    let answer = raw(&server, &huge).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 400"), "{answer}");
    let garbage = raw(&server, "\u{16}\u{3}\u{1} not http\r\n\r\n").await;
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
    Agent::connect(&server, DEMO, "bob").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_in_pieces_is_one_frame() {
    let server = server();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let text = json!({"type": "ready", "id": command_id()}).to_string();
    let (first, rest) = text.split_at(10);
    let mut pieces = frame(1, first.as_bytes());
    pieces[0] = 0x01;
    let ping = frame(9, b"between");
    let mut last = frame(0, rest.as_bytes());
    last[0] = 0x80;
    for piece in [pieces, ping, last] {
        agent.socket.writer.raw(&piece).await.unwrap();
    }
    assert_eq!(agent.wait_for("reply").await["ok"], true);
    let mut endless =
        Socket::connect(server.address, &[&format!("offhook.token.{}", server.agent_token(DEMO, "bob", Role::Agent))])
            .await
            .unwrap()
            .unwrap();
    within("a welcome", endless.next()).await;
    // Pieces without an end are bounded by the size of a frame.
    let mut piece = frame(1, &[b' '; 1_000]);
    piece[0] = 0x01;
    let mut more = frame(0, &[b' '; 1_000]);
    more[0] = 0x00;
    let _ = endless.writer.raw(&piece).await;
    for _ in 0..80 {
        let _ = endless.writer.raw(&more).await;
    }
    match within("a close", endless.next()).await {
        Heard::Close { code, .. } => assert_eq!(code, 1009),
        Heard::Gone => {}
        Heard::Text(text) => panic!("{text}"),
    }
}
