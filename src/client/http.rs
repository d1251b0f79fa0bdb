//! A small HTTP client for the commands that talk to a server: one kept connection, bounded answers, JSON.
//!
//! Plain HTTP only: TLS ends at the proxy before a server, and these commands are for its own side of the proxy.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::clock;

/// A page of 200 agents with all they can hold is less.
const ANSWER_BYTES_MAX: usize = 16 << 20;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a call is tried again while the server says that it will soon be able to.
const TRY_FOR_S: f64 = 30.0;

/// Where a server is: `http://host:port`.
#[derive(Debug, Clone)]
pub struct Address {
    authority: String,
}

#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    #[error("{0:?} is not an address of a server: http://HOST:PORT, without a path")]
    Address(String),
    #[error("{0}: only http:// is spoken here; run this beside the server, on its own side of the TLS proxy")]
    Tls(String),
    #[error("no server answers at {server}: {reason}")]
    Connection { server: String, reason: String },
    #[error("{server} answered {status} and not as a server of ours does")]
    Strange { server: String, status: StatusCode },
}

impl Address {
    pub fn parse(text: &str) -> Result<Self, Unreached> {
        if text.starts_with("https://") {
            return Err(Unreached::Tls(text.to_owned()));
        }
        let rest = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        let authority: http::uri::Authority = rest.parse().map_err(|_| Unreached::Address(text.to_owned()))?;
        if authority.as_str().contains('@') {
            return Err(Unreached::Address(text.to_owned()));
        }
        let port = authority.port_u16().map_or(":80", |_| "");
        Ok(Self { authority: format!("{authority}{port}") })
    }

    /// Where a server that listens there is reached from the same machine.
    pub fn of(listen: SocketAddr) -> Self {
        let ip = match listen.ip() {
            ip if !ip.is_unspecified() => ip,
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        Self { authority: SocketAddr::new(ip, listen.port()).to_string() }
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// One request; `id` goes as the `Idempotency-Key` of a write.
#[derive(Debug)]
pub struct Call<'a> {
    pub method: Method,
    pub path: String,
    pub body: Option<&'a Value>,
    pub token: Option<&'a str>,
    pub id: Option<String>,
}

impl<'a> Call<'a> {
    pub fn anonymous(path: impl Into<String>) -> Self {
        Self { token: None, ..Self::read(path, "") }
    }

    pub fn read(path: impl Into<String>, token: &'a str) -> Self {
        let (method, path) = (Method::GET, path.into());
        Self { method, path, body: None, token: Some(token), id: None }
    }

    pub fn write(method: Method, path: impl Into<String>, token: &'a str, body: Option<&'a Value>) -> Self {
        Self { method, path: path.into(), body, token: Some(token), id: Some(random_id()) }
    }
}

/// 128 random bits in hexadecimal: a command's id.
pub fn random_id() -> String {
    let mut bits = [0; 16];
    // Without random bits no id would be safe to use; the system that has none cannot run a server either.
    getrandom::fill(&mut bits).expect("the system gives random bytes");
    format!("{:032x}", u128::from_be_bytes(bits))
}

/// What the server answered: a status, and JSON unless the answer has no body (then `Null`).
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub body: Value,
}

impl Answered {
    /// A member of a refusal, or nothing.
    pub fn text(&self, member: &str) -> &str {
        self.body.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// When to come again, if that makes sense.
    pub fn retry_after(&self) -> Option<Duration> {
        let passing = matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        let after_ms = self.body.get("retry_after_ms").and_then(Value::as_u64).unwrap_or(1_000);
        passing.then(|| Duration::from_millis(after_ms.clamp(50, 5_000)))
    }
}

pub struct Client {
    address: Address,
    kept: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub fn new(address: Address) -> Self {
        Self { address, kept: None }
    }

