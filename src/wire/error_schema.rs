//! What an error looks like, as JSON Schema: on the socket, and as a problem over HTTP.

use super::error::{Code, WireError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        json_schema!({"type": "string", "enum": names, "description": "Stable: what programs go by"})
    }
}

/// `WireError`'s members, with those that only some errors have.
fn members(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let text = |says: &str| json!({"type": "string", "description": says});
    let count = |says: &str| json!({"type": "integer", "minimum": 0, "description": says});
    let members = json!({
        "code": generator.subschema_for::<Code>(),
        "message": text("For people; may change"),
        "field": text("What is at fault, where something is"),
        "retry_after_ms": count("Trying again makes sense then"),
        "end": {"type": "string", "description": "How the offer, or the decision, ended"},
        "state": text("Which state the conversation is in"),
        "reason": text("Why a token is not good, or nobody was signed in"),
        "what": text("Of which thing there are too many"),
        "rule": text("By which rule an agent cannot take a conversation"),
        "owner": {"type": ["string", "null"], "description": "Who owns the conversation now; null: nobody"},
        "opens_at": {"type": ["integer", "null"], "minimum": 0, "description": "When the queue opens, in Unix ms; null: nobody knows"},
        "first": text("The first cursor that is still there"),
        "max_bytes": count("How large it may be"),
        "allowed": {"type": "array", "items": {"type": "string"}, "description": "Which kinds may be"},
    });
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl JsonSchema for WireError {
    fn schema_name() -> Cow<'static, str> {
        "Error".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "properties": members(generator), "required": ["code", "message"]})
    }
}

/// The body of `application/problem+json`.
pub struct Problem;

impl JsonSchema for Problem {
    fn schema_name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = members(generator);
        properties.insert("type".into(), json!({"type": "string", "pattern": "^urn:offhook:problem:[a-z_]+$"}));
        properties.insert(
            "title".into(),
            json!({"type": "string", "description": "The same for each occurrence of this code"}),
        );
        properties.insert("status".into(), json!({"type": "integer"}));
        properties.insert("detail".into(), json!({"type": "string", "description": "The same as `message`"}));
        json_schema!({
            "description": "Why a call was not done (RFC 9457)",
            "type": "object",
            "properties": properties,
            "required": ["type", "title", "status", "detail", "code", "message"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::More;
    use super::*;

    #[test]
    fn every_member_that_an_error_may_have_is_in_its_schema() {
        let more = [
            More::End("expired"),
            More::State("closed".into()),
            More::Reason("missing"),
            More::What("queues".into()),
            More::Rule("channel_full"),
            More::Owner(None),
            More::OpensAt(None),
            More::MaxBytes(1),
            More::Allowed(Vec::new()),
            More::First("812".into()),
        ];
        let members = members(&mut SchemaGenerator::default());
        let mut seen = std::collections::BTreeSet::new();
        for more in more {
            let error = WireError { more: Some(more), ..WireError::busy(1).at("queue") };
            let problem: Value = serde_json::from_slice(&error.problem()).unwrap();
            let own = ["type", "title", "status", "detail"];
            for name in problem.as_object().unwrap().keys().filter(|name| !own.contains(&name.as_str())) {
                assert!(members.contains_key(name), "{name}");
                seen.insert(name.clone());
            }
        }
        assert_eq!(seen.len(), members.len(), "the schema has what no error has: {members:?}");
    }
}
