//! Requests to servers that are not ours, such as an OpenID provider. Nothing that they say or do not say is trusted: HTTPS alone (plain
//! HTTP to this machine, for trying things out), one connection for each request, no redirect followed, an answer bounded in bytes
//! and the whole of it in time.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Where systems keep the authorities that they trust, in the order in which they are looked for.
const ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
const ROOTS_BYTES_MAX: u64 = 8 << 20;
const URL_BYTES_MAX: usize = 2_048;
const HEAD_BYTES_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 100;

/// A place on another server: `https://`, or `http://` of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    secure: bool,
    /// As it stands in the URL: an IPv6 address with its brackets.
    authority: String,
    host: String,
    port: u16,
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not https://HOST/…, or http:// of this machine")]
pub struct BadUrl {
    pub found: String,
}

impl Url {
    /// # Errors
    /// For another scheme, plain HTTP to another machine, a user in it, a fragment, or more than 2 KiB.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        Self::parse_with(text, false)
    }

    /// The same, with plain HTTP to any machine where that is allowed.
    ///
    /// # Errors
    /// As `parse`.
    pub fn parse_with(text: &str, plain_too: bool) -> Result<Self, BadUrl> {
        Self::read(text, plain_too).ok_or_else(|| BadUrl { found: text.chars().take(200).collect() })
    }

    fn read(text: &str, plain_too: bool) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
        let uri: http::Uri = text.parse().ok().filter(|_| plain && text.len() <= URL_BYTES_MAX)?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if authority.as_str().contains('@') || host.is_empty() || !(secure || plain_too || is_loopback(host)) {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            secure,
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host, without brackets, and port: what is looked up and connected to.
    #[must_use]
    pub fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// With these in its query; names and values are encoded here.
    #[must_use]
    pub fn with_query(&self, members: &[(&str, &str)]) -> String {
        let first = if self.text.contains('?') { '&' } else { '?' };
        format!("{}{first}{}", self.text, form(members))
    }
}

/// Whether a host's name is this machine's.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// `application/x-www-form-urlencoded`.
#[must_use]
pub fn form(members: &[(&str, &str)]) -> String {
    use crate::wire::percent::encoded;
    let pairs: Vec<String> =
        members.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// What is asked: a `GET`, or a `POST` of a form.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    pub form: Option<String>,
    /// The whole value of `Authorization`.
    pub authorization: Option<String>,
    pub accept: &'a str,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it did not answer in time")]
    Late,
    #[error("its answer is over {0} bytes")]
    TooLarge(usize),
    #[error("its address {0} is of this machine or of a network of one's own")]
    NotAllowed(IpAddr),
}

