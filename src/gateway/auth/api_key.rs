//! API keys: `ohk_<id>_<secret>`, of which only a hash is kept. Pure but for drawing a new key.
//!
//! The hash is plain SHA-256: a slow hash defends guessable passwords, and 190 random bits cannot be guessed; it would only make
//! each request dear, and each bad request a way to tire the server.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PREFIX: &str = "ohk_";
const ID_CHARS: usize = 12;
const SECRET_CHARS: usize = 32;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// One right that a key may have. None includes another: a key does exactly what it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Live state, history, search, reports, decision traces.
    Read = 1,
    /// Act on conversations, messages and agents' presence.
    Write = 2,
    /// Declare queues, agents, statuses, rules and webhooks; erase customers.
    Admin = 4,
    /// Make and revoke API keys and the keys that sign customers' tokens.
    Keys = 8,
    /// Decide to whom conversations are offered, where a queue is decided from outside.
    Route = 16,
    /// Follow all that happens; texts only together with `Read`.
    Events = 32,
    /// Carry messages to and from customers who write elsewhere.
    Channel = 64,
}

impl Scope {
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Write, Self::Admin, Self::Keys, Self::Route, Self::Events, Self::Channel];

    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Keys => "keys",
            Self::Route => "route",
            Self::Events => "events",
            Self::Channel => "channel",
        }
    }
}

/// A set of rights, written as a list of words.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct Scopes(u8);

impl Scopes {
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    /// Reads words with commas or spaces between; the error is the word that is no scope.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(|word| Scope::ALL.into_iter().find(|scope| scope.word() == word).ok_or_else(|| word.to_owned()))
            .collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope as u8))
    }
}
impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        scopes.into_iter().collect()
    }
}
impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        scopes.iter().collect()
    }
}
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Scope::word).collect();
        f.write_str(&words.join(","))
    }
}
impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// What is kept of a key: enough to know it again, not enough to be it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// 12 characters of base62: names the key in lists and logs.
    pub id: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    pub scopes: Scopes,
    /// The one workspace it is good for; None: all of them.
    pub workspace: Option<String>,
    pub name: String,
    /// Seconds since 1970.
    pub created_at_s: i64,
}

/// What is said of a new key beside the key itself.
#[derive(Debug, Clone)]
pub struct ApiKeyGrant {
    pub scopes: Scopes,
    pub workspace: Option<String>,
    pub name: String,
    pub created_at_s: i64,
}

impl ApiKey {
    /// Draws a new key: what to keep, and the key to show once.
    pub fn draw(grant: ApiKeyGrant) -> Result<(Self, String), getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self::of_secret(&secret, grant))
    }

    /// The key of 256 secret bits: the same again for the same.
    #[must_use]
    pub fn of_secret(secret: &[u8; 32], grant: ApiKeyGrant) -> (Self, String) {
        let blocks = (0..3_u8).flat_map(|block| Sha256::new().chain_update([block]).chain_update(secret).finalize());
        let bytes: Vec<u8> = blocks.take(2 * (ID_CHARS + SECRET_CHARS)).collect();
        // Two bytes for each character: 65536 / 62 leaves a bias of one in a thousand, far less than a bit in all.
        let text: String = bytes
            .chunks_exact(2)
            .map(|pair| char::from(BASE62[usize::from(u16::from_le_bytes([pair[0], pair[1]])) % 62]))
            .collect();
        let (id, secret) = text.split_at(ID_CHARS);
        let key = format!("{PREFIX}{id}_{secret}");
        (Self::keep(id, &key, grant), key)
    }

    /// What to keep of a key that exists already; None if it is not of the form.
    pub fn of_text(key: &str, grant: ApiKeyGrant) -> Option<Self> {
        key_id(key).map(|id| Self::keep(id, key, grant))
    }

    fn keep(id: &str, key: &str, grant: ApiKeyGrant) -> Self {
        let ApiKeyGrant { scopes, workspace, name, created_at_s } = grant;
        Self { id: id.to_owned(), hash: hash(key), scopes, workspace, name, created_at_s }
    }

    /// Whether this is the key, in a time that does not depend on where it differs.
    pub fn is(&self, key: &str) -> bool {
        hash(key).ct_eq(&self.hash).into()
    }

    /// Whether it may be used in this workspace.
    pub fn reaches(&self, workspace: &str) -> bool {
        self.workspace.as_deref().is_none_or(|own| own == workspace)
    }
}

/// The id inside a key, to look the kept key up by; None if this is not of the form of a key.
pub fn key_id(key: &str) -> Option<&str> {
    let (id, secret) = key.strip_prefix(PREFIX)?.split_once('_')?;
    let base62 = |part: &str, chars| part.len() == chars && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (base62(id, ID_CHARS) && base62(secret, SECRET_CHARS)).then_some(id)
}

/// The hash as it is kept in a workspace's settings: lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(key: &str) -> String {
    hash(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this is the key of that hash, in a time that does not depend on where it differs.
#[must_use]
pub fn matches(kept_hex: &str, key: &str) -> bool {
    sha256_hex(key).as_bytes().ct_eq(kept_hex.as_bytes()).into()
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> (ApiKey, String) {
        let scopes = Scopes::parse("read,keys").unwrap();
        let grant = ApiKeyGrant { scopes, workspace: Some("acme".into()), name: "ci".into(), created_at_s: 7 };
        ApiKey::draw(grant).unwrap()
    }

    #[test]
    fn a_drawn_key_is_known_again_and_no_other_is() {
        let (kept, key) = drawn();
        assert_eq!(key.len(), 4 + 12 + 1 + 32);
        assert_eq!(key_id(&key), Some(kept.id.as_str()));
        assert!(kept.is(&key));
        let (_, other) = drawn();
        assert!(!kept.is(&other) && !kept.is("") && !kept.is(&key[..key.len() - 1]));
    }

    #[test]
    fn what_is_kept_does_not_hold_the_key() {
        let (kept, key) = drawn();
        let json = serde_json::to_string(&kept).unwrap();
        assert!(!json.contains(&key[17..]));
        assert_eq!(serde_json::from_str::<ApiKey>(&json).unwrap(), kept);
    }

    #[test]
    fn a_key_is_good_for_its_workspace_or_for_all() {
        let (mut kept, _) = drawn();
        assert!(kept.reaches("acme") && !kept.reaches("other"));
        kept.workspace = None;
        assert!(kept.reaches("other"));
    }

    #[test]
    fn what_is_not_of_the_form_has_no_id() {
        for text in [
            "",
            "ohk_",
            "ohk_abc_def",
            "OHK_abcdefghijkl_0123456789abcdef0123456789abcdef",
            "ohk_abcdefghijk-_0123456789abcdef0123456789abcdef",
            "ohk_abcdefghijkl_0123456789abcdef0123456789abcdefg",
        ] {
            assert_eq!(key_id(text), None, "{text}");
        }
    }

    #[test]
    fn scopes_are_words_and_none_includes_another() {
        let scopes = Scopes::parse("keys read,read").unwrap();
        assert_eq!(scopes.to_string(), "read,keys");
        assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["read","keys"]"#);
        assert!(scopes.has(Scope::Read) && !scopes.has(Scope::Write));
        assert!(!Scopes::parse("admin").unwrap().has(Scope::Read));
        assert_eq!(Scopes::parse("read,root"), Err("root".to_owned()));
        assert_eq!(Scopes::parse(""), Ok(Scopes::default()));
    }
}
