//! From a listening socket to requests: connections are accepted, bounded, and served by one router.
//!
//! A connection costs a task and hyper's buffers until its request head has come; a bounded number may be in that state, in
//! all and from one address, each for a bounded time. The accept loop never spins: what the system refuses (too many open
//! files) is waited out.

mod drive;
mod handshakes;
mod standing;

use crate::gateway::auth::client_address::TrustedProxies;
use crate::gateway::carrier::{Carrier, Guarded, Movable};
use crate::gateway::tls::Tls;
use crate::overload::memory;
use crate::telemetry::{catalogue, turned};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use drive::{Drive, Lanes};
use handshakes::{Handshake, Handshakes};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use standing::{Standing, shows_credentials};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::HandshakeKind;
use tower::Service;

/// Bounds on connections. Sizes in bytes, of each connection.
#[derive(Clone, Debug)]
pub struct ListenLimits {
    pub connections_max: usize,
    /// Connections whose first request head has not come yet.
    pub handshakes_max: usize,
    /// The same, of one address.
    pub handshakes_of_address_max: usize,
    /// Who speaks for many addresses.
    pub proxies: TrustedProxies,
    pub header_bytes_max: usize,
    pub headers_max: usize,
    /// How long a request head may take; also how long a kept connection may say nothing.
    pub header_read_ms: u64,
    /// How long a client may leave everything unread that waits for it.
    pub write_ms: u64,
    pub tls: Option<Arc<Tls>>,
    /// Kernel memory for what the peer does not read.
    pub send_buffer_bytes: usize,
    pub receive_buffer_bytes: usize,
    pub backlog: u32,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            connections_max: 200_000,
            handshakes_max: 2_048,
            handshakes_of_address_max: 2_048,
            proxies: TrustedProxies::none(),
            header_bytes_max: 16 * 1024,
            headers_max: 64,
            header_read_ms: 10_000,
            write_ms: 30_000,
            tls: None,
            send_buffer_bytes: 32 * 1024,
            receive_buffer_bytes: 16 * 1024,
            backlog: 4_096,
        }
    }
}

/// What is answered at once, before the router: `None` lets the request pass.
pub type Gate = Arc<dyn Fn(&Request<Incoming>) -> Option<Response> + Send + Sync>;

/// What the loop has seen since it began.
#[derive(Debug, Default)]
pub struct ListenCounts {
    pub accepted: AtomicU64,
    /// Told to come back later, since `connections_max` are open, or its address has all that it may have under way.
    pub turned_away: AtomicU64,
    pub accept_errors: AtomicU64,
}

/// Where a connection comes from; in every request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The connection's place among `connections_max`; in every request's extensions. What outlives the HTTP connection (a
/// WebSocket) takes it along.
#[derive(Clone, Debug)]
pub struct Place(Arc<Mutex<Option<HeldPlace>>>);

/// A connection's place, counted as long as it is held. The permit itself would be twice as large, in every session.
#[derive(Debug)]
pub struct HeldPlace(Arc<Semaphore>);

impl HeldPlace {
    /// `None`: all are taken.
    fn of(places: &Arc<Semaphore>) -> Option<Self> {
        places.try_acquire().ok()?.forget();
        metrics::gauge!(catalogue::CONNECTIONS).increment(1.0);
        memory().places.open();
        Some(Self(places.clone()))
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        self.0.add_permits(1);
        metrics::gauge!(catalogue::CONNECTIONS).decrement(1.0);
        memory().places.close();
    }
}

