//! The supervisor answers in its server's place: short, typed, and only as long as nobody else does.
//!
//! | port | asked | answered |
//! | --- | --- | --- |
//! | public | anything, upgrades too | 503 in the shape of every error, with a time to come back after |
//! | operators' | `/status` | what is known, as JSON or for a browser |
//! | | `/healthz` | 200: who restarts it is at work |
//! | | `/readyz` | 503 |
//! | | `/metrics` | the supervisor's own |
//!
//! It waits a moment before it takes a connection: a server that is only late takes it first. Bounded: connections, bytes of a head and of
//! a body, and the time of each.

use super::facts::Facts;
use super::page;
use crate::gateway::http::problem::{self, Problem};
use crate::gateway::tls::Tls;
use crate::wire::error::{Code, WireError};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The server's moment to take a connection, if it is there after all.
const SERVER_FIRST: Duration = Duration::from_millis(100);
const CONNECTIONS_MAX: usize = 256;
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// A body is read before the answer, so that closing does not cut the answer off; no further than this.
const BODY_BYTES_MAX: usize = 256 * 1024;
const HEAD_WITHIN: Duration = Duration::from_secs(2);
const TLS_WITHIN: Duration = Duration::from_secs(2);
const BODY_WITHIN: Duration = Duration::from_millis(500);
const ALL_WITHIN: Duration = Duration::from_secs(5);
/// When to come back, drawn anew for each.
const RETRY_MS: std::ops::Range<u64> = 1_000..3_000;

/// What is told, and counted.
#[derive(Debug)]
pub(super) struct Known {
    pub facts: Mutex<Facts>,
    /// Where the server leaves its last status.
    pub status_file: PathBuf,
}

impl Known {
    pub fn facts(&self) -> std::sync::MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, answer: &str) {
        *self.facts().stood_in.entry(answer.to_owned()).or_default() += 1;
    }
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Public,
    Operators,
}

/// Where the public port's certificate and its key lie, for where TLS ends here.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The listening sockets, held open for as long as the supervisor lives.
pub(super) struct StandIn {
    public: TcpListener,
    operators: TcpListener,
    tls: Option<TlsFiles>,
    data_dir: PathBuf,
    known: Arc<Known>,
    places: Arc<Semaphore>,
    accepting: Vec<JoinHandle<()>>,
}

impl StandIn {
    pub fn new(
        public: TcpListener,
        operators: TcpListener,
        tls: Option<TlsFiles>,
        data_dir: &Path,
        known: Arc<Known>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { public, operators, tls, data_dir: data_dir.to_owned(), known, places, accepting: Vec::new() }
    }

    pub fn begin(&mut self) -> io::Result<()> {
        self.accept(self.operators.try_clone()?, Port::Operators, None)?;
        // Read anew each time: it may have been renewed, and between times there is no key in this process.
        let read =
            |files: &TlsFiles| Tls::load(&files.certificate, &files.key, &self.data_dir).map_err(io::Error::other);
        let tls = self.tls.as_ref().map(read).transpose()?.map(|tls| tls.acceptor());
        self.accept(self.public.try_clone()?, Port::Public, tls)
    }

    fn accept(&mut self, listener: TcpListener, port: Port, tls: Option<TlsAcceptor>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        // SAFETY: the descriptor is the listener's own, and open as long as it.
        let listener = unsafe { AsyncFd::register(listener) }?;
        let accepting = Accepting { listener, port, tls, known: self.known.clone(), places: self.places.clone() };
        self.accepting.push(tokio::spawn(accepting.run()));
        Ok(())
    }

    /// From here on connections are the server's. Those that were taken are answered.
    pub fn end(&mut self) {
        self.accepting.drain(..).for_each(|task| task.abort());
    }
}

struct Accepting {
    listener: AsyncFd<TcpListener>,
    port: Port,
    tls: Option<TlsAcceptor>,
    known: Arc<Known>,
    places: Arc<Semaphore>,
}

impl Accepting {
    async fn run(self) {
        loop {
            let Ok(mut readable) = self.listener.readable().await else { return };
            // A server that is merely late takes it itself.
            tokio::time::sleep(SERVER_FIRST).await;
            // All that wait: each has waited already.
            while let Ok(accepted) = readable.try_io(|listener| listener.get_ref().accept()) {
                match accepted {
                    Ok((stream, _)) => self.take(stream),
                    Err(gone) if gone.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept connections");
                        // What it lacks (descriptors, buffers) comes back without a word.
                        tokio::time::sleep(SERVER_FIRST).await;
                    }
                }
            }
        }
    }

    fn take(&self, stream: TcpStream) {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.known.count("turned_away");
            let _ = stream.set_nonblocking(true);
            let _ = io::Write::write(
                &mut &stream,
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            );
            return;
        };
        self.known.count("answered");
        let (known, port, tls) = (self.known.clone(), self.port, self.tls.clone());
        tokio::spawn(async move {
            let _ = tokio::time::timeout(ALL_WITHIN, serve(stream, port, tls, known)).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, port: Port, tls: Option<TlsAcceptor>, known: Arc<Known>) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::TcpStream::from_std(stream)?;
    match tls {
        None => converse(stream, port, known).await,
        Some(tls) => converse(tokio::time::timeout(TLS_WITHIN, tls.accept(stream)).await??, port, known).await,
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    port: Port,
    known: Arc<Known>,
) -> io::Result<()> {
    let answer = hyper::service::service_fn(move |request| {
        let known = known.clone();
        async move { Ok::<_, Infallible>(answer(request, port, &known).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .keep_alive(false)
        .max_headers(64)
        .max_buf_size(HEAD_BYTES_MAX);
    http.serve_connection(TokioIo::new(stream), answer).await.map_err(io::Error::other)
}

async fn answer(request: Request<Incoming>, port: Port, known: &Known) -> Response<Body> {
    let (head, body) = request.into_parts();
    let _ = tokio::time::timeout(BODY_WITHIN, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    match (port, head.uri.path()) {
        (Port::Public, _) => {
            let mut answer = away().into_response();
            // It holds nothing of anybody's, and a page of the messenger should see that it is to come back.
            let headers = answer.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
            answer
        }
        (Port::Operators, "/status") => page::status(&head.headers, &known.facts().clone(), &known.status_file),
        (Port::Operators, "/healthz") => {
            problem::ok(&serde_json::json!({ "alive": true, "answered_by": page::ANSWERED_BY }))
        }
        (Port::Operators, "/readyz") => {
            let reason = serde_json::json!({ "component": "server", "message": known.facts().server });
            let body = serde_json::json!({ "ready": false, "answered_by": page::ANSWERED_BY, "reasons": [reason] });
            problem::answer(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
        (Port::Operators, "/metrics") => page::metrics(&known.facts().clone()),
        (Port::Operators, _) => Problem::new(Code::NotFound, "there is nothing at this address").into_response(),
    }
}

fn away() -> Problem {
    let mut random = [0; 8];
    // Without randomness all come back at once, which is no reason not to answer.
    let _ = getrandom::fill(&mut random);
    let spread = u64::from_le_bytes(random) % (RETRY_MS.end - RETRY_MS.start);
    let error = WireError::new(Code::Unavailable, "the server is being started again; nothing happened");
    Problem(error.after_ms(RETRY_MS.start + spread))
}
