//! What a workspace is set to: channels, statuses, queues, agents' profiles. Plain values with DESIGN's defaults,
//! and the checks that keep a setting from stranding anybody.

use super::auto_accept::AutoAccept;
use super::clocks::ServiceTimes;
use super::files::FileRules;
use super::hours::Hours;
use super::idle::IdleAgents;
use super::ids::QueueId;
use super::labels::{LabelRules, QueueLabels};
use super::messenger_page::MessengerPage;
use super::offering::{AcrossQueues, Offering};
use super::queue_moves::QueueMoves;
use super::ratings::RatingRules;
use super::silence::SilenceRules;
use super::silence_rules::{SilentCustomer, SilentOwner};
use super::waiting_rules::{LeftMessages, WaitingRules};
use super::wrapping::WrapUp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most queues, agents, channels, statuses and skills that one workspace holds.
pub const QUEUES_MAX: usize = 1_000;
pub const AGENTS_MAX: usize = 200_000;
/// Agents of a workspace that are programs.
pub const PROGRAMS_MAX: usize = 1_000;
pub const CHANNELS_MAX: usize = 16;
pub const STATUSES_MAX: usize = 32;
pub const NAME_BYTES_MAX: usize = 128;

/// A channel's place in `Settings::channels`. Channels are only ever added, so a place keeps its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelId(pub u8);

/// A status's place in `Settings::statuses`. Statuses are only ever added, so a place keeps its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusId(pub u8);

/// One way of talking: how much of an agent it takes, and how long an offer of it runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub name: Arc<str>,
    /// Conversations of this channel that one agent holds at once, unless its profile says otherwise.
    pub capacity: u32,
    /// What one of them takes of an agent's total.
    pub weight: u32,
    /// How long an offer to a person runs; to a program: `Settings::program_offer_ms`.
    pub offer_ms: u64,
    pub wrap_up_ms: u64,
    /// What ends wrap-up, what it blocks, how it is extended.
    #[serde(default)]
    pub wrap_up: WrapUp,
    /// What becomes of those whose customer is silent.
    #[serde(default)]
    pub silence: SilenceRules,
    /// Live channels go back to the queue when their owner stays away; others wait for the customer's next message.
    pub live: bool,
}

/// What the weights of a person's conversations add up to at most, unless its profile says otherwise; and the most of a weight.
pub const CAPACITY_TOTAL: u32 = 100;
/// The same for a program.
pub const PROGRAM_CAPACITY_TOTAL: u32 = 10_000;
pub const CAPACITY_TOTAL_MAX: u32 = 100_000;
/// Offers, conversations and wrap-ups that one agent holds at most, whatever its total is: it bounds what one event of its
/// connection leads to, and its snapshot.
pub const HELD_MAX: u32 = 500;

/// A status that an agent may choose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    pub name: Arc<str>,
    /// Whether an agent in it is offered conversations.
    pub available: bool,
}

/// Cool-down after each end of an offer, for the pair of that agent and that conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CoolDowns {
    pub rejected_ms: u64,
    pub expired_ms: u64,
    pub undelivered_ms: u64,
    pub agent_lost_ms: u64,
    /// The first three double with each further no, up to this.
    pub most_ms: u64,
}

impl Default for CoolDowns {
    fn default() -> Self {
        Self { rejected_ms: 30_000, expired_ms: 60_000, undelivered_ms: 30_000, agent_lost_ms: 0, most_ms: 600_000 }
    }
}

