//! What agents' frames look like, as JSON Schema: those of clients, which are read by hand, frame by frame; the server's by their own types.

use super::{ServerFrame, TOKEN_BYTES_MAX};
use crate::desk::files::{FILES_EACH_MAX, FileId};
use crate::desk::ids::{ConversationId, CustomerId, OfferId};
use crate::desk::labels::{TAG_BYTES_MAX, TAGS_MAX};
use crate::desk::settings::{CHANNELS_MAX, NAME_BYTES_MAX};
use crate::wire::spelled::Spelled;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// A client's frame: its `type`, what it does, its members, and what they must satisfy besides.
struct Frame {
    name: &'static str,
    says: &'static str,
    members: Vec<(&'static str, bool, Value)>,
    also: Option<Value>,
}

impl Frame {
    /// It must have this member.
    fn has(mut self, name: &'static str, schema: Value) -> Self {
        self.members.push((name, true, schema));
        self
    }

    /// It may have this member; `null` is the same as none.
    fn may(mut self, name: &'static str, schema: Value) -> Self {
        self.members.push((name, false, json!({"anyOf": [schema, {"type": "null"}]})));
        self
    }

    fn one_of(mut self, members: &[&str]) -> Self {
        let each: Vec<Value> = members
            .iter()
            .map(|name| json!({"required": [name], "properties": {*name: {"not": {"type": "null"}}}}))
            .collect();
        self.also = Some(json!({"oneOf": each}));
        self
    }

    fn at_page(self, limit: u32) -> Self {
        self.may("cursor", json!({"type": "string", "maxLength": NAME_BYTES_MAX})).limited(limit)
    }

    fn limited(self, limit: u32) -> Self {
        self.may("limit", json!({"type": "integer", "minimum": 1, "maximum": 200, "default": limit}))
    }

    /// The members of `label`.
    fn labels(self) -> Self {
        let tags =
            json!({"type": "array", "maxItems": TAGS_MAX, "items": {"type": "string", "maxLength": TAG_BYTES_MAX}});
        let value = json!({"type": ["string", "number", "boolean", "null"]});
        self.may("disposition", name())
            .may("tags", tags)
            .may("fields", json!({"type": "object", "additionalProperties": value}))
    }

    fn schema(self) -> Value {
        let Self { name, says, members, also } = self;
        let id = json!({"type": "string", "pattern": "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"});
        let mut properties = Map::from_iter([("type".to_owned(), json!({"const": name})), ("id".to_owned(), id)]);
        let mut required = vec!["type", "id"];
        for (name, needed, schema) in members {
            properties.insert(name.to_owned(), schema);
            required.extend(needed.then_some(name));
        }
        let mut schema = json!({"type": "object", "description": says, "properties": properties, "required": required,
            "additionalProperties": false});
        if let (Some(Value::Object(also)), Some(members)) = (also, schema.as_object_mut()) {
            members.extend(also);
        }
        schema
    }
}

fn frame(name: &'static str, says: &'static str) -> Frame {
    Frame { name, says, members: Vec::new(), also: None }
}

fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX})
}

fn text() -> Value {
    json!({"type": "string", "minLength": 1, "description": "At most 16 KiB of UTF-8, unless set otherwise"})
}

fn of<T: JsonSchema>() -> Value {
    T::json_schema(&mut SchemaGenerator::default()).to_value()
}

fn conversation() -> Value {
    of::<Spelled<ConversationId>>()
}

fn offer() -> Value {
    of::<Spelled<OfferId>>()
}

fn watched() -> Value {
    json!({"enum": ["queues", "agents"]})
}

/// A client's frames, by `type`.
#[must_use]
pub fn from_client() -> Vec<(&'static str, Value)> {
    let frames = [itself(), offers(), talking(), moving(), looking()];
    frames.into_iter().flatten().map(|frame| (frame.name, frame.schema())).collect()
}

/// About the agent itself.
fn itself() -> Vec<Frame> {
    let channels = json!({"type": "array", "items": name(), "maxItems": CHANNELS_MAX});
    vec![
        frame("set_status", "Chooses a status, and the channels that are switched on")
            .has("status", name())
            .may("channels", channels),
        frame("next_status", "The status for when its work is over; none: none any more").may("status", name()),
        frame("force_status", "A supervisor sets another's").has("agent", name()).has("status", name()),
        frame("ready", "It is there again"),
        frame("input", "Somebody did something at this device; no reply is sent"),
        frame("refresh", "A new token")
            .has("token", json!({"type": "string", "minLength": 1, "maxLength": TOKEN_BYTES_MAX})),
        frame("own", "The next page of what is its own")
            .has("cursor", json!({"type": "string", "maxLength": NAME_BYTES_MAX})),
        frame("sign_out", "Signs out, on all devices"),
    ]
}

