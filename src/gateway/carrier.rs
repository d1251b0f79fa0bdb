//! What a connection's bytes travel over: TCP, or TLS over it. And the guard against clients that stop reading.
//!
//! A TLS stream belongs to its TCP stream, and that to the threads that it was made on; to take it to others, the TCP stream is
//! taken out of it and put back there.

use crate::telemetry::catalogue;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

/// A TLS stream whose TCP stream can be taken out. Boxed: it is a kilobyte.
pub type Tls = Box<TlsStream<Movable>>;

#[derive(Debug)]
pub enum Carrier {
    Plain(TcpStream),
    Tls(Tls),
}

/// The same between two sets of threads.
#[derive(Debug)]
pub enum Detached {
    Plain(std::net::TcpStream),
    Tls(Tls, std::net::TcpStream),
}

impl Carrier {
    /// Takes it off the threads that it is on.
    ///
    /// # Errors
    /// When the system does not let it go.
    pub fn detach(self) -> io::Result<Detached> {
        match self {
            Self::Plain(stream) => stream.into_std().map(Detached::Plain),
            Self::Tls(mut tls) => {
                let stream = tls.get_mut().0.0.take().ok_or(io::ErrorKind::NotConnected)?;
                Ok(Detached::Tls(tls, stream.into_std()?))
            }
        }
    }
}

impl Detached {
    /// Puts it onto the threads that this is called on.
    ///
    /// # Errors
    /// When the system does not take it.
    pub fn attach(self) -> io::Result<Carrier> {
        match self {
            Self::Plain(stream) => TcpStream::from_std(stream).map(Carrier::Plain),
            Self::Tls(mut tls, stream) => {
                tls.get_mut().0.0 = Some(TcpStream::from_std(stream)?);
                Ok(Carrier::Tls(tls))
            }
        }
    }
}

/// A TCP stream that can be taken out of what is built on it.
#[derive(Debug)]
pub struct Movable(Option<TcpStream>);

impl Movable {
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        Self(Some(stream))
    }

    fn poll<T>(&mut self, poll: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut self.0 {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncRead for Movable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_read(cx, read))
    }
}

impl AsyncWrite for Movable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_shutdown(cx))
    }
}

impl AsyncRead for Carrier {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, read),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, read),
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A carrier whose peer must read: when nothing of what waits could be written for so long, the connection fails. Without
/// it, a client that opens an event stream and stops reading would keep its place for ever, since nobody writes to it.
///
/// It can be taken to other threads between two polls: told so, it takes its socket along at the next one.
#[derive(Debug)]
pub struct Guarded {
    /// `None` after a socket was lost between threads.
    carrier: Option<Carrier>,
    write_max: Duration,
    moved: Arc<AtomicBool>,
    /// There is one only while something waits.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    #[must_use]
    pub fn new(carrier: Carrier, write_max: Duration, moved: Arc<AtomicBool>) -> Self {
        Self { carrier: Some(carrier), write_max, moved, stuck: None }
    }

    #[must_use]
    pub fn into_inner(self) -> Option<Carrier> {
        self.carrier
    }

    /// The carrier, on the threads that this is called on.
    fn here(&mut self) -> io::Result<Pin<&mut Carrier>> {
        // Looked at before it is written to: most polls are on the same threads as the last.
        if self.moved.load(Relaxed) && self.moved.swap(false, Relaxed) {
            let carrier = self.carrier.take().ok_or(io::ErrorKind::NotConnected)?;
            self.carrier = Some(carrier.detach()?.attach()?);
        }
        self.carrier.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut Carrier>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let polled = poll(self.here()?, cx);
        if polled.is_ready() {
            self.stuck = None;
            return polled;
        }
        let write_max = self.write_max;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(write_max)));
        if stuck.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        metrics::counter!(catalogue::CONNECTIONS_STUCK_TOTAL).increment(1);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_read(cx, read)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, |carrier, cx| carrier.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |carrier, cx| carrier.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |carrier, cx| carrier.poll_shutdown(cx))
    }
}
