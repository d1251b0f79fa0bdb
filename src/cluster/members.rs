//! Who is in the cluster, by what was heard of each. Pure: it is told what was heard and when, and reads no clock.
//!
//! ```text
//!           heard                    silent for its lease
//! unknown ────────▶ live ─────────────────────────────────▶ gone, for as long as nothing is heard
//!                   │  ▲ ◀───────heard again───────────────────┘
//!                   └────left, or its name with a newer number───▶ gone for ever
//! ```
//!
//! All of it comes through one watch of one bucket, in the order in which it was put, our own heartbeats among it. So an own heartbeat
//! that comes back proves what silence alone does not: that the bucket takes what is put and that the watch hears it. Nobody is given up
//! but by one that was put after that node's lease had run out. And silence is counted only while own heartbeats come back one after the
//! other: after a pause everybody has a whole lease again, since what the others put meanwhile may arrive behind ours.

use crate::desk::ids::NodeNumber;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Nodes at most, with this one. Beyond it a node is not taken notice of.
pub const NODES_MAX: usize = 64;
/// Numbers that are remembered as gone.
const GONE_MAX: usize = 256;

/// One run of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// As its settings have it: the same at each of its starts.
    pub name: Arc<str>,
    /// Of this start.
    pub number: NodeNumber,
    /// Where it says that it is.
    pub address: Arc<str>,
}

impl Node {
    #[must_use]
    pub fn new(name: &str, number: NodeNumber, address: &str) -> Self {
        Self { name: name.into(), number, address: address.into() }
    }
}

/// Who is in the cluster, as this node sees it. Others may see it otherwise, for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    /// This node's.
    pub own: NodeNumber,
    /// Who is live, this one too, by name.
    pub nodes: Vec<Node>,
    /// Numbers that were live and are gone; the newest are last, and the oldest of more than 256 are forgotten.
    pub gone: Vec<NodeNumber>,
    /// The newer process that took this node's name, if one did. This one is none of the nodes then.
    pub taken_over: Option<NodeNumber>,
    /// Whatever began before this revision of the bucket has been heard of.
    heard_to: u64,
}

impl Roll {
    /// One with these nodes, of which none is gone.
    #[must_use]
    pub fn of(own: NodeNumber, mut nodes: Vec<Node>) -> Self {
        nodes.sort_by(|left, right| left.name.cmp(&right.name));
        let heard_to = nodes.iter().map(|node| node.number.0).max().unwrap_or_default();
        Self { own, nodes, gone: Vec::new(), taken_over: None, heard_to }
    }

    /// The live node of this number.
    #[must_use]
    pub fn node(&self, number: NodeNumber) -> Option<&Node> {
        self.nodes.iter().find(|node| node.number == number)
    }

    /// Whether nothing is to be expected of this number any more, also where it was gone before this node began. One that is too new to
    /// have been heard of is not gone.
    #[must_use]
    pub fn is_gone(&self, number: NodeNumber) -> bool {
        self.node(number).is_none() && number.0 <= self.heard_to
    }
}

/// Why a node is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyGone {
    /// Nothing was heard of it for its lease.
    Silent,
    /// It said so.
    Left,
    /// Its process was started anew.
    Replaced,
}

impl WhyGone {
    /// The word for metrics and the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Left => "left",
            Self::Replaced => "replaced",
        }
    }
}

/// What came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Came(Node),
    Gone(Node, WhyGone),
    /// It is one too many, and not taken notice of.
    TurnedAway(Node),
    /// A newer process has our name.
    TakenOver(NodeNumber),
}

#[derive(Debug)]
struct Seat {
    node: Node,
    /// How long its silence may be.
    lease_ms: u64,
    heard_ms: u64,
}

/// The members, as far as was heard.
#[derive(Debug)]
pub struct Members {
    own: Node,
    lease_ms: u64,
    /// The others.
    seats: BTreeMap<Arc<str>, Seat>,
    gone: VecDeque<(NodeNumber, WhyGone)>,
    taken_over: Option<NodeNumber>,
    /// The newest own heartbeat that came back: when it was put, and when it came.
    own_put_ms: u64,
    own_came_ms: Option<u64>,
    /// Since when own heartbeats come back one after the other.
    counted_from_ms: u64,
    /// The revision up to which all was heard, in order.
    revision: u64,
    changes: Vec<Change>,
    /// Something is to be told.
    news: bool,
}

impl Members {
    /// Of a node that nobody was heard of yet. Times are in milliseconds of one clock that never goes back.
    #[must_use]
    pub fn new(own: Node, lease_ms: u64) -> Self {
        Self {
            own,
            lease_ms,
            seats: BTreeMap::new(),
            gone: VecDeque::new(),
            taken_over: None,
            own_put_ms: 0,
            own_came_ms: None,
            counted_from_ms: 0,
            revision: 0,
            changes: Vec::new(),
            news: false,
        }
    }

