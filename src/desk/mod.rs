//! Who is offered which conversation. Pure: no I/O, no clock, no async, no randomness of its own.
//!
//! Three verbs: [`Desk::handle`] decides a command into events or a refusal, [`Desk::apply`] is the only way that state
//! changes (live, replayed and in the simulation), and [`Desk::next_deadline`] says when time alone changes something.

pub mod able;
pub mod agent;
pub mod answer;
mod apply;
mod apply_moves;
pub mod auto_accept;
mod await_turn;
mod causes;
mod change;
pub mod choosing;
pub mod clocks;
pub mod command;
pub mod conversation;
pub mod deadlines;
pub mod deciding;
pub mod decision;
pub mod estimates;
pub mod estimating;
pub mod event;
pub mod expecting;
pub mod files;
pub mod fits;
mod forgotten;
mod handle;
pub mod hours;
pub mod idle;
pub mod ids;
pub mod imported;
pub mod invariants;
mod keys;
pub mod labels;
mod left_waiting;
mod limits;
mod lists;
pub mod load;
pub mod messenger_page;
pub mod moves;
pub mod need;
pub mod needs;
pub mod offer;
pub mod offering;
pub mod opening;
pub mod outside;
mod overlooked;
pub mod own;
mod paged;
mod pairing;
mod preferring;
mod programs;
pub mod queue_moves;
pub mod quota;
pub mod ratings;
pub mod refusal;
pub mod remembered;
mod schedule;
pub mod settings;
pub mod silence;
pub mod silence_rules;
pub mod skills;
mod sorted;
pub mod stored;
pub mod time;
pub mod touched;
pub mod turns;
pub mod waiting;
pub mod waiting_page;
pub mod waiting_rules;
mod who;
pub mod why;
pub mod wrapping;

#[cfg(test)]
mod tests;

use agent::Agent;
use conversation::Conversation;
use ids::{AgentId, ConversationId, CustomerId, OfferId, QueueId};
use offer::{EndedOffer, Offer};
use settings::{ApiKey, QueueSettings, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use time::{DeskTime, Now, WallTime};

/// How many ended offers are kept for late answers; older ones are in the view.
const ENDED_OFFERS_MAX: usize = 4_096;
/// Agents whose cool-down one conversation holds; beyond that the one that ends first is forgotten.
const COOL_DOWNS_MAX: usize = 256;
/// Sign-outs of customers that are held; tokens of ours live for a year, so none is ever certainly over.
const SIGNED_OUT_MAX: usize = 100_000;
/// The most events that one command decides; work that could be larger goes in steps, at the next tick.
pub const EVENTS_PER_COMMAND_MAX: usize = 512;

/// The state of one workspace.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    now: Now,
    settings: Arc<Settings>,
    queues: paged::Paged<QueueId, Queue>,
    queue_names: BTreeMap<Arc<str>, QueueId>,
    last_queue: u32,
    /// By `AgentId`, which is the place: agents are deactivated, never removed.
    agents: Vec<Agent>,
    agent_names: BTreeMap<Arc<str>, AgentId>,
    /// All that are not closed.
    conversations: paged::Paged<ConversationId, Box<Conversation>>,
    last_conversation: u64,
    /// The pending ones.
    offers: BTreeMap<OfferId, Offer>,
    last_offer: u64,
    last_decision: u64,
    ended_decisions: deciding::EndedDecisions,
    ended_offers: BTreeMap<OfferId, EndedOffer>,
    api_keys: BTreeMap<Arc<str>, ApiKey>,
    /// Customers whose older tokens are void, for as long as such a token can live.
    signed_out: BTreeMap<CustomerId, WallTime>,
    /// Customers who left while they waited, for as long as they keep the place.
    left_waiting: left_waiting::LeftWaiting,
    /// How the hours of the settings stand.
    openings: opening::Openings,
    /// What waits have taken lately.
    estimates: estimating::ByClass,
    remembered: remembered::Remembered,

    // Kept beside the entities, and derived from them alone.
    deadlines: deadlines::Deadlines,
    able: able::Able,
    waiting: waiting::Waiting,
    skills: skills::Skills,
    preferring: preferring::Preferring,
    preferred_changed: BTreeSet<AgentId>,
    /// As those who are preferred stood when that was last looked at.
    preferred_seen: BTreeMap<AgentId, able::Presence>,
    skips_busy: bool,
    programs: programs::Programs,
    deciding: deciding::Deciding,
    threads: outside::Threads,
    /// Programs whose profile changed, and that have not been looked at since.
    programs_moved: BTreeSet<AgentId>,

    /// Those that are active.
    active_agents: u32,
    /// By the operator; not of the state.
    allowed: quota::Allowed,

    // What the next command has to look at; empty but for work that goes in steps.
    unpaired_agents: BTreeSet<AgentId>,
    unpaired_conversations: BTreeSet<conversation::WaitKey>,
    /// Agents with a next status, and with nothing left to do when they were last changed.
    finished: BTreeSet<AgentId>,

    touched: touched::Touched,
}

