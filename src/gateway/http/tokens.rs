//! The doors' `Identities`, by the server's own keys and those that it was given.

use super::identities::{AgentToken, AnonymousCustomer, Identities, KnownCustomer, NotKnown, StreamTicket};
use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::settings::{ApiKey, Role};
use crate::desk::time::WallTime;
use crate::gateway::auth::agent_token::{self, AgentKeys};
use crate::gateway::auth::client_address::TrustedProxies;
use crate::gateway::auth::customer_token::{CustomerKeys, LIFE_S_MAX};
use crate::gateway::auth::jwt::TokenError;
use crate::gateway::auth::origin::OriginRules;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::auth::ticket::TicketError;
use crate::gateway::auth::{api_key, visitor_token};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Keys and rules, as the configuration has them.
pub struct Tokens {
    pub server_keys: Arc<ServerKeys>,
    pub agent_keys: Arc<AgentKeys>,
    /// By workspace.
    pub customer_keys: HashMap<String, CustomerKeys>,
    /// API keys of the server's own; only those for all workspaces are looked at.
    pub api_keys: Vec<api_key::ApiKey>,
    pub origins: OriginRules,
    pub proxies: TrustedProxies,
    pub leeway_s: i64,
    /// An anonymous visitor comes back for this long.
    pub visitor_life_s: i64,
    pub ticket_life_s: i64,
}

fn seconds(at: WallTime) -> i64 {
    i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX)
}

fn wall(seconds: i64) -> WallTime {
    WallTime(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000))
}

impl From<TicketError> for NotKnown {
    fn from(error: TicketError) -> Self {
        Self(reason(error.code()))
    }
}

impl From<TokenError> for NotKnown {
    fn from(error: TokenError) -> Self {
        Self(reason(error.code()))
    }
}

