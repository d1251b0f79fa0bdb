//! The supervisor's decisions, told by scripts of what happens when.

use super::*;

struct Told {
    keeper: Keeper,
    now: u64,
}

fn limits() -> Limits {
    Limits {
        hang_ms: 10_000,
        start_ms: 600_000,
        stop_ms: 7_000,
        delay_ms_max: 10_000,
        upgrade_ready_ms: 60_000,
        probation_ms: 30_000,
    }
}

impl Told {
    /// The first start has been ordered.
    fn new() -> Self {
        let mut told = Self { keeper: Keeper::new(limits(), 0), now: 0 };
        assert_eq!(told.tell(Event::Tick), [Action::Start { trial: false }]);
        told
    }

    /// Serving, and ready for all work.
    fn serving() -> Self {
        let mut told = Self::new();
        assert_eq!(told.tell(Event::Ready), []);
        told.tell(Event::Status { ready: true });
        told
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        self.keeper.handle(self.now, event, &mut out);
        out
    }

    fn after(&mut self, ms: u64, event: Event) -> Vec<Action> {
        self.now += ms;
        self.tell(event)
    }

    /// Beats twice a second for so long; what came of it.
    fn beats(&mut self, ms: u64) -> Vec<Action> {
        (0..ms / 500).flat_map(|_| self.after(500, Event::Beat)).collect()
    }
}

fn causes(actions: &[Action]) -> Vec<Cause> {
    let cause = |action: &Action| match action {
        Action::Restarted { cause, .. } => Some(*cause),
        _ => None,
    };
    actions.iter().filter_map(cause).collect()
}

fn outcome(actions: &[Action]) -> Option<Outcome> {
    actions.iter().find_map(|action| match action {
        Action::Upgrade(outcome) => Some(outcome.clone()),
        _ => None,
    })
}

#[test]
fn a_killed_server_is_back_at_once_and_says_why_it_went() {
    for (exit, cause) in
        [(Exit::Signal(9), Cause::Killed), (Exit::Signal(6), Cause::Signal), (Exit::Code(101), Cause::Exited)]
    {
        let mut told = Told::serving();
        let done = told.tell(Event::Ended(exit));
        assert_eq!(causes(&done), [cause]);
        assert_eq!(done.last(), Some(&Action::Start { trial: false }), "{done:?}");
    }
}

#[test]
fn it_answers_itself_while_nobody_gives_a_sign_of_life_and_no_longer() {
    let mut told = Told::serving();
    assert_eq!(told.beats(5_000), []);
    assert_eq!(told.after(1_249, Event::Tick), []);
    assert_eq!(told.after(1, Event::Tick), [Action::StandIn(true)], "stopped or dead, nobody knows yet");
    assert_eq!(told.after(500, Event::Beat), [Action::StandIn(false)]);
    told.tell(Event::Ended(Exit::Signal(9)));
    assert_eq!(told.after(1_250, Event::Tick), [Action::StandIn(true)], "it does not get ready");
    assert_eq!(told.after(9_000, Event::Beat), [], "who is not ready gives no sign of serving");
    assert_eq!(told.tell(Event::Ready), [Action::StandIn(false)]);
}

#[test]
fn a_server_that_hangs_is_aborted_then_killed_and_started_when_it_is_gone() {
    let mut told = Told::serving();
    told.after(1_250, Event::Tick);
    assert_eq!(told.after(8_749, Event::Tick), []);
    assert_eq!(told.after(1, Event::Tick), [Action::Signal(Sent::Abort)]);
    assert_eq!(told.after(999, Event::Beat), [], "too late");
    assert_eq!(told.after(1, Event::Tick), [Action::Signal(Sent::Kill)]);
    assert_eq!(told.after(60_000, Event::Tick), [], "not before it is reaped: it may hold the data directory");
    let done = told.tell(Event::Ended(Exit::Signal(9)));
    assert_eq!((causes(&done), done.last()), (vec![Cause::Hung], Some(&Action::Start { trial: false })));
}

#[test]
fn a_start_that_takes_too_long_is_ended_and_tried_again() {
    let mut told = Told::new();
    told.after(1_250, Event::Tick);
    assert_eq!(told.after(598_749, Event::Tick), []);
    assert_eq!(told.after(1, Event::Tick), [Action::Signal(Sent::Abort)]);
    assert_eq!(causes(&told.tell(Event::Ended(Exit::Signal(6)))), [Cause::Unready]);
}

#[test]
fn a_start_that_stands_still_is_a_hang_and_one_that_goes_on_is_none() {
    let mut told = Told::new();
    told.after(1_250, Event::Tick);
    assert_eq!(told.beats(300_000), [], "it replays, and says that it lives");
    assert_eq!(told.after(9_999, Event::Tick), []);
    assert_eq!(told.after(1, Event::Tick), [Action::Signal(Sent::Abort)]);
    assert_eq!(causes(&told.tell(Event::Ended(Exit::Signal(6)))), [Cause::Hung]);
}

