//! Zendesk's objects as its API and its exports have them: users, groups, group memberships, tickets.

use super::gathered::{Agent, Gathered};
use super::read::Record;
use serde_json::Value;

/// By its members, since a line of an export does not say what it is.
pub(super) fn take(record: &Record, gathered: &mut Gathered) {
    let has = |member: &str| record.contains_key(member);
    if has("group_id") && has("user_id") {
        return gathered.member(number(record, "user_id"), number(record, "group_id"));
    }
    if has("requester_id") || has("subject") && has("status") {
        tags(record).for_each(|tag| gathered.tag(tag));
        return gathered.leave("tickets (their tags were taken; --history takes those that are closed)");
    }
    if has("role") && has("email") {
        return user(record, gathered);
    }
    if has("name") && (has("is_public") || has("default")) {
        match record.get("deleted").and_then(Value::as_bool) {
            Some(true) => gathered.leave("deleted groups"),
            _ => gathered.queue(number(record, "id"), text(record, "name")),
        }
        return;
    }
    if has("name") && has("count") {
        return gathered.tag(text(record, "name"));
    }
    gathered.leave("objects of other kinds");
}

fn user(record: &Record, gathered: &mut Gathered) {
    match text(record, "role") {
        "end-user" => return gathered.leave("end users (customers come by themselves, with tokens that you sign; --history takes those of closed tickets)"),
        "admin" => gathered.leave("administrators whose role is to be set where they sign in"),
        _ => {}
    }
    let flag = |member: &str| record.get(member).and_then(Value::as_bool);
    let gone = flag("suspended") == Some(true) || flag("active") == Some(false);
    let id = number(record, "id");
    let name = match text(record, "email") {
        "" => id.clone(),
        email => email.to_owned(),
    };
    let agent =
        Agent { name, title: text(record, "name").to_owned(), active: gone.then_some(false), ..Agent::default() };
    gathered.agent(id, agent);
}

pub(super) fn text<'a>(record: &'a Record, member: &str) -> &'a str {
    record.get(member).and_then(Value::as_str).unwrap_or_default().trim()
}

/// As text, whichever it is.
pub(super) fn number(record: &Record, member: &str) -> String {
    match record.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn tags(record: &Record) -> impl Iterator<Item = &str> {
    record.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
