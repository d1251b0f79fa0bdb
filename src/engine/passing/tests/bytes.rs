//! Bytes that are no batch and no answer.

use super::super::shapes::{BYTES_MAX, Batch, BatchAnswer, COMMANDS_MAX, Malformed, TooLarge};
use super::{commands, told};
use crate::desk::command::{Ask, Author, Command};
use crate::desk::ids::{AgentId, ConversationId};

fn batch(commands: Vec<Command>) -> Batch {
    Batch { workspace: "acme".into(), term: 5, sender: 6, number: 7, commands }
}

fn of_text(text: &str) -> Vec<u8> {
    [&[1], text.as_bytes()].concat()
}

fn refused(text: &str) -> Malformed {
    Batch::decode(&of_text(text)).expect_err("it is no batch")
}

#[test]
fn what_is_no_batch_says_why() {
    assert_eq!(Batch::decode(&[]), Err(Malformed::Empty));
    assert_eq!(Batch::decode(b"{}"), Err(Malformed::UnknownVersion { version: b'{' }));
    assert_eq!(BatchAnswer::decode(&[2, b'{', b'}']), Err(Malformed::UnknownVersion { version: 2 }));
    let whole = |text: &str, part: &str| {
        let error = refused(text);
        assert!(matches!(&error, Malformed::Whole { why } if why.contains(part)), "{text}: {error}");
        assert!(matches!(BatchAnswer::from(&error), BatchAnswer::Unreadable { command: None, .. }));
    };
    whole("", "EOF");
    whole("{}", "missing field `workspace`");
    whole(r#"{"workspace":"acme","term":-1}"#, "-1");
    whole(r#"{"workspace":"acme","term":1,"sender":1,"number":1,"commands":{}}"#, "expected a sequence");
    whole(r#"{"workspace":"acme","term":1,"sender":1,"number":1,"commands":[]}x"#, "trailing characters");
    let why = format!(r#"{{"workspace":{:?}}}"#, "é".repeat(100_000));
    assert!(refused(&why).to_string().len() < 400, "what is quoted is bounded");
}

#[test]
fn a_command_that_cannot_be_read_is_named() {
    let with = |second: &str| {
        let first = r#"{"principal":"server","fingerprint":0,"ask":"tick"}"#;
        format!(r#"{{"workspace":"acme","term":1,"sender":1,"number":1,"commands":[{first},{second}]}}"#)
    };
    for (second, named, part) in [
        ("1", ".", "invalid type: integer"),
        ("{}", ".", "missing field `principal`"),
        (r#"{"principal":"server","fingerprint":0,"ask":"of_the_next_release"}"#, "ask", "unknown variant"),
        (
            r#"{"principal":"server","fingerprint":0,"ask":{"accept":{"agent":1}}}"#,
            "ask.accept",
            "missing field `offer`",
        ),
        (
            r#"{"principal":"server","fingerprint":0,"ask":{"post":{"conversation":1,"author":{"agent":-1}}}}"#,
            "ask.post.author.agent",
            "invalid value: integer `-1`",
        ),
        (r#"{"principal":"server","fingerprint":-1,"ask":"tick"}"#, "fingerprint", "-1"),
        (r#"{"principal":{"agent":4294967296},"fingerprint":0,"ask":"tick"}"#, "principal.agent", "4294967296"),
    ] {
        let error = refused(&with(second));
        let Malformed::Command { command: 1, field, why } = &error else { panic!("{second}: {error}") };
        assert_eq!(field, named, "{second}: {why}");
        assert!(why.contains(part), "{second}: {why}");
        let BatchAnswer::Unreadable { command: Some(1), why } = BatchAnswer::from(&error) else { panic!("{error}") };
        assert!(why.contains(named), "{why}");
    }
}

/// A guard against a fault of ours or a stranger's: each level would take of the stack.
#[test]
fn what_is_nested_without_end_is_refused() {
    let (before, behind) = (r#"{"only_if":{"known":"there","then":"#.repeat(10_000), "}}".repeat(10_000));
    let ask = format!(r#"{before}"tick"{behind}"#);
    let command = format!(r#"{{"principal":"server","fingerprint":0,"ask":{ask}}}"#);
    let error = refused(&format!(r#"{{"workspace":"acme","term":1,"sender":1,"number":1,"commands":[{command}]}}"#));
    assert!(matches!(&error, Malformed::Command { command: 0, why, .. } if why.contains("recursion")), "{error}");
}

#[test]
fn there_is_room_for_so_much_and_no_more() {
    let post = |bytes: usize| {
        let (conversation, author) = (ConversationId(1), Author::Agent(AgentId(1)));
        let ask = Ask::Post { conversation, author, text: "x".repeat(bytes).into(), files: [].into() };
        batch(vec![Command::of_server(ask)])
    };
    let beside = post(0).encode().expect("it has room").len();
    let largest = post(BYTES_MAX - beside);
    let bytes = largest.encode().expect("it has room");
    assert_eq!(bytes.len(), BYTES_MAX);
    assert_eq!(Batch::decode(&bytes), Ok(largest));
    let too_large = TooLarge { bytes: BYTES_MAX + 1 };
    assert_eq!(post(BYTES_MAX - beside + 1).encode(), Err(too_large.clone()));
    let more = [&bytes[..], b" "].concat();
    assert_eq!(Batch::decode(&more), Err(Malformed::TooLarge(too_large.clone())));
    assert_eq!(BatchAnswer::decode(&more), Err(Malformed::TooLarge(too_large)));

    let many = |many| batch(vec![Command::of_server(Ask::Tick); many]);
    let most = many(COMMANDS_MAX);
    assert_eq!(Batch::decode(&most.encode().expect("it has room")), Ok(most));
    let bytes = many(COMMANDS_MAX + 1).encode().expect("it has room");
    assert_eq!(Batch::decode(&bytes), Err(Malformed::TooMany { many: COMMANDS_MAX + 1 }));
}

/// Cut off anywhere, or with any byte changed, it is an error or something else that is whole: never a panic.
#[test]
fn what_was_damaged_is_refused_or_whole() {
    let batch = batch(commands::samples()).encode().expect("it has room");
    let answer = BatchAnswer::Led { answers: told::samples() }.encode().expect("it has room");
    for cut in 0..batch.len() {
        assert!(Batch::decode(&batch[..cut]).is_err(), "cut at {cut}");
    }
    for cut in 0..answer.len() {
        assert!(BatchAnswer::decode(&answer[..cut]).is_err(), "cut at {cut}");
    }
    for at in (0..batch.len()).step_by(7) {
        let mut bytes = batch.to_vec();
        bytes[at] ^= 0x55;
        let _ = Batch::decode(&bytes);
    }
    for at in (0..answer.len()).step_by(7) {
        let mut bytes = answer.to_vec();
        bytes[at] ^= 0x55;
        let _ = BatchAnswer::decode(&bytes);
    }
}
