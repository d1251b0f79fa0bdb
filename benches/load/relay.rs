//! What nothing but sockets costs: a bare tokio-tungstenite server, run as a child process of the bench's own binary.
//!
//! `refuse` answers each HTTP request with the same 503. `echo` sends back what comes. `relay` passes messages between two connections that named the same pair as their first
//! message: no accounts, no journal, nothing kept.

use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// A bench calls this first: in a child process that was started as a baseline, it never returns.
pub fn be_a_baseline_if_asked() {
    let mode = match std::env::var("OFFHOOK_BENCH_BASELINE") {
        Ok(mode) => mode,
        Err(_) => return,
    };
    // The parent's end of the pipe closes with the parent, however it ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    super::go_as_others();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made").block_on(serve(&mode));
    std::process::exit(0);
}

pub struct Baseline {
    child: Child,
    pub address: SocketAddr,
}

impl Baseline {
    /// `echo`, `relay` or `refuse`.
    pub fn start(mode: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary has a path"))
            .env("OFFHOOK_BENCH_BASELINE", mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this binary can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it listens");
        Self { child, address: line.trim().parse().expect("an address") }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Baseline {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn serve(mode: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    println!("{}", listener.local_addr().expect("it has an address"));
    let sides: Sides = Sides::default();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        match mode {
            "relay" => drop(tokio::spawn(relay(stream, sides.clone()))),
            "refuse" => drop(tokio::spawn(refuse(stream))),
            _ => drop(tokio::spawn(echo(stream))),
        }
    }
}

/// As long as the server's own refusal, and nothing is looked at: a request of the load comes in one piece.
async fn refuse(mut stream: TcpStream) {
    let body = r#"{"type":"about:blank","title":"busy","status":503,"code":"busy","message":"too much waits","retry_after_ms":500}"#;
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
         x-content-type-options: nosniff\r\ncache-control: no-store\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut read = [0; 4096];
    while stream.read(&mut read).await.is_ok_and(|bytes| bytes > 0) {
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// As the server's own sockets are tuned.
fn tuned() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0).max_write_buffer_size(64 << 10)
}

async fn echo(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async_with_config(stream, Some(tuned())).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Senders to the two connections of a pair, by its name.
type Sides = Arc<Mutex<HashMap<String, [Option<mpsc::Sender<Utf8Bytes>>; 2]>>>;

async fn relay(stream: TcpStream, sides: Sides) {
    let Ok(mut socket) = tokio_tungstenite::accept_async_with_config(stream, Some(tuned())).await else { return };
    // "pair/0" or "pair/1"
    let Some(Ok(Message::Text(name))) = socket.next().await else { return };
    let Some((pair, side)) = name.split_once('/') else { return };
    let (pair, side) = (pair.to_owned(), usize::from(side == "1"));
    let (tell, mut told) = mpsc::channel(16);
    sides.lock().expect("no one panicked").entry(pair.clone()).or_default()[side] = Some(tell);
    if socket.send(Message::text("joined")).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let Message::Text(text) = message else { continue };
                let other = sides.lock().expect("no one panicked").get(&pair).and_then(|both| both[1 - side].clone());
                if let Some(other) = other {
                    let _ = other.send(text).await;
                }
            }
            text = told.recv() => {
                let Some(text) = text else { return };
                if socket.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
        }
    }
}
