//! Crashes, and starts from the view's rows and the journal's tail, or from the whole journal.

use super::judge;
use super::sabotage::Sabotage;
use super::view::Projected;
use super::world::{Server, Up, World};
use crate::desk::Desk;
use crate::desk::event::Event;
use crate::desk::time::DeskTime;
use crate::engine::desk_clock::DeskClock;
use crate::engine::turn::Keeper;
use crate::journal::Position;
use std::collections::VecDeque;

impl World {
    /// The process is gone, and with it every session, what waited, and what the view had not synced.
    pub fn crash(&mut self) {
        self.note(|| "the server crashes".into());
        let down_ms = self.dice.between(1, 30_000);
        let down = Server::Down { until_ms: self.monotonic_ms + down_ms };
        let Server::Up(up) = std::mem::replace(&mut self.server, down) else { return };
        if let Some(flight) = up.flight.filter(|flight| flight.settling.is_none()) {
            match self.dice.below(3) {
                0 => self.note(|| "its last record is lost".into()),
                1 => {
                    let landed = self.journal.land(&flight.record).is_ok();
                    self.note(|| format!("its last record is on disk and nobody knows: {landed}"));
                }
                _ => {
                    self.journal.tear(&flight.record, &mut self.dice);
                    self.ran.torn += 1;
                    self.note(|| "its last record is torn".into());
                }
            }
        }
        self.view.crash();
        // Nothing had changed since they were told: asked again, they would be told the same.
        self.judge.idle.clear();
        self.people.server_is_gone();
        let may_lose = self.judge.acknowledged == self.journal.last() && self.judge.acknowledged > Position::NOTHING;
        if self.sabotaged(Sabotage::LoseAcknowledged) && may_lose {
            self.journal.lose_last();
        }
    }

    pub fn start(&mut self) -> Result<Server, String> {
        self.ran.starts += 1;
        let torn = self.journal.reopen()?;
        let (position, viewed) = (self.journal.last(), self.view.position());
        self.note(|| format!("the server starts at {position}, the view at {viewed}, torn {torn}"));
        Ok(Server::Up(self.load(VecDeque::new(), false)?))
    }

    /// The state of the journal's end, with its clock.
    pub fn load(
        &mut self,
        intake: VecDeque<crate::engine::turn::Asked<super::people::ReplyTo>>,
        begun: bool,
    ) -> Result<Box<Up>, String> {
        self.judge.catch_up(&self.journal)?;
        self.view.catch_up();
        let whole = self.dice.per_mille(250);
        if self.sabotaged(Sabotage::ForgetOutcomes) {
            self.view.forget_outcomes();
        }
        let (desk, from) = if whole || self.view.position() == Position::NOTHING {
            (Desk::default(), Position::NOTHING)
        } else {
            (self.view.desk().map_err(|damaged| damaged.to_string())?, self.view.position())
        };
        let mut keeper = Keeper::new(desk, from);
        for position in (from.0 + 1..=self.journal.last().0).map(Position) {
            let mut lived = self.journal.lived(position)?;
            self.spoil(&mut lived);
            keeper.replay(position, lived.now(), &lived.events, &lived.outcomes);
            let touched = keeper.take_touched();
            if position > self.view.position() {
                self.view.push(Projected::of(keeper.desk(), touched, position, &lived));
            }
        }
        keeper.look_at_everything();
        self.judge.same_as_lived(keeper.desk())?;
        let mut now = keeper.desk().now();
        if self.sabotaged(Sabotage::CountOutage) {
            now.desk = DeskTime(now.desk.0 + 5_000);
        }
        let mark = (keeper.desk().now().desk, self.monotonic_ms);
        let clock = DeskClock::from_record(now, self.monotonic_ms);
        Ok(Box::new(Up { keeper, clock, intake, flight: None, begun, mark }))
    }

    fn spoil(&self, lived: &mut super::journal::Lived) {
        match self.plan.sabotage {
            Some(Sabotage::ForgetOutcomes) => lived.outcomes.clear(),
            Some(Sabotage::ResetDeadlines) => judge::each_offer(&mut lived.events, |ends_at| ends_at.0 += 1_000),
            Some(Sabotage::DropCoolDowns) => {
                for event in &mut lived.events {
                    if let Event::OfferEnded { cool_down_until, .. } = event {
                        *cool_down_until = None;
                    }
                }
            }
            _ => {}
        }
    }
}
