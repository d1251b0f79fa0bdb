//! Agents' tokens: JWTs signed by the user's own backend with one of the configured keys. Pure but for loading the keys.
//!
//! Several keys are live at once and a token names its own by `kid`: to rotate, add the new key, reload, sign with it, and
//! take the old one out when its last token has expired.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

pub use super::jwt::TokenError;
use super::jwt::{self, Times};
use super::keys::{KeyError, KeySettings, SigningKey, VerifyingKey, read_key_file};
use super::probe_keys::{PROBE_KID, ProbeKeys};
use super::signin_token::{LiveSignins, SIGNIN_KID, SigninKey, hex, of_hex};
use super::{is_external_id, is_name, is_workspace};

/// The longest agent's external id and name.
pub const AGENT_ID_BYTES_MAX: usize = 128;

use crate::engine::workspace::PROBES;

pub use crate::desk::settings::Role;

/// Who a good token says its bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentClaims {
    /// The agent's id in the user's own system.
    pub agent: String,
    pub workspace: String,
    pub role: Role,
    pub name: Option<String>,
    /// Seconds since 1970.
    pub expires_at_s: i64,
    /// The sign-in that the token rests on: it is good no longer than that. `None`: it stands by itself.
    pub signin: Option<u128>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Option<serde_json::Value>,
    #[serde(default)]
    workspace: Option<serde_json::Value>,
    #[serde(default)]
    role: Option<serde_json::Value>,
    #[serde(default)]
    name: Option<serde_json::Value>,
    #[serde(default)]
    exp: Option<serde_json::Value>,
    #[serde(default)]
    nbf: Option<serde_json::Value>,
    #[serde(default)]
    iat: Option<serde_json::Value>,
    #[serde(default)]
    signin: Option<serde_json::Value>,
}

/// What else a token must agree with, by the key that it names.
enum Rests<'k> {
    OnItself {
        workspace: Option<&'k str>,
    },
    /// On one of these.
    OnSignin(&'k dyn LiveSignins),
}

struct AgentKey {
    key: VerifyingKey,
    /// If set, the only workspace that this key's tokens are good for.
    workspace: Option<String>,
}

type KeySet = HashMap<String, AgentKey>;

/// The live set of keys, replaced as a whole by [`AgentKeys::reload`].
pub struct AgentKeys {
    settings: Vec<KeySettings>,
    leeway_s: i64,
    live: ArcSwap<KeySet>,
    /// Of the server's own probe; good for its workspace alone.
    probe: Option<VerifyingKey>,
    /// Of sign-ins, and which of those there are.
    signins: Option<(VerifyingKey, Arc<dyn LiveSignins>)>,
}

impl AgentKeys {
    /// Reads every key file. Errors name the kid and the file.
    pub fn load(settings: &[KeySettings], leeway_s: i64) -> Result<Self, KeyError> {
        let live = ArcSwap::from_pointee(read_all(settings)?);
        Ok(Self { settings: settings.to_vec(), leeway_s, live, probe: None, signins: None })
    }

    /// Those, and the probe's own.
    ///
    /// # Errors
    /// Its secret is no key.
    pub fn with_probe(self, keys: &ProbeKeys) -> Result<Self, KeyError> {
        Ok(Self { probe: Some(keys.of_agents()?), ..self })
    }

    /// Those, and tokens that rest on a sign-in.
    ///
    /// # Errors
    /// Its secret is no key.
    pub fn with_signins(self, key: &SigninKey, signins: Arc<dyn LiveSignins>) -> Result<Self, KeyError> {
        Ok(Self { signins: Some((key.verifying()?, signins)), ..self })
    }

    /// Reads the same files again; on an error the keys that were live stay live. Answers how many there are.
    pub fn reload(&self) -> Result<usize, KeyError> {
        let keys = read_all(&self.settings)?;
        let count = keys.len();
        self.live.store(Arc::new(keys));
        Ok(count)
    }

    /// For how long after its end a token is still taken.
    pub fn leeway_s(&self) -> i64 {
        self.leeway_s
    }

