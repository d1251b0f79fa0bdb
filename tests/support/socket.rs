//! A WebSocket client's bytes: the upgrade, frames in, frames out. A socket that is idle costs its client a few hundred bytes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Mutex;
use tokio_rustls::client::TlsStream;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What the server sent. Its pings are answered and not told.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Text(String),
    Close {
        code: u16,
        reason: String,
    },
    /// The connection ended without a word.
    Gone,
}

/// The upgrade was answered over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub status: u16,
    pub answer: String,
}

/// What a TLS client reads at once.
const TLS_READ_BYTES: usize = 1_024;

enum Half {
    Plain(OwnedReadHalf),
    Tls(ReadHalf<TlsStream<TcpStream>>),
}

pub struct Socket {
    half: Half,
    read: Vec<u8>,
    pub writer: Writer,
}

/// Sends frames; may be shared.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<Box<dyn AsyncWrite + Send + Unpin>>>);

impl Socket {
    /// `protocols` beside `offhook.agent.v1`.
    pub async fn connect(address: SocketAddr, protocols: &[&str]) -> io::Result<Result<Self, Refused>> {
        let stream = TcpStream::connect(address).await?;
        Self::upgrade(stream, address, "/v1/agent", &[&["offhook.agent.v1"], protocols].concat()).await
    }

    /// The same with a small buffer in the kernel: for a client that is to stop reading, and be noticed soon.
    pub async fn connect_narrow(address: SocketAddr, protocols: &[&str]) -> io::Result<Result<Self, Refused>> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 * 1024)?;
        let stream = socket.connect(address).await?;
        Self::upgrade(stream, address, "/v1/agent", &[&["offhook.agent.v1"], protocols].concat()).await
    }

    pub async fn upgrade(
        mut stream: TcpStream,
        address: SocketAddr,
        path: &str,
        protocols: &[&str],
    ) -> io::Result<Result<Self, Refused>> {
        stream.set_nodelay(true)?;
        let read = match upgraded(&mut stream, address, path, protocols).await? {
            Ok(read) => read,
            Err(refused) => return Ok(Err(refused)),
        };
        let (half, writer) = stream.into_split();
        Ok(Ok(Self { half: Half::Plain(half), read, writer: Writer(Arc::new(Mutex::new(Box::new(writer)))) }))
    }

    /// The same over TLS.
    pub async fn upgrade_tls(
        mut stream: TlsStream<TcpStream>,
        address: SocketAddr,
        path: &str,
        protocols: &[&str],
    ) -> io::Result<Result<Self, Refused>> {
        let read = match upgraded(&mut stream, address, path, protocols).await? {
            Ok(read) => read,
            Err(refused) => return Ok(Err(refused)),
        };
        let (half, writer) = tokio::io::split(stream);
        Ok(Ok(Self { half: Half::Tls(half), read, writer: Writer(Arc::new(Mutex::new(Box::new(writer)))) }))
    }

    /// A text that was read already, without waiting for more.
    pub fn take_text(&mut self) -> Option<String> {
        let is_text = self.read.first().is_some_and(|first| first & 0x0f == TEXT);
        let (_, payload) = is_text.then(|| self.take()).flatten()?;
        Some(String::from_utf8_lossy(&payload).into_owned())
    }

    pub async fn next(&mut self) -> Heard {
        loop {
            while let Some((opcode, payload)) = self.take() {
                match opcode {
                    TEXT => return Heard::Text(String::from_utf8_lossy(&payload).into_owned()),
                    PING => {
                        let _ = self.writer.send(PONG, &payload).await;
                    }
                    CLOSE => {
                        let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                        let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                        let _ = self.writer.send(CLOSE, &payload).await;
                        return Heard::Close { code, reason };
                    }
                    _ => {}
                }
            }
            if self.read.is_empty() {
                // Idle, it keeps no buffer.
                self.read = Vec::new();
            }
            match self.more().await {
                Ok(0) | Err(_) => return Heard::Gone,
                Ok(_) => {}
            }
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        match &mut self.half {
            Half::Plain(half) => loop {
                // Room is made when there is something to read, and not while there is not.
                half.readable().await?;
                match half.try_read_buf(&mut self.read) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            },
            Half::Tls(half) => {
                self.read.reserve(TLS_READ_BYTES);
                half.read_buf(&mut self.read).await
            }
        }
    }

    /// The first whole frame of what was read. A server's frames are neither masked nor, ours, in parts.
    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second, ..] = *self.read.as_slice() else { return None };
        let (head, bytes) = match second & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes(*self.read.get(2..4)?.first_chunk()?))),
            127 => (10, u64::from_be_bytes(*self.read.get(2..10)?.first_chunk()?) as usize),
            short => (2, usize::from(short)),
        };
        let payload = self.read.get(head..head + bytes)?.to_vec();
        self.read.drain(..head + bytes);
        Some((first & 0x0f, payload))
    }
}

/// Asks for the upgrade: what came behind the answer, or the answer of a server that refuses.
async fn upgraded(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    address: SocketAddr,
    path: &str,
    protocols: &[&str],
) -> io::Result<Result<Vec<u8>, Refused>> {
    let protocols = protocols.join(", ");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {protocols}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut read = Vec::new();
    let end = loop {
        if let Some(end) = read.windows(4).position(|four: &[u8]| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    if status != 101 {
        // Such an answer closes its connection.
        let _ = stream.read_to_end(&mut read).await;
        return Ok(Err(Refused { status, answer: String::from_utf8_lossy(&read).into_owned() }));
    }
    read.drain(..end);
    read.shrink_to_fit();
    Ok(Ok(read))
}

impl Writer {
    pub async fn text(&self, text: &str) -> io::Result<()> {
        self.send(TEXT, text.as_bytes()).await
    }

    pub async fn send(&self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        self.raw(&frame(opcode, payload)).await
    }

    /// Bytes as they are: for what no client should send.
    pub async fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut half = self.0.lock().await;
        half.write_all(bytes).await?;
        // TLS keeps what it wrote until it is told.
        half.flush().await
    }
}

/// A client's frame, whole. The mask is zero, which spares the load's client the work; the server does its own.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
