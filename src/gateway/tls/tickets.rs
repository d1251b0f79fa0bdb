//! Session tickets that outlive a restart: the keys lie in the data directory, a new one is made every twelve hours, and an old
//! one is erased when none of its tickets can be good any more.
//!
//! ```text
//! ticket: name of the key 8 bytes | nonce 24 bytes | ciphertext | tag 16 bytes
//! file:   one key a line, the newest last: made at (Unix seconds) | name | secret, in hexadecimal
//! ```

use crate::gateway::auth::secret_file;
use arc_swap::ArcSwap;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::server::ProducesTickets;

const FILE: &str = "tls-tickets.key";
/// A key makes tickets for so long, and opens them for as long again.
pub(super) const ROTATE_S: i64 = 12 * 3_600;
/// More than there ever are.
const KEYS_MAX: usize = 4;
const NAME_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
/// A ticket holds the client's certificate chain, if any, and it has none.
const TICKET_BYTES_MAX: usize = 4_096;

/// Why the tickets' keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTickets {
    #[error("{path} cannot be read or written: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Secret(#[from] secret_file::SecretFileError),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

#[derive(Clone)]
struct Key {
    made_at_s: i64,
    name: [u8; NAME_BYTES],
    secret: [u8; 32],
}

pub(super) struct Tickets {
    path: PathBuf,
    /// The newest last.
    keys: ArcSwap<Vec<Key>>,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tickets({} keys)", self.keys.load().len())
    }
}

impl Tickets {
    /// What cannot be read as keys is replaced: a ticket that is lost costs one full handshake.
    pub(super) fn load_or_make(data_dir: &Path, now_s: i64) -> Result<Self, BadTickets> {
        let path = data_dir.join(FILE);
        let found = if path.exists() { secret_file::read(&path)? } else { String::new() };
        let keys: Vec<Key> = found.lines().filter_map(Key::read).take(KEYS_MAX).collect();
        let tickets = Self { path, keys: ArcSwap::from_pointee(keys) };
        if let Some(keys) = tickets.due(now_s).map_err(BadTickets::Random)? {
            tickets.keep(&keys).map_err(|source| BadTickets::Io { path: tickets.path.clone(), source })?;
            tickets.keys.store(keys.into());
        }
        Ok(tickets)
    }

    /// Makes a new key and erases the old ones, when it is time. What cannot be written is tried again the next time.
    pub(super) fn rotate(&self, now_s: i64) {
        let keys = match self.due(now_s) {
            Ok(Some(keys)) => keys,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "no new key for TLS tickets"),
        };
        match self.keep(&keys) {
            Ok(()) => self.keys.store(keys.into()),
            Err(error) => tracing::warn!(%error, "no new key for TLS tickets"),
        }
    }

    fn due(&self, now_s: i64) -> Result<Option<Vec<Key>>, getrandom::Error> {
        let held = self.keys.load();
        // One from the future was made by a clock that was wrong.
        let age_s = |key: &Key| if key.made_at_s > now_s { i64::MAX } else { now_s - key.made_at_s };
        if held.last().is_some_and(|newest| age_s(newest) < ROTATE_S) {
            return Ok(None);
        }
        let mut keys: Vec<Key> = held.iter().filter(|key| age_s(key) < 2 * ROTATE_S).cloned().collect();
        let mut new = Key { made_at_s: now_s, name: [0; NAME_BYTES], secret: [0; 32] };
        getrandom::fill(&mut new.name)?;
        getrandom::fill(&mut new.secret)?;
        keys.push(new);
        Ok(Some(keys))
    }

    /// Whole or not at all.
    fn keep(&self, keys: &[Key]) -> std::io::Result<()> {
        let beside = self.path.with_extension("new");
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        keys.iter().try_for_each(|key| writeln!(file, "{}", key.line()))?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Key {
    fn line(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("{} {} {}", self.made_at_s, hex(&self.name), hex(&self.secret))
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let made_at_s = parts.next()?.parse().ok()?;
        let (name, secret) = (of_hex(parts.next()?)?, of_hex(parts.next()?)?);
        parts.next().is_none().then_some(Self { made_at_s, name, secret })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.secret.into())
    }
}

fn of_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..2 * N).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        ROTATE_S as u32
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let keys = self.keys.load();
        let key = keys.last()?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let sealed = key.cipher().encrypt(&nonce.into(), Payload { msg: plain, aad: &key.name }).ok()?;
        Some([&key.name[..], &nonce, &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > TICKET_BYTES_MAX {
            return None;
        }
        let (name, rest) = ticket.split_first_chunk::<NAME_BYTES>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let keys = self.keys.load();
        // A name is no secret.
        let key = keys.iter().find(|key| key.name == *name)?;
        key.cipher().decrypt(&(*nonce).into(), Payload { msg: sealed, aad: name }).ok()
    }
}
