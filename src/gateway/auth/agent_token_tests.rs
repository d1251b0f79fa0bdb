//! What agents' tokens must and must not pass with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::gateway::auth::keys::Algorithm;
use crate::gateway::auth::vectors::{NOW_S, P384_PUBLIC, PAIRS, SECRET};

fn setting(dir: &tempfile::TempDir, kid: &str, algorithm: Algorithm, bytes: &[u8]) -> KeySettings {
    let file = dir.path().join(format!("{kid}.key"));
    std::fs::write(&file, bytes).unwrap();
    KeySettings { kid: kid.to_owned(), algorithm, file, workspace: None }
}

fn keys_with_a_secret() -> AgentKeys {
    let dir = tempfile::tempdir().unwrap();
    AgentKeys::load(&[setting(&dir, "k", Algorithm::Hs256, SECRET)], 30).unwrap()
}

fn ann() -> AgentClaims {
    AgentClaims {
        agent: "ann".to_owned(),
        workspace: "acme".to_owned(),
        role: Role::Supervisor,
        name: Some("Ann".to_owned()),
        expires_at_s: NOW_S + 60,
        signin: None,
    }
}

fn signed(claims: &Value) -> String {
    jwt::seal(claims, Some("k"), &SigningKey::read(Algorithm::Hs256, SECRET).unwrap()).unwrap()
}

fn signed_with_header(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
    let tag = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{message}.{tag}")
}

fn good() -> Value {
    json!({ "sub": "ann", "workspace": "acme", "exp": NOW_S + 60 })
}

#[test]
fn a_token_of_each_algorithm_is_read_back_and_fails_with_one_bit_changed() {
    for (algorithm, private, public) in PAIRS {
        let dir = tempfile::tempdir().unwrap();
        let keys = AgentKeys::load(&[setting(&dir, "k", algorithm, public)], 30).unwrap();
        let token = mint(&ann(), NOW_S, "k", &SigningKey::read(algorithm, private).unwrap()).unwrap();
        assert_eq!(keys.verify(&token, NOW_S), Ok(ann()), "{algorithm:?}");
        let (message, tag) = token.rsplit_once('.').unwrap();
        let first = if tag.starts_with('A') { 'B' } else { 'A' };
        let forged = format!("{message}.{first}{}", &tag[1..]);
        assert_eq!(keys.verify(&forged, NOW_S), Err(TokenError::BadSignature), "{algorithm:?}");
    }
}

#[test]
fn what_is_not_a_token_is_told_apart() {
    let keys = keys_with_a_secret();
    assert_eq!(keys.verify("", NOW_S), Err(TokenError::Missing));
    let long = "a".repeat(jwt::TOKEN_BYTES_MAX + 1);
    for text in ["a", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.", &long] {
        assert_eq!(keys.verify(text, NOW_S), Err(TokenError::Malformed), "{text}");
    }
}

#[test]
fn the_header_never_chooses_the_algorithm() {
    let keys = keys_with_a_secret();
    for alg in ["none", "HS384", "RS256"] {
        let token = signed_with_header(&json!({ "alg": alg, "kid": "k" }), &good());
        assert_eq!(keys.verify(&token, NOW_S), Err(TokenError::BadSignature), "{alg}");
    }
    // The classic: a public key used as an HMAC secret.
    let (_, _, public) = PAIRS[1];
    let dir = tempfile::tempdir().unwrap();
    let keys = AgentKeys::load(&[setting(&dir, "k", Algorithm::Rs256, public)], 30).unwrap();
    let secret = jsonwebtoken::EncodingKey::from_secret(public);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some("k".to_owned());
    let token = jsonwebtoken::encode(&header, &good(), &secret).unwrap();
    assert_eq!(keys.verify(&token, NOW_S), Err(TokenError::BadSignature));
}

#[test]
fn a_token_without_a_known_kid_or_with_critical_headers_is_refused() {
    let keys = keys_with_a_secret();
    for header in [json!({ "alg": "HS256" }), json!({ "alg": "HS256", "kid": "other" })] {
        assert_eq!(keys.verify(&signed_with_header(&header, &good()), NOW_S), Err(TokenError::UnknownKid));
    }
    let header = json!({ "alg": "HS256", "kid": "k", "crit": ["b64"] });
    assert_eq!(keys.verify(&signed_with_header(&header, &good()), NOW_S), Err(TokenError::Malformed));
}

