//! Who asks over HTTP, by the real tokens, keys and addresses.

use super::identities::{AgentToken, AnonymousCustomer, Identities, KnownCustomer, NotKnown, StreamTicket};
use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::settings::ApiKey;
use crate::desk::time::WallTime;
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::auth::api_key::{self, ApiKeyGrant, Scopes};
use crate::gateway::auth::client_address::TrustedProxies;
use crate::gateway::auth::customer_token::CustomerKeys;
use crate::gateway::auth::origin::OriginRules;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::auth::ticket::TicketError;
use crate::gateway::auth::{jwt::TokenError, visitor_token};
use http::HeaderMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Everything that tells who somebody is.
pub struct KnownIdentities {
    pub agents: Arc<AgentKeys>,
    pub server_keys: Arc<ServerKeys>,
    /// By workspace.
    pub customers: BTreeMap<String, CustomerKeys>,
    /// Good for every workspace.
    pub admin_key: Option<api_key::ApiKey>,
    pub origins: OriginRules,
    pub proxies: TrustedProxies,
    pub leeway_s: i64,
    pub anonymous_s: i64,
    pub ticket_s: i64,
}

fn seconds(at: WallTime) -> i64 {
    (at.0 / 1_000) as i64
}

fn ms(seconds: i64) -> WallTime {
    WallTime(seconds.max(0) as u64 * 1_000)
}

impl From<TokenError> for NotKnown {
    fn from(error: TokenError) -> Self {
        NotKnown(error.code())
    }
}

impl From<TicketError> for NotKnown {
    fn from(error: TicketError) -> Self {
        NotKnown(error.code())
    }
}

impl Identities for KnownIdentities {
    fn anonymous(&self, workspace: &str, token: &str, now: WallTime) -> Result<AnonymousCustomer, NotKnown> {
        let token = visitor_token::VisitorToken::open(token, &self.server_keys, seconds(now))?;
        if token.workspace != workspace {
            return Err(NotKnown("token_other_workspace"));
        }
        Ok(AnonymousCustomer {
            customer: CustomerId(token.customer),
            issued_at: ms(token.expires_at_s - self.anonymous_s),
        })
    }

    fn anonymous_token(&self, workspace: &str, customer: CustomerId, issued_at: WallTime) -> String {
        let expires_at_s = seconds(issued_at) + self.anonymous_s;
        visitor_token::VisitorToken { workspace: workspace.into(), customer: customer.0, expires_at_s }
            .seal(&self.server_keys)
    }

    fn known(&self, workspace: &str, token: &str, now: WallTime) -> Result<KnownCustomer, NotKnown> {
        let keys = self.customers.get(workspace).ok_or(NotKnown("token_unknown_kid"))?;
        let claims = keys.verify(token, seconds(now), self.leeway_s)?;
        let attributes = claims.attributes.as_deref().map(flat).unwrap_or_default();
        // A token that does not say when it was issued is void after any sign-out.
        let issued_at = ms(claims.issued_at_s.unwrap_or(0));
        Ok(KnownCustomer { subject: claims.customer, issued_at, name: claims.name, attributes })
    }

    fn ticket(&self, workspace: &str, ticket: &str, now: WallTime) -> Result<StreamTicket, NotKnown> {
        let ticket = visitor_token::StreamTicket::open(ticket, &self.server_keys, seconds(now))?;
        if ticket.workspace != workspace {
            return Err(NotKnown("token_other_workspace"));
        }
        Ok(StreamTicket {
            customer: CustomerId(ticket.customer),
            conversation: ConversationId(ticket.conversation),
            issued_at: ms(ticket.expires_at_s - self.ticket_s),
        })
    }

    fn stream_ticket(
        &self,
        workspace: &str,
        customer: CustomerId,
        conversation: ConversationId,
        at: WallTime,
    ) -> String {
        visitor_token::StreamTicket {
            workspace: workspace.into(),
            customer: customer.0,
            conversation: conversation.0,
            expires_at_s: seconds(at) + self.ticket_s,
        }
        .seal(&self.server_keys)
    }

    fn agent(&self, token: &str, now: WallTime) -> Result<AgentToken, NotKnown> {
        let claims = self.agents.verify(token, seconds(now))?;
        Ok(AgentToken { name: claims.agent.into(), workspace: claims.workspace.into(), role: claims.role })
    }

    fn api_key(&self, keys: &BTreeMap<Arc<str>, ApiKey>, text: &str) -> Option<ApiKey> {
        let key = keys.get(api_key::key_id(text)?)?;
        api_key::matches(&key.sha256, text).then(|| key.clone())
    }

    fn server_key(&self, text: &str) -> Option<ApiKey> {
        let key = self.admin_key.as_ref().filter(|key| key.is(text))?;
        Some(ApiKey {
            id: key.id.as_str().into(),
            name: key.name.as_str().into(),
            sha256: api_key::sha256_hex(text).into(),
            scopes: key.scopes.iter().map(|scope| Arc::from(scope.word())).collect(),
            created_at: 0,
        })
    }

    fn new_api_key(&self, secret: [u8; 32], name: &str, scopes: Vec<Arc<str>>, at: WallTime) -> (String, ApiKey) {
        let grant = ApiKeyGrant {
            scopes: Scopes::all(),
            workspace: None,
            name: name.to_owned(),
            created_at_s: seconds(at),
        };
        let (key, text) = api_key::ApiKey::of_secret(&secret, grant);
        let sha256 = api_key::sha256_hex(&text).into();
        let kept = ApiKey { id: key.id.into(), name: name.into(), sha256, scopes, created_at: at.0 };
        (text, kept)
    }

    fn origin_allowed(&self, origin: &str, host: Option<&str>) -> bool {
        self.origins.allows(origin, host)
    }

    fn client_address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        self.proxies.client_address(peer, headers)
    }
}

/// Attributes as entry rules compare them: strings as they are, other scalars as JSON writes them; the rest is left out.
fn flat(json: &str) -> BTreeMap<String, String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let flat = object.into_iter().filter_map(|(key, value)| match value {
        serde_json::Value::String(text) => Some((key, text)),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Some((key, value.to_string())),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    });
    flat.collect()
}
