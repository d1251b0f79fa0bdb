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

use super::counted::{Amounts, Counter};
use super::deliver::{Delivery, FrameLimits, not_done};
use super::desk_clock::DeskClock;
use super::intake::ReplyTo;
use super::load::{LoadFailed, load};
use super::look_up::look_up;
use super::project::Projection;
use super::published::{NotDone, Published, queue_rows};
use super::settle::{Next, Settling};
use super::turn::{Asked, Decided, Keeper};
use super::workspace::{Taking, Workspace};
use crate::clock;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::{AgentId, SessionId};
use crate::journal::{Appended, Journal, NewRecord, Position, RefusedAppend, TurnId};
use crate::presence::Registry;
use crate::seal::KeyRing;
use crate::telemetry::catalogue;
use crate::view::{CommittedTurn, View};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Commands that wait for a turn at most: somewhat more than fit into its record, since each is looked at again in every
/// turn that it waits for.
const TURN_COMMANDS_MAX: usize = 256;
/// New conversations are taken up to this: about as many as fit into a record.
const TURN_STARTS_MAX: usize = 64;
/// While a deadline runs the clock is advanced at least this often, since it takes steps of at most a second.
const TICK_MS_MAX: u64 = 500;
const REFRESH_MS: u64 = 1_000;
/// How often an outage is probed for its end.
const PROBE_MS: u64 = 250;
/// Clients of a refused turn are told to wait this long.
const RETRY_AFTER_MS: u64 = 1_000;

/// What every workspace's task shares.
pub struct Shared {
    pub journal: Arc<dyn Journal>,
    pub view: Arc<View>,
    pub keys: Arc<KeyRing>,
    pub registry: Arc<Registry>,
    pub limits: FrameLimits,
    pub tick_record_every_ms: u64,
    pub view_lag_bytes_max: usize,
    pub stop: watch::Receiver<bool>,
}

pub struct Run {
    workspace: Arc<Workspace>,
    shared: Arc<Shared>,
    asked: VecDeque<Asked<ReplyTo>>,
    /// Sessions were connected before: only the first load of a process finds none.
    began: bool,
    /// The disk takes only what may use the room kept back.
    scarce: Option<&'static str>,
}

/// Why serving came to an end.
enum Ended {
    Stopped,
    /// What was decided is not what is committed: load again.
    Reload,
}

/// What became of an append.
enum Fate {
    Committed,
    /// Nothing happened.
    Refused(RefusedAppend),
    Stopped,
}

impl Run {
    #[must_use]
    pub fn new(workspace: Arc<Workspace>, shared: Arc<Shared>) -> Self {
        Self { workspace, shared, asked: VecDeque::new(), began: false, scarce: None }
    }

    /// Until the server stops.
    pub async fn run(mut self) {
        let mut stop = self.shared.stop.clone();
        loop {
            let loaded = tokio::select! {
                loaded = load(self.workspace.name(), &self.shared.view, &self.shared.journal) => loaded,
                () = stopped(&mut stop) => return,
            };
            match loaded {
                Ok((keeper, projection)) => match self.serve(keeper, projection).await {
                    Ended::Stopped => return,
                    Ended::Reload => {}
                },
                Err(failed) => {
                    self.cannot_load(&failed);
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_secs(1)) => {}
                        () = stopped(&mut stop) => return,
                    }
                }
            }
        }
    }

    fn cannot_load(&mut self, failed: &LoadFailed) {
        tracing::error!(workspace = %self.workspace.name(), error = %failed, "the workspace cannot be loaded");
        let why = if failed.may_pass() { "its store cannot be read now" } else { "its journal is damaged" };
        self.take(Taking::Nothing { why });
        self.refuse_waiting(why);
    }

    /// What waits and can not be done is answered.
    fn refuse_waiting(&mut self, why: &'static str) {
        self.workspace.intake.take(&mut self.asked, usize::MAX, usize::MAX);
        for Asked { command, reply_to } in std::mem::take(&mut self.asked) {
            // Edges are facts: they are kept until they can be told.
            if matches!(command.ask, Ask::SessionWent { .. }) {
                self.asked.push_back(Asked { command, reply_to });
            } else {
                not_done(reply_to, NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why });
            }
        }
    }

    fn take(&self, taking: Taking) {
        if self.workspace.taking() != taking {
            self.workspace.taking.store(Arc::new(taking));
            tracing::info!(workspace = %self.workspace.name(), state = taking.word(), "the workspace's state changed");
        }
    }

    async fn serve(&mut self, keeper: Keeper, projection: Projection) -> Ended {
        let clock = DeskClock::from_record(keeper.desk().now(), clock::monotonic_ms());
        let mut serving = Serving {
            recorded_at: clock.desk(),
            counter: Counter::of(keeper.desk()),
            keeper,
            projection,
            clock,
            refresh_at_ms: 0,
            probe_at_ms: clock::monotonic_ms() + PROBE_MS,
            run: self,
        };
        serving.publish_everything();
        if !serving.run.began {
            serving.run.began = true;
            let began = Asked { command: Command::of_server(Ask::ServerBegan), reply_to: ReplyTo::Nobody };
            serving.run.asked.push_front(began);
        }
        let taking = serving.run.scarce.map_or(Taking::Everything, |why| Taking::LastResort { why });
        serving.run.take(taking);
        serving.turns().await
    }
}

