//! One run of a seed: what was asked for, what came of it, and how a fault is told.

use super::kinds::Kinds;
use super::world::{Server, World};
use super::{Sabotage, people};
use crate::journal::StoredRecord;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Steps in which everybody must have been served after the last fault.
const CALM_STEPS_MAX: u32 = 4_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Faults at any time; nothing false is ever said or kept.
    Safety,
    /// The same, then no more faults: everybody is served in a bounded number of steps.
    Liveness,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    pub seed: u64,
    pub steps: u32,
    pub mode: Mode,
    pub sabotage: Option<Sabotage>,
}

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ran {
    pub steps: u64,
    pub commands: u64,
    pub records: u64,
    pub offers: u64,
    pub starts: u64,
    pub unknowns: u64,
    pub refused: u64,
    pub torn: u64,
    pub calm_steps: u64,
    /// Of all bytes in the journal.
    pub digest: u64,
    pub kinds: Kinds,
}

impl Ran {
    pub fn add(&mut self, other: &Ran) {
        self.steps += other.steps;
        self.commands += other.commands;
        self.records += other.records;
        self.offers += other.offers;
        self.starts += other.starts;
        self.unknowns += other.unknowns;
        self.refused += other.refused;
        self.torn += other.torn;
        self.calm_steps += other.calm_steps;
        self.digest ^= other.digest;
        self.kinds.add(&other.kinds);
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, commands, records, offers, starts, unknowns, refused, torn, calm_steps, digest, kinds: _ } =
            self;
        write!(
            f,
            "steps {steps} ({calm_steps} of them calm), commands {commands}, records {records}, offers {offers}, starts {starts}, \
             appends unknown {unknowns}, refused {refused}, torn {torn}; digest {digest:016x}"
        )
    }
}

/// Something that must never be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub plan: Plan,
    pub step: u32,
    pub what: String,
    pub trace: Vec<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, steps, mode, sabotage } = self.plan;
        let last = self.trace.len().saturating_sub(40);
        self.trace[last..].iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "seed {seed}, step {}: {}", self.step, self.what)?;
        if let Some(sabotage) = sabotage {
            writeln!(f, "(sabotaged: {sabotage:?})")?;
        }
        write!(
            f,
            "again: OFFHOOK_SEED={seed} OFFHOOK_STEPS={steps} OFFHOOK_MODE={} cargo test --test simulation replay_one_seed -- --nocapture",
            if mode == Mode::Safety { "safety" } else { "liveness" },
        )
    }
}

/// Run a seed. A panic of the desk or the turn is a fault like any other.
///
/// # Errors
/// The first thing that must not be, with the trace that led to it.
pub fn run(plan: Plan) -> Result<Ran, Box<Fault>> {
    let mut world = lived(plan)?;
    world.ran.digest = world.journal.digest();
    world.ran.records = world.journal.last().0;
    world.ran.kinds = std::mem::take(&mut world.judge.kinds);
    Ok(world.ran)
}

/// Every byte of the journal that a seed leaves.
///
/// # Errors
/// As `run`.
pub fn journal_of(plan: Plan) -> Result<Vec<u8>, Box<Fault>> {
    Ok(lived(plan)?.journal.bytes().collect())
}

/// The records that a seed leaves, in order.
///
/// # Errors
/// As `run`.
pub fn records_of(plan: Plan) -> Result<Vec<StoredRecord>, Box<Fault>> {
    Ok(lived(plan)?.journal.into_records())
}

fn lived(plan: Plan) -> Result<World, Box<Fault>> {
    let mut world = World::new(plan);
    let result = catch_unwind(AssertUnwindSafe(|| live(&mut world)));
    let what = match result {
        Ok(Ok(())) => return Ok(world),
        Ok(Err(what)) => what,
        Err(panic) => match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
            (Some(text), _) => format!("panicked: {text}"),
            (_, Some(text)) => format!("panicked: {text}"),
            _ => "panicked".into(),
        },
    };
    Err(Box::new(Fault { plan, step: world.step, what, trace: world.trace.into() }))
}

fn live(world: &mut World) -> Result<(), String> {
    for _ in 0..world.plan.steps {
        world.one_step()?;
    }
    if world.plan.mode == Mode::Liveness {
        world.calm = true;
        world.people.calm_down();
        world.note(|| "no more faults".into());
        for _ in 0..CALM_STEPS_MAX {
            world.one_step()?;
            world.ran.calm_steps += 1;
            if is_served(world) {
                return world.judge.everything_told_is_kept(&world.journal);
            }
        }
        return Err(format!("after {CALM_STEPS_MAX} steps without a fault: {}", unserved(world)));
    }
    world.judge.everything_told_is_kept(&world.journal)
}

fn is_served(world: &World) -> bool {
    let Server::Up(up) = &world.server else { return false };
    up.flight.is_none() && up.keeper.desk().conversations().next().is_none() && world.people.all_answered()
}

fn unserved(world: &World) -> String {
    let Server::Up(up) = &world.server else { return "the server is down".into() };
    let desk = up.keeper.desk();
    let open: Vec<String> =
        desk.conversations().take(5).map(|(id, held)| format!("{id} {}", held.state.name())).collect();
    let agents: Vec<String> = desk
        .agents()
        .map(|(id, agent)| format!("{id} {} status {} load {:?}", agent.connection.name(), agent.status.0, agent.load))
        .collect();
    format!("{open:?}; {agents:?}; {}", people::unanswered(&world.people))
}
