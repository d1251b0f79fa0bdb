//! What the drill measured, as JSON has it; and which promises that breaks. Pure.

use super::floor::Accepts;
use super::tally::{MessagesKept, OffersKept};
use serde::Serialize;
use std::collections::BTreeMap;

/// Whoever is not told by then is told by a customer.
const NOTICED_WITHIN_S: f64 = 30.0;

/// How one trouble was seen from outside. Times are seconds from its beginning.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Trouble {
    /// Until the status page said so.
    pub noticed_after_s: Option<f64>,
    pub page_said: String,
    /// Until all agents were there and every component operational again; of the memory act from the end of its load.
    pub recovered_after_s: Option<f64>,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct MemoryAct {
    pub load_s: f64,
    pub readers_stopped: usize,
    /// Texts written to readers that had stopped, once for each of their devices: what one would hold who takes all it is given.
    pub written_mib: u64,
    /// Of those, acknowledged.
    pub unread_mib: u64,
    pub starts: u64,
    pub starts_refused: u64,
    /// As the server counted it, by rung of its ladder.
    pub shed: BTreeMap<String, u64>,
    /// Answers `busy` that clients were given, by what they asked.
    pub busy: BTreeMap<String, u64>,
    pub accepts: Accepts,
    pub trouble: Trouble,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct DropAct {
    pub killed: i32,
    pub dropped: usize,
    pub back_99_s: Option<f64>,
    pub back_all_s: Option<f64>,
    pub told_to_wait: u64,
    /// Offers on agents' screens that nobody had answered when it was killed, and of those, how many could not be accepted after.
    pub offers_held: usize,
    pub offers_held_lost: usize,
    pub trouble: Trouble,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct UpdateAct {
    pub rolled_back: bool,
    /// The last words of `offhook upgrade`.
    pub said: String,
    /// Until the old version served.
    pub served_again_s: Option<f64>,
    pub dropped: usize,
    pub back_all_s: Option<f64>,
    pub trouble: Trouble,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Cap {
    pub mib: u64,
    /// Whether the kernel holds it; else `memory.budget_bytes` was set instead.
    pub is_hard: bool,
    pub group: String,
    /// Whether the supervisor is held by it too.
    pub supervisor_inside: bool,
    /// The most that was held of it at once, without file pages.
    pub held_mib: Option<u64>,
    /// Processes that the kernel killed for memory.
    pub oom_kills: Option<u64>,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct StatusPage {
    pub looks: u64,
    pub by_supervisor: u64,
    pub unanswered: u64,
    pub incidents: usize,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Outcome {
    pub day: String,
    pub agents: usize,
    pub customers: usize,
    pub cap: Cap,
    pub memory: MemoryAct,
    pub drop: DropAct,
    pub update: UpdateAct,
    /// By the supervisor, by cause.
    pub restarts: BTreeMap<String, u64>,
    pub messages: MessagesKept,
    pub offers: OffersKept,
    pub status_flaps: usize,
    pub status_flap_examples: Vec<String>,
    pub status_page: StatusPage,
    /// The supervisor's process and each server's.
    pub processes: Vec<i32>,
    pub stopped_in_order: bool,
    /// What should not have happened to clients that do what they are told.
    pub faults: Vec<String>,
    pub seconds: f64,
    /// The worst of all troubles.
    pub noticed_after_s: Option<f64>,
    pub recovered_after_s: Option<f64>,
    /// Promises that were not kept; empty when all were.
    pub broken: Vec<String>,
}

impl Outcome {
    pub fn troubles(&self) -> [(&'static str, &Trouble); 3] {
        [
            ("memory running short", &self.memory.trouble),
            ("the mass drop", &self.drop.trouble),
            ("the bad update", &self.update.trouble),
        ]
    }

    /// Sums up, and judges.
    pub fn judged(mut self) -> Self {
        let worst = |of: fn(&Trouble) -> Option<f64>| {
            let all: Option<Vec<f64>> = self.troubles().into_iter().map(|(_, trouble)| of(trouble)).collect();
            all.map(|all| all.into_iter().fold(0.0, f64::max))
        };
        (self.noticed_after_s, self.recovered_after_s) =
            (worst(|trouble| trouble.noticed_after_s), worst(|trouble| trouble.recovered_after_s));
        self.broken = self.broken_promises();
        self
    }

    /// Restarts that the drill did not bring about: one kill is its own, and the update's are.
    pub fn restarts_unasked(&self) -> u64 {
        let of = |cause: &str| self.restarts.get(cause).copied().unwrap_or(0);
        ["exited", "signal", "hung", "unready"].map(of).iter().sum::<u64>() + of("killed").saturating_sub(1)
    }

    fn broken_promises(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut unless = |is_kept: bool, broke: String| {
            if !is_kept {
                broken.push(broke);
            }
        };
        let killed = self.cap.oom_kills.unwrap_or(0);
        unless(killed == 0, format!("nothing is killed for memory: {killed} were"));
        unless(self.restarts_unasked() == 0, format!("it ends only when it is killed: {:?}", self.restarts));
        let busy = self.memory.accepts.busy;
        unless(busy == 0, format!("accepting is never shed: {busy} accepts were"));
        unless(
            self.drop.dropped == self.agents,
            format!("everybody drops: {} of {} did", self.drop.dropped, self.agents),
        );
        unless(self.drop.back_all_s.is_some(), "everybody comes back after the mass drop".to_owned());
        unless(self.drop.offers_held > 0, "offers are held while it is killed: there was none".to_owned());
        let held = self.drop.offers_held_lost;
        unless(held == 0, format!("an offer outlives the kill: {held} of {} did not", self.drop.offers_held));
        let lost = self.offers.lost_in_all();
        unless(lost == 0, format!("no offer is lost: {lost} were, {:?}", self.offers.lost));
        unless(self.messages.acknowledged > 0, "messages are acknowledged: none was".to_owned());
        unless(self.messages.lost == 0, format!("no message is lost: {} were", self.messages.lost));
        let unread = self.messages.unread;
        unless(unread == 0, format!("everything can be read back: {unread} messages could not be"));
        unless(self.messages.twice == 0, format!("no message is there twice: {} are", self.messages.twice));
        let flaps = self.status_flaps;
        unless(flaps == 0, format!("no status changes by itself: {flaps} did ({:?})", self.status_flap_examples));
        for (what, trouble) in self.troubles() {
            let is_told = trouble.noticed_after_s.is_some_and(|after_s| after_s <= NOTICED_WITHIN_S);
            let after = seconds(trouble.noticed_after_s);
            unless(is_told, format!("{what} is on the status page within {NOTICED_WITHIN_S:.0} s: after {after}"));
            unless(trouble.recovered_after_s.is_some(), format!("all is well again after {what}: it was not in time"));
        }
        let faults = self.faults.len();
        unless(faults == 0, format!("who does as told is served: {faults} times somebody was not"));
        unless(self.update.rolled_back, format!("a bad update is rolled back by itself: {}", self.update.said));
        broken
    }
}

/// For people.
pub(super) fn seconds(after_s: Option<f64>) -> String {
    after_s.map_or("never".to_owned(), |after_s| format!("{after_s:.1} s"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A drill in which everything went as it should.
    pub(in super::super) fn good() -> Outcome {
        let trouble = Trouble { noticed_after_s: Some(1.0), recovered_after_s: Some(9.0), ..Trouble::default() };
        Outcome {
            agents: 10,
            cap: Cap { mib: 256, is_hard: true, oom_kills: Some(0), held_mib: Some(100), ..Cap::default() },
            memory: MemoryAct { trouble: trouble.clone(), ..MemoryAct::default() },
            drop: DropAct {
                dropped: 10,
                back_all_s: Some(2.0),
                offers_held: 3,
                trouble: Trouble { noticed_after_s: Some(3.0), ..trouble.clone() },
                ..DropAct::default()
            },
            update: UpdateAct { rolled_back: true, trouble, ..UpdateAct::default() },
            restarts: BTreeMap::from([("killed".to_owned(), 1), ("rolled_back".to_owned(), 1)]),
            messages: MessagesKept { acknowledged: 5, conversations: 2, ..MessagesKept::default() },
            ..Outcome::default()
        }
    }

    fn broken(change: impl FnOnce(&mut Outcome)) -> Vec<String> {
        let mut outcome = good();
        change(&mut outcome);
        outcome.judged().broken
    }

    #[test]
    fn a_good_morning_breaks_nothing_and_its_worst_times_are_told() {
        let judged = good().judged();
        assert_eq!(judged.broken, [""; 0]);
        assert_eq!((judged.noticed_after_s, judged.recovered_after_s), (Some(3.0), Some(9.0)));
    }

    #[test]
    fn each_broken_promise_is_named() {
        let cases: [(fn(&mut Outcome), &str); 17] = [
            (|it| it.cap.oom_kills = Some(1), "nothing is killed for memory: 1"),
            (|it| it.restarts.extend([("killed".to_owned(), 2)]), "it ends only when it is killed"),
            (|it| it.restarts.extend([("hung".to_owned(), 1)]), "it ends only when it is killed"),
            (|it| it.memory.accepts.busy = 1, "accepting is never shed"),
            (|it| it.drop.dropped = 9, "everybody drops: 9 of 10"),
            (|it| it.drop.back_all_s = None, "everybody comes back"),
            (|it| it.drop.offers_held_lost = 1, "an offer outlives the kill: 1 of 3"),
            (|it| it.offers.lost.extend([("agent_lost".to_owned(), 2)]), "no offer is lost: 2"),
            (|it| it.drop.offers_held = 0, "offers are held"),
            (|it| it.messages.lost = 1, "no message is lost: 1"),
            (|it| it.messages.unread = 1, "everything can be read back: 1"),
            (|it| it.messages.twice = 1, "no message is there twice: 1"),
            (|it| it.status_flaps = 1, "no status changes by itself: 1"),
            (|it| it.drop.trouble.noticed_after_s = Some(30.1), "the mass drop is on the status page"),
            (|it| it.memory.trouble.recovered_after_s = None, "all is well again after memory"),
            (|it| it.faults.push("ada was told not to come back".to_owned()), "who does as told is served: 1"),
            (|it| it.update.rolled_back = false, "a bad update is rolled back by itself"),
        ];
        for (change, wanted) in cases {
            let told = broken(change);
            assert!(told.len() == 1 && told[0].starts_with(wanted), "{wanted}: {told:?}");
        }
        assert!(broken(|it| it.update.trouble.noticed_after_s = None)[0].ends_with("after never"));
    }
}
