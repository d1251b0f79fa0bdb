//! The way to the servers: addresses, who we are, TLS; and which servers are too old.

use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, ServerAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Older servers let several win the fence.
const VERSION_MIN: (i64, i64, i64) = (2, 10, 0);
/// A server that answers none of three is left for another, within a lease. A minute, as is usual, is as long as a whole outage.
const PING_EVERY: Duration = Duration::from_millis(500);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Where the servers are, and what is asked of them.
#[derive(Debug, Clone)]
pub struct NatsSettings {
    /// `nats://HOST:PORT` or `tls://HOST:PORT`, one or more of the same cluster.
    pub servers: Vec<String>,
    /// The file with a JWT and a seed that `nsc` or `nats` writes.
    pub credentials: Option<PathBuf>,
    /// Certificates that the servers' own are signed by, where the system does not know them.
    pub ca: Option<PathBuf>,
    /// The first word of subjects and, in capitals, of the stream's name.
    pub name: String,
    pub replicas: usize,
    /// The most that the stream takes; without it, what the servers allow.
    pub bytes_max: Option<u64>,
    /// How long the answer to an append is waited for before its outcome is unknown.
    pub answer_within: Duration,
}

const TOKEN_BYTES_MAX: usize = 32;

/// Whether it may be a word of subjects and a part of the names of streams and buckets: letters, digits, `-` and `_`.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain && (1..=TOKEN_BYTES_MAX).contains(&text.len())
}

/// Whether it is a server's address: `nats://HOST:PORT` or `tls://HOST:PORT`, and nothing of who we are there, since settings are shown.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Ok(address) = text.parse::<ServerAddr>() else { return false };
    let of_nats = text.starts_with("nats://") || text.starts_with("tls://");
    of_nats && !address.host().is_empty() && !text.contains('@')
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailed {
    #[error("the credentials cannot be read: {0}")]
    Credentials(std::io::Error),
    #[error("no server answers at {servers}: {why}")]
    Nobody { servers: String, why: String },
    #[error("the server {server} is NATS {version}, which lets several writers win; use 2.10 or later")]
    TooOld { server: String, version: String },
}

impl ConnectFailed {
    /// Waiting does not mend it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::TooOld { .. })
    }
}

/// Connects, and looks how old the server is that answered. It goes on connecting by itself when the connection is lost.
///
/// # Errors
/// Nobody answers, or one who is too old.
pub async fn connect(settings: &NatsSettings) -> Result<Context, ConnectFailed> {
    let mut options = ConnectOptions::new()
        .name("offhook")
        .connection_timeout(CONNECT_WITHIN)
        .ping_interval(PING_EVERY)
        .request_timeout(Some(settings.answer_within));
    if let Some(file) = &settings.credentials {
        let text = std::fs::read_to_string(file).map_err(ConnectFailed::Credentials)?;
        options = options.credentials(&text).map_err(ConnectFailed::Credentials)?;
    }
    if let Some(ca) = &settings.ca {
        options = options.add_root_certificates(ca.clone()).require_tls(true);
    }
    let connected = options.connect(settings.servers.clone()).await;
    let client = connected
        .map_err(|why| ConnectFailed::Nobody { servers: settings.servers.join(", "), why: why.to_string() })?;
    let info = client.server_info();
    let (major, minor, patch) = VERSION_MIN;
    if !client.is_server_compatible(major, minor, patch) {
        return Err(ConnectFailed::TooOld { server: info.server_name, version: info.version });
    }
    let context = jetstream::context::ContextBuilder::new().timeout(settings.answer_within).build(client);
    Ok(context)
}
