//! The modules of the messenger and of the client under it, linked into one script and compressed, once.

use super::link::link;
use bytes::Bytes;
use miniz_oxide::deflate::compress_to_vec;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::LazyLock;

macro_rules! modules {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("../../../web/", $path)))),*] };
}

/// A module comes after those that it imports.
const MODULES: &[(&str, &str)] = modules![
    "client/src/shared/backoff.js",
    "client/src/shared/clock.js",
    "client/src/shared/storage.js",
    "client/src/shared/environment.js",
    "client/src/shared/refused.js",
    "client/src/shared/tabs.js",
    "client/src/shared/client.js",
    "client/src/shared/outbox.js",
    "client/src/shared/scope.js",
    "client/src/messenger/state.js",
    "client/src/messenger/stream.js",
    "client/src/messenger/following.js",
    "client/src/messenger/line.js",
    "client/src/messenger/core.js",
    "client/src/messenger/client.js",
    "messenger/src/words.js",
    "messenger/src/dom.js",
    "messenger/src/style.js",
    "messenger/src/standing.js",
    "messenger/src/thread.js",
    "messenger/src/frame.js",
    "messenger/src/widget.js",
    "messenger/src/element.js",
    "messenger/src/embed.js",
];

/// The slowest and the smallest: it is done once.
const LEVEL: u8 = 10;

pub(super) struct Bundle {
    pub plain: Bytes,
    pub gzip: Bytes,
    /// Of what is in it, in hexadecimal digits.
    pub tag: String,
}

pub(super) fn bundle() -> &'static Bundle {
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
        // A test links the same modules.
        let plain = link(MODULES).expect("modules that can be linked");
        let mut tag = String::new();
        for byte in &Sha256::digest(&plain)[..12] {
            let _ = write!(tag, "{byte:02x}");
        }
        Bundle { gzip: gzip(plain.as_bytes()).into(), plain: plain.into(), tag }
    });
    &BUNDLE
}

/// RFC 1952, without a name or a time.
fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    out.extend(compress_to_vec(plain, LEVEL));
    out.extend(crc32fast::hash(plain).to_le_bytes());
    out.extend(u32::try_from(plain.len()).expect("far below 4 GiB").to_le_bytes());
    out
}
