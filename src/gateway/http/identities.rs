//! Who asks: what the HTTP side needs of the tokens, as a narrow trait. Only texts go in; nothing here is logged.

use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::settings::{ApiKey, Role};
use crate::desk::time::WallTime;
use http::HeaderMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Why a token is not good, as the `reason` of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotKnown(pub &'static str);

pub trait Identities: Send + Sync + 'static {
    /// An anonymous visitor's token (`ohv1.`).
    fn anonymous(&self, workspace: &str, token: &str, now: WallTime) -> Result<AnonymousCustomer, NotKnown>;
    /// The same bytes for the same arguments: a retried start is answered with the same token.
    fn anonymous_token(&self, workspace: &str, customer: CustomerId, issued_at: WallTime) -> String;
    /// A known customer's JWT.
    fn known(&self, workspace: &str, token: &str, now: WallTime) -> Result<KnownCustomer, NotKnown>;
    /// A ticket (`ohs1.`) that opens one conversation's stream.
    fn ticket(&self, workspace: &str, ticket: &str, now: WallTime) -> Result<StreamTicket, NotKnown>;
    fn stream_ticket(
        &self,
        workspace: &str,
        customer: CustomerId,
        conversation: ConversationId,
        at: WallTime,
    ) -> String;
    /// An agent's JWT.
    fn agent(&self, token: &str, now: WallTime) -> Result<AgentToken, NotKnown>;
    /// The key of this text, when its hash is that of one of `keys`.
    fn api_key(&self, keys: &BTreeMap<Arc<str>, ApiKey>, text: &str) -> Option<ApiKey>;
    /// A key of the server's own configuration: good for every workspace.
    fn server_key(&self, text: &str) -> Option<ApiKey>;
    /// An API key's text and what is kept of it, from 256 secret bits: the same again for the same.
    fn new_api_key(&self, secret: [u8; 32], name: &str, scopes: Vec<Arc<str>>, at: WallTime) -> (String, ApiKey);
    /// Whether a page of `origin` may use the server that was asked as `host`.
    fn origin_allowed(&self, origin: &str, host: Option<&str>) -> bool;
    fn client_address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnonymousCustomer {
    pub customer: CustomerId,
    pub issued_at: WallTime,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KnownCustomer {
    /// The workspace's own id of the customer. Personal: only its keyed hash goes on.
    pub subject: String,
    pub issued_at: WallTime,
    pub name: Option<String>,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamTicket {
    pub customer: CustomerId,
    pub conversation: ConversationId,
    pub issued_at: WallTime,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentToken {
    pub name: Arc<str>,
    pub workspace: Arc<str>,
    pub role: Role,
}
