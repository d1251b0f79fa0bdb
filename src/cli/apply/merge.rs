//! What is mentioned, laid over what is there. Pure.

use serde_json::{Map, Value};

pub(super) type Members = Map<String, Value>;

/// Settings as they would be. Channels and statuses are merged by name, in the places they have, new ones at the end
/// (what is stored names them by place); cool-downs by member; every other member is replaced whole.
pub(super) fn merged_settings(live: &Members, mentioned: &Members) -> Members {
    let mut merged = live.clone();
    for (name, value) in mentioned {
        let held = merged.get(name);
        let new = match (name.as_str(), held, value) {
            ("channels" | "statuses", Some(Value::Array(held)), Value::Array(entries)) => {
                Value::Array(merged_by_name(held, entries))
            }
            ("cool_downs", Some(Value::Object(held)), Value::Object(members)) => {
                Value::Object(merged_members(held, members))
            }
            ("entry_rules", _, Value::Array(rules)) => Value::Array(rules.iter().map(whole_rule).collect()),
            _ => value.clone(),
        };
        merged.insert(name.clone(), new);
    }
    merged
}

/// Members of one entry as they would be.
pub(super) fn merged_members(live: &Members, mentioned: &Members) -> Members {
    let mut merged = live.clone();
    for (name, value) in mentioned {
        merged.insert(name.clone(), value.clone());
    }
    merged
}

fn merged_by_name(held: &[Value], entries: &[Value]) -> Vec<Value> {
    let mut merged = held.to_vec();
    for entry in entries {
        let same = |other: &&mut Value| other.get("name") == entry.get("name");
        match (merged.iter_mut().find(same), entry) {
            (Some(Value::Object(held)), Value::Object(entry)) => *held = merged_members(held, entry),
            _ => merged.push(entry.clone()),
        }
    }
    merged
}

/// A rule with every member, as the server shows it, so that the same rule is seen to be the same.
fn whole_rule(rule: &Value) -> Value {
    let read: Result<crate::desk::settings::EntryRule, _> = serde_json::from_value(rule.clone());
    read.ok().and_then(|rule| serde_json::to_value(rule).ok()).unwrap_or_else(|| rule.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::declared::object;
    use super::*;

    #[test]
    fn channels_keep_their_places_and_new_ones_go_to_the_end() {
        let live = object(
            json!({"channels": [{"name": "chat", "weight": 33, "live": true}, {"name": "voice", "weight": 100}]}),
        );
        let file = object(json!({"channels": [{"name": "sms", "weight": 10}, {"name": "chat", "weight": 50}]}));
        assert_eq!(
            merged_settings(&live, &file)["channels"],
            json!([{"name": "chat", "weight": 50, "live": true}, {"name": "voice", "weight": 100}, {"name": "sms", "weight": 10}])
        );
    }

    #[test]
    fn what_is_not_mentioned_stays() {
        let live = object(json!({"cool_downs": {"rejected_ms": 1, "expired_ms": 2}, "devices_max": 5}));
        let file = object(json!({"cool_downs": {"expired_ms": 3}}));
        let merged = merged_settings(&live, &file);
        assert_eq!(Value::Object(merged), json!({"cool_downs": {"rejected_ms": 1, "expired_ms": 3}, "devices_max": 5}));
    }
}
