//! Sheets of agents: what a supervisor wants to see of them, sorted, at most once a second. Whoever is on a sheet is found by looking
//! through the roll, beside the workspace's own task and in steps that each hold the roll for a moment; so that however many agents
//! there are, and however many watch, no turn waits for it, and what is sent is what is shown.

use super::published::{AgentRow, Roll};
use super::watch::agent_shape;
use super::workspace::Workspace;
use crate::desk::ids::{AgentId, QueueId, SessionId};
use crate::journal::Position;
use crate::overload::{Rung, memory};
use crate::presence::Session;
use crate::wire::agent::{AgentRowShape, Rows, ServerFrame, Sheet, SheetOrder, TotalShape, render};
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows that are looked at while the roll is held.
const STEP: usize = 1_024;
/// Rows that are looked at each second, for all sheets together; those that are left over come first in the next.
const LOOKED_AT_MAX: usize = 200_000;

/// A page of a sheet, as it is now.
#[derive(Debug)]
pub struct Found {
    /// In the order of the sheet.
    pub rows: Vec<AgentRow>,
    /// How many there are with those before and behind them.
    pub matching: u32,
    pub totals: Vec<TotalShape>,
    /// Everything up to here is in it.
    pub as_of: Position,
    looked_at: usize,
}

impl Workspace {
    /// At most `limit` rows of a sheet.
    #[must_use]
    pub fn sheet(&self, sheet: &Sheet, limit: usize) -> Found {
        let queue = sheet.queue.as_ref().map(|name| self.published().queues.get(name).map(|(id, _)| *id));
        let as_of = self.roll().changed_at();
        let mut best: BinaryHeap<(u64, Arc<str>)> = BinaryHeap::new();
        let (mut matching, mut looked_at) = (0, 0);
        let mut after: Option<Arc<str>> = None;
        loop {
            let (from, roll) = (after.clone(), self.roll());
            let step: Vec<&AgentRow> = roll.after(from.as_deref()).take(STEP).collect();
            looked_at += step.len();
            for row in step.iter().filter(|row| is_on(sheet, queue, row, &roll)) {
                matching += 1;
                let key = (rank(sheet.order, row), row.name.clone());
                if best.len() < sheet.skip + limit {
                    best.push(key);
                } else if let Some(mut worst) = best.peek_mut()
                    && key < *worst
                {
                    *worst = key;
                }
            }
            match step.last() {
                Some(last) if step.len() == STEP => after = Some(last.name.clone()),
                _ => break,
            }
        }
        let names = best.into_sorted_vec();
        let roll = self.roll();
        let rows = names.iter().skip(sheet.skip).filter_map(|(_, name)| roll.named(name).cloned()).collect();
        Found { rows, matching, totals: roll.totals(), as_of, looked_at }
    }

    /// Send each sheet that is watched what changed on it. One at a time: `false` while another is under way.
    pub fn refresh_sheets(&self) -> bool {
        if self.sheets.under_way.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.sheets.refresh(self);
        self.sheets.under_way.store(false, Ordering::Release);
        true
    }
}

/// `queue`: of the sheet, where it names one; within, where there is such a queue.
fn is_on(sheet: &Sheet, queue: Option<Option<QueueId>>, row: &AgentRow, roll: &Roll) -> bool {
    row.active
        && sheet.connection.is_none_or(|seen_as| seen_as.admits(row.connection))
        && sheet.status.as_ref().is_none_or(|status| *status == row.status)
        && sheet.find.as_ref().is_none_or(|text| holds(&row.name, text) || holds(&row.title, text))
        && queue.is_none_or(|queue| {
            roll.profile_of(row).is_some_and(|profile| queue.is_some_and(|queue| profile.queues.contains(&queue)))
        })
}

/// `text` is in lower case.
fn holds(name: &str, text: &str) -> bool {
    if name.is_ascii() {
        let windows = name.as_bytes().windows(text.len());
        return windows.into_iter().any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
    }
    name.to_lowercase().contains(text)
}

/// The least comes first.
fn rank(order: SheetOrder, row: &AgentRow) -> u64 {
    match order {
        SheetOrder::Name => 0,
        SheetOrder::Load => u64::from(u32::MAX - row.load),
        SheetOrder::Since => row.since,
    }
}

/// One sheet that one session watches.
#[derive(Debug)]
struct Watcher {
    session: Arc<Session>,
    sheet: Arc<Sheet>,
    limit: usize,
    sent: Sent,
    /// Everything up to here was looked at.
    as_of: Position,
    /// In which refresh it was looked at last.
    turn: u64,
    /// It was told that memory is short.
    paused: bool,
}

