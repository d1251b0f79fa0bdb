//! What readers outside the engine see of a workspace: its committed settings, and rows of its agents and queues.

use super::levels::Levels;
use super::quota::OverQuota;
use crate::desk::Desk;
use crate::desk::agent::Agent;
use crate::desk::answer::Answer;
use crate::desk::clocks::Clock;
use crate::desk::estimating::EstimateRow;
use crate::desk::ids::{AgentId, CustomerId, QueueId};
use crate::desk::opening::{Opening, Openings};
use crate::desk::refusal::Refusal;
use crate::desk::settings::{AgentProfile, ApiKey, ChannelId, QueueSettings, Settings};
use crate::desk::time::WallTime;
use crate::desk::waiting_rules::Coming;
use crate::journal::Position;
use crate::wire::agent::{ChannelHeldShape, ServiceShape, TotalShape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A command was decided: what came of it, and what that rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Replied {
    pub position: Position,
    pub result: Result<Answer, Refusal>,
}

/// Nothing happened; the same command may come again, with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotDone {
    /// The intake is full.
    Busy { retry_after_ms: u64 },
    /// Nothing can be committed now.
    Unavailable { retry_after_ms: u64, why: Cow<'static, str> },
    /// A quota of the workspace is used up.
    Quota(OverQuota),
}

impl From<OverQuota> for NotDone {
    fn from(over: OverQuota) -> Self {
        NotDone::Quota(over)
    }
}

/// Committed settings of a workspace.
#[derive(Clone, Default, Debug)]
pub struct Published {
    pub settings: Arc<Settings>,
    pub queues: Arc<BTreeMap<Arc<str>, (QueueId, Arc<QueueSettings>)>>,
    pub queue_names: Arc<BTreeMap<QueueId, Arc<str>>>,
    /// How the hours stand, by their name.
    pub openings: Arc<Openings>,
    pub api_keys: Arc<BTreeMap<Arc<str>, ApiKey>>,
    /// Customers whose tokens issued before then are void.
    pub signed_out: Arc<BTreeMap<CustomerId, WallTime>>,
}

impl Published {
    #[must_use]
    pub fn of(desk: &Desk) -> Self {
        let queues = desk.queues().map(|(id, queue)| (queue.settings.name.clone(), (id, queue.settings.clone())));
        let names = desk.queues().map(|(id, queue)| (id, queue.settings.name.clone()));
        Self {
            settings: desk.settings().clone(),
            queues: Arc::new(queues.collect()),
            queue_names: Arc::new(names.collect()),
            openings: Arc::new(desk.openings().clone()),
            api_keys: Arc::new(desk.api_keys().map(|key| (key.id.clone(), key.clone())).collect()),
            signed_out: Arc::new(desk.signed_out().collect()),
        }
    }
}

impl Published {
    /// When a queue that is closed opens.
    #[must_use]
    pub fn opens_at(&self, queue: QueueId) -> Option<WallTime> {
        let (_, settings) = self.queues.get(self.queue_names.get(&queue)?)?;
        self.openings.get(settings.hours.as_ref()?)?.opens_at()
    }
}

/// An agent as supervisors see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct AgentRow {
    #[serde(rename = "agent")]
    pub name: Arc<str>,
    pub title: Arc<str>,
    pub program: bool,
    #[serde(skip)]
    pub active: bool,
    pub connection: &'static str,
    pub status: Arc<str>,
    pub available: bool,
    /// Unix milliseconds, since when connection and status are so.
    pub since: u64,
    pub offers: u32,
    pub conversations: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub paused: u32,
    /// Per cent of its total that is in use.
    pub load: u32,
    /// Offers in a row that it let run out.
    #[serde(skip_serializing_if = "is_zero")]
    pub missed: u32,
    /// Channels of which it holds something: none where it holds nothing, as most who are idle do.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub channels: Box<[ChannelHeldShape]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_status: Option<Arc<str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    #[serde(skip)]
    pub id: AgentId,
    /// The position that it last changed at.
    #[serde(skip)]
    pub changed_at: Position,
}

/// A queue as supervisors see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct QueueRow {
    pub queue: Arc<str>,
    pub title: Arc<str>,
    pub waiting: u32,
    pub offered: u32,
    pub active: u32,
    /// Of the active ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub paused: u32,
    pub longest_wait_ms: u64,
    pub agents_available: u32,
    /// In an available status, busy or not.
    pub agents_there: u32,
    /// Within its hours, or without any.
    pub open: bool,
    /// Unix milliseconds, where it is closed and that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<u64>,
    /// For who would begin to wait now, by channel and priority.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<EstimateRow>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    /// Where it has a clock of accepting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceShape>,
    /// For who would come now.
    #[serde(skip)]
    pub coming: Coming,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Committed rows and profiles of all agents. The engine writes, anybody reads; each lock is held for one step.
