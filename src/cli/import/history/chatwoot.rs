//! Chatwoot's conversations and their messages, as its API answers them.

use super::super::read::Record;
use super::super::zendesk::{number, text};
use super::left::Left;
use super::shelf::{Author, Person, Said, Shelf, Talk};
use super::zendesk::words;
use serde_json::Value;

pub(super) fn take(record: &Record, shelf: &mut Shelf, left: &mut Left) {
    let has = |member: &str| record.contains_key(member);
    if has("message_type") && has("conversation_id") {
        return message(record, shelf, left);
    }
    if has("inbox_id") && has("status") {
        return conversation(record, shelf, left);
    }
    if has("channel_type") && has("name") {
        return shelf.place(&format!("inbox {}", number(record, "id")), text(record, "name"));
    }
    if has("allow_auto_assign") && has("name") {
        return shelf.place(&format!("team {}", number(record, "id")), text(record, "name"));
    }
    if has("email") && has("role") {
        return shelf.person(&agent_number(record), &person(record, true));
    }
    if has("phone_number") || has("identifier") {
        return shelf.person(&contact_number(record), &person(record, false));
    }
    if has("title") && has("color") {
        return;
    }
    left.one("objects of other kinds");
}

fn agent_number(record: &Record) -> String {
    format!("agent {}", number(record, "id"))
}

fn contact_number(record: &Record) -> String {
    format!("contact {}", number(record, "id"))
}

fn person(record: &Record, is_agent: bool) -> Person {
    let name = match text(record, "available_name") {
        "" => text(record, "name"),
        shown => shown,
    };
    Person {
        external: text(record, "identifier").to_owned(),
        name: name.to_owned(),
        email: text(record, "email").to_owned(),
        phone: text(record, "phone_number").to_owned(),
        is_agent,
    }
}

fn conversation(record: &Record, shelf: &mut Shelf, left: &mut Left) {
    if text(record, "status") != "resolved" {
        return left.one("conversations that are open: they stay where they are");
    }
    let Some(opened_at) = at(record, "created_at").or_else(|| at(record, "timestamp")) else {
        return left.one("conversations without their time");
    };
    let closed_at = at(record, "last_activity_at").or_else(|| at(record, "updated_at")).unwrap_or(opened_at);
    let none = Record::new();
    let meta = record.get("meta").and_then(Value::as_object).unwrap_or(&none);
    let of = |member: &str| meta.get(member).and_then(Value::as_object);
    let team = of("team").map(|team| format!("team {}", number(team, "id")));
    let channel = match text(meta, "channel") {
        "Channel::Email" => "email",
        _ => "chat",
    };
    let subject = record.get("additional_attributes").and_then(Value::as_object);
    let talk = Talk {
        customer: of("sender").map(contact_number).unwrap_or_default(),
        known: of("sender").map(|sender| person(sender, false)).unwrap_or_default(),
        queue: team.unwrap_or_else(|| format!("inbox {}", number(record, "inbox_id"))),
        owner: of("assignee").map(agent_number).unwrap_or_default(),
        channel: channel.to_owned(),
        subject: subject.map(|about| text(about, "mail_subject").to_owned()).unwrap_or_default(),
        tags: words(record, "labels"),
        opened_at,
        closed_at: closed_at.max(opened_at),
        rating: None,
    };
    if let Some(assignee) = of("assignee") {
        shelf.person(&agent_number(assignee), &person(assignee, true));
    }
    shelf.talk(&number(record, "id"), &talk);
}

fn message(record: &Record, shelf: &mut Shelf, left: &mut Left) {
    let conversation = number(record, "conversation_id");
    if text(record, "content_type") == "input_csat" {
        return rating(record, &conversation, shelf, left);
    }
    let Some(at) = at(record, "created_at") else { return left.one("messages without their time") };
    let files = record.get("attachments").and_then(Value::as_array).map_or(0, Vec::len);
    left.many("attachments of messages", files as u64);
    let said = text(record, "content");
    if said.is_empty() {
        return left.one("messages without a text");
    }
    let sender = record.get("sender").and_then(Value::as_object);
    let by = match number(record, "message_type").as_str() {
        "0" | "incoming" => Author::Customer,
        "1" | "outgoing" => match sender {
            Some(sender) if text(sender, "type") != "agent_bot" => {
                Author::Person { number: agent_number(sender), name: text(sender, "name").to_owned() }
            }
            _ => Author::Nobody,
        },
        "2" | "activity" => return left.one("lines of activity (who was assigned, what was labelled)"),
        _ => Author::Nobody,
    };
    let note = record.get("private").and_then(Value::as_bool) == Some(true);
    shelf.said(&conversation, &number(record, "id"), &Said { at, by, note, text: said.to_owned() });
}

/// What was asked at the end, and what its customer answered.
fn rating(record: &Record, conversation: &str, shelf: &mut Shelf, left: &mut Left) {
    let answered = record.get("content_attributes").and_then(|held| held.get("submitted_values"));
    let answered = answered.and_then(|values| values.get("csat_survey_response")).and_then(Value::as_object);
    let score = answered.and_then(|answered| answered.get("rating")).and_then(Value::as_u64);
    match (answered, score.and_then(|score| u8::try_from(score).ok()).filter(|score| (1..=5).contains(score))) {
        (Some(answered), Some(score)) => shelf.rating(conversation, score, text(answered, "feedback_message")),
        _ => left.one("questions for a rating that nobody answered"),
    }
}

/// Unix seconds, whole or not, in milliseconds.
fn at(record: &Record, member: &str) -> Option<u64> {
    let seconds = record.get(member)?;
    let whole = seconds.as_u64().map(|seconds| seconds.saturating_mul(1_000));
    let broken = || seconds.as_f64().map(|seconds| (seconds * 1_000.0).max(0.0) as u64);
    let spelled = || seconds.as_str()?.parse::<jiff::Timestamp>().ok()?.as_millisecond().try_into().ok();
    whole.or_else(broken).or_else(spelled).filter(|at| *at > 0)
}
