//! A conversation as the desk knows it: where it stands, who owns it, how old it is. Its texts are not here.
//!
//! ```text
//!   waiting ──OfferMade──▶ offered ──accepted──▶ active ──ConversationEnded──▶ wrap_up ──WrapUpEnded──▶ closed
//!      ▲ ◀──any other end─────┘                   │  ▲                            │ │
//!      ├────────── ConversationRequeued ◀─────────┘  └── the customer writes ─────┘ │
//!      └───────────────────────── ConversationReopened ◀── the customer writes ─────┴── closed
//! ```
//! How it changes hands without an end is in `moves.rs`.

use super::decision::Routed;
use super::estimates::Said;
use super::event::{OfferEnd, RequiredSkill};
use super::ids::{AgentId, ConversationId, CustomerId, KeyNumber, OfferId, QueueId};
use super::labels::Labels;
use super::moves::Moved;
use super::settings::{ChannelId, CoolDowns};
use super::time::{DeskTime, DeskTimeOrNone, WallTime};
use super::wrapping::Blocks;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Conversation {
    pub customer: CustomerId,
    /// The customer's key, under which its texts are sealed.
    pub key: KeyNumber,
    pub channel: ChannelId,
    pub queue: QueueId,
    pub priority: i32,
    pub skills: Vec<RequiredSkill>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Arc<str>>,
    pub state: State,
    /// While it is offered: the pending offers, oldest first, at most `OFFERED_AT_ONCE_MAX`. While it is active: the one of
    /// its transfer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Pending>,
    pub opened_at: WallTime,
    /// From when its age counts.
    pub waiting_since: WallTime,
    /// When it last ended, for how long it may be reopened.
    #[serde(default)]
    pub ended_at: WallTime,
    /// Number of the last message; 0 when there is none.
    pub last_number: u32,
    /// Count of what its customer may see.
    pub public: u32,
    pub read_by_agent: u32,
    pub read_by_customer: u32,
    pub offers_made: u32,
    pub cool_downs: Vec<CoolDown>,
    /// Its owner is offline: at this time it goes back to its queue, or its wrap-up is over. `DeskTime(u64::MAX)`: at the
    /// customer's next message.
    #[serde(default, skip_serializing_if = "DeskTimeOrNone::is_none")]
    pub requeue_at: DeskTimeOrNone,
    /// Steps of widening that its age has reached.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ring: u8,
    /// What it prefers; mostly nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wishes: Option<Box<Wishes>>,
    /// Moves that are under way, and what is left of earlier ones; mostly nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Box<Moved>>,
    /// Where its queue is decided from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routed: Option<Box<Routed>>,
    /// What its agents said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Box<Labels>>,
    /// Of this time of waiting, in this queue.
    #[serde(default)]
    pub spell: Spell,
}

/// One time of waiting in one queue, offers that fail included: what the rules of waiting are counted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Spell {
    /// When it began; its age may be another.
    pub from: WallTime,
    /// Offers made before it.
    pub offers_before: u32,
    /// How often its priority was raised for its longest wait, each time for so long again.
    pub raised: u8,
    /// How often rules moved it to another queue, since it last had an owner.
    pub moves: u8,
    /// A message left out of hours: its age and its wait begin when its queue opens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// A message that was left since nothing could be begun: its customer does not wait here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message: bool,
    /// Its queue has closed, and the rule of those who wait then was done for it; until that opens again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stayed: bool,
    /// Its place in the queue when it began, from 1; 0: nothing is learnt of it.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub place: u16,
    /// What was estimated then.
    #[serde(default, skip_serializing_if = "Said::is_nothing")]
    pub said: Said,
}

fn is_none_yet(place: &u16) -> bool {
    *place == 0
}

/// What a conversation prefers of an agent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// Skills that put an agent first, and never exclude one.
    pub skills: Vec<Arc<str>>,
    pub agent: Option<WishedAgent>,
}

/// The agent that a conversation is kept for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WishedAgent {
    pub agent: AgentId,
    /// Until then it is preferred; without a time it is required: never anyone else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DeskTime>,
}

fn is_zero(ring: &u8) -> bool {
    *ring == 0
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    /// To whom is in `Conversation::offers`. (With braces, so that rows which named the one offer here still load.)
    Offered {},
    Active {
        owner: AgentId,
    },
    WrapUp {
        owner: AgentId,
        /// `OPEN_ENDED`: no time ends it.
        until: DeskTime,
        /// From when its most in all counts.
        #[serde(default)]
        since: DeskTime,
        /// As it was set when this began.
        #[serde(default)]
        blocks: Blocks,
        /// How often its agent was given more time.
        #[serde(default)]
        extensions: u8,
    },
    Closed,
}

impl State {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Offered { .. } => "offered",
            State::Active { .. } => "active",
            State::WrapUp { .. } => "wrap_up",
            State::Closed => "closed",
        }
    }

    /// The one owner: who talks, or still has work after the talk.
    #[must_use]
    pub fn owner(self) -> Option<AgentId> {
        match self {
            State::Active { owner } | State::WrapUp { owner, .. } => Some(owner),
            State::Waiting | State::Offered { .. } | State::Closed => None,
        }
    }

    /// What its owner's wrap-up blocks.
    #[must_use]
    pub fn wrap_up_blocks(self) -> Option<Blocks> {
        match self {
            State::WrapUp { blocks, .. } => Some(blocks),
            State::Waiting | State::Offered { .. } | State::Active { .. } | State::Closed => None,
        }
    }

    /// Whether it takes capacity of its owner: all that an agent owns does, but for wrap-up that blocks nothing.
    #[must_use]
    pub fn takes_slot(self) -> bool {
        self.owner().is_some() && self.wrap_up_blocks() != Some(Blocks::Nothing)
    }
}

