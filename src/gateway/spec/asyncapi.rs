//! The document of what is said on sockets and streams, AsyncAPI 3.0: agents' frames in both directions, and the events of every stream that
//! a call answers with.

use super::super::http::calls::Routed;
use super::schemas::Schemas;
use crate::wire::agent::schema::{from_client, from_server};
use crate::wire::close::CloseCode;
use serde_json::{Map, Value, json};

const SAYS: &str = "What is said on the agents' socket and on event streams. How a client behaves is in docs/wire.md, what is called over HTTP in \
    /openapi.json. Frames are JSON in text; `position` is the place in the workspace's journal that one rests on. Members and types that are \
    not known must be ignored.";

const AGENTS: &str = "agents";

pub(super) fn document(calls: &[Routed]) -> Value {
    let mut schemas = Schemas::new();
    let mut spoken = Spoken::default();
    let of_server = schemas.answered_each(from_server);
    spoken.channel(AGENTS, agents_channel());
    for (name, schema) in from_client() {
        spoken.message(AGENTS, "from_agent", name, "", schema);
    }
    for (name, schema) in of_server {
        spoken.message(AGENTS, "to_agent", &name, "", schema);
    }
    spoken.operation(
        "from_agent",
        AGENTS,
        "receive",
        "What a client sends, each with a fresh `id`, and each answered by one `reply`",
    );
    spoken.operation("to_agent", AGENTS, "send", "What the server sends: `welcome` first and once");
    for routed in calls.iter().filter(|routed| !routed.call.events.is_empty()) {
        let id = routed.call.id;
        spoken.channel(id, json!({"address": routed.path, "title": routed.call.summary, "parameters": parameters(&routed.path), "messages": {}}));
        for event in &routed.call.events {
            let data = schemas.answered(event.data);
            spoken.message(id, id, event.event, event.says, data);
        }
        spoken.operation(id, id, "send", "Server-sent events: `name` is the event's, `payload` its `data`");
    }
    let Spoken { channels, operations, messages } = spoken;
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Offhook",
            "version": env!("CARGO_PKG_VERSION"),
            "description": SAYS,
            "license": {"name": "Apache License 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
        "x-close-codes": close_codes(),
    });
    let schemas = schemas.finish(&mut document);
    document["components"]["schemas"] = schemas.into();
    document
}

#[derive(Default)]
struct Spoken {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

impl Spoken {
    fn channel(&mut self, name: &str, channel: Value) {
        self.channels.insert(name.to_owned(), channel);
    }

    /// A message of a channel, which `operation` speaks of.
    fn message(&mut self, channel: &str, operation: &str, name: &str, says: &str, payload: Value) {
        let key = format!("{operation}.{name}");
        let says = payload["description"].as_str().filter(|_| says.is_empty()).unwrap_or(says).to_owned();
        let mut message = json!({"name": name, "payload": payload});
        if !says.is_empty() {
            message["summary"] = says.into();
        }
        self.channels[channel]["messages"][&key] = json!({"$ref": format!("#/components/messages/{key}")});
        self.messages.insert(key, message);
    }

    fn operation(&mut self, name: &str, channel: &str, action: &str, says: &str) {
        let begins = format!("{name}.");
        let keys = self.channels[channel]["messages"].as_object().into_iter().flat_map(Map::keys);
        let messages: Vec<Value> = keys
            .filter(|key| key.starts_with(&begins))
            .map(|key| json!({"$ref": format!("#/channels/{channel}/messages/{key}")}))
            .collect();
        let there = json!({"$ref": format!("#/channels/{channel}")});
        self.operations.insert(
            name.to_owned(),
            json!({"action": action, "channel": there, "summary": says, "messages": messages}),
        );
    }
}

fn agents_channel() -> Value {
    json!({
        "address": "/v1/agent",
        "title": "Agents' socket",
        "description": "A WebSocket with the subprotocol offhook.agent.v1. The token comes as `Authorization: Bearer …`, or as one more \
            subprotocol, offhook.token.<jwt>; a return ticket as offhook.ticket.<ticket>.",
        "bindings": {"ws": {"method": "GET", "headers": {
            "type": "object",
            "required": ["Sec-WebSocket-Protocol"],
            "properties": {"Sec-WebSocket-Protocol": {"type": "string"}, "Authorization": {"type": "string"}},
        }, "bindingVersion": "0.1.0"}},
        "messages": {},
    })
}

fn parameters(path: &str) -> Value {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    Value::Object(names.map(|name| (name.to_owned(), json!({"description": format!("The {name}")}))).collect())
}

/// By which code the server closes an agent's socket, and why.
fn close_codes() -> Value {
    let codes = CloseCode::ALL.iter().map(|code| (code.number().to_string(), json!(code.name())));
    Value::Object(codes.collect())
}
