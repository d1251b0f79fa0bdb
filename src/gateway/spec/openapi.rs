//! The document of the calls, OpenAPI 3.1: what the tables say, with every answer and every code.

use super::super::http::calls::{Answer, Content, Member, Routed, SchemaOf, Who};
use super::schemas::Schemas;
use crate::wire::error::Code;
use crate::wire::error_schema::Problem;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SAYS: &str = "Offhook keeps the roll of which agents are present, and offers each waiting conversation to the right one. \
    Rules that hold for all calls (pages, retries, conditional changes, rates, versions) are in docs/api.md, what a client of the sockets \
    and streams needs in docs/wire.md and /asyncapi.json. Times are Unix milliseconds (`…_at`) or milliseconds left (`…_ms`). \
    Members of answers that are not known must be ignored.";

/// By the name of their answer: its status, and the codes that it may have.
type Problems = BTreeMap<String, (u16, BTreeSet<Code>)>;

pub(super) fn document(calls: &[Routed]) -> Value {
    let mut schemas = Schemas::new();
    let mut problems = Problems::new();
    let mut paths: Map<String, Value> = Map::new();
    for routed in calls {
        let operation = operation(routed, &mut schemas, &mut problems);
        let path = paths.entry(routed.path.clone()).or_insert_with(|| json!({}));
        path[routed.method.as_str().to_lowercase()] = operation;
        let parameters = path_parameters(&routed.path);
        if !parameters.is_empty() {
            path["parameters"] = parameters.into();
        }
    }
    let groups: BTreeMap<&str, &str> = calls.iter().map(|routed| (routed.group.name, routed.group.says)).collect();
    let tags: Vec<Value> = groups.iter().map(|(name, says)| json!({"name": name, "description": says})).collect();
    let problem = schemas.answered(|generator| generator.subschema_for::<Problem>());
    let responses: Map<String, Value> = problems
        .into_iter()
        .map(|(name, (status, codes))| (name, problem_response(status, &codes, &problem)))
        .collect();
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Offhook",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The calls of the public port",
            "description": SAYS,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document was read"}],
        "tags": tags,
        "paths": paths,
        "components": {"responses": responses, "securitySchemes": security_schemes()},
    });
    let schemas = schemas.finish(&mut document);
    document["components"]["schemas"] = schemas.into();
    document
}

fn operation(routed: &Routed, schemas: &mut Schemas, problems: &mut Problems) -> Value {
    let call = &routed.call;
    let says = if call.says.is_empty() { Value::Null } else { call.says.into() };
    let of = |place: &'static str| move |member: &Member| parameter(member, place);
    let parameters: Vec<Value> =
        call.query.iter().map(of("query")).chain(call.headers.iter().map(of("header"))).collect();
    let mut operation = json!({
        "operationId": call.id,
        "tags": [routed.group.name],
        "summary": call.summary,
        "responses": responses(routed, schemas, problems),
        "security": security(call.who),
    });
    if !says.is_null() {
        operation["description"] = says;
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some((content, required)) = &call.body {
        let (kind, content) = media(content, |schema| schemas.sent(schema));
        operation["requestBody"] = json!({"required": required, "content": {kind: content}});
    }
    if !call.events.is_empty() {
        let events: Map<String, Value> = call
            .events
            .iter()
            .map(|event| {
                (event.event.to_owned(), json!({"description": event.says, "data": schemas.answered(event.data)}))
            })
            .collect();
        operation["x-events"] = events.into();
    }
    operation
}

fn parameter(member: &Member, place: &str) -> Value {
    let Member { name, says, required, schema } = member;
    json!({"name": name, "in": place, "description": says, "required": required, "schema": schema})
}

fn media(content: &Content, write: impl FnOnce(SchemaOf) -> Value) -> (&'static str, Value) {
    match content {
        Content::Json { schema, example } => {
            let mut media = json!({"schema": write(*schema)});
            if let Some(example) = example {
                media["example"] = example.clone();
            }
            ("application/json", media)
        }
        Content::Other { kind, schema } => (kind, json!({"schema": schema})),
        Content::As { kind, schema } => (kind, json!({"schema": write(*schema)})),
    }
}

fn responses(routed: &Routed, schemas: &mut Schemas, problems: &mut Problems) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for Answer { status, says, content, headers } in &routed.call.answers {
        let mut response = json!({"description": says});
        for content in content {
            let (kind, media) = media(content, |schema| schemas.answered(schema));
            response["content"][kind] = media;
        }
        for Member { name, says, required, schema } in headers {
            response["headers"][*name] = json!({"description": says, "required": required, "schema": schema});
        }
        responses.insert(status.to_string(), response);
    }
    let mut by_status: BTreeMap<u16, BTreeSet<Code>> = BTreeMap::new();
    for code in routed.group.codes.iter().chain(&routed.call.codes) {
        for status in statuses(*code) {
            by_status.entry(status).or_default().insert(*code);
        }
    }
    for (status, codes) in by_status {
        let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
        let name = format!("{status}.{}", names.join("."));
        let there = json!({"$ref": format!("#/components/responses/{name}")});
        // What a call says itself of a status goes before its group's.
        responses.entry(status.to_string()).or_insert(there);
        problems.insert(name, (status, codes));
    }
    json!(responses)
}