    /// Where this token rests on a sign-in that began at another node, and that this one has not heard of yet: waits for it.
    pub async fn hear(&self, token: &str, now_s: i64) {
        let Some((key, signins)) = self.signins.as_ref().filter(|(_, signins)| signins.are_shared()) else { return };
        let of_signins = |kid: Option<&str>| (kid == Some(SIGNIN_KID)).then_some((key, ()));
        let Ok((json, ())) = jwt::open(token, of_signins) else { return };
        let Ok(Claims { sub, workspace, signin, exp, .. }) = serde_json::from_slice(&json) else { return };
        if (Times { exp: exp.as_ref(), nbf: None, iat: None }).check(now_s, self.leeway_s).is_err() {
            return;
        }
        if let (Some(agent), Some(workspace), Some(Ok(id))) =
            (text(sub), text(workspace), text(signin).map(|id| of_hex(&id)))
        {
            signins.hear(id, &workspace, &agent).await;
        }
    }

    /// Who the bearer of this token is.
    pub fn verify(&self, token: &str, now_s: i64) -> Result<AgentClaims, TokenError> {
        let live = self.live.load();
        let (json, rests) = jwt::open(token, |kid| match kid? {
            PROBE_KID => Some((self.probe.as_ref()?, Rests::OnItself { workspace: Some(PROBES) })),
            SIGNIN_KID => self.signins.as_ref().map(|(key, signins)| (key, Rests::OnSignin(&**signins))),
            kid => {
                let found = live.get(kid)?;
                Some((&found.key, Rests::OnItself { workspace: found.workspace.as_deref() }))
            }
        })?;
        let claims: Claims = serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)?;
        let bad = |claim| TokenError::BadClaim { claim };
        let times = Times { exp: claims.exp.as_ref(), nbf: claims.nbf.as_ref(), iat: claims.iat.as_ref() };
        let expires_at_s = times.check(now_s, self.leeway_s)?;
        let agent = text(claims.sub).filter(|sub| is_external_id(sub, AGENT_ID_BYTES_MAX)).ok_or(bad("sub"))?;
        let workspace = text(claims.workspace)
            .filter(|name| match rests {
                Rests::OnItself { workspace: Some(bound) } => bound == name,
                Rests::OnItself { workspace: None } | Rests::OnSignin(_) => is_workspace(name),
            })
            .ok_or(bad("workspace"))?;
        let mut role = match claims.role {
            None => Role::default(),
            Some(role) => serde_json::from_value(role).map_err(|_| bad("role"))?,
        };
        let name = match claims.name {
            None => None,
            given => Some(text(given).filter(|name| is_name(name, AGENT_ID_BYTES_MAX)).ok_or(bad("name"))?),
        };
        let mut signin = None;
        if let Rests::OnSignin(signins) = rests {
            let id = text(claims.signin).and_then(|id| of_hex(&id).ok()).ok_or(bad("signin"))?;
            role = signins.role_of(id, &workspace, &agent).ok_or(TokenError::Revoked)?;
            signin = Some(id);
        }
        Ok(AgentClaims { agent, workspace, role, name, expires_at_s, signin })
    }
}

fn read_all(settings: &[KeySettings]) -> Result<KeySet, KeyError> {
    let mut keys = KeySet::with_capacity(settings.len());
    for setting in settings {
        setting.check()?;
        let key = read_key_file(&setting.file)
            .and_then(|bytes| VerifyingKey::read(setting.algorithm, &bytes))
            .map_err(|source| KeyError::InFile {
                kid: setting.kid.clone(),
                path: setting.file.clone(),
                source: Box::new(source),
            })?;
        let key = AgentKey { key, workspace: setting.workspace.clone() };
        if keys.insert(setting.kid.clone(), key).is_some() {
            return Err(KeyError::SameKid { kid: setting.kid.clone() });
        }
    }
    Ok(keys)
}

pub(super) fn text(value: Option<serde_json::Value>) -> Option<String> {
    match value {
        Some(serde_json::Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Signs a token that says these claims, from `now_s` on: for `offhook token` and for tests.
pub fn mint(
    claims: &AgentClaims,
    now_s: i64,
    kid: &str,
    key: &SigningKey,
) -> Result<String, jsonwebtoken::errors::Error> {
    #[derive(Serialize)]
    struct Minted<'c> {
        sub: &'c str,
        workspace: &'c str,
        role: Role,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'c str>,
        iat: i64,
        exp: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        signin: Option<String>,
    }
    let minted = Minted {
        sub: &claims.agent,
        workspace: &claims.workspace,
        role: claims.role,
        name: claims.name.as_deref(),
        iat: now_s,
        exp: claims.expires_at_s,
        signin: claims.signin.map(hex),
    };
    jwt::seal(&minted, Some(kid), key)
}

#[cfg(test)]
#[path = "agent_token_tests.rs"]
mod tests;
