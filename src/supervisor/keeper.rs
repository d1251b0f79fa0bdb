//! The supervisor's decisions as a value: told what happened and when, it says what to do. No I/O, no clock.
//!
//! ```text
//!            due                READY                 told to end, hung, died
//!   Away ──────────▶ Starting ─────────▶ Serving ──────────────────────────────▶ Ending
//!    ▲                   │ too long, died   │ died                                 │ reaped
//!    └───────────────────┴──────────────────┴──────────────────────────────────────┘
//! ```
//! A *trial* lies over it: the new binary of an upgrade, until it has served for its probation. Whatever goes wrong meanwhile starts
//! the one before it again.

use super::pace::Pace;

/// Nobody gave a sign of life for so long: the supervisor answers those who connect. A server gives one twice a second, so that one may
/// be late; and who connects just after the last one hears something within two seconds.
const STAND_IN_AFTER_MS: u64 = 1_250;
/// From SIGABRT, which leaves a core where that is wanted, to SIGKILL.
const ABORT_MS: u64 = 1_000;

/// In milliseconds.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a server may give no sign of life.
    pub hang_ms: u64,
    /// How long a start may take.
    pub start_ms: u64,
    /// How long a stop in order may take.
    pub stop_ms: u64,
    pub delay_ms_max: u64,
    /// The start of an upgrade.
    pub upgrade_ready_ms: u64,
    pub probation_ms: u64,
}

/// How a child ended, as the system tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// It could not even be started.
    NotStarted,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "it ended with {code}"),
            Exit::Signal(signal) => write!(f, "signal {signal} ended it"),
            Exit::NotStarted => write!(f, "it could not be started"),
        }
    }
}

/// Why a server was started again: the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// It ended by itself.
    Exited,
    /// It crashed, or somebody ended it by a signal.
    Signal,
    /// SIGKILL that was not ours: by hand, or for memory.
    Killed,
    /// It gave no sign of life.
    Hung,
    /// It did not get ready.
    Unready,
    Upgraded,
    RolledBack,
}

