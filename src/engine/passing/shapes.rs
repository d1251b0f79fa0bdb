//! A batch of commands and what became of them, as bytes between two nodes. No I/O and no clock.
//!
//! ```text
//! version 1 | JSON
//! ```
//!
//! Each command and each answer is read by itself, so that two nodes of which one runs the next release understand all but what
//! only that one knows: of a batch it is named which command cannot be read, of an answer the rest stays.

use crate::desk::answer::Answer;
use crate::desk::command::Command;
use crate::desk::ids::SessionId;
use crate::desk::refusal::Refusal;
use crate::engine::published::NotDone;
use crate::journal::Position;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

const VERSION: u8 = 1;
/// Of a batch or its answer: a request of NATS has room for 1 MiB, its headers with it.
pub const BYTES_MAX: usize = 768 * 1024;
/// Commands of a batch, as many as a turn takes.
pub const COMMANDS_MAX: usize = 256;
/// What is said of bytes that cannot be read: an error quotes them.
const WHY_BYTES_MAX: usize = 300;
/// A question whose answer had no room is asked again.
const NO_ROOM_RETRY_MS: u64 = 250;

/// What one node passes to another, in the order in which it heard it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Batch<C = Command> {
    pub workspace: Arc<str>,
    /// The position of the claim by which the other is thought to lead.
    pub term: u64,
    /// The number of the node that sends it.
    pub sender: u64,
    /// The sender's own for this workspace, consecutive. The same number again is the same batch again.
    pub number: u64,
    /// At most `COMMANDS_MAX`.
    pub commands: Vec<C>,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchAnswer<P = Passed> {
    /// Each command was decided: as many answers, in the same order.
    Led { answers: Vec<P> },
    /// Nothing happened: it leads by another claim, or (none) not at all.
    NotLed { term: Option<u64> },
    /// Nothing happened, since this cannot be read.
    Unreadable {
        /// Which command it is, from 0, where it is one: the others may be sent without it.
        command: Option<usize>,
        why: String,
    },
}

/// What became of one command.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Passed {
    /// It rests on what is in the journal up to here: nobody is told of it before their node has applied that.
    pub position: Position,
    pub result: Told,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    Done(Answer),
    Refused(Refusal),
    NotDone(NotDone),
    /// It was decided, in words that this node's release does not know. Never sent.
    #[serde(skip)]
    Unknown {
        why: String,
    },
}

/// What is in no record and concerns all nodes. It may be lost.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hint {
    pub workspace: Arc<str>,
    pub hinted: Hinted,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hinted {
    /// Somebody types.
    Typing(Answer),
    /// These, which are connected to that node, have been idle for as long as the workspace allows.
    Idle(Vec<SessionId>),
}

impl Hint {
    /// # Errors
    /// It has no room.
    pub fn encode(&self) -> Result<Bytes, TooLarge> {
        encode(self)
    }

    /// # Errors
    /// It cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        whole(bytes)
    }
}

/// It has no room in one message: pass on fewer at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are more than {BYTES_MAX}")]
pub struct TooLarge {
    pub bytes: usize,
}

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error("there are no bytes")]
    Empty,
    #[error("it is of version {version}, and this release reads {VERSION}")]
    UnknownVersion { version: u8 },
    #[error("it cannot be read: {why}")]
    Whole { why: String },
    #[error("{many} are more than {COMMANDS_MAX}")]
    TooMany { many: usize },
    #[error("command {command} cannot be read at {field}: {why}")]
    Command { command: usize, field: String, why: String },
}

impl Batch {
    /// # Errors
    /// It has no room.
    pub fn encode(&self) -> Result<Bytes, TooLarge> {
        encode(self)
    }

    /// # Errors
    /// What of it cannot be read, which is what the sender is told.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let Batch { workspace, term, sender, number, commands } = whole::<Batch<&RawValue>>(bytes)?;
        few(commands.len())?;
        let commands = commands.iter().enumerate().map(|(place, text)| {
            let read = one(text);
            read.map_err(|(field, why)| Malformed::Command { command: place, field, why })
        });
        Ok(Batch { workspace, term, sender, number, commands: commands.collect::<Result<_, _>>()? })
    }
}

impl BatchAnswer {
    /// Where the answers have no room together, questions are left out: who asks them again has changed nothing.
    ///
    /// # Errors
    /// It has no room without them.
    pub fn encode(&self) -> Result<Bytes, TooLarge> {
        match self {
            BatchAnswer::Led { answers } => {
                let whole = encode(self);
                if whole.is_ok() { whole } else { encode(&without_questions(answers)) }
            }
            BatchAnswer::NotLed { .. } | BatchAnswer::Unreadable { .. } => encode(self),
        }
    }

