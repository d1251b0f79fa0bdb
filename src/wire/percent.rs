//! Text as one part of a path or a query.

use std::fmt::Write as _;

/// With everything encoded that is not plainly itself (RFC 3986's unreserved characters).
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => write!(out, "%{byte:02X}").unwrap_or_default(),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plainly_itself_is_encoded() {
        assert_eq!(encoded("ada-1_2.~"), "ada-1_2.~");
        assert_eq!(encoded("a/b?ü"), "a%2Fb%3F%C3%BC");
    }
}
