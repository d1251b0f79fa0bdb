//! The cluster as a machine: which steps are possible, and what each of them does.
//!
//! There is no clock, and nothing is ever lost: what is lost is what no step ever brings on. A stopped node is one that takes no
//! step for as long as the others please, and a node leads when it thinks so, whatever leases say: any node may begin at
//! any moment, and none learns of another but by the journal.

use crate::bounds::{Bounds, Fault};
use crate::desk::{Answer, COMMANDS_MAX, Decision, Desk};
use crate::journal::{Append, Body, Leg, Position, Record};
use crate::kinds::{CameAbout, Kind};
use crate::state::{Attempt, Node, Phase, State, Turn, Wrong};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Cluster {
    pub bounds: Bounds,
    pub faults: &'static [Fault],
    pub came_about: Arc<CameAbout>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A client, or the node that it is connected to, sends a command (again).
    Send { command: usize },
    /// Whoever got it has no leader, no quorum or no room.
    AnswerUnavailable { command: usize, attempt: usize },
    /// A node that thinks that it leads reads the journal as far as `read`, and claims.
    TakeOver { node: usize, read: Position },
    /// A node loses its memory. Also: it learns that it leads no more.
    Crash { node: usize },
    /// An append reaches the servers; `again` and it will once more.
    Arrive { append: usize, again: bool },
    /// An append is refused, since the servers are about to commit another one in its place. (They may not get to it.)
    RefuseMeanwhile { append: usize },
    /// An acknowledgement reaches its node.
    Acknowledge { append: usize },
    /// A node waits no longer: the outcome is unknown.
    GiveUp { node: usize },
    /// A leader decides a command.
    Take { node: usize, command: usize, attempt: usize },
    /// A node that settles reads the record at its turn's place.
    ReadBack { node: usize, stale: bool },
}

impl Cluster {
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    pub fn begin(&self) -> State {
        assert!(self.bounds.commands.len() <= COMMANDS_MAX);
        State {
            journal: Vec::new(),
            appends: Vec::new(),
            nodes: vec![Node::empty(); self.bounds.nodes],
            claims: 0,
            attempts: vec![Vec::new(); self.bounds.commands.len()],
            told: 0,
            reign: 0,
            wrong: Wrong::default(),
        }
    }

    pub fn possible(&self, state: &State, steps: &mut Vec<Step>) {
        for (command, attempts) in state.attempts.iter().enumerate() {
            if attempts.len() < self.bounds.attempts {
                steps.push(Step::Send { command });
            }
            for (attempt, stands) in attempts.iter().enumerate() {
                let alike = attempt > 0 && attempts[attempt - 1] == *stands;
                if matches!(stands, Attempt::Sent { .. }) && !alike {
                    steps.push(Step::AnswerUnavailable { command, attempt });
                    let leads = |(node, leader): (usize, &Node)| {
                        (leader.phase == Phase::Leading && leader.at < self.bounds.records).then_some(node)
                    };
                    let leaders = state.nodes.iter().enumerate().filter_map(leads);
                    steps.extend(leaders.map(|node| Step::Take { node, command, attempt }));
                }
            }
        }
        for (node, standing) in state.nodes.iter().enumerate() {
            self.possible_for_node(state, node, standing, steps);
        }
        for (append, on_its_way) in state.appends.iter().enumerate() {
            match on_its_way.leg {
                Leg::Acknowledged => steps.push(Step::Acknowledge { append }),
                Leg::Asked => {
                    let commits = self.commits(state, on_its_way);
                    if !commits || state.end() < self.bounds.records {
                        steps.push(Step::Arrive { append, again: false });
                    }
                    let other = |other: &Append| other != on_its_way && self.commits(state, other);
                    let meanwhile = state.appends.iter().any(|append| append.leg == Leg::Asked && other(append));
                    if commits && meanwhile && state.awaited(on_its_way) {
                        steps.push(Step::RefuseMeanwhile { append });
                    }
                    if commits && self.bounds.sent_twice && state.awaited(on_its_way) {
                        steps.push(Step::Arrive { append, again: true });
                    }
                }
            }
        }
    }

