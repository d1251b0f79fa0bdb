//! Files in conversations, over the wire: in, named, out again on both sides; every refusal; what a crash leaves; the scan.

mod backups;
mod bounds;
mod keeping;
mod scan;
#[path = "../support/mod.rs"]
mod support;
mod taking;

use support::files::{ask, files_path, picture, post, read, stored, upload, uploaded};
use support::{Customer, Server, command_id};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

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