#[derive(Debug, Default)]
pub struct Roll {
    by_name: BTreeMap<Arc<str>, AgentRow>,
    profiles: Vec<Arc<AgentProfile>>,
    /// Those who may work here, by connection and status.
    totals: BTreeMap<(&'static str, Arc<str>), Total>,
    /// The position that the last of them changed at.
    changed_at: Position,
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    available: bool,
    agents: u32,
}

impl Roll {
    /// The agent as committed at `position`.
    pub fn put(&mut self, id: AgentId, agent: &Agent, desk: &Desk, wall: WallTime, position: Position) {
        let settings = desk.settings();
        let status = &settings.statuses[usize::from(agent.status.0)];
        let before = self.by_name.get(&agent.profile.name);
        let connection = agent.connection.name();
        let same = before.filter(|row| row.connection == connection && row.status == status.name);
        let since = same.map_or(wall.0, |row| row.since);
        let name = before.map_or_else(|| agent.profile.name.clone(), |row| row.name.clone());
        let row = AgentRow {
            name: name.clone(),
            title: title_of(&agent.profile),
            program: agent.profile.program,
            active: agent.profile.active,
            connection,
            status: status.name.clone(),
            available: status.available,
            since,
            offers: agent.offers.len() as u32,
            conversations: agent.conversations.len() as u32,
            paused: agent.paused,
            load: agent.share_held(settings) / 100,
            missed: agent.missed_in_a_row,
            channels: channels_held(agent, settings),
            next_status: agent.next_status.map(|next| settings.statuses[usize::from(next.0)].name.clone()),
            draining: agent.draining,
            id,
            changed_at: position,
        };
        self.changed_at = self.changed_at.max(position);
        self.count(&row);
        if let Some(before) = self.by_name.insert(name, row) {
            self.count_no_more(&before);
        }
        let place = id.0 as usize;
        match self.profiles.get_mut(place) {
            Some(held) if **held == agent.profile => {}
            Some(held) => *held = Arc::new(agent.profile.clone()),
            None => self.profiles.push(Arc::new(agent.profile.clone())),
        }
    }

    fn count(&mut self, row: &AgentRow) {
        if row.active {
            let total = self.totals.entry((row.connection, row.status.clone())).or_default();
            (total.available, total.agents) = (row.available, total.agents + 1);
        }
    }

    fn count_no_more(&mut self, row: &AgentRow) {
        let key = (row.connection, row.status.clone());
        let Some(total) = self.totals.get_mut(&key).filter(|_| row.active) else { return };
        total.agents -= 1;
        if total.agents == 0 {
            self.totals.remove(&key);
        }
    }

    /// How many agents are of each connection and status.
    #[must_use]
    pub fn totals(&self) -> Vec<TotalShape> {
        let shape = |((connection, status), Total { available, agents }): (&(&'static str, Arc<str>), &Total)| {
            let (connection, status) = (*connection, status.clone());
            TotalShape { connection, status, available: *available, agents: *agents }
        };
        self.totals.iter().map(shape).collect()
    }

    #[must_use]
    pub fn changed_at(&self) -> Position {
        self.changed_at
    }

    #[must_use]
    pub fn profile_of(&self, row: &AgentRow) -> Option<&AgentProfile> {
        self.profiles.get(row.id.0 as usize).map(|profile| &**profile)
    }

    #[must_use]
    pub fn named(&self, name: &str) -> Option<&AgentRow> {
        self.by_name.get(name)
    }

    #[must_use]
    pub fn with_id(&self, id: AgentId) -> Option<&AgentRow> {
        self.by_name.get(&self.profiles.get(id.0 as usize)?.name)
    }

    #[must_use]
    pub fn profile(&self, name: &str) -> Option<Arc<AgentProfile>> {
        self.profiles.get(self.named(name)?.id.0 as usize).cloned()
    }

    /// In the order of names, from behind `after`.
    pub fn after<'a>(&'a self, after: Option<&'a str>) -> impl Iterator<Item = &'a AgentRow> + 'a {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_name.range::<str, _>((from, Bound::Unbounded)).map(|(_, row)| row)
    }
}

fn channels_held(agent: &Agent, settings: &Settings) -> Box<[ChannelHeldShape]> {
    if agent.load.is_empty() {
        return Box::default();
    }
    let channels = settings.channels.iter().zip(0..).map(|(channel, place)| (channel, ChannelId(place)));
    let held = channels.filter(|(_, id)| agent.load.on(*id) > 0).map(|(channel, id)| ChannelHeldShape {
        channel: channel.name.clone(),
        held: agent.load.on(id),
        limit: agent.limit_on(settings, id),
    });
    held.collect()
}

/// What people call the agent.
#[must_use]
pub fn title_of(profile: &AgentProfile) -> Arc<str> {
    if profile.title.is_empty() { profile.name.clone() } else { profile.title.clone() }
}

/// What people call the queue.
#[must_use]
pub fn queue_title(queue: &QueueSettings) -> Arc<str> {
    if queue.title.is_empty() { queue.name.clone() } else { queue.title.clone() }
}

/// Rows of all queues, in the order of names, as of now.
#[must_use]
pub fn queue_rows(desk: &Desk, levels: &mut Levels, wall_ms: u64) -> Vec<QueueRow> {
    let mut rows: Vec<QueueRow> = desk
        .queues()
        .map(|(id, queue)| QueueRow {
            queue: queue.settings.name.clone(),
            title: queue_title(&queue.settings),
            waiting: queue.waiting,
            offered: queue.offered,
            active: queue.active,
            paused: queue.paused,
            longest_wait_ms: desk.oldest_in(id).map_or(0, |since| wall_ms.saturating_sub(since.0)),
            agents_available: desk.able_in(id) as u32,
            agents_there: desk.there_in(id),
            open: desk.is_open(id),
            opens_at: desk.opening_of(id).and_then(Opening::opens_at).map(|at| at.0),
            closes_at: desk.opening_of(id).and_then(Opening::closes_at).map(|at| at.0),
            estimates: desk.estimates_in(id),
            draining: queue.settings.moves.draining.is_some(),
            service: levels.of(id, queue.settings.service.ms(Clock::Accept), wall_ms),
            coming: desk.coming(id),
        })
        .collect();
    rows.sort_unstable_by(|one, other| one.queue.cmp(&other.queue));
    rows
}