/// A loaded workspace.
struct Serving<'a> {
    run: &'a mut Run,
    keeper: Keeper,
    projection: Projection,
    counter: Counter,
    clock: DeskClock,
    /// Desk time of the last record.
    recorded_at: crate::desk::time::DeskTime,
    refresh_at_ms: u64,
    /// While the disk is scarce: when it is tried again.
    probe_at_ms: u64,
}

impl Serving<'_> {
    async fn turns(&mut self) -> Ended {
        let mut stop = self.run.shared.stop.clone();
        loop {
            if self.run.asked.is_empty() {
                let wake = Duration::from_millis(self.idle_ms());
                tokio::select! {
                    biased;
                    () = self.run.workspace.intake.filled() => {}
                    written = self.projection.written(clock::monotonic_ms) => {
                        if let Err(failed) = written {
                            tracing::error!(workspace = %self.run.workspace.name(), error = %failed, "the view was not written");
                        }
                    }
                    () = tokio::time::sleep(wake) => {}
                    () = stopped(&mut stop) => {
                        self.feed_the_view().await;
                        return Ended::Stopped;
                    }
                }
            }
            self.run.workspace.intake.take(&mut self.run.asked, TURN_COMMANDS_MAX, TURN_STARTS_MAX);
            if let Some(ended) = self.turn().await {
                return ended;
            }
            if let Some(ended) = self.probe().await {
                return ended;
            }
            self.look_after();
        }
    }

    /// How long nothing needs to be done unless somebody asks.
    fn idle_ms(&self) -> u64 {
        let now_ms = clock::monotonic_ms();
        let mut wake_ms = self.refresh_at_ms.saturating_sub(now_ms).max(1);
        if let Some(due_ms) = self.projection.due_at_ms() {
            wake_ms = wake_ms.min(due_ms.saturating_sub(now_ms).max(1));
        }
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
        let due = self.keeper.desk().next_deadline().is_some_and(|at| at <= now.desk);
        if due {
            let tick = Asked { command: Command::of_server(Ask::Tick), reply_to: ReplyTo::Nobody };
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
        let stopwatch = clock::stopwatch();
        let types: Vec<&'static str> = self.run.asked.iter().map(|asked| asked.command.ask.name()).collect();
        let mut decided = self.keeper.decide(now, random_turn(), &mut self.run.asked, &loaded);
        metrics::histogram!("offhook_turn_seconds", "stage" => "decide").record(stopwatch.seconds());
        if let Some(record) = decided.record.take() {
            let bytes = record.body.len();
            match self.append(record).await {
                Fate::Committed => {}
                Fate::Refused(refused) => {
                    count_commands(&types, decided.replies.iter().map(|_| "not_committed"));
                    return self.not_committed(decided, refused).await;
                }
                Fate::Stopped => return Some(Ended::Stopped),
            }
            self.committed(&decided, bytes);
        }
        count_commands(
            &types,
            decided.replies.iter().map(|(_, result)| if result.is_ok() { "done" } else { "refused" }),
        );
        let stopwatch = clock::stopwatch();
        self.deliver(decided);
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
        match self.append(record).await {
            Fate::Committed => {
                self.keeper.committed(self.keeper.position().next());
                let turn =
                    CommittedTurn { position: self.keeper.position().0, now, events: Vec::new(), outcomes: Vec::new() };
                self.projection.add(turn, Default::default(), bytes);
                self.run.workspace.position.store(self.keeper.position().0, Ordering::Release);
                self.recorded_at = now.desk;
                None
            }
            Fate::Refused(refused) => self.outage(refused).await,
            Fate::Stopped => Some(Ended::Stopped),
        }
    }

    /// Append a record and find out what became of it, however long that takes.
    async fn append(&mut self, record: NewRecord) -> Fate {
        let stopwatch = clock::stopwatch();
        let settling = Settling::of(record.turn, record.expected);
        let journal = self.run.shared.journal.clone();
        let workspace = self.run.workspace.name().clone();
        let appended = journal.append(&workspace, record).await;
        metrics::histogram!("offhook_turn_seconds", "stage" => "commit").record(stopwatch.seconds());
        let word = match &appended {
            Appended::Committed(_) => "committed",
            Appended::Refused(_) => "refused",
            Appended::Unknown(_) => "unknown",
        };
        metrics::counter!("offhook_turns_total", "outcome" => word).increment(1);
        match appended {
            Appended::Committed(_) => Fate::Committed,
            Appended::Refused(refused) => Fate::Refused(refused),
            Appended::Unknown(why) => {
                tracing::warn!(workspace = %workspace, %why, "an append has an unknown outcome: settling it");
                self.settle(settling).await
            }
        }
    }

    /// Nobody is answered until it is known whether the turn is in the journal.
    async fn settle(&mut self, settling: Settling) -> Fate {
        self.clock.stand();
        let journal = self.run.shared.journal.clone();
        let workspace = self.run.workspace.name().clone();
        let mut stop = self.run.shared.stop.clone();
        let mut next = Next::ReadTail;
        let fate = loop {
            next = match next {
                Next::ReadTail => {
                    journal.tail(&workspace).await.map_or(Next::Wait, |tail| settling.tail_was(tail.as_ref()))
                }
                Next::ReadAt(position) => {
                    let read = journal.read(&workspace, Position(position.0 - 1), 1, 1).await;
                    read.map_or(Next::Wait, |records| settling.tail_was(records.first()))
                }
                Next::AppendBarrier { expected } => {
                    let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
                    debug_assert_eq!(expected, self.keeper.position());
                    let barrier = self.keeper.barrier(now, random_turn());
                    settling.barrier_was(&journal.append(&workspace, barrier).await)
                }
                Next::Happened => break Fate::Committed,
                Next::DidNotHappen => break Fate::Refused(RefusedAppend::DiskFault),
                Next::Wait => {
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(PROBE_MS)) => Next::ReadTail,
                        () = stopped(&mut stop) => break Fate::Stopped,
                    }
                }
            }
        };
        self.clock.go_on(clock::monotonic_ms());
        fate
    }

    /// The turn did not happen. Everybody in it is told so, and the state is loaded again.
    async fn not_committed(&mut self, decided: Decided<ReplyTo>, refused: RefusedAppend) -> Option<Ended> {
        let why = sentence(refused);
        for (reply_to, _) in decided.replies {
            not_done(reply_to, NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why });
        }
        self.outage(refused).await
    }

    /// Nothing can be committed now. Desk time stands; what waits is refused; it ends when a barrier is taken again.
    async fn outage(&mut self, refused: RefusedAppend) -> Option<Ended> {
        let why = sentence(refused);
        tracing::error!(workspace = %self.run.workspace.name(), error = %refused, "nothing can be committed");
        if matches!(refused, RefusedAppend::Fenced { .. }) {
            self.run.refuse_waiting(why);
            return Some(Ended::Reload);
        }
        let full = matches!(refused, RefusedAppend::Full | RefusedAppend::KeptBack);
        if full && self.run.scarce.is_none() {
            // Accepts and closes may still be taken: they have room kept back for them.
            self.run.scarce = Some(why);
            self.run.take(Taking::LastResort { why });
            self.run.refuse_waiting(why);
            return Some(Ended::Reload);
        }
        self.clock.stand();
        self.run.take(Taking::Nothing { why });
        let mut stop = self.run.shared.stop.clone();
        loop {
            self.run.refuse_waiting(why);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(PROBE_MS)) => {}
                () = stopped(&mut stop) => return Some(Ended::Stopped),
            }
            // The state that was decided is void; a barrier needs only the position that is committed.
            let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
            let probe = self.keeper.barrier(now, random_turn());
            match self.run.shared.journal.append(self.run.workspace.name(), probe).await {
                Appended::Committed(_) | Appended::Refused(RefusedAppend::Fenced { .. }) | Appended::Unknown(_) => {
                    self.run.scarce = None;
                    return Some(Ended::Reload);
                }
                Appended::Refused(_) => {}
            }
        }
    }

    /// While the disk is scarce: whether it takes ordinary records again.
    async fn probe(&mut self) -> Option<Ended> {
        if self.run.scarce.is_none() || clock::monotonic_ms() < self.probe_at_ms {
            return None;
        }
        self.probe_at_ms = clock::monotonic_ms() + PROBE_MS;
        let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
        let probe = self.keeper.barrier(now, random_turn());
        match self.run.shared.journal.append(self.run.workspace.name(), probe).await {
            Appended::Refused(RefusedAppend::Full | RefusedAppend::KeptBack | RefusedAppend::Busy) => None,
            Appended::Committed(_) | Appended::Refused(_) | Appended::Unknown(_) => {
                self.run.scarce = None;
                Some(Ended::Reload)
            }
        }
    }

    fn committed(&mut self, decided: &Decided<ReplyTo>, bytes: usize) {
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
        self.counter.count(&decided.events, self.keeper.desk());
    }

    fn deliver(&mut self, decided: Decided<ReplyTo>) {
        let gone = self.delivery().deliver(decided);
        for session in gone {
            let Some(agent) = session.agent() else { continue };
            self.run.asked.push_back(session_went(agent, session.id));
        }
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery {
            desk: self.keeper.desk(),
            position: self.keeper.position(),
            number: self.run.workspace.number(),
            name: self.run.workspace.name(),
            keys: &self.run.shared.keys,
            registry: &self.run.shared.registry,
            limits: self.run.shared.limits,
        }
    }

    fn publish_everything(&mut self) {
        let desk = self.keeper.desk();
        let workspace = &self.run.workspace;
        workspace.published.store(Arc::new(Published::of(desk)));
        let mut roll = workspace.roll.write().unwrap_or_else(PoisonError::into_inner);
        for (id, agent) in desk.agents() {
            roll.put(id, agent, desk, desk.now().wall, self.keeper.position());
        }
        drop(roll);
        workspace.open.clear();
        for (id, conversation) in desk.conversations() {
            workspace.open.insert(id, Arc::new(conversation.clone()));
        }
        workspace.last_conversation.store(desk.last_conversation().0, Ordering::Release);
        workspace.position.store(self.keeper.position().0, Ordering::Release);
        workspace.queue_rows.store(Arc::new(queue_rows(desk, clock::wall_ms())));
    }

    /// Readers outside are given what was committed.
    fn publish(&self, touched: &crate::desk::touched::Touched) {
        let desk = self.keeper.desk();
        let workspace = &self.run.workspace;
        let set = touched.settings
            || !touched.queues.is_empty()
            || !touched.api_keys.is_empty()
            || !touched.signed_out.is_empty();
        if set {
            workspace.published.store(Arc::new(Published::of(desk)));
        }
        for id in touched.conversations.keys() {
            match desk.conversation(*id) {
                Some(conversation) => drop(workspace.open.insert(*id, Arc::new(conversation.clone()))),
                None => drop(workspace.open.remove(id)),
            }
        }
        workspace.last_conversation.store(desk.last_conversation().0, Ordering::Release);
        if touched.agents.is_empty() {
            return;
        }
        let mut roll = workspace.roll.write().unwrap_or_else(PoisonError::into_inner);
        for id in &touched.agents {
            if let Some(agent) = desk.agent(*id) {
                roll.put(*id, agent, desk, desk.now().wall, self.keeper.position());
            }
        }
    }

    /// What is not a turn: snapshots that are wanted, watchers, places, and the view's next batch.
    fn look_after(&mut self) {
        for session in self.run.workspace.intake.take_snapshots() {
            self.delivery().snapshot(&session);
        }
        let now_ms = clock::monotonic_ms();
        if now_ms >= self.refresh_at_ms {
            self.refresh_at_ms = now_ms + REFRESH_MS;
            self.refresh();
        }
        if self.projection.due_at_ms().is_some_and(|due_ms| now_ms >= due_ms) {
            self.projection.hand_over(&self.keeper, now_ms);
        }
        self.hold_back_for_the_view();
    }

    /// The view may lag, by a bounded amount: then new work is refused until it has caught up.
    fn hold_back_for_the_view(&self) {
        let lag = self.projection.lag_bytes();
        let why = "the view is far behind";
        if lag > self.run.shared.view_lag_bytes_max {
            self.run.take(Taking::LastResort { why });
        } else if self.run.workspace.taking() == (Taking::LastResort { why }) {
            self.run.take(Taking::Everything);
        }
    }

    fn refresh(&mut self) {
        let workspace = &self.run.workspace;
        let desk = self.keeper.desk();
        let rows = Arc::new(queue_rows(desk, clock::wall_ms()));
        workspace.queue_rows.store(rows.clone());
        if !workspace.watchers.is_empty() {
            let roll = workspace.roll.read().unwrap_or_else(PoisonError::into_inner);
            workspace.watchers.refresh(&roll, &rows, self.keeper.position());
        }
        workspace.amounts.store(Arc::new(Amounts::of(desk, self.projection.lag_records())));
        self.refresh_places();
    }

    /// Customers who look are told when their place in the queue changed.
    fn refresh_places(&mut self) {
        let workspace = &self.run.workspace;
        let desk = self.keeper.desk();
        let registry = &self.run.shared.registry;
        let mut places = BTreeMap::new();
        for (queue, _) in desk.queues().filter(|(_, queue)| queue.waiting > 0) {
            for (place, id) in desk.waiting_in(queue).into_iter().enumerate() {
                places.insert(id, place as u32 + 1);
            }
        }
        let before = workspace.places.load_full();
        if *before != places {
            let delivery = self.delivery();
            for (id, place) in &places {
                if before.get(id) != Some(place) && registry.is_followed(workspace.number(), *id) {
                    delivery.publish_state(*id, Some(*place));
                }
            }
            workspace.places.store(Arc::new(places));
        }
    }

    /// Before the end: what is committed and not yet in the view saves the next start the replay.
    async fn feed_the_view(&mut self) {
        for _ in 0..2 {
            self.projection.hand_over(&self.keeper, clock::monotonic_ms());
            if self.projection.is_writing() && self.projection.written(clock::monotonic_ms).await.is_err() {
                return;
            }
        }
    }
}

