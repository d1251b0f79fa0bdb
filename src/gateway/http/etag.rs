//! What a cache is told by a tag, and whether it has that already (RFC 9110, `If-None-Match`). Pure.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A tag that changes with what is in it.
pub fn hex_tag(content: &[u8]) -> String {
    let mut tag = String::new();
    for byte in &Sha256::digest(content)[..12] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag
}

/// The answer under `tag`, hexadecimal digits and hyphens; 304 and nothing more where who asks has it.
pub fn tagged(asked: &HeaderMap, tag: &str, answer: impl FnOnce() -> Response) -> Response {
    let tag = format!("\"{tag}\"");
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    // Weakly compared, as a cache on the way may have made it weak.
    let is_known = known.flat_map(|tags| tags.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { answer() };
    response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits and hyphens"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(lines: &[&str]) -> u16 {
        let mut asked = HeaderMap::new();
        for line in lines {
            asked.append(header::IF_NONE_MATCH, line.parse().unwrap());
        }
        let response = tagged(&asked, "ab12-gz", || StatusCode::OK.into_response());
        assert_eq!(response.headers()[header::ETAG], "\"ab12-gz\"");
        response.status().as_u16()
    }

    #[test]
    fn who_has_it_is_sent_nothing_and_whoever_has_another_is_sent_it() {
        for known in [&["\"ab12-gz\""][..], &["W/\"ab12-gz\""], &["\"x\" , \"ab12-gz\""], &["\"x\"", "\"ab12-gz\""]] {
            assert_eq!(status(known), 304, "{known:?}");
        }
        for unknown in [&[][..], &["\"ab12\""], &["ab12-gz"], &["\"x\", \"y\""]] {
            assert_eq!(status(unknown), 200, "{unknown:?}");
        }
    }
}
