//! A certificate for a server of a bench, and clients that trust it.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// What all clients share; each keeps tickets of its own.
pub struct Trust(ClientConfig);

impl Trust {
    /// Writes `tls.pem` and `tls.key` (P-256) for `localhost` into a directory.
    pub fn make(dir: &Path) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        std::fs::write(dir.join("tls.pem"), cert.pem()).expect("the directory takes files");
        std::fs::write(dir.join("tls.key"), signing_key.serialize_pem()).expect("the directory takes files");
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).expect("our own certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("ring knows TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(config)
    }

    pub fn client(&self) -> TlsConnector {
        let mut config = self.0.clone();
        config.resumption = Resumption::in_memory_sessions(1);
        TlsConnector::from(Arc::new(config))
    }
}

pub async fn secured(client: &TlsConnector, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    client.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}
