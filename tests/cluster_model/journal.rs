//! The workspace's journal as the servers of the stream keep it, and what is on its way to them and back.

use crate::desk::Answer;

/// A workspace's own consecutive record number; 0 is before the first.
pub type Position = u8;

/// The node that would know it for its own. `None` once that has forgotten it, which stands for the randomness of ids: nothing
/// of an earlier life is taken for one's own.
pub type Writer = Option<u8>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Body {
    /// A new leader's first record.
    Claim,
    /// Settles what came before it.
    Barrier,
    /// A decided command: with its answer, or without one where it changes nothing and only confirms a refusal.
    Turn { command: u8, answer: Option<Answer> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    pub writer: Writer,
    pub body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leg {
    /// On its way to the servers, or waiting there for a quorum. It may stay so for ever: a lost request.
    Asked,
    /// Committed, its acknowledgement on the way back. It may stay so for ever, too.
    Acknowledged,
}

/// An append between its writer and the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Append {
    /// The last position that the writer knew.
    pub expected: Position,
    pub record: Record,
    /// Where its writer's lead began: the position of its claim. No rule reads it; a property does.
    pub reign: Position,
    pub leg: Leg,
}