    fn possible_for_node(&self, state: &State, node: usize, standing: &Node, steps: &mut Vec<Step>) {
        if standing.phase != Phase::Idle {
            steps.push(Step::Crash { node });
        }
        match standing.phase {
            Phase::Idle => {
                // Those without memory are alike.
                let first = state.nodes.iter().position(|node| node.phase == Phase::Idle);
                if first == Some(node) && state.claims < self.bounds.claims && state.end() < self.bounds.records {
                    steps.push(Step::TakeOver { node, read: state.end() });
                    if self.bounds.stale_reads && state.end() > 0 {
                        steps.push(Step::TakeOver { node, read: state.end() - 1 });
                    }
                }
            }
            Phase::Waiting(_) | Phase::Settling { asked: true, .. } => steps.push(Step::GiveUp { node }),
            Phase::Settling { asked: false, barriers, .. } => {
                let there = state.end() > standing.at;
                if there || barriers < self.bounds.barriers {
                    steps.push(Step::ReadBack { node, stale: false });
                }
                if there && barriers < self.bounds.barriers && self.bounds.stale_reads {
                    steps.push(Step::ReadBack { node, stale: true });
                }
            }
            Phase::Claiming | Phase::Leading => {}
        }
    }

    fn commits(&self, state: &State, append: &Append) -> bool {
        append.expected == state.end() || self.has(Fault::NoFence)
    }

    pub fn take(&self, before: &State, step: Step) -> State {
        let mut state = before.clone();
        match step {
            Step::Send { command } => state.attempts[command].push(Attempt::Sent { heard: before.told }),
            Step::AnswerUnavailable { command, attempt } => state.attempts[command][attempt] = Attempt::Unavailable,
            Step::TakeOver { node, read } => self.take_over(&mut state, node, read),
            Step::Crash { node } => drop_lead(&mut state, node),
            Step::Arrive { append, again } => self.arrive(&mut state, append, again),
            Step::RefuseMeanwhile { append } => {
                self.came_about.saw(Kind::RefusedMeanwhile);
                let append = state.appends.remove(append);
                self.refused(&mut state, &append);
            }
            Step::Acknowledge { append } => {
                let append = state.appends.remove(append);
                self.committed(
                    &mut state,
                    append.record.writer.expect("only what is awaited is acknowledged") as usize,
                );
            }
            Step::GiveUp { node } => self.unknown(&mut state, node),
            Step::Take { node, command, attempt } => self.decide(&mut state, node, command, attempt),
            Step::ReadBack { node, stale } => self.read_back(&mut state, node, stale),
        }
        self.tidy(&mut state);
        state
    }

    /// Leaves out what can have no effect any more, so that states that differ in it alone are one.
    fn tidy(&self, state: &mut State) {
        state.forget_writers();
        let mut appends = std::mem::take(&mut state.appends);
        appends.retain(|append| match append.leg {
            _ if state.awaited(append) => true,
            Leg::Acknowledged => false,
            Leg::Asked if !self.bounds.late_appends => false,
            Leg::Asked if self.has(Fault::NoFence) || append.expected >= state.end() => true,
            Leg::Asked => {
                self.came_about.saw(Kind::LateRefused);
                false
            }
        });
        appends.sort_unstable();
        if !self.has(Fault::NoFence) {
            // Only one of two that are the same can be committed.
            appends.dedup();
        }
        state.appends = appends;
        state.attempts.iter_mut().for_each(|attempts| attempts.sort_unstable());
        if state.attempts.iter().all(|attempts| attempts.len() == self.bounds.attempts) {
            // Nobody asks any more.
            state.told = 0;
        }
    }

    fn append(&self, state: &mut State, node: usize, body: Body) {
        let Node { at, reign, .. } = state.nodes[node];
        let reign = if body == Body::Claim { at + 1 } else { reign };
        let record = Record { writer: Some(node as u8), body };
        state.appends.push(Append { expected: at, record, reign, leg: Leg::Asked });
    }

    /// What the journal says up to there.
    pub fn replayed(&self, state: &State, to: Position) -> Desk {
        let mut desk = Desk::default();
        for record in &state.journal[..to as usize] {
            desk.apply(record, self.bounds.commands, !self.has(Fault::IdsInMemory));
        }
        desk
    }

    fn take_over(&self, state: &mut State, node: usize, read: Position) {
        let desk = self.replayed(state, read);
        state.claims += 1;
        state.nodes[node] = Node { phase: Phase::Claiming, at: read, reign: read, desk };
        if self.has(Fault::NoClaim) {
            begin_reign(state, node);
        } else {
            self.append(state, node, Body::Claim);
        }
    }

    fn arrive(&self, state: &mut State, place: usize, again: bool) {
        let append = state.appends[place];
        let awaited = state.awaited(&append);
        if !self.commits(state, &append) {
            state.appends.remove(place);
            if awaited {
                self.refused(state, &append);
            }
            return;
        }
        if append.reign < state.reign {
            state.wrong.late_record = true;
        }
        state.journal.push(append.record);
        if !awaited {
            self.came_about.saw(Kind::LateCommitted);
            if matches!(append.record.body, Body::Turn { .. }) && append.record.writer.is_none() {
                self.came_about.saw(Kind::DeadMansTurn);
            }
        }
        if !again {
            state.appends.remove(place);
        }
        state.appends.push(Append { leg: Leg::Acknowledged, ..append });
    }

