//! JSON Web Tokens: the parts that agents' and customers' tokens share. Pure: `now_s` is handed in.
//!
//! The library's own `decode` reads the system clock, so only its signatures are used; header and times are read here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::{SigningKey, VerifyingKey};

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8192;

/// Why a token is refused. Neither code nor sentence repeats any part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("a token is needed and none was given")]
    Missing,
    #[error("this is not a token: expected three parts of base64url with dots between, at most 8192 bytes")]
    Malformed,
    #[error("the token names a key that is not configured here (kid)")]
    UnknownKid,
    #[error("the token's signature does not fit the key that it names")]
    BadSignature,
    #[error("the token has expired; get a new one")]
    Expired,
    #[error("the token is not valid yet; compare the clocks of the signer and this server")]
    NotYet,
    #[error("the sign-in that the token rests on has ended")]
    Revoked,
    #[error("the token's claim `{claim}` is missing or not allowed")]
    BadClaim { claim: &'static str },
}

impl TokenError {
    /// The stable code for the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "token_malformed",
            Self::UnknownKid => "token_unknown_kid",
            Self::BadSignature => "token_bad_signature",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet",
            Self::Revoked => "token_revoked",
            Self::BadClaim { .. } => "token_bad_claim",
        }
    }

    /// The claim at fault, where there is one.
    pub fn claim(self) -> Option<&'static str> {
        match self {
            Self::BadClaim { claim } => Some(claim),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Header<'t> {
    alg: &'t str,
    #[serde(default)]
    kid: Option<String>,
    #[serde(borrow, default)]
    crit: Option<&'t RawValue>,
}

/// A token's parts, of which nothing is believed yet.
pub(super) struct Apart<'t> {
    pub alg: String,
    pub kid: Option<String>,
    /// What is signed.
    pub message: &'t str,
    /// In base64url, and decodable.
    pub signature: &'t str,
    claims: &'t str,
}

impl Apart<'_> {
    /// The claims' JSON, an object.
    pub fn claims(&self) -> Result<Vec<u8>, TokenError> {
        object(self.claims)
    }
}

/// Checks the form alone.
pub(super) fn take_apart(token: &str, bytes_max: usize) -> Result<Apart<'_>, TokenError> {
    if token.is_empty() {
        return Err(TokenError::Missing);
    }
    if token.len() > bytes_max {
        return Err(TokenError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
    if claims.contains('.') {
        return Err(TokenError::Malformed);
    }
    let header = object(header)?;
    let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
    // RFC 7515, 4.1.11: what a token calls critical and we do not know, we must refuse; we know none.
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    decode(signature)?;
    Ok(Apart { alg: header.alg.to_owned(), kid: header.kid, message, signature, claims })
}

/// Checks form and signature; answers the claims' JSON and what `find` gave beside the key.
///
/// `find` is asked for the key by the header's kid.
pub(super) fn open<'k, K>(
    token: &str,
    find: impl FnOnce(Option<&str>) -> Option<(&'k VerifyingKey, K)>,
) -> Result<(Vec<u8>, K), TokenError> {
    let apart = take_apart(token, TOKEN_BYTES_MAX)?;
    let (key, found) = find(apart.kid.as_deref()).ok_or(TokenError::UnknownKid)?;
    if apart.alg != key.algorithm.name() {
        return Err(TokenError::BadSignature);
    }
    match jsonwebtoken::crypto::verify(apart.signature, apart.message.as_bytes(), &key.key, key.algorithm.library()) {
        Ok(true) => Ok((apart.claims()?, found)),
        Ok(false) | Err(_) => Err(TokenError::BadSignature),
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

/// Decodes a part that must be a JSON object: serde would also fill a struct from a list, field by field.
fn object(part: &str) -> Result<Vec<u8>, TokenError> {
    let json = decode(part)?;
    if json.trim_ascii_start().starts_with(b"{") { Ok(json) } else { Err(TokenError::Malformed) }
}

/// The times of a token, in seconds since 1970; they may have fractions (RFC 7519, NumericDate).
pub(super) struct Times<'c> {
    pub exp: Option<&'c serde_json::Value>,
    pub nbf: Option<&'c serde_json::Value>,
    pub iat: Option<&'c serde_json::Value>,
}

impl Times<'_> {
    /// Requires `exp`, honours `nbf` and `iat`; answers the expiry in whole seconds.
    pub fn check(&self, now_s: i64, leeway_s: i64) -> Result<i64, TokenError> {
        let exp = date(self.exp, "exp")?.ok_or(TokenError::BadClaim { claim: "exp" })?;
        if now_s >= exp.saturating_add(leeway_s) {
            return Err(TokenError::Expired);
        }
        for (value, claim) in [(self.nbf, "nbf"), (self.iat, "iat")] {
            if date(value, claim)?.is_some_and(|from| from > now_s.saturating_add(leeway_s)) {
                return Err(TokenError::NotYet);
            }
        }
        Ok(exp)
    }
}

fn date(value: Option<&serde_json::Value>, claim: &'static str) -> Result<Option<i64>, TokenError> {
    /// The last second of the year 9999: beyond it nobody means a time in seconds.
    const MAX_S: f64 = 253_402_300_799.0;
    let Some(value) = value else { return Ok(None) };
    match value.as_f64() {
        Some(seconds) if (0.0..=MAX_S).contains(&seconds) => Ok(Some(seconds.floor() as i64)),
        _ => Err(TokenError::BadClaim { claim }),
    }
}

/// Signs claims; the kid goes into the header.
pub(super) fn seal(
    claims: &impl serde::Serialize,
    kid: Option<&str>,
    key: &SigningKey,
) -> Result<String, jsonwebtoken::errors::Error> {
    let mut header = jsonwebtoken::Header::new(key.algorithm.library());
    header.kid = kid.map(str::to_owned);
    jsonwebtoken::encode(&header, claims, &key.key)
}
