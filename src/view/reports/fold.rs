//! Events become counts. Pure: what is known of a conversation or an agent is asked for when an event names it, and what came of it is
//! taken out at the end and written. The same events in the same order give the same, however they were cut into batches.

use super::facts::Facts;
use super::histogram::Course;
use super::measures::Measure;
use super::person::Person;
use super::sums::Sums;
use super::talk::Talk;
use super::{Cube, bucket_of};
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, ConversationId, QueueId};
use crate::desk::settings::ChannelId;
use std::collections::{BTreeMap, HashMap};

/// Where a count is kept. Without an agent it is 0, and so are queue and channel of agents' time; its cube tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct CellKey {
    pub cube: Cube,
    pub bucket: u32,
    pub agent: AgentId,
    pub queue: QueueId,
    pub channel: ChannelId,
}

/// What was written before.
pub(super) trait Kept {
    type Failed;
    fn talk(&mut self, conversation: ConversationId) -> Result<Option<Talk>, Self::Failed>;
    fn person(&mut self, agent: AgentId) -> Result<Option<Person>, Self::Failed>;
    /// Those that are not offline.
    fn connected(&mut self) -> Result<Vec<AgentId>, Self::Failed>;
}

/// Of one workspace, within one transaction.
#[derive(Default)]
pub(super) struct Fold {
    pub(super) facts: Facts,
    /// When the last turn was.
    pub(super) wall_ms: u64,
    /// When this turn is.
    pub(super) now: u64,
    pub(super) talks: HashMap<ConversationId, Talk>,
    pub(super) persons: BTreeMap<AgentId, Person>,
    pub(super) cells: HashMap<CellKey, Sums>,
}

impl Fold {
    pub(super) fn of(facts: Facts, wall_ms: u64) -> Self {
        Self { facts, wall_ms, ..Self::default() }
    }

    /// The next turn.
    pub(super) fn turn<K: Kept>(&mut self, at: u64, events: &[Event], kept: &mut K) -> Result<(), K::Failed> {
        self.now = at;
        for event in events {
            self.event(event, kept)?;
        }
        self.wall_ms = at;
        Ok(())
    }

    fn event<K: Kept>(&mut self, event: &Event, kept: &mut K) -> Result<(), K::Failed> {
        match event {
            Event::QueuePut { queue, settings } => {
                self.facts.put_queue(*queue, settings);
                Ok(())
            }
            Event::QueueRemoved { queue, .. } => {
                self.facts.remove_queue(*queue);
                Ok(())
            }
            Event::SettingsChanged { .. }
            | Event::AgentPut { .. }
            | Event::ServerBegan { .. }
            | Event::NodeGone { .. }
            | Event::SessionCame { .. }
            | Event::AgentReconnecting { .. }
            | Event::AgentUnreachable { .. }
            | Event::AgentReachable { .. }
            | Event::AgentOffline { .. }
            | Event::StatusChanged { .. } => self.agents(event, kept),
            Event::OfferMade { .. } | Event::OfferEnded { .. } => self.offers(event, kept),
            Event::ConversationOpened { .. }
            | Event::MessagePosted { .. }
            | Event::ConversationEnded { .. }
            | Event::WrapUpEnded { .. }
            | Event::ConversationReopened { .. }
            | Event::ConversationRequeued { .. }
            | Event::ConversationTransferred { .. }
            | Event::ConversationTaken { .. }
            | Event::ConversationHandedOver { .. }
            | Event::ConversationLeft { .. }
            | Event::ConversationMoved { .. }
            | Event::ConversationRated { .. }
            | Event::ClockEnded { .. } => self.conversations(event, kept),
            Event::ApiKeyPut { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::SessionWent { .. }
            | Event::NextStatusSet { .. }
            | Event::OfferDelivered { .. }
            | Event::DeliveryReported { .. }
            | Event::ConversationPaused { .. }
            | Event::ConversationWoken { .. }
            | Event::MessagesRead { .. }
            | Event::WrapUpExtended { .. }
            | Event::OwnerVanished { .. }
            | Event::OwnerReturned { .. }
            | Event::OwnerReminded { .. }
            | Event::NotePosted { .. }
            // What was had elsewhere counts in no report.
            | Event::ConversationImported { .. }
            | Event::MessageImported { .. }
            | Event::NoteImported { .. }
            | Event::ConversationLabelled { .. }
            | Event::ConversationDescribed { .. }
            | Event::AgentDraining { .. }
            | Event::RingReached { .. }
            | Event::DecisionWanted { .. }
            | Event::DecisionEnded { .. }
            | Event::PriorityRaised { .. }
            | Event::ClockSet { .. }
            | Event::ClockBreached { .. }
            | Event::HoursTurned { .. }
            | Event::StayedAtClosing { .. }
            | Event::CustomerMerged { .. }
            | Event::CustomerSignedOut { .. } => Ok(()),
        }
    }

    /// What is known of a conversation; `None` for one that began before the reports did.
    pub(super) fn talk<K: Kept>(&mut self, id: ConversationId, kept: &mut K) -> Result<Option<Talk>, K::Failed> {
        match self.talks.remove(&id) {
            Some(talk) => Ok(Some(talk)),
            None => kept.talk(id),
        }
    }

    /// Counts something that happened now, of a conversation, and of the agent to whom it belongs.
    pub(super) fn count(&mut self, talk: &Talk, agent: Option<AgentId>, measure: Measure, value: i64) {
        self.count_at(bucket_of(self.now), talk.queue, talk.channel, agent, measure, value);
    }

    pub(super) fn count_at(
        &mut self,
        bucket: u32,
        queue: QueueId,
        channel: ChannelId,
        agent: Option<AgentId>,
        measure: Measure,
        value: i64,
    ) {
        debug_assert!(measure.of_agents || agent.is_none(), "{} belongs to no agent", measure.name);
        let key = CellKey { cube: Cube::Queues, bucket, agent: AgentId(0), queue, channel };
        self.cells.entry(key).or_default().add(measure, value);
        if let Some(agent) = agent {
            let key = CellKey { cube: Cube::Agents, agent, ..key };
            self.cells.entry(key).or_default().add(measure, value);
        }
    }

    /// Counts how long something took that is over now.
    pub(super) fn time(&mut self, talk: &Talk, agent: Option<AgentId>, course: Course, ms: u64) {
        let (queue, channel) = (talk.queue, talk.channel);
        let key = CellKey { cube: Cube::Queues, bucket: bucket_of(self.now), agent: AgentId(0), queue, channel };
        self.cells.entry(key).or_default().time(course, ms);
        if let Some(agent) = agent {
            let key = CellKey { cube: Cube::Agents, agent, ..key };
            self.cells.entry(key).or_default().time(course, ms);
        }
    }
}
