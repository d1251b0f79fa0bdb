//! TLS in this process, for who runs without a proxy: TLS 1.2 and 1.3, HTTP/1.1 alone, a certificate that is renewed while
//! everybody stays connected, and tickets that outlive a restart, so that those who come back in a storm pay no signature.
//!
//! The cryptography is ring's: of the providers that rustls keeps, it needs a C compiler and nothing more, as SQLite does;
//! aws-lc-rs needs CMake and minutes.

mod certificate;
mod tickets;

pub use certificate::BadCertificate;
pub use tickets::BadTickets;

use crate::clock;
use crate::telemetry::catalogue;
use arc_swap::ArcSwap;
use certificate::Served;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tickets::Tickets;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// How often it is looked whether the files have changed, and whether the tickets' key is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFailed {
    #[error(transparent)]
    Certificate(#[from] BadCertificate),
    #[error(transparent)]
    Tickets(#[from] BadTickets),
    #[error("{0}")]
    Config(#[from] rustls::Error),
}

/// The certificate that is shown now, and where it comes from.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    shown: Arc<Shown>,
    tickets: Arc<Tickets>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Shown(ArcSwap<Served>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load().key.clone())
    }
}

impl Tls {
    /// Reads the certificate with its chain, its key (both PEM), and the tickets' keys from the data directory.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn load(certificate: &Path, key: &Path, data_dir: &Path) -> Result<Arc<Self>, TlsFailed> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let shown = Arc::new(Shown(ArcSwap::from_pointee(certificate::read(certificate, key)?)));
        let tickets = Arc::new(Tickets::load_or_make(data_dir, now_s())?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Nothing is kept for those who are away: what they need is in their ticket.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = tickets.clone();
        config.send_tls13_tickets = 1;
        let tls =
            Self { certificate: certificate.to_owned(), key: key.to_owned(), shown, tickets, config: Arc::new(config) };
        tls.tell();
        Ok(Arc::new(tls))
    }

    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// Reads the certificate and its key again; the old ones stay if that fails. Whoever is connected notices nothing.
    pub fn reload(&self) {
        match certificate::read(&self.certificate, &self.key) {
            Ok(served) => {
                self.shown.0.store(Arc::new(served));
                self.tell();
                tracing::info!("the certificate was read again");
            }
            Err(error) => {
                metrics::counter!(catalogue::TLS_RELOADS_REFUSED_TOTAL).increment(1);
                tracing::error!(%error, "the certificate could not be read again; the old one stays");
            }
        }
    }

    /// Looks after the files and the tickets' keys for ever; spawn it.
    pub async fn watch(self: Arc<Self>) {
        let mut seen = self.stamps();
        loop {
            // Files are looked at: a directory that is swapped whole, as of a mounted secret, tells nobody.
            tokio::time::sleep(LOOK_EVERY).await;
            self.tickets.rotate(now_s());
            // Two files are not replaced in one step: a pair that does not fit is refused, and the next change looked at again.
            let stamps = self.stamps();
            if stamps != seen {
                seen = stamps;
                self.reload();
            }
        }
    }

    fn stamps(&self) -> [Option<certificate::Stamp>; 2] {
        [certificate::stamp(&self.certificate), certificate::stamp(&self.key)]
    }

    fn tell(&self) {
        let expires_at_s = self.shown.0.load().expires_at_s;
        metrics::gauge!(catalogue::TLS_CERTIFICATE_EXPIRES_AT_SECONDS).set(expires_at_s as f64);
        if expires_at_s <= now_s() {
            tracing::error!("the certificate has expired: clients will not connect");
        }
    }
}

fn now_s() -> i64 {
    (clock::wall_ms() / 1_000) as i64
}

#[cfg(test)]
mod tests;
