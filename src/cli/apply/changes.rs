//! From what is declared and what is there: the changes, in an order in which each can be made, and how they are shown. Pure.

use std::fmt;

use http::Method;
use serde_json::{Value, json};

use super::declared::{Declared, Wrong, object};
use super::live::Found;
use super::merge::{Members, merged_members, merged_queue, merged_settings};
use crate::desk::settings::{QueueSettings, Settings};
use crate::wire::percent::encoded;

/// One write of the admin API.
#[derive(Debug)]
pub(super) struct Change {
    pub method: Method,
    /// Behind the workspace's own.
    pub path: String,
    pub body: Option<Value>,
    /// The entry of the file that asks for it: what a refusal is told about.
    pub place: String,
    lines: Vec<String>,
}

/// All changes. The workspace comes first; then opening hours and dispositions, which queues name; then queues, which settings and agents name; then
/// the other settings, whose channels agents name; then agents; then the quota; then webhooks, which hear what happens from then on; and what goes
/// last: agents first, then queues, which by then nothing names.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub changes: Vec<Change>,
}

impl Plan {
    pub fn of(declared: &Declared, found: &Found, prune: bool) -> Result<Plan, Wrong> {
        let mut plan = Plan::default();
        if !found.exists {
            let line = format!("+ workspace {}", found.workspace);
            plan.add(Method::PUT, String::new(), None, "workspace".to_owned(), vec![line]);
        }
        let settings = plan.named_by_queues(declared, found);
        plan.queues(declared, found);
        plan.settings(declared, &settings)?;
        plan.agents(declared, found);
        plan.quota(declared, found);
        plan.webhooks(declared, found);
        if prune {
            plan.prune(declared, found);
        }
        Ok(plan)
    }

    fn add(&mut self, method: Method, path: String, body: Option<Value>, place: String, lines: Vec<String>) {
        self.changes.push(Change { method, path, body, place, lines });
    }

    fn queues(&mut self, declared: &Declared, found: &Found) {
        for (place, queue) in declared.queues.iter().enumerate() {
            let name = name_of(queue);
            let held = found.queues.get(name);
            let base = held.cloned().unwrap_or_else(|| object(json!(QueueSettings::named(name))));
            let merged = merged_queue(&base, queue);
            if let Some(lines) = lines("queue", name, held, &base, &merged) {
                let path = format!("/queues/{}", encoded(name));
                self.add(Method::PUT, path, Some(Value::Object(merged)), format!("queues[{place}]"), lines);
            }
        }
    }

    /// What queues name, by itself, since the other settings may name queues that are yet to be made: hours, and new dispositions
    /// beside the old ones, which queues may offer until they are changed. Gives the settings as they are then.
    fn named_by_queues(&mut self, declared: &Declared, found: &Found) -> Members {
        let mut ahead = Members::new();
        ahead.extend(declared.settings.get_key_value("hours").map(|(name, hours)| (name.clone(), hours.clone())));
        if declared.queues.iter().any(|queue| !dispositions(queue).is_empty()) {
            let mut codes = dispositions(&found.settings);
            let fresh = dispositions(&declared.settings).into_iter().filter(|code| !codes.contains(code));
            codes.extend(fresh.collect::<Vec<_>>());
            ahead.insert("labels".to_owned(), json!({"dispositions": codes}));
        }
        let merged = merged_settings(&found.settings, &ahead);
        let held = |settings: &Members| settings.get("hours").cloned().unwrap_or(Value::Null);
        let (old, new) = (held(&found.settings), held(&merged));
        let mut lines = Vec::new();
        for (name, hours) in new.as_object().into_iter().flatten() {
            differences(&format!("settings.hours.{name}"), old.get(name).unwrap_or(&Value::Null), hours, &mut lines);
        }
        let (old, new) = (json!(dispositions(&found.settings)), json!(dispositions(&merged)));
        differences("settings.labels.dispositions", &old, &new, &mut lines);
        if !lines.is_empty() {
            let (path, body) = ("/settings".to_owned(), Value::Object(merged.clone()));
            self.add(Method::PUT, path, Some(body), "settings".to_owned(), lines);
        }
        merged
    }

    fn settings(&mut self, declared: &Declared, held: &Members) -> Result<(), Wrong> {
        let merged = merged_settings(held, &declared.settings);
        if merged == *held {
            return Ok(());
        }
        // A channel or status that is new to the server must be whole.
        serde_json::from_value::<Settings>(Value::Object(merged.clone()))
            .map_err(|error| Wrong::at("settings", format!("a new channel or status must be complete: {error}")))?;
        let mut lines = Vec::new();
        for (name, value) in &merged {
            differences(&format!("settings.{name}"), held.get(name).unwrap_or(&Value::Null), value, &mut lines);
        }
        self.add(Method::PUT, "/settings".to_owned(), Some(Value::Object(merged)), "settings".to_owned(), lines);
        Ok(())
    }