    /// What the node waited for is in the journal.
    fn committed(&self, state: &mut State, node: usize) {
        match state.nodes[node].phase {
            Phase::Claiming => {
                state.nodes[node].at += 1;
                state.nodes[node].reign = state.nodes[node].at;
                begin_reign(state, node);
            }
            Phase::Waiting(turn) => self.happened(state, node, turn),
            Phase::Settling { turn, .. } => {
                self.came_about.saw(Kind::UnknownSettled);
                state.nodes[node].at += 1;
                state.nodes[node].phase = Phase::Leading;
                settle_attempt(state, node, turn, Attempt::Unavailable);
            }
            Phase::Idle | Phase::Leading => unreachable!("it waits for nothing"),
        }
    }

    /// What the node waits for was refused as it arrived this time.
    fn refused(&self, state: &mut State, append: &Append) {
        let node = append.record.writer.expect("it is awaited") as usize;
        let there = state.journal.get(append.expected as usize);
        match state.nodes[node].phase {
            Phase::Claiming => {
                self.came_about.saw(Kind::ClaimFenced);
                drop_lead(state, node);
            }
            Phase::Waiting(turn) => {
                match (there, turn.answer) {
                    (None, _) => {}
                    (Some(record), _) if *record == append.record => self.came_about.saw(Kind::RefusedThoughCommitted),
                    (Some(_), Some(_)) => self.came_about.saw(Kind::ZombieFenced),
                    (Some(_), None) => self.came_about.saw(Kind::RefusalWithheld),
                }
                if self.has(Fault::RefusalIsBelieved) {
                    self.never_happened(state, node, turn);
                } else if self.has(Fault::RefusalIsFollowed) && state.end() < self.bounds.records {
                    state.nodes[node].at = state.end();
                    self.append(state, node, turn.body());
                } else {
                    state.nodes[node].phase = Phase::Settling { turn, barriers: 0, asked: false };
                }
            }
            Phase::Settling { turn, .. } if self.has(Fault::RefusedBarrierIsProof) => self.happened(state, node, turn),
            Phase::Settling { turn, barriers, .. } => {
                if is_turn(state, node, turn) {
                    self.came_about.saw(Kind::BarrierFenced);
                }
                state.nodes[node].phase = Phase::Settling { turn, barriers, asked: false };
            }
            Phase::Idle | Phase::Leading => unreachable!("it waits for nothing"),
        }
    }

    /// The node has waited long enough.
    fn unknown(&self, state: &mut State, node: usize) {
        match state.nodes[node].phase {
            Phase::Waiting(turn) if self.has(Fault::UnknownIsRefused) => self.never_happened(state, node, turn),
            Phase::Waiting(turn) if self.has(Fault::UnknownIsCommitted) => self.happened(state, node, turn),
            Phase::Waiting(turn) => {
                state.nodes[node].phase = Phase::Settling { turn, barriers: 0, asked: false };
            }
            Phase::Settling { .. } if self.has(Fault::BarrierIsAssumed) => self.committed(state, node),
            Phase::Settling { turn, barriers, .. } => {
                self.came_about.saw(Kind::BarrierUnknown);
                state.nodes[node].phase = Phase::Settling { turn, barriers, asked: false };
            }
            Phase::Idle | Phase::Claiming | Phase::Leading => unreachable!("it waits for nothing"),
        }
    }

    fn decide(&self, state: &mut State, node: usize, command: usize, attempt: usize) {
        let Attempt::Sent { heard } = state.attempts[command][attempt] else {
            unreachable!("only what was sent is taken")
        };
        state.attempts[command][attempt] = Attempt::Taken { by: node as u8, heard };
        let Node { desk, at, reign, .. } = state.nodes[node];
        if let (Some(answer), false) = (desk.remembered[command], self.has(Fault::NoIds)) {
            self.came_about.saw(Kind::Remembered);
            if state.reign > reign {
                self.came_about.saw(Kind::RememberedByZombie);
            }
            let in_own_reign = state.journal.iter().take(at as usize).skip(reign as usize).any(
                |record| matches!(record.body, Body::Turn { command: of, answer: Some(_) } if of as usize == command),
            );
            if !in_own_reign {
                self.came_about.saw(Kind::RememberedElsewhere);
            }
            self.answer(state, node, command, Some(answer), at);
            return;
        }
        let turn = |answer| Turn { command: command as u8, answer };
        let turn = match desk.handle(self.bounds.commands[command]) {
            Decision::Done(answer) => turn(Some(answer)),
            Decision::Already(answer) => return self.answer(state, node, command, Some(answer), at),
            Decision::Refused if self.has(Fault::NoConfirmation) => {
                return self.answer(state, node, command, None, at);
            }
            Decision::Refused => turn(None),
        };
        state.nodes[node].phase = Phase::Waiting(turn);
        self.append(state, node, turn.body());
    }

