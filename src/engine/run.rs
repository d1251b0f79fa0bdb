//! The task that owns a workspace: takes what waits, decides it, appends one record, and tells everybody.
//!
//! ```text
//!   load ──▶ serve: commands ─▶ decide ─▶ append ──committed──▶ deliver ─▶ (again)
//!     ▲                                      │ refused: scarce, or an outage
//!     │                                      │ unknown: settle
//!     └──── reload ◀── the journal takes a barrier again ◀──┘
//! ```
//!
//! Inputs of the loop, and what each does: the intake filled (a turn), a deadline came (a turn with a tick), the view
//! wrote a batch (the next one is handed over), a second passed (watchers and places are refreshed), the server stops (the
//! last turn is delivered, the view is fed, and the task ends).

use super::PROBES_KEPT_MS;
use super::clustered::Clustered;
use super::commit::{Fate, PROBE_MS, random_turn};
use super::counted::{self, Counter};
use super::deliver::{Delivery, FrameLimits, Others};
use super::deliver_replies::not_done;
use super::desk_clock::DeskClock;
use super::following::Following;
use super::idle::IdleWatch;
use super::intake::ReplyTo;
use super::levels::Levels;
use super::load::load;
use super::look_up::look_up;
use super::project::Projection;
use super::published::NotDone;
use super::traced::Traced;
use super::turn::{Asked, Decided, Keeper};
use super::workspace::{Taking, Workspace};
use crate::clock;
use crate::cluster::Roll;
use crate::desk::answer::Outcome;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::{AgentId, SessionId};
use crate::journal::Journal;
use crate::presence::{Registry, Session};
use crate::seal::KeyRing;
use crate::telemetry::labels::BoundedLabels;
use crate::telemetry::traces::{self, Open};
use crate::view::{CommittedTurn, View};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

/// Commands that wait for a turn at most: somewhat more than fit into its record, since each is looked at again in every
/// turn that it waits for.
const TURN_COMMANDS_MAX: usize = 256;
/// New conversations are taken up to this: about as many as fit into a record.
const TURN_STARTS_MAX: usize = 64;
/// While a deadline runs the clock is advanced at least this often, since it takes steps of at most a second.
const TICK_MS_MAX: u64 = 500;
/// Clients of a refused turn are told to wait this long.
pub(super) const RETRY_AFTER_MS: u64 = 1_000;

/// What every workspace's task shares.
pub struct Shared {
    pub journal: Arc<dyn Journal>,
    pub view: Arc<View>,
    pub keys: Arc<KeyRing>,
    pub registry: Arc<Registry>,
    pub limits: FrameLimits,
    pub tick_record_every_ms: u64,
    pub view_lag_bytes_max: usize,
    pub labels: BoundedLabels,
    /// Where this node is one of several.
    pub cluster: Option<Arc<Clustered>>,
    pub stop: watch::Receiver<bool>,
}

pub struct Run {
    pub(super) workspace: Arc<Workspace>,
    pub(super) shared: Arc<Shared>,
    pub(super) asked: VecDeque<Asked<ReplyTo>>,
    /// Since when the first of them waited.
    pub(super) asked_since_ms: u64,
    /// Sessions were connected before: only the first load of a process finds none.
    began: bool,
    /// What the keeper before told, and is in no record yet.
    told: Vec<Outcome>,
    /// The disk takes only what may use the room kept back.
    pub(super) scarce: Option<&'static str>,
    pub(super) levels: Levels,
    /// In a cluster, while another node leads.
    pub(super) following: Following,
}

/// Why serving came to an end.
pub(super) enum Ended {
    Stopped,
    /// What was decided is not what is committed: load again.
    Reload,
    /// In a cluster: this node leads from now on.
    Leads,
}

impl Run {
    #[must_use]
    pub fn new(workspace: Arc<Workspace>, shared: Arc<Shared>) -> Self {
        Self {
            workspace,
            shared,
            asked: VecDeque::new(),
            asked_since_ms: 0,
            began: false,
            told: Vec::new(),
            scarce: None,
            levels: Levels::since(clock::wall_ms()),
            following: Following::default(),
        }
    }

    /// The cluster, where it decides who leads this workspace.
    pub(super) fn clustered(&self) -> Option<Arc<Clustered>> {
        self.shared.cluster.clone().filter(|_| !self.workspace.is_probes())
    }

