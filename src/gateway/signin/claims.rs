//! How claims are found: by their name, or by a path with dots into what they hold. Pure.

use crate::gateway::auth::id_token::Claims;
use serde_json::Value;

/// More values of one claim than this are not looked at.
const WORDS_MAX: usize = 10_000;

/// A claim may have dots in its name (`https://example.com/roles`), so that is looked for first.
fn claim<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

pub(super) fn claim_text<'a>(claims: &'a Claims, path: &str) -> Option<&'a str> {
    claim(claims, path).and_then(Value::as_str)
}

/// A list of texts, or one.
pub(super) fn claim_words<'a>(claims: &'a Claims, path: &str) -> Vec<&'a str> {
    match claim(claims, path) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().take(WORDS_MAX).filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_goes_before_a_path() {
        let claims = json!({"a.b": "name", "a": {"b": "path", "c": {"d": ["x", 7, "y"]}}, "https://x/y.z": "url"});
        let claims = claims.as_object().unwrap();
        assert_eq!(claim_text(claims, "a.b"), Some("name"));
        assert_eq!(claim_text(claims, "https://x/y.z"), Some("url"));
        assert_eq!(claim_words(claims, "a.c.d"), ["x", "y"]);
        assert_eq!(claim_words(claims, "a.b"), ["name"]);
        for none in ["b", "a.c", "a.c.d.e", ".", ""] {
            assert_eq!(claim_text(claims, none), None, "{none}");
        }
    }
}
