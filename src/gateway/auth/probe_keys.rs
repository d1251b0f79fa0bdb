//! What the server's own probe comes in with: an agent's token, a customer's and an API key, all signed with secrets that come from
//! the server's own and never leave the process. They open the probe's workspace and nothing else; nothing else opens it.

use super::agent_token::{self, AgentClaims, Role};
use super::api_key::{ApiKey, ApiKeyGrant, Scope};
use super::customer_token::{self, CustomerClaims, CustomerKeySettings, CustomerKeys};
use super::keys::{Algorithm, KeyError, SigningKey, VerifyingKey};
use super::server_keys::{ServerKeys, tag};
use crate::engine::workspace::PROBES;

/// A kid that no setting can have: it begins with a space.
pub(super) const PROBE_KID: &str = " probe";
/// Longer than a probe takes.
const LIFE_S: i64 = 600;
/// The one customer that all probes are, so that they need one key.
const CUSTOMER: &str = "probe";
pub const AGENT: &str = "probe";

/// The secrets, in the form that HS256 takes them.
#[derive(Clone)]
pub struct ProbeKeys {
    agent: String,
    customer: String,
    api: [u8; 32],
}

impl ProbeKeys {
    #[must_use]
    pub fn of(server_keys: &ServerKeys) -> Self {
        let secret = |purpose: &str| -> String {
            tag(&server_keys.probe, &[purpose]).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        Self { agent: secret("agent"), customer: secret("customer"), api: tag(&server_keys.probe, &["api"]) }
    }

    pub(super) fn of_agents(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::read(Algorithm::Hs256, self.agent.as_bytes())
    }

    /// What verifies its customer.
    ///
    /// # Errors
    /// The secret is no key.
    pub fn of_customers(&self) -> Result<CustomerKeys, KeyError> {
        let key = self.customer.clone();
        CustomerKeys::from_list(&[CustomerKeySettings { kid: CUSTOMER.to_owned(), algorithm: Algorithm::Hs256, key }])
    }

    /// # Errors
    /// The secret is no key.
    pub fn agent_token(&self, now_s: i64) -> Result<String, KeyError> {
        let claims = AgentClaims {
            agent: AGENT.to_owned(),
            workspace: PROBES.to_owned(),
            role: Role::Agent,
            name: None,
            expires_at_s: now_s + LIFE_S,
            signin: None,
        };
        let key = SigningKey::read(Algorithm::Hs256, self.agent.as_bytes())?;
        Ok(agent_token::mint(&claims, now_s, PROBE_KID, &key).expect("a secret signs anything"))
    }

    /// # Errors
    /// The secret is no key.
    pub fn customer_token(&self, now_s: i64) -> Result<String, KeyError> {
        let claims = CustomerClaims {
            customer: CUSTOMER.to_owned(),
            name: None,
            email: None,
            attributes: None,
            expires_at_s: now_s + LIFE_S,
            issued_at_s: Some(now_s),
        };
        let key = SigningKey::read(Algorithm::Hs256, self.customer.as_bytes())?;
        Ok(customer_token::mint(&claims, now_s, Some(CUSTOMER), &key).expect("a secret signs anything"))
    }

    /// What its workspace keeps of the API key, and the key.
    #[must_use]
    pub fn api_key(&self) -> (ApiKey, String) {
        let grant = ApiKeyGrant {
            scopes: [Scope::Read].into_iter().collect(),
            workspace: Some(PROBES.to_owned()),
            name: "probe".to_owned(),
            created_at_s: 0,
        };
        ApiKey::of_secret(&self.api, grant)
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_token::AgentKeys;
    use super::*;

    #[test]
    fn the_probe_comes_into_its_own_workspace_and_nobody_else_does() {
        let keys = ProbeKeys::of(&ServerKeys::derive(&[7; 32]));
        let agents = AgentKeys::load(&[], 0).unwrap().with_probe(&keys).unwrap();
        let token = keys.agent_token(1_000).unwrap();
        let claims = agents.verify(&token, 1_001).unwrap();
        assert_eq!((claims.workspace.as_str(), claims.agent.as_str()), (PROBES, AGENT));
        assert!(
            AgentKeys::load(&[], 0).unwrap().verify(&token, 1_001).is_err(),
            "without a probe there is no such key"
        );
        let other = ProbeKeys::of(&ServerKeys::derive(&[8; 32]));
        assert!(agents.verify(&other.agent_token(1_000).unwrap(), 1_001).is_err());
        // The probe's own key is no good for a workspace of people.
        let elsewhere = AgentClaims { workspace: "demo".to_owned(), ..claims };
        let key = SigningKey::read(Algorithm::Hs256, keys.agent.as_bytes()).unwrap();
        let token = agent_token::mint(&elsewhere, 1_000, PROBE_KID, &key).unwrap();
        assert!(agents.verify(&token, 1_001).is_err());
        let customer = keys.customer_token(1_000).unwrap();
        assert_eq!(keys.of_customers().unwrap().verify(&customer, 1_001, 0).unwrap().customer, CUSTOMER);
        assert!(super::super::keys::check_kid(PROBE_KID).is_err(), "no setting can have its kid");
    }
}