/// Those that a code is told by.
fn statuses(code: Code) -> Vec<u16> {
    match code {
        // Of a rate it is told as every rate is.
        Code::Quota => vec![code.status(), Code::RateLimited.status()],
        _ => vec![code.status()],
    }
}

fn problem_response(status: u16, codes: &BTreeSet<Code>, problem: &Value) -> Value {
    let says: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.name(), code.title())).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let only = json!({"properties": {"code": {"enum": names}, "status": {"const": status}}});
    let mut response = json!({
        "description": says.join(". "),
        "content": {"application/problem+json": {"schema": {"allOf": [problem, only]}}},
    });
    match status {
        401 => response["headers"]["WWW-Authenticate"] = json!({"required": true, "schema": {"type": "string"}}),
        429 | 503 => {
            let says = "In whole seconds, rounded up; `retry_after_ms` is what it is rounded from";
            response["headers"]["Retry-After"] =
                json!({"description": says, "required": true, "schema": {"type": "string", "pattern": "^[0-9]+$"}});
        }
        _ => {}
    }
    response
}

/// What stands in braces in a path.
fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names
        .map(|name| {
            let (says, pattern, example) = match name {
                "workspace" => ("The workspace's name", "^[a-z0-9][a-z0-9-]{0,62}$", "demo"),
                "queue" => ("The queue's name", "^[^/]{1,128}$", "support"),
                "agent" => ("The agent's name: its token's `sub`", "^[^/]{1,128}$", "ada"),
                "conversation" => ("The conversation", "^c[0-9]{1,18}$", "c17"),
                "key" => ("The key's id", "^[0-9A-Za-z]{1,64}$", "4dXq1PzR0aBc"),
                "signin" => ("The sign-in", "^[0-9a-f]{32}$", "0123456789abcdef0123456789abcdef"),
                "channel" => ("The channel's name", "^[^/]{1,128}$", "email"),
                "number" => ("The message's number in its conversation", "^[1-9][0-9]{0,8}$", "2"),
                "file" => ("The file", "^f_[0-9a-f]{32}$", "f_0123456789abcdef0123456789abcdef"),
                "customer" => ("The customer", "^[0-9a-f]{32}$", "0f8fad5bd9cb469fa16570867728950e"),
                "webhook" => ("The endpoint's name", "^[0-9A-Za-z_-]{1,64}$", "crm"),
                "source" => ("The system that it was had in, by a name of yours", "^[a-z0-9_-]{1,32}$", "zendesk"),
                "id" => ("What that system calls it", "^[^/\\s]{1,255}$", "35436"),
                "part" => ("Which part, from 2", "^[1-9][0-9]{0,2}$", "2"),
                // A test says which one it is.
                _ => ("", "^[^/]+$", ""),
            };
            let schema = json!({"type": "string", "pattern": pattern, "examples": [example]});
            json!({"name": name, "in": "path", "required": true, "description": says, "schema": schema})
        })
        .collect()
}

fn security(who: Who) -> Value {
    match who {
        Who::Everybody | Who::Provider => json!([]),
        Who::Admin { scope, role } => json!([{"api_key": [scope]}, {"agent_token": [role]}]),
        Who::Agent => json!([{"agent_token": ["agent"]}]),
        Who::Customer => json!([{"customer_token": []}]),
        Who::Visitor => json!([{"customer_token": []}, {}]),
        Who::Follower => json!([{"customer_token": []}, {"ticket": []}]),
        Who::Browser => json!([{"session": []}]),
    }
}

fn security_schemes() -> Value {
    json!({
        "api_key": {"type": "http", "scheme": "bearer", "bearerFormat": "ohk_…",
            "description": "An API key; what is named beside it is the scope that it needs"},
        "agent_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An agent's token, of the role that is named beside it or a higher one"},
        "customer_token": {"type": "http", "scheme": "bearer", "bearerFormat": "ohv1.… or JWT",
            "description": "An anonymous customer's token, as the first start answers with, or a known one's, signed by the workspace's own backend"},
        "ticket": {"type": "apiKey", "in": "query", "name": "ticket",
            "description": "For one stream, for reading and nothing else"},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-offhook-demo",
            "description": "What signing in has left in the browser; its name ends with the workspace's"},
    })
}
