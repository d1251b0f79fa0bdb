//! What must hold at every moment, whatever happens.

use crate::bounds::Fault;
use crate::desk::{Answer, Command};
use crate::journal::Body;
use crate::state::{Attempt, Phase, State};
use crate::steps::{Cluster, Step};
use stateright::{Model, Property};

pub const ONE_OWNER: &str = "an offer is accepted once, and one client hears so";
pub const ONCE: &str = "no command is done twice";
pub const KEPT: &str = "what was acknowledged is in the journal, as it was answered";
pub const NOTHING: &str = "where a client was told that nothing happened, nothing has, and nothing will";
pub const SAME: &str = "a retry hears the first answer";
pub const MEMORY: &str = "a leader's memory is what the journal says up to its position";
pub const REIGN: &str = "after a leader has begun, no record of an earlier one is committed";
pub const FRESH: &str = "no refusal rests on less than had been told when it was asked for";

impl Model for Cluster {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.possible(state, steps);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        Some(self.take(state, step))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_OWNER, one_owner),
            Property::always(ONCE, |cluster, state| commands(cluster).all(|command| done(state, command).count() <= 1)),
            Property::always(KEPT, |cluster, state| {
                commands(cluster).all(|command| {
                    answers(state, command).all(|answer| done(state, command).any(|recorded| recorded == answer))
                })
            }),
            Property::always(NOTHING, |cluster, state| {
                commands(cluster)
                    .all(|command| !told_nothing(cluster, state, command) || done(state, command).count() == 0)
            }),
            Property::always(SAME, |cluster, state| {
                commands(cluster).all(|command| {
                    let mut all = answers(state, command);
                    let first = all.next();
                    all.all(|answer| Some(answer) == first)
                })
            }),
            Property::always(MEMORY, memory),
            Property::always(REIGN, |_, state: &State| !state.wrong.late_record),
            Property::always(FRESH, |_, state: &State| !state.wrong.stale_answer),
        ]
    }
}

fn commands(cluster: &Cluster) -> std::ops::Range<usize> {
    0..cluster.bounds.commands.len()
}

/// The answers in the records that did this command.
fn done(state: &State, command: usize) -> impl Iterator<Item = Answer> {
    state.journal.iter().filter_map(move |record| match record.body {
        Body::Turn { command: of, answer, .. } if of as usize == command => answer,
        _ => None,
    })
}

/// The answers that its client was given.
fn answers(state: &State, command: usize) -> impl Iterator<Item = Answer> {
    state.attempts[command].iter().filter_map(|attempt| match attempt {
        Attempt::Done(answer) => Some(*answer),
        _ => None,
    })
}

fn one_owner(cluster: &Cluster, state: &State) -> bool {
    let accepts =
        || commands(cluster).filter(|command| matches!(cluster.bounds.commands[*command], Command::Accept(_)));
    let recorded: usize = accepts().map(|command| done(state, command).count()).sum();
    let heard = accepts().filter(|command| answers(state, *command).next().is_some()).count();
    recorded <= 1 && heard <= 1
}

/// Every sending was answered, and none of them with something that was done.
fn told_nothing(cluster: &Cluster, state: &State, command: usize) -> bool {
    let mut attempts = state.attempts[command].iter();
    let nothing = |attempt: &Attempt| matches!(attempt, Attempt::Unavailable | Attempt::Refused);
    if cluster.has(Fault::OneSendingSpeaks) {
        return attempts.any(nothing);
    }
    !state.attempts[command].is_empty() && attempts.all(nothing)
}

fn memory(cluster: &Cluster, state: &State) -> bool {
    state.nodes.iter().all(|node| {
        node.phase == Phase::Idle || node.at <= state.end() && node.desk == cluster.replayed(state, node.at)
    })
}
