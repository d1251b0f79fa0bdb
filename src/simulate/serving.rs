//! What the engine does with a workspace, step by step: the shipped turn, its append, and what follows each outcome.

use super::journal::{Disk, Fate, Lived};
use super::notation;
use super::people::ReplyTo;
use super::sabotage::Sabotage;
use super::view::Projected;
use super::world::{Flight, Server, Up, World};
use crate::desk::command::{Ask, Command};
use crate::desk::needs::Loaded;
use crate::desk::time::Now;
use crate::desk::touched::Touched;
use crate::engine::desk_clock::STEP_MS_MAX;
use crate::engine::settle::{Next, Settling};
use crate::engine::turn::{Asked, Decided};
use crate::journal::{Appended, NewRecord, Position, RECORD_BYTES_MAX, RefusedAppend, TurnId};

/// While a deadline runs, the clock is written down at least so often.
const CLOCK_WRITTEN_MS: u64 = 5_000;

impl World {
    pub fn serve(&mut self) -> Result<(), String> {
        let server = std::mem::replace(&mut self.server, Server::Down { until_ms: u64::MAX });
        self.server = match server {
            Server::Down { until_ms } if self.monotonic_ms < until_ms => Server::Down { until_ms },
            Server::Down { .. } => self.start()?,
            Server::Up(up) if up.flight.is_some() => self.fly(up)?,
            Server::Up(up) => self.turn(up)?,
        };
        Ok(())
    }

    fn turn(&mut self, mut up: Box<Up>) -> Result<Server, String> {
        let before = up.clock.desk();
        let now = up.clock.advance(self.monotonic_ms, self.wall_ms);
        let real_ms = self.monotonic_ms - up.mark.1;
        if now.desk.ms_since(before) > STEP_MS_MAX || now.desk.ms_since(up.mark.0) > real_ms {
            return Err(format!("desk time leapt to {:?} from {:?} in {real_ms} ms", now.desk, up.mark.0));
        }
        up.mark = (now.desk, self.monotonic_ms);
        if !up.begun {
            let ask = if self.sabotaged(Sabotage::SkipServerBegan) { Ask::Tick } else { Ask::ServerBegan };
            up.intake.push_front(of_server(ask));
        } else if up.keeper.desk().is_due(now) && !self.sabotaged(Sabotage::NeverTick) {
            up.intake.push_front(of_server(Ask::Tick));
        }
        let turn = TurnId(self.dice.wide());
        if up.intake.is_empty() {
            nothing_is_overdue(&up, now)?;
            let unwritten_ms = now.desk.ms_since(self.judge.last.desk);
            if up.keeper.desk().has_deadlines() && unwritten_ms >= CLOCK_WRITTEN_MS {
                let record = up.keeper.barrier(now, turn);
                return Ok(self.send(up, nothing(now, record.expected.next()), record));
            }
            return Ok(Server::Up(up));
        }
        let loaded = self.look_up(&up, now)?;
        let mut decided = up.keeper.decide(now, turn, &mut up.intake, &loaded);
        self.trace_turn(&decided);
        nothing_is_overdue(&up, now)?;
        if self.sabotaged(Sabotage::DeliverBeforeCommit) {
            self.tell_replies(&decided, &up)?;
        }
        match decided.record.take() {
            Some(record) if record.body.len() > RECORD_BYTES_MAX => {
                Err(format!("a record of {} bytes", record.body.len()))
            }
            Some(record) => Ok(self.send(up, decided, record)),
            None if !up.begun => {
                // Nothing to say, but what came before this start must be settled.
                let record = up.keeper.barrier(now, turn);
                Ok(self.send(up, decided, record))
            }
            None => {
                self.tell_replies(&decided, &up)?;
                Ok(Server::Up(up))
            }
        }
    }

    /// As the engine does: the view is waited for, since what is asked for may have been closed a moment ago.
    fn look_up(&mut self, up: &Up, now: Now) -> Result<Loaded, String> {
        let (mut loaded, mut needs) = (Loaded::default(), Vec::new());
        for asked in &up.intake {
            up.keeper.desk().needs(now.wall, &asked.command, &mut needs);
        }
        if needs.is_empty() {
            return Ok(loaded);
        }
        if !self.sabotaged(Sabotage::LookUpBehind) {
            self.view.catch_up();
            if self.view.position() != up.keeper.position() {
                return Err(format!("the view is at {}, the desk at {}", self.view.position(), up.keeper.position()));
            }
        }
        self.view.look_up(&needs, &mut loaded);
        Ok(loaded)
    }