/// A queue and how much stands in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Queue {
    pub settings: Arc<QueueSettings>,
    pub waiting: u32,
    pub offered: u32,
    pub active: u32,
    pub wrap_up: u32,
    /// Of the active ones, those that are paused.
    pub paused: u32,
}

impl Queue {
    /// Nothing stands in it.
    pub(crate) fn new(settings: Arc<QueueSettings>) -> Self {
        Self { settings, waiting: 0, offered: 0, active: 0, wrap_up: 0, paused: 0 }
    }

    #[must_use]
    pub fn conversations(&self) -> u32 {
        self.waiting + self.offered + self.active + self.wrap_up
    }
}

impl Desk {
    /// When time alone changes something; `None` while nothing is pending.
    #[must_use]
    pub fn next_deadline(&self) -> Option<DeskTime> {
        if self.has_unpaired() {
            return Some(self.now.desk);
        }
        let hours = self.next_turn_of_hours();
        let hours = hours.map(|at| self.now.desk.plus_ms(at.0.saturating_sub(self.now.wall.0)));
        self.deadlines.next(self.now).into_iter().chain(hours).min()
    }

    /// Whether a deadline runs: then the clock must be written down from time to time. (Not for hours, which go by the wall.)
    #[must_use]
    pub fn has_deadlines(&self) -> bool {
        self.deadlines.next(self.now).is_some()
    }

    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub fn queues(&self) -> impl Iterator<Item = (QueueId, &Queue)> {
        self.queues.iter()
    }

    #[must_use]
    pub fn queue(&self, id: QueueId) -> Option<&Queue> {
        self.queues.get(&id)
    }

    pub fn agents(&self) -> impl Iterator<Item = (AgentId, &Agent)> {
        self.agents.iter().enumerate().map(|(place, agent)| (AgentId(place as u32), agent))
    }

    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(id.0 as usize)
    }

    #[must_use]
    pub fn agent_named(&self, name: &str) -> Option<AgentId> {
        self.agent_names.get(name).copied()
    }

    pub fn conversations(&self) -> impl Iterator<Item = (ConversationId, &Conversation)> {
        self.conversations.iter().map(|(id, conversation)| (id, &**conversation))
    }

    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.get(&id).map(|conversation| &**conversation)
    }

    /// The newest conversation there ever was.
    #[must_use]
    pub fn last_conversation(&self) -> ConversationId {
        ConversationId(self.last_conversation)
    }

    pub fn offers(&self) -> impl Iterator<Item = (OfferId, &Offer)> {
        self.offers.iter().map(|(id, offer)| (*id, offer))
    }

    #[must_use]
    pub fn offer(&self, id: OfferId) -> Option<&Offer> {
        self.offers.get(&id)
    }

    pub fn api_keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.api_keys.values()
    }

    pub fn signed_out(&self) -> impl Iterator<Item = (CustomerId, WallTime)> + '_ {
        self.signed_out.iter().map(|(customer, at)| (*customer, *at))
    }

    /// Conversations that wait in a queue, in the order they are taken in.
    #[must_use]
    pub fn waiting_in(&self, queue: QueueId) -> Vec<ConversationId> {
        self.waiting.in_queue(queue)
    }

    /// Since when the oldest of a queue waits.
    #[must_use]
    pub fn oldest_in(&self, queue: QueueId) -> Option<WallTime> {
        self.waiting.oldest_in(queue)
    }

    /// Agents of a queue who could take something now.
    #[must_use]
    pub fn able_in(&self, queue: QueueId) -> usize {
        self.able.in_queue(queue)
    }

    /// Agents of a queue who are there for its customers, busy or not.
    #[must_use]
    pub fn there_in(&self, queue: QueueId) -> u32 {
        self.able.there_in(queue)
    }

    /// What changed since this was last called: for the view, and for readers of presence.
    pub fn take_touched(&mut self) -> touched::Touched {
        std::mem::take(&mut self.touched)
    }

    /// Everything that a replay must give again, compared field by field.
    #[must_use]
    pub fn same_state(&self, other: &Self) -> bool {
        self.difference(other).is_none()
    }

    /// The first field in which two desks differ.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        macro_rules! compare {
            ($($field:ident),*) => { $( if self.$field != other.$field { return Some(stringify!($field)); } )* };
        }
        compare!(
            settings,
            queues,
            queue_names,
            last_queue,
            agents,
            agent_names,
            conversations,
            last_conversation,
            offers,
            last_offer,
            last_decision,
            api_keys,
            signed_out,
            left_waiting,
            openings,
            estimates,
            deadlines,
            able,
            waiting,
            preferring,
            programs,
            deciding,
            active_agents,
            threads
        );
        None
    }
}