    /// Asks until there is an answer that waiting would not change. A write is repeated with its id, so it happens once.
    pub async fn ask(&mut self, call: &Call<'_>) -> Result<Answered, Unreached> {
        let begun = clock::stopwatch();
        loop {
            let (answered, pause) = match self.ask_once(call).await {
                Ok(answered) => match answered.retry_after() {
                    Some(pause) => (Ok(answered), pause),
                    None => return Ok(answered),
                },
                // Only a connection that had worked is tried again: where nobody ever answered, nobody will.
                Err((unreached, true)) => (Err(unreached), Duration::from_millis(200)),
                Err((unreached, false)) => return Err(unreached),
            };
            if begun.seconds() + pause.as_secs_f64() > TRY_FOR_S {
                return answered;
            }
            // As long as the server asked for, or a restart may take.
            tokio::time::sleep(pause).await;
        }
    }

    /// One try. The error says whether there had been a connection.
    pub async fn ask_once(&mut self, call: &Call<'_>) -> Result<Answered, (Unreached, bool)> {
        let had_one = self.kept.is_some();
        let done = tokio::time::timeout(ANSWER_WITHIN, self.exchange(call)).await;
        done.unwrap_or_else(|_| Err(self.unreached("no answer within 10 s"))).map_err(|unreached| {
            self.kept = None;
            (unreached, had_one)
        })
    }

    async fn exchange(&mut self, call: &Call<'_>) -> Result<Answered, Unreached> {
        let request = self.request(call)?;
        let mut sender = match self.kept.take().filter(SendRequest::is_ready) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let response = sender.send_request(request).await.map_err(|error| self.unreached(error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| self.unreached(error))?.to_bytes();
        if sender.ready().await.is_ok() {
            self.kept = Some(sender);
        }
        if body.is_empty() {
            return Ok(Answered { status, body: Value::Null });
        }
        let strange = |_| Unreached::Strange { server: self.address.authority.clone(), status };
        Ok(Answered { status, body: serde_json::from_slice(&body).map_err(strange)? })
    }

    /// Asks for an answer that goes on, such as an event stream, on a connection of its own.
    pub async fn follow(&self, call: &Call<'_>) -> Result<http::Response<hyper::body::Incoming>, Unreached> {
        let mut sender = self.connect().await?;
        sender.send_request(self.request(call)?).await.map_err(|error| self.unreached(error))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Unreached> {
        let stream = TcpStream::connect(&self.address.authority).await.map_err(|error| self.unreached(error))?;
        stream.set_nodelay(true).map_err(|error| self.unreached(error))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| self.unreached(error))?;
        // Ends with the sender; what breaks it is told to whoever asks next.
        tokio::spawn(async move { connection.await.is_ok() });
        Ok(sender)
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Full<Bytes>>, Unreached> {
        let mut request = Request::builder().method(&call.method).uri(&call.path).header(HOST, &self.address.authority);
        if let Some(token) = call.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(id) = &call.id {
            request = request.header("idempotency-key", id);
        }
        let body = match call.body {
            None => Bytes::new(),
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                body.to_string().into()
            }
        };
        request.body(Full::new(body)).map_err(|error| self.unreached(error))
    }

    fn unreached(&self, reason: impl std::fmt::Display) -> Unreached {
        Unreached::Connection { server: self.address.authority.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port_over_plain_http() {
        assert_eq!(Address::parse("http://127.0.0.1:7788/").unwrap().authority(), "127.0.0.1:7788");
        assert_eq!(Address::parse("desk.internal").unwrap().authority(), "desk.internal:80");
        assert_eq!(Address::of("0.0.0.0:1".parse().unwrap()).authority(), "127.0.0.1:1");
        assert_eq!(Address::of("[::]:1".parse().unwrap()).authority(), "[::1]:1");
        assert!(matches!(Address::parse("https://desk.example.com"), Err(Unreached::Tls(_))));
        for wrong in ["", "http://", "a b", "http://a/b", "http://me@a"] {
            assert!(matches!(Address::parse(wrong), Err(Unreached::Address(_))), "{wrong}");
        }
    }
}
