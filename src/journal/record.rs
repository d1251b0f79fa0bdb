//! The versioned frame of one record: a checksum over a head line, event lines and outcome lines.
//!
//! ```text
//! "OHR" | version 1 | crc32 of all that follows, u32 LE | head line \n event line \n … \n outcome line
//! ```
//!
//! The lines are JSON, so that a record can be read by people and by tools that know nothing of Offhook. This
//! file never looks inside events and outcomes: those belong to the desk.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Position, TurnId};

const MAGIC: &[u8; 3] = b"OHR";
pub const VERSION: u8 = 1;
const FRAME_BYTES: usize = 8;

/// What each record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub position: Position,
    pub turn: TurnId,
    /// The workspace's desk time at this turn; never goes back.
    pub desk_ms: u64,
    /// Milliseconds since 1970; never goes back in one journal.
    pub wall_ms: u64,
    /// In a cluster: who wrote it.
    pub lead: Option<Lead>,
}

/// Who leads a workspace in a cluster, and since when: the record at `term` was its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The number of this run of a node.
    pub node: u64,
    pub term: Position,
}

/// A decoded record. Each event and outcome is one JSON object, as it was written.
#[derive(Debug)]
pub struct Record {
    pub head: Head,
    pub events: Vec<Box<RawValue>>,
    pub outcomes: Vec<Box<RawValue>>,
}

/// The first line. Fields that this release does not know are passed over.
#[derive(Serialize, Deserialize)]
struct HeadLine {
    position: Position,
    turn: TurnId,
    desk_ms: u64,
    wall_ms: u64,
    events: usize,
    outcomes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lead: Option<Lead>,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordDamaged {
    #[error("{bytes} bytes are too few for a record")]
    TooShort { bytes: usize },
    #[error("it does not begin as a record does")]
    BadMagic,
    #[error("it has the unknown version {version}")]
    UnknownVersion { version: u8 },
    #[error("it was written by a newer release (record version {version}, this one reads {VERSION})")]
    NewerVersion { version: u8 },
    #[error("its checksum is {computed:08x} and should be {stored:08x}")]
    Checksum { stored: u32, computed: u32 },
    #[error("it is not UTF-8")]
    NotText,
    #[error("its head line cannot be read: {0}")]
    Head(String),
    #[error("its head promises {promised} lines and {found} follow")]
    Counts { promised: usize, found: usize },
    #[error("line {line} after its head is not a JSON object: {reason}")]
    Line { line: usize, reason: String },
}

/// Encodes a record in one pass. Events and outcomes must each serialize to a JSON object on one line, which
/// serde's derived structs and enums with named fields do.
///
/// # Panics
/// If one does not: such a record could not be read back, so it must never be written.
pub fn encode(head: &Head, events: &[impl Serialize], outcomes: &[impl Serialize]) -> Bytes {
    let mut out = Vec::with_capacity(256 + 256 * (events.len() + outcomes.len()));
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    out.extend_from_slice(&[0; 4]);
    let line = HeadLine {
        position: head.position,
        turn: head.turn,
        desk_ms: head.desk_ms,
        wall_ms: head.wall_ms,
        events: events.len(),
        outcomes: outcomes.len(),
        lead: head.lead,
    };
    push_object(&mut out, &line);
    for event in events {
        out.push(b'\n');
        push_object(&mut out, event);
    }
    for outcome in outcomes {
        out.push(b'\n');
        push_object(&mut out, outcome);
    }
    let checksum = crc32fast::hash(&out[FRAME_BYTES..]);
    out[4..FRAME_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Bytes::from(out)
}

fn push_object(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    serde_json::to_writer(&mut *out, value).expect("events and outcomes serialize to JSON");
    let line = &out[start..];
    assert!(line.first() == Some(&b'{') && !line.contains(&b'\n'), "events and outcomes are JSON objects on one line");
}

/// Decodes a record, or says exactly what is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Record, RecordDamaged> {
    let Some((frame, body)) = bytes.split_first_chunk::<FRAME_BYTES>() else {
        return Err(RecordDamaged::TooShort { bytes: bytes.len() });
    };
    let [m0, m1, m2, version, checksum @ ..] = *frame;
    if [m0, m1, m2] != *MAGIC {
        return Err(RecordDamaged::BadMagic);
    }
    match version {
        VERSION => {}
        0 => return Err(RecordDamaged::UnknownVersion { version }),
        _ => return Err(RecordDamaged::NewerVersion { version }),
    }
    let (stored, computed) = (u32::from_le_bytes(checksum), crc32fast::hash(body));
    if stored != computed {
        return Err(RecordDamaged::Checksum { stored, computed });
    }
    let text = std::str::from_utf8(body).map_err(|_| RecordDamaged::NotText)?;
    let (head, rest) = match text.split_once('\n') {
        Some((head, rest)) => (head, Some(rest)),
        None => (text, None),
    };
    let head: HeadLine = serde_json::from_str(head).map_err(|error| RecordDamaged::Head(error.to_string()))?;
    decode_lines(head, rest)
}

fn decode_lines(head: HeadLine, rest: Option<&str>) -> Result<Record, RecordDamaged> {
    let found = rest.map_or(0, |rest| rest.split('\n').count());
    let promised = head.events.saturating_add(head.outcomes);
    if promised != found {
        return Err(RecordDamaged::Counts { promised, found });
    }
    let mut lines = rest.into_iter().flat_map(|rest| rest.split('\n')).zip(1..);
    let mut take = |count: usize| -> Result<Vec<Box<RawValue>>, RecordDamaged> {
        lines
            .by_ref()
            .take(count)
            .map(|(text, line)| object(text).map_err(|reason| RecordDamaged::Line { line, reason }))
            .collect()
    };
    Ok(Record {
        events: take(head.events)?,
        outcomes: take(head.outcomes)?,
        head: Head {
            position: head.position,
            turn: head.turn,
            desk_ms: head.desk_ms,
            wall_ms: head.wall_ms,
            lead: head.lead,
        },
    })
}

fn object(line: &str) -> Result<Box<RawValue>, String> {
    let value: Box<RawValue> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match value.get().starts_with('{') {
        true => Ok(value),
        false => Err("it is another kind of value".to_owned()),
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