/// Why there can be no requests.
#[derive(Debug, thiserror::Error)]
pub enum NoRoots {
    #[error("{path} cannot be read: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path} is over {ROOTS_BYTES_MAX} bytes")]
    TooLarge { path: String },
    #[error("{path} holds no certificate in PEM")]
    Empty { path: String },
    #[error("this system has no file of certificate authorities: install ca-certificates, or name a file")]
    None,
    #[error("{0}")]
    Tls(#[from] rustls::Error),
}

/// The means to ask.
#[derive(Clone)]
pub struct Outbound {
    tls: TlsConnector,
    within: Duration,
}

impl Outbound {
    /// `roots`: a file of the authorities that are trusted, in PEM; `None`: the system's. Without `https` none are needed, and none are
    /// read. `within`: for one answer, from the first byte of its connection.
    ///
    /// # Errors
    /// The authorities cannot be read.
    pub fn new(roots: Option<&Path>, https: bool, within: Duration) -> Result<Self, NoRoots> {
        let roots = if https { read_roots(roots)? } else { RootCertStore::empty() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), within })
    }

    /// One request. Any status is an answer.
    ///
    /// # Errors
    /// No answer, none in time, or more than `bytes_max` of it.
    pub async fn fetch(
        &self,
        url: &Url,
        wanted: Wanted<'_>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), NotFetched> {
        tokio::time::timeout(self.within, self.exchange(url, wanted, bytes_max)).await.unwrap_or(Err(NotFetched::Late))
    }

    /// A `POST` of a body that comes in pieces, with headers of its own. Any status is an answer.
    ///
    /// # Errors
    /// No answer, none in time, or more than `bytes_max` of it.
    pub async fn post<B>(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: B,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), NotFetched>
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
    {
        let mut request = begun(url, Method::POST).body(body).map_err(unreachable)?;
        request.headers_mut().extend(headers);
        tokio::time::timeout(self.within, self.send(url, request, bytes_max)).await.unwrap_or(Err(NotFetched::Late))
    }

    async fn exchange(
        &self,
        url: &Url,
        wanted: Wanted<'_>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), NotFetched> {
        self.send(url, request(url, wanted)?, bytes_max).await
    }

    async fn send<B>(&self, url: &Url, request: Request<B>, bytes_max: usize) -> Result<(StatusCode, Bytes), NotFetched>
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
    {
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        if !url.secure {
            return speak(stream, request, bytes_max).await;
        }
        let name = ServerName::try_from(url.host.clone()).map_err(unreachable)?;
        let stream = self.tls.connect(name, stream).await.map_err(unreachable)?;
        speak(stream, request, bytes_max).await
    }
}

pub(super) fn unreachable(why: impl std::fmt::Display) -> NotFetched {
    NotFetched::Unreachable(why.to_string())
}

pub(super) fn begun(url: &Url, method: Method) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(&url.path)
        .header(HOST, &url.authority)
        .header(USER_AGENT, concat!("offhook/", env!("CARGO_PKG_VERSION")))
}

fn request(url: &Url, wanted: Wanted<'_>) -> Result<Request<Full<Bytes>>, NotFetched> {
    let method = if wanted.form.is_some() { Method::POST } else { Method::GET };
    let mut request = begun(url, method).header(ACCEPT, wanted.accept);
    if let Some(authorization) = wanted.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let body = match wanted.form {
        None => Bytes::new(),
        Some(form) => {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            form.into()
        }
    };
    request.body(Full::new(body)).map_err(unreachable)
}

