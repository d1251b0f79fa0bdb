//! Who is asking: tokens, keys, origins and addresses. Time and secrets are handed in; nothing here reads a clock.

pub mod agent_token;
pub mod api_key;
pub mod client_address;
pub mod customer_token;
pub mod first_key;
pub mod id_token;
pub mod jwt;
pub mod keys;
pub mod origin;
pub mod probe_keys;
pub mod secret_file;
pub mod server_keys;
pub mod signin_token;
pub mod ticket;
#[cfg(test)]
pub(crate) mod vectors;
pub mod visitor_token;

/// Whether this is a workspace's name: `[a-z0-9][a-z0-9-]{0,62}`.
pub fn is_workspace(name: &str) -> bool {
    let bytes = name.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Whether this can be an id from outside: 1 to `bytes_max` bytes, no control characters, no space at either end.
pub fn is_external_id(id: &str, bytes_max: usize) -> bool {
    !id.is_empty() && id.len() <= bytes_max && !id.chars().any(char::is_control) && id.trim() == id
}

/// Whether this can be a person's name: at most `bytes_max` bytes, no control characters.
pub fn is_name(name: &str, bytes_max: usize) -> bool {
    name.len() <= bytes_max && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_a_short_slug() {
        for good in ["a", "acme", "0-1", "a-", &"a".repeat(63)] {
            assert!(is_workspace(good), "{good}");
        }
        for bad in ["", "-a", "Acme", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(!is_workspace(bad), "{bad}");
        }
    }

    #[test]
    fn an_external_id_is_printable_and_bounded() {
        assert!(is_external_id("ann@example.com", 128) && is_external_id("Ä 1", 128));
        for bad in ["", " a", "a\n", "a\u{0}b", &"x".repeat(129)] {
            assert!(!is_external_id(bad, 128), "{bad:?}");
        }
    }
}
