//! Tables of one's own: conversations, and what was said in them. What a table is, its columns say.

use super::left::Left;
use super::shelf::{Author, Person, Said, Shelf, Talk};
use std::collections::BTreeMap;
use std::path::Path;

const CONVERSATIONS: &[&str] = &[
    "conversation",
    "customer",
    "name",
    "email",
    "queue",
    "agent",
    "channel",
    "opened",
    "closed",
    "tags",
    "subject",
    "rating",
    "comment",
];
const MESSAGES: &[&str] = &["conversation", "at", "author", "text", "note"];

type Wrong = (&'static str, String);

pub(super) fn read(path: &Path, shelf: &mut Shelf, left: &mut Left) -> Result<(), String> {
    let shown = path.display();
    let mut rows = ::csv::ReaderBuilder::new().from_path(path).map_err(|error| format!("{shown}: {error}"))?;
    let header = rows.headers().map_err(|error| format!("{shown}: {error}"))?.clone();
    let header: Vec<String> = header.iter().map(|column| column.trim().to_owned()).collect();
    if header.first().map(String::as_str) != Some("conversation") {
        return Err(format!("{shown}: line 1, column 1: the first column of history is conversation"));
    }
    let messages = header.iter().any(|column| column == "text");
    let table = if messages { MESSAGES } else { CONVERSATIONS };
    if let Some((place, unknown)) = header.iter().enumerate().find(|(_, column)| !table.contains(&column.as_str())) {
        let there_are = table.join(", ");
        return Err(format!("{shown}: line 1, column {}: no column {unknown:?}; there are {there_are}", place + 1));
    }
    for row in rows.records() {
        let row = row.map_err(|error| format!("{shown}: {error}"))?;
        let line = row.position().map_or(0, ::csv::Position::line);
        let cells: BTreeMap<&str, &str> = header.iter().map(String::as_str).zip(row.iter()).collect();
        let taken = if messages {
            message(&cells, &format!("{line} {shown}"), shelf)
        } else {
            conversation(&cells, shelf, left)
        };
        taken.map_err(|(column, what)| {
            let place = header.iter().position(|name| name == column).unwrap_or(0) + 1;
            format!("{shown}: line {line}, column {place} ({column}): {what}")
        })?;
    }
    Ok(())
}

fn cell<'a>(cells: &BTreeMap<&str, &'a str>, column: &str) -> &'a str {
    cells.get(column).copied().unwrap_or_default().trim()
}

fn needed<'a>(cells: &BTreeMap<&str, &'a str>, column: &'static str) -> Result<&'a str, Wrong> {
    Some(cell(cells, column)).filter(|cell| !cell.is_empty()).ok_or((column, "is empty".to_owned()))
}

fn conversation(cells: &BTreeMap<&str, &str>, shelf: &mut Shelf, left: &mut Left) -> Result<(), Wrong> {
    let (id, customer) = (needed(cells, "conversation")?, needed(cells, "customer")?);
    let opened_at = at(cells, "opened")?;
    if cell(cells, "closed").is_empty() {
        left.one("conversations that are open: they stay where they are");
        return Ok(());
    }
    let closed_at = at(cells, "closed")?;
    if closed_at < opened_at {
        return Err(("closed", "is before opened".to_owned()));
    }
    let rating = match cell(cells, "rating") {
        "" => None,
        score => {
            let score = score.parse().ok().filter(|score| (1..=5).contains(score));
            let score = score.ok_or_else(|| ("rating", "must be 1 to 5".to_owned()))?;
            Some((score, cell(cells, "comment").to_owned()))
        }
    };
    let known = Person {
        external: customer.to_owned(),
        name: cell(cells, "name").to_owned(),
        email: cell(cells, "email").to_owned(),
        ..Person::default()
    };
    let tags = cell(cells, "tags").split(';').map(str::trim).filter(|tag| !tag.is_empty());
    let talk = Talk {
        customer: customer.to_owned(),
        known,
        queue: cell(cells, "queue").to_owned(),
        owner: cell(cells, "agent").to_owned(),
        channel: cell(cells, "channel").to_owned(),
        subject: cell(cells, "subject").to_owned(),
        tags: tags.map(str::to_owned).collect(),
        opened_at,
        closed_at,
        rating,
    };
    shelf.talk(id, &talk);
    Ok(())
}

fn message(cells: &BTreeMap<&str, &str>, id_of_line: &str, shelf: &mut Shelf) -> Result<(), Wrong> {
    let id = needed(cells, "conversation")?;
    let at = at(cells, "at")?;
    let by = match cell(cells, "author") {
        "customer" => Author::Customer,
        "" | "system" => Author::Nobody,
        agent => Author::Person { number: agent.to_owned(), name: agent.to_owned() },
    };
    let note = match cell(cells, "note") {
        "" | "false" | "no" | "0" => false,
        "true" | "yes" | "1" => true,
        other => return Err(("note", format!("{other:?}: true or false"))),
    };
    let text = cells.get("text").copied().unwrap_or_default().to_owned();
    if text.trim().is_empty() {
        return Err(("text", "is empty".to_owned()));
    }
    // Of one moment, in the order of their lines.
    shelf.said(id, id_of_line, &Said { at, by, note, text });
    Ok(())
}

/// A time with its zone (`2024-05-01T09:30:00Z`), or Unix milliseconds.
fn at(cells: &BTreeMap<&str, &str>, column: &'static str) -> Result<u64, Wrong> {
    let text = needed(cells, column)?;
    if let Ok(ms) = text.parse::<u64>() {
        return Ok(ms);
    }
    let at = text.parse::<jiff::Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    at.ok_or_else(|| (column, format!("{text:?}: a time is written 2024-05-01T09:30:00Z, or as Unix milliseconds")))
}
