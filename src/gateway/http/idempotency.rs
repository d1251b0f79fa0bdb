//! The command id of a write over HTTP, and the fingerprint that tells a retry from another request.

use super::desks::Seals;
use super::problem::Problem;
use crate::desk::ids::CommandId;
use crate::wire::error::Code;
use http::HeaderMap;
use sha2::{Digest, Sha256};

pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// # Errors
/// `missing_id` when there is none, `bad_request` when it is not 128 bits in hexadecimal or a UUID, or is there twice.
pub fn command_id(headers: &HeaderMap) -> Result<CommandId, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Err(
            Problem::new(Code::MissingId, "a write needs Idempotency-Key: 128 random bits").at("Idempotency-Key")
        );
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| Problem::bad_request("32 hexadecimal digits or a UUID expected").at("Idempotency-Key"))
}

/// The longest name of a message that is the outside's own.
const OUTSIDE_ID_BYTES_MAX: usize = 255;

/// The command id of a message that has a name already, where it comes from: any visible ASCII. What is spelled as an id of ours is one.
///
/// # Errors
/// `missing_id` when there is none, `bad_request` when it is empty, too long, holds anything else, or is there twice.
pub fn outside_id(headers: &HeaderMap) -> Result<CommandId, Problem> {
    if let Ok(id) = command_id(headers) {
        return Ok(id);
    }
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return command_id(headers) };
    let name = value.to_str().ok().map(str::trim).filter(|_| values.next().is_none());
    let name = name.filter(|name| !name.is_empty() && name.len() <= OUTSIDE_ID_BYTES_MAX);
    let name = name.ok_or_else(|| {
        Problem::bad_request("the message's own id expected: 1 to 255 visible characters").at("Idempotency-Key")
    })?;
    let digest = Sha256::digest(name);
    Ok(CommandId(u128::from_be_bytes(std::array::from_fn(|place| digest[place]))))
}

/// 64 bits of SHA-256 over the call and its parsed parts: the same on every node and after every restart.
#[must_use]
pub fn fingerprint(call: &str, parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in std::iter::once(call.as_bytes()).chain(parts.iter().copied()) {
        // With its length before it, no part can pass for the end of another.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    u64::from_le_bytes(std::array::from_fn(|place| digest[place]))
}

/// The same for a body that holds a text of a customer's: keyed, since the journal keeps it and a short text could be
/// guessed from a plain hash.
#[must_use]
pub fn keyed_fingerprint(seals: &dyn Seals, call: &str, parts: &[&[u8]]) -> u64 {
    let plain = fingerprint(call, parts).to_le_bytes();
    let keyed = seals.keyed_hash("command", &plain);
    u64::from_le_bytes(std::array::from_fn(|place| keyed[place]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_same_after_every_restart() {
        assert_eq!(fingerprint("post", &[b"c1", b"hello"]), fingerprint("post", &[b"c1", b"hello"]));
        assert_eq!(fingerprint("post", &[b"c1", b"hello"]), 0xfa3f_c880_7923_a84d);
        assert_ne!(fingerprint("post", &[b"c1", b"hello"]), fingerprint("post", &[b"c1h", b"ello"]));
        assert_ne!(fingerprint("post", &[b"c1"]), fingerprint("read", &[b"c1"]));
    }

    #[test]
    fn a_message_from_outside_keeps_its_own_name() {
        let mut headers = HeaderMap::new();
        assert_eq!(outside_id(&headers).unwrap_err().0.code, Code::MissingId);
        for bad in ["", " ", &"x".repeat(256)] {
            headers.insert(IDEMPOTENCY_KEY, bad.parse().unwrap());
            assert_eq!(outside_id(&headers).unwrap_err().0.code, Code::BadRequest, "{bad:?}");
        }
        headers.insert(IDEMPOTENCY_KEY, "<1.2@mail.example>".parse().unwrap());
        let id = outside_id(&headers).unwrap();
        assert_eq!(outside_id(&headers).unwrap(), id);
        headers.append(IDEMPOTENCY_KEY, "<1.3@mail.example>".parse().unwrap());
        assert_eq!(outside_id(&headers).unwrap_err().0.code, Code::BadRequest);
        headers.remove(IDEMPOTENCY_KEY);
        headers.insert(IDEMPOTENCY_KEY, "<1.3@mail.example>".parse().unwrap());
        assert_ne!(outside_id(&headers).unwrap(), id);
        headers.insert(IDEMPOTENCY_KEY, "01234567-89ab-cdef-0123-456789abcdef".parse().unwrap());
        assert_eq!(outside_id(&headers).unwrap(), command_id(&headers).unwrap());
    }

    #[test]
    fn a_missing_and_a_malformed_key_are_told_apart() {
        let mut headers = HeaderMap::new();
        assert_eq!(command_id(&headers).unwrap_err().0.code, Code::MissingId);
        headers.insert(IDEMPOTENCY_KEY, "short".parse().unwrap());
        assert_eq!(command_id(&headers).unwrap_err().0.code, Code::BadRequest);
        headers.insert(IDEMPOTENCY_KEY, "01234567-89ab-cdef-0123-456789abcdef".parse().unwrap());
        assert_eq!(command_id(&headers), Ok(CommandId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)));
        headers.append(IDEMPOTENCY_KEY, "01234567-89ab-cdef-0123-456789abcdef".parse().unwrap());
        assert_eq!(command_id(&headers).unwrap_err().0.code, Code::BadRequest);
    }
}
