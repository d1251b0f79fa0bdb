//! Faults put into the simulated server on purpose, one at a time: the judge must find each, or it judges nothing.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sabotage {
    /// Replies and deltas go out when a turn is decided.
    DeliverBeforeCommit,
    /// A restart remembers no command ids.
    ForgetOutcomes,
    /// An unknown append that is not at the tail is taken for one that never happens.
    SkipBarrier,
    /// An unknown append is taken for one that did not happen, unread.
    SkipReadingTail,
    /// Offers begin anew at a restart.
    ResetDeadlines,
    /// Cool-downs are lost at a restart.
    DropCoolDowns,
    /// Nothing happens when only time has passed.
    NeverTick,
    /// The time of an outage is counted.
    CountOutage,
    /// The clock is not stopped while nothing commits.
    CountUncommitted,
    /// The disk loses the last record that it acknowledged.
    LoseAcknowledged,
    /// Replies of a turn that was refused go out all the same.
    AnswerRefusedTurn,
    /// A started server does not say so: agents who are gone seem connected.
    SkipServerBegan,
    /// Closed conversations are looked up in a view that is behind.
    LookUpBehind,
}

impl Sabotage {
    pub const ALL: [Sabotage; 13] = [
        Sabotage::DeliverBeforeCommit,
        Sabotage::ForgetOutcomes,
        Sabotage::SkipBarrier,
        Sabotage::SkipReadingTail,
        Sabotage::ResetDeadlines,
        Sabotage::DropCoolDowns,
        Sabotage::NeverTick,
        Sabotage::CountOutage,
        Sabotage::CountUncommitted,
        Sabotage::LoseAcknowledged,
        Sabotage::AnswerRefusedTurn,
        Sabotage::SkipServerBegan,
        Sabotage::LookUpBehind,
    ];
}
