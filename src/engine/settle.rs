//! What to do when nobody knows whether an append happened: read the tail, put a barrier behind it, look for one's own.
//!
//! ```text
//!   unknown ──▶ read the tail ──▶ own turn is there ───────────────────────────▶ it happened
//!                    ▲        └─▶ nothing new ──▶ append a barrier ──committed──▶ it did not, and never will
//!                    │                               │ fenced or unknown
//!                    └───────────────────────────────┘
//! ```
//! Pure: says what to do next and is told what came of it.

use crate::journal::{Appended, Position, RefusedAppend, StoredRecord, TurnId};

/// An append whose outcome is not known.
#[derive(Debug, Clone)]
pub struct Settling {
    turn: TurnId,
    /// Where it would be.
    position: Position,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    ReadTail,
    /// Read the record at this position: others came after it.
    ReadAt(Position),
    /// Append a barrier behind this position.
    AppendBarrier {
        expected: Position,
    },
    /// The turn is in the journal.
    Happened,
    /// It is not there, and the barrier (or another record) at its position keeps it out for ever.
    DidNotHappen,
    /// Nothing can be told now: wait, then begin again.
    Wait,
}

impl Settling {
    #[must_use]
    pub fn of(turn: TurnId, expected: Position) -> Self {
        Self { turn, position: expected.next() }
    }

    /// Where the turn is, if it happened.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What the tail says.
    #[must_use]
    pub fn tail_was(&self, tail: Option<&StoredRecord>) -> Next {
        match tail {
            Some(record) if record.position == self.position && record.turn == self.turn => Next::Happened,
            Some(record) if record.position == self.position => Next::DidNotHappen,
            Some(record) if record.position > self.position => Next::ReadAt(self.position),
            _ => Next::AppendBarrier { expected: Position(self.position.0 - 1) },
        }
    }

    /// What came of the barrier.
    #[must_use]
    pub fn barrier_was(&self, appended: &Appended) -> Next {
        match appended {
            Appended::Committed(_) => Next::DidNotHappen,
            Appended::Refused(RefusedAppend::Fenced { .. }) => Next::ReadTail,
            Appended::Refused(_) | Appended::Unknown(_) => Next::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn stored(position: u64, turn: u128) -> StoredRecord {
        StoredRecord { position: Position(position), turn: TurnId(turn), body: Bytes::new() }
    }

    #[test]
    fn ones_own_turn_at_the_tail_happened() {
        let settling = Settling::of(TurnId(7), Position(4));
        assert_eq!(settling.tail_was(Some(&stored(5, 7))), Next::Happened);
    }

    #[test]
    fn anothers_turn_in_its_place_means_it_did_not() {
        let settling = Settling::of(TurnId(7), Position(4));
        assert_eq!(settling.tail_was(Some(&stored(5, 8))), Next::DidNotHappen);
        assert_eq!(settling.tail_was(Some(&stored(9, 8))), Next::ReadAt(Position(5)));
    }

    #[test]
    fn nothing_there_is_not_enough_without_a_barrier() {
        let settling = Settling::of(TurnId(7), Position(4));
        assert_eq!(settling.tail_was(Some(&stored(4, 3))), Next::AppendBarrier { expected: Position(4) });
        assert_eq!(Settling::of(TurnId(7), Position(0)).tail_was(None), Next::AppendBarrier { expected: Position(0) });
    }

    #[test]
    fn a_fenced_barrier_looks_again_and_an_unknown_one_waits() {
        let settling = Settling::of(TurnId(7), Position(4));
        let fenced = Appended::Refused(RefusedAppend::Fenced { actual: Position(5) });
        assert_eq!(settling.barrier_was(&fenced), Next::ReadTail);
        assert_eq!(settling.barrier_was(&Appended::Unknown(String::new())), Next::Wait);
        assert_eq!(settling.barrier_was(&Appended::Committed(Position(5))), Next::DidNotHappen);
    }
}
