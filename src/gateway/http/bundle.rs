//! What is the same for everybody, and is made once: compressed, with a tag by which a cache knows it.

use super::etag::{hex_tag, tagged};
use super::gzip::{gzip, takes_gzip};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

/// The slowest and the smallest: it is done once.
const LEVEL: u8 = 10;

/// A page that is loaded again asks whether there is another; a browser that was away for a day may still start with the old one.
const CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";

pub struct Bundle {
    pub plain: Bytes,
    pub gzip: Bytes,
    /// Of what is in it, in hexadecimal digits.
    pub tag: String,
}

impl Bundle {
    #[must_use]
    pub fn of(plain: String) -> Self {
        Self { tag: hex_tag(plain.as_bytes()), gzip: gzip(plain.as_bytes(), LEVEL).into(), plain: plain.into() }
    }

    /// For every page, whatever its origin: there is nothing of anybody in it.
    pub fn given(&self, asked: &HeaderMap, kind: &'static str) -> Response {
        let Self { plain, gzip, tag } = self;
        let zipped = takes_gzip(asked);
        let tag = format!("{tag}{}", if zipped { "-gz" } else { "" });
        let mut response = tagged(asked, &tag, || {
            let mut response = (if zipped { gzip.clone() } else { plain.clone() }).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            if zipped {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        });
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        response
    }
}
