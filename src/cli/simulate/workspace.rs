//! A workspace as files declare it, one laid over the other, and the commands that make it in an empty desk.

use serde_json::{Value, json};

use crate::cli::apply::declared::{Declared, Wrong, object};
use crate::cli::apply::merge::{Members, merged_members, merged_queue, merged_settings};
use crate::desk::Desk;
use crate::desk::command::{AgentAsk, Ask};
use crate::desk::settings::{QueueSettings, Settings};
use crate::simulate::staffing::Setup;

/// An entry with the place of the file that said the last word on it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub field: String,
    pub members: Members,
}

#[derive(Clone, Debug)]
pub(super) struct Workspace {
    settings: Entry,
    queues: Vec<Entry>,
    agents: Vec<Entry>,
}

impl Default for Workspace {
    fn default() -> Self {
        let settings = Entry { field: "settings".to_owned(), members: object(json!(Settings::default())) };
        Self { settings, queues: Vec::new(), agents: Vec::new() }
    }
}

impl Workspace {
    /// As a desk holds it.
    pub fn of(desk: &Desk) -> Self {
        let queue_name = |id: &Value| {
            let id = id.as_u64().or_else(|| id.as_str()?.parse().ok())?;
            Some(desk.queue(crate::desk::ids::QueueId(id as u32))?.settings.name.clone())
        };
        let entry = |what: &str, members: Members| Entry { field: format!("{what} {}", name_of(&members)), members };
        let agent = |profile: &crate::desk::settings::AgentProfile| {
            let mut members = object(json!(profile));
            if let Some(Value::Array(queues)) = members.get("queues") {
                let names = queues.iter().filter_map(queue_name).collect::<Vec<_>>();
                members.insert("queues".to_owned(), json!(names));
            }
            if let Some(Value::Object(tiers)) = members.get("tiers") {
                let named = tiers.iter().filter_map(|(queue, tier)| {
                    Some((queue_name(&Value::String(queue.clone()))?.to_string(), tier.clone()))
                });
                let named = named.collect::<Members>();
                members.insert("tiers".to_owned(), Value::Object(named));
            }
            entry("agent", members)
        };
        Self {
            settings: Entry { field: "settings".to_owned(), members: object(json!(**desk.settings())) },
            queues: desk.queues().map(|(_, queue)| entry("queue", object(json!(*queue.settings)))).collect(),
            agents: desk.agents().map(|(_, held)| agent(&held.profile)).collect(),
        }
    }

    /// What a file mentions, laid over this; `file` is written before its fields.
    pub fn lay_over(&mut self, declared: &Declared, file: &str) {
        if !declared.settings.is_empty() {
            self.settings.members = merged_settings(&self.settings.members, &declared.settings);
            self.settings.field = format!("{file}: settings");
        }
        for (place, queue) in declared.queues.iter().enumerate() {
            let field = format!("{file}: queues[{place}]");
            let fresh = || object(json!(QueueSettings::named(name_of(queue))));
            lay_entry_over(&mut self.queues, queue, field, fresh, merged_queue);
        }
        for (place, agent) in declared.agents.iter().enumerate() {
            let field = format!("{file}: agents[{place}]");
            lay_entry_over(&mut self.agents, agent, field, Members::new, merged_members);
        }
    }

    pub fn agent(&self, name: &str) -> Option<&Entry> {
        self.agents.iter().find(|entry| name_of(&entry.members) == name)
    }

    pub fn has_queue(&self, name: &str) -> bool {
        self.queues.iter().any(|entry| name_of(&entry.members) == name)
    }

    /// Queues by name first, since rings and settings name others; then settings, then queues and agents whole.
    pub fn setup(&self, more_agents: &[Entry]) -> Result<Vec<Setup>, Wrong> {
        let settings = &self.settings;
        let mut setup = Vec::new();
        for Entry { field, members } in &self.queues {
            let ask = Ask::PutQueue(Box::new(QueueSettings::named(name_of(members))));
            setup.push(Setup { field: field.clone(), ask });
        }
        setup.push(Setup {
            field: settings.field.clone(),
            ask: Ask::PutSettings(Box::new(read::<Settings>(settings)?)),
        });
        for queue in &self.queues {
            setup.push(Setup { field: queue.field.clone(), ask: Ask::PutQueue(Box::new(read(queue)?)) });
        }
        for agent in self.agents.iter().chain(more_agents) {
            let ask: AgentAsk = read(agent)?;
            setup.push(Setup { field: agent.field.clone(), ask: Ask::PutAgent(Box::new(ask)) });
        }
        Ok(setup)
    }
}

fn name_of(members: &Members) -> &str {
    members.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn lay_entry_over(
    entries: &mut Vec<Entry>,
    mentioned: &Members,
    field: String,
    fresh: impl FnOnce() -> Members,
    merged: impl Fn(&Members, &Members) -> Members,
) {
    match entries.iter_mut().find(|entry| name_of(&entry.members) == name_of(mentioned)) {
        Some(entry) => *entry = Entry { members: merged(&entry.members, mentioned), field },
        None => entries.push(Entry { members: merged(&fresh(), mentioned), field }),
    }
}

fn read<T: serde::de::DeserializeOwned>(entry: &Entry) -> Result<T, Wrong> {
    let value = Value::Object(entry.members.clone());
    serde_path_to_error::deserialize(value)
        .map_err(|error| Wrong::at(format!("{}.{}", entry.field, error.path()), error.inner().to_string()))
}
