//! The types of docs/events.md and the code's are the same, with their versions and fields.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

const SOURCES: [&str; 5] = [
    include_str!("conversations.rs"),
    include_str!("offers.rs"),
    include_str!("presence.rs"),
    include_str!("service.rs"),
    include_str!("workspace.rs"),
];

/// Fields by the name of their struct.
fn structs() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for source in SOURCES {
        let mut name = "";
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("pub struct ") {
                name = rest.split([' ', '{']).next().unwrap();
                found.entry(name).or_default();
            } else if let Some((field, _)) = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(':')) {
                found.get_mut(name).unwrap().insert(field);
            }
        }
    }
    found
}

/// `OfferMade` of `offer.made`, as the list of types has it.
fn struct_of(kind: &str) -> String {
    let list = include_str!("mod.rs");
    let line = list.lines().find(|line| line.contains(&format!("\"{kind}\" "))).unwrap();
    line.trim().split(' ').next().unwrap().to_owned()
}

#[test]
fn the_types_are_those_of_the_document_with_their_versions_and_fields() {
    let text = include_str!("../../../docs/events.md");
    let table = text.split_once("| type | version | what | fields |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut documented = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let fields: BTreeSet<String> = cells[4].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        documented.insert(cells[1].trim_matches('`').to_owned(), (cells[2].parse::<u32>().unwrap(), fields));
    }
    let structs = structs();
    let ours: BTreeMap<String, (u32, BTreeSet<String>)> = Fact::TYPES
        .iter()
        .map(|(kind, version)| {
            let fields = structs[&*struct_of(kind)].iter().map(|field| (*field).to_owned()).collect();
            ((*kind).to_owned(), (*version, fields))
        })
        .collect();
    assert_eq!(ours, documented);
    assert_eq!(ours.len(), Fact::TYPES.len());
}

#[test]
fn an_event_is_flat_and_is_read_back() {
    let json =
        r#"{"id":"812.0","version":1,"at":7,"workspace":"demo","type":"conversation.woken","conversation":"c17"}"#;
    let event: FeedEvent = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), json);
    assert_eq!((event.fact.kind(), event.fact.conversation()), (("conversation.woken", 1), Some("c17")));
    let json = r#"{"id":"812.1","version":1,"at":7,"workspace":"demo","type":"settings.changed"}"#;
    let event: FeedEvent = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), json);
    assert_eq!(event.fact.conversation(), None);
}

#[test]
fn types_are_named_one_by_one_or_by_what_they_begin_with() {
    let parse = |text: &str| Types::parse(text.split(','));
    let some = parse("offer.*, message.posted").unwrap();
    assert!(some.want("offer.made") && some.want("offer.ended") && some.want("message.posted"));
    assert!(!some.want("messages.read") && !some.want("conversation.opened"));
    assert!(parse("").unwrap().want("conversation.opened"));
    for bad in ["offer", "offer.", "*", "offer*", "x.*", "offer.made,nothing", "OFFER.MADE"] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