    /// Until the server stops.
    pub async fn run(mut self) {
        let mut stop = self.shared.stop.clone();
        let mut began_ms = clock::monotonic_ms();
        loop {
            let loaded = tokio::select! {
                loaded = load(self.workspace.name(), &self.shared.view, &self.shared.journal, &self.shared.keys) => loaded,
                () = stopped(&mut stop) => return,
            };
            match loaded {
                Ok((keeper, projection)) => match self.serve(keeper, projection).await {
                    Ended::Stopped => return,
                    Ended::Reload | Ended::Leads => began_ms = clock::monotonic_ms(),
                },
                Err(failed) => {
                    let again = self.cannot_load(&failed, began_ms);
                    tokio::select! {
                        // What cannot be loaded may be in a moment, and nobody tells when.
                        () = tokio::time::sleep(again) => {}
                        () = stopped(&mut stop) => return,
                    }
                }
            }
        }
    }

    /// What waits and can not be done is answered.
    pub(super) fn refuse_waiting(&mut self, why: &'static str) {
        self.workspace.intake.take(&mut self.asked, usize::MAX, usize::MAX);
        for Asked { command, reply_to, trace } in std::mem::take(&mut self.asked) {
            // Edges are facts: they are kept until they can be told.
            if matches!(command.ask, Ask::SessionWent { .. }) {
                self.asked.push_back(Asked { command, reply_to, trace });
            } else {
                self.workspace.experienced(command.ask.name(), &reply_to, None);
                not_done(reply_to, NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why: why.into() });
            }
        }
    }

    /// What other nodes asked of this one while it led by another claim.
    pub(super) fn drop_what_was_passed_on(&mut self) {
        self.asked.retain(|asked| !matches!(asked.reply_to, ReplyTo::Node(_)));
    }

    pub(super) fn take(&self, taking: Taking) {
        if self.workspace.taking() != taking {
            self.workspace.taking.store(Arc::new(taking));
            tracing::info!(workspace = %self.workspace.name(), state = taking.word(), "the workspace's state changed");
        }
    }

    async fn serve(&mut self, mut keeper: Keeper, projection: Projection) -> Ended {
        if self.workspace.is_probes() {
            // It asks nothing twice, and would have filled the place of a day's outcomes by next morning.
            keeper.remember_for(PROBES_KEPT_MS);
        }
        keeper.go_on_with(std::mem::take(&mut self.told));
        let clock = DeskClock::from_record(keeper.desk().now(), clock::monotonic_ms());
        let mut serving = Serving {
            recorded_at: clock.desk(),
            counter: Counter::of(keeper.desk()),
            keeper,
            projection,
            clock,
            refresh_at_ms: 0,
            idle: IdleWatch::default(),
            probe_at_ms: clock::monotonic_ms() + PROBE_MS,
            run: self,
        };
        serving.publish_everything();
        let ended = match serving.run.clustered() {
            Some(_) => serving.lead_or_follow().await,
            None => serving.serve_alone().await,
        };
        serving.run.workspace.leads_no_more();
        serving.run.workspace.taken().forget();
        serving.run.told = serving.keeper.take_told();
        ended
    }
}

/// A loaded workspace.
pub(super) struct Serving<'a> {
    pub(super) run: &'a mut Run,
    pub(super) keeper: Keeper,
    pub(super) projection: Projection,
    pub(super) counter: Counter,
    pub(super) clock: DeskClock,
    /// Desk time of the last record.
    pub(super) recorded_at: crate::desk::time::DeskTime,
    pub(super) refresh_at_ms: u64,
    pub(super) idle: IdleWatch,
    /// While the disk is scarce: when it is tried again.
    pub(super) probe_at_ms: u64,
}