/// What a client has of its sheet.
#[derive(Debug, Default)]
struct Sent {
    names: Vec<Arc<str>>,
    rows: HashMap<AgentId, Position>,
    matching: u32,
    totals: Vec<TotalShape>,
}

impl Sent {
    fn of(found: &Found) -> Self {
        Self {
            names: found.rows.iter().map(|row| row.name.clone()).collect(),
            rows: found.rows.iter().map(|row| (row.id, row.changed_at)).collect(),
            matching: found.matching,
            totals: found.totals.clone(),
        }
    }
}

#[derive(Debug, Default)]
struct Watchers {
    all: Vec<Watcher>,
    turn: u64,
}

#[derive(Debug, Default)]
pub struct Sheets {
    watchers: Mutex<Watchers>,
    under_way: AtomicBool,
}

impl Sheets {
    /// Watch a sheet, instead of any that this session watched; `found` was sent to it.
    pub fn watch(&self, session: &Arc<Session>, sheet: Arc<Sheet>, limit: usize, found: &Found) {
        let mut watchers = self.lock();
        watchers.all.retain(|held| held.session.id != session.id);
        let (session, sent, as_of, turn) = (session.clone(), Sent::of(found), found.as_of, watchers.turn);
        watchers.all.push(Watcher { session, sheet, limit, sent, as_of, turn, paused: false });
    }

    pub fn unwatch(&self, session: SessionId) {
        self.lock().all.retain(|held| held.session.id != session);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().all.is_empty()
    }

    fn refresh(&self, workspace: &Workspace) {
        let position = workspace.position();
        let shed = memory().admit(Rung::Observers).is_err();
        let due = self.due(workspace.roll().changed_at(), shed, position);
        let mut looked_at = 0;
        for (sheet, limit) in due {
            if looked_at >= LOOKED_AT_MAX {
                break;
            }
            let found = workspace.sheet(&sheet, limit);
            looked_at += found.looked_at;
            let mut watchers = self.lock();
            let turn = watchers.turn;
            for watcher in watchers.all.iter_mut().filter(|held| held.limit == limit && *held.sheet == *sheet) {
                watcher.turn = turn;
                watcher.send(&found, position);
            }
        }
    }

    /// Which sheets may have changed, each once, those that were not looked at for the longest first.
    fn due(&self, changed_at: Position, shed: bool, position: Position) -> Vec<(Arc<Sheet>, usize)> {
        let mut watchers = self.lock();
        watchers.turn += 1;
        watchers.all.iter_mut().for_each(|watcher| watcher.pause(shed, position));
        if shed {
            return Vec::new();
        }
        watchers.all.sort_by_key(|watcher| watcher.turn);
        let mut due: Vec<(Arc<Sheet>, usize)> = Vec::new();
        for watcher in watchers.all.iter().filter(|watcher| watcher.as_of < changed_at) {
            if !due.iter().any(|(sheet, limit)| *limit == watcher.limit && **sheet == *watcher.sheet) {
                due.push((watcher.sheet.clone(), watcher.limit));
            }
        }
        due
    }

    fn lock(&self) -> MutexGuard<'_, Watchers> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    fn pause(&mut self, paused: bool, position: Position) {
        if self.paused != paused {
            self.paused = paused;
            self.session.tell(render(&ServerFrame::Watching { position: position.0, what: "agents", paused }));
        }
    }

    fn send(&mut self, found: &Found, position: Position) {
        self.as_of = found.as_of;
        let sent = std::mem::replace(&mut self.sent, Sent::of(found));
        let changed = found.rows.iter().filter(|row| sent.rows.get(&row.id) != Some(&row.changed_at));
        let rows: Vec<AgentRowShape<'_>> = changed.map(agent_shape).collect();
        let names: Vec<&str> = found.rows.iter().map(|row| &*row.name).collect();
        let names = (sent.names != self.sent.names).then_some(&*names);
        let matching = (sent.matching != found.matching).then_some(found.matching);
        let totals = (sent.totals != found.totals).then_some(&*found.totals);
        if rows.is_empty() && names.is_none() && matching.is_none() && totals.is_none() {
            return;
        }
        let (position, rows) = (position.0, Rows::Agents(&rows));
        self.session.tell(render(&ServerFrame::Agents { position, rows, names, matching, totals }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_found_in_any_case() {
        assert!(holds("Ada Lovelace", "love") && holds("Ada", "ada"));
        assert!(!holds("Ada", "adam") && !holds("", "a"));
        assert!(holds("ZOË", "zoë") && holds("Zoë", "oë"));
    }
}
