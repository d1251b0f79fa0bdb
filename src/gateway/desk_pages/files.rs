//! What the pages are made of: `web/desk/src` and `web/client/src`, in the binary; a debug build reads them from the source tree at each
//! request, so that a page can be worked on without compiling.

use crate::gateway::http::gzip::gzip;
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

#[derive(RustEmbed)]
#[folder = "web/desk/src/"]
struct Desk;

#[derive(RustEmbed)]
#[folder = "web/client/src/"]
struct Client;

/// Whether they are read from the source tree.
pub(super) const OF_TREE: bool = cfg!(debug_assertions);
/// The slowest and the smallest where it is done once.
const LEVEL: u8 = if OF_TREE { 1 } else { 10 };
const TAG_OF_TREE: &str = "tree";

#[derive(Clone)]
pub(super) struct File {
    pub kind: &'static str,
    pub plain: Bytes,
    pub gzip: Bytes,
}

struct Held {
    /// Of all that is in them, in hexadecimal digits.
    tag: String,
    /// By path.
    files: BTreeMap<String, File>,
}

static HELD: LazyLock<Held> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    let mut files = BTreeMap::new();
    for path in paths() {
        let Some(file) = read(&path) else { continue };
        digest.update(path.as_bytes());
        digest.update(&file.plain);
        files.insert(path, file);
    }
    let mut tag = String::new();
    for byte in &digest.finalize()[..10] {
        let _ = write!(tag, "{byte:02x}");
    }
    Held { tag, files }
});

/// What stands for all files as they are now in their addresses.
pub(super) fn tag() -> String {
    if OF_TREE { TAG_OF_TREE.to_owned() } else { HELD.tag.clone() }
}

/// In order; below `web/`.
pub(super) fn paths() -> Vec<String> {
    let client = Client::iter().map(|path| format!("client/src/{path}"));
    let mut paths: Vec<String> = client.chain(Desk::iter().map(|path| format!("desk/src/{path}"))).collect();
    paths.retain(|path| kind_of(path).is_some());
    paths.sort();
    paths
}

pub(super) fn file(path: &str) -> Option<File> {
    if OF_TREE { read(path) } else { HELD.files.get(path).cloned() }
}

fn read(path: &str) -> Option<File> {
    let kind = kind_of(path)?;
    let found = match path.strip_prefix("desk/src/") {
        Some(rest) => Desk::get(rest),
        None => Client::get(path.strip_prefix("client/src/")?),
    };
    let plain = Bytes::from(found?.data.into_owned());
    Some(File { kind, gzip: gzip(&plain, LEVEL).into(), plain })
}

/// What else may lie there is no part of a page.
fn kind_of(path: &str) -> Option<&'static str> {
    let (_, end) = path.rsplit_once('.')?;
    match end {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
