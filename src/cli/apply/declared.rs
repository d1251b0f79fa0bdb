//! What a file declares of a workspace: only what it mentions, each entry checked against the shape the server takes.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::merge::Members;
use crate::desk::command::AgentAsk;
use crate::desk::settings::{Channel, CoolDowns, EntryRule, QueueSettings, Settings, Status};
use crate::engine::OwnQuota;
use crate::gateway::admin::WishedWebhook;

/// A file's content. Queues, agents and webhooks hold the members that the file mentions, `name` among them.
#[derive(Debug, Default)]
pub(in crate::cli) struct Declared {
    pub workspace: Option<String>,
    pub settings: Members,
    /// What the server's operator allows it.
    pub quota: Members,
    pub queues: Vec<Members>,
    pub agents: Vec<Members>,
    pub webhooks: Vec<Members>,
}

/// What is wrong with the file, and at which field.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(in crate::cli) enum Wrong {
    #[error("{0}")]
    Syntax(String),
    #[error("{field}: {what}")]
    Field { field: String, what: String },
}

impl Wrong {
    pub fn at(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Field { field: field.into(), what: what.into() }
    }
}

impl Declared {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        Self::of(sections(text)?)
    }

    /// The sections of a file, or those that are left of one that has others too.
    pub fn of(file: Members) -> Result<Self, Wrong> {
        let mut declared = Self::default();
        for (section, value) in file {
            match (section.as_str(), value) {
                ("workspace", Value::String(name)) => declared.workspace = Some(name),
                ("workspace", _) => return Err(Wrong::at(section, "a name in quotes")),
                ("settings", Value::Object(settings)) => declared.settings = settings,
                ("settings", _) => return Err(Wrong::at(section, "a table: [settings]")),
                ("quota", Value::Object(quota)) => declared.quota = quota,
                ("quota", _) => return Err(Wrong::at(section, "a table: [quota]")),
                ("queues", value) => declared.queues = entries("queues", value)?,
                ("agents", value) => declared.agents = entries("agents", value)?,
                ("webhooks", value) => declared.webhooks = entries("webhooks", value)?,
                _ => {
                    let known =
                        "unknown; there are workspace, [settings], [quota], [[queues]], [[agents]], [[webhooks]]";
                    return Err(Wrong::at(section, known));
                }
            }
        }
        declared.check()?;
        Ok(declared)
    }

    /// Each member by itself; what must hold between them, the server checks.
    fn check(&self) -> Result<(), Wrong> {
        self.check_settings()?;
        members_fit::<OwnQuota>("quota", &Map::new(), &self.quota)?;
        let queue = object(json!(QueueSettings::named("")));
        for (place, queue_members) in self.queues.iter().enumerate() {
            members_fit::<QueueSettings>(&format!("queues[{place}]"), &queue, queue_members)?;
        }
        let agent = object(json!({"name": ""}));
        for (place, agent_members) in self.agents.iter().enumerate() {
            members_fit::<AgentAsk>(&format!("agents[{place}]"), &agent, agent_members)?;
        }
        let webhook = object(json!({"url": ""}));
        for (place, webhook_members) in self.webhooks.iter().enumerate() {
            let mut sent = webhook_members.clone();
            // It is in the path.
            sent.remove("name");
            members_fit::<WishedWebhook>(&format!("webhooks[{place}]"), &webhook, &sent)?;
        }
        Ok(())
    }

    fn check_settings(&self) -> Result<(), Wrong> {
        for (name, value) in &self.settings {
            let field = format!("settings.{name}");
            match (name.as_str(), value) {
                // Entries of these lists may be partial: what they leave out stays as it is.
                ("channels", Value::Array(_)) => {
                    let base =
                        json!({"name": "", "capacity": 0, "weight": 0, "offer_ms": 0, "wrap_up_ms": 0, "live": true});
                    list_fits::<Channel>(&field, &object(base), value)?;
                }
                ("statuses", Value::Array(_)) => {
                    list_fits::<Status>(&field, &object(json!({"name": "", "available": false})), value)?;
                }
                ("cool_downs", Value::Object(members)) => {
                    members_fit::<CoolDowns>(&field, &object(json!(CoolDowns::default())), members)?;
                }
                ("entry_rules", Value::Array(rules)) => {
                    for (place, rule) in rules.iter().enumerate() {
                        let base = object(json!(EntryRule::default()));
                        members_fit::<EntryRule>(&format!("{field}[{place}]"), &base, table(&field, place, rule)?)?;
                    }
                }
                _ => {
                    let one = Map::from_iter([(name.clone(), value.clone())]);
                    members_fit::<Settings>("settings", &Map::new(), &one)?;
                }
            }
        }
        Ok(())
    }
}

/// A file's sections, as JSON has them.
pub(in crate::cli) fn sections(text: &str) -> Result<Members, Wrong> {
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| Wrong::Syntax(error.to_string().trim_end().to_owned()))?;
    match serde_json::to_value(table) {
        Ok(Value::Object(file)) => Ok(file),
        Ok(_) => Err(Wrong::Syntax("a table is expected".to_owned())),
        Err(error) => Err(Wrong::Syntax(error.to_string())),
    }
}

/// `[[section]]` with a name in each entry, none twice.
fn entries(section: &str, value: Value) -> Result<Vec<Members>, Wrong> {
    let Value::Array(list) = value else {
        return Err(Wrong::at(section, format!("a list of tables: [[{section}]]")));
    };
    let mut names = BTreeSet::new();
    let mut entries = Vec::new();
    for (place, entry) in list.iter().enumerate() {
        let entry = table(section, place, entry)?;
        let field = format!("{section}[{place}].name");
        match entry.get("name").and_then(Value::as_str) {
            None | Some("") => return Err(Wrong::at(field, "a name is needed")),
            Some(name) if !names.insert(name.to_owned()) => {
                return Err(Wrong::at(field, format!("{name:?} is there twice")));
            }
            Some(_) => entries.push(entry.clone()),
        }
    }
    Ok(entries)
}

fn table<'a>(field: &str, place: usize, value: &'a Value) -> Result<&'a Members, Wrong> {
    value.as_object().ok_or_else(|| Wrong::at(format!("{field}[{place}]"), "a table is expected"))
}

fn list_fits<T: DeserializeOwned>(field: &str, base: &Members, list: &Value) -> Result<(), Wrong> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    for (place, entry) in list.iter().enumerate() {
        let entry = table(field, place, entry)?;
        if !entry.get("name").is_some_and(Value::is_string) {
            return Err(Wrong::at(format!("{field}[{place}].name"), "a name is needed"));
        }
        members_fit::<T>(&format!("{field}[{place}]"), base, entry)?;
    }
    Ok(())
}

/// Lays one member at a time over a base that fits, so that the one that does not is named.
fn members_fit<T: DeserializeOwned>(field: &str, base: &Members, members: &Members) -> Result<(), Wrong> {
    for (name, value) in members {
        let mut one = base.clone();
        one.insert(name.clone(), value.clone());
        serde_json::from_value::<T>(Value::Object(one))
            .map_err(|error| Wrong::at(format!("{field}.{name}"), error.to_string()))?;
    }
    Ok(())
}

pub(in crate::cli) fn object(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