    /// The revision up to which all was heard: a watch that is begun anew begins behind it.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When an own heartbeat came back last.
    #[must_use]
    pub fn own_came_ms(&self) -> Option<u64> {
        self.own_came_ms
    }

    /// A heartbeat of some node, or of another process with our name, which may be silent for `lease_ms`.
    pub fn heard(&mut self, node: Node, lease_ms: u64, revision: u64, now_ms: u64) {
        if !self.is_next(revision) {
            return;
        }
        if node.name == self.own.name {
            // Of an older one something may still have been under way.
            if node.number > self.own.number && self.taken_over.is_none_or(|newer| newer < node.number) {
                self.taken_over = Some(node.number);
                self.tell(Change::TakenOver(node.number));
            }
            return;
        }
        let for_ever = |(number, why): &(NodeNumber, WhyGone)| *number == node.number && *why != WhyGone::Silent;
        if self.gone.iter().any(for_ever) {
            return;
        }
        if let Some(seat) = self.seats.get_mut(&node.name) {
            if seat.node.number == node.number {
                (seat.heard_ms, seat.lease_ms) = (now_ms, lease_ms);
                return;
            }
            if seat.node.number > node.number {
                return;
            }
        } else if self.seats.len() + 1 >= NODES_MAX {
            self.changes.push(Change::TurnedAway(node));
            return;
        }
        self.end(&node.name.clone(), WhyGone::Replaced);
        self.gone.retain(|(number, _)| *number != node.number);
        self.tell(Change::Came(node.clone()));
        self.seats.insert(node.name.clone(), Seat { node, lease_ms, heard_ms: now_ms });
    }

    /// A node took its key away.
    pub fn left(&mut self, name: &str, revision: u64) {
        if self.is_next(revision) && name != &*self.own.name {
            // Also of a node that was never heard of: it began and ended while nothing was heard, and its number is gone.
            self.news = true;
            self.end(name, WhyGone::Left);
        }
    }

    /// An own heartbeat that was put at `put_ms` came back.
    pub fn own_heard(&mut self, put_ms: u64, revision: u64, now_ms: u64) {
        if !self.is_next(revision) {
            return;
        }
        let in_a_row = self.own_came_ms.is_some_and(|before| now_ms - before <= self.lease_ms / 2);
        if !in_a_row {
            self.counted_from_ms = now_ms;
        }
        self.news |= self.own_came_ms.is_none();
        (self.own_put_ms, self.own_came_ms) = (put_ms, Some(now_ms));
    }

    /// Nothing more waited behind what was heard last: now it can be said who is silent. Gives the roll and what came about, if there is
    /// anything to tell since it gave one before.
    pub fn caught_up(&mut self) -> Option<(Roll, Vec<Change>)> {
        // Before an own heartbeat came back, others may not have been heard of yet.
        self.own_came_ms?;
        let (counted_from_ms, own_put_ms) = (self.counted_from_ms, self.own_put_ms);
        let silent = |seat: &&Seat| seat.heard_ms.max(counted_from_ms) + seat.lease_ms <= own_put_ms;
        let silent: Vec<Arc<str>> = self.seats.values().filter(silent).map(|seat| seat.node.name.clone()).collect();
        for name in silent {
            self.end(&name, WhyGone::Silent);
        }
        let changes = std::mem::take(&mut self.changes);
        let told = std::mem::take(&mut self.news) || !changes.is_empty();
        told.then(|| (self.roll(), changes))
    }

    fn roll(&self) -> Roll {
        let own = self.taken_over.is_none().then(|| self.own.clone());
        let nodes = self.seats.values().map(|seat| seat.node.clone()).chain(own).collect();
        Roll {
            gone: self.gone.iter().map(|(number, _)| *number).collect(),
            taken_over: self.taken_over,
            heard_to: self.revision,
            ..Roll::of(self.own.number, nodes)
        }
    }

    /// A watch that is begun anew may tell again what was heard.
    fn is_next(&mut self, revision: u64) -> bool {
        let next = revision > self.revision;
        self.revision = self.revision.max(revision);
        next
    }

    fn end(&mut self, name: &str, why: WhyGone) {
        let Some(seat) = self.seats.remove(name) else { return };
        if self.gone.len() == GONE_MAX {
            self.gone.pop_front();
        }
        self.gone.push_back((seat.node.number, why));
        self.tell(Change::Gone(seat.node, why));
    }

    fn tell(&mut self, change: Change) {
        self.news = true;
        self.changes.push(change);
    }
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
