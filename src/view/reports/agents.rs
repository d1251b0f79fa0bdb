//! What events say of an agent's time: each change ends an interval, which is counted, and begins another.

use super::facts::Facts;
use super::fold::{CellKey, Fold, Kept};
use super::measures::{BEFORE_RESTART_MS, Measure, SIGN_INS};
use super::person::{Connection, Person};
use super::{Cube, bucket_of};
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, QueueId};
use crate::desk::settings::ChannelId;
use std::collections::BTreeSet;

impl Fold {
    pub(super) fn agents<K: Kept>(&mut self, event: &Event, kept: &mut K) -> Result<(), K::Failed> {
        match event {
            Event::SettingsChanged { settings } => {
                let available = Facts::available_of(settings);
                if available != self.facts.available {
                    for agent in self.connected(kept)? {
                        self.change(agent, kept, |_| {})?;
                    }
                    self.facts.available = available;
                }
                Ok(())
            }
            // Known from now on, in the status that settings give to who has none.
            Event::AgentPut { agent, .. } => self.change(*agent, kept, |_| {}),
            // Since the last record nobody knows how long there was a server: that time is nobody's, and is told apart.
            Event::ServerBegan { .. } => {
                let unknown_ms = self.now.saturating_sub(self.wall_ms) as i64;
                for agent in self.connected(kept)? {
                    self.change_at(self.wall_ms, agent, kept, |person| person.connection = Connection::Reconnecting)?;
                    self.spend(agent, bucket_of(self.now), BEFORE_RESTART_MS, unknown_ms);
                    if let Some(person) = self.persons.get_mut(&agent) {
                        person.since = self.now;
                    }
                }
                Ok(())
            }
            Event::NodeGone { reconnecting, .. } => {
                for agent in reconnecting {
                    self.change(*agent, kept, |person| person.connection = Connection::Reconnecting)?;
                }
                Ok(())
            }
            Event::SessionCame { agent, .. } => {
                let mut signs_in = false;
                self.change(*agent, kept, |person| {
                    signs_in = person.connection == Connection::Offline;
                    if person.connection != Connection::Unreachable {
                        person.connection = Connection::Online;
                    }
                })?;
                if signs_in {
                    self.spend(*agent, bucket_of(self.now), SIGN_INS, 1);
                }
                Ok(())
            }
            Event::AgentReconnecting { agent, .. } => {
                self.change(*agent, kept, |person| person.connection = Connection::Reconnecting)
            }
            Event::AgentUnreachable { agent } => {
                self.change(*agent, kept, |person| person.connection = Connection::Unreachable)
            }
            Event::AgentReachable { agent } => {
                self.change(*agent, kept, |person| person.connection = Connection::Online)
            }
            Event::AgentOffline { agent, status, .. } => self.change(*agent, kept, |person| {
                (person.connection, person.status) = (Connection::Offline, status.0);
            }),
            Event::StatusChanged { agent, status, .. } => self.change(*agent, kept, |person| person.status = status.0),
            _ => unreachable!("only what is said of agents is given here"),
        }
    }

    /// It holds one conversation more, or (`false`) one less.
    pub(super) fn hold<K: Kept>(&mut self, agent: AgentId, more: bool, kept: &mut K) -> Result<(), K::Failed> {
        self.change(agent, kept, |person| match more {
            true => person.held += 1,
            false => person.held = person.held.saturating_sub(1),
        })
    }

    /// Counts its time up to now, and changes it.
    fn change<K: Kept>(
        &mut self,
        agent: AgentId,
        kept: &mut K,
        change: impl FnOnce(&mut Person),
    ) -> Result<(), K::Failed> {
        self.change_at(self.now, agent, kept, change)
    }

    fn change_at<K: Kept>(
        &mut self,
        now: u64,
        agent: AgentId,
        kept: &mut K,
        change: impl FnOnce(&mut Person),
    ) -> Result<(), K::Failed> {
        let known = match self.persons.get(&agent) {
            Some(person) => Some(*person),
            None => kept.person(agent)?,
        };
        let mut person = known.unwrap_or(Person { status: self.facts.away(), since: now, ..Person::default() });
        let mut spent = Vec::new();
        person.spent(self.facts.available, now, |bucket, measure, ms| spent.push((bucket, measure, ms)));
        for (bucket, measure, ms) in spent {
            self.spend(agent, bucket, measure, ms);
        }
        person.since = now;
        change(&mut person);
        self.persons.insert(agent, person);
        Ok(())
    }

    fn spend(&mut self, agent: AgentId, bucket: u32, measure: Measure, value: i64) {
        let key = CellKey { cube: Cube::Time, bucket, agent, queue: QueueId(0), channel: ChannelId(0) };
        self.cells.entry(key).or_default().add(measure, value);
    }

    fn connected<K: Kept>(&self, kept: &mut K) -> Result<BTreeSet<AgentId>, K::Failed> {
        let mut connected: BTreeSet<AgentId> =
            kept.connected()?.into_iter().filter(|agent| !self.persons.contains_key(agent)).collect();
        let here = self.persons.iter().filter(|(_, person)| person.connection != Connection::Offline);
        connected.extend(here.map(|(agent, _)| *agent));
        Ok(connected)
    }
}
