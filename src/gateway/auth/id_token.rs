//! What an OpenID provider signs: ID tokens and logout tokens, checked against the keys that it publishes. Pure: keys, times and what is
//! expected are handed in.
//!
//! As with our own keys, a token never chooses how it is checked: the key says which algorithms fit it, and none of them is a shared
//! secret or `none`.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::is_external_id;
use super::jwt::{self, Times, TokenError};

/// Longer than our own: providers put groups into them.
pub const ID_TOKEN_BYTES_MAX: usize = 32 * 1024;
/// Of a provider that is asked for.
const KEYS_MAX: usize = 100;
/// OpenID Connect Core, 2.
const SUBJECT_BYTES_MAX: usize = 255;
/// A logout token without an end is good for so long.
const LOGOUT_LIFE_S: i64 = 300;
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

pub type Claims = Map<String, Value>;

struct ProviderKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// The keys that a provider publishes, as far as they are of use here.
pub struct ProviderKeys(Vec<ProviderKey>);

impl ProviderKeys {
    /// Reads a JSON Web Key Set. Keys for other uses and of other kinds are passed over; `None` for what is no set, or a huge one.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let set: Value = serde_json::from_slice(json).ok()?;
        let keys = set.get("keys")?.as_array().filter(|keys| keys.len() <= KEYS_MAX)?;
        let usable = keys.iter().filter_map(|key| usable(serde_json::from_value(key.clone()).ok()?));
        Some(Self(usable.collect()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn usable(jwk: Jwk) -> Option<ProviderKey> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    if jwk.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
        return None;
    }
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P256 => vec![ES256],
        AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P384 => vec![ES384],
        AlgorithmParameters::OctetKeyPair(of) if of.curve == EllipticCurve::Ed25519 => vec![EdDSA],
        _ => return None,
    };
    if let Some(only) = jwk.common.key_algorithm {
        algorithms.retain(|algorithm| Algorithm::try_from(only) == Ok(*algorithm));
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    (!algorithms.is_empty()).then_some(ProviderKey { kid: jwk.common.key_id, algorithms, key })
}

/// What a token is to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub now_s: i64,
    pub leeway_s: i64,
}

/// Checks an ID token (OpenID Connect Core, 3.1.3.7); answers its subject and all its claims.
///
/// # Errors
/// `UnknownKid` where the provider may have a newer key; any other is final.
pub fn check(
    token: &str,
    keys: &ProviderKeys,
    expected: Expected<'_>,
    nonce: &str,
) -> Result<(String, Claims), TokenError> {
    let claims = signed(token, keys)?;
    let times = Times { exp: claims.get("exp"), nbf: claims.get("nbf"), iat: claims.get("iat") };
    times.check(expected.now_s, expected.leeway_s)?;
    meant_for_us(&claims, expected)?;
    let same: bool = text(&claims, "nonce").unwrap_or_default().as_bytes().ct_eq(nonce.as_bytes()).into();
    if !same {
        return Err(TokenError::BadClaim { claim: "nonce" });
    }
    let subject = subject(&claims)?.ok_or(TokenError::BadClaim { claim: "sub" })?;
    Ok((subject, claims))
}

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logout {
    pub subject: Option<String>,
    pub sid: Option<String>,
    /// Those that began later are others.
    pub issued_at_s: i64,
}

/// Checks a logout token (OpenID Connect Back-Channel Logout, 2.6).
///
/// # Errors
/// As `check`.
pub fn check_logout(token: &str, keys: &ProviderKeys, expected: Expected<'_>) -> Result<Logout, TokenError> {
    let bad = |claim| TokenError::BadClaim { claim };
    let claims = signed(token, keys)?;
    let issued_at_s = claims.get("iat").and_then(Value::as_f64).ok_or(bad("iat"))? as i64;
    let end = Value::from(issued_at_s.saturating_add(LOGOUT_LIFE_S));
    let times = Times { exp: claims.get("exp").or(Some(&end)), nbf: claims.get("nbf"), iat: claims.get("iat") };
    times.check(expected.now_s, expected.leeway_s)?;
    meant_for_us(&claims, expected)?;
    if !claims.get("events").and_then(|events| events.get(LOGOUT_EVENT)).is_some_and(Value::is_object) {
        return Err(bad("events"));
    }
    // An ID token must not pass for one.
    if claims.contains_key("nonce") {
        return Err(bad("nonce"));
    }
    let (subject, sid) = (subject(&claims)?, text(&claims, "sid").map(str::to_owned));
    if subject.is_none() && sid.is_none() {
        return Err(bad("sub"));
    }
    Ok(Logout { subject, sid, issued_at_s })
}

fn signed(token: &str, keys: &ProviderKeys) -> Result<Claims, TokenError> {
    let apart = jwt::take_apart(token, ID_TOKEN_BYTES_MAX)?;
    let algorithm: Algorithm = apart.alg.parse().map_err(|_| TokenError::BadSignature)?;
    let named = |key: &&ProviderKey| apart.kid.is_none() || key.kid == apart.kid;
    if !keys.0.iter().any(|key| named(&key)) {
        return Err(TokenError::UnknownKid);
    }
    let fitting = keys.0.iter().filter(named).filter(|key| key.algorithms.contains(&algorithm));
    let message = apart.message.as_bytes();
    let is_by = |key: &ProviderKey| {
        matches!(jsonwebtoken::crypto::verify(apart.signature, message, &key.key, algorithm), Ok(true))
    };
    if !fitting.into_iter().any(is_by) {
        return Err(TokenError::BadSignature);
    }
    serde_json::from_slice(&apart.claims()?).map_err(|_| TokenError::Malformed)
}

fn meant_for_us(claims: &Claims, expected: Expected<'_>) -> Result<(), TokenError> {
    let bad = |claim| Err(TokenError::BadClaim { claim });
    if text(claims, "iss") != Some(expected.issuer) {
        return bad("iss");
    }
    let ours = |value: &Value| value.as_str() == Some(expected.client_id);
    let (is_ours, several) = match claims.get("aud") {
        Some(Value::Array(list)) => (list.iter().any(ours), list.len() > 1),
        Some(one) => (ours(one), false),
        None => (false, false),
    };
    if !is_ours {
        return bad("aud");
    }
    match claims.get("azp") {
        Some(party) if !ours(party) => bad("azp"),
        None if several => bad("azp"),
        _ => Ok(()),
    }
}

fn subject(claims: &Claims) -> Result<Option<String>, TokenError> {
    match claims.get("sub") {
        None => Ok(None),
        Some(Value::String(subject)) if is_external_id(subject, SUBJECT_BYTES_MAX) => Ok(Some(subject.clone())),
        Some(_) => Err(TokenError::BadClaim { claim: "sub" }),
    }
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
