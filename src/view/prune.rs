//! What is forgotten: outcomes after a day and beyond each principal's most, closed conversations after the retention.
//! In steps, each a short transaction, so that batches are never kept waiting.

use super::failed::{OrFailed, ViewFailed};
use super::outcomes::OUTCOME_KEPT_MS;
use super::sorting::RECENT_FROM;
use super::{imported, labels, reports};
use crate::desk::event::Event;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::HashMap;
use std::sync::Arc;

/// Outcomes that are remembered of one principal.
pub const OUTCOMES_EACH_MAX: u32 = 10_000;
const STEP_ROWS: i64 = 2_000;

#[derive(Clone, Debug)]
pub(super) struct PruneStep {
    pub now_wall_ms: u64,
    /// `None` keeps conversations for ever.
    pub retention_ms: Option<u64>,
    pub outcomes_each_max: u32,
    /// Nothing else than this workspace's conversations.
    pub only: Option<Arc<str>>,
}

/// What a prune has removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    pub outcomes: u64,
    pub conversations: u64,
    pub events: u64,
    /// Nothing is left to remove as of that time.
    pub done: bool,
}

impl Pruned {
    pub(super) fn and(self, step: Pruned) -> Self {
        Self {
            outcomes: self.outcomes + step.outcomes,
            conversations: self.conversations + step.conversations,
            events: self.events + step.events,
            done: step.done,
        }
    }
}

/// Goes through the outcomes from the newest to the oldest, counting each principal's. Customers are not counted: their
/// rate limits keep them far below, and there are too many of them.
#[derive(Default)]
pub(super) struct Sweep {
    /// The next one to look at is below this; `None`: begin anew.
    below: Option<i64>,
    /// The last that was sorted in when it began: what was sorted in since was counted among the recent, or comes too late.
    sorted_to: i64,
    counted: HashMap<(i64, Vec<u8>), Counted>,
}

/// Of one principal. Those that were sorted in together stand in the order of their keys, so a time is kept beside the number: only what
/// is no newer than each that is counted goes.
struct Counted {
    outcomes: u32,
    oldest_at: i64,
}

pub(super) fn step(connection: &mut Connection, what: &PruneStep, sweep: &mut Sweep) -> Result<Pruned, ViewFailed> {
    let doing = "pruning the view";
    let transaction = connection.transaction().or_failed(doing)?;
    let mut pruned = Pruned { done: true, ..Pruned::default() };
    if let Some(name) = &what.only {
        let closed_before = what.now_wall_ms.saturating_sub(what.retention_ms.unwrap_or(u64::MAX)) as i64;
        remove_closed_of(&transaction, name, closed_before, &mut pruned)?;
        transaction.commit().or_failed(doing)?;
        return Ok(pruned);
    }
    let oldest = what.now_wall_ms.saturating_sub(OUTCOME_KEPT_MS) as i64;
    let mut aged = 0;
    for sql in [
        "DELETE FROM outcome_sorted WHERE id IN (SELECT id FROM outcome_sorted ORDER BY id LIMIT ?2) AND at < ?1",
        "DELETE FROM outcome_recent WHERE id IN (SELECT id FROM outcome_recent ORDER BY id LIMIT ?2) AND at < ?1",
    ] {
        aged += transaction
            .prepare_cached(sql)
            .and_then(|mut delete| delete.execute(params![oldest, STEP_ROWS]))
            .or_failed(doing)?;
    }
    pruned.outcomes += aged as u64;
    pruned.done &= aged == 0;
    if let Some(retention_ms) = what.retention_ms {
        let closed_before = what.now_wall_ms.saturating_sub(retention_ms) as i64;
        remove_closed(&transaction, closed_before, &mut pruned)?;
    }
    let swept = if pruned.done { Some(sweep_outcomes(&transaction, what.outcomes_each_max, sweep)?) } else { None };
    transaction.commit().or_failed(doing)?;
    if let Some((removed, swept_to)) = swept {
        pruned.outcomes += removed;
        pruned.done = swept_to.is_none();
        sweep.below = swept_to;
        if pruned.done {
            *sweep = Sweep::default();
        }
    }
    Ok(pruned)
}

/// Removes up to a step's worth of rows; a long conversation goes in several steps, its own row last.
fn remove_closed(transaction: &Transaction<'_>, closed_before: i64, pruned: &mut Pruned) -> Result<(), ViewFailed> {
    let doing = "removing an old conversation";
    let mut rows_left = STEP_ROWS;
    while rows_left > 0 {
        let key: Option<i64> = transaction
            .prepare_cached(
                "SELECT key FROM conversation INDEXED BY conversation_closed \
                 WHERE closed_at IS NOT NULL AND closed_at < ?1 ORDER BY closed_at LIMIT 1",
            )
            .and_then(|mut select| select.query_row([closed_before], |row| row.get(0)).optional())
            .or_failed(doing)?;
        let Some(key) = key else { return Ok(()) };
        remove(transaction, key, &mut rows_left, pruned)?;
    }
    Ok(())
}