#[test]
fn times_are_judged_with_leeway_by_the_clock_that_is_handed_in() {
    let keys = keys_with_a_secret();
    let token =
        signed(&json!({ "sub": "a", "workspace": "w", "exp": NOW_S, "nbf": NOW_S - 50, "iat": NOW_S as f64 - 50.5 }));
    assert!(keys.verify(&token, NOW_S + 29).is_ok());
    assert_eq!(keys.verify(&token, NOW_S + 30), Err(TokenError::Expired));
    assert!(keys.verify(&token, NOW_S - 80).is_ok());
    assert_eq!(keys.verify(&token, NOW_S - 81), Err(TokenError::NotYet));
    let issued_later = signed(&json!({ "sub": "a", "workspace": "w", "exp": NOW_S + 99, "iat": NOW_S + 31 }));
    assert_eq!(keys.verify(&issued_later, NOW_S), Err(TokenError::NotYet));
}

#[test]
fn each_claim_is_checked_and_named() {
    let keys = keys_with_a_secret();
    let long = "x".repeat(129);
    for (claim, value) in [
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!(long)),
        ("sub", json!("a\nb")),
        ("sub", Value::Null),
        ("workspace", json!("Not A Slug")),
        ("workspace", Value::Null),
        ("role", json!("owner")),
        ("name", json!(long)),
        ("name", json!(7)),
        ("exp", Value::Null),
        ("exp", json!("soon")),
        ("exp", json!(1e300)),
        ("exp", json!(-1)),
        ("nbf", json!("now")),
        ("iat", json!([])),
    ] {
        let mut claims = good();
        claims[claim] = value.clone();
        let found = keys.verify(&signed(&claims), NOW_S);
        assert_eq!(found, Err(TokenError::BadClaim { claim }), "{claim} = {value}");
    }
    assert_eq!(keys.verify(&signed(&json!([1])), NOW_S), Err(TokenError::Malformed));
}

#[test]
fn the_role_is_agent_unless_said_otherwise() {
    let claims = keys_with_a_secret().verify(&signed(&good()), NOW_S).unwrap();
    assert_eq!((claims.role, claims.name), (Role::Agent, None));
}

#[test]
fn a_key_bound_to_a_workspace_is_good_for_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut bound = setting(&dir, "k", Algorithm::Hs256, SECRET);
    bound.workspace = Some("other".to_owned());
    let keys = AgentKeys::load(&[bound], 30).unwrap();
    assert_eq!(keys.verify(&signed(&good()), NOW_S), Err(TokenError::BadClaim { claim: "workspace" }));
}

#[test]
fn keys_rotate_by_kid_and_a_bad_reload_keeps_the_live_ones() {
    let dir = tempfile::tempdir().unwrap();
    let other = b"ffffffffffffffffffffffffffffffff";
    let old = setting(&dir, "k", Algorithm::Hs256, SECRET);
    let new = setting(&dir, "new", Algorithm::Hs256, other);
    let keys = AgentKeys::load(&[old.clone(), new.clone()], 30).unwrap();
    let by_new = mint(&ann(), NOW_S, "new", &SigningKey::read(Algorithm::Hs256, other).unwrap()).unwrap();
    assert!(keys.verify(&signed(&good()), NOW_S).is_ok() && keys.verify(&by_new, NOW_S).is_ok());

    std::fs::write(&new.file, "short").unwrap();
    assert!(keys.reload().is_err());
    assert!(keys.verify(&by_new, NOW_S).is_ok(), "a bad reload changes nothing");

    std::fs::write(&new.file, [b'z'; 32]).unwrap();
    assert_eq!(keys.reload().unwrap(), 2);
    assert_eq!(keys.verify(&by_new, NOW_S), Err(TokenError::BadSignature));
    assert!(matches!(AgentKeys::load(&[old.clone(), old], 30), Err(KeyError::SameKid { .. })));
}

#[test]
fn a_key_that_could_never_verify_is_refused_when_it_is_loaded() {
    let (_, private, public) = PAIRS[2];
    let read = VerifyingKey::read;
    assert!(matches!(read(Algorithm::Hs256, b"short"), Err(KeyError::ShortSecret)));
    assert!(matches!(read(Algorithm::Hs256, public), Err(KeyError::PemAsSecret)));
    assert!(matches!(read(Algorithm::Es256, private), Err(KeyError::PrivateGiven)));
    assert!(matches!(read(Algorithm::Rs256, public), Err(KeyError::NotAKey { .. })));
    assert!(matches!(read(Algorithm::EdDsa, b"rubbish"), Err(KeyError::NotAKey { .. })));
    assert!(matches!(read(Algorithm::Es256, P384_PUBLIC), Err(KeyError::NotAKey { .. })));
}

#[test]
fn no_error_repeats_the_token() {
    let keys = keys_with_a_secret();
    for token in ["abc.def.ghi", &signed(&json!({ "sub": "secret-sub" }))] {
        let error = keys.verify(token, NOW_S).unwrap_err();
        let shown = format!("{error} {error:?} {}", error.code());
        assert!(!token.split('.').any(|part| shown.contains(part)) && !shown.contains("secret-sub"), "{shown}");
    }
}
