//! How much is looked at, and which rule is left out.

use crate::desk::Command;

#[derive(Debug, Clone)]
pub struct Bounds {
    pub nodes: usize,
    /// Records of the journal.
    pub records: u8,
    /// How many times nodes begin to lead, all together.
    pub claims: u8,
    pub commands: &'static [Command],
    /// How many times each of them is sent.
    pub attempts: usize,
    /// How many barriers one settling appends.
    pub barriers: u8,
    /// Reads may miss what was committed before them.
    pub stale_reads: bool,
    /// An append may reach the servers after its writer waits no longer. Without it, what is given up is lost.
    pub late_appends: bool,
    /// An append may reach the servers a second time.
    pub sent_twice: bool,
}

/// A rule that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The servers append whatever was expected.
    NoFence,
    /// A new leader reads, and begins.
    NoClaim,
    /// After an unknown outcome the tail is read, and believed.
    NoBarrier,
    /// An unknown outcome is taken for a refusal.
    UnknownIsRefused,
    /// An unknown outcome is taken for a commit.
    UnknownIsCommitted,
    /// A barrier whose outcome is unknown is taken for one that was committed.
    BarrierIsAssumed,
    /// A refused barrier is taken for proof that the turn is there.
    RefusedBarrierIsProof,
    /// A record in the place of one's own is taken for one's own.
    AnyRecordIsMine,
    /// A refusal is taken for the whole truth, without a look at what is there.
    RefusalIsBelieved,
    /// What was refused is appended again at the end that the refusal names, without reading what came between.
    RefusalIsFollowed,
    /// A retry is decided anew.
    NoIds,
    /// Outcomes are remembered by the node that decided, and are in no record.
    IdsInMemory,
    /// What changes nothing is answered without a record.
    NoConfirmation,
    /// A client is told that nothing happened as soon as one of its sendings is answered so.
    OneSendingSpeaks,
}