    fn send(&mut self, mut up: Box<Up>, decided: Decided<ReplyTo>, record: NewRecord) -> Server {
        let fate = self.fate(record.last_resort);
        let slow_ms = if self.dice.per_mille(100) { self.dice.between(500, 3_000) } else { self.dice.below(3) };
        let ready_at_ms = self.monotonic_ms + slow_ms;
        up.flight = Some(Flight { decided, record, fate, ready_at_ms, settling: None });
        Server::Up(up)
    }

    fn fate(&mut self, last_resort: bool) -> Fate {
        match self.disk {
            Disk::Full => return Fate::Refused(RefusedAppend::Full),
            Disk::KeptBack if !last_resort => return Fate::Refused(RefusedAppend::KeptBack),
            Disk::KeptBack | Disk::Good => {}
        }
        if self.calm {
            return Fate::Commits;
        }
        match self.dice.below(100) {
            0..=1 => Fate::Refused(RefusedAppend::Busy),
            2 => Fate::Unknown { lands: true },
            3..=4 => Fate::Unknown { lands: false },
            _ => Fate::Commits,
        }
    }

    fn fly(&mut self, mut up: Box<Up>) -> Result<Server, String> {
        let Some(mut flight) = up.flight.take() else { return Ok(Server::Up(up)) };
        if self.monotonic_ms < flight.ready_at_ms {
            up.flight = Some(flight);
            return Ok(Server::Up(up));
        }
        if let Some((settling, next)) = flight.settling.take() {
            return self.settle(up, flight, settling, next);
        }
        match flight.fate {
            Fate::Commits => match self.journal.land(&flight.record) {
                Ok(position) => self.committed(up, flight, position, false),
                Err(why) => self.did_not_happen(up, flight, why.word()),
            },
            Fate::Refused(why) => {
                self.ran.refused += 1;
                self.did_not_happen(up, flight, why.word())
            }
            Fate::Unknown { lands } => {
                self.ran.unknowns += 1;
                if lands {
                    let _fenced = self.journal.land(&flight.record);
                } else {
                    self.journal.send_late(flight.record.clone());
                }
                self.note(|| format!("unknown whether it is there ({lands})"));
                if !self.sabotaged(Sabotage::CountUncommitted) {
                    up.clock.stand();
                }
                let settling = Settling::of(flight.record.turn, flight.record.expected);
                flight.settling = Some((settling, Next::ReadTail));
                up.flight = Some(flight);
                Ok(Server::Up(up))
            }
        }
    }

    /// One step of finding out.
    fn settle(
        &mut self,
        mut up: Box<Up>,
        mut flight: Flight,
        settling: Settling,
        next: Next,
    ) -> Result<Server, String> {
        let hitch = !self.calm && self.dice.per_mille(100);
        let next = match next {
            _ if self.sabotaged(Sabotage::SkipReadingTail) => Next::DidNotHappen,
            Next::ReadTail if hitch => Next::Wait,
            Next::ReadTail => settling.tail_was(self.journal.tail()),
            Next::ReadAt(position) => settling.tail_was(self.journal.at(position)),
            Next::AppendBarrier { .. } if self.sabotaged(Sabotage::SkipBarrier) => Next::DidNotHappen,
            Next::AppendBarrier { expected } => {
                let now = up.clock.advance(self.monotonic_ms, self.wall_ms);
                let barrier = up.keeper.barrier(now, TurnId(self.dice.wide()));
                if barrier.expected != expected {
                    return Err(format!("a barrier behind {expected} and not {}", barrier.expected));
                }
                let appended = match self.fate(barrier.last_resort) {
                    Fate::Commits => match self.journal.land(&barrier) {
                        Ok(position) => Appended::Committed(position),
                        Err(why) => Appended::Refused(why),
                    },
                    Fate::Refused(why) => Appended::Refused(why),
                    Fate::Unknown { lands: true } => {
                        let _fenced = self.journal.land(&barrier);
                        Appended::Unknown("time-out".into())
                    }
                    Fate::Unknown { lands: false } => {
                        self.journal.send_late(barrier);
                        Appended::Unknown("time-out".into())
                    }
                };
                settling.barrier_was(&appended)
            }
            Next::Wait => Next::ReadTail,
            Next::Happened => return self.committed(up, flight, settling.position(), true),
            Next::DidNotHappen => {
                self.judge.never(flight.record.turn);
                return self.did_not_happen(up, flight, "settled");
            }
        };
        self.note(|| format!("settling: {next:?}"));
        flight.settling = Some((settling, next));
        up.flight = Some(flight);
        Ok(Server::Up(up))
    }

