//! Messages to servers that somebody else named, many to the same one: connections are kept, and where each leads is looked at before it
//! is made. Bounded as all that is asked of others (`outbound.rs`): no redirect is followed, an answer has a time and a size.

use super::addresses::is_public;
use super::outbound::{NotFetched, Outbound, Url, begun, connection, unreachable};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};

/// What is read of an answer, so that its connection can be used again; one that says more is let go.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// The means to send.
pub struct Courier {
    /// The authorities that are trusted; `None`: the system's. Read when they are needed first.
    roots: Option<PathBuf>,
    tls: OnceLock<Outbound>,
    /// For one answer, with its connection.
    within: Duration,
    /// Addresses of this machine and of one's own networks too.
    private_too: bool,
    plain_too: bool,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    /// How long it is to be left alone, where it said so in seconds.
    pub retry_after_s: Option<u64>,
}

/// Connections to one server that wait for the next message.
#[derive(Default)]
pub struct Kept(Mutex<Vec<SendRequest<Full<Bytes>>>>);

impl Kept {
    fn take(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(one) = kept.pop() {
            if !one.is_closed() {
                return Some(one);
            }
        }
        None
    }

    /// As many as were in use at once, so there is no need of another bound.
    fn give(&self, sender: SendRequest<Full<Bytes>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
    }
}

impl Courier {
    #[must_use]
    pub fn new(roots: Option<PathBuf>, within: Duration, private_too: bool, plain_too: bool) -> Self {
        Self { roots, tls: OnceLock::new(), within, private_too, plain_too }
    }

    /// Whether it would be sent to, as far as the address says it by itself.
    ///
    /// # Errors
    /// It would not.
    pub fn may_send_to(&self, url: &Url) -> Result<(), NotFetched> {
        if !url.is_secure() && !self.plain_too {
            return Err(unreachable("plain HTTP is not allowed"));
        }
        match url.place().0.parse::<IpAddr>() {
            Ok(address) if !self.private_too && !is_public(address) => Err(NotFetched::NotAllowed(address)),
            _ => Ok(()),
        }
    }

    /// A `POST` over a connection that is kept, or a new one. Any status is an answer.
    ///
    /// # Errors
    /// No answer, none in time, or no address that it may be sent to.
    pub async fn post(&self, kept: &Kept, url: &Url, headers: &HeaderMap, body: Bytes) -> Result<Answer, NotFetched> {
        self.may_send_to(url)?;
        let exchange = async {
            if let Some(sender) = kept.take()
                && let Ok(answer) = send(sender, kept, url, headers, body.clone()).await
            {
                return Ok(answer);
            }
            // A connection that was kept may have been given up by the other side at that moment: that says nothing of the server.
            send(self.connect(url).await?, kept, url, headers, body).await
        };
        tokio::time::timeout(self.within, exchange).await.unwrap_or(Err(NotFetched::Late))
    }

    async fn connect(&self, url: &Url) -> Result<SendRequest<Full<Bytes>>, NotFetched> {
        let found: Vec<SocketAddr> = lookup_host(url.place()).await.map_err(unreachable)?.collect();
        // Looked at here and connected to here: a name that is asked twice may say something else.
        let allowed = found.iter().filter(|address| self.private_too || is_public(address.ip()));
        let allowed: Vec<SocketAddr> = allowed.copied().collect();
        if allowed.is_empty() {
            return Err(match found.first() {
                Some(address) => NotFetched::NotAllowed(address.ip()),
                None => unreachable("its name has no address"),
            });
        }
        let stream = TcpStream::connect(&allowed[..]).await.map_err(unreachable)?;
        connection(self.tls_for(url)?, url, stream).await
    }

    fn tls_for(&self, url: &Url) -> Result<Option<&Outbound>, NotFetched> {
        if !url.is_secure() || self.tls.get().is_some() {
            return Ok(self.tls.get());
        }
        let made = Outbound::new(self.roots.as_deref(), true, self.within).map_err(unreachable)?;
        Ok(Some(self.tls.get_or_init(|| made)))
    }
}

async fn send(
    mut sender: SendRequest<Full<Bytes>>,
    kept: &Kept,
    url: &Url,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Answer, NotFetched> {
    let mut request: Request<Full<Bytes>> = begun(url, Method::POST).body(Full::new(body)).map_err(unreachable)?;
    request.headers_mut().extend(headers.clone());
    sender.ready().await.map_err(unreachable)?;
    let response = sender.send_request(request).await.map_err(unreachable)?;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after_s = retry_after.and_then(|text| text.trim().parse().ok());
    let small = response.body().size_hint().lower() <= ANSWER_BYTES_MAX as u64;
    if small && Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.is_ok() && !sender.is_closed() {
        kept.give(sender);
    }
    Ok(Answer { status, retry_after_s })
}