/// The connection lives as long as its one exchange: whoever drops that, for being late, ends it.
async fn speak<S, B>(stream: S, request: Request<B>, bytes_max: usize) -> Result<(StatusCode, Bytes), NotFetched>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
{
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    let exchange = async move {
        let response = sender.send_request(request).await.map_err(unreachable)?;
        let status = response.status();
        if response.body().size_hint().lower() > bytes_max as u64 {
            return Err(NotFetched::TooLarge(bytes_max));
        }
        match Limited::new(response.into_body(), bytes_max).collect().await {
            Ok(body) => Ok((status, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(NotFetched::TooLarge(bytes_max)),
            Err(error) => Err(unreachable(error)),
        }
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        answered = &mut exchange => answered,
        // Its end brings the answer's end, or the reason why there is none: the exchange tells.
        _ = connection => exchange.await,
    }
}

/// A connection of its own, for several requests one after the other: it goes on beside whoever holds its end.
pub(super) async fn connection(
    outbound: Option<&Outbound>,
    url: &Url,
    stream: TcpStream,
) -> Result<SendRequest<Full<Bytes>>, NotFetched> {
    stream.set_nodelay(true).map_err(unreachable)?;
    match outbound.filter(|_| url.secure) {
        None => begin(stream).await,
        Some(outbound) => {
            let name = ServerName::try_from(url.host.clone()).map_err(unreachable)?;
            begin(outbound.tls.connect(name, stream).await.map_err(unreachable)?).await
        }
    }
}

async fn begin<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, NotFetched>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    tokio::spawn(async move {
        // Its end is seen by whoever holds the other end.
        let _ = connection.await;
    });
    Ok(sender)
}

fn read_roots(given: Option<&Path>) -> Result<RootCertStore, NoRoots> {
    let path = match given {
        Some(path) => path,
        None => ROOTS.iter().map(Path::new).find(|path| path.is_file()).ok_or(NoRoots::None)?,
    };
    let shown = || path.display().to_string();
    let unreadable = |source| NoRoots::Unreadable { path: shown(), source };
    if std::fs::metadata(path).map_err(unreadable)?.len() > ROOTS_BYTES_MAX {
        return Err(NoRoots::TooLarge { path: shown() });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    // An authority that is not understood here vouches for nobody; the others do.
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok));
    if roots.is_empty() { Err(NoRoots::Empty { path: shown() }) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for good in [
            "https://id.example.com",
            "https://id.example.com:8443/realms/a?b=c",
            "http://127.0.0.1:3000/x",
            "http://localhost/",
            "http://[::1]:3000",
        ] {
            assert_eq!(Url::parse(good).unwrap().as_str(), good);
        }
        let long = format!("https://a/{}", "x".repeat(URL_BYTES_MAX));
        for bad in [
            "",
            "http://id.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1/",
            "ftp://a",
            "javascript:alert(1)",
            "/a",
            "//a/b",
            "https://me@a/",
            "https://a/#b",
            "https://a/\r\nX: y",
            "https://a/<b>",
            &long,
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        let url = Url::parse("https://a/b?c=d").unwrap();
        assert_eq!(url.with_query(&[("to", "/a b&c")]), "https://a/b?c=d&to=%2Fa%20b%26c");
    }

    /// Answers each connection with these bytes, and says no more; whether the connection then ends is `closes`.
    async fn answering(bytes: Vec<u8>, closes: bool) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/a", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 1_024];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(&bytes).await;
                if !closes {
                    held.push(stream);
                }
            }
        });
        url
    }

    async fn fetched(answer: &[u8], closes: bool, within_ms: u64) -> Result<(StatusCode, Bytes), NotFetched> {
        let url = answering(answer.to_vec(), closes).await;
        let outbound = Outbound::new(None, false, Duration::from_millis(within_ms)).unwrap();
        outbound.fetch(&url, Wanted { accept: "application/json", ..Wanted::default() }, 1_000).await
    }

    #[tokio::test]
    async fn an_answer_is_taken_with_any_status_and_a_redirect_is_not_followed() {
        let answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(fetched(answer, false, 20_000).await, Ok((StatusCode::FOUND, Bytes::from_static(b"{}"))));
        // Without a length, the end of the connection is the end of it.
        let answer = b"HTTP/1.1 200 OK\r\n\r\n{\"a\":1}";
        assert_eq!(fetched(answer, true, 20_000).await, Ok((StatusCode::OK, Bytes::from_static(b"{\"a\":1}"))));
    }

    #[tokio::test]
    async fn what_is_silent_huge_or_no_http_is_given_up() {
        assert_eq!(fetched(b"", false, 50).await, Err(NotFetched::Late));
        assert_eq!(fetched(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", false, 50).await, Err(NotFetched::Late));
        let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{";
        assert!(matches!(fetched(announced, false, 20_000).await, Err(NotFetched::TooLarge(1_000))));
        let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b' '; 2_000]].concat();
        assert_eq!(fetched(&endless, false, 20_000).await, Err(NotFetched::TooLarge(1_000)));
        assert!(matches!(fetched(b"SSH-2.0-x\r\n\r\n", true, 20_000).await, Err(NotFetched::Unreachable(_))));
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let url = Url::parse(&format!("http://{closed}/")).unwrap();
        let outbound = Outbound::new(None, false, Duration::from_secs(20)).unwrap();
        assert!(matches!(outbound.fetch(&url, Wanted::default(), 9).await, Err(NotFetched::Unreachable(_))));
    }
}
