//! An agent as the desk knows it: whether it can be reached, what it chose, and what it holds.
//!
//! ```text
//!             SessionCame                      last SessionWent
//!   offline ──────────────▶ online ◀──────────────────────────▶ reconnecting
//!      ▲                    │    ▲          SessionCame               │
//!      │      two offers    ▼    │ any command, or ready              │
//!      │      undelivered  unreachable                                │
//!      └─────────────── sign-out, deactivation ◀── grace over ────────┘
//! ```

use super::conversation::State;
use super::ids::{ConversationId, OfferId, SessionId};
use super::load::{Load, WHOLE};
use super::settings::{AgentProfile, ChannelId, HELD_MAX, Settings, StatusId};
use super::time::DeskTime;
use super::turns::Turns;
use super::wrapping::Blocks;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Agent {
    pub profile: AgentProfile,
    pub connection: Connection,
    pub sessions: Vec<SessionId>,
    pub status: StatusId,
    /// A bit for each channel that is switched on.
    pub channels: u16,
    /// Since when it has had nothing new: it became available, or took or finished a conversation.
    pub idle_since: DeskTime,
    pub missed_in_a_row: u32,
    pub undelivered_in_a_row: u32,
    /// Pending offers, oldest first.
    pub offers: Vec<OfferId>,
    /// Owned conversations, active and wrapping up, and those that it has joined, oldest first.
    pub conversations: Vec<ConversationId>,
    /// What those take.
    #[serde(skip)]
    pub load: Load,
    /// How many of those that it talks in are paused.
    #[serde(skip)]
    pub paused: u32,
    /// How many of its wrap-ups block it as a whole.
    #[serde(skip)]
    pub blocked: u32,
    /// The last offer made to it.
    #[serde(default)]
    pub last_offer: OfferId,
    /// Whose turn it is among its queues, where they go by weight.
    #[serde(default)]
    pub turns: Turns,
    /// Nothing new is offered to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    /// The status that it has once it has nothing left to do; until then nothing new is offered to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_status: Option<StatusId>,
    /// Its limits were lowered below what it holds, or what it holds woke beyond them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_limit: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    Offline,
    Online,
    Reconnecting {
        until: DeskTime,
    },
    /// Connected, but two offers in a row were never painted.
    Unreachable,
}

impl Connection {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Connection::Offline => "offline",
            Connection::Online => "online",
            Connection::Reconnecting { .. } => "reconnecting",
            Connection::Unreachable => "unreachable",
        }
    }
}

impl Agent {
    #[must_use]
    pub fn new(profile: AgentProfile, status: StatusId, channels: u16) -> Self {
        Self {
            profile,
            connection: Connection::Offline,
            sessions: Vec::new(),
            status,
            channels,
            idle_since: DeskTime::default(),
            missed_in_a_row: 0,
            undelivered_in_a_row: 0,
            offers: Vec::new(),
            conversations: Vec::new(),
            load: Load::default(),
            paused: 0,
            blocked: 0,
            last_offer: OfferId::default(),
            turns: Turns::default(),
            draining: false,
            next_status: None,
            over_limit: false,
        }
    }

    /// Whether anything may be offered to it at all; what it has room for is `room_on`.
    #[must_use]
    pub fn is_able(&self, settings: &Settings) -> bool {
        self.profile.active
            && !self.draining
            && self.next_status.is_none()
            && self.connection == Connection::Online
            && self.has_available_status(settings)
    }

    /// No offer, no conversation, no wrap-up.
    #[must_use]
    pub fn has_nothing_to_do(&self) -> bool {
        self.offers.is_empty() && self.conversations.is_empty()
    }

    #[must_use]
    pub fn has_available_status(&self, settings: &Settings) -> bool {
        settings.statuses.get(usize::from(self.status.0)).is_some_and(|status| status.available)
    }

    /// Whether customers can count on it: connected, if only just now, in an available status. Busy or not.
    #[must_use]
    pub fn is_there(&self, settings: &Settings) -> bool {
        self.profile.active
            && self.connection != Connection::Offline
            && settings.statuses.get(usize::from(self.status.0)).is_some_and(|status| status.available)
    }

    #[must_use]
    pub fn has_channel(&self, channel: ChannelId) -> bool {
        self.channels & 1 << channel.0 != 0
    }

    #[must_use]
    pub fn limit_on(&self, settings: &Settings, channel: ChannelId) -> u32 {
        let Some(set) = settings.channels.get(usize::from(channel.0)) else { return 0 };
        self.profile.capacity.get(&set.name).copied().unwrap_or(set.capacity)
    }

    /// The share of its total that is in use, in hundredths of a per cent.
    #[must_use]
    pub fn share_held(&self, settings: &Settings) -> u32 {
        (u64::from(self.load.weight(settings)) * 100 / u64::from(self.profile.total().max(1))) as u32
    }

    /// Whether one more conversation of this channel fits, by the channel's limit, by the total, and by what one agent holds at most;
    /// none does while wrap-up blocks the agent, or while what it holds does not fit any more.
    #[must_use]
    pub fn room_on(&self, settings: &Settings, channel: ChannelId) -> bool {
        let Some(set) = settings.channels.get(usize::from(channel.0)) else { return false };
        self.blocked == 0
            && !self.over_limit
            && self.has_channel(channel)
            && !self.is_full_on(settings, channel)
            && self.load.weight(settings) + set.weight * WHOLE <= self.profile.total() * WHOLE
            && ((self.offers.len() + self.conversations.len()) as u32) < HELD_MAX
    }

    /// Whether the channel's limit holds no whole conversation more.
    #[must_use]
    pub fn is_full_on(&self, settings: &Settings, channel: ChannelId) -> bool {
        self.load.on(channel) + WHOLE > self.limit_on(settings, channel) * WHOLE
    }

    /// How many more conversations of this channel fit; none while wrap-up blocks the agent.
    #[must_use]
    pub fn rooms_on(&self, settings: &Settings, channel: ChannelId) -> u32 {
        if !self.room_on(settings, channel) {
            return 0;
        }
        let by_limit = (self.limit_on(settings, channel) * WHOLE - self.load.on(channel)) / WHOLE;
        let weight = settings.channels.get(usize::from(channel.0)).map_or(1, |set| set.weight.max(1));
        let by_total = (self.profile.total() * WHOLE - self.load.weight(settings)) / (weight * WHOLE);
        by_limit.min(by_total).min(HELD_MAX - (self.offers.len() + self.conversations.len()) as u32)
    }

    /// It owns a conversation in this state now, which takes so many hundredths.
    pub(super) fn take_owned(&mut self, state: State, channel: ChannelId, takes: u32) {
        self.load.take(channel, takes);
        self.blocked += u32::from(state.wrap_up_blocks() == Some(Blocks::Agent));
    }

    /// It does no longer.
    pub(super) fn drop_owned(&mut self, state: State, channel: ChannelId, takes: u32) {
        self.load.give_back(channel, takes);
        self.blocked -= u32::from(state.wrap_up_blocks() == Some(Blocks::Agent));
    }
}
