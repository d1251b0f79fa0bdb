//! JSON as others export it: one document with lists in it, or one object a line. Record by record, each with where it came from.

use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A document is read whole; what is larger comes a line at a time.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;
const LINE_BYTES_MAX: u64 = 16 << 20;
const SAY_EVERY: u64 = 100_000;

pub(super) type Record = Map<String, Value>;

/// Hands in every object of a file: those of its lists, or of its lines.
pub(super) fn each(path: &Path, mut take: impl FnMut(&Record)) -> Result<(), String> {
    let shown = path.display();
    let open = || File::open(path).map_err(|error| format!("{shown}: {error}"));
    let mut first = String::new();
    BufReader::new(open()?.take(LINE_BYTES_MAX)).read_line(&mut first).map_err(|error| format!("{shown}: {error}"))?;
    // One of the objects on the first line, and more behind it, are lines; anything else is one document.
    let by_lines = serde_json::from_str::<Value>(&first).is_ok_and(|first| first.get("id").is_some());
    if by_lines { lines(path, open()?, take) } else { document(path, open()?, &mut take) }
}

fn lines(path: &Path, file: File, mut take: impl FnMut(&Record)) -> Result<(), String> {
    let mut file = BufReader::new(file);
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        number += 1;
        let wrong = |what: String| format!("{}: line {number}: {what}", path.display());
        let read =
            (&mut file).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(|error| wrong(error.to_string()))?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            return Err(wrong(format!("longer than {LINE_BYTES_MAX} bytes")));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let record =
            serde_json::from_slice(&line).map_err(|error| wrong(format!("column {}: {error}", error.column())))?;
        take(&record);
        if number.is_multiple_of(SAY_EVERY) {
            eprintln!("{number} lines");
        }
    }
}

fn document(path: &Path, file: File, take: &mut impl FnMut(&Record)) -> Result<(), String> {
    let shown = path.display();
    let bytes = file.metadata().map_or(0, |about| about.len());
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(format!(
            "{shown}: one document of {bytes} bytes is more than {DOCUMENT_BYTES_MAX}: export it as one object a line"
        ));
    }
    let document: Value = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| format!("{shown}: line {}, column {}: {error}", error.line(), error.column()))?;
    let found = lists(&document);
    if found.is_empty() {
        return Err(format!("{shown}: there is no list of objects in it"));
    }
    found.into_iter().flatten().filter_map(Value::as_object).for_each(take);
    Ok(())
}

/// The document itself, or lists that are its members (`users`, `payload`), or members of its `data`.
fn lists(document: &Value) -> Vec<&Vec<Value>> {
    match document {
        Value::Array(list) => vec![list],
        Value::Object(whole) if whole.get("data").is_some_and(Value::is_object) => members(&whole["data"]),
        Value::Object(whole) if whole.contains_key("id") => Vec::new(),
        _ => members(document),
    }
}

fn members(value: &Value) -> Vec<&Vec<Value>> {
    let members = value.as_object().into_iter().flat_map(Map::values);
    let lists = members.filter_map(Value::as_array).filter(|list| !list.is_empty());
    lists.filter(|list| list.iter().all(Value::is_object)).collect()
}
