//! A keep-alive HTTP/1.1 client on one connection: asks one thing at a time, and leaves nothing unread.

use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// The head of an answer whose body is still to be read.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

pub struct Http {
    stream: TcpStream,
    address: SocketAddr,
    /// Read and not taken.
    pub(super) read: Vec<u8>,
    out: Vec<u8>,
}

impl Http {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, read: Vec::new(), out: Vec::new() })
    }

    /// One request and its answer. `headers` are whole lines, each with its `\r\n`.
    pub async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<Response> {
        self.send(method, path, headers, body).await?;
        let head = self.head().await?;
        let body = self.body(&head).await?;
        Ok(Response { status: head.status, headers: head.headers, body })
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<()> {
        use std::io::Write;
        self.out.clear();
        write!(self.out, "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}", self.address)?;
        if !body.is_empty() || method != "GET" {
            if !headers.contains("Content-Type:") {
                self.out.extend_from_slice(b"Content-Type: application/json\r\n");
            }
            write!(self.out, "Content-Length: {}\r\n", body.len())?;
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body);
        self.stream.write_all(&self.out).await
    }

    pub async fn head(&mut self) -> io::Result<Head> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(&self.read[..end]).into_owned();
        self.read.drain(..end + 4);
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(':'));
        Ok(Head {
            status: status.ok_or_else(|| wrong("no status line"))?,
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect(),
        })
    }

    async fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        let header = |name: &str| head.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str());
        if head.status == 204 || head.status == 304 || head.status < 200 {
            return Ok(Vec::new());
        }
        if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            let mut body = Vec::new();
            while let Some(chunk) = self.chunk().await? {
                body.extend_from_slice(&chunk);
            }
            return Ok(body);
        }
        let bytes = header("content-length").and_then(|bytes| bytes.parse().ok());
        let bytes: usize = bytes.ok_or_else(|| wrong("a body without a length"))?;
        self.fill(bytes).await?;
        Ok(self.read.drain(..bytes).collect())
    }

    /// The next chunk of a chunked body; `None` at its end.
    pub async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let end = loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\r\n") {
                break end;
            }
            self.more().await?;
        };
        let size = std::str::from_utf8(&self.read[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let size = size.ok_or_else(|| wrong("a chunk without a size"))?;
        self.read.drain(..end + 2);
        self.fill(size + 2).await?;
        let chunk = self.read.drain(..size + 2).take(size).collect();
        Ok((size > 0).then_some(chunk))
    }

    async fn fill(&mut self, bytes: usize) -> io::Result<()> {
        while self.read.len() < bytes {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
