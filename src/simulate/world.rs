//! The simulated world: two clocks that misbehave, a disk, a view, a server that crashes, and people.

use super::dice::Dice;
use super::journal::{Disk, FaultyJournal};
use super::judge::Judge;
use super::people::{People, ReplyTo};
use super::run::{Plan, Ran};
use super::sabotage::Sabotage;
use super::view::View;
use crate::desk::time::DeskTime;
use crate::engine::desk_clock::DeskClock;
use crate::engine::settle::{Next, Settling};
use crate::engine::turn::{Asked, Decided, Keeper};
use crate::journal::NewRecord;
use std::collections::VecDeque;

/// Lines of the trace that a fault is reported with.
const TRACE_LINES: usize = 60;

pub struct World {
    pub plan: Plan,
    pub dice: Dice,
    pub trace: VecDeque<String>,
    pub step: u32,
    /// No more faults: from here on everybody must be served.
    pub calm: bool,
    pub monotonic_ms: u64,
    pub wall_ms: u64,
    pub disk: Disk,
    pub disk_until_ms: u64,
    pub journal: FaultyJournal,
    pub view: View,
    pub server: Server,
    pub people: People,
    pub judge: Judge,
    pub ran: Ran,
}

pub enum Server {
    Down { until_ms: u64 },
    Up(Box<Up>),
}

pub struct Up {
    pub keeper: Keeper,
    pub clock: DeskClock,
    pub intake: VecDeque<Asked<ReplyTo>>,
    pub flight: Option<Flight>,
    /// The first record of this start is in.
    pub begun: bool,
    /// Desk time may have gone on from here by no more than real time has.
    pub mark: (DeskTime, u64),
}

/// The one append under way.
pub struct Flight {
    pub decided: Decided<ReplyTo>,
    pub record: NewRecord,
    pub fate: super::journal::Fate,
    pub ready_at_ms: u64,
    pub settling: Option<(Settling, Next)>,
}

impl World {
    pub fn new(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let people = People::new(&mut dice);
        Self {
            plan,
            dice,
            trace: VecDeque::new(),
            step: 0,
            calm: false,
            monotonic_ms: 1_000,
            wall_ms: 1_700_000_000_000,
            disk: Disk::Good,
            disk_until_ms: 0,
            journal: FaultyJournal::default(),
            view: View::default(),
            server: Server::Down { until_ms: 0 },
            people,
            judge: Judge::default(),
            ran: Ran::default(),
        }
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if self.trace.len() >= TRACE_LINES {
            self.trace.pop_front();
        }
        self.trace.push_back(format!("{:>5} {}", self.step, line()));
    }

    pub fn sabotaged(&self, how: Sabotage) -> bool {
        self.plan.sabotage == Some(how)
    }

    /// A little time, everybody's next deed, and every check.
    pub fn one_step(&mut self) -> Result<(), String> {
        self.step += 1;
        self.ran.steps += 1;
        self.time_passes();
        self.faults_happen();
        if let Server::Up(up) = &mut self.server
            && up.begun
        {
            let now_ms = self.monotonic_ms;
            let asked = self.people.act(&mut self.dice, now_ms, self.calm, up.keeper.desk());
            self.ran.commands += asked.len() as u64;
            up.intake.extend(asked);
        }
        self.serve()?;
        self.view.moves(&mut self.dice);
        self.check()
    }

    fn time_passes(&mut self) {
        let mut ms = self.dice.between(1, 600);
        if !self.calm && self.dice.per_mille(4) {
            // The machine slept, or the process was stopped.
            ms = self.dice.between(2_000, 7_200_000);
        }
        self.monotonic_ms += ms;
        self.wall_ms += ms;
        if !self.calm && self.dice.per_mille(4) {
            let hour = 3_600_000;
            self.wall_ms = if self.dice.per_mille(500) { self.wall_ms + hour } else { self.wall_ms - hour };
            self.note(|| "the wall clock was set by an hour".into());
        }
    }

    fn faults_happen(&mut self) {
        let arrive_per_mille = if self.calm { 500 } else { 150 };
        self.journal.late_ones_arrive(&mut self.dice, arrive_per_mille);
        if self.calm {
            self.disk = Disk::Good;
            return;
        }
        if self.disk != Disk::Good && self.monotonic_ms >= self.disk_until_ms {
            self.disk = Disk::Good;
            self.note(|| "the disk has room again".into());
        }
        if self.dice.per_mille(5) {
            self.disk = if self.dice.per_mille(500) { Disk::Full } else { Disk::KeptBack };
            self.disk_until_ms = self.monotonic_ms + self.dice.between(500, 20_000);
            let disk = self.disk;
            self.note(|| format!("the disk: {disk:?}"));
        }
        if self.dice.per_mille(12) && matches!(self.server, Server::Up(_)) {
            self.crash();
        }
    }

    fn check(&mut self) -> Result<(), String> {
        let Server::Up(up) = &self.server else { return Ok(()) };
        if up.flight.is_some() {
            return Ok(());
        }
        let desk = up.keeper.desk();
        self.judge.desk_is_right(desk)?;
        if up.begun {
            self.people.sessions_are_real(desk)?;
        }
        Ok(())
    }
}
