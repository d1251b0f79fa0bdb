//! One workspace's OpenID provider as the settings have it, and who a provider's claims make somebody. Pure.

use super::claims::{claim_text, claim_words};
use crate::client::Url;
use crate::desk::settings::Role;
use crate::gateway::auth::agent_token::AGENT_ID_BYTES_MAX;
use crate::gateway::auth::id_token::Claims;
use crate::gateway::auth::{is_external_id, is_name, is_workspace};
use serde::Deserialize;
use std::path::PathBuf;

const VALUES_MAX: usize = 100;
const WORD_BYTES_MAX: usize = 256;
const SCOPES_MAX: usize = 20;

/// One entry of `signin.providers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    pub workspace: String,
    /// As the provider says it itself, letter by letter.
    pub issuer: String,
    pub client_id: String,
    /// Without one we are a public client, by PKCE alone.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// The claim that is the agent's name here.
    pub agent_claim: String,
    /// Addresses are believed that the provider does not call verified.
    #[serde(default)]
    pub trust_email: bool,
    #[serde(default = "usual_title")]
    pub title_claim: String,
    /// The claim whose values give roles; without one everybody is an agent.
    #[serde(default)]
    pub role_claim: Option<String>,
    /// Values that make an agent; empty: everybody is one who has no other role.
    #[serde(default)]
    pub agents: Vec<String>,
    #[serde(default)]
    pub supervisors: Vec<String>,
    #[serde(default)]
    pub administrators: Vec<String>,
    /// Whether agents that are not known here are made when they sign in.
    #[serde(default)]
    pub create_agents: bool,
}

fn usual_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn usual_title() -> String {
    "name".to_owned()
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member} {what}")]
pub struct BadProvider {
    pub member: &'static str,
    pub what: String,
}

/// Who somebody is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub agent: String,
    pub title: Option<String>,
    pub role: Role,
}

/// Why a provider's claims make nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nobody {
    #[error("the provider does not say who you are in the claim that this workspace asks for")]
    NoName,
    #[error("the provider does not say that your e-mail address was verified")]
    EmailNotVerified,
    #[error("you have none of the groups or roles that may sign in here")]
    NoRole,
}

impl Nobody {
    /// The `reason` on the wire.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoName => "no_name",
            Self::EmailNotVerified => "email_not_verified",
            Self::NoRole => "no_role",
        }
    }
}

impl ProviderSettings {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// The member at fault.
    pub fn check(&self) -> Result<(), BadProvider> {
        let bad = |member, what: &str| Err(BadProvider { member, what: what.to_owned() });
        let word = |text: &str| is_external_id(text, WORD_BYTES_MAX);
        if !is_workspace(&self.workspace) {
            return bad("workspace", "must be [a-z0-9][a-z0-9-]{0,62}");
        }
        if self.issuer.contains('?') || Url::parse(&self.issuer).is_err() {
            return bad("issuer", "must be https://…, or http:// of this machine, without a query");
        }
        if !word(&self.client_id) {
            return bad("client_id", "must be 1 to 256 printable bytes");
        }
        let plain = |scope: &String| word(scope) && !scope.contains(' ');
        if self.scopes.len() > SCOPES_MAX || !self.scopes.iter().all(plain) {
            return bad("scopes", "must be at most 20 words");
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return bad("scopes", "must have openid");
        }
        let claims = [("agent_claim", &self.agent_claim), ("title_claim", &self.title_claim)];
        let role = self.role_claim.iter().map(|claim| ("role_claim", claim));
        if let Some((member, _)) = claims.into_iter().chain(role).find(|(_, claim)| !word(claim)) {
            return bad(member, "must be the name of a claim, or its path with dots");
        }
        let lists =
            [("agents", &self.agents), ("supervisors", &self.supervisors), ("administrators", &self.administrators)];
        for (member, list) in lists {
            if list.len() > VALUES_MAX || !list.iter().all(|value| word(value)) {
                return bad(member, "must be at most 100 values of a claim");
            }
            if self.role_claim.is_none() && !list.is_empty() {
                return bad(member, "needs role_claim, whose values these are");
            }
        }
        if self.role_claim.is_some() && lists.iter().all(|(_, list)| list.is_empty()) {
            return bad("role_claim", "gives nobody a role without agents, supervisors or administrators");
        }
        Ok(())
    }

    /// Whether these claims lack something that is looked for, so that the provider may be asked for more.
    #[must_use]
    pub fn lacks(&self, claims: &Claims) -> bool {
        claim_text(claims, &self.agent_claim).is_none()
            || (self.is_by_email() && !self.trust_email && !claims.contains_key("email_verified"))
            || self.role_claim.as_ref().is_some_and(|claim| claim_words(claims, claim).is_empty())
    }

    fn is_by_email(&self) -> bool {
        self.agent_claim == "email"
    }

