//! The loop of the supervisor: one thread, which tells the keeper what happens and does what it says.
//!
//! | what comes | what it becomes |
//! | --- | --- |
//! | the child is gone and reaped | `Ended` |
//! | a datagram of the child | `Ready`, `Beat`, `Status`, `Stopping`; of anybody else: nothing |
//! | SIGTERM, SIGINT | `StopWanted` |
//! | SIGHUP | passed on to the child |
//! | an upgrade that passed its preflight | `UpgradeWanted` |
//! | half a second, or what is due | `Tick` |

use super::beat::READY;
use super::child::{self, Binary, HandedOn};
use super::control::{self, Line, Wanted};
use super::facts::{Board, Facts, Restart, Upgrade};
use super::inherited::{FACTS, OPERATORS, PUBLIC};
use super::keeper::{Action, Cause, Event, Exit, Keeper, Limits, Outcome};
use super::notice::{Notice, Notices, tell};
use super::stand_in::{Known, StandIn, TlsFiles};
use super::{notice, oom};
use crate::clock;
use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// It looks at least so often, so that its own clock takes no leaps.
const LOOK_MS: u64 = 500;
/// Longer than this it was itself stopped (a paused machine, a frozen container): that is nobody's silence but its own.
const STEP_MS_MAX: u64 = 1_000;
const STATUS_FILE: &str = "status.json";

pub struct Setup {
    pub data_dir: PathBuf,
    /// What each command of ours is given: `--config` and `--set` as they came.
    pub arguments: Vec<OsString>,
    pub limits: Limits,
    pub public: TcpListener,
    pub operators: TcpListener,
    pub tls: Option<TlsFiles>,
}

/// Time as the supervisor has lived through it, in milliseconds.
struct Lived {
    looked_at: u64,
    now: u64,
}

impl Lived {
    fn advance(&mut self) -> u64 {
        let real = clock::monotonic_ms();
        self.now += real.saturating_sub(self.looked_at).min(STEP_MS_MAX);
        self.looked_at = real;
        self.now
    }
}

struct Supervisor {
    setup_arguments: Vec<OsString>,
    data_dir: PathBuf,
    hang_ms: u64,
    current: Binary,
    candidate: Option<Binary>,
    watching: Option<mpsc::Sender<Line>>,
    child: Option<Child>,
    handed_on: HandedOn,
    notices: Notices,
    stand_in: StandIn,
    known: Arc<Known>,
    board: Board,
    shown: Facts,
    upgrades: mpsc::Sender<Wanted>,
    door_is_open: bool,
    /// What came of doing, to be told to the keeper before all else.
    came: Vec<Event>,
}

/// Runs until it is told to stop. Call it on the main thread, in a runtime of one thread; gives the process's exit code.
///
/// # Errors
/// What this process itself needs and does not get.
pub async fn run(setup: Setup) -> io::Result<i32> {
    oom::spare_self();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (upgrades, mut wanted) = mpsc::channel(1);
    let mut keeper = Keeper::new(setup.limits.clone(), 0);
    let mut lived = Lived { looked_at: clock::monotonic_ms(), now: 0 };
    let mut supervisor = Supervisor::new(setup, upgrades)?;
    let mut upward = Upward::new();
    let mut actions = Vec::new();
    loop {
        let due_ms = keeper.next_due().map_or(LOOK_MS, |due| due.saturating_sub(lived.now)).min(LOOK_MS);
        let mut incoming = None;
        let events = if supervisor.came.is_empty() {
            tokio::select! {
                exit = ended(&mut supervisor.child) => vec![Event::Ended(exit)],
                notice = supervisor.notices.next() => supervisor.events_of(&notice?),
                _ = terminate.recv() => vec![Event::StopWanted],
                _ = interrupt.recv() => vec![Event::StopWanted],
                _ = hang_up.recv() => {
                    supervisor.child.iter().for_each(child::hang_up);
                    vec![Event::Tick]
                }
                Some(upgrade) = wanted.recv() => {
                    incoming = Some(upgrade);
                    vec![Event::UpgradeWanted]
                }
                () = tokio::time::sleep(Duration::from_millis(due_ms)) => vec![Event::Tick],
            }
        } else {
            std::mem::take(&mut supervisor.came)
        };
        let now = lived.advance();
        for event in events {
            upward.look_at(&event);
            supervisor.look_at(&event);
            keeper.handle(now, event, &mut actions);
        }
        if let Some(upgrade) = incoming {
            supervisor.take_up(upgrade, &mut actions);
        }
        for action in actions.drain(..) {
            if let Action::Exit(code) = action {
                supervisor.leave(keeper.state());
                return Ok(code);
            }
            supervisor.perform(action);
        }
        supervisor.show(keeper.state());
        upward.beat();
    }
}

