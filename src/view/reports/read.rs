//! A report: cells added up by the intervals and groups that are asked for, and agents' time that still goes on beside them.

use super::fold::CellKey;
use super::measures::Measure;
use super::sums::Sums;
use super::table::{Progress, person_of, progress};
use super::{BUCKET_MS, Cube};
use crate::desk::ids::{AgentId, QueueId};
use crate::desk::settings::ChannelId;
use crate::view::failed::{OrFailed, ViewFailed};
use crate::view::keys::WorkspaceNumber;
use rusqlite::{Connection as Sqlite, params};
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    pub cube: Cube,
    /// Ends of intervals in Unix milliseconds, whole quarters of an hour: each begins where the one before ends. At least two.
    pub bounds: Vec<u64>,
    pub agent: Option<AgentId>,
    pub queue: Option<QueueId>,
    pub channel: Option<ChannelId>,
    pub by_agent: bool,
    pub by_queue: bool,
    pub by_channel: bool,
    /// Up to when time that still goes on is counted.
    pub now_ms: u64,
    /// Rows at most: whole intervals, as many as fit.
    pub rows_max: usize,
}

/// A row's interval, by its place, and whom it is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Group {
    pub interval: usize,
    pub agent: Option<AgentId>,
    pub queue: Option<QueueId>,
    pub channel: Option<ChannelId>,
}

/// A report.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// As of this position, and this time.
    pub position: u64,
    pub as_of_ms: u64,
    /// Whole from then on; 0: from the first record.
    pub since_ms: u64,
    pub rows: BTreeMap<Group, Sums>,
    /// Of all intervals, also of those that did not fit.
    pub totals: Sums,
    /// The interval that is the first of the next page; `Some(0)`: already the first one has too many rows.
    pub next: Option<usize>,
}

pub(in crate::view) fn report(
    connection: &Sqlite,
    workspace: WorkspaceNumber,
    wanted: &Wanted,
) -> Result<Found, ViewFailed> {
    let Progress { position, wall_ms, since_ms, facts } = progress(connection, workspace)?;
    let as_of_ms = wanted.now_ms.max(wall_ms);
    let found = Found { position, as_of_ms, since_ms, ..Found::default() };
    let mut adding = Adding { wanted, interval: 0, found };
    let going_on = match wanted.cube {
        Cube::Time => going_on(connection, workspace, facts.available, as_of_ms, wanted)?,
        Cube::Queues | Cube::Agents => BTreeMap::new(),
    };
    let doing = "reading a report";
    let buckets = |at: &u64| (at / BUCKET_MS) as i64;
    let (Some(first), Some(end)) = (wanted.bounds.first().map(buckets), wanted.bounds.last().map(buckets)) else {
        return Ok(adding.found);
    };
    let mut select = connection
        .prepare_cached(
            "SELECT bucket, agent, queue, channel, sums FROM report_cell \
             WHERE workspace = ?1 AND cube = ?2 AND bucket >= ?3 AND bucket < ?4",
        )
        .or_failed(doing)?;
    let mut rows = select.query(params![workspace.0, wanted.cube.number(), first, end]).or_failed(doing)?;
    while let Some(row) = rows.next().or_failed(doing)? {
        let number = |place: usize| row.get::<_, u32>(place).or_failed(doing);
        let key = CellKey {
            cube: wanted.cube,
            bucket: number(0)?,
            agent: AgentId(number(1)?),
            queue: QueueId(number(2)?),
            channel: ChannelId(number(3)? as u8),
        };
        if adding.is_wanted(&key) {
            adding.add(&key, &Sums::of_bytes(row.get_ref(4).or_failed(doing)?.as_blob().unwrap_or_default()));
        }
    }
    // Behind the cells, which come in the order of time.
    adding.interval = 0;
    for (key, sums) in &going_on {
        adding.add(key, sums);
    }
    Ok(adding.found)
}

struct Adding<'a> {
    wanted: &'a Wanted,
    /// In which the last cell lay.
    interval: usize,
    found: Found,
}

impl Adding<'_> {
    fn is_wanted(&self, key: &CellKey) -> bool {
        let Wanted { agent, queue, channel, .. } = self.wanted;
        agent.is_none_or(|agent| agent == key.agent)
            && queue.is_none_or(|queue| queue == key.queue)
            && channel.is_none_or(|channel| channel == key.channel)
    }

    fn add(&mut self, key: &CellKey, sums: &Sums) {
        let at = u64::from(key.bucket) * BUCKET_MS;
        while self.wanted.bounds.get(self.interval + 1).is_some_and(|end| *end <= at) {
            self.interval += 1;
        }
        self.found.totals.merge(sums);
        if self.found.next.is_some_and(|next| self.interval >= next) {
            return;
        }
        let group = Group {
            interval: self.interval,
            agent: self.wanted.by_agent.then_some(key.agent),
            queue: self.wanted.by_queue.then_some(key.queue),
            channel: self.wanted.by_channel.then_some(key.channel),
        };
        self.found.rows.entry(group).or_default().merge(sums);
        if self.found.rows.len() > self.wanted.rows_max {
            let last = self.found.rows.keys().next_back().map_or(0, |group| group.interval);
            self.found.rows.retain(|group, _| group.interval < last);
            self.found.next = Some(last);
        }
    }
}

/// Time since agents last changed, as cells that are not written yet; in the order of time.
fn going_on(
    connection: &Sqlite,
    workspace: WorkspaceNumber,
    available: u64,
    now_ms: u64,
    wanted: &Wanted,
) -> Result<BTreeMap<CellKey, Sums>, ViewFailed> {
    let doing = "reading how agents' time goes on";
    let (from, until) = match wanted.bounds.as_slice() {
        [from, .., until] => (*from, (*until).min(now_ms)),
        _ => return Ok(BTreeMap::new()),
    };
    let mut select = connection
        .prepare_cached(
            "SELECT connection, status, held, since, agent FROM report_person WHERE workspace = ?1 AND connection <> 0",
        )
        .or_failed(doing)?;
    let mut rows = select.query([workspace.0]).or_failed(doing)?;
    let mut cells: BTreeMap<CellKey, Sums> = BTreeMap::new();
    while let Some(row) = rows.next().or_failed(doing)? {
        let mut person = person_of(row).or_failed(doing)?;
        let agent = AgentId(row.get(4).or_failed(doing)?);
        if wanted.agent.is_some_and(|wanted| wanted != agent) {
            continue;
        }
        person.since = person.since.max(from);
        person.spent(available, until, |bucket, measure: Measure, ms| {
            let key = CellKey { cube: Cube::Time, bucket, agent, queue: QueueId(0), channel: ChannelId(0) };
            cells.entry(key).or_default().add(measure, ms);
        });
    }
    Ok(cells)
}
