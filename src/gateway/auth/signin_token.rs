//! What a sign-in leaves with a browser, and what its pages are given: the cookie of the session, the cookie that binds a sign-in under
//! way to the browser that began it, and the short-lived agent's token. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::agent_token::{self, AgentClaims, Role};
use super::keys::{Algorithm, KeyError, SigningKey, VerifyingKey};
use super::server_keys::{ServerKeys, tag};
use super::ticket::{self, TicketError};

/// A kid that no setting can have: it begins with a space.
pub(super) const SIGNIN_KID: &str = " signin";

/// Whether a sign-in that a token rests on is there still.
pub trait LiveSignins: Send + Sync + 'static {
    /// The role that it has now; `None`: it has ended, or was never this agent's.
    fn role_of(&self, signin: u128, workspace: &str, agent: &str) -> Option<Role>;
    /// Whether one may have begun elsewhere.
    fn are_shared(&self) -> bool;
    /// Waits for one that began at another node, if it did, for a bounded time.
    fn hear<'a>(&'a self, signin: u128, workspace: &'a str, agent: &'a str) -> BoxFuture<'a, ()>;
}

/// Half of a sign-in's id: what its sockets carry.
#[must_use]
pub fn mark(signin: u128) -> u64 {
    (signin as u64).max(1)
}

/// The session's cookie, `ohw1.…`. It opens nothing once the sign-in that it names has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCookie {
    pub workspace: String,
    pub agent: String,
    pub signin: u128,
    /// Seconds since 1970.
    pub expires_at_s: i64,
}

/// The cookie of a sign-in under way, `ohf1.…`: without it, what comes back from the provider is nobody's. State, nonce and PKCE's
/// verifier are derived from it and the server's key, so that nothing is stored for those who never come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCookie {
    pub workspace: String,
    pub flow: u128,
    /// Where the browser goes at the end: a path here.
    pub to: String,
    pub expires_at_s: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    w: String,
    a: String,
    s: String,
    e: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    w: String,
    f: String,
    t: String,
    e: i64,
}

impl SessionCookie {
    #[must_use]
    pub fn seal(&self, keys: &ServerKeys) -> String {
        let facts =
            Session { w: self.workspace.clone(), a: self.agent.clone(), s: hex(self.signin), e: self.expires_at_s };
        ticket::seal("ohw1", &keys.session, &facts)
    }

    /// # Errors
    /// It is not ours, or its time is over.
    pub fn open(text: &str, keys: &ServerKeys, now_s: i64) -> Result<Self, TicketError> {
        let Session { w, a, s, e } = ticket::open("ohw1", &keys.session, text)?;
        live(e, now_s)?;
        Ok(Self { workspace: w, agent: a, signin: of_hex(&s)?, expires_at_s: e })
    }
}

impl FlowCookie {
    #[must_use]
    pub fn seal(&self, keys: &ServerKeys) -> String {
        let facts = Flow { w: self.workspace.clone(), f: hex(self.flow), t: self.to.clone(), e: self.expires_at_s };
        ticket::seal("ohf1", &keys.flow, &facts)
    }

    /// # Errors
    /// It is not ours, or its time is over.
    pub fn open(text: &str, keys: &ServerKeys, now_s: i64) -> Result<Self, TicketError> {
        let Flow { w, f, t, e } = ticket::open("ohf1", &keys.flow, text)?;
        live(e, now_s)?;
        Ok(Self { workspace: w, flow: of_hex(&f)?, to: t, expires_at_s: e })
    }

    fn derived(&self, keys: &ServerKeys, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(tag(&keys.flow, &[purpose, "/", &self.workspace, "/", &hex(self.flow)]))
    }

    #[must_use]
    pub fn state(&self, keys: &ServerKeys) -> String {
        self.derived(keys, "state")
    }

    #[must_use]
    pub fn nonce(&self, keys: &ServerKeys) -> String {
        self.derived(keys, "nonce")
    }

    /// PKCE (RFC 7636): the secret, and what is said of it beforehand.
    #[must_use]
    pub fn verifier(&self, keys: &ServerKeys) -> String {
        self.derived(keys, "verifier")
    }

    #[must_use]
    pub fn challenge(&self, keys: &ServerKeys) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier(keys)))
    }
}

/// What signs the tokens of sign-ins; it outlives restarts.
pub struct SigninKey {
    secret: String,
    signing: SigningKey,
}

impl SigninKey {
    /// # Errors
    /// Its secret is no key.
    pub fn of(keys: &ServerKeys) -> Result<Self, KeyError> {
        let secret: String = keys.signin.iter().map(|byte| format!("{byte:02x}")).collect();
        let signing = SigningKey::read(Algorithm::Hs256, secret.as_bytes())?;
        Ok(Self { secret, signing })
    }

    pub(super) fn verifying(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::read(Algorithm::Hs256, self.secret.as_bytes())
    }