impl Serving<'_> {
    async fn serve_alone(&mut self) -> Ended {
        if !self.run.began {
            self.run.began = true;
            let began = Asked::untraced(Command::of_server(Ask::ServerBegan), ReplyTo::Nobody);
            self.run.asked.push_front(began);
        }
        self.takes_commands();
        self.turns().await
    }

    pub(super) fn takes_commands(&mut self) {
        let taking = self.run.scarce.map_or(Taking::Everything, |why| Taking::LastResort { why });
        self.run.take(taking);
    }

    /// Following first: whoever leads has read to the end before it claims.
    async fn lead_or_follow(&mut self) -> Ended {
        match self.follow().await {
            Ended::Leads => {}
            ended => return ended,
        }
        self.run.workspace.leads_by(self.keeper.lead());
        self.run.asked.push_front(Asked::untraced(Command::of_server(Ask::LeaderBegan), ReplyTo::Nobody));
        self.counter = Counter::of(self.keeper.desk());
        self.takes_commands();
        self.turns().await
    }

    async fn turns(&mut self) -> Ended {
        let mut stop = self.run.shared.stop.clone();
        let clustered = self.run.clustered();
        let mut roll = clustered.as_ref().map(|clustered| clustered.roll.clone());
        loop {
            if self.run.asked.is_empty() {
                let wake = Duration::from_millis(self.idle_ms());
                tokio::select! {
                    biased;
                    () = self.run.workspace.tail.filled() => {}
                    () = changed(&mut roll) => {}
                    () = self.run.workspace.intake.filled() => {}
                    written = self.projection.written(clock::monotonic_ms) => {
                        if let Err(failed) = written {
                            tracing::error!(workspace = %self.run.workspace.name(), error = %failed, "the view was not written");
                        }
                    }
                    // Until the next deadline.
                    () = tokio::time::sleep(wake) => {}
                    () = stopped(&mut stop) => {
                        self.feed_the_view().await;
                        return Ended::Stopped;
                    }
                }
            }
            if let Some(clustered) = &clustered {
                self.show_hints();
                if self.was_replaced() {
                    // What it did without a record, its clock before all, is nobody else's: as a follower it begins with what is committed.
                    self.run.following.let_lead();
                    return Ended::Reload;
                }
                self.look_which_nodes_are_gone(clustered);
            }
            self.take_what_waits();
            if let Some(ended) = self.turn().await {
                return ended;
            }
            if let Some(ended) = self.probe().await {
                return ended;
            }
            self.look_after();
            self.let_the_view_catch_up().await;
        }
    }

    pub(super) fn take_what_waits(&mut self) {
        let all_new = self.run.asked.is_empty();
        // What was left over would stand behind them, and all that comes meanwhile behind both.
        let starts_max = if all_new { TURN_STARTS_MAX } else { 0 };
        let since = self.run.workspace.intake.take(&mut self.run.asked, TURN_COMMANDS_MAX, starts_max);
        if all_new {
            self.run.asked_since_ms = since.unwrap_or_else(clock::monotonic_ms);
        }
    }

    /// How long nothing needs to be done for readers and the view.
    pub(super) fn until_readers_ms(&self) -> u64 {
        let now_ms = clock::monotonic_ms();
        let due_ms = self.projection.due_at_ms().unwrap_or(u64::MAX).min(self.refresh_at_ms);
        due_ms.saturating_sub(now_ms).max(1)
    }

    /// How long nothing needs to be done unless somebody asks.
    fn idle_ms(&self) -> u64 {
        let mut wake_ms = self.until_readers_ms();
        if self.run.scarce.is_some() {
            wake_ms = wake_ms.min(PROBE_MS);
        }
        if let Some(deadline) = self.keeper.desk().next_deadline() {
            wake_ms = wake_ms.min(deadline.ms_since(self.clock.desk()).clamp(1, TICK_MS_MAX));
        }
        wake_ms
    }

    /// One turn, if there is anything to decide.
    async fn turn(&mut self) -> Option<Ended> {
        let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
        if self.keeper.desk().is_due(now) {
            let tick = Asked::untraced(Command::of_server(Ask::Tick), ReplyTo::Nobody);
            self.run.asked.push_front(tick);
        }
        if self.run.asked.is_empty() {
            return self.record_the_clock(now).await;
        }
        let shared = self.run.shared.clone();
        let loaded = match look_up(&self.keeper, &mut self.projection, &shared.view, &self.run.asked, now.wall).await {
            Ok(loaded) => loaded,
            Err(failed) => {
                tracing::error!(workspace = %self.run.workspace.name(), error = %failed, "the view could not be asked");
                self.run.refuse_waiting("its view cannot be read now");
                return None;
            }
        };
        self.keeper.allow(self.run.workspace.quota().allowed());
        let stopwatch = clock::stopwatch();
        let types: Vec<&'static str> = self.run.asked.iter().map(|asked| asked.command.ask.name()).collect();
        let traced = Traced::begin(&mut self.run.asked, self.run.workspace.name());
        // If another node leads by now, it decides them.
        let again: Vec<Command> = match self.run.clustered() {
            Some(_) => self.run.asked.iter().map(|asked| asked.command.clone()).collect(),
            None => Vec::new(),
        };
        let mut decided = self.keeper.decide(now, random_turn(), &mut self.run.asked, &loaded);
        metrics::histogram!("offhook_turn_seconds", "stage" => "decide").record(stopwatch.seconds());
        let traced = traced.and_then(|traced| traced.decided(&decided, &mut self.run.asked));
        if let Some(record) = decided.record.take() {
            let bytes = record.body.len();
            match self.append(record, traced.as_ref().map(|traced| traced.context())).await {
                Fate::Committed => {
                    let (workspace, position) = (self.run.workspace.name(), decided.position.0);
                    traced.iter().for_each(|traced| traces::remember_turn(workspace, position, traced.context()));
                }
                Fate::Refused(refused) => {
                    traced.into_iter().for_each(|traced| traced.fail());
                    self.count_commands(&types, &decided, |_| "not_committed");
                    return self.not_committed(decided, refused, again).await;
                }
                Fate::Stopped => return Some(Ended::Stopped),
            }
            self.committed(&decided, bytes);
        }
        self.count_commands(&types, &decided, |done| if done { "done" } else { "refused" });
        let stopwatch = clock::stopwatch();
        let delivering = traced.as_ref().map(|traced| Open::child(traced.context(), "deliver".into()));
        self.deliver(decided);
        delivering.into_iter().for_each(Open::end);
        traced.into_iter().for_each(|traced| traced.end());
        metrics::histogram!("offhook_turn_seconds", "stage" => "deliver").record(stopwatch.seconds());
        None
    }

    /// While a deadline runs, desk time is written down from time to time, so that a restart goes on from there.
    async fn record_the_clock(&mut self, now: crate::desk::time::Now) -> Option<Ended> {
        let every_ms = self.run.shared.tick_record_every_ms;
        if !self.keeper.desk().has_deadlines() || now.desk.ms_since(self.recorded_at) < every_ms {
            return None;
        }
        let record = self.keeper.barrier(now, random_turn());
        let bytes = record.body.len();
        match self.append(record, None).await {
            Fate::Committed => {
                self.empty_committed(now, bytes);
                None
            }
            Fate::Refused(refused) => self.outage(refused).await,
            Fate::Stopped => Some(Ended::Stopped),
        }
    }

    pub(super) fn committed(&mut self, decided: &Decided<ReplyTo>, bytes: usize) {
        self.keeper.committed(decided.position);
        self.recorded_at = decided.now.desk;
        let turn = CommittedTurn {
            position: decided.position.0,
            now: decided.now,
            events: decided.events.clone(),
            outcomes: decided.outcomes.clone(),
        };
        let touched = decided.touched.clone();
        self.publish(&touched);
        self.projection.add(turn, touched, bytes);
        self.run.workspace.position.store(decided.position.0, Ordering::Release);
        if !self.run.workspace.is_probes() {
            // Of several nodes the one that leads counts it.
            if self.leads() {
                self.counter.count(&decided.events, self.keeper.desk());
                let (workspace, labels) = (self.run.workspace.name(), &self.run.shared.labels);
                counted::count_clocks(&decided.events, self.keeper.desk(), workspace, labels);
            }
            self.run.levels.count(&decided.events, decided.now.wall.0);
        }
        self.run.workspace.followers.look_at(&decided.events);
        self.run.workspace.committed.reach(decided.position);
    }

    fn leads(&self) -> bool {
        self.run.clustered().is_none() || self.run.workspace.leads.load().is_some()
    }

    pub(super) fn deliver(&mut self, decided: Decided<ReplyTo>) {
        let gone = self.delivery().deliver(decided);
        self.sessions_are_gone(gone);
    }

    pub(super) fn sessions_are_gone(&mut self, gone: Vec<Arc<Session>>) {
        for session in gone {
            let Some(agent) = session.agent() else { continue };
            self.run.asked.push_back(session_went(agent, session.id));
        }
    }

    pub(super) fn delivery(&self) -> Delivery<'_> {
        Delivery {
            desk: self.keeper.desk(),
            position: self.keeper.position(),
            number: self.run.workspace.number(),
            name: self.run.workspace.name(),
            keys: &self.run.shared.keys,
            registry: &self.run.shared.registry,
            limits: self.run.shared.limits,
            others: match self.run.shared.cluster.as_deref().filter(|_| !self.run.workspace.is_probes()) {
                None => Others::None,
                Some(clustered) if self.run.workspace.leads.load().is_some() => Others::Told(clustered),
                Some(_) => Others::Tell,
            },
        }
    }

    /// Before the end: what is committed and not yet in the view saves the next start the replay.
    pub(super) async fn feed_the_view(&mut self) {
        for _ in 0..2 {
            self.projection.hand_over(&self.keeper, clock::monotonic_ms());
            if self.projection.is_writing() && self.projection.written(clock::monotonic_ms).await.is_err() {
                return;
            }
        }
    }
}

/// Until a node came or is gone; for ever on one machine.
pub(super) async fn changed(roll: &mut Option<watch::Receiver<Arc<Roll>>>) {
    if let Some(roll) = roll
        && roll.changed().await.is_ok()
    {
        return;
    }
    // One machine; or the server stops.
    std::future::pending().await
}

/// Until the server stops.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender gone means the same. The guard that this gives must not be held across an await.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn session_went(agent: AgentId, session: SessionId) -> Asked<ReplyTo> {
    let command = Command::of_server(Ask::SessionWent { agent, session });
    Asked::untraced(command, ReplyTo::Nobody)
}
