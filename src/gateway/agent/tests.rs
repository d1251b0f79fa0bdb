//! The socket as a client meets it: real connections, a stranger's client, and a desk without rules.

use super::fake::{FakeDesk, FakeTokens, Handed};
use super::session::Present;
use super::*;
use crate::desk::command::{Ask, Author};
use crate::desk::ids::{AgentId, OfferId, Principal};
use crate::gateway::listen::{ListenLimits, Listening, bind, listen};
use crate::gateway::websocket::Socket;
use futures_util::{SinkExt, StreamExt};
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const ADA: &str = "ada/demo/agent/2000";
const ID: &str = "0123456789abcdef0123456789abcdef";

struct Server {
    listening: Listening,
    door: Arc<Door<FakeDesk, FakeTokens>>,
    seen: mpsc::Receiver<Handed>,
}

fn server_with(change: impl FnOnce(&mut FakeDesk, &mut AgentLimits)) -> Server {
    let (mut desk, seen) = FakeDesk::new();
    let mut limits = AgentLimits::default();
    change(&mut desk, &mut limits);
    let door = Arc::new(Door::new(
        desk,
        FakeTokens,
        OriginRules::parse(&["https://desk.example".to_owned()]).unwrap(),
        TrustedProxies::none(),
        limits,
        tokio::runtime::Handle::current(),
    ));
    let limits = ListenLimits::default();
    let listener = bind("127.0.0.1:0".parse().unwrap(), &limits).unwrap();
    Server { listening: listen(listener, routes(door.clone()), None, None, &limits).unwrap(), door, seen }
}

fn server() -> Server {
    server_with(|_, _| {})
}

type Client = WebSocketStream<TcpStream>;

impl Server {
    async fn try_connect(&self, headers: &[(&'static str, &str)]) -> Result<Client, Error> {
        let mut request = format!("ws://{}/v1/agent", self.listening.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.listening.address).await.unwrap();
        let (client, response) = client_async(request, stream).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], "offhook.agent.v1");
        Ok(client)
    }

