//! Tokens that can be read in a test: `ohv1.demo.<customer>.<issued at>`, and JWTs by name.

use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::settings::ApiKey;
use crate::desk::time::WallTime;
use crate::gateway::http::identities::{
    AgentToken, AnonymousCustomer, Identities, KnownCustomer, NotKnown, StreamTicket,
};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub(crate) struct FakeIdentities {
    pub known: Mutex<BTreeMap<String, KnownCustomer>>,
    pub agents: Mutex<BTreeMap<String, AgentToken>>,
    pub server_key: Mutex<Option<(String, ApiKey)>>,
}

fn parts<const N: usize>(token: &str) -> Result<[&str; N], NotKnown> {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().map_err(|_| NotKnown("malformed"))
}

pub(crate) fn sha256_hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Identities for FakeIdentities {
    fn anonymous(&self, workspace: &str, token: &str, _: WallTime) -> Result<AnonymousCustomer, NotKnown> {
        let [_, own, customer, at] = parts(token)?;
        if own != workspace {
            return Err(NotKnown("unknown_key"));
        }
        if at == "expired" {
            return Err(NotKnown("expired"));
        }
        let issued_at = WallTime(at.parse().map_err(|_| NotKnown("malformed"))?);
        Ok(AnonymousCustomer { customer: customer.parse().map_err(|_| NotKnown("malformed"))?, issued_at })
    }
    fn anonymous_token(&self, workspace: &str, customer: CustomerId, issued_at: WallTime) -> String {
        format!("ohv1.{workspace}.{customer}.{}", issued_at.0)
    }
    fn known(&self, _: &str, token: &str, _: WallTime) -> Result<KnownCustomer, NotKnown> {
        self.known.lock().unwrap().get(token).cloned().ok_or(NotKnown("unknown_key"))
    }
    fn ticket(&self, workspace: &str, ticket: &str, _: WallTime) -> Result<StreamTicket, NotKnown> {
        let [_, own, customer, conversation, at] = parts(ticket)?;
        if own != workspace {
            return Err(NotKnown("unknown_key"));
        }
        Ok(StreamTicket {
            customer: customer.parse().map_err(|_| NotKnown("malformed"))?,
            conversation: conversation.parse().map_err(|_| NotKnown("malformed"))?,
            issued_at: WallTime(at.parse().map_err(|_| NotKnown("expired"))?),
        })
    }
    fn stream_ticket(&self, workspace: &str, customer: CustomerId, id: ConversationId, at: WallTime) -> String {
        format!("ohs1.{workspace}.{customer}.{id}.{}", at.0)
    }
    fn agent(&self, token: &str, _: WallTime) -> Result<AgentToken, NotKnown> {
        self.agents.lock().unwrap().get(token).cloned().ok_or(NotKnown("malformed"))
    }
    fn api_key(&self, keys: &BTreeMap<Arc<str>, ApiKey>, text: &str) -> Option<ApiKey> {
        let hash = sha256_hex(text);
        keys.values().find(|key| *key.sha256 == *hash).cloned()
    }
    fn server_key(&self, text: &str) -> Option<ApiKey> {
        self.server_key.lock().unwrap().as_ref().filter(|(own, _)| own == text).map(|(_, key)| key.clone())
    }
    fn new_api_key(&self, secret: [u8; 32], name: &str, scopes: Vec<Arc<str>>, at: WallTime) -> (String, ApiKey) {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("ohk_{hex}");
        let sha256 = sha256_hex(&text).into();
        let key = ApiKey { id: hex[..12].into(), name: name.into(), sha256, scopes, created_at: at.0 };
        (text, key)
    }
    fn origin_allowed(&self, origin: &str, _: Option<&str>) -> bool {
        origin == "https://shop.example"
    }
    fn client_address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        headers.get("x-address").map_or(peer, |value| value.to_str().unwrap().parse().unwrap())
    }
}
