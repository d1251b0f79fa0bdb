//! The modules of the messenger and of the client under it, linked into one script and compressed, once.

use super::link::link;
use crate::gateway::http::gzip::gzip;
use bytes::Bytes;
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
        Bundle { gzip: gzip(plain.as_bytes(), LEVEL).into(), plain: plain.into(), tag }
    });
    &BUNDLE
}
