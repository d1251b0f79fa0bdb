//! Customers' tokens: JWTs with which the user's own backend says who writes. Pure.
//!
//! Each workspace has keys of its own, so that one tenant can never speak for another's customers.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::agent_token::text;
use super::jwt::{self, Times, TokenError};
use super::keys::{Algorithm, KeyError, SigningKey, VerifyingKey, check_kid};
use super::{is_external_id, is_name};

/// A page holds this token, so its life is short: at most so far ahead may `exp` lie.
pub const LIFE_S_MAX: i64 = 24 * 3600;
pub const CUSTOMER_ID_BYTES_MAX: usize = 256;
pub const ATTRIBUTES_BYTES_MAX: usize = 4096;
const EMAIL_BYTES_MAX: usize = 254;

/// One key of a workspace, as its settings hold it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerKeySettings {
    pub kid: String,
    pub algorithm: Algorithm,
    /// A public key in PEM, or for HS256 the secret itself.
    pub key: String,
}

/// Written by hand so that no log shows the key.
impl std::fmt::Debug for CustomerKeySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CustomerKeySettings {{ kid: {:?}, algorithm: {:?} }}", self.kid, self.algorithm)
    }
}

/// Who a good token says its bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerClaims {
    /// The customer's id in the user's own system.
    pub customer: String,
    pub name: Option<String>,
    pub email: Option<String>,
    /// A JSON object as text, at most 4 KiB.
    pub attributes: Option<String>,
    pub expires_at_s: i64,
    /// What a sign-out is compared with; `None` when the token does not say.
    pub issued_at_s: Option<i64>,
}

/// The keys of one workspace.
pub struct CustomerKeys {
    by_kid: HashMap<String, VerifyingKey>,
}

/// Whole seconds; RFC 7519 allows a fraction.
fn seconds(claim: &serde_json::Value) -> Option<i64> {
    claim.as_i64().or_else(|| claim.as_f64().map(|seconds| seconds.floor() as i64))
}

#[derive(Deserialize)]
struct Claims<'t> {
    #[serde(default)]
    sub: Option<serde_json::Value>,
    #[serde(default)]
    name: Option<serde_json::Value>,
    #[serde(default)]
    email: Option<serde_json::Value>,
    #[serde(borrow, default)]
    attributes: Option<&'t RawValue>,
    #[serde(default)]
    exp: Option<serde_json::Value>,
    #[serde(default)]
    nbf: Option<serde_json::Value>,
    #[serde(default)]
    iat: Option<serde_json::Value>,
}

impl CustomerKeys {
    /// Errors name the kid.
    pub fn from_list(list: &[CustomerKeySettings]) -> Result<Self, KeyError> {
        let mut by_kid = HashMap::with_capacity(list.len());
        for setting in list {
            check_kid(&setting.kid)?;
            let key = VerifyingKey::read(setting.algorithm, setting.key.trim_end().as_bytes())?;
            if by_kid.insert(setting.kid.clone(), key).is_some() {
                return Err(KeyError::SameKid { kid: setting.kid.clone() });
            }
        }
        Ok(Self { by_kid })
    }

    /// Who the bearer of this token is. A token without a kid is tried with the only key, if there is only one.
    pub fn verify(&self, token: &str, now_s: i64, leeway_s: i64) -> Result<CustomerClaims, TokenError> {
        let (json, ()) = jwt::open(token, |kid| {
            let key = match kid {
                Some(kid) => self.by_kid.get(kid),
                None if self.by_kid.len() == 1 => self.by_kid.values().next(),
                None => None,
            };
            Some((key?, ()))
        })?;
        let claims: Claims<'_> = serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)?;
        let bad = |claim| TokenError::BadClaim { claim };
        let times = Times { exp: claims.exp.as_ref(), nbf: claims.nbf.as_ref(), iat: claims.iat.as_ref() };
        let expires_at_s = times.check(now_s, leeway_s)?;
        if expires_at_s > now_s.saturating_add(LIFE_S_MAX + leeway_s) {
            return Err(bad("exp"));
        }
        let customer = text(claims.sub).filter(|sub| is_external_id(sub, CUSTOMER_ID_BYTES_MAX)).ok_or(bad("sub"))?;
        let optional = |value: Option<serde_json::Value>, bytes_max, claim| match value {
            None => Ok(None),
            given => text(given).filter(|text| is_name(text, bytes_max)).map(Some).ok_or(bad(claim)),
        };
        let name = optional(claims.name, CUSTOMER_ID_BYTES_MAX, "name")?;
        let email = optional(claims.email, EMAIL_BYTES_MAX, "email")?;
        let attributes = match claims.attributes.map(RawValue::get) {
            None => None,
            Some(json) if json.starts_with('{') && json.len() <= ATTRIBUTES_BYTES_MAX => Some(json.to_owned()),
            Some(_) => return Err(bad("attributes")),
        };
        Ok(CustomerClaims {
            customer,
            name,
            email,
            attributes,
            expires_at_s,
            issued_at_s: claims.iat.as_ref().and_then(seconds),
        })
    }
}

