//! Chatwoot's objects as its API answers them: agents, inboxes, teams and their members, labels, conversations.

use super::gathered::{Agent, Gathered};
use super::read::Record;
use super::zendesk::{number, text};
use serde_json::Value;
use std::path::Path;

/// The team whose members a file lists: `team_members_3.json`. The answer itself does not say.
pub(super) fn team_of(file: &Path) -> Option<u64> {
    let stem = file.file_stem()?.to_str()?;
    stem.strip_prefix("team_members_")?.parse().ok()
}

pub(super) fn take(record: &Record, team: Option<u64>, gathered: &mut Gathered) {
    let has = |member: &str| record.contains_key(member);
    if has("email") && has("role") {
        if let Some(team) = team {
            gathered.member(agent_number(record), team_number(&team.to_string()));
        }
        return agent(record, gathered);
    }
    if has("channel_type") && has("name") {
        return gathered.queue(format!("inbox {}", number(record, "id")), text(record, "name"));
    }
    if has("allow_auto_assign") && has("name") {
        return gathered.queue(team_number(&number(record, "id")), text(record, "name"));
    }
    if has("title") && has("color") {
        return gathered.tag(text(record, "title"));
    }
    if has("inbox_id") && has("status") {
        let labels = record.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        labels.for_each(|label| gathered.tag(label));
        return gathered.leave("conversations (their labels were taken; --history takes those that are resolved)");
    }
    gathered.leave(match has("phone_number") || has("email") {
        true => "contacts (customers come by themselves, with tokens that you sign)",
        false => "objects of other kinds",
    });
}

fn agent(record: &Record, gathered: &mut Gathered) {
    if text(record, "role") == "administrator" {
        gathered.leave("administrators whose role is to be set where they sign in");
    }
    let title = match text(record, "available_name") {
        "" => text(record, "name"),
        shown => shown,
    };
    let invited = record.get("confirmed").and_then(Value::as_bool) == Some(false);
    let agent = Agent {
        name: text(record, "email").to_owned(),
        title: title.to_owned(),
        active: invited.then_some(false),
        ..Agent::default()
    };
    gathered.agent(agent_number(record), agent);
}

fn agent_number(record: &Record) -> String {
    format!("agent {}", number(record, "id"))
}

fn team_number(id: &str) -> String {
    format!("team {id}")
}