#[test]
fn a_crash_loop_slows_down_and_goes_on() {
    let mut told = Told::serving();
    let mut starts = Vec::new();
    for _ in 0..9 {
        told.tell(Event::Ended(Exit::Code(1)));
        let ended_at = told.now;
        while !matches!(told.keeper.phase, Phase::Starting { .. }) {
            told.now = told.keeper.next_due().expect("there is always something due");
            told.tell(Event::Tick);
        }
        starts.push(told.now - ended_at);
    }
    assert_eq!(starts, [0, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
}

#[test]
fn what_the_caller_can_mend_ends_the_first_start_and_none_after_it() {
    let mut told = Told::new();
    assert_eq!(told.tell(Event::Ended(Exit::Code(2))), [Action::Exit(2)]);
    let mut told = Told::serving();
    assert_eq!(causes(&told.tell(Event::Ended(Exit::Code(2)))), [Cause::Exited]);
}

#[test]
fn a_stop_in_order_waits_for_the_server_for_so_long_and_no_longer() {
    let mut told = Told::serving();
    assert_eq!(told.tell(Event::StopWanted), [Action::Signal(Sent::Terminate)]);
    told.tell(Event::Stopping);
    told.after(1_250, Event::Tick);
    assert_eq!(told.after(5_750, Event::Tick), [Action::Signal(Sent::Kill)]);
    assert_eq!(told.tell(Event::Ended(Exit::Signal(9))), [Action::Exit(0)]);

    let mut waiting = Told::new();
    waiting.tell(Event::Ready);
    (0..4).for_each(|_| drop(waiting.tell(Event::Ended(Exit::Code(1)))));
    assert_eq!(waiting.tell(Event::StopWanted), [Action::Exit(0)], "nobody is there to be waited for");
}

#[test]
fn who_leaves_in_order_by_itself_has_the_time_for_it_and_is_started_again() {
    let mut told = Told::serving();
    assert_eq!(told.tell(Event::Stopping), []);
    assert_eq!(causes(&told.after(1_000, Event::Ended(Exit::Code(0)))), [Cause::Exited]);
    let mut stuck = Told::serving();
    stuck.tell(Event::Stopping);
    stuck.after(1_250, Event::Tick);
    assert_eq!(stuck.after(5_750, Event::Tick), [Action::Signal(Sent::Kill)]);
}

/// An upgrade whose new server was started.
fn on_trial() -> Told {
    let mut told = Told::serving();
    assert!(told.tell(Event::UpgradeWanted).contains(&Action::Signal(Sent::Terminate)));
    let done = told.after(300, Event::Ended(Exit::Code(0)));
    assert_eq!((causes(&done), done.last()), (vec![Cause::Upgraded], Some(&Action::Start { trial: true })));
    told
}

#[test]
fn an_upgrade_is_done_when_the_new_server_has_served_its_probation() {
    let mut told = on_trial();
    told.after(500, Event::Ready);
    told.tell(Event::Status { ready: true });
    assert_eq!(told.beats(29_500), []);
    assert_eq!(outcome(&told.beats(500)), Some(Outcome::Done));
    assert_eq!(told.beats(60_000), []);
}

fn rolled_back(mut told: Told, exit: Exit) -> String {
    let done = told.tell(Event::Ended(exit));
    assert_eq!((causes(&done), done.last()), (vec![Cause::RolledBack], Some(&Action::Start { trial: false })));
    assert!(told.keeper.trial.is_none());
    match outcome(&done) {
        Some(Outcome::RolledBack { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_server_that_dies_hangs_or_never_gets_ready_gives_the_old_one_its_place_back() {
    assert_eq!(rolled_back(on_trial(), Exit::Code(1)), "it ended with 1");
    assert_eq!(rolled_back(on_trial(), Exit::NotStarted), "it could not be started");

    let mut dies = on_trial();
    dies.tell(Event::Ready);
    dies.beats(10_000);
    assert_eq!(rolled_back(dies, Exit::Signal(11)), "signal 11 ended it");

    let mut slow = on_trial();
    slow.after(1_250, Event::Tick);
    assert!(slow.after(58_750, Event::Tick).contains(&Action::Signal(Sent::Abort)));
    assert_eq!(rolled_back(slow, Exit::Signal(6)), "it did not get ready in time");

    let mut hangs = on_trial();
    hangs.tell(Event::Ready);
    hangs.after(1_250, Event::Tick);
    assert!(hangs.after(8_750, Event::Tick).contains(&Action::Signal(Sent::Abort)));
    assert_eq!(rolled_back(hangs, Exit::Signal(9)), "it gave no sign of life for 10000 ms");
}

#[test]
fn a_new_server_must_be_as_ready_as_the_one_before_it() {
    let mut told = on_trial();
    told.tell(Event::Ready);
    told.tell(Event::Status { ready: false });
    assert!(told.beats(30_000).contains(&Action::Signal(Sent::Terminate)));
    assert!(rolled_back(told, Exit::Code(0)).contains("not ready"));

    let mut full = Told::serving();
    full.tell(Event::Status { ready: false });
    full.tell(Event::UpgradeWanted);
    full.tell(Event::Ended(Exit::Code(0)));
    full.tell(Event::Ready);
    assert_eq!(outcome(&full.beats(30_000)), Some(Outcome::Done), "neither is the new one to blame for a full disk");
}

#[test]
fn a_crash_loop_can_be_left_by_an_upgrade() {
    let mut told = Told::serving();
    (0..5).for_each(|_| drop(told.tell(Event::Ended(Exit::Code(1)))));
    assert!(matches!(told.keeper.phase, Phase::Away { .. }));
    assert_eq!(told.tell(Event::UpgradeWanted).last(), Some(&Action::Start { trial: true }));
}

#[test]
fn one_upgrade_at_a_time_and_none_while_it_stops() {
    let mut told = on_trial();
    assert!(matches!(outcome(&told.tell(Event::UpgradeWanted)), Some(Outcome::Refused { .. })));
    told.tell(Event::Ready);
    told.tell(Event::StopWanted);
    assert!(matches!(outcome(&told.tell(Event::UpgradeWanted)), Some(Outcome::Refused { .. })));
    let done = told.tell(Event::Ended(Exit::Code(0)));
    assert_eq!(done, [Action::Upgrade(Outcome::Interrupted), Action::Exit(0)]);
}
