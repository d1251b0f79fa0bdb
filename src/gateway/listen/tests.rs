//! Hostile and unlucky connections against a real socket.

use super::*;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn open(limits: &ListenLimits) -> Listening {
    let router = Router::new().route("/", get(|| async { "here" }));
    let listener = bind("127.0.0.1:0".parse().unwrap(), limits).unwrap();
    listen(listener, router, None, None, limits).unwrap()
}

async fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough may close before all is written.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_request_is_answered_and_the_stop_is_in_order() {
    let listening = open(&ListenLimits::default());
    let address = listening.address;
    let mut kept = TcpStream::connect(address).await.unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 512];
    let bytes = kept.read(&mut answer).await.unwrap();
    assert!(answer[..bytes].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..bytes]));
    listening.stop().await;
    assert_eq!(kept.read(&mut answer).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_flood_of_headers_is_refused() {
    let listening = open(&ListenLimits::default());
    let many = (0..100).map(|i| format!("H{i}: x\r\n")).collect::<String>();
    let answer = say(listening.address, format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let fat = "x".repeat(20 * 1024);
    let answer = say(listening.address, format!("GET / HTTP/1.1\r\nHost: x\r\nFat: {fat}\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_slow_head_is_cut_off_and_gives_its_place_back() {
    let limits = ListenLimits { handshakes_max: 1, header_read_ms: 50, ..ListenLimits::default() };
    let listening = open(&limits);
    let mut slow = TcpStream::connect(listening.address).await.unwrap();
    slow.write_all(b"GET / HT").await.unwrap();
    let answer = say(listening.address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_kept_connection_that_says_nothing_is_cut_off() {
    let listening = open(&ListenLimits { header_read_ms: 50, ..ListenLimits::default() });
    let mut kept = TcpStream::connect(listening.address).await.unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = kept.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn above_the_most_connections_one_is_told_when_to_come_back() {
    let listening = open(&ListenLimits { connections_max: 1, ..ListenLimits::default() });
    let mut first = TcpStream::connect(listening.address).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 512];
    assert!(first.read(&mut answer).await.unwrap() > 0);
    let mut second = TcpStream::connect(listening.address).await.unwrap();
    let mut told = String::new();
    second.read_to_string(&mut told).await.unwrap();
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("Retry-After: 5"), "{told}");
    assert_eq!(listening.counts.turned_away.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_the_kernel_keeps_for_a_connection_is_capped() {
    let limits = ListenLimits::default();
    let listener = bind("127.0.0.1:0".parse().unwrap(), &limits).unwrap();
    let address = listener.local_addr().unwrap();
    let options = socket2::SockRef::from(&listener);
    options.set_send_buffer_size(limits.send_buffer_bytes).unwrap();
    let _client = std::net::TcpStream::connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    let accepted = socket2::SockRef::from(&accepted);
    // Linux doubles what it is asked for, for its own bookkeeping.
    assert!(accepted.send_buffer_size().unwrap() <= 2 * limits.send_buffer_bytes);
    assert!(accepted.recv_buffer_size().unwrap() <= 2 * limits.receive_buffer_bytes);
}
