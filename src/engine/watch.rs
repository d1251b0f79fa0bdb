//! Supervisors who watch queues or agents: each a page of rows, sent what changed in it at most once a second.

use super::published::{AgentRow, QueueRow, Roll};
use crate::desk::ids::SessionId;
use crate::journal::Position;
use crate::overload::{Rung, memory};
use crate::presence::Session;
use crate::wire::agent::{AgentRowShape, QueueRowShape, Rows, ServerFrame, render};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a supervisor watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Queues,
    Agents,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            What::Queues => "queues",
            What::Agents => "agents",
        }
    }
}

/// One page that one session watches.
#[derive(Debug)]
struct Watcher {
    session: Arc<Session>,
    what: What,
    /// Names behind this one.
    after: Option<Arc<str>>,
    limit: usize,
    /// Rows up to this position were sent.
    sent_to: Position,
    /// Of queues: the rows as they were sent.
    sent: Vec<QueueRow>,
    /// It was told that memory is short.
    paused: bool,
}

#[derive(Debug, Default)]
pub struct Watchers(Mutex<Vec<Watcher>>);

impl Watchers {
    /// Watch a page, instead of any page of the same kind that this session watched. `position`: what it has seen.
    pub fn watch(&self, session: &Arc<Session>, what: What, after: Option<Arc<str>>, limit: usize, position: Position) {
        let mut watchers = self.lock();
        watchers.retain(|held| held.session.id != session.id || held.what != what);
        let session = session.clone();
        watchers.push(Watcher { session, what, after, limit, sent_to: position, sent: Vec::new(), paused: false });
    }

    pub fn unwatch(&self, session: SessionId, what: Option<What>) {
        self.lock().retain(|held| held.session.id != session || what.is_some_and(|what| held.what != what));
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Send each watcher the rows of its page that changed since it was last sent some; or nothing, while memory is short: the
    /// rows that changed meanwhile come when it is not.
    pub fn refresh(&self, roll: &Roll, queues: &[QueueRow], position: Position) {
        for watcher in self.lock().iter_mut() {
            let shed = memory().admit(Rung::Observers).is_err();
            watcher.pause(shed, position);
            if shed {
                continue;
            }
            match watcher.what {
                What::Agents => watcher.send_agents(roll, position),
                What::Queues => watcher.send_queues(queues, position),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Watcher>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    fn pause(&mut self, paused: bool, position: Position) {
        if self.paused != paused {
            self.paused = paused;
            let what = self.what.word();
            self.session.tell(render(&ServerFrame::Watching { position: position.0, what, paused }));
        }
    }

    fn send_agents(&mut self, roll: &Roll, position: Position) {
        let page = roll.after(self.after.as_deref()).take(self.limit);
        let changed: Vec<AgentRowShape<'_>> =
            page.filter(|row| row.changed_at > self.sent_to).map(agent_shape).collect();
        self.sent_to = position;
        if !changed.is_empty() {
            let rows = Rows::Agents(&changed);
            let (names, matching, totals) = (None, None, None);
            self.session.tell(render(&ServerFrame::Agents { position: position.0, rows, names, matching, totals }));
        }
    }

    fn send_queues(&mut self, queues: &[QueueRow], position: Position) {
        let page = queues.iter().filter(|row| self.after.as_ref().is_none_or(|after| row.queue > *after));
        let page: Vec<&QueueRow> = page.take(self.limit).collect();
        let changed: Vec<QueueRowShape<'_>> =
            page.iter().filter(|row| !self.sent.contains(row)).map(|row| queue_shape(row)).collect();
        if !changed.is_empty() {
            let rows = Rows::Queues(&changed);
            self.session.tell(render(&ServerFrame::Queues { position: position.0, rows }));
        }
        drop(changed);
        self.sent = page.into_iter().cloned().collect();
        self.sent_to = position;
    }
}

#[must_use]
pub fn agent_shape(row: &AgentRow) -> AgentRowShape<'_> {
    AgentRowShape {
        agent: &row.name,
        title: &row.title,
        program: row.program,
        connection: row.connection,
        status: &row.status,
        available: row.available,
        since: row.since,
        offers: row.offers,
        conversations: row.conversations,
        paused: row.paused,
        load: row.load,
        missed: row.missed,
        channels: &row.channels,
        next_status: row.next_status.as_deref(),
        draining: row.draining,
    }
}

#[must_use]
pub fn queue_shape(row: &QueueRow) -> QueueRowShape<'_> {
    QueueRowShape {
        queue: &row.queue,
        title: &row.title,
        waiting: row.waiting,
        offered: row.offered,
        active: row.active,
        paused: row.paused,
        longest_wait_ms: row.longest_wait_ms,
        agents_available: row.agents_available,
        agents_there: row.agents_there,
        open: row.open,
        opens_at: row.opens_at,
        closes_at: row.closes_at,
        estimates: &row.estimates,
        draining: row.draining,
        service: row.service.as_ref(),
    }
}