    fn agents(&mut self, declared: &Declared, found: &Found) {
        for (place, agent) in declared.agents.iter().enumerate() {
            let name = name_of(agent);
            let held = found.agents.get(name);
            let fresh = json!({
                "name": name, "title": "", "active": true, "queues": [], "skills": {}, "capacity": {}, "tiers": {},
                "program": false, "auto_accept": "by_queue",
            });
            let base = held.cloned().unwrap_or_else(|| object(fresh));
            let merged = merged_members(&base, agent);
            if let Some(lines) = lines("agent", name, held, &base, &merged) {
                let path = format!("/agents/{}", encoded(name));
                // Only what is mentioned: the server keeps the rest, whatever it has become meanwhile.
                let body = Value::Object(agent.clone());
                self.add(Method::PUT, path, Some(body), format!("agents[{place}]"), lines);
            }
        }
    }

    /// After what it may stand in the way of. Only a key of the server's own may set it, so it is sent only where it differs.
    fn quota(&mut self, declared: &Declared, found: &Found) {
        let merged = merged_members(&found.quota, &declared.quota);
        let mut lines = Vec::new();
        for (name, most) in &merged {
            differences(&format!("quota.{name}"), found.quota.get(name).unwrap_or(&Value::Null), most, &mut lines);
        }
        if !lines.is_empty() {
            self.add(Method::PUT, "/quota".to_owned(), Some(Value::Object(merged)), "quota".to_owned(), lines);
        }
    }

    /// They are never removed: the place of one that is gone is not made again by making it again.
    fn webhooks(&mut self, declared: &Declared, found: &Found) {
        for (place, webhook) in declared.webhooks.iter().enumerate() {
            let name = name_of(webhook);
            let held = found.webhooks.get(name);
            let base = held.cloned().unwrap_or_else(|| object(json!({"name": name, "types": [], "texts": false})));
            let mut merged = merged_members(&base, webhook);
            if held.is_some() {
                // From where it began.
                merged.remove("after");
            }
            if let Some(lines) = lines("webhook", name, held, &base, &merged) {
                merged.remove("name");
                let path = format!("/webhooks/{}", encoded(name));
                self.add(Method::PUT, path, Some(Value::Object(merged)), format!("webhooks[{place}]"), lines);
            }
        }
    }

    fn prune(&mut self, declared: &Declared, found: &Found) {
        let named = |list: &[Members], name: &str| list.iter().any(|entry| name_of(entry) == name);
        for (name, agent) in &found.agents {
            if !named(&declared.agents, name) && agent.get("active") != Some(&Value::Bool(false)) {
                let (path, line) = (format!("/agents/{}", encoded(name)), format!("- agent {name} (deactivated)"));
                let body = json!({"active": false});
                self.add(Method::PUT, path, Some(body), format!("--prune: agent {name}"), vec![line]);
            }
        }
        for name in found.queues.keys().filter(|name| !named(&declared.queues, name)) {
            let (path, line) = (format!("/queues/{}", encoded(name)), format!("- queue {name}"));
            self.add(Method::DELETE, path, None, format!("--prune: queue {name}"), vec![line]);
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().flat_map(|change| &change.lines).try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn name_of(entry: &Members) -> &str {
    entry.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The disposition codes of a queue, or of the settings.
fn dispositions(members: &Members) -> Vec<Value> {
    let codes = members.get("labels").and_then(|labels| labels.get("dispositions"));
    codes.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The lines of one queue, agent or webhook; `None` where nothing changes.
fn lines(what: &str, name: &str, held: Option<&Members>, base: &Members, merged: &Members) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for (member, value) in merged {
        differences(&format!("{what} {name}: {member}"), base.get(member).unwrap_or(&Value::Null), value, &mut lines);
    }
    match held {
        Some(_) => (!lines.is_empty()).then_some(lines),
        None => {
            let with: Vec<String> = merged
                .iter()
                .filter(|(member, value)| *member != "name" && base.get(*member) != Some(value))
                .map(|(member, value)| format!("{member} {value}"))
                .collect();
            let with = if with.is_empty() { String::new() } else { format!(": {}", with.join(", ")) };
            Some(vec![format!("+ {what} {name}{with}")])
        }
    }
}

/// One line for each value that differs; lists of named entries are compared by name.
fn differences(path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                differences(&format!("{path}.{name}"), old.get(name).unwrap_or(&Value::Null), value, lines);
            }
            lines.extend(
                old.iter()
                    .filter(|(name, _)| !new.contains_key(*name))
                    .map(|(name, value)| format!("~ {path}.{name}: {value} -> nothing")),
            );
        }
        (Value::Array(old), Value::Array(new))
            if new.iter().all(|entry| entry.get("name").is_some()) && !new.is_empty() =>
        {
            for entry in new {
                let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
                match old.iter().find(|held| held.get("name") == entry.get("name")) {
                    Some(held) => differences(&format!("{path}[{name}]"), held, entry, lines),
                    None => lines.push(format!("+ {path}[{name}]: {entry}")),
                }
            }
        }
        (old, new) => lines.push(format!("~ {path}: {old} -> {new}")),
    }
}
