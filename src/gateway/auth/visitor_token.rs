//! Our own tokens: of anonymous customers, for their event streams, and for agents that come back. Pure.

use serde::{Deserialize, Serialize};

use super::server_keys::ServerKeys;
use super::ticket::{self, TicketError};

/// An anonymous customer's token, `ohv1.…`. Derived from the start's own facts, never stored: the same start gives the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorToken {
    pub workspace: String,
    pub customer: u128,
    /// Seconds since 1970.
    pub expires_at_s: i64,
}

/// What opens one conversation's event stream, `ohs1.…`: it may stand in a URL, so it opens nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTicket {
    pub workspace: String,
    pub customer: u128,
    pub conversation: u64,
    pub expires_at_s: i64,
}

/// What `welcome` gives an agent, `ohr1.…`: priority when coming back in a storm, never identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTicket {
    pub workspace: String,
    /// The agent's id in the user's own system.
    pub agent: String,
    pub expires_at_s: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visitor {
    w: String,
    c: String,
    e: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stream {
    w: String,
    c: String,
    v: u64,
    e: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Return {
    w: String,
    a: String,
    e: i64,
}

impl VisitorToken {
    pub fn seal(&self, keys: &ServerKeys) -> String {
        let facts = Visitor { w: self.workspace.clone(), c: hex(self.customer), e: self.expires_at_s };
        ticket::seal("ohv1", &keys.visitor, &facts)
    }

    pub fn open(token: &str, keys: &ServerKeys, now_s: i64) -> Result<Self, TicketError> {
        let Visitor { w, c, e } = ticket::open("ohv1", &keys.visitor, token)?;
        live(e, now_s)?;
        Ok(Self { workspace: w, customer: customer_of_hex(&c)?, expires_at_s: e })
    }
}

impl StreamTicket {
    pub fn seal(&self, keys: &ServerKeys) -> String {
        let facts =
            Stream { w: self.workspace.clone(), c: hex(self.customer), v: self.conversation, e: self.expires_at_s };
        ticket::seal("ohs1", &keys.stream, &facts)
    }

    pub fn open(token: &str, keys: &ServerKeys, now_s: i64) -> Result<Self, TicketError> {
        let Stream { w, c, v, e } = ticket::open("ohs1", &keys.stream, token)?;
        live(e, now_s)?;
        Ok(Self { workspace: w, customer: customer_of_hex(&c)?, conversation: v, expires_at_s: e })
    }
}

impl ReturnTicket {
    pub fn seal(&self, keys: &ServerKeys) -> String {
        let facts = Return { w: self.workspace.clone(), a: self.agent.clone(), e: self.expires_at_s };
        ticket::seal("ohr1", &keys.returning, &facts)
    }

    pub fn open(token: &str, keys: &ServerKeys, now_s: i64) -> Result<Self, TicketError> {
        let Return { w, a, e } = ticket::open("ohr1", &keys.returning, token)?;
        live(e, now_s)?;
        Ok(Self { workspace: w, agent: a, expires_at_s: e })
    }
}

fn hex(customer: u128) -> String {
    format!("{customer:032x}")
}

fn customer_of_hex(text: &str) -> Result<u128, TicketError> {
    if text.len() != 32 {
        return Err(TicketError::Malformed);
    }
    u128::from_str_radix(text, 16).map_err(|_| TicketError::Malformed)
}

/// Both clocks are our own, so there is no leeway.
fn live(expires_at_s: i64, now_s: i64) -> Result<(), TicketError> {
    if now_s < expires_at_s { Ok(()) } else { Err(TicketError::Expired) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::auth::vectors::NOW_S;

    fn keys() -> ServerKeys {
        ServerKeys::derive(&[7; 32])
    }

    fn visitor() -> VisitorToken {
        VisitorToken { workspace: "acme".into(), customer: 0xabc, expires_at_s: NOW_S + 9 }
    }

    #[test]
    fn the_same_start_gives_the_same_token_and_it_is_read_back() {
        let token = visitor().seal(&keys());
        assert_eq!(token, visitor().seal(&keys()));
        assert!(token.starts_with("ohv1."));
        assert_eq!(VisitorToken::open(&token, &keys(), NOW_S), Ok(visitor()));
    }

    #[test]
    fn a_token_ends_at_its_expiry() {
        let token = visitor().seal(&keys());
        assert!(VisitorToken::open(&token, &keys(), NOW_S + 8).is_ok());
        assert_eq!(VisitorToken::open(&token, &keys(), NOW_S + 9), Err(TicketError::Expired));
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let token = visitor().seal(&keys());
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(VisitorToken::open(&changed, &keys(), NOW_S).is_err(), "{at}");
        }
        let other = ServerKeys::derive(&[8; 32]);
        assert_eq!(VisitorToken::open(&token, &other, NOW_S), Err(TicketError::BadSignature));
    }

    #[test]
    fn no_ticket_passes_for_another_kind() {
        let stream = StreamTicket { workspace: "acme".into(), customer: 1, conversation: 2, expires_at_s: NOW_S + 9 };
        let back = ReturnTicket { workspace: "acme".into(), agent: "ann".into(), expires_at_s: NOW_S + 9 };
        let (s, r) = (stream.seal(&keys()), back.seal(&keys()));
        assert_eq!(StreamTicket::open(&s, &keys(), NOW_S), Ok(stream));
        assert_eq!(ReturnTicket::open(&r, &keys(), NOW_S), Ok(back));
        assert_eq!(VisitorToken::open(&s, &keys(), NOW_S), Err(TicketError::Malformed));
        let renamed = s.replacen("ohs1", "ohv1", 1);
        assert_eq!(VisitorToken::open(&renamed, &keys(), NOW_S), Err(TicketError::BadSignature));
    }

    #[test]
    fn what_is_not_a_ticket_is_malformed() {
        for text in ["", "ohv1", "ohv1.a", "ohv1.a.b.c", "ohv1.a.!", &"a".repeat(1025)] {
            assert_eq!(VisitorToken::open(text, &keys(), NOW_S), Err(TicketError::Malformed), "{text}");
        }
    }
}