fn offers() -> Vec<Frame> {
    vec![
        frame("delivered", "The offer was painted, or a notification raised").has("offer", offer()),
        frame("accept", "Accepts it").has("offer", offer()),
        frame("reject", "Declines it").has("offer", offer()).has("reason", name()),
    ]
}

fn talking() -> Vec<Frame> {
    let about = |name, says| frame(name, says).has("conversation", conversation());
    let number = || json!({"type": "integer", "minimum": 0, "maximum": u32::MAX});
    let files = json!({"type": "array", "items": of::<FileId>(), "maxItems": FILES_EACH_MAX, "uniqueItems": true});
    let either = json!({"anyOf": [
        {"required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
        {"required": ["files"], "properties": {"files": {"type": "array", "minItems": 1}}}]});
    let send = about("send", "Writes a message").may("text", json!({"type": "string"})).may("files", files);
    vec![
        Frame { also: Some(either), ..send },
        about("read", "What came so far has been read").has("number", number()),
        about("typing", "Something is being typed, and what there is of the answer; no reply is sent when it is done")
            .may("text", json!({"type": "string"})),
        about("close", "Ends the talk, perhaps with labels").labels(),
        about("wrap_up_done", "Ends wrap-up, perhaps with labels").labels(),
        about("label", "Labels it: what is absent stays as it is").labels(),
        frame("label_rules", "What may be set in conversations of this queue").has("queue", name()),
        about("extend_wrap_up", "More time"),
        about("note", "Writes an internal note").has("text", text()),
        about("notes", "Internal notes").may("after", number()).limited(50),
        Frame {
            also: Some(json!({"not": {"required": ["after", "before"], "properties": {"after": {"type": "integer"}, "before": {"type": "integer"}}}})),
            ..about("history", "Messages: the last ones, without `after` or `before`").may("after", number()).may("before", number()).limited(50)
        },
        frame("start", "Begins a conversation with somebody who has written here")
            .has("customer", json!({"type": "string", "pattern": "^[0-9a-fA-F-]{32,36}$", "description": of::<CustomerId>()["pattern"]}))
            .has("queue", name())
            .may("channel", json!({"type": "string", "maxLength": NAME_BYTES_MAX, "default": "chat"}))
            .may("text", text()),
    ]
}

fn moving() -> Vec<Frame> {
    let about = |name, says| frame(name, says).has("conversation", conversation());
    let force = || json!({"type": "boolean", "default": false});
    vec![
        about("transfer", "Gives it to an agent, by an offer, or to a queue")
            .may("agent", name())
            .may("warm", json!({"type": "boolean", "default": false}))
            .may("queue", name())
            .may("waiting_since", json!({"type": "integer", "minimum": 0}))
            .one_of(&["agent", "queue"]),
        about("cancel_transfer", "Takes the offer back, or lets the one go who has joined"),
        about("hand_over", "The one who has joined owns it from now on"),
        about("leave", "Who has joined goes"),
        frame("waiting", "What waits in a queue that may be picked from").has("queue", name()).at_page(50),
        about("pick", "Takes what waits"),
        about("claim", "A supervisor takes it").may("expected_owner", name()).may("force", force()),
        about("reassign", "A supervisor gives it to an agent")
            .has("agent", name())
            .may("expected_owner", name())
            .may("force", force()),
        frame("drain", "Offers an agent, or lets a queue take, nothing new; or something again")
            .has("on", json!({"type": "boolean"}))
            .may("agent", name())
            .may("queue", name())
            .may("to", name())
            .one_of(&["agent", "queue"]),
    ]
}

fn looking() -> Vec<Frame> {
    vec![
        frame("watch", "A page of rows, and what changes in it; with an `order`, a sheet of agents")
            .has("what", watched())
            .may("order", json!({"enum": ["name", "load", "since"]}))
            .may("connection", json!({"enum": ["here", "online", "reconnecting", "unreachable", "offline"]}))
            .may("status", name())
            .may("queue", name())
            .may("find", json!({"type": "string", "maxLength": NAME_BYTES_MAX}))
            .may("skip", json!({"type": "integer", "minimum": 0, "maximum": 100_000}))
            .at_page(100),
        frame("unwatch", "No more of that").has("what", watched()),
        frame("why", "What stands between a conversation, or an agent, and an offer")
            .may("conversation", conversation())
            .may("agent", name())
            .one_of(&["conversation", "agent"]),
        frame("held", "What an agent holds")
            .has("agent", name())
            .may("cursor", json!({"type": "string", "maxLength": NAME_BYTES_MAX})),
        frame("health", "How the server's parts stand"),
        frame("directory", "Whom, or what, a conversation may be given to").has("what", watched()).at_page(100),
    ]
}

/// The server's frames, each by its `type`, in the order of `ServerFrame`.
#[must_use]
pub fn from_server(generator: &mut SchemaGenerator) -> Vec<(String, Value)> {
    let mut all = ServerFrame::json_schema(generator).to_value();
    let each = all["oneOf"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let named = |schema: Value| Some((schema["properties"]["type"]["const"].as_str()?.to_owned(), schema));
    each.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, parse};
    use super::*;
    use std::collections::BTreeSet;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    /// Something that fits the schema of a member.
    fn sample(schema: &Value) -> Value {
        if let Some(of) = schema["anyOf"].as_array() {
            return sample(&of[0]);
        }
        if let Some(example) = schema["examples"].get(0) {
            return example.clone();
        }
        if let Some(word) = schema["enum"].get(0) {
            return word.clone();
        }
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
        match (kind, schema["pattern"].as_str()) {
            (Some("string"), Some(pattern)) if pattern.starts_with("^f_") => json!(format!("f_{ID}")),
            (Some("string"), Some(_)) => json!(ID),
            (Some("string"), None) => json!("c1"),
            (Some("integer"), _) => json!(1),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => json!([sample(&schema["items"])]),
            (Some("object"), _) => json!({}),
            other => panic!("{other:?}: {schema}"),
        }
    }

    fn built(name: &str, schema: &Value, members: impl Fn(&str) -> bool) -> Value {
        let mut frame = json!({"type": name, "id": ID});
        for (member, schema) in schema["properties"].as_object().unwrap() {
            if members(member) && member != "type" && member != "id" {
                frame[member] = sample(schema);
            }
        }
        frame
    }

    /// Members of which a frame has one and not the other.
    const NOT_BOTH: [(&str, &str); 4] =
        [("agent", "queue"), ("conversation", "agent"), ("after", "before"), ("order", "cursor")];

    #[test]
    fn a_frame_is_read_with_what_its_schema_has_and_with_nothing_else() {
        for (name, schema) in from_client() {
            let required: BTreeSet<&str> =
                schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let properties = schema["properties"].as_object().unwrap();
            let read = |frame: &Value| parse(&frame.to_string(), &Limits::default());
            // Each member is taken: with what is required, and the first of those of which one must be there.
            let least = |member: &str| {
                let one =
                    schema["oneOf"][0]["required"][0].as_str().or_else(|| schema["anyOf"][0]["required"][0].as_str());
                required.contains(member) || one == Some(member)
            };
            for member in properties.keys() {
                let excluded = |other: &str| {
                    NOT_BOTH.iter().any(|(a, b)| (*a, *b) == (member, other) || (*a, *b) == (other, member))
                        && !required.contains(other)
                        && !required.contains(member.as_str())
                };
                let mut frame = built(name, &schema, |other| (least(other) && !excluded(other)) || other == member);
                // These belong to one of the two.
                match (name, member.as_str()) {
                    ("transfer", "waiting_since") | ("drain", "to") => {
                        frame.as_object_mut().unwrap().remove("agent");
                        frame["queue"] = json!("support");
                    }
                    ("watch", "connection" | "status" | "queue" | "find" | "skip" | "order") => {
                        frame["what"] = json!("agents");
                        frame["order"] = json!("name");
                    }
                    ("own" | "held" | "waiting", "cursor") => continue,
                    _ => {}
                }
                if name == "own" {
                    continue;
                }
                let said = read(&frame);
                assert!(said.is_ok(), "{frame}: {said:?}");
            }
            let least_frame = built(name, &schema, least);
            let mut unknown = least_frame.clone();
            unknown["weather"] = json!("fine");
            assert!(read(&unknown).is_err(), "{unknown}");
            for member in &required {
                let mut without = least_frame.clone();
                without.as_object_mut().unwrap().remove(*member);
                assert!(read(&without).is_err(), "{without}");
            }
        }
    }

    /// The first cells of the table under this heading.
    fn documented(heading: &str) -> BTreeSet<String> {
        let text = include_str!("../../../docs/wire.md");
        let part = text.split_once(&format!("\n{heading}\n")).unwrap().1.split_once("\n### ").unwrap().0;
        let rows = part.lines().filter(|line| line.starts_with("| `"));
        rows.filter_map(|row| row.split('|').nth(1))
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_frames_are_those_of_the_document() {
        let client: BTreeSet<String> = from_client().into_iter().map(|(name, _)| name.to_owned()).collect();
        let mut told = documented("### From the client");
        // Of one row: what it has besides.
        told.remove("order");
        assert_eq!(client, told);
        let mut generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
        let server: BTreeSet<String> = from_server(&mut generator).into_iter().map(|(name, _)| name).collect();
        let mut told = documented("### From the server");
        told.extend(["welcome".to_owned(), "snapshot".to_owned()]);
        assert_eq!(server, told);
    }
}
