//! What is compressed once and given to whoever takes it.

use http::{HeaderMap, header};
use miniz_oxide::deflate::compress_to_vec;

/// RFC 1952, without a name or a time. `level` is from 1 to 10, the slowest and the smallest.
pub fn gzip(plain: &[u8], level: u8) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    out.extend(compress_to_vec(plain, level));
    out.extend(crc32fast::hash(plain).to_le_bytes());
    out.extend(u32::try_from(plain.len()).expect("far below 4 GiB").to_le_bytes());
    out
}

/// Whether `Accept-Encoding` names it, and does not refuse it.
pub fn takes_gzip(asked: &HeaderMap) -> bool {
    let listed = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}