    fn read_back(&self, state: &mut State, node: usize, stale: bool) {
        let Phase::Settling { turn, barriers, .. } = state.nodes[node].phase else {
            unreachable!("it settles nothing")
        };
        let there = state.journal.get(state.nodes[node].at as usize).filter(|_| !stale).copied();
        if stale {
            self.came_about.saw(Kind::StaleRead);
        }
        match there {
            Some(_) if is_turn(state, node, turn) || self.has(Fault::AnyRecordIsMine) => {
                self.came_about.saw(Kind::UnknownHappened);
                self.happened(state, node, turn);
            }
            Some(record) => {
                let own = record.writer == Some(node as u8);
                self.came_about.saw(if own { Kind::OwnOldBarrier } else { Kind::UnknownOvertaken });
                settle_attempt(state, node, turn, Attempt::Unavailable);
                drop_lead(state, node);
            }
            None if self.has(Fault::NoBarrier) => self.never_happened(state, node, turn),
            None => {
                if barriers > 0 {
                    self.came_about.saw(Kind::BarrierAgain);
                }
                state.nodes[node].phase = Phase::Settling { turn, barriers: barriers + 1, asked: true };
                self.append(state, node, Body::Barrier);
            }
        }
    }

    /// The turn is in the journal, at the place where it was expected.
    fn happened(&self, state: &mut State, node: usize, turn: Turn) {
        let record = Record { writer: None, body: turn.body() };
        let standing = &mut state.nodes[node];
        standing.desk.apply(&record, self.bounds.commands, true);
        standing.at += 1;
        standing.phase = Phase::Leading;
        let (at, reign) = (standing.at, standing.reign);
        if state.reign > reign {
            self.came_about.saw(Kind::AnsweredAfterReplaced);
        }
        self.answer(state, node, turn.command as usize, turn.answer, at);
    }

    /// What a node that breaks a rule thinks.
    fn never_happened(&self, state: &mut State, node: usize, turn: Turn) {
        state.nodes[node].phase = Phase::Leading;
        settle_attempt(state, node, turn, Attempt::Unavailable);
    }

    fn answer(&self, state: &mut State, node: usize, command: usize, answer: Option<Answer>, rests_on: Position) {
        let taken = |attempt: &Attempt| matches!(attempt, Attempt::Taken { by, .. } if *by as usize == node);
        let attempt = state.attempts[command].iter().position(taken).expect("what is answered was taken");
        let Attempt::Taken { heard, .. } = state.attempts[command][attempt] else { unreachable!("it was taken") };
        match answer {
            Some(answer) => {
                if state.attempts[command].contains(&Attempt::Unavailable) {
                    self.came_about.saw(Kind::DoneAfterUnavailable);
                }
                state.attempts[command][attempt] = Attempt::Done(answer);
            }
            None => {
                if !self.has(Fault::NoConfirmation) {
                    self.came_about.saw(Kind::RefusalConfirmed);
                }
                state.wrong.stale_answer |= rests_on < heard;
                state.attempts[command][attempt] = Attempt::Refused;
            }
        }
        state.told = state.told.max(rests_on);
    }
}

/// Whether the record at the place of this turn is this turn.
fn is_turn(state: &State, node: usize, turn: Turn) -> bool {
    let there = state.journal.get(state.nodes[node].at as usize);
    there.is_some_and(|record| record.writer == Some(node as u8) && record.body == turn.body())
}

fn begin_reign(state: &mut State, node: usize) {
    state.nodes[node].phase = Phase::Leading;
    state.reign = state.reign.max(state.nodes[node].reign);
}

/// The sending that the node's turn holds ends so.
fn settle_attempt(state: &mut State, node: usize, turn: Turn, end: Attempt) {
    let mut attempts = state.attempts[turn.command as usize].iter_mut();
    if let Some(taken) = attempts.find(|attempt| matches!(attempt, Attempt::Taken { by, .. } if *by as usize == node)) {
        *taken = end;
    }
}

/// The node forgets all; whoever waits for it hears nothing.
fn drop_lead(state: &mut State, node: usize) {
    if let Phase::Waiting(turn) | Phase::Settling { turn, .. } = state.nodes[node].phase {
        settle_attempt(state, node, turn, Attempt::Silent);
    }
    state.nodes[node] = Node::empty();
}
