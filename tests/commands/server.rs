//! A real server in a directory of its own, and the commands that talk to it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

pub const OFFHOOK: &str = env!("CARGO_BIN_EXE_offhook");
const WAIT: std::time::Duration = std::time::Duration::from_secs(60);

pub struct Server {
    child: Child,
    /// `host:port`
    pub address: String,
    pub operators: String,
}

impl Server {
    /// Starts in `dir`, with its data in `dir/data`; returns when it serves.
    pub fn start(dir: &Path, listen: &str) -> Server {
        Self::run(dir, listen, &["--no-supervisor"])
    }

    /// As users have it.
    pub fn supervised(dir: &Path, listen: &str) -> Server {
        Self::run(dir, listen, &[])
    }

    fn run(dir: &Path, listen: &str, flags: &[&str]) -> Server {
        let mut child = Command::new(OFFHOOK)
            .args(["serve", "--set", "server.operators_listen=127.0.0.1:0"])
            .args(flags)
            .arg(format!("--set=server.listen={listen}"))
            .current_dir(dir)
            .env("OFFHOOK_SERVER__DATA_DIR", "data")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut address, mut operators) = (String::new(), String::new());
        while address.is_empty() {
            let line = lines.next().expect("the server says where it serves").expect("text");
            let url = line.split_once("http://").map(|(_, url)| url.to_owned());
            match url {
                Some(url) if line.starts_with("operators:") => operators = url,
                Some(url) if line.contains("is serving") => address = url,
                _ => {}
            }
        }
        // What is said later is of no interest, and nobody may be held up by a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Server { child, address, operators }
    }

    /// A shell line run beside the server, with `offhook` on the path; README's port becomes this server's.
    pub fn sh(&self, dir: &Path, line: &str, more: &[(&str, &str)]) -> Output {
        let bin = Path::new(OFFHOOK).parent().expect("a directory").display().to_string();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
        Command::new("bash")
            .args(["-euc", &line.replace("127.0.0.1:7788", &self.address)])
            .current_dir(dir)
            .env("PATH", path)
            .env("OFFHOOK_SERVER__DATA_DIR", "data")
            .env("OFFHOOK_SERVER__LISTEN", &self.address)
            .env("OFFHOOK_SERVER__OPERATORS_LISTEN", &self.operators)
            .env_remove("OFFHOOK_API_KEY")
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("bash runs")
    }

    /// The same, which must end well; gives what it printed.
    pub fn must(&self, dir: &Path, line: &str, more: &[(&str, &str)]) -> String {
        let done = self.sh(dir, line, more);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{line}: {}\n{said}", done.status);
        String::from_utf8(done.stdout).expect("text")
    }

    /// Waits until it has ended, by whomever. Commands may still be run where it was.
    pub fn ended(&mut self) {
        self.child.wait().expect("the child is ours");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An agent's socket.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub async fn connect(server: &Server, token: &str) -> Socket {
        let mut request = format!("ws://{}/v1/agent", server.address).into_client_request().expect("an address");
        let protocols = format!("offhook.agent.v1, offhook.token.{token}").parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocols);
        loop {
            let stream = TcpStream::connect(&server.address).await.expect("the server listens");
            match tokio_tungstenite::client_async(request.clone(), stream).await {
                Ok((socket, _)) => return Socket(socket),
                // The supervisor asks for a moment.
                Err(tungstenite::Error::Http(refused)) if refused.status() == 503 => {
                    let after_s = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
                    // As long as it asked for.
                    tokio::time::sleep(std::time::Duration::from_secs(after_s)).await;
                }
                Err(error) => panic!("no upgrade: {error}"),
            }
        }
    }

    pub async fn send(&mut self, frame: &str) {
        self.0.send(Message::text(frame)).await.expect("the socket is open");
    }

    /// The next frame of a type; those before it are passed over.
    pub async fn next(&mut self, kind: &str) -> Value {
        let next = async {
            while let Some(frame) = self.0.next().await {
                if let Message::Text(text) = frame.expect("the socket is open") {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["type"] == kind {
                        return frame;
                    }
                }
            }
            panic!("the socket was closed before a {kind}");
        };
        tokio::time::timeout(WAIT, next).await.unwrap_or_else(|_| panic!("no {kind} within a minute"))
    }

    /// The reply to the next command, which must be done.
    pub async fn done(&mut self) -> Value {
        let reply = self.next("reply").await;
        assert_eq!(reply["ok"], true, "{reply}");
        reply
    }
}
