//! What was read, in our words: agents, queues, tags; and what has no place here, counted by its kind.

use crate::cli::apply::declared::Declared;
use crate::desk::settings::NAME_BYTES_MAX;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Of a workspace's settings.
const TAGS_MAX: usize = 500;
const TAG_BYTES_MAX: usize = 64;

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Queue {
    pub name: String,
    pub title: String,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Agent {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub queues: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<String, u8>,
}

/// What is only known by the other system's numbers until all is read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    queues: BTreeMap<String, Queue>,
    agents: BTreeMap<String, Agent>,
    memberships: BTreeSet<(String, String)>,
    tags: BTreeSet<String>,
    left: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Settings<'a>>,
    queues: Vec<&'a Queue>,
    agents: Vec<Agent>,
}

#[derive(Serialize)]
struct Settings<'a> {
    labels: Labels<'a>,
}

#[derive(Serialize)]
struct Labels<'a> {
    tags: Vec<&'a str>,
}

impl Gathered {
    /// `number` is the other system's. Two of one title have one name, and are one queue.
    pub fn queue(&mut self, number: String, title: &str) {
        let name = slug(title);
        if name.is_empty() {
            return self.leave("queues without a name");
        }
        self.queues.insert(number, Queue { name, title: title.to_owned() });
    }

    pub fn agent(&mut self, number: String, agent: Agent) {
        if agent.name.is_empty() || agent.name.len() > NAME_BYTES_MAX {
            return self.leave("agents without a name of at most 128 bytes");
        }
        self.agents.insert(number, agent);
    }

    pub fn member(&mut self, agent: String, queue: String) {
        self.memberships.insert((agent, queue));
    }

    pub fn tag(&mut self, tag: &str) {
        if tag.is_empty() || tag.len() > TAG_BYTES_MAX || tag.chars().any(char::is_control) {
            return self.leave("tags of more than 64 bytes");
        }
        if self.tags.len() < TAGS_MAX || self.tags.contains(tag) {
            self.tags.insert(tag.to_owned());
        } else {
            self.leave("tags beyond the first 500");
        }
    }

    /// One more of what has no place here.
    pub fn leave(&mut self, what: &str) {
        *self.left.entry(what.to_owned()).or_default() += 1;
    }

    /// Text that `offhook apply` takes.
    pub fn declaration(&mut self, workspace: Option<&str>) -> Result<String, String> {
        let unknown = self
            .memberships
            .iter()
            .filter(|(agent, queue)| !self.agents.contains_key(agent) || !self.queues.contains_key(queue));
        let unknown = unknown.count() as u64;
        if unknown > 0 {
            self.left.insert("memberships of agents or queues that are in none of the files".to_owned(), unknown);
        }
        let mut agents: BTreeMap<&str, Agent> = BTreeMap::new();
        for (number, agent) in &self.agents {
            let mut agent = agent.clone();
            let own = self.memberships.iter().filter(|(of, _)| of == number);
            agent.queues.extend(own.filter_map(|(_, queue)| self.queues.get(queue)).map(|queue| queue.name.clone()));
            agents.insert(&self.agents[number].name, agent);
        }
        let queues: BTreeMap<&str, &Queue> = self.queues.values().map(|queue| (queue.name.as_str(), queue)).collect();
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let file = File {
            workspace,
            settings: (!tags.is_empty()).then_some(Settings { labels: Labels { tags } }),
            queues: queues.into_values().collect(),
            agents: agents.into_values().collect(),
        };
        let text = toml::to_string(&file).map_err(|error| error.to_string())?;
        // As it will be read.
        Declared::parse(&text).map_err(|error| format!("what was read cannot be declared: {error}"))?;
        Ok(text)
    }

    /// A line each: what there is, and what was left.
    pub fn report(&self) -> Vec<String> {
        let (agents, queues, tags) = (self.agents.len(), self.queues.len(), self.tags.len());
        let mut lines = vec![format!("{agents} agents, {queues} queues, {tags} tags")];
        for (what, count) in &self.left {
            let mut line = String::new();
            let _ = write!(line, "left: {count} {what}");
            lines.push(line);
        }
        lines
    }
}

/// As queues are called in paths: lower case, one hyphen for whatever is no letter and no digit.
pub(super) fn slug(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}