    fn committed(
        &mut self,
        mut up: Box<Up>,
        flight: Flight,
        position: Position,
        settled: bool,
    ) -> Result<Server, String> {
        self.note(|| format!("committed {position}"));
        if flight.decided.events.is_empty() && flight.decided.outcomes.is_empty() {
            up.keeper.clock_committed(position, flight.decided.now);
        } else {
            up.keeper.committed(position);
        }
        self.judge.acknowledged = position;
        self.judge.catch_up(&self.journal)?;
        if !flight.decided.events.is_empty() {
            self.judge.idle_ones_are_kept()?;
        }
        self.ran.offers = self.judge.offers_made();
        if settled {
            if !self.sabotaged(Sabotage::CountUncommitted) {
                up.clock.go_on(self.monotonic_ms);
            }
            up.mark = (up.clock.desk(), self.monotonic_ms);
        }
        if !self.calm && self.dice.per_mille(8) {
            // Between the commit and the first word about it.
            self.server = Server::Up(up);
            self.crash();
            return Ok(std::mem::replace(&mut self.server, Server::Down { until_ms: 0 }));
        }
        let lived = self.journal.lived(position)?;
        if lived.events != flight.decided.events || lived.outcomes != flight.decided.outcomes {
            return Err(format!("record {position} does not read back as what was decided"));
        }
        self.view.push(Projected::of(up.keeper.desk(), flight.decided.touched.clone(), position, &lived));
        up.begun = true;
        self.judge.same_as_lived(up.keeper.desk())?;
        if !self.sabotaged(Sabotage::DeliverBeforeCommit) {
            self.tell_replies(&flight.decided, &up)?;
        }
        self.tell_events(&flight.decided, &up, position, &lived)?;
        Ok(Server::Up(up))
    }

    /// The state is dropped and loaded again; who asked hears `unavailable`, and asks again.
    fn did_not_happen(&mut self, mut up: Box<Up>, flight: Flight, why: &str) -> Result<Server, String> {
        self.note(|| format!("it did not happen: {why}"));
        self.judge.never(flight.record.turn);
        if self.sabotaged(Sabotage::AnswerRefusedTurn) {
            self.tell_replies(&flight.decided, &up)?;
        }
        for (reply_to, _) in &flight.decided.replies {
            self.people.unavailable(*reply_to, self.monotonic_ms);
        }
        let intake = std::mem::take(&mut up.intake);
        let mut again = self.load(intake, up.begun)?;
        again.keeper.go_on_with(up.keeper.take_told());
        if self.sabotaged(Sabotage::CountUncommitted) {
            again.clock = up.clock;
        }
        Ok(Server::Up(again))
    }

    fn tell_replies(&mut self, decided: &Decided<ReplyTo>, up: &Up) -> Result<(), String> {
        for (reply_to, result) in &decided.replies {
            let Some(command) = self.people.command_of(*reply_to) else { continue };
            self.judge.told(&command, result, decided.position)?;
            self.people.hear(*reply_to, result, up.keeper.desk());
        }
        Ok(())
    }

    fn tell_events(
        &mut self,
        decided: &Decided<ReplyTo>,
        up: &Up,
        position: Position,
        lived: &Lived,
    ) -> Result<(), String> {
        for route in &decided.routes {
            let event = &decided.events[route.event];
            self.judge.event_is_committed(position, route.event, event, lived)?;
            self.people.hear_event(route.to, event, up.keeper.desk());
        }
        Ok(())
    }

    fn trace_turn(&mut self, decided: &Decided<ReplyTo>) {
        let lines: Vec<String> = decided
            .replies
            .iter()
            .filter_map(|(reply_to, result)| {
                let command = self.people.command_of(*reply_to)?;
                let id = command.id.map_or(String::new(), |id| format!("#{} ", id.0));
                Some(format!("{id}{} -> {}", notation::ask(&command.ask), notation::result(result)))
            })
            .collect();
        let at_ms = decided.now.desk.0;
        lines.into_iter().for_each(|line| self.note(|| format!("[{at_ms}] {line}")));
        for event in &decided.events {
            self.note(|| format!("[{at_ms}]     {}", notation::event(event)));
        }
    }
}

/// Whatever is due by now is done by this turn; what goes in steps is due now again.
fn nothing_is_overdue(up: &Up, now: Now) -> Result<(), String> {
    let due = up.keeper.desk().next_deadline();
    if up.begun && due.is_some_and(|at| at < now.desk) {
        return Err(format!("due at {due:?} and not done at {:?}", now.desk));
    }
    if up.begun && up.keeper.desk().openings().values().any(|opening| opening.until <= now.wall) {
        return Err(format!("hours were to turn and have not at {:?}", now.wall));
    }
    Ok(())
}

fn of_server(ask: Ask) -> Asked<ReplyTo> {
    Asked::untraced(Command::of_server(ask), ReplyTo::NOBODY)
}

fn nothing(now: Now, position: Position) -> Decided<ReplyTo> {
    Decided {
        now,
        position,
        record: None,
        events: Vec::new(),
        outcomes: Vec::new(),
        routes: Vec::new(),
        replies: Vec::new(),
        touched: Touched::default(),
    }
}