/// `token_expired` says its code twice where it is a reason beside `unauthorized`.
fn reason(code: &'static str) -> &'static str {
    code.strip_prefix("token_").unwrap_or(code)
}

impl Identities for Tokens {
    fn anonymous(&self, workspace: &str, token: &str, now: WallTime) -> Result<AnonymousCustomer, NotKnown> {
        let token = visitor_token::VisitorToken::open(token, &self.server_keys, seconds(now))?;
        if token.workspace != workspace {
            return Err(NotKnown("other_workspace"));
        }
        let issued_at = wall(token.expires_at_s.saturating_sub(self.visitor_life_s));
        Ok(AnonymousCustomer { customer: CustomerId(token.customer), issued_at })
    }

    fn anonymous_token(&self, workspace: &str, customer: CustomerId, issued_at: WallTime) -> String {
        let expires_at_s = seconds(issued_at).saturating_add(self.visitor_life_s);
        let token = visitor_token::VisitorToken { workspace: workspace.to_owned(), customer: customer.0, expires_at_s };
        token.seal(&self.server_keys)
    }

    fn known(&self, workspace: &str, token: &str, now: WallTime) -> Result<KnownCustomer, NotKnown> {
        let keys = self.customer_keys.get(workspace).ok_or(NotKnown("unknown_kid"))?;
        let claims = keys.verify(token, seconds(now), self.leeway_s)?;
        // Without `iat` it is as old as it can be: a sign-out must void what was issued before it.
        let issued_at_s = claims.issued_at_s.unwrap_or(claims.expires_at_s.saturating_sub(LIFE_S_MAX));
        let mut attributes = attributes(claims.attributes.as_deref());
        if let Some(email) = claims.email {
            attributes.entry("email".to_owned()).or_insert(email);
        }
        Ok(KnownCustomer { subject: claims.customer, issued_at: wall(issued_at_s), name: claims.name, attributes })
    }

    fn ticket(&self, workspace: &str, ticket: &str, now: WallTime) -> Result<StreamTicket, NotKnown> {
        let ticket = visitor_token::StreamTicket::open(ticket, &self.server_keys, seconds(now))?;
        if ticket.workspace != workspace {
            return Err(NotKnown("other_workspace"));
        }
        Ok(StreamTicket {
            customer: CustomerId(ticket.customer),
            conversation: ConversationId(ticket.conversation),
            issued_at: wall(ticket.expires_at_s.saturating_sub(self.ticket_life_s)),
        })
    }

    fn stream_ticket(&self, workspace: &str, customer: CustomerId, id: ConversationId, at: WallTime) -> String {
        let ticket = visitor_token::StreamTicket {
            workspace: workspace.to_owned(),
            customer: customer.0,
            conversation: id.0,
            expires_at_s: seconds(at).saturating_add(self.ticket_life_s),
        };
        ticket.seal(&self.server_keys)
    }

    fn agent(&self, token: &str, now: WallTime) -> Result<AgentToken, NotKnown> {
        let claims = self.agent_keys.verify(token, seconds(now))?;
        let role = match claims.role {
            agent_token::Role::Agent => Role::Agent,
            agent_token::Role::Supervisor => Role::Supervisor,
            agent_token::Role::Admin => Role::Admin,
        };
        Ok(AgentToken { name: claims.agent.into(), workspace: claims.workspace.into(), role })
    }

    fn api_key(&self, keys: &BTreeMap<Arc<str>, ApiKey>, text: &str) -> Option<ApiKey> {
        let key = keys.get(api_key::key_id(text)?)?;
        let same: bool = sha256_hex(text).as_bytes().ct_eq(key.sha256.as_bytes()).into();
        same.then(|| key.clone())
    }

    fn server_key(&self, text: &str) -> Option<ApiKey> {
        let key = self.api_keys.iter().find(|key| key.workspace.is_none() && key.is(text))?;
        Some(ApiKey {
            id: key.id.as_str().into(),
            name: key.name.as_str().into(),
            sha256: sha256_hex(text).into(),
            scopes: key.scopes.iter().map(|scope| scope.word().into()).collect(),
            created_at: wall(key.created_at_s).0,
        })
    }

    fn new_api_key(&self, secret: [u8; 32], name: &str, scopes: Vec<Arc<str>>, at: WallTime) -> (String, ApiKey) {
        const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        // Two hashes give 64 bytes: 12 for the id, which is no secret, 32 for what is. 256 over 62 loses a tenth of a bit each.
        let blocks = [0_u8, 1].map(|block| Sha256::new().chain_update(secret).chain_update([block]).finalize());
        let chars = blocks.iter().flatten().map(|byte| char::from(BASE62[usize::from(*byte) % 62]));
        let chars: String = chars.take(12 + 32).collect();
        let (id, rest) = chars.split_at(12);
        let text = format!("ohk_{id}_{rest}");
        let sha256 = sha256_hex(&text).into();
        (text, ApiKey { id: id.into(), name: name.into(), sha256, scopes, created_at: at.0 })
    }

    fn origin_allowed(&self, origin: &str, host: Option<&str>) -> bool {
        self.origins.allows(origin, host)
    }

    fn client_address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        self.proxies.client_address(peer, headers)
    }
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What entry rules can compare: texts, and numbers and truths by their spelling.
fn attributes(json: Option<&str>) -> BTreeMap<String, String> {
    let parsed: BTreeMap<String, serde_json::Value> =
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let spelled = parsed.into_iter().filter_map(|(name, value)| match value {
        serde_json::Value::String(text) => Some((name, text)),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => Some((name, value.to_string())),
        _ => None,
    });
    spelled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::auth::client_address::ForwardedHeader;

    const AT: WallTime = WallTime(1_700_000_000_500);

    fn tokens() -> Tokens {
        Tokens {
            server_keys: Arc::new(ServerKeys::derive(&[7; 32])),
            visitor_life_s: 90 * 86_400,
            ticket_life_s: 86_400,
            agent_keys: Arc::new(AgentKeys::load(&[], 0).unwrap()),
            customer_keys: HashMap::new(),
            api_keys: Vec::new(),
            origins: OriginRules::default(),
            proxies: TrustedProxies::parse(&[], ForwardedHeader::from_word("x-forwarded-for").unwrap()).unwrap(),
            leeway_s: 60,
        }
    }

    #[test]
    fn our_own_tokens_come_back_as_what_they_were_made_of_in_their_workspace_alone() {
        let tokens = tokens();
        let text = tokens.anonymous_token("demo", CustomerId(5), AT);
        assert_eq!(text, tokens.anonymous_token("demo", CustomerId(5), AT));
        let customer = tokens.anonymous("demo", &text, AT).unwrap();
        assert_eq!((customer.customer, customer.issued_at), (CustomerId(5), WallTime(1_700_000_000_000)));
        assert!(tokens.anonymous("other", &text, AT).is_err());
        let late = WallTime(AT.0 + 91 * 86_400_000);
        assert_eq!(tokens.anonymous("demo", &text, late), Err(NotKnown("expired")));

        let ticket = tokens.stream_ticket("demo", CustomerId(5), ConversationId(9), AT);
        let opened = tokens.ticket("demo", &ticket, AT).unwrap();
        assert_eq!((opened.customer, opened.conversation), (CustomerId(5), ConversationId(9)));
        assert!(tokens.anonymous("demo", &ticket, AT).is_err());
        assert!(tokens.ticket("demo", &text, AT).is_err());
    }

    #[test]
    fn a_new_api_key_is_known_again_and_no_other_is() {
        let tokens = tokens();
        let (text, kept) = tokens.new_api_key([1; 32], "ci", vec!["read".into()], AT);
        assert_eq!(tokens.new_api_key([1; 32], "ci", vec!["read".into()], AT).0, text);
        assert_eq!(api_key::key_id(&text), Some(&*kept.id));
        let keys = BTreeMap::from([(kept.id.clone(), kept.clone())]);
        assert_eq!(tokens.api_key(&keys, &text), Some(kept));
        let mut wrong = text.clone();
        wrong.pop();
        wrong.push(if text.ends_with('x') { 'y' } else { 'x' });
        assert_eq!(tokens.api_key(&keys, &wrong), None);
    }

    #[test]
    fn attributes_are_what_rules_can_compare() {
        let read = attributes(Some(r#"{"plan":"gold","seats":5,"trial":false,"deep":{"a":1}}"#));
        assert_eq!(read.into_values().collect::<Vec<_>>(), ["gold", "5", "false"]);
    }
}
