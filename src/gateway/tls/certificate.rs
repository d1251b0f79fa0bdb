//! The certificate and its key, from PEM files: read whole, checked against each other, and dated.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// No chain is as large as this.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a certificate is not taken; the sentence names the file and never holds what is in it.
#[derive(Debug, thiserror::Error)]
pub enum BadCertificate {
    #[error("{path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} is over {FILE_BYTES_MAX} bytes: no certificate is")]
    TooLarge { path: PathBuf },
    #[error("{path} holds no {what} in PEM")]
    NoPem { path: PathBuf, what: &'static str },
    #[error("{path}: the certificate cannot be understood")]
    NotX509 { path: PathBuf },
    #[error("{key} is not the key of {certificate}: {source}")]
    NotTheKey { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

#[derive(Debug)]
pub(super) struct Served {
    pub key: Arc<CertifiedKey>,
    /// Unix seconds.
    pub expires_at_s: i64,
}

/// What tells one state of a file from another.
pub(super) type Stamp = (u64, i64, i64, u64);

/// `None`: there is no such file now.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let held = std::fs::metadata(path).ok()?;
    Some((held.ino(), held.mtime(), held.mtime_nsec(), held.len()))
}

pub(super) fn read(certificate: &Path, key: &Path) -> Result<Served, BadCertificate> {
    let none = |path: &Path, what| BadCertificate::NoPem { path: path.to_owned(), what };
    let chain: Result<Vec<CertificateDer<'static>>, pem::Error> =
        CertificateDer::pem_slice_iter(&bytes(certificate)?).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| none(certificate, "certificate"))?;
    let secret = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|_| none(key, "private key"))?;
    let own = Certificate::from_der(&chain[0]);
    let own = own.map_err(|_| BadCertificate::NotX509 { path: certificate.to_owned() })?;
    let expires_at_s = own.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    let provider = rustls::crypto::ring::default_provider();
    let held = CertifiedKey::from_der(chain, secret, &provider).map_err(|source| BadCertificate::NotTheKey {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })?;
    Ok(Served { key: Arc::new(held), expires_at_s: i64::try_from(expires_at_s).unwrap_or(i64::MAX) })
}

fn bytes(path: &Path) -> Result<Vec<u8>, BadCertificate> {
    let unreadable = |source| BadCertificate::Unreadable { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(BadCertificate::TooLarge { path: path.to_owned() });
    }
    std::fs::read(path).map_err(unreadable)
}
