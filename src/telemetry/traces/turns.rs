//! Which turn a committed position came of, for who tells of it later: a webhook goes on in the trace of what it tells.

use super::{Context, TRACES};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Turns that are remembered: what is told later than so many sampled ones is in no trace.
const TURNS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<VecDeque<(Arc<str>, u64, Context)>>);

impl Turns {
    fn remember(&self, workspace: &Arc<str>, position: u64, turn: Context) {
        let mut held = self.lock();
        if held.len() == TURNS_MAX {
            held.pop_front();
        }
        held.push_back((workspace.clone(), position, turn));
    }

    fn of(&self, workspace: &str, position: u64) -> Option<Context> {
        let held = self.lock();
        let of_it = |(name, at, _): &&(Arc<str>, u64, Context)| *at == position && **name == *workspace;
        held.iter().rev().find(of_it).map(|(_, _, turn)| *turn)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Arc<str>, u64, Context)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sampled turn is committed at this position.
pub fn remember_turn(workspace: &Arc<str>, position: u64, turn: Context) {
    if let Some(traces) = TRACES.get() {
        traces.turns.remember(workspace, position, turn);
    }
}

/// The turn that was committed at this position, where it was sampled and not long ago.
#[must_use]
pub fn of_turn(workspace: &str, position: u64) -> Option<Context> {
    TRACES.get()?.turns.of(workspace, position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_turns_are_remembered_by_workspace_and_position() {
        let (turns, acme, other) = (Turns::default(), Arc::from("acme"), Arc::from("other"));
        let first = Context::fresh();
        turns.remember(&acme, 1, first);
        turns.remember(&other, 1, Context::fresh());
        assert_eq!((turns.of("acme", 1), turns.of("acme", 2), turns.of("none", 1)), (Some(first), None, None));
        (0..TURNS_MAX as u64).for_each(|position| turns.remember(&other, position, Context::fresh()));
        assert_eq!((turns.of("acme", 1), turns.lock().len()), (None, TURNS_MAX));
    }
}
