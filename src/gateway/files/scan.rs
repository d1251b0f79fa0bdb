//! Somebody else's look at each file before it is kept: a `POST` of its bytes to a server that the operator names.

use super::upload::chunks_of;
use crate::client::outbound::{BadUrl, NoRoots, NotFetched, Outbound, Url};
use crate::files::{About, Stored, Whole};
use crate::telemetry::catalogue::FILES_SCANNED_TOTAL;
use crate::wire::percent::encoded;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use std::time::Duration;

/// Of its answer, which nobody reads.
const ANSWER_BYTES_MAX: usize = 16 << 10;
const NAME: HeaderName = HeaderName::from_static("x-file-name");

#[derive(Clone)]
pub struct Scan {
    outbound: Outbound,
    url: Url,
}

/// Why files cannot be looked at as it is set.
#[derive(Debug, thiserror::Error)]
pub enum ScanFailed {
    #[error("files.scan_url: {0}")]
    Url(#[from] BadUrl),
    #[error("files.scan_url: {0}")]
    Roots(#[from] NoRoots),
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scanned {
    Clean,
    Refused,
    /// There was no answer that says one or the other.
    Unknown,
}

impl Scanned {
    fn word(self) -> &'static str {
        match self {
            Scanned::Clean => "clean",
            Scanned::Refused => "refused",
            Scanned::Unknown => "unknown",
        }
    }
}

impl Scan {
    /// # Errors
    /// The address is none that may be asked, or no authority is known that vouches for it.
    pub fn new(url: &str, within: Duration) -> Result<Self, ScanFailed> {
        let url = Url::parse(url)?;
        Ok(Self { outbound: Outbound::new(None, url.is_secure(), within)?, url })
    }

    /// Shows it what is on the disk, chunk by chunk.
    pub(super) async fn look_at(&self, whole: &Whole, stored: Stored) -> Scanned {
        let chunks = chunks_of(stored).map_ok(Frame::data);
        let body = StreamBody::new(Box::pin(chunks));
        let answered = self.outbound.post(&self.url, headers(&whole.about), body, ANSWER_BYTES_MAX).await;
        let scanned = match answered {
            Ok((StatusCode::OK, _)) => Scanned::Clean,
            Ok((StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY, _)) => Scanned::Refused,
            // It may have said so before it heard all; that it spoke of something else at length is no word on the file.
            Ok((status, _)) => {
                tracing::warn!(%status, "the scan of a file gave no answer that is known");
                Scanned::Unknown
            }
            Err(NotFetched::TooLarge(_)) => {
                tracing::warn!("the scan of a file answered at length");
                Scanned::Unknown
            }
            Err(error) => {
                tracing::warn!(%error, "a file could not be scanned");
                Scanned::Unknown
            }
        };
        metrics::counter!(FILES_SCANNED_TOTAL, "result" => scanned.word()).increment(1);
        scanned
    }
}

fn headers(about: &About) -> HeaderMap {
    let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, text(&about.kind)),
        (header::CONTENT_LENGTH, HeaderValue::from(about.bytes)),
        (NAME, text(&encoded(&about.name))),
    ])
}