/// The same of one workspace. In the order of their ids, which is near enough to that of their ends for what is forgotten soon anyway.
fn remove_closed_of(
    transaction: &Transaction<'_>,
    workspace: &str,
    closed_before: i64,
    pruned: &mut Pruned,
) -> Result<(), ViewFailed> {
    let doing = "removing an old conversation";
    let number: Option<i64> = transaction
        .prepare_cached("SELECT id FROM workspace WHERE name = ?1")
        .and_then(|mut select| select.query_row([workspace], |row| row.get(0)).optional())
        .or_failed(doing)?;
    let Some(number) = number else { return Ok(()) };
    let (first, end) = super::keys::WorkspaceNumber(number).span();
    let mut rows_left = STEP_ROWS;
    while rows_left > 0 {
        let key: Option<i64> = transaction
            .prepare_cached(
                "SELECT key FROM conversation WHERE key >= ?1 AND key < ?2 \
                 AND closed_at IS NOT NULL AND closed_at < ?3 ORDER BY key LIMIT 1",
            )
            .and_then(|mut select| select.query_row([first, end, closed_before], |row| row.get(0)).optional())
            .or_failed(doing)?;
        let Some(key) = key else { return Ok(()) };
        remove(transaction, key, &mut rows_left, pruned)?;
    }
    Ok(())
}

fn remove(transaction: &Transaction<'_>, key: i64, rows_left: &mut i64, pruned: &mut Pruned) -> Result<(), ViewFailed> {
    pruned.done = false;
    let removed = remove_events(transaction, key, *rows_left)?;
    pruned.events += removed as u64;
    *rows_left -= removed;
    if *rows_left > 0 {
        labels::remove(transaction, key)?;
        imported::remove(transaction, key)?;
        reports::remove_talk(transaction, key)?;
        transaction
            .prepare_cached("DELETE FROM conversation WHERE key = ?1")
            .and_then(|mut delete| delete.execute([key]))
            .or_failed("removing an old conversation")?;
        pruned.conversations += 1;
        *rows_left -= 1;
    }
    Ok(())
}

fn remove_events(transaction: &Transaction<'_>, key: i64, most: i64) -> Result<i64, ViewFailed> {
    let doing = "removing an old conversation's events";
    let mut select = transaction
        .prepare_cached("SELECT id, body FROM event WHERE conversation = ?1 ORDER BY place LIMIT ?2")
        .or_failed(doing)?;
    let mut found = select.query([key, most]).or_failed(doing)?;
    // Offers of a workspace have keys with the same high bits as its conversations.
    let workspace = super::keys::WorkspaceNumber(super::keys::workspace_of(key));
    let (mut events, mut offers) = (Vec::new(), Vec::new());
    while let Some(row) = found.next().or_failed(doing)? {
        events.push(row.get::<_, i64>(0).or_failed(doing)?);
        let body = row.get_ref(1).or_failed(doing)?.as_blob().unwrap_or_default();
        if let Ok(Event::OfferMade { offer, .. } | Event::OfferEnded { offer, .. }) = serde_json::from_slice(body) {
            offers.extend(workspace.offer(offer).ok());
        }
    }
    drop(found);
    for (sql, keys) in [("DELETE FROM event WHERE id = ?1", &events), ("DELETE FROM offer WHERE key = ?1", &offers)] {
        let mut delete = transaction.prepare_cached(sql).or_failed(doing)?;
        for key in keys {
            delete.execute([key]).or_failed(doing)?;
        }
    }
    Ok(events.len() as i64)
}

/// How many were removed, and where to go on.
fn sweep_outcomes(
    transaction: &Transaction<'_>,
    each_max: u32,
    sweep: &mut Sweep,
) -> Result<(u64, Option<i64>), ViewFailed> {
    let doing = "counting outcomes";
    /// Behind command id, fingerprint and mark in a remembered outcome: its principal.
    const PRINCIPAL_AT: usize = 25;
    const CUSTOMER: u8 = 2;
    if sweep.below.is_none() {
        sweep.sorted_to = transaction
            .query_row("SELECT coalesce(max(id), 0) FROM outcome_sorted", [], |row| row.get(0))
            .or_failed(doing)?;
    }
    let mut select = transaction
        .prepare_cached("SELECT id, workspace, remembered, at FROM outcome WHERE id < ?1 ORDER BY id DESC LIMIT ?2")
        .or_failed(doing)?;
    let mut found = select.query([sweep.below.unwrap_or(i64::MAX), STEP_ROWS]).or_failed(doing)?;
    let (mut last, mut beyond, mut seen) = (None, Vec::new(), 0);
    while let Some(row) = found.next().or_failed(doing)? {
        let id: i64 = row.get(0).or_failed(doing)?;
        last = Some(id);
        seen += 1;
        if (sweep.sorted_to + 1..RECENT_FROM).contains(&id) {
            continue;
        }
        let remembered = row.get_ref(2).or_failed(doing)?.as_blob().unwrap_or_default();
        let Some(principal) = remembered.get(PRINCIPAL_AT..).filter(|by| by.first() != Some(&CUSTOMER)) else {
            continue;
        };
        let at: i64 = row.get(3).or_failed(doing)?;
        let of = (row.get(1).or_failed(doing)?, principal.to_vec());
        let counted = sweep.counted.entry(of).or_insert(Counted { outcomes: 0, oldest_at: at });
        if counted.outcomes < each_max {
            counted.outcomes += 1;
            counted.oldest_at = counted.oldest_at.min(at);
        } else if at <= counted.oldest_at {
            beyond.push(id);
        }
    }
    drop(found);
    for id in &beyond {
        let sql = match *id < RECENT_FROM {
            true => "DELETE FROM outcome_sorted WHERE id = ?1",
            false => "DELETE FROM outcome_recent WHERE id = ?1",
        };
        transaction.prepare_cached(sql).and_then(|mut delete| delete.execute([id])).or_failed(doing)?;
    }
    Ok((beyond.len() as u64, last.filter(|_| seen == STEP_ROWS)))
}
