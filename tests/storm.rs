//! Everybody comes at once, and there are fewer descriptors than connections.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use support::scene::{DEMO, eventually, talking};
use support::socket::Heard;
use support::{Agent, Http, Options, Server, command_id, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const AGENTS: usize = 100;

/// Until it is welcomed, as a client that heeds what it is told; how often it was told to come later.
async fn insistent(server: &Server, name: &str, token: &str, ticket: Option<&str>) -> (Agent, u32) {
    let mut told = 0;
    loop {
        match Agent::try_connect(server.address, name, token, ticket).await {
            Ok(agent) => return (agent, told),
            Err(Heard::Close { code: 503, reason }) => {
                told += 1;
                let body = reason.split_once("\r\n\r\n").expect("a body").1;
                let body: serde_json::Value = serde_json::from_str(body).expect("a problem in JSON");
                assert_eq!(body["code"], "busy");
                let wait_ms = body["retry_after_ms"].as_u64().expect("it says when");
                // As long as the server asked for.
                tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
            }
            Err(other) => panic!("{name} heard {other:?}\n{}", server.log_tail()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_storm_each_is_told_when_to_come_and_is_in_with_its_status_as_it_was() {
    let options = Options::default().set("sessions.handshakes_at_once=2").set("sessions.handshakes_waiting_max=4");
    let mut server = Server::start(&options);
    let tokens: Vec<(String, String)> = (0..AGENTS)
        .map(|number| format!("agent{number}"))
        .map(|name| (server.agent_token(DEMO, &name, Role::Agent), name))
        .collect();
    let storm = async |server: &Server, tickets: &[String]| {
        let coming = tokens
            .iter()
            .enumerate()
            .map(|(number, (token, name))| insistent(server, name, token, tickets.get(number).map(String::as_str)));
        within("everybody", futures_util::future::join_all(coming)).await
    };
    let mut first = storm(&server, &[]).await;
    for (agent, _) in &mut first {
        agent.must(json!({"type": "set_status", "status": "available"})).await;
    }
    let text = |agent: &Agent| agent.welcome["ticket"].as_str().expect("a welcome has a ticket").to_owned();
    let tickets: Vec<String> = first.iter().map(|(agent, _)| text(agent)).collect();
    server.kill();
    server.start_again();
    let again = storm(&server, &tickets).await;
    for (agent, _) in &again {
        assert_eq!(agent.welcome["snapshot"]["status"], "available", "{}", agent.name);
    }
    let told: u32 = again.iter().map(|(_, told)| told).sum();
    assert!(told > 0, "six find room at once");
    let page = server.operators_page("/metrics").await;
    let line = format!("offhook_handshakes_paced_total{{comer=\"returning\"}} {told}");
    assert!(page.text().lines().any(|held| held == line), "{line}\n{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_clients_have_taken_all_descriptors_the_store_and_the_operators_have_theirs() {
    let options = Options { descriptors: Some(300), ..Options::default().set("server.header_timeout_ms=60000") };
    let server = Server::start(&options);
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let page = server.operators_page("/metrics").await;
    assert!(page.text().lines().any(|line| line == "offhook_connections_max 150"), "{}", page.text());
    // With the agent's, as many as there is room for.
    let mut held = Vec::new();
    for _ in 0..149 {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.write_all(b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut first = [0; 12];
        within("an answer", stream.read_exact(&mut first)).await.expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 404");
        held.push(stream);
    }
    let mut one_more = TcpStream::connect(server.address).await.expect("the server listens");
    let mut turned_away = String::new();
    within("an answer", one_more.read_to_string(&mut turned_away)).await.expect("an answer");
    assert!(turned_away.starts_with("HTTP/1.1 503"), "{turned_away}");
    ada.must(json!({"type": "set_status", "status": "away"})).await;
    let page = server.operators_page("/metrics").await;
    let counted = |name: &str| page.text().lines().any(|line| line.starts_with(name) && !line.ends_with(" 0"));
    assert!(counted("offhook_connections_turned_away_total{why=\"full\"}"), "{}", page.text());
    assert!(!page.text().contains("offhook_accept_errors_total"), "nothing was asked of the system in vain");
    drop(held);
    // Room comes back as soon as the server has seen that they are gone.
    within("room", async {
        while Http::connect(server.address).await.unwrap().ask("GET", "/", "", b"").await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let id = command_id();
    ada.must(json!({"type": "ready", "id": id})).await;
}

/// The limit falls below what is open, as when somebody sets it, or the whole system has no more.
fn descriptors(server: &Server, most: u64) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: 4_096 };
    let pid = server.pid().cast_signed();
    // SAFETY: sets a limit of a child of ours that runs; the old one is not asked for.
    let set = unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut()) };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_system_gives_no_descriptors_those_who_are_there_go_on_and_the_rest_are_waited_for_without_spinning() {
    let options = Options { descriptors: Some(4_096), ..Options::default().without_rate_limits() };
    let server = Server::start(&options.set("server.header_timeout_ms=60000"));
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let bob = Agent::available(&server, DEMO, "bob").await;
    let ticket = bob.welcome["ticket"].as_str().unwrap().to_owned();
    let token = server.agent_token(DEMO, "bob", Role::Agent);
    let mut operators = Http::connect(server.operators).await.unwrap();
    assert_eq!(operators.ask("GET", "/healthz", "", b"").await.unwrap().status, 200);
    let errors = "offhook_accept_errors_total{error=\"descriptors\"} ";
    let mut refused = async || {
        let page = operators.ask("GET", "/metrics", "", b"").await.unwrap();
        page.text().lines().find_map(|line| line.strip_prefix(errors)?.parse::<f64>().ok()).unwrap_or(0.0)
    };

    descriptors(&server, 3);
    drop(bob);
    let address = server.address;
    // It is in the kernel's queue until there is a descriptor for it.
    let returning = tokio::spawn(async move { Agent::try_connect(address, "bob", &token, Some(&ticket)).await });
    eventually("an accept that is refused", &mut refused, |refused| *refused > 0.0).await;
    let (before, cpu_before, began) = (refused().await, server.cpu_ms(), std::time::Instant::now());
    for _ in 0..50 {
        customer.post("hello").await;
        ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "hello to you"})).await;
        // The pace of their talk: a loop that spins would have all the time between.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (errors, cpu_ms, elapsed_ms) =
        (refused().await - before, server.cpu_ms() - cpu_before, began.elapsed().as_millis() as u64);
    assert!(errors * 10.0 <= elapsed_ms as f64, "{errors} refusals in {elapsed_ms} ms");
    assert!(cpu_ms * 2 < elapsed_ms, "{cpu_ms} ms of processor in {elapsed_ms} ms");

    descriptors(&server, 4_096);
    let back = within("a return", returning).await.unwrap();
    let back = back.unwrap_or_else(|heard| panic!("{heard:?}"));
    assert_eq!(back.welcome["snapshot"]["status"], "available", "within its grace nothing has changed");
    ada.must(json!({"type": "ready"})).await;
    assert_eq!(server.operators_page("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_does_not_take_the_places_of_all_that_connect_and_say_nothing() {
    let options = Options::default()
        .set("server.handshakes_per_address_max=8")
        .set("server.handshakes_pending_max=16")
        .set("server.header_timeout_ms=60000");
    let server = Server::start(&options);
    let connect = async |from: &str| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        socket.connect(server.address).await.unwrap()
    };
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(connect("127.0.0.2").await);
    }
    let mut ninth = connect("127.0.0.2").await;
    let mut answer = Vec::new();
    within("an answer", ninth.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 503"), "{}", String::from_utf8_lossy(&answer));
    Agent::connect(&server, DEMO, "ada").await;
    let page = server.operators_page("/metrics").await;
    assert!(page.text().contains("offhook_connections_turned_away_total{why=\"address\"} 1"), "{}", page.text());
}
