//! What readers outside the engine are given of a workspace: rows and settings at each commit, and once a second what only
//! has to be about right: queues, places, what supervisors watch.

use super::counted::Amounts;
use super::idle::Found;
use super::intake::ReplyTo;
use super::outlook::outlooks;
use super::passing::shapes::Hinted;
use super::published::{Published, queue_rows};
use super::run::Serving;
use super::turn::Asked;
use super::workspace::Taking;
use crate::clock;
use crate::desk::command::{Ask, Command};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

const REFRESH_MS: u64 = 1_000;
/// What a turn waits at most for a view that is behind.
const VIEW_WAIT_MOST: Duration = Duration::from_millis(25);

impl Serving<'_> {
    pub(super) fn publish_everything(&mut self) {
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
        workspace.queue_rows.store(Arc::new(queue_rows(desk, &mut self.run.levels, clock::wall_ms())));
        workspace.committed.reach(self.keeper.position());
    }

    /// Readers outside are given what was committed.
    pub(super) fn publish(&self, touched: &crate::desk::touched::Touched) {
        let desk = self.keeper.desk();
        let workspace = &self.run.workspace;
        let set = touched.settings
            || !touched.queues.is_empty()
            || !touched.openings.is_empty()
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
    pub(super) fn look_after(&mut self) {
        for session in self.run.workspace.intake.take_snapshots() {
            self.delivery().snapshot(&session);
        }
        let now_ms = clock::monotonic_ms();
        if now_ms >= self.refresh_at_ms {
            self.refresh_at_ms = now_ms + REFRESH_MS;
            self.refresh();
            self.look_who_is_idle(now_ms);
        }
        if self.projection.due_at_ms().is_some_and(|due_ms| now_ms >= due_ms) {
            self.projection.hand_over(&self.keeper, now_ms);
        }
        self.hold_back_for_the_view();
    }

    fn look_who_is_idle(&mut self, now_ms: u64) {
        let workspace = &self.run.workspace;
        let here = (&*self.run.shared.registry, workspace.number());
        let Found { agents, partly } = self.idle.look(self.keeper.desk(), here, &workspace.idle_elsewhere, now_ms);
        if !partly.is_empty()
            && let Some(clustered) = self.run.clustered()
        {
            clustered.hint(workspace.name(), Hinted::Idle(partly));
        }
        let idle = agents
            .into_iter()
            .map(|agent| Asked::untraced(Command::of_server(Ask::AgentIsIdle { agent }), ReplyTo::Nobody));
        self.run.asked.extend(idle);
    }

    /// The view may lag, by a bounded amount: from half of it on nothing new is begun, beyond it only accepts and closes go on.
    fn hold_back_for_the_view(&self) {
        let lag = self.projection.lag_bytes();
        let most = self.run.shared.view_lag_bytes_max;
        self.run.workspace.starts_held.store(lag > most / 2, Ordering::Relaxed);
        // Long before turns wait for it: what was had elsewhere may come later.
        self.run.workspace.imports_held.store(lag > most / 8, Ordering::Relaxed);
        let why = "the view is far behind";
        if lag > most {
            self.run.take(Taking::LastResort { why });
        } else if self.run.workspace.taking() == (Taking::LastResort { why }) {
            self.run.take(Taking::Everything);
        }
    }

    /// From half of that on, turns wait a moment for the view: what is slowed down need not be refused.
    pub(super) async fn let_the_view_catch_up(&mut self) {
        if self.projection.lag_bytes() <= self.run.shared.view_lag_bytes_max / 2 {
            return;
        }
        let written = self.projection.written(clock::monotonic_ms);
        if let Ok(Err(failed)) = tokio::time::timeout(VIEW_WAIT_MOST, written).await {
            tracing::error!(workspace = %self.run.workspace.name(), error = %failed, "the view was not written");
        }
    }

    pub(super) fn refresh(&mut self) {
        let overlooked = self.keeper.overlooked();
        let workspace = &self.run.workspace;
        let desk = self.keeper.desk();
        let wall_ms = clock::wall_ms();
        let rows = Arc::new(queue_rows(desk, &mut self.run.levels, wall_ms));
        workspace.queue_rows.store(rows.clone());
        if !workspace.watchers.is_empty() {
            let roll = workspace.roll.read().unwrap_or_else(PoisonError::into_inner);
            workspace.watchers.refresh(&roll, &rows, self.keeper.position());
        }
        if !workspace.sheets.is_empty() {
            // Beside this task: it looks through all agents.
            let workspace = workspace.clone();
            tokio::task::spawn_blocking(move || workspace.refresh_sheets());
        }
        workspace.amounts.store(Arc::new(Amounts::of(
            desk,
            self.projection.lag_records(),
            overlooked.map(|since| wall_ms.saturating_sub(since.0)),
        )));
        self.refresh_outlooks();
    }

    /// Customers who look are told when what they wait for changed.
    pub(super) fn refresh_outlooks(&mut self) {
        let workspace = &self.run.workspace;
        let desk = self.keeper.desk();
        let registry = &self.run.shared.registry;
        let outlooks = outlooks(desk);
        let before = workspace.outlooks.load_full();
        if *before != outlooks {
            let delivery = self.delivery();
            for (id, outlook) in &outlooks {
                if before.get(id) != Some(outlook) && registry.is_followed(workspace.number(), *id) {
                    delivery.publish_state(*id, Some(*outlook));
                }
            }
            workspace.outlooks.store(Arc::new(outlooks));
        }
    }
}