/// Never, while there is no child.
async fn ended(child: &mut Option<Child>) -> Exit {
    let Some(running) = child else { return std::future::pending().await };
    let exit = running.wait().await.map_or(Exit::NotStarted, exit_of);
    *child = None;
    exit
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

impl Supervisor {
    fn new(setup: Setup, upgrades: mpsc::Sender<Wanted>) -> io::Result<Self> {
        let current = Binary::own()?;
        let mut facts = Facts::new(std::process::id(), clock::wall_ms());
        facts.binary = current.path.display().to_string();
        facts.version.clone_from(&current.version);
        let status_file = setup.data_dir.join(STATUS_FILE);
        let known = Arc::new(Known { facts: Mutex::new(facts.clone()), status_file });
        let board = Board::make()?;
        board.write(&facts)?;
        let given = [(setup.public.as_fd(), PUBLIC), (setup.operators.as_fd(), OPERATORS), (board.as_fd(), FACTS)];
        let handed_on = HandedOn::new(&given)?;
        let stand_in = StandIn::new(setup.public, setup.operators, setup.tls, &setup.data_dir, known.clone());
        Ok(Self {
            setup_arguments: setup.arguments,
            data_dir: setup.data_dir,
            hang_ms: setup.limits.hang_ms,
            current,
            candidate: None,
            watching: None,
            child: None,
            handed_on,
            notices: Notices::open()?,
            stand_in,
            known,
            board,
            shown: facts,
            upgrades,
            door_is_open: false,
            came: Vec::new(),
        })
    }

    fn events_of(&self, notice: &Notice) -> Vec<Event> {
        if self.child.as_ref().and_then(Child::id) != Some(notice.pid) {
            tracing::debug!(pid = notice.pid, "a word of somebody who is not the server was passed over");
            return Vec::new();
        }
        let event = |(name, value): (&str, &str)| match (name, value) {
            ("READY", "1") => Some(Event::Ready),
            ("WATCHDOG", "1") => Some(Event::Beat),
            ("STOPPING", "1") => Some(Event::Stopping),
            ("STATUS", words) => Some(Event::Status { ready: words == READY }),
            _ => None,
        };
        notice.lines().filter_map(event).collect()
    }

    fn look_at(&mut self, event: &Event) {
        if *event == Event::Ready && !self.door_is_open {
            self.door_is_open = true;
            let opened =
                control::open(&self.data_dir, self.setup_arguments.clone(), self.known.clone(), self.upgrades.clone());
            if let Err(error) = opened {
                tracing::warn!(%error, "`offhook upgrade` cannot reach this supervisor");
            }
        }
    }

    /// The keeper has decided whether it may be tried.
    fn take_up(&mut self, wanted: Wanted, actions: &mut Vec<Action>) {
        let refused = actions.iter().position(|action| matches!(action, Action::Upgrade(Outcome::Refused { .. })));
        if let Some(place) = refused {
            // It is the newcomer's, not whoever's upgrade is under way.
            if let Action::Upgrade(outcome) = actions.remove(place) {
                self.known.facts().upgrades.entry("refused".to_owned()).and_modify(|count| *count += 1);
                let _ = wanted.lines.try_send(line_of(&outcome));
            }
            return;
        }
        let mut facts = self.known.facts();
        facts.upgrade = Some(Upgrade {
            to: wanted.binary.path.display().to_string(),
            to_version: wanted.binary.version.clone(),
            from: self.current.path.display().to_string(),
            from_version: self.current.version.clone(),
            state: "trying".to_owned(),
            why: None,
            at: clock::wall_ms(),
        });
        drop(facts);
        self.candidate = Some(wanted.binary);
        self.watching = Some(wanted.lines);
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Start { trial } => self.start(trial),
            Action::Signal(sent) => {
                tracing::info!(signal = ?sent, "the server is told to end");
                self.child.iter().for_each(|child| child::signal(child, sent));
            }
            Action::StandIn(true) => {
                tracing::warn!("no sign of life: the supervisor answers");
                if let Err(error) = self.stand_in.begin() {
                    tracing::error!(%error, "the supervisor cannot answer");
                }
            }
            Action::StandIn(false) => {
                tracing::info!("the server answers again");
                self.stand_in.end();
            }
            Action::Restarted { cause, why } => self.restarted(cause, why),
            Action::Progress(text) => {
                tracing::info!(progress = text, "upgrade");
                self.tell_watching(Line::Progress(text));
            }
            Action::Upgrade(outcome) => self.upgraded(&outcome),
            Action::Exit(_) => {}
        }
    }

    fn start(&mut self, trial: bool) {
        let binary = if trial { self.candidate.as_ref().unwrap_or(&self.current) } else { &self.current };
        let mut arguments = self.setup_arguments.clone();
        arguments.extend(["serve".into(), "--no-supervisor".into()]);
        let environment =
            [(notice::SOCKET, self.notices.address()), ("WATCHDOG_USEC", (self.hang_ms * 1_000).to_string())];
        match child::start(binary, &arguments, &environment, &self.handed_on) {
            Ok(child) => {
                tracing::info!(pid = child.id(), binary = %binary.path.display(), "the server starts");
                self.child = Some(child);
            }
            Err(error) => {
                tracing::error!(%error, binary = %binary.path.display(), "the server cannot be started");
                self.came.push(Event::Ended(Exit::NotStarted));
            }
        }
        let mut facts = self.known.facts();
        facts.binary = binary.path.display().to_string();
        facts.version.clone_from(&binary.version);
    }

    fn restarted(&mut self, cause: Cause, why: String) {
        let cause = cause.word().to_owned();
        tracing::warn!(cause, why, "the server is started again");
        let mut facts = self.known.facts();
        *facts.restarts.entry(cause.clone()).or_default() += 1;
        facts.last_restart = Some(Restart { cause, why, at: clock::wall_ms() });
    }

    fn upgraded(&mut self, outcome: &Outcome) {
        let candidate = self.candidate.take();
        if let (Outcome::Done, Some(candidate)) = (outcome, candidate) {
            self.current = candidate;
        }
        let line = line_of(outcome);
        if let Line::Outcome { outcome, why } = &line {
            match outcome.as_str() {
                "done" => tracing::info!("the upgrade is done"),
                _ => tracing::error!(outcome, why, "the upgrade did not succeed"),
            }
            let mut facts = self.known.facts();
            *facts.upgrades.entry(outcome.clone()).or_default() += 1;
            if let Some(upgrade) = &mut facts.upgrade {
                outcome.clone_into(&mut upgrade.state);
                upgrade.why.clone_from(why);
                upgrade.at = clock::wall_ms();
            }
        }
        self.tell_watching(line);
        self.watching = None;
    }

    fn tell_watching(&self, line: Line) {
        if let Some(watching) = &self.watching {
            let _ = watching.try_send(line);
        }
    }

    /// What the server shows is what is known, from here on.
    fn show(&mut self, state: &str) {
        let mut facts = self.known.facts();
        state.clone_into(&mut facts.server);
        if *facts == self.shown {
            return;
        }
        self.shown = facts.clone();
        drop(facts);
        if let Err(error) = self.board.write(&self.shown) {
            tracing::warn!(%error, "the server cannot be shown what its supervisor knows");
        }
    }

    fn leave(&mut self, state: &str) {
        self.show(state);
        self.stand_in.end();
        if self.door_is_open {
            control::close(&self.data_dir);
        }
    }
}

