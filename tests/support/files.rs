//! Files of messages over HTTP, as their senders and readers ask for them.

use super::http::{Http, Response};
use super::scene::DEMO;
use super::{Customer, Server, command_id, within};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A picture of 640 by 480, so far as its head says, and of more than two chunks.
pub fn picture() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0".to_vec();
    bytes.extend(b"A secret of the customer's".repeat(6_000));
    bytes
}

pub fn files_path(side: &str, conversation: &str) -> String {
    format!("/v1/{side}/{DEMO}/conversations/{conversation}/files")
}

/// One request over a connection of its own.
pub async fn ask(server: &Server, method: &str, path: &str, token: &str, id: &str, body: &[u8]) -> Response {
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {id}\r\nContent-Type: image/png\r\n");
    within("an answer", http.ask(method, path, &headers, body)).await.expect("an answer")
}

pub async fn upload(server: &Server, customer: &Customer, name: &str, body: &[u8]) -> Response {
    upload_with(server, customer, name, body, &command_id()).await
}

pub async fn upload_with(server: &Server, customer: &Customer, name: &str, body: &[u8], id: &str) -> Response {
    let path = format!("{}?name={name}", files_path("messenger", &customer.conversation));
    ask(server, "POST", &path, &customer.token, id, body).await
}

pub async fn uploaded(server: &Server, customer: &Customer, name: &str, body: &[u8]) -> Value {
    let answer = upload(server, customer, name, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["file"].take()
}

pub async fn read(server: &Server, side: &str, conversation: &str, token: &str, file: &Value) -> Response {
    let path = format!("{}/{}", files_path(side, conversation), file["file"].as_str().unwrap());
    ask(server, "GET", &path, token, &command_id(), b"").await
}

pub async fn post(customer: &mut Customer, text: &str, files: &[&Value]) -> Response {
    let files: Vec<&Value> = files.iter().map(|file| &file["file"]).collect();
    customer.call("POST", "messages", Some(json!({"text": text, "files": files}))).await
}

/// Every file below the data directory that messages' files are in.
pub fn stored(server: &Server) -> Vec<PathBuf> {
    fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.path().is_dir() { collect(&entry.path(), found) } else { found.push(entry.path()) }
        }
    }
    let mut found = Vec::new();
    collect(&server.data_dir().join("files"), &mut found);
    found
}