    async fn connect(&self, headers: &[(&'static str, &str)]) -> Client {
        let mut all = vec![("sec-websocket-protocol", "offhook.agent.v1")];
        all.extend(headers);
        self.try_connect(&all).await.unwrap()
    }

    /// Ada, with her welcome read.
    async fn ada(&mut self) -> Client {
        let bearer = format!("Bearer {ADA}");
        let mut client = self.connect(&[("authorization", &bearer)]).await;
        assert_eq!(json(&mut client).await["type"], "welcome");
        assert_eq!(self.seen.recv().await.unwrap(), Handed::Came("ada".into()));
        client
    }

    async fn command(&mut self) -> Command {
        let Handed::Command(command) = self.seen.recv().await.unwrap() else { panic!("no command") };
        command
    }
}

async fn json(client: &mut Client) -> serde_json::Value {
    let message = client.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

async fn say(client: &mut Client, members: &str) {
    client.send(Message::text(format!(r#"{{"id":"{ID}",{members}}}"#))).await.unwrap();
}

async fn close_of(client: &mut Client) -> (u16, String) {
    loop {
        match client.next().await.unwrap().unwrap() {
            Message::Close(Some(close)) => return (close.code.into(), close.reason.as_str().to_owned()),
            Message::Close(None) => panic!("a close says why"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_token_comes_in_a_header_or_as_a_subprotocol_and_a_ticket_beside_it() {
    let mut server = server();
    server.ada().await;
    let list = format!("offhook.agent.v1, offhook.token.{ADA}");
    let mut client = server.try_connect(&[("sec-websocket-protocol", &list)]).await.unwrap();
    assert_eq!(json(&mut client).await["returning"], false);
    let token = format!("offhook.token.{ADA}");
    let lines = ["offhook.agent.v1", "offhook.ticket.ohr1.ada", &token].map(|line| ("sec-websocket-protocol", line));
    let mut client = server.try_connect(&lines).await.unwrap();
    assert_eq!(json(&mut client).await["returning"], true);
}

#[tokio::test]
async fn what_is_no_upgrade_of_ours_is_answered_over_http() {
    let server = server();
    let good = "GET /v1/agent HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: offhook.agent.v1\r\n\r\n";
    let cases = [
        (good.to_owned(), "101", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        (good.replace("Version: 13", "Version: 8"), "426", "sec-websocket-version: 13"),
        (good.replace("Upgrade: websocket", "Upgrade: h2c"), "400", "\"field\":\"upgrade\""),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"), "400", "\"field\":\"sec-websocket-key\""),
        (good.replace("offhook.agent.v1", "chat"), "400", "\"field\":\"sec-websocket-protocol\""),
        (good.replace("GET", "POST"), "405", ""),
        (
            "GET /v1/agent HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            "400",
            "application/problem+json",
        ),
    ];
    for (request, status, part) in cases {
        let mut stream = TcpStream::connect(server.listening.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(part.len().max(1)).any(|bytes| bytes == part.as_bytes() || part.is_empty()) {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
        }
        assert!(answer.starts_with(format!("HTTP/1.1 {status}").as_bytes()), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn who_may_not_come_in_is_told_by_a_close_code() {
    let server = server();
    type Headers<'a> = &'a [(&'static str, &'a str)];
    let cases: [(Headers<'_>, u16, &str); 5] = [
        (&[], 4001, "token_missing"),
        (&[("authorization", "Bearer nonsense")], 4001, "token_malformed"),
        (&[("authorization", "Basic ada/demo/agent/2000")], 4001, "token_missing"),
        (&[("authorization", "Bearer ada/demo/agent/999")], 4001, "token_expired"),
        (&[("authorization", "Bearer ada/demo/agent/2000"), ("origin", "https://evil.example")], 4003, "origin"),
    ];
    for (headers, code, reason) in cases {
        let mut client = server.connect(headers).await;
        assert_eq!(close_of(&mut client).await, (code, reason.to_owned()), "{headers:?}");
    }
    let full = server_with(|desk, _| desk.refuses = Some(Refused::for_now(CloseCode::Busy, 1_500)));
    let mut client = full.connect(&[("authorization", "Bearer ada/demo/agent/2000")]).await;
    assert_eq!(close_of(&mut client).await, (4100, "retry_after_ms=1500".to_owned()));
}

/// One is being served, and will be for an hour.
async fn busy(waiting_max: usize) -> (Server, Client) {
    let mut server = server_with(|desk, limits| {
        desk.is_slow = true;
        limits.pace = PaceLimits { at_once: 1, waiting_max };
        limits.served_max = Duration::from_secs(3_600);
    });
    let bearer = format!("Bearer {ADA}");
    let client = server.connect(&[("authorization", &bearer)]).await;
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Came("ada".into()));
    (server, client)
}

fn retry_after_ms(reason: &str) -> u64 {
    reason.strip_prefix("retry_after_ms=").and_then(|ms| ms.parse().ok()).unwrap_or_else(|| panic!("{reason}"))
}

#[tokio::test]
async fn who_finds_no_room_is_told_when_to_come_before_its_token_is_looked_at() {
    let (server, _served) = busy(0).await;
    // A token that is nobody's would be told so, had it been looked at.
    let program = [("sec-websocket-protocol", "offhook.agent.v1"), ("authorization", "Bearer nobody")];
    let Err(Error::Http(answer)) = server.try_connect(&program).await else { panic!("a 503") };
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    let body: serde_json::Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
    assert_eq!(body["code"], "busy");
    assert!((1..=30_000).contains(&body["retry_after_ms"].as_u64().unwrap()), "{body}");
    // A page in a browser could not read that.
    let mut page = server.connect(&[("authorization", "Bearer nobody"), ("origin", "https://desk.example")]).await;
    let (code, reason) = close_of(&mut page).await;
    assert_eq!(code, 4100);
    assert!((1..=30_000).contains(&retry_after_ms(&reason)));
}

#[tokio::test]
async fn who_was_here_takes_the_place_in_line_of_who_was_not() {
    let (mut server, _served) = busy(1).await;
    let connect = |protocols: &'static str| {
        let mut request = format!("ws://{}/v1/agent", server.listening.address).into_client_request().unwrap();
        request.headers_mut().append("sec-websocket-protocol", protocols.parse().unwrap());
        let address = server.listening.address;
        tokio::spawn(async move { client_async(request, TcpStream::connect(address).await.unwrap()).await })
    };
    let new = connect("offhook.agent.v1, offhook.token.bob/demo/agent/2000");
    while server.door.pace.size() != (1, 1) {
        tokio::task::yield_now().await;
    }
    let back = connect("offhook.agent.v1, offhook.token.eve/demo/agent/2000, offhook.ticket.ohr1.eve");
    let Err(Error::Http(answer)) = new.await.unwrap() else { panic!("a 503") };
    assert_eq!(answer.status(), 503);
    server.door.desk.registry.close_all();
    back.await.unwrap().unwrap();
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Went);
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Came("eve".into()));
}

#[tokio::test]
async fn an_agent_that_comes_again_and_again_is_told_to_wait_and_so_is_who_guesses_tokens() {
    let mut server = server_with(|_, limits| (limits.connects_per_min, limits.bad_tokens_per_min) = (2, 3));
    let ada = format!("Bearer {ADA}");
    for _ in 0..2 {
        server.ada().await;
        while server.seen.recv().await.unwrap() != Handed::Went {}
    }
    let (code, reason) = close_of(&mut server.connect(&[("authorization", &ada)]).await).await;
    assert_eq!(code, 4102);
    assert!((29_000..=30_000).contains(&retry_after_ms(&reason)), "{reason}");
    let guess = [("authorization", "Bearer guess")];
    for _ in 0..3 {
        assert_eq!(close_of(&mut server.connect(&guess).await).await.0, 4001);
    }
    assert_eq!(close_of(&mut server.connect(&guess).await).await.0, 4102);
    let new = [("authorization", "Bearer eve/demo/agent/2000")];
    assert_eq!(close_of(&mut server.connect(&new).await).await.0, 4102, "behind the same address");
    let list = "offhook.token.eve/demo/agent/2000, offhook.ticket.ohr1.eve";
    let mut back = server.connect(&[("sec-websocket-protocol", list)]).await;
    assert_eq!(json(&mut back).await["returning"], true);
}

#[tokio::test]
async fn above_a_rate_refusals_are_not_even_told() {
    let server = server_with(|_, limits| limits.refusals_per_s = 1);
    let mut client = server.connect(&[]).await;
    assert_eq!(close_of(&mut client).await.0, 4001);
    let Err(Error::Http(response)) = server.try_connect(&[("sec-websocket-protocol", "offhook.agent.v1")]).await else {
        panic!("let in")
    };
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "2");
}

#[tokio::test]
async fn frames_become_commands_with_their_id_and_every_byte() {
    let mut server = server();
    let mut client = server.ada().await;
    say(&mut client, r#""type":"accept","offer":"o23""#).await;
    let command = server.command().await;
    assert_eq!(command.ask, Ask::Accept { agent: AgentId(1), offer: OfferId(23) });
    assert_eq!((command.principal, command.id), (Principal::Agent(AgentId(1)), Some(ID.parse().unwrap())));
    let reply = json(&mut client).await;
    assert_eq!((reply["id"].as_str(), reply["ok"].as_bool()), (Some(ID), Some(true)));
    for text in ["Zoë 👩‍👩‍👧‍👦", "\u{202e}עולם\u{200f}", "\u{0}\u{1}\u{1b}\r\n\u{7f}", "\u{2028}\"\\</script>"]
    {
        say(&mut client, &format!(r#""type":"send","conversation":"c1","text":{}"#, serde_json::json!(text))).await;
        let Ask::Post { text: posted, author, .. } = server.command().await.ask else { panic!("no post") };
        assert_eq!((posted.as_bytes(), author), (text.as_bytes(), Author::Agent(AgentId(1))));
        json(&mut client).await;
    }
    say(&mut client, r#""type":"typing","conversation":"c1""#).await;
    assert_eq!(server.command().await.id, None);
}

#[tokio::test]
async fn a_bad_frame_gets_a_reply_that_names_the_field_and_twenty_in_a_row_a_close() {
    let mut server = server();
    let mut client = server.ada().await;
    for _ in 0..2 {
        for _ in 0..9 {
            say(&mut client, r#""type":"accept","offer":"o23","colour":"red""#).await;
            let reply = json(&mut client).await;
            assert_eq!((&reply["id"], &reply["error"]["field"]), (&ID.into(), &"colour".into()));
        }
        say(&mut client, r#""type":"ready""#).await;
        json(&mut client).await;
    }
    server.door.desk.monotonic_ms.fetch_add(60_000, Ordering::Relaxed);
    for _ in 0..20 {
        client.send(Message::text("{")).await.unwrap();
    }
    for _ in 0..19 {
        let reply = json(&mut client).await;
        assert_eq!((&reply["id"], &reply["error"]["code"]), (&serde_json::Value::Null, &"bad_request".into()));
    }
    assert_eq!(close_of(&mut client).await, (4008, "bad_frames".to_owned()));
}

#[tokio::test]
async fn broken_frames_end_the_session_by_their_code_and_the_desk_hears_it() {
    let raw = |first: u8, payload: &[u8]| {
        let mut frame = Frame::message(payload.to_vec(), OpCode::Data(Data::Text), true);
        frame.header_mut().opcode = OpCode::from(first);
        Message::Frame(frame)
    };
    let cases = [
        (Message::binary(vec![1, 2, 3]), 1003),
        (raw(1, b"\xff\xfe"), 1007),
        (Message::text("x".repeat(64 * 1024 + 1)), 1009),
        (raw(0, b"nothing to continue"), 1002),
    ];
    for (message, code) in cases {
        let mut server = server();
        let mut client = server.ada().await;
        client.send(message).await.unwrap();
        assert_eq!(close_of(&mut client).await.0, code);
        assert_eq!(server.seen.recv().await.unwrap(), Handed::Went);
    }
}

#[tokio::test]
async fn the_clients_own_close_is_answered_and_a_dropped_connection_is_noticed() {
    let mut server = server();
    let mut client = server.ada().await;
    client.close(None).await.unwrap();
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Went);
    while let Some(message) = client.next().await {
        assert!(message.unwrap().is_close());
    }
    drop(server.ada().await);
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Went);
}

#[tokio::test]
async fn commands_over_the_rate_are_refused_and_far_beyond_it_the_session_ends() {
    let mut server = server_with(|_, limits| (limits.commands.burst, limits.over_rate_max) = (2, 3));
    let mut client = server.ada().await;
    for _ in 0..2 {
        say(&mut client, r#""type":"ready""#).await;
        assert_eq!(json(&mut client).await["ok"], true);
    }
    for _ in 0..3 {
        say(&mut client, r#""type":"ready""#).await;
        let reply = json(&mut client).await;
        assert_eq!((&reply["error"]["code"], &reply["error"]["retry_after_ms"]), (&"rate_limited".into(), &50.into()));
    }
    server.door.desk.monotonic_ms.fetch_add(50, Ordering::Relaxed);
    say(&mut client, r#""type":"ready""#).await;
    assert_eq!(json(&mut client).await["ok"], true);
    for _ in 0..4 {
        say(&mut client, r#""type":"ready""#).await;
    }
    assert_eq!(close_of(&mut client).await, (4102, "retry_after_ms=10000".to_owned()));
}

#[tokio::test]
async fn a_full_intake_is_told_and_nothing_ends() {
    let mut server = server_with(|desk, _| desk.busy = true);
    let mut client = server.ada().await;
    say(&mut client, r#""type":"accept","offer":"o1""#).await;
    let reply = json(&mut client).await;
    assert_eq!((&reply["error"]["code"], &reply["error"]["retry_after_ms"]), (&"busy".into(), &70.into()));
}

#[tokio::test]
async fn a_token_runs_out_unless_it_is_refreshed_for_the_same_agent() {
    let mut server = server();
    let mut client = server.ada().await;
    for (token, reason) in
        [("bea/demo/agent/3000", "token_other_agent"), ("ada/demo/agent/10", "token_expired"), ("x", "token_malformed")]
    {
        say(&mut client, &format!(r#""type":"refresh","token":"{token}""#)).await;
        let error = json(&mut client).await["error"].clone();
        assert_eq!((&error["code"], &error["reason"]), (&"unauthorized".into(), &reason.into()));
    }
    say(&mut client, r#""type":"refresh","token":"ada/demo/agent/3000""#).await;
    assert_eq!(json(&mut client).await["expires_at"], 3_000_000);
    server.door.desk.wall_s.store(2_500, Ordering::Relaxed);
    say(&mut client, r#""type":"ready""#).await;
    assert_eq!(json(&mut client).await["ok"], true);
    server.door.desk.wall_s.store(3_000, Ordering::Relaxed);
    say(&mut client, r#""type":"ready""#).await;
    assert_eq!(close_of(&mut client).await, (4001, "token_expired".to_owned()));
}

#[tokio::test]
async fn only_supervisors_watch() {
    let mut server = server();
    let mut client = server.ada().await;
    say(&mut client, r#""type":"watch","what":"queues""#).await;
    assert_eq!(json(&mut client).await["error"]["code"], "forbidden");
    let mut client = server.connect(&[("authorization", "Bearer eve/demo/supervisor/2000")]).await;
    json(&mut client).await;
    say(&mut client, r#""type":"unwatch","what":"queues""#).await;
    assert_eq!(json(&mut client).await["ok"], true);
}

#[tokio::test]
async fn a_page_of_history_comes_beside_the_session_and_only_so_many_at_once() {
    let mut server = server();
    let mut client = server.ada().await;
    say(&mut client, r#""type":"history","conversation":"c1""#).await;
    assert_eq!(json(&mut client).await["messages"], serde_json::json!([]));
    let mut full = server_with(|_, limits| limits.histories_max = 0);
    let mut client = full.ada().await;
    say(&mut client, r#""type":"history","conversation":"c1""#).await;
    assert_eq!(json(&mut client).await["error"]["code"], "busy");
}

#[tokio::test]
async fn the_mailbox_pings_asks_for_snapshots_and_closes() {
    let mut server = server();
    let mut client = server.ada().await;
    let session = server.door.desk.session();
    session.mailbox().ask_ping();
    assert!(client.next().await.unwrap().unwrap().is_ping());
    // Deltas are worth a limited number of bytes; what is over becomes one snapshot.
    session.tell("x".repeat(17 << 20).into());
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Snapshot);
    session.close_restarting(250);
    assert_eq!(close_of(&mut client).await, (4200, "retry_after_ms=250".to_owned()));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_stuck_by_itself_and_can_still_be_closed() {
    let mut server = server();
    let client = server.ada().await;
    let session = server.door.desk.session();
    let frame: Utf8Bytes = "x".repeat(60_000).into();
    // More than the kernel takes for it: one frame stays under way, the rest in the mailbox.
    (0..200).for_each(|_| session.reply(frame.clone()));
    session.close_now(CloseCode::TooSlow);
    assert_eq!(server.seen.recv().await.unwrap(), Handed::Went);
    assert!(session.mailbox().bytes() > 100 * 60_000);
    drop(client);
}

#[tokio::test]
async fn an_idle_session_is_small() {
    let (desk, _seen) = FakeDesk::new();
    let door = Arc::new(Door::new(
        desk,
        FakeTokens,
        OriginRules::default(),
        TrustedProxies::none(),
        AgentLimits::default(),
        tokio::runtime::Handle::current(),
    ));
    let claims = FakeTokens.verify(ADA, 0).unwrap();
    let session = door.desk.admit(NewSession { id: SessionId(1), claims, returning: false }).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (welcome, _welcomed) = session::Welcome::to_come();
    let future = session::run(Socket::new(stream, &[], 65_536), Present { door, session }, None, welcome);
    let bytes = size_of_val(&future);
    assert!(bytes <= 512, "the future of an idle session takes {bytes} bytes");
}
