//! Schemas of all types that a document speaks of, each written down once under its name. What is sent and what is answered differ: a member
//! with a default may be left out of what is sent, and is always there in what is answered. A type that differs so is there twice, as sent
//! with `Sent` behind its name.

use super::super::http::calls::SchemaOf;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const AT: &str = "#/components/schemas/";

pub(super) struct Schemas {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = AT.trim_start_matches('#').trim_end_matches('/').to_owned().into();
                settings.meta_schema = None;
            })
        };
        Self {
            sent: settings().for_deserialize().into_generator(),
            answered: settings().for_serialize().into_generator(),
        }
    }

    /// As a client sends it.
    pub(super) fn sent(&mut self, schema: SchemaOf) -> Value {
        marked(schema(&mut self.sent).to_value())
    }

    /// As the server answers it.
    pub(super) fn answered(&mut self, schema: SchemaOf) -> Value {
        let mut schema = schema(&mut self.answered).to_value();
        opened(&mut schema);
        schema
    }

    /// Several at once, each with its name.
    pub(super) fn answered_each(
        &mut self,
        write: fn(&mut SchemaGenerator) -> Vec<(String, Value)>,
    ) -> Vec<(String, Value)> {
        let mut each = write(&mut self.answered);
        each.iter_mut().for_each(|(_, schema)| opened(schema));
        each
    }

    /// What they need, for `components.schemas`; references in `document` are set right.
    pub(super) fn finish(mut self, document: &mut Value) -> Map<String, Value> {
        let mut sent = self.sent.take_definitions(true);
        let mut all = self.answered.take_definitions(true);
        let differing = differing(&sent, &all);
        let to = |name: &str| if differing.contains(name) { format!("{name}Sent") } else { name.to_owned() };
        sent.values_mut().for_each(|schema| referring(schema, "", &to));
        // What is sent was marked, so that it is told from what is answered.
        referring(document, MARK, &to);
        all.values_mut().for_each(opened);
        all.extend(sent.into_iter().map(|(name, schema)| (to(&name), schema)));
        all.values_mut().chain([&mut *document]).for_each(plain);
        all
    }
}

/// Before the name in a reference from outside the definitions to what is sent.
const MARK: &str = "sent:";

fn marked(mut schema: Value) -> Value {
    referring(&mut schema, "", &|name: &str| format!("{MARK}{name}"));
    schema
}

/// Names whose schemas are not the same, or that speak of such.
fn differing(sent: &Map<String, Value>, answered: &Map<String, Value>) -> BTreeSet<String> {
    let both = sent.iter().filter_map(|(name, schema)| Some((name, schema, answered.get(name)?)));
    let mut found: BTreeSet<String> =
        both.filter(|(_, sent, answered)| sent != answered).map(|(name, ..)| name.clone()).collect();
    loop {
        let speaks = |schema: &Value| {
            let mut speaks = false;
            each_reference(schema, &mut |name| speaks |= found.contains(name));
            speaks
        };
        let more: Vec<String> = sent
            .iter()
            .filter(|(name, schema)| answered.contains_key(*name) && !found.contains(*name) && speaks(schema))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn each_reference(schema: &Value, see: &mut impl FnMut(&str)) {
    match schema {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str).and_then(|there| there.strip_prefix(AT)) {
                see(name);
            }
            members.values().for_each(|schema| each_reference(schema, see));
        }
        Value::Array(items) => items.iter().for_each(|schema| each_reference(schema, see)),
        _ => {}
    }
}

/// Renames what references name, of those whose name begins so.
fn referring(schema: &mut Value, begins: &str, to: &impl Fn(&str) -> String) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(there)) = members.get_mut("$ref")
                && let Some(name) = there.strip_prefix(AT).and_then(|name| name.strip_prefix(begins))
            {
                *there = format!("{AT}{}", to(name));
            }
            members.values_mut().for_each(|schema| referring(schema, begins, to));
        }
        Value::Array(items) => items.iter_mut().for_each(|schema| referring(schema, begins, to)),
        _ => {}
    }
}

/// An answer may get members that are not known yet.
fn opened(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("additionalProperties") == Some(&json!(false)) {
                members.remove("additionalProperties");
            }
            members.values_mut().for_each(opened);
        }
        Value::Array(items) => items.iter_mut().for_each(opened),
        _ => {}
    }
}

/// Numbers by their bounds, and not by names of Rust's for them; what may be anything as tools read it that know no schema `true`.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            // Beside a reference tools of older drafts see nothing.
            if members.contains_key("properties")
                && let Some(there) = members.remove("$ref")
            {
                members.insert("allOf".to_owned(), json!([{"$ref": there}]));
            }
            let properties = members.get_mut("properties").and_then(Value::as_object_mut);
            for anything in
                properties.into_iter().flat_map(Map::values_mut).filter(|schema| **schema == Value::Bool(true))
            {
                *anything = json!({});
            }
            let most = match members.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(Some(json!(u8::MAX))),
                Some("uint16") => Some(Some(json!(u16::MAX))),
                Some("uint32") => Some(Some(json!(u32::MAX))),
                Some("uint64" | "uint") => Some(None),
                _ => None,
            };
            if let Some(most) = most {
                members.remove("format");
                if let Some(most) = most {
                    members.entry("maximum").or_insert(most);
                }
            }
            members.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