    /// Who these claims make somebody: the highest role that one of the values gives.
    ///
    /// # Errors
    /// Why nobody.
    pub fn person(&self, claims: &Claims) -> Result<Person, Nobody> {
        let agent = claim_text(claims, &self.agent_claim).filter(|name| is_external_id(name, AGENT_ID_BYTES_MAX));
        let agent = agent.ok_or(Nobody::NoName)?.to_owned();
        // An address that anybody may type into a profile is nobody's name.
        let verified = claims.get("email_verified").is_some_and(|verified| *verified == true || *verified == "true");
        if self.is_by_email() && !self.trust_email && !verified {
            return Err(Nobody::EmailNotVerified);
        }
        let title = claim_text(claims, &self.title_claim).filter(|title| is_name(title, AGENT_ID_BYTES_MAX));
        Ok(Person { agent, title: title.map(str::to_owned), role: self.role(claims)? })
    }

    fn role(&self, claims: &Claims) -> Result<Role, Nobody> {
        let Some(claim) = &self.role_claim else { return Ok(Role::Agent) };
        let words = claim_words(claims, claim);
        let has = |list: &[String]| list.iter().any(|value| words.contains(&value.as_str()));
        if has(&self.administrators) {
            Ok(Role::Admin)
        } else if has(&self.supervisors) {
            Ok(Role::Supervisor)
        } else if self.agents.is_empty() || has(&self.agents) {
            Ok(Role::Agent)
        } else {
            Err(Nobody::NoRole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn provider(more: &str) -> ProviderSettings {
        let text = format!(
            "workspace = \"acme\"\nissuer = \"https://id.example.com\"\nclient_id = \"offhook\"\nagent_claim = \"email\"\n{more}"
        );
        toml::from_str(&text).unwrap()
    }

    fn person(settings: &ProviderSettings, claims: Value) -> Result<(String, Role), Nobody> {
        let person = settings.person(claims.as_object().unwrap())?;
        Ok((person.agent, person.role))
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(provider("").check(), Ok(()));
        for (more, member) in [
            ("scopes = [\"profile\"]", "scopes"),
            ("scopes = [\"openid\", \"a b\"]", "scopes"),
            ("supervisors = [\"s\"]", "supervisors"),
            ("role_claim = \"groups\"", "role_claim"),
            ("role_claim = \"\"\nagents = [\"a\"]", "role_claim"),
            ("role_claim = \"groups\"\nadministrators = [\"\"]", "administrators"),
            ("title_claim = \"\"", "title_claim"),
        ] {
            assert_eq!(provider(more).check().unwrap_err().member, member, "{more}");
        }
        for (change, member) in [
            (&(|p: &mut ProviderSettings| p.workspace = "A".into()) as &dyn Fn(&mut ProviderSettings), "workspace"),
            (&|p| p.issuer = "http://id.example.com".into(), "issuer"),
            (&|p| p.issuer = "https://id.example.com?a=b".into(), "issuer"),
            (&|p| p.client_id = "\n".into(), "client_id"),
        ] {
            let mut settings = provider("");
            change(&mut settings);
            assert_eq!(settings.check().unwrap_err().member, member);
        }
    }

    #[test]
    fn the_highest_role_that_a_value_gives_counts_and_none_is_none() {
        let settings = provider(
            "role_claim = \"realm_access.roles\"\nagents = [\"desk\"]\nsupervisors = [\"leads\"]\nadministrators = [\"root\"]",
        );
        let of = |roles: Value| {
            let claims = json!({"email": "ann@acme.com", "email_verified": true, "realm_access": {"roles": roles}});
            person(&settings, claims).map(|(_, role)| role)
        };
        assert_eq!(of(json!(["desk"])), Ok(Role::Agent));
        assert_eq!(of(json!(["desk", "leads"])), Ok(Role::Supervisor));
        assert_eq!(of(json!(["root", "leads"])), Ok(Role::Admin));
        assert_eq!(of(json!("root")), Ok(Role::Admin));
        for none in [json!([]), json!(["Root"]), json!("root leads"), json!({"root": true}), json!(null)] {
            assert_eq!(of(none.clone()), Err(Nobody::NoRole), "{none}");
        }
        let everybody = provider("role_claim = \"groups\"\nadministrators = [\"root\"]");
        assert_eq!(
            person(&everybody, json!({"email": "a@b", "email_verified": true})),
            Ok(("a@b".to_owned(), Role::Agent))
        );
    }

    #[test]
    fn an_address_must_be_verified_unless_that_is_waived() {
        let unverified = [json!({"email": "a@b"}), json!({"email": "a@b", "email_verified": false})];
        for claims in unverified {
            assert_eq!(person(&provider(""), claims.clone()), Err(Nobody::EmailNotVerified));
            assert!(person(&provider("trust_email = true"), claims).is_ok());
        }
        assert_eq!(person(&provider(""), json!({"email_verified": true})), Err(Nobody::NoName));
        assert_eq!(person(&provider(""), json!({"email": "a\n", "email_verified": true})), Err(Nobody::NoName));
    }

    #[test]
    fn more_is_asked_for_only_where_something_is_missing() {
        let settings = provider("role_claim = \"groups\"\nagents = [\"a\"]");
        let whole = json!({"email": "a@b", "email_verified": true, "groups": ["a"]});
        assert!(!settings.lacks(whole.as_object().unwrap()));
        for name in ["email", "email_verified", "groups"] {
            let mut claims = whole.as_object().unwrap().clone();
            claims.remove(name);
            assert!(settings.lacks(&claims), "{name}");
        }
    }
}
