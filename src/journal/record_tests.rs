//! What a record survives, and what it says of itself when it did not.
//!
//! Golden files: `tests/golden/records/*.bin` are records as released versions wrote them. Each must decode for
//! ever, and those of the current version must encode to the same bytes. A new format adds a new file; an old
//! file is never edited, since it stands for disks that are out there.

use serde_json::{Value, json};

use super::*;

fn head() -> Head {
    Head {
        position: Position(7),
        turn: TurnId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        desk_ms: 1_500,
        wall_ms: 1_692_953_520_000,
        lead: None,
    }
}

/// A frame of the given body, checksum right.
fn framed(version: u8, body: &str) -> Vec<u8> {
    let mut bytes = b"OHR".to_vec();
    bytes.push(version);
    bytes.extend_from_slice(&crc32fast::hash(body.as_bytes()).to_le_bytes());
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

const HEAD: &str =
    r#"{"position":7,"turn":"0123456789abcdef0123456789abcdef","desk_ms":1500,"wall_ms":9,"events":1,"outcomes":0}"#;

#[test]
fn a_record_comes_back_as_it_was_written() {
    let events = [json!({"offered": {"agent": "anna"}}), json!({"text": "two\nlines"})];
    let outcomes = [json!({"command": "c1", "ok": true})];
    let bytes = encode(&head(), &events, &outcomes);
    let record = decode(&bytes).unwrap();
    assert_eq!(record.head, head());
    assert_eq!((record.events.len(), record.outcomes.len()), (2, 1));
    let second: Value = serde_json::from_str(record.events[1].get()).unwrap();
    assert_eq!(second, events[1]);
    assert_eq!(encode(&record.head, &record.events, &record.outcomes), bytes);
}

#[test]
fn a_record_without_events_is_a_record() {
    let nothing: [Value; 0] = [];
    let record = decode(&encode(&head(), &nothing, &nothing)).unwrap();
    assert!(record.events.is_empty() && record.outcomes.is_empty());
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = encode(&head(), &[json!({"a": 1})], &[json!({"b": 2})]);
    for at in 0..bytes.len() * 8 {
        let mut broken = bytes.to_vec();
        broken[at / 8] ^= 1 << (at % 8);
        assert!(decode(&broken).is_err(), "bit {at}");
    }
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "length {length}");
    }
}

#[test]
fn damage_is_named_exactly() {
    let cases = [
        (b"OHR".to_vec(), RecordDamaged::TooShort { bytes: 3 }),
        (b"OHX\x01\0\0\0\0{}".to_vec(), RecordDamaged::BadMagic),
        (framed(0, "{}"), RecordDamaged::UnknownVersion { version: 0 }),
        (framed(2, "{}"), RecordDamaged::NewerVersion { version: 2 }),
        (b"OHR\x01\0\0\0\0{}".to_vec(), RecordDamaged::Checksum { stored: 0, computed: crc32fast::hash(b"{}") }),
        (framed(1, HEAD), RecordDamaged::Counts { promised: 1, found: 0 }),
        (framed(1, &format!("{HEAD}\n{{}}\n{{}}")), RecordDamaged::Counts { promised: 1, found: 2 }),
        (framed(1, &format!("{HEAD}\n{{}}\n")), RecordDamaged::Counts { promised: 1, found: 2 }),
        (
            framed(1, &format!("{HEAD}\n[]")),
            RecordDamaged::Line { line: 1, reason: "it is another kind of value".into() },
        ),
    ];
    for (bytes, damage) in cases {
        assert_eq!(decode(&bytes).unwrap_err(), damage);
    }
    assert!(matches!(decode(&framed(1, "{}")), Err(RecordDamaged::Head(_))));
    let short_turn = HEAD.replace("0123456789abcdef0123456789abcdef", "+123");
    assert!(matches!(decode(&framed(1, &short_turn)), Err(RecordDamaged::Head(_))));
}

#[test]
fn unknown_head_fields_are_passed_over() {
    let line = HEAD.replace("\"events\"", "\"leader\":\"n2\",\"events\"");
    let record = decode(&framed(1, &format!("{line}\n{{}}"))).unwrap();
    assert_eq!(record.head.position, Position(7));
}

#[test]
#[should_panic(expected = "JSON objects on one line")]
fn an_event_that_could_not_be_read_back_is_never_written() {
    let nothing: [Value; 0] = [];
    encode(&head(), &[json!([1, 2])], &nothing);
}

#[test]
fn golden_records_decode_and_encode_to_the_same_bytes() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/records");
    let mut seen = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let record = decode(&bytes).unwrap_or_else(|damage| panic!("{}: {damage}", path.display()));
        if bytes[3] == VERSION {
            let again = encode(&record.head, &record.events, &record.outcomes);
            assert_eq!(again, bytes, "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} golden records");
}