    /// # Errors
    /// What of it cannot be read; an answer that alone cannot be is `Told::Unknown`, if it says on what it rests.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let answers = match whole::<BatchAnswer<PassedLine>>(bytes)? {
            BatchAnswer::Led { answers } => answers,
            BatchAnswer::NotLed { term } => return Ok(BatchAnswer::NotLed { term }),
            BatchAnswer::Unreadable { command, why } => return Ok(BatchAnswer::Unreadable { command, why }),
        };
        few(answers.len())?;
        let answers = answers.iter().map(|PassedLine { position, result }| {
            let result = one(result).unwrap_or_else(|(field, why)| Told::Unknown { why: format!("{field}: {why}") });
            Passed { position: *position, result }
        });
        Ok(BatchAnswer::Led { answers: answers.collect() })
    }
}

impl From<&Malformed> for BatchAnswer {
    fn from(malformed: &Malformed) -> Self {
        let command = match malformed {
            Malformed::Command { command, .. } => Some(*command),
            Malformed::TooLarge(_)
            | Malformed::Empty
            | Malformed::UnknownVersion { .. }
            | Malformed::Whole { .. }
            | Malformed::TooMany { .. } => None,
        };
        BatchAnswer::Unreadable { command, why: malformed.to_string() }
    }
}

impl From<Result<Answer, Refusal>> for Told {
    fn from(result: Result<Answer, Refusal>) -> Self {
        result.map_or_else(Told::Refused, Told::Done)
    }
}

/// An answer of which it is not known yet whether its words are.
#[derive(Deserialize)]
struct PassedLine<'a> {
    position: Position,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// The same with as many answers to questions as have room, the first first.
fn without_questions(answers: &[Passed]) -> BatchAnswer {
    let bytes = |passed: &Passed| serde_json::to_vec(passed).map_or(usize::MAX, |text| text.len() + 1);
    let kept: usize = answers.iter().filter(|passed| !changed_nothing(&passed.result)).map(bytes).sum();
    let no_room = Told::NotDone(NotDone::Busy { retry_after_ms: NO_ROOM_RETRY_MS });
    // What stands round the answers, and what stands for those that are left out.
    let beside = 64 * (1 + answers.len());
    let mut room = BYTES_MAX.saturating_sub(kept + beside);
    let answers = answers.iter().map(|passed| {
        if !changed_nothing(&passed.result) {
            return passed.clone();
        }
        let bytes = bytes(passed);
        if bytes > room {
            return Passed { position: passed.position, result: no_room.clone() };
        }
        room -= bytes;
        passed.clone()
    });
    BatchAnswer::Led { answers: answers.collect() }
}

/// Whether it was asked for what is told alone.
fn changed_nothing(told: &Told) -> bool {
    match told {
        Told::Done(answer) => match answer {
            Answer::WhyConversation(_)
            | Answer::WhyAgent(_)
            | Answer::Decisions(_)
            | Answer::Waiting(_)
            | Answer::Typing { .. } => true,
            Answer::Done
            | Answer::Welcome { .. }
            | Answer::Opened { .. }
            | Answer::Posted { .. }
            | Answer::Received { .. }
            | Answer::Accepted { .. }
            | Answer::TransferOffered { .. }
            | Answer::Taken { .. }
            | Answer::Imported { .. }
            | Answer::Noted { .. }
            | Answer::Decided { .. }
            | Answer::QueuePut { .. }
            | Answer::AgentPut { .. }
            | Answer::Merged { .. }
            | Answer::Own { .. } => false,
        },
        Told::Refused(_) | Told::NotDone(_) | Told::Unknown { .. } => false,
    }
}

fn encode(value: &impl Serialize) -> Result<Bytes, TooLarge> {
    let mut out = vec![VERSION];
    serde_json::to_writer(&mut out, value).expect("commands and answers have string keys and finite numbers");
    if out.len() > BYTES_MAX { Err(TooLarge { bytes: out.len() }) } else { Ok(out.into()) }
}

fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Malformed> {
    if bytes.len() > BYTES_MAX {
        return Err(TooLarge { bytes: bytes.len() }.into());
    }
    let (&version, text) = bytes.split_first().ok_or(Malformed::Empty)?;
    if version != VERSION {
        return Err(Malformed::UnknownVersion { version });
    }
    serde_json::from_slice(text).map_err(|error| Malformed::Whole { why: shortened(error.to_string()) })
}

/// The field at fault, and what it is.
fn one<'a, T: Deserialize<'a>>(text: &'a RawValue) -> Result<T, (String, String)> {
    let mut from = serde_json::Deserializer::from_str(text.get());
    serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let field = error.path().to_string();
        (shortened(field), shortened(error.into_inner().to_string()))
    })
}

fn few(many: usize) -> Result<(), Malformed> {
    if many > COMMANDS_MAX { Err(Malformed::TooMany { many }) } else { Ok(()) }
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(WHY_BYTES_MAX));
    text
}
