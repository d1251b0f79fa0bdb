//! What was said on sockets and streams, kept to be held against the documents (tests/spec/validate.py): of each kind of frame and event, one of every
//! shape that comes, in files below the directory that `OFFHOOK_HEARD` names. Without that, nothing is kept.

use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

/// One process keeps so many, whatever comes.
const KEPT_MAX: usize = 20_000;

struct Kept {
    file: File,
    shapes: HashSet<u64>,
}

/// A frame of the server's.
pub fn from_server(frame: &Value) {
    keep(|| json!({"of": "to_agent", "name": frame["type"], "data": frame}));
}

/// A frame of a client's that the server has taken.
pub fn from_agent(frame: &Value) {
    keep(|| json!({"of": "from_agent", "name": frame["type"], "data": frame}));
}

/// An event of the stream at this path.
pub fn event(path: &str, name: &str, data: &str) {
    keep(|| {
        let path = path.split('?').next().unwrap_or_default();
        json!({"path": path, "name": name, "data": serde_json::from_str::<Value>(data).unwrap_or_default()})
    });
}

fn keep(said: impl FnOnce() -> Value) {
    static KEPT: OnceLock<Option<Mutex<Kept>>> = OnceLock::new();
    let Some(kept) = KEPT.get_or_init(begin) else { return };
    let said = said();
    let mut shape = DefaultHasher::new();
    shape_of(&said, &mut shape);
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.shapes.len() < KEPT_MAX && kept.shapes.insert(shape.finish()) {
        writeln!(kept.file, "{said}").expect("a line can be kept");
    }
}

fn begin() -> Option<Mutex<Kept>> {
    let directory = std::path::PathBuf::from(std::env::var_os("OFFHOOK_HEARD")?);
    std::fs::create_dir_all(&directory).expect("a directory for what is heard");
    let path = directory.join(format!("{}.jsonl", std::process::id()));
    let file = File::options().create(true).append(true).open(path).expect("a file for what is heard");
    Some(Mutex::new(Kept { file, shapes: HashSet::new() }))
}

/// Names and kinds, and short words, which say what kind of thing something is; not numbers, ids and texts.
fn shape_of(value: &Value, shape: &mut DefaultHasher) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                name.hash(shape);
                shape_of(value, shape);
            }
        }
        Value::Array(items) => {
            items.len().min(2).hash(shape);
            items.iter().take(2).for_each(|item| shape_of(item, shape));
        }
        Value::String(text)
            if text.len() < 24 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
        {
            text.hash(shape);
        }
        Value::String(_) => 1.hash(shape),
        Value::Number(number) => number.is_f64().hash(shape),
        Value::Bool(flag) => flag.hash(shape),
        Value::Null => 2.hash(shape),
    }
}
