//! The form that our own tokens share: `<kind>.<base64url of JSON>.<base64url of HMAC-SHA256>`. Pure.
//!
//! The tag covers the kind too. The JSON has a fixed order of fields and no spaces, so the same facts give the same token,
//! and one that was lost is derived again instead of stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::server_keys;

const TICKET_BYTES_MAX: usize = 1024;

/// Why one of our own tokens is refused; never repeats any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    #[error("this is not a token of this kind")]
    Malformed,
    #[error("the token was not made by this server, or was changed")]
    BadSignature,
    #[error("the token has expired; get a new one")]
    Expired,
}

impl TicketError {
    /// The stable code for the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::BadSignature => "token_bad_signature",
            Self::Expired => "token_expired",
        }
    }
}

pub(super) fn seal(kind: &str, key: &[u8; 32], facts: &impl Serialize) -> String {
    let json = serde_json::to_vec(facts).expect("a ticket is numbers and texts");
    let payload = URL_SAFE_NO_PAD.encode(json);
    let tag = server_keys::tag(key, &[kind, ".", &payload]);
    format!("{kind}.{payload}.{}", URL_SAFE_NO_PAD.encode(tag))
}

pub(super) fn open<T: DeserializeOwned>(kind: &str, key: &[u8; 32], token: &str) -> Result<T, TicketError> {
    if token.len() > TICKET_BYTES_MAX {
        return Err(TicketError::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(given), Some(payload), Some(tag), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(TicketError::Malformed);
    };
    if given != kind {
        return Err(TicketError::Malformed);
    }
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| TicketError::Malformed)?;
    // Constant in time; and before the payload is read at all.
    server_keys::mac(key, &[kind, ".", payload]).verify_slice(&tag).map_err(|_| TicketError::BadSignature)?;
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TicketError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TicketError::Malformed)
}