/// Commands are decided in order, so the first of them are those that were answered.
fn count_commands(types: &[&'static str], outcomes: impl Iterator<Item = &'static str>) {
    for (name, outcome) in types.iter().zip(outcomes) {
        metrics::counter!(catalogue::COMMANDS_TOTAL, "type" => *name, "outcome" => outcome).increment(1);
    }
}

/// Until the server stops.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender gone means the same. The guard that this gives must not be held across an await.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn session_went(agent: AgentId, session: SessionId) -> Asked<ReplyTo> {
    let command = Command::of_server(Ask::SessionWent { agent, session });
    Asked { command, reply_to: ReplyTo::Nobody }
}

fn random_turn() -> TurnId {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    TurnId(u128::from_le_bytes(bytes))
}

/// For clients: what keeps the server from committing.
fn sentence(refused: RefusedAppend) -> &'static str {
    match refused {
        RefusedAppend::Full | RefusedAppend::KeptBack => "the disk is full",
        RefusedAppend::ReadOnly => "the disk is read-only",
        RefusedAppend::Damaged => "the journal is damaged",
        RefusedAppend::Busy => "the disk is too slow",
        RefusedAppend::DiskFault => "the disk reported a fault",
        RefusedAppend::TooLarge => "the change is too large",
        RefusedAppend::Fenced { .. } | RefusedAppend::Closed => "another server took over",
    }
}