fn line_of(outcome: &Outcome) -> Line {
    let (outcome, why) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::RolledBack { why } => ("rolled_back", Some(why.clone())),
        Outcome::Refused { why } => ("refused", Some((*why).to_owned())),
        Outcome::Interrupted => ("interrupted", Some("the supervisor was told to stop".to_owned())),
    };
    Line::Outcome { outcome: outcome.to_owned(), why }
}

/// Whoever runs the supervisor is told that the service is ready when a server first is, and that the supervisor lives. That a server does
/// not live is not passed on: to be ended for it would take away the one who starts it again.
struct Upward {
    told_ready: bool,
    every_ms: Option<u64>,
    beaten_at: u64,
}

impl Upward {
    fn new() -> Self {
        let every_ms = sd_notify::watchdog_enabled().map(|usual| (usual.as_millis() as u64 / 3).max(1));
        Self { told_ready: false, every_ms, beaten_at: 0 }
    }

    fn look_at(&mut self, event: &Event) {
        match event {
            Event::Ready if !std::mem::replace(&mut self.told_ready, true) => tell("READY=1"),
            Event::StopWanted => tell("STOPPING=1"),
            _ => {}
        }
    }

    fn beat(&mut self) {
        let now = clock::monotonic_ms();
        if self.every_ms.is_some_and(|every| now >= self.beaten_at + every) {
            self.beaten_at = now;
            tell("WATCHDOG=1");
        }
    }
}
