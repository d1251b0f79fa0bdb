//! What of an act goes into the audit trail: what is another than before, and what its body said; bounded, without texts and secrets. Pure.

use serde::Serialize;
use serde_json::{Map, Value, json};

const CHANGES_MAX: usize = 50;
/// Of one value, as JSON.
const VALUE_BYTES_MAX: usize = 256;
/// Members of bodies that say what was meant. Others may be what somebody wrote, or somebody's name.
const SAID: [&str; 18] = [
    "agent",
    "queue",
    "role",
    "status",
    "on",
    "to",
    "scopes",
    "tags",
    "disposition",
    "expected_owner",
    "force",
    "warm",
    "active",
    "name",
    "title",
    "queues",
    "skills",
    "waiting_since",
];
/// Parts of names whose values are nobody's business.
const SECRET: [&str; 4] = ["secret", "password", "token", "api_key"];

/// One value: where it is (`channels[0].capacity`), and what it was and is. Absent: it was or is not there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Change {
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Value>,
}

/// The first `CHANGES_MAX`, in the order of names.
pub(super) fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(at: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after || found.len() >= CHANGES_MAX {
        return;
    }
    match (before, after) {
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let added = is.keys().filter(|name| !was.contains_key(*name));
            for name in was.keys().chain(added) {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                compare(&at, was.get(name), is.get(name), found);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            for place in 0..was.len().max(is.len()) {
                compare(&format!("{at}[{place}]"), was.get(place), is.get(place), found);
            }
        }
        _ => {
            let shown = |value: &Value| if is_secret(at) { json!("…") } else { bounded(value) };
            found.push(Change { at: at.to_owned(), was: before.map(shown), is: after.map(shown) });
        }
    }
}

fn is_secret(at: &str) -> bool {
    SECRET.iter().any(|part| at.contains(part))
}

fn bounded(value: &Value) -> Value {
    let text = value.to_string();
    match text.len() <= VALUE_BYTES_MAX {
        true => value.clone(),
        false => json!(format!("{}…", text.chars().take(VALUE_BYTES_MAX / 4).collect::<String>())),
    }
}

/// Of a body in JSON.
pub(super) fn said(body: &[u8]) -> Map<String, Value> {
    let members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let known = members.into_iter().filter(|(name, _)| SAID.contains(&name.as_str()));
    known.map(|(name, value)| (name, bounded(&value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_than_before_is_named_with_its_place() {
        let before = json!({"channels": [{"name": "chat", "capacity": 3}], "gone": 1, "same": true});
        let after = json!({"channels": [{"name": "chat", "capacity": 4}, {"name": "voice"}], "new": [1], "same": true});
        let change = |at: &str, was: Option<Value>, is: Option<Value>| Change { at: at.to_owned(), was, is };
        let mut found = changes(Some(&before), Some(&after));
        found.sort_by(|one, other| one.at.cmp(&other.at));
        let expected = [
            change("channels[0].capacity", Some(json!(3)), Some(json!(4))),
            change("channels[1]", None, Some(json!({"name": "voice"}))),
            change("gone", Some(json!(1)), None),
            change("new", None, Some(json!([1]))),
        ];
        assert_eq!(found, expected);
        assert_eq!(changes(Some(&before), Some(&before)), []);
        assert_eq!(changes(None, None), []);
    }

    #[test]
    fn secrets_texts_and_what_is_long_are_not_told() {
        let long = "x".repeat(2_000);
        let found = changes(
            Some(&json!({"webhook_secret": "a", "text": ""})),
            Some(&json!({"webhook_secret": "b", "text": long})),
        );
        let told = json!(found).to_string();
        assert!(!told.contains("\"a\"") && !told.contains("\"b\"") && told.len() < 600, "{told}");
        let body = json!({"text": "what somebody wrote", "agent": "ann", "tags": ["vip"], "fields": {"name": "Grace"}});
        assert_eq!(json!(said(body.to_string().as_bytes())), json!({"agent": "ann", "tags": ["vip"]}));
        assert!(said(b"no json").is_empty());
        let many = |from: u32| Value::Object((0..100).map(|at| (format!("m{at:03}"), json!(from + at))).collect());
        assert_eq!(changes(Some(&many(0)), Some(&many(1))).len(), CHANGES_MAX);
    }
}