    /// A token that rests on the sign-in that the claims name.
    #[must_use]
    pub fn mint(&self, claims: &AgentClaims, now_s: i64) -> String {
        agent_token::mint(claims, now_s, SIGNIN_KID, &self.signing).expect("a secret signs anything")
    }
}

fn live(expires_at_s: i64, now_s: i64) -> Result<(), TicketError> {
    if now_s < expires_at_s { Ok(()) } else { Err(TicketError::Expired) }
}

pub(super) fn hex(id: u128) -> String {
    format!("{id:032x}")
}

pub(super) fn of_hex(text: &str) -> Result<u128, TicketError> {
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| plain).ok_or(TicketError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::super::agent_token::{AgentKeys, TokenError};
    use super::*;
    use std::sync::Arc;

    const NOW_S: i64 = 1_700_000_000;

    fn keys() -> ServerKeys {
        ServerKeys::derive(&[7; 32])
    }

    #[test]
    fn a_cookie_is_read_back_until_its_end_by_its_own_server_alone() {
        let cookie =
            SessionCookie { workspace: "acme".into(), agent: "ann".into(), signin: 9, expires_at_s: NOW_S + 60 };
        let text = cookie.seal(&keys());
        assert_eq!(SessionCookie::open(&text, &keys(), NOW_S), Ok(cookie));
        assert_eq!(SessionCookie::open(&text, &keys(), NOW_S + 60), Err(TicketError::Expired));
        let other = ServerKeys::derive(&[8; 32]);
        assert_eq!(SessionCookie::open(&text, &other, NOW_S), Err(TicketError::BadSignature));
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(SessionCookie::open(&changed, &keys(), NOW_S).is_err(), "{changed}");
        }
        let flow = FlowCookie { workspace: "acme".into(), flow: 9, to: "/".into(), expires_at_s: NOW_S + 60 };
        assert_eq!(SessionCookie::open(&flow.seal(&keys()), &keys(), NOW_S), Err(TicketError::Malformed));
        assert_eq!(FlowCookie::open(&flow.seal(&keys()), &keys(), NOW_S), Ok(flow));
    }

    #[test]
    fn what_is_derived_of_a_flow_is_its_own_and_one_does_not_tell_the_other() {
        let flow =
            |flow, workspace: &str| FlowCookie { workspace: workspace.into(), flow, to: "/".into(), expires_at_s: 0 };
        let one = flow(1, "a");
        let all = |cookie: &FlowCookie| [cookie.state(&keys()), cookie.nonce(&keys()), cookie.verifier(&keys())];
        let mut seen: Vec<String> = [one.clone(), flow(2, "a"), flow(1, "b")].iter().flat_map(all).collect();
        seen.push(one.challenge(&keys()));
        assert!(seen.iter().all(|text| text.len() == 43));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 10);
    }

    struct One(Option<Role>);

    impl LiveSignins for One {
        fn role_of(&self, signin: u128, workspace: &str, agent: &str) -> Option<Role> {
            self.0.filter(|_| (signin, workspace, agent) == (9, "acme", "ann"))
        }

        fn are_shared(&self) -> bool {
            false
        }

        fn hear<'a>(&'a self, _: u128, _: &'a str, _: &'a str) -> BoxFuture<'a, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn a_token_of_a_sign_in_is_good_as_long_as_that_is_and_has_its_role_of_now() {
        let key = SigninKey::of(&keys()).unwrap();
        let claims = AgentClaims {
            agent: "ann".into(),
            workspace: "acme".into(),
            role: Role::Admin,
            name: None,
            expires_at_s: NOW_S + 300,
            signin: Some(9),
        };
        let verify = |role, token: &str| {
            let agents = AgentKeys::load(&[], 0).unwrap().with_signins(&key, Arc::new(One(role))).unwrap();
            agents.verify(token, NOW_S)
        };
        let token = key.mint(&claims, NOW_S);
        assert_eq!(verify(Some(Role::Admin), &token), Ok(claims.clone()));
        assert_eq!(verify(Some(Role::Agent), &token).unwrap().role, Role::Agent);
        assert_eq!(verify(None, &token), Err(TokenError::Revoked));
        let another = AgentClaims { signin: Some(8), ..claims.clone() };
        assert_eq!(verify(Some(Role::Admin), &key.mint(&another, NOW_S)), Err(TokenError::Revoked));
        let of_none = AgentClaims { signin: None, ..claims.clone() };
        let bad = Err(TokenError::BadClaim { claim: "signin" });
        assert_eq!(verify(Some(Role::Admin), &key.mint(&of_none, NOW_S)), bad);
        let stranger = SigninKey::of(&ServerKeys::derive(&[8; 32])).unwrap();
        assert_eq!(verify(Some(Role::Admin), &stranger.mint(&claims, NOW_S)), Err(TokenError::BadSignature));
        assert_eq!(AgentKeys::load(&[], 0).unwrap().verify(&token, NOW_S), Err(TokenError::UnknownKid));
    }
}
