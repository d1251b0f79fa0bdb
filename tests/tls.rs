//! TLS in the server itself: who may speak, what a renewed certificate does, and what a restart costs those who come back.

mod support;

use futures_util::StreamExt;
use offhook::gateway::auth::agent_token::Role;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::scene::{DEMO, eventually};
use support::{Options, Server, process, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion, crypto};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Writes a fresh certificate for localhost and its key, and gives it back for clients to trust.
fn renew(dir: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(dir.join("tls.pem"), cert.pem()).unwrap();
    fs::write(dir.join("tls.key"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

fn options(dir: &Path) -> Options {
    Options::default()
        .set(&format!("tls.certificate={}", dir.join("tls.pem").display()))
        .set(&format!("tls.key={}", dir.join("tls.key").display()))
}

fn trusting(
    certificate: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let mut config =
        builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

async fn try_connect(server: &Server, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    within("a TLS handshake", TlsConnector::from(config.clone()).connect(name, stream)).await
}

async fn connect(server: &Server, config: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let connected = try_connect(server, config).await;
    connected.unwrap_or_else(|error| panic!("{error}\n{}", server.log_tail()))
}

/// One request, answered; what comes before the answer (tickets) is read with it.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(9).any(|nine| nine == b"not_found") {
        let bytes = within("an answer", stream.read_buf(&mut answer)).await.unwrap();
        assert!(bytes > 0, "{}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

type Agent = WebSocketStream<TlsStream<TcpStream>>;

async fn agent(server: &Server, config: &Arc<ClientConfig>, name: &str) -> Agent {
    let mut request = "wss://localhost/v1/agent".into_client_request().unwrap();
    let token = server.agent_token(DEMO, name, Role::Agent);
    let protocols = format!("offhook.agent.v1, offhook.token.{token}");
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    let (mut agent, _) = client_async(request, connect(server, config).await).await.unwrap();
    assert!(next(&mut agent).await.contains(r#""type":"welcome""#));
    agent
}

async fn next(agent: &mut Agent) -> String {
    within("a frame", agent.next()).await.unwrap().unwrap().into_text().unwrap().to_string()
}

async fn is_served(agent: &mut Agent) {
    use futures_util::SinkExt;
    let ready = format!(r#"{{"type":"ready","id":"{}"}}"#, support::command_id());
    agent.send(ready.into()).await.unwrap();
    assert!(next(agent).await.contains(r#""ok":true"#));
}

async fn metric(server: &Server, line: &str) -> bool {
    server.operators_page("/metrics").await.text().lines().any(|held| held == line)
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_customers_speak_tls_1_2_and_1_3_and_http_1_alone() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = renew(dir.path());
    let server = Server::start(&options(dir.path()));
    for version in [&TLS12, &TLS13] {
        let config = trusting(&certificate, &[version]);
        is_served(&mut agent(&server, &config, "ada").await).await;
        let mut stream = connect(&server, &config).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 404"));
    }
    let mut other = (*trusting(&certificate, &[&TLS13])).clone();
    other.alpn_protocols = vec![b"h2".to_vec()];
    assert!(try_connect(&server, &Arc::new(other)).await.is_err(), "there is no h2");
    // Nobody is served in the clear.
    let mut clear = TcpStream::connect(server.address).await.unwrap();
    clear.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = within("the end", clear.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_to_who_comes_and_drops_nobody_and_a_bad_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let first = renew(dir.path());
    let server = Server::start(&options(dir.path()));
    let mut held = agent(&server, &trusting(&first, &[&TLS13]), "ada").await;
    let second = renew(dir.path());
    // By itself; a file that is replaced in two steps is taken when both are there.
    let shown = async |certificate: &CertificateDer<'static>| {
        let config = trusting(certificate, &[&TLS13]);
        within("the new certificate", async {
            while try_connect(&server, &config).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    shown(&second).await;
    assert!(try_connect(&server, &trusting(&first, &[&TLS13])).await.is_err());
    fs::write(dir.path().join("tls.pem"), "nothing").unwrap();
    server.hang_up();
    within("the refusal", async {
        while !metric(&server, "offhook_tls_reloads_refused_total 1").await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    shown(&second).await;
    let third = renew(dir.path());
    server.hang_up();
    shown(&third).await;
    is_served(&mut held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_after_a_kill_pays_no_signature() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = renew(dir.path());
    let mut server = Server::start(&options(dir.path()));
    for version in [&TLS12, &TLS13] {
        let config = trusting(&certificate, &[version]);
        let mut first = connect(&server, &config).await;
        assert_eq!(first.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        ask(&mut first).await;
        server.kill();
        server.start_again();
        let mut again = connect(&server, &config).await;
        ask(&mut again).await;
        assert_eq!(again.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
    }
    assert!(metric(&server, r#"offhook_tls_handshakes_total{outcome="resumed"} 1"#).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_taken_to_other_threads_with_its_tls() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = renew(dir.path());
    let server = Server::start(&options(dir.path()));
    let mut stream = connect(&server, &trusting(&certificate, &[&TLS13])).await;
    let guessed = "GET /v1/workspaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guessed\r\n\r\n";
    stream.write_all(guessed.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A problem is one JSON object, and ends the answer.
    while !answer.ends_with(b"}") {
        assert!(within("an answer", stream.read_buf(&mut answer)).await.unwrap() > 0);
    }
    assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
    let moved = "offhook_connections_moved_total{to=\"back\"} 1";
    eventually("a move", async || metric(&server, moved).await, |moved| *moved).await;
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_tls_handshake_is_ended_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = renew(dir.path());
    let options = options(dir.path()).set("server.header_timeout_ms=300").set("server.handshakes_pending_max=4");
    let server = Server::start(&options);
    let mut silent = Vec::new();
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        silent.push(stream);
    }
    // Behind them, and served when their time is over.
    is_served(&mut agent(&server, &trusting(&certificate, &[&TLS13]), "ada").await).await;
    for mut stream in silent {
        let _ = within("the end", stream.read_to_end(&mut Vec::new())).await;
    }
    // Counted when it is closed, which may be heard of first.
    for line in
        [r#"offhook_tls_handshakes_total{outcome="late"} 3"#, r#"offhook_tls_handshakes_total{outcome="failed"} 1"#]
    {
        eventually(line, async || metric(&server, line).await, |counted| *counted).await;
    }
}

#[test]
fn without_its_key_the_server_does_not_start_and_says_which_file() {
    let dir = tempfile::tempdir().unwrap();
    renew(dir.path());
    fs::write(dir.path().join("tls.key"), "").unwrap();
    let Err(why) = Server::try_start(&options(dir.path())) else { panic!("it started") };
    assert!(why.contains("tls.key holds no private key"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_stopped_its_supervisor_answers_over_tls_too() {
    let dir = tempfile::tempdir().unwrap();
    let config = trusting(&renew(dir.path()), &[&TLS13]);
    let server = Server::start(&Options { supervised: true, ..options(dir.path()) });
    process::freeze(server.server_pid().unwrap());
    let mut stream = connect(&server, &config).await;
    stream.write_all(b"GET /v1/agent HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while within("an answer", stream.read_buf(&mut answer)).await.unwrap() > 0 {}
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains(r#""code":"unavailable""#), "{answer}");
}
