//! What an ID token and a logout token must and must not pass with.

use super::*;
use crate::gateway::auth::vectors::NOW_S;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::json;

const RSA: &[u8] = include_bytes!("../../../tests/keys/rs.pem");
const EC: &[u8] = include_bytes!("../../../tests/keys/es.pem");
const ISSUER: &str = "https://id.example.com";

const EXPECTED: Expected<'static> = Expected { issuer: ISSUER, client_id: "offhook", now_s: NOW_S, leeway_s: 30 };

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(RSA).unwrap()
}

fn ec() -> EncodingKey {
    EncodingKey::from_ec_pem(EC).unwrap()
}

fn published(keys: &[(&EncodingKey, Algorithm, &str)]) -> Vec<u8> {
    let keys = keys.iter().map(|(key, algorithm, kid)| {
        let mut jwk = Jwk::from_encoding_key(key, *algorithm).unwrap();
        jwk.common.key_id = Some((*kid).to_owned());
        serde_json::to_value(jwk).unwrap()
    });
    json!({ "keys": keys.collect::<Vec<_>>() }).to_string().into_bytes()
}

fn keys() -> ProviderKeys {
    ProviderKeys::read(&published(&[(&rsa(), Algorithm::RS256, "r"), (&ec(), Algorithm::ES256, "e")])).unwrap()
}

