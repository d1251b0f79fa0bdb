//! All of a cluster at one moment: the journal, what is on its way, the nodes, and what the clients have asked and heard.

use crate::desk::{Answer, Desk};
use crate::journal::{Append, Body, Position, Record, Writer};

/// A decided command that waits for its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Turn {
    pub command: u8,
    /// `None` confirms a refusal.
    pub answer: Option<Answer>,
}

impl Turn {
    pub fn body(self) -> Body {
        Body::Turn { command: self.command, answer: self.answer }
    }
}

/// ```text
///   Idle ──reads, appends a claim──▶ Claiming ──committed──▶ Leading ──takes a command──▶ Waiting ──committed──▶ Leading
///    ▲                                  │ anything else         ▲                            │ anything else
///    ├──────────────────────────────────┘                       ├──barrier committed,        ▼
///    ├──another's record is there───────────────────────────────┼──or own turn is there── Settling ◀─┐
///    └──crash, from anywhere                                    ┘                            └───────┘ barrier refused, unknown
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not leading, or not even running.
    Idle,
    Claiming,
    Leading,
    Waiting(Turn),
    Settling {
        turn: Turn,
        /// How many it has appended.
        barriers: u8,
        /// One of them may still be heard of.
        asked: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Node {
    pub phase: Phase,
    /// The last position that its memory holds.
    pub at: Position,
    /// The position of its claim.
    pub reign: Position,
    pub desk: Desk,
}

impl Node {
    /// With nothing in memory.
    pub fn empty() -> Self {
        Self { phase: Phase::Idle, at: 0, reign: 0, desk: Desk::default() }
    }
}

/// One sending of a command by its client, or by the node that sends it on for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attempt {
    /// On its way to whichever node is thought to lead. `heard` is the highest position that any client had been told of when
    /// it was sent.
    Sent {
        heard: Position,
    },
    /// In this node's turn.
    Taken {
        by: u8,
        heard: Position,
    },
    /// The node that had it forgot it.
    Silent,
    Done(Answer),
    Refused,
    /// Nothing happened, and nothing will, by this sending.
    Unavailable,
}

/// What no step may ever bring about, seen in the step itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Wrong {
    /// A record of an earlier leader was committed after a later one had begun.
    pub late_record: bool,
    /// An answer rested on less than had been told to somebody when it was asked for.
    pub stale_answer: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub journal: Vec<Record>,
    /// In order, so that two states that differ in it alone are one.
    pub appends: Vec<Append>,
    pub nodes: Vec<Node>,
    /// How many times a node has begun to lead.
    pub claims: u8,
    /// Of each command, in order.
    pub attempts: Vec<Vec<Attempt>>,
    /// The highest position that any client has been told of.
    pub told: Position,
    /// The latest lead that has begun.
    pub reign: Position,
    pub wrong: Wrong,
}

impl State {
    pub fn end(&self) -> Position {
        self.journal.len() as Position
    }

    /// Whether the append's writer would still take notice of what comes back.
    pub fn awaited(&self, append: &Append) -> bool {
        let Some(node) = append.record.writer.map(|node| self.nodes[node as usize]) else { return false };
        node.at == append.expected
            && match (node.phase, append.record.body) {
                (Phase::Claiming, Body::Claim) => true,
                (Phase::Waiting(turn), body) => turn.body() == body,
                (Phase::Settling { asked, .. }, Body::Barrier) => asked,
                _ => false,
            }
    }

    /// Forgets who wrote what is for nobody to recognize any more.
    pub fn forget_writers(&mut self) {
        let nodes = &self.nodes;
        let known = |writer: Writer, place: Position| {
            writer.is_some_and(|node| {
                let node = &nodes[node as usize];
                !matches!(node.phase, Phase::Idle | Phase::Leading) && node.at == place
            })
        };
        for (place, record) in self.journal.iter_mut().enumerate() {
            record.writer = record.writer.filter(|_| known(record.writer, place as Position));
        }
        for append in &mut self.appends {
            append.record.writer = append.record.writer.filter(|_| known(append.record.writer, append.expected));
        }
    }
}