impl Cause {
    pub const ALL: [Self; 7] =
        [Self::Exited, Self::Signal, Self::Killed, Self::Hung, Self::Unready, Self::Upgraded, Self::RolledBack];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::Signal => "signal",
            Self::Killed => "killed",
            Self::Hung => "hung",
            Self::Unready => "unready",
            Self::Upgraded => "upgraded",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// How an upgrade ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    RolledBack {
        why: String,
    },
    /// Another one is under way, or the supervisor stops: nothing was touched.
    Refused {
        why: &'static str,
    },
    /// The supervisor was told to stop before it was known.
    Interrupted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nothing but that time has passed.
    Tick,
    /// READY=1.
    Ready,
    /// WATCHDOG=1.
    Beat,
    /// STATUS=…; whether it would take all work.
    Status {
        ready: bool,
    },
    /// STOPPING=1: it goes by itself.
    Stopping,
    /// It is gone, and reaped.
    Ended(Exit),
    StopWanted,
    UpgradeWanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start the binary in use, or the one on trial.
    Start {
        trial: bool,
    },
    Signal(Sent),
    /// Answer those who connect, or no longer.
    StandIn(bool),
    Restarted {
        cause: Cause,
        why: String,
    },
    /// For whoever watches the upgrade.
    Progress(String),
    Upgrade(Outcome),
    /// The end of the supervisor, with this code.
    Exit(i32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Terminate,
    Abort,
    Kill,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Away {
        until: u64,
    },
    /// `heard`: when it last said that it lives, if it says so before it is ready.
    Starting {
        until: u64,
        heard: Option<u64>,
    },
    Serving {
        since: u64,
    },
    Ending {
        kill_at: u64,
        why: Why,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// To make room for another binary, or since everything stops.
    Ordered,
    /// It said so itself.
    Own {
        since: u64,
    },
    Hung {
        since: u64,
    },
    Unready,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Trial {
    /// Whether the server before it would take all work: then this one must too.
    was_ready: bool,
    /// False while the one before it ends.
    begun: bool,
    over_at: Option<u64>,
    /// It is being ended for this.
    failed: Option<String>,
}

#[derive(Debug)]
pub struct Keeper {
    limits: Limits,
    phase: Phase,
    pace: Pace,
    trial: Option<Trial>,
    /// When a server last gave a sign of life, or the supervisor began.
    sign_at: u64,
    standing_in: bool,
    ever_ready: bool,
    /// What it last said of itself.
    ready: bool,
    stop_wanted: bool,
}

impl Keeper {
    /// The first `Tick` starts the server.
    #[must_use]
    pub fn new(limits: Limits, now: u64) -> Self {
        let pace = Pace::new(limits.delay_ms_max);
        Self {
            limits,
            phase: Phase::Away { until: now },
            pace,
            trial: None,
            sign_at: now,
            standing_in: false,
            ever_ready: false,
            ready: false,
            stop_wanted: false,
        }
    }

    /// For people.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.phase {
            Phase::Away { .. } => "away",
            Phase::Starting { .. } => "starting",
            Phase::Serving { .. } if self.standing_in => "silent",
            Phase::Serving { .. } => "serving",
            Phase::Ending { .. } => "ending",
        }
    }

    /// When it wants to be told that time has passed, if nothing else happens.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::Away { until } => Some(until),
            Phase::Starting { until, heard } => Some(heard.map_or(until, |at| until.min(at + self.limits.hang_ms))),
            Phase::Serving { .. } => Some(self.sign_at + self.limits.hang_ms),
            Phase::Ending { kill_at, .. } => (kill_at != u64::MAX).then_some(kill_at),
        };
        let stand_in = (!self.standing_in).then_some(self.sign_at + STAND_IN_AFTER_MS);
        let trial = self.trial.as_ref().filter(|trial| trial.failed.is_none()).and_then(|trial| trial.over_at);
        [phase, stand_in, trial].into_iter().flatten().min()
    }

    pub fn handle(&mut self, now: u64, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Tick => {}
            Event::Ready => self.is_ready(now, out),
            Event::Beat => self.sign(now, out),
            Event::Status { ready } => self.ready = ready,
            Event::Stopping => {
                if let Phase::Serving { since } = self.phase {
                    self.phase = Phase::Ending { kill_at: now + self.limits.stop_ms, why: Why::Own { since } };
                }
            }
            Event::Ended(exit) => self.ended(now, exit, out),
            Event::StopWanted => self.stop(now, out),
            Event::UpgradeWanted => self.upgrade(now, out),
        }
        self.look(now, out);
    }

    fn sign(&mut self, now: u64, out: &mut Vec<Action>) {
        if let Phase::Starting { heard, .. } = &mut self.phase {
            *heard = Some(now);
        }
        if !matches!(self.phase, Phase::Serving { .. }) {
            return;
        }
        self.sign_at = now;
        if std::mem::take(&mut self.standing_in) {
            out.push(Action::StandIn(false));
        }
    }

    fn is_ready(&mut self, now: u64, out: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Starting { .. }) {
            return;
        }
        self.phase = Phase::Serving { since: now };
        self.ever_ready = true;
        self.sign(now, out);
        if let Some(trial) = &mut self.trial {
            trial.over_at = Some(now + self.limits.probation_ms);
            let s = self.limits.probation_ms as f64 / 1_000.0;
            out.push(Action::Progress(format!("it serves; it must go on so for {s} s")));
        }
    }

    fn ended(&mut self, now: u64, exit: Exit, out: &mut Vec<Action>) {
        if self.stop_wanted {
            if self.trial.take().is_some() {
                out.push(Action::Upgrade(Outcome::Interrupted));
            }
            return out.push(Action::Exit(0));
        }
        let (cause, why, served_ms) = self.cause(now, exit);
        match self.trial.take() {
            Some(trial) if !trial.begun => {
                self.trial = Some(trial);
                out.push(Action::Progress(format!("the old server is gone ({exit})")));
                self.begin_trial(now, out);
            }
            Some(trial) => {
                let why = trial.failed.unwrap_or(why);
                out.push(Action::Restarted { cause: Cause::RolledBack, why: why.clone() });
                out.push(Action::Upgrade(Outcome::RolledBack { why }));
                self.phase = Phase::Away { until: now };
            }
            // It says that the caller can mend it, and the caller is still looking on.
            None if exit == Exit::Code(2) && !self.ever_ready => out.push(Action::Exit(2)),
            None if exit == Exit::NotStarted && !self.ever_ready => out.push(Action::Exit(2)),
            None => {
                out.push(Action::Restarted { cause, why });
                self.phase = Phase::Away { until: now + self.pace.ended(served_ms) };
            }
        }
    }

    fn cause(&self, now: u64, exit: Exit) -> (Cause, String, u64) {
        const KILL: i32 = 9;
        let by_itself = || {
            let cause = match exit {
                Exit::Code(_) | Exit::NotStarted => Cause::Exited,
                Exit::Signal(KILL) => Cause::Killed,
                Exit::Signal(_) => Cause::Signal,
            };
            (cause, exit.to_string())
        };
        let (since, (cause, why)) = match self.phase {
            Phase::Serving { since } | Phase::Ending { why: Why::Own { since }, .. } => (since, by_itself()),
            Phase::Ending { why: Why::Hung { since }, .. } => {
                (since, (Cause::Hung, format!("it gave no sign of life for {} ms", self.limits.hang_ms)))
            }
            Phase::Ending { why: Why::Unready, .. } => {
                (now, (Cause::Unready, "it did not get ready in time".to_owned()))
            }
            Phase::Away { .. } | Phase::Starting { .. } | Phase::Ending { why: Why::Ordered, .. } => (now, by_itself()),
        };
        (cause, why, now.saturating_sub(since))
    }

    fn stop(&mut self, now: u64, out: &mut Vec<Action>) {
        self.stop_wanted = true;
        match self.phase {
            Phase::Away { .. } => self.ended(now, Exit::Code(0), out),
            Phase::Starting { .. } | Phase::Serving { .. } => self.terminate(now, out),
            // What is being aborted ends soon; what leaves in order has its time already.
            Phase::Ending { .. } => {}
        }
    }

    fn terminate(&mut self, now: u64, out: &mut Vec<Action>) {
        out.push(Action::Signal(Sent::Terminate));
        self.phase = Phase::Ending { kill_at: now + self.limits.stop_ms, why: Why::Ordered };
    }

    fn upgrade(&mut self, now: u64, out: &mut Vec<Action>) {
        let refused = match (&self.trial, self.stop_wanted) {
            (_, true) => Some("the supervisor stops"),
            (Some(_), false) => Some("another upgrade is under way"),
            (None, false) => None,
        };
        if let Some(why) = refused {
            return out.push(Action::Upgrade(Outcome::Refused { why }));
        }
        let was_ready = self.ready && matches!(self.phase, Phase::Serving { .. });
        self.trial = Some(Trial { was_ready, begun: false, over_at: None, failed: None });
        match self.phase {
            Phase::Away { .. } => self.begin_trial(now, out),
            Phase::Starting { .. } | Phase::Serving { .. } => {
                out.push(Action::Progress("the old server commits what it has and ends".to_owned()));
                self.terminate(now, out);
            }
            Phase::Ending { .. } => {}
        }
    }

    /// Nobody holds the data directory: it is the new one's turn.
    fn begin_trial(&mut self, now: u64, out: &mut Vec<Action>) {
        if let Some(trial) = &mut self.trial {
            trial.begun = true;
        }
        out.push(Action::Progress("the new server starts".to_owned()));
        out.push(Action::Restarted { cause: Cause::Upgraded, why: "an upgrade".to_owned() });
        self.phase = Phase::Away { until: now };
    }

    /// What is due by now.
    fn look(&mut self, now: u64, out: &mut Vec<Action>) {
        if out.iter().any(|action| matches!(action, Action::Exit(_))) {
            return;
        }
        match self.phase {
            Phase::Away { until } if now >= until => {
                let trial = self.trial.is_some();
                let within_ms = if trial { self.limits.upgrade_ready_ms } else { self.limits.start_ms };
                self.ready = false;
                self.phase = Phase::Starting { until: now + within_ms, heard: None };
                out.push(Action::Start { trial });
            }
            Phase::Starting { until, .. } if now >= until => self.abort(now, Why::Unready, out),
            Phase::Starting { heard: Some(at), .. } if now >= at + self.limits.hang_ms => {
                self.abort(now, Why::Hung { since: now }, out);
            }
            Phase::Serving { since } if now >= self.sign_at + self.limits.hang_ms => {
                self.abort(now, Why::Hung { since }, out);
            }
            Phase::Ending { kill_at, why } if now >= kill_at => {
                out.push(Action::Signal(Sent::Kill));
                self.phase = Phase::Ending { kill_at: u64::MAX, why };
            }
            Phase::Serving { .. } => self.look_at_trial(now, out),
            Phase::Away { .. } | Phase::Starting { .. } | Phase::Ending { .. } => {}
        }
        if !self.standing_in && now >= self.sign_at + STAND_IN_AFTER_MS {
            self.standing_in = true;
            out.push(Action::StandIn(true));
        }
    }

    fn abort(&mut self, now: u64, why: Why, out: &mut Vec<Action>) {
        out.push(Action::Signal(Sent::Abort));
        self.phase = Phase::Ending { kill_at: now + ABORT_MS, why };
    }

    fn look_at_trial(&mut self, now: u64, out: &mut Vec<Action>) {
        let ready = self.ready;
        let Some(trial) = &mut self.trial else { return };
        if trial.over_at.is_none_or(|at| now < at) {
            return;
        }
        if trial.was_ready && !ready {
            trial.failed = Some("it was not ready at the end of its probation, and the one before it was".to_owned());
            return self.terminate(now, out);
        }
        self.trial = None;
        out.push(Action::Upgrade(Outcome::Done));
    }
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