fn sign(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn by_rsa(claims: &Value) -> String {
    sign(&json!({"alg": "RS256", "kid": "r"}), claims, &rsa(), Algorithm::RS256)
}

fn good() -> Value {
    json!({"iss": ISSUER, "aud": "offhook", "sub": "u-1", "exp": NOW_S + 60, "iat": NOW_S, "nonce": "n"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

#[test]
fn a_token_of_each_kind_of_key_is_read() {
    let (subject, claims) = check(&by_rsa(&good()), &keys(), EXPECTED, "n").unwrap();
    assert_eq!((subject.as_str(), claims["aud"].as_str()), ("u-1", Some("offhook")));
    let by_ec = sign(&json!({"alg": "ES256", "kid": "e"}), &good(), &ec(), Algorithm::ES256);
    assert!(check(&by_ec, &keys(), EXPECTED, "n").is_ok());
    let no_kid = sign(&json!({"alg": "ES256"}), &good(), &ec(), Algorithm::ES256);
    assert!(check(&no_kid, &keys(), EXPECTED, "n").is_ok());
}

#[test]
fn a_token_never_chooses_how_it_is_checked() {
    let refused = |header: Value, key: &EncodingKey, algorithm| {
        check(&sign(&header, &good(), key, algorithm), &keys(), EXPECTED, "n").unwrap_err()
    };
    let secret = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
    for alg in ["none", "None", "HS256", "HS512", "RS1", ""] {
        let error = refused(json!({"alg": alg, "kid": "r"}), &secret, Algorithm::HS256);
        assert_eq!(error, TokenError::BadSignature, "{alg}");
    }
    // Its public key as a secret, which is published.
    let public = EncodingKey::from_secret(include_bytes!("../../../tests/keys/rs.pub"));
    assert_eq!(refused(json!({"alg": "HS256", "kid": "r"}), &public, Algorithm::HS256), TokenError::BadSignature);
    // Signed by one and named after the other.
    assert_eq!(refused(json!({"alg": "ES256", "kid": "r"}), &ec(), Algorithm::ES256), TokenError::BadSignature);
    assert_eq!(refused(json!({"alg": "RS256", "kid": "e"}), &rsa(), Algorithm::RS256), TokenError::BadSignature);
    // A key that says which algorithm it is for is for no other.
    assert_eq!(refused(json!({"alg": "RS512", "kid": "r"}), &rsa(), Algorithm::RS512), TokenError::BadSignature);
    assert_eq!(refused(json!({"alg": "RS256", "kid": "new"}), &rsa(), Algorithm::RS256), TokenError::UnknownKid);
    let critical = json!({"alg": "RS256", "kid": "r", "crit": ["b64"], "b64": false});
    assert_eq!(refused(critical, &rsa(), Algorithm::RS256), TokenError::Malformed);
    let unsigned = by_rsa(&good()).rsplit_once('.').map(|(message, _)| format!("{message}.")).unwrap();
    assert_eq!(check(&unsigned, &keys(), EXPECTED, "n").unwrap_err(), TokenError::BadSignature);
}

#[test]
fn each_claim_is_held_to_what_is_expected() {
    let refused = |claims: Value| check(&by_rsa(&claims), &keys(), EXPECTED, "n").unwrap_err();
    for (claim, value) in [
        ("iss", json!("https://id.example.com/")),
        ("iss", json!(7)),
        ("aud", json!("another")),
        ("aud", json!(["another", "third"])),
        ("aud", json!([])),
        ("azp", json!("another")),
        ("nonce", json!("m")),
        ("nonce", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(256))),
        ("exp", json!("soon")),
    ] {
        assert_eq!(refused(with(claim, value.clone())), TokenError::BadClaim { claim }, "{claim}: {value}");
    }
    // Several audiences, of which we are one, and nobody says who asked for it.
    assert_eq!(refused(with("aud", json!(["offhook", "b"]))), TokenError::BadClaim { claim: "azp" });
    let mut both = with("aud", json!(["offhook", "b"]));
    both["azp"] = json!("offhook");
    assert!(check(&by_rsa(&both), &keys(), EXPECTED, "n").is_ok());
    assert_eq!(refused(with("exp", json!(NOW_S - 31))), TokenError::Expired);
    assert_eq!(refused(with("iat", json!(NOW_S + 31))), TokenError::NotYet);
    assert_eq!(refused(with("nbf", json!(NOW_S + 31))), TokenError::NotYet);
    let mut endless = good();
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(refused(endless), TokenError::BadClaim { claim: "exp" });
    assert_eq!(check("", &keys(), EXPECTED, "n").unwrap_err(), TokenError::Missing);
    assert_eq!(check(&"a".repeat(40_000), &keys(), EXPECTED, "n").unwrap_err(), TokenError::Malformed);
}

#[test]
fn keys_that_are_of_no_use_are_passed_over() {
    let mut set: Value = serde_json::from_slice(&published(&[(&rsa(), Algorithm::RS256, "r")])).unwrap();
    let list = set["keys"].as_array_mut().unwrap();
    let mut encrypting = list[0].clone();
    encrypting["use"] = json!("enc");
    list[0] = encrypting;
    list.push(json!({"kty": "oct", "k": "c2VjcmV0", "kid": "s"}));
    list.push(json!({"kty": "unheard of"}));
    list.push(json!(7));
    assert!(ProviderKeys::read(set.to_string().as_bytes()).unwrap().is_empty());
    assert!(ProviderKeys::read(b"{}").is_none() && ProviderKeys::read(b"[").is_none());
    let many = json!({ "keys": vec![json!({"kty": "oct", "k": ""}); KEYS_MAX + 1] });
    assert!(ProviderKeys::read(many.to_string().as_bytes()).is_none());
}

#[test]
fn a_logout_token_ends_the_sessions_of_a_subject_or_one_and_an_id_token_is_none() {
    let logout = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({"iss": ISSUER, "aud": "offhook", "iat": NOW_S, "jti": "1", "sub": "u-1", "sid": "s",
            "events": {LOGOUT_EVENT: {}}});
        change(&mut claims);
        check_logout(&by_rsa(&claims), &keys(), EXPECTED)
    };
    let both = Logout { subject: Some("u-1".to_owned()), sid: Some("s".to_owned()), issued_at_s: NOW_S };
    assert_eq!(logout(&|_| {}), Ok(both));
    let bad = |claim| Err(TokenError::BadClaim { claim });
    assert_eq!(logout(&|claims| claims["events"] = json!({})), bad("events"));
    assert_eq!(logout(&|claims| claims["nonce"] = json!("n")), bad("nonce"));
    assert_eq!(logout(&|claims| claims["aud"] = json!("another")), bad("aud"));
    assert_eq!(logout(&|claims| claims["iat"] = json!(NOW_S - 331)), Err(TokenError::Expired));
    assert_eq!(logout(&|claims| claims["exp"] = json!(NOW_S - 31)), Err(TokenError::Expired));
    let nobody = |claims: &mut Value| {
        claims.as_object_mut().unwrap().retain(|name, _| name != "sub" && name != "sid");
    };
    assert_eq!(logout(&nobody), bad("sub"));
    assert_eq!(check_logout(&by_rsa(&good()), &keys(), EXPECTED), bad("events"));
}