impl Place {
    /// The permit itself, once.
    #[must_use]
    pub fn take(&self) -> Option<HeldPlace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Opens a listening socket.
///
/// # Errors
/// Those of the system: the address is in use or not ours.
pub fn bind(address: SocketAddr, limits: &ListenLimits) -> io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_recv_buffer_size(limits.receive_buffer_bytes)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(limits.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// A running accept loop. Dropping it stops nothing; see `stop`.
#[derive(Debug)]
pub struct Listening {
    pub address: SocketAddr,
    pub counts: Arc<ListenCounts>,
    stop: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
    places: Arc<Semaphore>,
    places_max: u32,
}

impl Listening {
    /// Accepts no more, and lets each connection finish the request it is in. WebSockets are ended by who holds them.
    /// Returns when the listening socket is closed, the last request is answered and the last WebSocket has told its peer why,
    /// which an event stream may put off for as long as it likes: the caller sets the bound.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // The loop ends by itself; that it panicked is no reason to panic again.
        let _ = self.accepting.await;
        self.stop.closed().await;
        // What was upgraded keeps its place beyond the HTTP connection, on threads that would not be waited for.
        let _ = self.places.acquire_many(self.places_max).await;
    }
}

/// Serves `router` behind `gate` on `listener`, which may have been handed in by a supervisor. Connections that were
/// refused go on on the threads of `back`; `None`: all stay on those that this is called on.
///
/// # Errors
/// When the socket's options cannot be set.
pub fn listen(
    listener: std::net::TcpListener,
    router: Router,
    gate: Option<Gate>,
    back: Option<Handle>,
    limits: &ListenLimits,
) -> io::Result<Listening> {
    listener.set_nonblocking(true)?;
    // Accepted sockets inherit both sizes.
    let options = socket2::SockRef::from(&listener);
    options.set_send_buffer_size(limits.send_buffer_bytes)?;
    options.set_recv_buffer_size(limits.receive_buffer_bytes)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let counts = Arc::new(ListenCounts::default());
    let (stop, stopped) = watch::channel(false);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.header_read_ms))
        .keep_alive(true)
        // Answers are short: to copy one costs less than to hand the system a list of pieces.
        .writev(false)
        .max_headers(limits.headers_max)
        .max_header_size(limits.header_bytes_max)
        // hyper asks for 8 KiB at least.
        .max_buf_size(limits.header_bytes_max.max(8 * 1024));
    let places_max = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let accepting = Accepting {
        listener,
        router,
        gate,
        http,
        tls: limits.tls.as_ref().map(|tls| tls.acceptor()),
        handshake_max: Duration::from_millis(limits.header_read_ms),
        write_max: Duration::from_millis(limits.write_ms),
        connections: places.clone(),
        handshakes: Handshakes::new(limits.handshakes_max, limits.handshakes_of_address_max, limits.proxies.clone()),
        counts: counts.clone(),
        lanes: Lanes::new(Handle::current(), back),
        stopped,
    };
    Ok(Listening { address, counts, stop, accepting: tokio::spawn(accepting.run()), places, places_max })
}

struct Accepting {
    listener: TcpListener,
    router: Router,
    gate: Option<Gate>,
    http: http1::Builder,
    tls: Option<TlsAcceptor>,
    handshake_max: Duration,
    write_max: Duration,
    connections: Arc<Semaphore>,
    handshakes: Arc<Handshakes>,
    counts: Arc<ListenCounts>,
    lanes: Lanes,
    stopped: Stop,
}

/// True as soon as the stop has begun.
type Stop = watch::Receiver<bool>;