/// Signs a token that says these claims: for `offhook token --customer` and for tests.
pub fn mint(
    claims: &CustomerClaims,
    now_s: i64,
    kid: Option<&str>,
    key: &SigningKey,
) -> Result<String, jsonwebtoken::errors::Error> {
    #[derive(Serialize)]
    struct Minted<'c> {
        sub: &'c str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'c str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'c str>,
        iat: i64,
        exp: i64,
    }
    let minted = Minted {
        sub: &claims.customer,
        name: claims.name.as_deref(),
        email: claims.email.as_deref(),
        iat: now_s,
        exp: claims.expires_at_s,
    };
    jwt::seal(&minted, kid, key)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::auth::vectors::{NOW_S, PAIRS, SECRET};

    fn keys(count: usize) -> CustomerKeys {
        let list: Vec<_> = (0..count)
            .map(|number| CustomerKeySettings {
                kid: format!("k{number}"),
                algorithm: Algorithm::Hs256,
                key: String::from_utf8(SECRET.to_vec()).unwrap(),
            })
            .collect();
        CustomerKeys::from_list(&list).unwrap()
    }

    fn signed(claims: &Value, kid: Option<&str>) -> String {
        jwt::seal(claims, kid, &SigningKey::read(Algorithm::Hs256, SECRET).unwrap()).unwrap()
    }

    fn good() -> Value {
        json!({ "sub": "c-1", "exp": NOW_S + 60 })
    }

    #[test]
    fn a_token_of_each_algorithm_is_read_back() {
        for (algorithm, private, public) in PAIRS {
            let key = String::from_utf8(public.to_vec()).unwrap();
            let list = [CustomerKeySettings { kid: "k".to_owned(), algorithm, key }];
            let claims = CustomerClaims {
                customer: "c-1".to_owned(),
                name: Some("Kim".to_owned()),
                email: Some("kim@example.com".to_owned()),
                attributes: None,
                expires_at_s: NOW_S + 60,
                issued_at_s: Some(NOW_S),
            };
            let key = SigningKey::read(algorithm, private).unwrap();
            let token = mint(&claims, NOW_S, Some("k"), &key).unwrap();
            assert_eq!(CustomerKeys::from_list(&list).unwrap().verify(&token, NOW_S, 0), Ok(claims));
        }
    }

    #[test]
    fn a_token_without_a_kid_is_good_only_where_there_is_one_key() {
        let token = signed(&good(), None);
        assert!(keys(1).verify(&token, NOW_S, 0).is_ok());
        assert_eq!(keys(2).verify(&token, NOW_S, 0), Err(TokenError::UnknownKid));
        assert_eq!(keys(0).verify(&token, NOW_S, 0), Err(TokenError::UnknownKid));
    }

    #[test]
    fn a_token_that_lives_longer_than_a_day_is_refused_and_the_claim_named() {
        let until = |exp| signed(&json!({ "sub": "c", "exp": exp }), Some("k0"));
        assert!(keys(1).verify(&until(NOW_S + LIFE_S_MAX), NOW_S, 0).is_ok());
        let longer = keys(1).verify(&until(NOW_S + LIFE_S_MAX + 1), NOW_S, 0);
        assert_eq!(longer, Err(TokenError::BadClaim { claim: "exp" }));
        assert_eq!(keys(1).verify(&until(NOW_S), NOW_S, 0), Err(TokenError::Expired));
    }

    #[test]
    fn each_claim_is_checked_and_named() {
        for (claim, value) in [
            ("sub", json!("x".repeat(257))),
            ("sub", Value::Null),
            ("exp", Value::Null),
            ("name", json!("a\u{7}")),
            ("email", json!("x".repeat(255))),
            ("attributes", json!([1])),
            ("attributes", json!({ "a": "x".repeat(4096) })),
        ] {
            let mut claims = good();
            claims[claim] = value;
            let found = keys(1).verify(&signed(&claims, Some("k0")), NOW_S, 0);
            assert_eq!(found, Err(TokenError::BadClaim { claim }));
        }
    }

    #[test]
    fn attributes_are_kept_as_the_json_that_was_signed() {
        let mut claims = good();
        claims["attributes"] = json!({ "plan": "gold" });
        let found = keys(1).verify(&signed(&claims, Some("k0")), NOW_S, 0).unwrap();
        assert_eq!(found.attributes.as_deref(), Some(r#"{"plan":"gold"}"#));
    }

    #[test]
    fn no_log_shows_a_key() {
        let setting =
            CustomerKeySettings { kid: "k".to_owned(), algorithm: Algorithm::Hs256, key: "hidden".to_owned() };
        assert!(!format!("{setting:?}").contains("hidden"));
    }
}