/// The workspace's own settings; one event carries them whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub channels: Vec<Channel>,
    pub statuses: Vec<Status>,
    pub cool_downs: CoolDowns,
    /// Confirmation of delivery must come within this, or half of the offer's time if that is less.
    pub delivery_ms: u64,
    /// Offers undelivered in a row that make an agent unreachable.
    pub undelivered_in_a_row_max: u32,
    /// How long a pending offer waits for its agent to come back.
    pub offer_grace_ms: u64,
    /// How long a dropped agent keeps its status.
    pub agent_grace_ms: u64,
    /// Offers missed in a row that turn an agent away.
    pub missed_in_a_row_max: u32,
    /// Devices that one agent may have connected at once.
    pub devices_max: u32,
    /// How long after its owner went offline a live conversation goes back to its queue.
    pub vanished_owner_ms: u64,
    /// A closed conversation is reopened by a customer's message for this long; later it is refused.
    pub reopen_ms: u64,
    /// Reason codes that an agent may reject with.
    pub reject_reasons: Vec<Arc<str>>,
    /// Whether a valid token of an agent who is not known yet creates the agent, in `new_agent_queues`.
    pub create_agents: bool,
    pub new_agent_queues: Vec<Arc<str>>,
    /// What picks queue, skills and priority of a new conversation: the first rule that matches.
    pub entry_rules: Vec<EntryRule>,
    /// Where a conversation goes when no rule matches.
    pub default_queue: Option<Arc<str>>,
    /// Which of its queues an agent's next conversation comes from.
    pub across_queues: AcrossQueues,
    /// How long an offer to a program runs, on every channel and in every queue.
    pub program_offer_ms: u64,
    /// Opening hours, by the name that queues give.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hours: BTreeMap<Arc<str>, Hours>,
    /// Disposition codes, tags and custom fields.
    pub labels: LabelRules,
    /// What becomes of agents without input; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_agents: Option<IdleAgents>,
    /// Where a message goes that is left when a conversation cannot be begun; absent: none may be left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_messages: Option<LeftMessages>,
    /// How the messenger looks, and what it says.
    pub messenger: MessengerPage,
    /// How customers rate what is over.
    pub rating: RatingRules,
    /// Files that are added to messages; null: none may be.
    #[serde(skip_serializing_if = "FileRules::are_usual")]
    pub files: Option<FileRules>,
    /// Days that closed conversations, their files and their part of the journal are kept; absent: as the server keeps them. Where both
    /// are set, the shorter holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let channel = |name: &str, capacity, weight, offer_ms, wrap_up_ms, live| Channel {
            name: name.into(),
            capacity,
            weight,
            offer_ms,
            wrap_up_ms,
            wrap_up: WrapUp::default(),
            silence: SilenceRules::default(),
            live,
        };
        let status = |name: &str, available| Status { name: name.into(), available };
        Self {
            channels: vec![
                channel("chat", 3, 33, 30_000, 0, true),
                channel("voice", 1, 100, 20_000, 60_000, true),
                channel("email", 5, 20, 120_000, 0, false),
            ],
            statuses: vec![status("away", false), status("available", true)],
            cool_downs: CoolDowns::default(),
            delivery_ms: 5_000,
            undelivered_in_a_row_max: 2,
            offer_grace_ms: 10_000,
            agent_grace_ms: 60_000,
            missed_in_a_row_max: 2,
            devices_max: 5,
            vanished_owner_ms: 120_000,
            reopen_ms: 30 * 86_400_000,
            reject_reasons: ["busy", "not_mine", "break", "other"].map(Arc::from).to_vec(),
            create_agents: true,
            new_agent_queues: Vec::new(),
            entry_rules: Vec::new(),
            default_queue: None,
            across_queues: AcrossQueues::default(),
            program_offer_ms: 5_000,
            hours: BTreeMap::new(),
            labels: LabelRules::default(),
            idle_agents: None,
            left_messages: None,
            messenger: MessengerPage::default(),
            rating: RatingRules::default(),
            files: FileRules::usual(),
            retention_days: None,
        }
    }
}

/// One entry rule: every condition must hold. What the visitor sends is only ever compared, never obeyed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EntryRule {
    /// Metadata key -> the values that match.
    pub metadata: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// The same for the attributes of a signed customer token.
    pub attributes: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Only known customers (true), only anonymous ones (false), or both.
    pub known: Option<bool>,
    pub channel: Option<Arc<str>>,
    pub queue: Option<Arc<str>>,
    pub skills: BTreeMap<Arc<str>, u8>,
    pub priority: Option<i32>,
    pub prefers: Prefers,
}

/// What a rule makes a conversation prefer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Prefers {
    /// Skills that put an agent first, and never exclude one.
    pub skills: Vec<Arc<str>>,
    /// The agent that it is kept for, by name.
    pub agent: Option<Arc<str>>,
    /// The same, out of this attribute of a signed customer token; goes before `agent`.
    pub agent_attribute: Option<Arc<str>>,
    /// Never anyone else.
    pub required: bool,
}

