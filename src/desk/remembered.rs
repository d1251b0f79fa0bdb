//! Outcomes of commands, by who asked and the command's id: what makes a retry change nothing twice.
//!
//! Held here are the newest ones, bounded in number. What fell out (or came before the last start) is in the view,
//! and `recall` says when only the view can tell: of what fell out, that an id may be among it is held longer.

use super::answer::{Answer, Outcome};
use super::forgotten::Forgotten;
use super::ids::{CommandId, Principal};
use super::time::WallTime;
use std::collections::{BTreeMap, VecDeque};

/// How long an outcome is remembered (a message's: as long as the message).
pub const REMEMBERED_MS: u64 = 24 * 3_600_000;
/// How many of them this keeps in memory: about 100 bytes each.
pub const REMEMBERED_HERE_MAX: usize = 131_072;

#[derive(Clone, PartialEq, Debug)]
pub struct Remembered {
    outcomes: BTreeMap<(Principal, CommandId), (u64, Answer)>,
    order: VecDeque<(WallTime, Principal, CommandId)>,
    /// Ids of what fell out, for a day.
    forgotten: Forgotten,
    /// Every outcome since then is here, or among the forgotten.
    complete_since: WallTime,
    /// How long an outcome is remembered.
    kept_ms: u64,
}

/// What is known here of a command id.
#[derive(Debug, PartialEq, Eq)]
pub enum Recall<'a> {
    Known {
        fingerprint: u64,
        answer: &'a Answer,
    },
    New,
    /// Too old to be here for certain: the view knows.
    AskTheView,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            outcomes: BTreeMap::new(),
            order: VecDeque::new(),
            forgotten: Forgotten::default(),
            complete_since: WallTime(0),
            kept_ms: REMEMBERED_MS,
        }
    }
}

impl Remembered {
    /// Begin empty, at a start from the view: everything before `since` is there.
    #[must_use]
    pub fn since(since: WallTime) -> Self {
        Self { complete_since: since, ..Self::default() }
    }

    /// From now on outcomes are remembered for so long, in place of a day: who asks again later is not known. No part of the state, as what
    /// an operator allows is none.
    pub fn keep_for(&mut self, kept_ms: u64) {
        self.kept_ms = kept_ms;
    }

    /// How long an outcome is remembered.
    #[must_use]
    pub fn kept_ms(&self) -> u64 {
        self.kept_ms
    }

    pub fn add(&mut self, at: WallTime, outcome: &Outcome) {
        while let Some((first_at, by, id)) = self.order.front().copied() {
            let old = first_at.0 + self.kept_ms < at.0;
            // Before one more is put behind: a queue that holds one too many takes room for twice as many.
            if !old && self.order.len() < REMEMBERED_HERE_MAX {
                break;
            }
            self.order.pop_front();
            self.outcomes.remove(&(by, id));
            let fell_out = if old { Some(first_at) } else { self.forgotten.add(first_at, by, id) };
            self.lost_until(fell_out);
        }
        let key = (outcome.by, outcome.id);
        if self.outcomes.insert(key, (outcome.fingerprint, outcome.answer.clone())).is_none() {
            self.order.push_back((at, outcome.by, outcome.id));
        }
        let expired = self.forgotten.expire(WallTime(at.0.saturating_sub(self.kept_ms)));
        self.lost_until(expired);
    }

    fn lost_until(&mut self, last_lost: Option<WallTime>) {
        if let Some(last) = last_lost {
            self.complete_since = self.complete_since.max(WallTime(last.0 + 1));
        }
    }

    /// `since`: no outcome of this command can be older than that.
    #[must_use]
    pub fn recall(&self, by: Principal, id: CommandId, since: WallTime) -> Recall<'_> {
        match self.outcomes.get(&(by, id)) {
            Some((fingerprint, answer)) => Recall::Known { fingerprint: *fingerprint, answer },
            None if since >= self.complete_since && !self.forgotten.may_hold(by, id) => Recall::New,
            None => Recall::AskTheView,
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(id: u128) -> Outcome {
        Outcome { by: Principal::Visitor, id: CommandId(id), fingerprint: 7, answer: Answer::Done }
    }

    #[test]
    fn what_fell_out_is_asked_of_the_view() {
        let mut remembered = Remembered::default();
        for n in 0..REMEMBERED_HERE_MAX as u128 + 10 {
            remembered.add(WallTime(1_000 + n as u64), &outcome(n));
        }
        assert_eq!(remembered.len(), REMEMBERED_HERE_MAX);
        let newest = CommandId(REMEMBERED_HERE_MAX as u128);
        assert!(matches!(remembered.recall(Principal::Visitor, newest, WallTime(0)), Recall::Known { .. }));
        assert_eq!(remembered.recall(Principal::Visitor, CommandId(0), WallTime(0)), Recall::AskTheView);
        assert_eq!(remembered.recall(Principal::Visitor, CommandId(u128::MAX), WallTime(0)), Recall::New);
    }

    #[test]
    fn a_day_later_it_is_forgotten() {
        let mut remembered = Remembered::default();
        remembered.add(WallTime(0), &outcome(1));
        remembered.add(WallTime(REMEMBERED_MS + 1), &outcome(2));
        assert_eq!(remembered.len(), 1);
    }

    #[test]
    fn who_asks_nothing_twice_is_remembered_for_a_shorter_time() {
        let mut remembered = Remembered::default();
        remembered.keep_for(600_000);
        for n in 0..10_000_u64 {
            remembered.add(WallTime(n * 1_000), &outcome(u128::from(n)));
        }
        assert_eq!(remembered.len(), 601);
        // What is looked for is not older than that, so nobody is asked for what was forgotten.
        let since = WallTime(9_999_000 - remembered.kept_ms());
        assert_eq!(remembered.recall(Principal::Visitor, CommandId(1), since), Recall::New);
        assert!(matches!(remembered.recall(Principal::Visitor, CommandId(9_500), since), Recall::Known { .. }));
    }
}
