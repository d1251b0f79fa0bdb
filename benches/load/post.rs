//! A keep-alive connection that posts and reads answers with as little work as can be.

use std::io::{self, Write};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Poster {
    address: SocketAddr,
    stream: TcpStream,
    out: Vec<u8>,
    read: Vec<u8>,
}

impl Poster {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { address, stream: open(address).await?, out: Vec::new(), read: Vec::new() })
    }

    /// The status, and the body. `from`: the visitor's address, as the proxy before the server would name it.
    pub async fn post(
        &mut self,
        path: &str,
        id: &str,
        from: u32,
        token: Option<&str>,
        body: &str,
    ) -> io::Result<(u16, &str)> {
        self.out.clear();
        write!(self.out, "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n")?;
        write!(self.out, "Idempotency-Key: {id}\r\nX-Forwarded-For: {}\r\n", address_of(from))?;
        if let Some(token) = token {
            write!(self.out, "Authorization: Bearer {token}\r\n")?;
        }
        write!(self.out, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.read.clear();
        self.stream.write_all(&self.out).await?;
        // A kept connection that said nothing for long was closed: as any client does, once again on a new one.
        if self.more().await.is_err() {
            self.stream = open(self.address).await?;
            self.stream.write_all(&self.out).await?;
        }
        loop {
            if let Some(head) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let whole = head + 4 + length_in(&self.read[..head]);
                while self.read.len() < whole {
                    self.more().await?;
                }
                let status = std::str::from_utf8(&self.read[9..12]).ok().and_then(|status| status.parse().ok());
                let body = std::str::from_utf8(&self.read[head + 4..whole]).map_err(io::Error::other)?;
                return Ok((status.ok_or(io::ErrorKind::InvalidData)?, body));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// hyper writes names in lower case.
fn length_in(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).unwrap_or_default();
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// One of 16 million addresses.
fn address_of(number: u32) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from(0x0a00_0000 | number & 0x00ff_ffff)
}