/// The most agents that one conversation is offered to at once.
pub const OFFERED_AT_ONCE_MAX: usize = 20;

/// A pending offer of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub offer: OfferId,
    pub agent: AgentId,
}

/// This agent is not offered this conversation until then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CoolDown {
    pub agent: AgentId,
    pub until: DeskTime,
    /// Noes so far, for the doubling.
    pub times: u32,
}

/// The order in which waiting conversations are taken: priority, then accept-by time where the queue sets one (before those
/// without), then age, then id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct WaitKey {
    priority: std::cmp::Reverse<i32>,
    accept_by: WallTime,
    waiting_since: WallTime,
    pub conversation: ConversationId,
}

impl WaitKey {
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.priority.0
    }

    #[must_use]
    pub fn waiting_since(&self) -> WallTime {
        self.waiting_since
    }

    /// What comes after all of the same priority.
    #[must_use]
    pub fn after_its_priority(&self) -> Self {
        let last = WallTime(u64::MAX);
        Self { accept_by: last, waiting_since: last, conversation: ConversationId(u64::MAX), ..*self }
    }
}

/// As the cursor of a page: `priority.accept_by.waiting_since.conversation`.
impl std::fmt::Display for WaitKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (accept_by, waiting_since) = (self.accept_by.0, self.waiting_since.0);
        write!(f, "{}.{accept_by}.{waiting_since}.{}", self.priority.0, self.conversation.0)
    }
}

impl std::str::FromStr for WaitKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let priority = parts.next().and_then(|part| part.parse().ok()).ok_or(())?;
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok()).ok_or(());
        let key = Self {
            priority: std::cmp::Reverse(priority),
            accept_by: WallTime(number()?),
            waiting_since: WallTime(number()?),
            conversation: ConversationId(number()?),
        };
        if parts.next().is_none() { Ok(key) } else { Err(()) }
    }
}

impl Conversation {
    #[must_use]
    pub fn wait_key(&self, id: ConversationId, accept_within_ms: Option<u64>) -> WaitKey {
        let waiting_since = self.waiting_since;
        let accept_by = accept_within_ms.map_or(u64::MAX, |ms| waiting_since.0.saturating_add(ms));
        WaitKey {
            priority: std::cmp::Reverse(self.priority),
            accept_by: WallTime(accept_by),
            waiting_since,
            conversation: id,
        }
    }

    /// The agent that it prefers or requires.
    #[must_use]
    pub fn wished_agent(&self) -> Option<WishedAgent> {
        self.wishes.as_ref()?.agent
    }

    /// When, after this time, some agent's standing with it changes by time alone.
    #[must_use]
    pub fn next_wake(&self, after: DeskTime) -> Option<DeskTime> {
        let cool_downs = self.cool_downs.iter().map(|cool| cool.until);
        let wished = self.wished_agent().and_then(|wished| wished.until);
        cool_downs.chain(wished).filter(|until| *until > after).min()
    }

    /// Whether it takes this agent's capacity: its owner's, that of who has joined, or that of each agent it is offered to.
    #[must_use]
    pub fn is_held_by(&self, agent: AgentId) -> bool {
        self.is_talked_in_by(agent) || self.offers.iter().any(|pending| pending.agent == agent)
    }

    #[must_use]
    pub fn cools_down(&self, agent: AgentId, now: DeskTime) -> bool {
        self.cool_downs.iter().any(|cool| cool.agent == agent && cool.until > now)
    }

    /// How long this agent is spared this conversation after this end; `None` for ends that are nobody's no.
    #[must_use]
    pub fn cool_down_ms(&self, set: &CoolDowns, agent: AgentId, end: OfferEnd) -> Option<u64> {
        let (first_ms, doubles) = match end {
            OfferEnd::Rejected => (set.rejected_ms, true),
            OfferEnd::Expired => (set.expired_ms, true),
            OfferEnd::Undelivered => (set.undelivered_ms, true),
            OfferEnd::AgentLost => (set.agent_lost_ms, false),
            OfferEnd::Accepted | OfferEnd::Withdrawn | OfferEnd::Rescinded => return None,
        };
        if first_ms == 0 {
            return None;
        }
        if !doubles {
            return Some(first_ms);
        }
        let times = self.cool_downs.iter().find(|cool| cool.agent == agent).map_or(0, |cool| cool.times);
        let grown_ms = first_ms.saturating_mul(1 << times.min(32));
        Some(grown_ms.min(set.most_ms.max(first_ms)))
    }
}

#[cfg(test)]
mod tests {
    /// The allocator's next class is 320 bytes, for each of a million that wait.
    #[test]
    fn a_conversation_is_no_larger_than_256_bytes() {
        assert!(size_of::<super::Conversation>() <= 256, "{}", size_of::<super::Conversation>());
    }
}
