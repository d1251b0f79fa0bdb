//! Zendesk's tickets and what was said in them: answers of its API, incremental exports of ticket events, or its full export with the comments
//! within each ticket.

use super::super::read::Record;
use super::super::zendesk::{number, text};
use super::left::Left;
use super::shelf::{Author, Person, Said, Shelf, Talk};
use serde_json::Value;
use std::path::Path;

/// The ticket whose comments a file lists: `comments_35436.json`. The answer itself does not say.
pub(super) fn ticket_of(file: &Path) -> Option<String> {
    let number = file.file_stem()?.to_str()?.strip_prefix("comments_")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.to_owned()).filter(|number| !number.is_empty())
}

/// By its members, since a line of an export does not say what it is.
pub(super) fn take(record: &Record, ticket: Option<&str>, shelf: &mut Shelf, left: &mut Left) {
    let has = |member: &str| record.contains_key(member);
    if has("child_events") {
        return events(record, shelf, left);
    }
    if has("author_id") && (has("body") || has("plain_body")) {
        let own = number(record, "ticket_id");
        return match Some(own.as_str()).filter(|own| !own.is_empty()).or(ticket) {
            Some(ticket) => comment(record, ticket, None, shelf, left),
            None => left.one("comments that do not say of which ticket (save each answer as comments_TICKET.json)"),
        };
    }
    if has("requester_id") || has("subject") && has("status") {
        return self::ticket(record, shelf, left);
    }
    if has("role") && has("email") {
        let person = Person {
            external: text(record, "external_id").to_owned(),
            name: text(record, "name").to_owned(),
            email: text(record, "email").to_owned(),
            phone: text(record, "phone").to_owned(),
            is_agent: text(record, "role") != "end-user",
        };
        return shelf.person(&number(record, "id"), &person);
    }
    if has("name") && (has("is_public") || has("default")) {
        return shelf.place(&number(record, "id"), text(record, "name"));
    }
    if has("user_id") && has("group_id") || has("name") && has("count") {
        return;
    }
    left.one("objects of other kinds");
}

fn ticket(record: &Record, shelf: &mut Shelf, left: &mut Left) {
    match text(record, "status") {
        "closed" | "solved" => {}
        "deleted" => return left.one("deleted tickets"),
        _ => return left.one("tickets that are open: they stay where they are"),
    }
    let id = number(record, "id");
    let (Some(opened_at), Some(closed_at)) = (at(record, "created_at"), solved_at(record)) else {
        return left.one("tickets without their times");
    };
    let via = record.get("via").and_then(|via| via.get("channel")).and_then(Value::as_str).unwrap_or_default();
    let channel = match via {
        "chat" | "messaging" | "native_messaging" | "web_messaging" => "chat",
        "voice" | "phone" => "voice",
        _ => "email",
    };
    let rated = record.get("satisfaction_rating").and_then(Value::as_object);
    let score = rated.map(|rated| text(rated, "score")).and_then(|score| match score {
        "good" | "good_with_comment" => Some(5),
        "bad" | "bad_with_comment" => Some(1),
        _ => None,
    });
    let rated_with = || rated.map(|rated| text(rated, "comment").to_owned()).unwrap_or_default();
    let talk = Talk {
        customer: number(record, "requester_id"),
        queue: number(record, "group_id"),
        owner: number(record, "assignee_id"),
        channel: channel.to_owned(),
        subject: text(record, "subject").to_owned(),
        tags: words(record, "tags"),
        opened_at,
        closed_at: closed_at.max(opened_at),
        rating: score.map(|score| (score, rated_with())),
        known: Person::default(),
    };
    let custom = record.get("custom_fields").and_then(Value::as_array).into_iter().flatten();
    left.many("values of custom fields", custom.filter(|field| field.get("value").is_some_and(is_set)).count() as u64);
    shelf.talk(&id, &talk);
    for said in record.get("comments").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        comment(said, &id, None, shelf, left);
    }
}

fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_str() != Some("")
}

/// When it was solved, where its metrics say so; when it last changed.
fn solved_at(record: &Record) -> Option<u64> {
    let metrics = record.get("metric_set").and_then(Value::as_object);
    let solved = metrics.and_then(|metrics| at(metrics, "solved_at")).or_else(|| at(record, "solved_at"));
    solved.or_else(|| at(record, "updated_at")).or_else(|| at(record, "created_at"))
}

/// Of an incremental export: what of an update was said.
fn events(record: &Record, shelf: &mut Shelf, left: &mut Left) {
    let ticket = number(record, "ticket_id");
    let when = at(record, "created_at").or_else(|| {
        let seconds = record.get("timestamp").or_else(|| record.get("time"))?.as_u64()?;
        Some(seconds.saturating_mul(1_000))
    });
    let children = record.get("child_events").and_then(Value::as_array).into_iter().flatten();
    for child in children.filter_map(Value::as_object) {
        let is_said = text(child, "event_type") == "Comment" || text(child, "type") == "Comment";
        if is_said && child.contains_key("body") {
            comment(child, &ticket, when, shelf, left);
        } else if child.get("comment_present").and_then(Value::as_bool) == Some(true) {
            left.one("comments that an export only mentions (take it with include=comment_events)");
        }
    }
}

fn comment(record: &Record, ticket: &str, when: Option<u64>, shelf: &mut Shelf, left: &mut Left) {
    let Some(at) = at(record, "created_at").or(when) else { return left.one("comments without their time") };
    let files = record.get("attachments").and_then(Value::as_array).map_or(0, Vec::len);
    left.many("attachments of comments", files as u64);
    let said = match text(record, "plain_body") {
        "" => text(record, "body"),
        plain => plain,
    };
    if said.is_empty() {
        return left.one("comments without a text");
    }
    let author = number(record, "author_id");
    let by = match author.as_str() {
        "" | "-1" => Author::Nobody,
        _ => Author::Person { number: author, name: String::new() },
    };
    let note = record.get("public").and_then(Value::as_bool) == Some(false);
    shelf.said(ticket, &number(record, "id"), &Said { at, by, note, text: said.to_owned() });
}

/// An ISO 8601 time, in Unix milliseconds.
fn at(record: &Record, member: &str) -> Option<u64> {
    let at: jiff::Timestamp = text(record, member).parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

pub(super) fn words(record: &Record, member: &str) -> Vec<String> {
    let words = record.get(member).and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}
