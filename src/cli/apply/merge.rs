//! What is mentioned, laid over what is there. Pure.

use crate::desk::settings::{QueueSettings, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(in crate::cli) type Members = Map<String, Value>;

/// Objects that are merged by member, wherever they stand; every other object or list is replaced whole.
const MERGED: [&str; 18] = [
    "by_language",
    "cool_downs",
    "hours",
    "labels",
    "left_messages",
    "messenger",
    "moves",
    "offering",
    "preferred_agent",
    "rating",
    "router",
    "service",
    "silence",
    "silent_customer",
    "silent_owner",
    "texts",
    "waiting",
    "wrap_up",
];

/// Settings as they would be. Channels and statuses are merged by name, in the places they have, new ones at the end
/// (what is stored names them by place).
pub(in crate::cli) fn merged_settings(live: &Members, mentioned: &Members) -> Members {
    let mut merged = merged_members(live, mentioned);
    for name in ["channels", "statuses"] {
        if let (Some(Value::Array(held)), Some(Value::Array(entries))) = (live.get(name), mentioned.get(name)) {
            merged.insert(name.to_owned(), Value::Array(merged_by_name(held, entries)));
        }
    }
    whole::<Settings>(merged)
}

/// A queue as it would be.
pub(in crate::cli) fn merged_queue(live: &Members, mentioned: &Members) -> Members {
    whole::<QueueSettings>(merged_members(live, mentioned))
}

/// Members of one entry as they would be.
pub(in crate::cli) fn merged_members(live: &Members, mentioned: &Members) -> Members {
    let mut merged = live.clone();
    for (name, value) in mentioned {
        let new = match (merged.get(name), value) {
            (Some(Value::Object(held)), Value::Object(members)) if MERGED.contains(&name.as_str()) => {
                Value::Object(merged_members(held, members))
            }
            _ => value.clone(),
        };
        merged.insert(name.clone(), new);
    }
    merged
}

/// With every member that was left out, as the server shows it, so that the same is seen to be the same. What cannot be
/// read here goes on as it is: the server says what is wrong with it.
fn whole<T: Serialize + DeserializeOwned>(members: Members) -> Members {
    let read: Option<T> = serde_json::from_value(Value::Object(members.clone())).ok();
    match read.and_then(|read| serde_json::to_value(read).ok()) {
        Some(Value::Object(whole)) => whole,
        _ => members,
    }
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
        assert_eq!((&merged["cool_downs"]["rejected_ms"], &merged["cool_downs"]["expired_ms"]), (&json!(1), &json!(3)));
        assert_eq!(merged["devices_max"], json!(5));
    }

    #[test]
    fn what_a_queues_offering_leaves_out_stays_and_is_seen_to_be_the_same() {
        let live = object(json!(QueueSettings::named("sales")));
        let file = object(json!({"name": "sales", "offering": {
            "rings": [{"after_ms": 60_000, "drop": ["french"]}], "preferred_agent": {"preferred_ms": 5}}}));
        let once = merged_queue(&live, &file);
        assert_eq!(once["offering"]["preferred_agent"]["when_offline"], json!("skip"));
        assert_eq!(once["offering"]["rings"][0]["lower"], json!({}));
        assert_eq!(merged_queue(&once, &file), once);
        // A router is switched off and on again with the time that it has.
        let routed = |router: Value| object(json!({"name": "sales", "offering": {"router": router}}));
        let outside = merged_queue(&once, &routed(json!({"by": "outside", "within_ms": 500})));
        let off = merged_queue(&outside, &routed(json!({"by": "offhook"})));
        assert_eq!(merged_queue(&off, &routed(json!({"by": "outside"}))), outside);
    }
}
