//! The server's side of one WebSocket (RFC 6455), which holds no byte while nothing is under way.
//!
//! tungstenite's own stream keeps a read buffer, a write buffer as large as the largest frame that ever went out (the
//! `welcome`, for every session), and two waker proxies; it offers no way to give them back. With 100,000 idle agents those
//! buffers are most of the memory, so here a frame is read into a vector that lives as long as the frame, and
//! written from the bytes that the mailbox held, without a copy. Headers and close codes are tungstenite's.

mod inbound;
mod outbound;

use inbound::Inbound;
use outbound::Outbound;
use std::borrow::Cow;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Read at once, on the stack.
const CHUNK_BYTES: usize = 4 * 1024;
/// How long a peer may take for its part of the closing.
const CLOSING: Duration = Duration::from_secs(3);
/// What is read and thrown away at most while closing.
const CLOSING_BYTES_MAX: usize = 256 * 1024;

/// What the peer sent. Pings are answered by the socket itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    Text(String),
    Binary,
    Ping,
    Pong,
    /// The peer closes, with this code if it gave one.
    Close(Option<u16>),
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the protocol was broken: {0}")]
    Protocol(&'static str),
    #[error("a frame or message is too large")]
    TooLarge,
    #[error("a text is not UTF-8")]
    NotUtf8,
    #[error("the connection ended without a close")]
    Gone,
    #[error("the connection failed")]
    Failed(#[from] io::Error),
}

/// One open WebSocket.
#[derive(Debug)]
pub struct Socket<S> {
    io: S,
    inbound: Inbound,
    outbound: Option<Outbound>,
    /// The answer to the last ping; an older one that was not sent yet is dropped, as RFC 6455 allows.
    pong: Option<Vec<u8>>,
    heard: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// `read_already` is what came behind the upgrade request. Messages are at most `message_bytes_max`.
    #[must_use]
    pub fn new(io: S, read_already: &[u8], message_bytes_max: usize) -> Self {
        Self { io, inbound: Inbound::new(read_already, message_bytes_max), outbound: None, pong: None, heard: false }
    }

    /// The next message. Cancel safe.
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Broken>> {
        loop {
            match self.inbound.next(&mut self.pong)? {
                Some(message) => return Poll::Ready(Ok(message)),
                None => {
                    let mut chunk = [MaybeUninit::uninit(); CHUNK_BYTES];
                    let mut read = ReadBuf::uninit(&mut chunk);
                    ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
                    if read.filled().is_empty() {
                        return Poll::Ready(Err(Broken::Gone));
                    }
                    self.heard = true;
                    self.inbound.take_in(read.filled());
                }
            }
        }
    }

    /// Whether any byte came since this was asked last.
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Puts a text under way. Only after `poll_flush` was ready: there is one frame at a time.
    pub fn send_text(&mut self, text: Utf8Bytes) {
        self.put(OpCode::Data(Data::Text), text.into());
    }

    /// Puts a ping under way; as `send_text`.
    pub fn send_ping(&mut self) {
        self.put(OpCode::Control(Control::Ping), bytes::Bytes::new());
    }

    fn put(&mut self, opcode: OpCode, payload: bytes::Bytes) {
        assert!(self.outbound.is_none(), "one frame at a time is under way");
        self.outbound = Some(Outbound::new(opcode, payload));
    }

    /// Ready when nothing is under way any more. Cancel safe.
    ///
    /// # Errors
    /// When the connection failed.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(frame) = &mut self.outbound {
                ready!(frame.poll_write(&mut self.io, cx))?;
                // TLS takes bytes before the kernel does.
                ready!(Pin::new(&mut self.io).poll_flush(cx))?;
                self.outbound = None;
            } else if let Some(pong) = self.pong.take() {
                self.put(OpCode::Control(Control::Pong), pong.into());
            } else {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Says why, waits a moment for the peer's own close, and ends. What cannot be said in time is not said.
    pub async fn close(mut self, code: u16, reason: Cow<'static, str>) {
        let _ = tokio::time::timeout(CLOSING, async {
            std::future::poll_fn(|cx| self.poll_flush(cx)).await?;
            self.put(OpCode::Control(Control::Close), outbound::close_payload(code, &reason));
            std::future::poll_fn(|cx| self.poll_flush(cx)).await?;
            if self.inbound.is_closed() { self.io.shutdown().await } else { self.drain().await }
        })
        .await;
    }

    /// A socket that is closed with bytes unread is reset by the kernel, and the reset may overtake the close frame.
    async fn drain(&mut self) -> io::Result<()> {
        let mut left_bytes = CLOSING_BYTES_MAX;
        if !self.inbound.is_broken() {
            loop {
                match std::future::poll_fn(|cx| self.poll_message(cx)).await {
                    Ok(Message::Close(_)) | Err(Broken::Gone | Broken::Failed(_)) => return Ok(()),
                    Ok(Message::Text(text)) => left_bytes = left_bytes.saturating_sub(text.len()),
                    Ok(_) => left_bytes = left_bytes.saturating_sub(2),
                    Err(_) => break,
                }
                if left_bytes == 0 {
                    return Ok(());
                }
            }
        }
        self.io.shutdown().await?;
        let mut chunk = [0; 1024];
        while left_bytes > 0 {
            match self.io.read(&mut chunk).await? {
                0 => return Ok(()),
                bytes => left_bytes = left_bytes.saturating_sub(bytes),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