/// A queue's settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    pub name: Arc<str>,
    /// Shown to customers and agents; empty: the name.
    #[serde(default)]
    pub title: Arc<str>,
    #[serde(default = "waiting_max")]
    pub waiting_max: u32,
    /// The hours of the settings in which it is open; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Arc<str>>,
    #[serde(default)]
    pub priority: i32,
    /// Overrides of the channel's, in milliseconds.
    #[serde(default)]
    pub offer_ms: Option<u64>,
    #[serde(default)]
    pub wrap_up_ms: Option<u64>,
    /// Members that are set go before the channel's.
    #[serde(default)]
    pub wrap_up: WrapUp,
    /// Skills that every conversation of this queue requires, with the least level.
    #[serde(default)]
    pub skills: BTreeMap<Arc<str>, u8>,
    /// Who comes first, rings, preferred agents.
    #[serde(default)]
    pub offering: Offering,
    /// Full queues, the longest wait, the most offers, the place of who left.
    #[serde(default)]
    pub waiting: WaitingRules,
    /// Picking, vanished owners, reopening, draining.
    #[serde(default)]
    pub moves: QueueMoves,
    /// How soon people are to accept, to reply and to be done.
    #[serde(default)]
    pub service: ServiceTimes,
    /// What becomes of a customer who does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_customer: Option<SilentCustomer>,
    /// What becomes of an owner who does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_owner: Option<SilentOwner>,
    /// Which dispositions are offered, and whether one is required.
    #[serde(default)]
    pub labels: QueueLabels,
}

fn waiting_max() -> u32 {
    10_000
}

impl QueueSettings {
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            title: "".into(),
            waiting_max: waiting_max(),
            hours: None,
            priority: 0,
            offer_ms: None,
            wrap_up_ms: None,
            wrap_up: WrapUp::default(),
            skills: BTreeMap::new(),
            offering: Offering::default(),
            waiting: WaitingRules::default(),
            moves: QueueMoves::default(),
            service: ServiceTimes::default(),
            silent_customer: None,
            silent_owner: None,
            labels: QueueLabels::default(),
        }
    }
}

/// What an agent may do besides taking conversations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Agent,
    Supervisor,
    Admin,
}

/// Who an agent is and what it can take, as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentProfile {
    /// The outside name: a token's `sub`. Never changes.
    pub name: Arc<str>,
    /// For people; empty: the name.
    #[serde(default)]
    pub title: Arc<str>,
    #[serde(default = "yes")]
    pub active: bool,
    #[serde(default)]
    pub queues: Vec<QueueId>,
    /// Skill name -> level 1 to 10.
    #[serde(default)]
    pub skills: BTreeMap<Arc<str>, u8>,
    /// Channel name -> limit, where it differs from the channel's.
    #[serde(default)]
    pub capacity: BTreeMap<Arc<str>, u32>,
    /// Its tier in each queue where it is not 1, the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiers: BTreeMap<QueueId, u8>,
    /// It is a program (an AI agent) on the same protocol, not a person.
    #[serde(default, skip_serializing_if = "is_no")]
    pub program: bool,
    /// What the weights of its conversations add up to at most; absent: `CAPACITY_TOTAL`, of a program
    /// `PROGRAM_CAPACITY_TOTAL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_total: Option<u32>,
    #[serde(default, skip_serializing_if = "AutoAccept::is_by_queue")]
    pub auto_accept: AutoAccept,
    /// How long its offers run, in percent of what others are given: for who needs more time to see or to answer one.
    #[serde(default = "as_long", skip_serializing_if = "is_as_long")]
    pub offer_percent: u32,
}

/// Of `AgentProfile::offer_percent`: as long as everybody's, and ten times as long, to which WCAG's rule of adjustable timing goes.
pub const OFFER_PERCENT: std::ops::RangeInclusive<u32> = 100..=1_000;

fn as_long() -> u32 {
    *OFFER_PERCENT.start()
}

fn is_as_long(percent: &u32) -> bool {
    *percent == as_long()
}

impl AgentProfile {
    /// A person in no queue.
    #[must_use]
    pub fn named(name: &Arc<str>) -> Self {
        Self {
            name: name.clone(),
            title: "".into(),
            active: true,
            queues: Vec::new(),
            skills: BTreeMap::new(),
            capacity: BTreeMap::new(),
            tiers: BTreeMap::new(),
            program: false,
            capacity_total: None,
            auto_accept: AutoAccept::ByQueue,
            offer_percent: as_long(),
        }
    }

    /// What the weights of its conversations add up to at most.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.capacity_total.unwrap_or(if self.program { PROGRAM_CAPACITY_TOTAL } else { CAPACITY_TOTAL })
    }
}

fn yes() -> bool {
    true
}

fn is_no(flag: &bool) -> bool {
    !flag
}

/// An API key as it is kept: never the key itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    pub id: Arc<str>,
    pub name: Arc<str>,
    /// SHA-256 of the whole key, lower-case hexadecimal.
    pub sha256: Arc<str>,
    pub scopes: Vec<Arc<str>>,
    /// Unix milliseconds.
    pub created_at: u64,
}
