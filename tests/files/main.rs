//! Files in conversations, over the wire: in, named, out again on both sides; every refusal; what a crash leaves; the scan.

mod backups;
mod bounds;
mod keeping;
mod scan;
#[path = "../support/mod.rs"]
mod support;
mod taking;

use serde_json::{Value, json};
use support::http::{Http, Response};
use support::scene::DEMO;
use support::{Customer, Server, command_id, within};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

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