impl Accepting {
    async fn run(mut self) {
        let mut pause = Pause::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = begun(&mut self.stopped) => return,
                accepted = accept(&self.listener, &self.handshakes) => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    pause = Pause::default();
                    self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                    match self.handshakes.begin(place, peer.ip()) {
                        Some(handshake) => self.serve(stream, peer, handshake),
                        None => self.turn_away(&stream, peer, "address"),
                    }
                }
                Err(error) => {
                    metrics::counter!(catalogue::ACCEPT_ERRORS_TOTAL, "error" => word(&error)).increment(1);
                    // The peer was gone before it was accepted: no trouble of ours.
                    if error.kind() == io::ErrorKind::ConnectionAborted {
                        continue;
                    }
                    self.counts.accept_errors.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%error, pause_ms = pause.0.as_millis() as u64, "cannot accept connections");
                    // What it lacks (descriptors, buffers) comes back without a word.
                    tokio::time::sleep(pause.next()).await;
                }
            }
        }
    }

    /// All that is affordable: one try, without waiting for the request.
    fn turn_away(&self, stream: &TcpStream, peer: SocketAddr, why: &'static str) {
        turned::refused(why, peer.ip());
        self.counts.turned_away.fetch_add(1, Ordering::Relaxed);
        metrics::counter!(catalogue::CONNECTIONS_TURNED_AWAY_TOTAL, "why" => why).increment(1);
        let _ = stream.try_write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, handshake: Handshake) {
        let Some(place) = HeldPlace::of(&self.connections) else {
            return self.turn_away(&stream, peer, "full");
        };
        let _ = stream.set_nodelay(true);
        let standing = Arc::new(Standing::default());
        let requests = Requests {
            router: self.router.clone(),
            gate: self.gate.clone(),
            peer: Peer(peer),
            place: Place(Arc::new(Mutex::new(Some(place)))),
            handshake: Mutex::new(Some(handshake)),
            standing: standing.clone(),
        };
        let (http, write_max) = (self.http.clone(), self.write_max);
        let secured = self.tls.clone().map(|tls| (tls, self.handshake_max));
        let (stopped, lanes) = (self.stopped.clone(), self.lanes.clone());
        tokio::spawn(async move {
            let carrier = match secured {
                None => Carrier::Plain(stream),
                // Boxed, so that a connection without it is not as large.
                Some((tls, most)) => match Box::pin(secured_by(tls, stream, peer, most)).await {
                    Some(carrier) => carrier,
                    None => return,
                },
            };
            let io = TokioIo::new(Guarded::new(carrier, write_max, standing.moving()));
            let connection = Box::pin(http.serve_connection(io, requests).with_upgrades());
            Drive { connection, standing, peer, stopped, lanes }.run().await;
        });
    }
}

/// The TLS handshake, in bounded time; rustls bounds its bytes.
async fn secured_by(tls: TlsAcceptor, stream: TcpStream, peer: SocketAddr, most: Duration) -> Option<Carrier> {
    let (outcome, carrier) = match tokio::time::timeout(most, tls.accept(Movable::new(stream))).await {
        Ok(Ok(stream)) => {
            let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
            (if resumed { "resumed" } else { "full" }, Some(Carrier::Tls(Box::new(stream))))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            turned::refused("tls_failed", peer.ip());
            ("failed", None)
        }
        Err(_) => {
            turned::refused("tls_late", peer.ip());
            ("late", None)
        }
    };
    metrics::counter!(catalogue::TLS_HANDSHAKES_TOTAL, "outcome" => outcome).increment(1);
    carrier
}

/// Ready when the stop has begun, or whoever could begin it is gone.
async fn begun(stopped: &mut Stop) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// A handshake's place is taken before the connection is, so that what there is no room for waits in the kernel.
async fn accept(
    listener: &TcpListener,
    handshakes: &Handshakes,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = handshakes.place().await.ok_or(io::ErrorKind::Interrupted)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// What the system refused, in metrics.
fn word(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => "descriptors",
        Some(libc::ENOBUFS | libc::ENOMEM) => "memory",
        Some(libc::ECONNABORTED) => "aborted",
        _ => "other",
    }
}

/// How long to wait after a failed accept: from 10 ms, doubling to 1 s.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(10))
    }
}

impl Pause {
    fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Duration::from_secs(1));
        now
    }
}

/// One connection's requests, handed to the router.
struct Requests {
    router: Router,
    gate: Option<Gate>,
    peer: Peer,
    place: Place,
    /// Given back with the first request head.
    handshake: Mutex<Option<Handshake>>,
    standing: Arc<Standing>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if self.handshake.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            self.standing.has_asked();
        }
        if let Some(answer) = self.gate.as_ref().and_then(|gate| gate(&request)) {
            self.standing.answered(false, answer.status());
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(self.place.clone());
        let (standing, credentials) = (self.standing.clone(), shows_credentials(request.headers(), request.uri()));
        // A router is always ready.
        let answer = self.router.clone().call(request);
        Box::pin(async move {
            let response = answer.await?;
            standing.answered(credentials, response.status());
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests;
