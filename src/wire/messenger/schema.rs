//! What the messenger's words look like, as JSON Schema: bodies, which are read by hand (bodies.rs), and the events of the stream one by one.

use super::{EMAIL_BYTES_MAX, StreamEvent};
use crate::desk::files::{FILES_EACH_MAX, FileId};
use crate::desk::ratings::{COMMENT_BYTES_MAX, SCORE_MAX, SCORE_MIN};
use crate::desk::settings::NAME_BYTES_MAX;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Writes down one schema.
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// `StartBody`.
pub fn start(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "StartBody",
        "type": "object",
        "properties": {
            "text": {"type": ["string", "null"], "minLength": 1, "description": "The first message: at most 16 KiB of UTF-8, unless set otherwise"},
            "name": {"type": ["string", "null"], "maxLength": NAME_BYTES_MAX},
            "channel": {"type": ["string", "null"], "maxLength": NAME_BYTES_MAX, "default": "chat"},
            "metadata": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "At most 4 KiB, unless set otherwise"},
            "or_message": {"type": ["boolean", "null"], "default": false, "description": "Should it be refused for now, it is a message that is left"},
        },
        "additionalProperties": false,
    })
}

/// What `parse_post` reads.
pub fn message(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "MessageBody",
        "type": "object",
        "properties": {
            "text": {"type": ["string", "null"], "description": "At most 16 KiB of UTF-8, unless set otherwise; may be empty where there are files"},
            "files": {"type": ["array", "null"], "items": FileId::json_schema(generator), "maxItems": FILES_EACH_MAX, "uniqueItems": true},
        },
        "anyOf": [
            {"required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
            {"required": ["files"], "properties": {"files": {"type": "array", "minItems": 1}}},
        ],
        "additionalProperties": false,
    })
}

/// What `parse_read` reads.
pub fn read(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "ReadBody",
        "type": "object",
        "properties": {"number": {"type": "integer", "minimum": 0, "maximum": u32::MAX}},
        "required": ["number"],
        "additionalProperties": false,
    })
}

/// What `parse_rating` reads.
pub fn rating(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "RatingBody",
        "type": "object",
        "properties": {
            "score": {"type": "integer", "minimum": SCORE_MIN, "maximum": SCORE_MAX},
            "comment": {"type": ["string", "null"], "maxLength": COMMENT_BYTES_MAX},
        },
        "required": ["score"],
        "additionalProperties": false,
    })
}

/// What `parse_contact` reads.
pub fn contact(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "ContactBody",
        "type": "object",
        "properties": {
            "name": {"type": ["string", "null"], "maxLength": NAME_BYTES_MAX},
            "email": {"type": ["string", "null"], "maxLength": EMAIL_BYTES_MAX, "description": "Empty: taken back"},
        },
        "anyOf": [
            {"required": ["name"], "properties": {"name": {"type": "string"}}},
            {"required": ["email"], "properties": {"email": {"type": "string"}}},
        ],
        "additionalProperties": false,
    })
}

/// What `parse_identify` reads.
pub fn identify(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "IdentifyBody",
        "type": "object",
        "properties": {"anonymous_token": {"type": "string", "minLength": 1, "maxLength": super::super::agent::TOKEN_BYTES_MAX}},
        "required": ["anonymous_token"],
        "additionalProperties": false,
    })
}

/// The stream's events: name, what each says, and its `data`. In the order in which `StreamEvent` has them.
pub const EVENTS: [(&str, &str, SchemaOf); 12] = [
    ("opened", "It was begun", event::<0>),
    ("message", "Somebody has written", event::<1>),
    ("joined", "An agent talks in it", event::<2>),
    ("requeued", "Its agent has gone, or has given it to a queue, and it waits again", event::<3>),
    ("ended", "It is over", event::<4>),
    ("reopened", "It goes on", event::<5>),
    ("left", "One of two agents is gone, and the other goes on", event::<6>),
    ("moved", "A rule has moved it, and it waits in another queue", event::<7>),
    ("state", "As of now, at the beginning and after each change; has no number", event::<8>),
    ("read", "The agent has read up to there; has no number", event::<9>),
    ("rated", "It was rated, in another tab perhaps; has no number", event::<10>),
    ("typing", "Its agent types, and perhaps what there is of the answer; has no number", event::<11>),
];

fn event<const PLACE: usize>(generator: &mut SchemaGenerator) -> Schema {
    let mut all = StreamEvent::json_schema(generator);
    let one = all.get_mut("anyOf").and_then(|all| all.get_mut(PLACE)).map(serde_json::Value::take);
    one.and_then(|one| one.try_into().ok()).expect("one schema for each event")
}

#[cfg(test)]
mod tests {
    use super::super::{MessageShape, TitleShape};
    use super::*;
    use std::collections::BTreeSet;

    /// One of each, in their order, with all that they may have.
    fn each() -> [StreamEvent<'static>; 12] {
        let (at, agent) = (1, TitleShape { title: "Ada" });
        let estimate = Some(crate::desk::estimates::Estimate { p50_ms: 1, p90_ms: 2 });
        let message = MessageShape {
            number: 1,
            author: "agent",
            notice: Some("reminder"),
            agent: Some(agent),
            text: "",
            at,
            files: &[],
        };
        [
            StreamEvent::Opened { at },
            StreamEvent::Message(message),
            StreamEvent::Joined { agent, at },
            StreamEvent::Requeued { at },
            StreamEvent::Ended { by: "agent", at },
            StreamEvent::Reopened { at },
            StreamEvent::Left { agent, at },
            StreamEvent::Moved { queue: "Sales", at },
            StreamEvent::State {
                state: "waiting",
                place: Some(1),
                opens_at: Some(1),
                estimate,
                agent: Some(agent),
                agent_connection: Some("online"),
            },
            StreamEvent::Read { number: 1 },
            StreamEvent::Rated { score: 5, at },
            StreamEvent::Typing { text: Some("so f") },
        ]
    }

    #[test]
    fn each_event_has_its_own_schema() {
        let mut generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
        for ((name, _, schema), event) in EVENTS.iter().zip(each()) {
            assert_eq!(*name, event.name());
            let mut schema = schema(&mut generator).to_value();
            if let Some(there) = schema["$ref"].as_str().map(|there| there.trim_start_matches("#/$defs/").to_owned()) {
                schema = generator.definitions()[&there].clone();
            }
            let data: serde_json::Value = serde_json::from_str(&event.data()).unwrap();
            let has: BTreeSet<String> = data.as_object().unwrap().keys().cloned().collect();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let files = BTreeSet::from(["files".to_owned()]);
            let may_have: BTreeSet<String> =
                properties.keys().cloned().collect::<BTreeSet<_>>().difference(&files).cloned().collect();
            assert_eq!(may_have, has, "{name}");
        }
    }
}
