//! Records of other systems, and the calls that come of them.

use super::compose::{Composed, Composer, Standing, parts};
use super::left::Left;
use super::shelf::Shelf;
use super::zendesk;
use crate::desk::imported::{ENTRIES_MAX, TEXTS_BYTES_MAX};
use crate::wire::imported::{ImportBody, PartBody, check_messages};
use crate::wire::messenger::Limits;
use serde_json::{Value, json};
use std::path::Path;

fn standing() -> Standing {
    Standing {
        agents: ["ada@example.com".to_owned()].into(),
        queues: ["support".to_owned(), "tier-2".to_owned()].into(),
        queue: "support".to_owned(),
        channels: vec!["chat".to_owned(), "email".to_owned()],
        tags: Some(["vip".to_owned()].into()),
    }
}

fn composed(records: &[Value]) -> (Vec<Composed>, Vec<String>) {
    let (mut shelf, mut left) = (Shelf::new().unwrap(), Left::default());
    for record in records {
        zendesk::take(record.as_object().unwrap(), None, &mut shelf, &mut left);
    }
    shelf.sort().unwrap();
    let mut composer = Composer::new(&shelf, standing(), "zendesk".to_owned());
    let all = std::iter::from_fn(|| composer.next(&mut left).unwrap()).collect();
    (all, left.report())
}

/// As the server reads and checks it.
fn is_taken(composed: &Composed) {
    let first: ImportBody = serde_json::from_value(composed.first.clone()).unwrap();
    first.check(u64::MAX, &Limits::default()).unwrap();
    for part in &composed.more {
        let part: PartBody = serde_json::from_value(part.clone()).unwrap();
        check_messages(&part.messages, first.opened_at, first.closed_at, &Limits::default()).unwrap();
    }
}

#[test]
fn a_ticket_finds_its_comments_and_its_people_in_whatever_order_they_come() {
    let mut records = vec![
        json!({"id": 2, "ticket_id": 9, "author_id": 1, "plain_body": "yes", "public": true, "created_at": "2020-01-01T00:00:02Z"}),
        json!({"id": 1, "ticket_id": 9, "author_id": 3, "body": "is it?", "public": true, "created_at": "2020-01-01T00:00:01Z"}),
        json!({"id": 9, "subject": "Hi", "status": "closed", "requester_id": 3, "assignee_id": 1, "group_id": 7,
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-02T00:00:00Z", "tags": ["vip", "none of ours"]}),
        json!({"id": 7, "name": "Tier 2", "is_public": true}),
        json!({"id": 1, "name": "Ada", "email": "ada@example.com", "role": "agent"}),
        json!({"id": 3, "name": "Zoe", "email": "zoe@example.org", "role": "end-user", "external_id": "c-17"}),
    ];
    let (forwards, left) = composed(&records);
    records.reverse();
    assert_eq!((composed(&records).0, left.len()), (forwards, 1), "{left:?}");
    let (all, _) = composed(&records);
    let [one] = &all[..] else { panic!("{all:?}") };
    is_taken(one);
    assert_eq!((&*one.id, &one.first["customer"]["id"], &one.first["queue"]), ("9", &json!("c-17"), &json!("tier-2")));
    assert_eq!((&one.first["agent"], &one.first["tags"]), (&json!("ada@example.com"), &json!(["vip"])));
    let authors: Vec<&Value> = one.first["messages"].as_array().unwrap().iter().map(|said| &said["author"]).collect();
    assert_eq!(authors, [&json!("customer"), &json!({"agent": "ada@example.com"})]);
}

#[test]
fn what_was_said_after_the_end_moves_the_end_and_a_long_text_becomes_several() {
    let long = "ä".repeat(20_000);
    let (all, left) = composed(&[
        json!({"id": 9, "subject": "Hi", "status": "solved", "requester_id": 3, "created_at": "2020-01-02T00:00:00Z",
            "updated_at": "2020-01-02T00:00:00Z", "comments": [
                {"id": 1, "author_id": 3, "body": "before", "public": true, "created_at": "2020-01-01T00:00:00Z"},
                {"id": 2, "author_id": 8, "body": long, "public": true, "created_at": "2020-01-03T00:00:00Z"}]}),
    ]);
    is_taken(&all[0]);
    let first = &all[0].first;
    assert_eq!(
        (&first["opened_at"], &first["closed_at"]),
        (&json!(1_577_836_800_000_u64), &json!(1_578_009_600_000_u64))
    );
    assert_eq!(first["customer"]["id"], "zendesk-3", "known by its number alone");
    let pieces: Vec<&str> =
        first["messages"].as_array().unwrap()[1..].iter().filter_map(|one| one["text"].as_str()).collect();
    assert_eq!((pieces.len(), pieces.concat()), (3, long));
    assert!(left.iter().any(|line| line.contains("1 texts of more than 16 KiB")), "{left:?}");
}

#[test]
fn open_tickets_and_what_cannot_be_placed_are_counted() {
    let (all, left) = composed(&[
        json!({"id": 9, "subject": "Hi", "status": "pending", "requester_id": 3}),
        json!({"id": 10, "subject": "Hi", "status": "closed", "requester_id": 3, "created_at": "soon"}),
        json!({"id": 1, "author_id": 3, "body": "whose?", "created_at": "2020-01-01T00:00:00Z"}),
        json!({"id": 2, "colour": "red"}),
    ]);
    assert!(all.is_empty());
    let expected = [
        "left: 1 comments that do not say of which ticket (save each answer as comments_TICKET.json)",
        "left: 1 objects of other kinds",
        "left: 1 tickets that are open: they stay where they are",
        "left: 1 tickets without their times",
    ];
    assert_eq!(left, expected);
}

#[test]
fn a_files_name_says_whose_comments_it_has() {
    assert_eq!(zendesk::ticket_of(Path::new("/tmp/comments_35436.json")).as_deref(), Some("35436"));
    for other in ["comments.json", "comments_.json", "comments_x.json", "35436.json"] {
        assert_eq!(zendesk::ticket_of(Path::new(other)), None, "{other}");
    }
}

/// Whatever sizes come: nothing is lost, the order stays, and each part fits a call.
#[test]
fn parts_fit_calls_and_together_are_the_whole() {
    for step in [1, 7, 300, 5_000, 16_384] {
        let messages: Vec<Value> =
            (0..700_usize).map(|at| json!({"at": at, "text": "x".repeat(1 + at * step % 16_384)})).collect();
        let cut = parts(messages.clone());
        for part in &cut {
            let bytes: usize = part.iter().map(|one| one["text"].as_str().unwrap().len()).sum();
            assert!(!part.is_empty() && part.len() <= ENTRIES_MAX && bytes <= TEXTS_BYTES_MAX);
        }
        assert_eq!(cut.concat(), messages);
    }
    assert_eq!(parts(Vec::new()), [Vec::<Value>::new()]);
}
