//! The event feed's words: what happened, as those outside read it, in pages, streams and webhooks. One flat struct a type, with names
//! where the journal has numbers. docs/events.md is the contract that this follows, and a test holds the two together.
//!
//! A type's `version` goes up when one of its fields is taken away or changes its meaning; a field that is added changes nothing.

mod conversations;
mod offers;
mod parties;
mod presence;
mod service;
#[cfg(test)]
mod tests;
mod workspace;

pub use conversations::{
    ConversationDescribed, ConversationEnded, ConversationHandedOver, ConversationImported, ConversationLabelled,
    ConversationLeft, ConversationMoved, ConversationOpened, ConversationOwnerReminded, ConversationOwnerReturned,
    ConversationOwnerVanished, ConversationPaused, ConversationPriorityRaised, ConversationReopened,
    ConversationRequeued, ConversationRingReached, ConversationStayedAtClosing, ConversationTaken,
    ConversationTransferred, ConversationWoken, MessageDelivery, MessagePosted, MessagesRead, NotePosted, RatingGiven,
    WrapUpEnded, WrapUpExtended,
};
pub use offers::{DecisionEnded, DecisionWanted, OfferDelivered, OfferEnded, OfferMade, Transfer};
pub use parties::{About, Actor, Author, Closer, File, Skill, Word};
pub use presence::{
    AgentConnected, AgentDisconnected, AgentDraining, AgentNextStatusSet, AgentOffline, AgentReachable,
    AgentReconnecting, AgentStatusChanged, AgentUnreachable, AgentsReconnecting,
};
pub use service::{ClockBreached, ClockEnded, ClockSet, HoursTurned};
pub use workspace::{
    AgentPut, ApiKeyPut, ApiKeyRemoved, CustomerMerged, CustomerSignedOut, EventUnreadable, QueuePut, QueueRemoved,
    SettingsChanged, WorkspaceBegan,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One fact of a workspace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FeedEvent {
    /// Its position in the workspace's journal and its index there: `812.0`. Unique within the workspace, and ascending.
    pub id: String,
    /// Of its type.
    pub version: u32,
    /// When it was committed, in Unix milliseconds; never goes back.
    pub at: u64,
    /// The workspace's name.
    pub workspace: Arc<str>,
    /// Its `type`, and what that type has.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Some of them, in order, and from where to read on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeedPage")]
pub struct EventsPage {
    /// In the order in which they were committed.
    pub events: Vec<FeedEvent>,
    /// The cursor behind what was looked at: `after` of the next page. `812`: behind all of that record.
    pub next: String,
    /// There was more when this was read; otherwise what comes next has not happened yet.
    pub more: bool,
}

macro_rules! facts {
    (
        of_others { $($other:ident $other_name:literal $other_version:literal,)* }
        of_conversations { $($variant:ident $name:literal $version:literal,)* }
    ) => {
        /// What happened, by its `type`.
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "type")]
        pub enum Fact {
            $(#[serde(rename = $other_name)] $other($other),)*
            $(#[serde(rename = $name)] $variant($variant),)*
        }

        impl Fact {
            /// Every type that there is, with its version.
            pub const TYPES: &[(&str, u32)] = &[$(($other_name, $other_version),)* $(($name, $version),)*];

            /// The type, and its version.
            #[must_use]
            pub fn kind(&self) -> (&'static str, u32) {
                match self {
                    $(Fact::$other(_) => ($other_name, $other_version),)*
                    $(Fact::$variant(_) => ($name, $version),)*
                }
            }

            /// The conversation that it is about, where it is about one.
            #[must_use]
            pub fn conversation(&self) -> Option<&str> {
                match self {
                    $(Fact::$other(_) => None,)*
                    $(Fact::$variant(fact) => fact.conversation.named(),)*
                }
            }
        }
    };
}

/// An id that is there, or may be.
trait Named {
    fn named(&self) -> Option<&str>;
}

impl Named for String {
    fn named(&self) -> Option<&str> {
        Some(self)
    }
}

impl Named for Option<String> {
    fn named(&self) -> Option<&str> {
        self.as_deref()
    }
}

facts! {
    of_others {
        SettingsChanged "settings.changed" 1,
        QueuePut "queue.put" 1,
        QueueRemoved "queue.removed" 1,
        AgentPut "agent.put" 1,
        ApiKeyPut "api_key.put" 1,
        ApiKeyRemoved "api_key.removed" 1,
        WorkspaceBegan "workspace.began" 1,
        AgentConnected "agent.connected" 1,
        AgentDisconnected "agent.disconnected" 1,
        AgentReconnecting "agent.reconnecting" 1,
        AgentsReconnecting "agents.reconnecting" 1,
        AgentUnreachable "agent.unreachable" 1,
        AgentReachable "agent.reachable" 1,
        AgentOffline "agent.offline" 1,
        AgentStatusChanged "agent.status_changed" 1,
        AgentNextStatusSet "agent.next_status_set" 1,
        AgentDraining "agent.draining" 1,
        HoursTurned "hours.turned" 1,
        CustomerMerged "customer.merged" 1,
        CustomerSignedOut "customer.signed_out" 1,
        EventUnreadable "event.unreadable" 1,
    }
    of_conversations {
        OfferMade "offer.made" 1,
        OfferDelivered "offer.delivered" 1,
        OfferEnded "offer.ended" 1,
        DecisionWanted "decision.wanted" 1,
        DecisionEnded "decision.ended" 1,
        ConversationOpened "conversation.opened" 1,
        MessagePosted "message.posted" 1,
        MessageDelivery "message.delivery" 1,
        MessagesRead "messages.read" 1,
        NotePosted "note.posted" 1,
        ConversationRequeued "conversation.requeued" 1,
        ConversationTransferred "conversation.transferred" 1,
        ConversationTaken "conversation.taken" 1,
        ConversationHandedOver "conversation.handed_over" 1,
        ConversationLeft "conversation.left" 1,
        ConversationMoved "conversation.moved" 1,
        ConversationPriorityRaised "conversation.priority_raised" 1,
        ConversationRingReached "conversation.ring_reached" 1,
        ConversationStayedAtClosing "conversation.stayed_at_closing" 1,
        ConversationPaused "conversation.paused" 1,
        ConversationWoken "conversation.woken" 1,
        ConversationOwnerVanished "conversation.owner_vanished" 1,
        ConversationOwnerReturned "conversation.owner_returned" 1,
        ConversationOwnerReminded "conversation.owner_reminded" 1,
        ConversationLabelled "conversation.labelled" 1,
        ConversationDescribed "conversation.described" 1,
        ConversationEnded "conversation.ended" 1,
        ConversationReopened "conversation.reopened" 1,
        ConversationImported "conversation.imported" 1,
        WrapUpExtended "wrap_up.extended" 1,
        WrapUpEnded "wrap_up.ended" 1,
        RatingGiven "rating.given" 1,
        ClockSet "clock.set" 1,
        ClockBreached "clock.breached" 1,
        ClockEnded "clock.ended" 1,
    }
}

/// Which types are wanted: by name (`offer.made`), or all that begin alike (`offer.*`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Types(Option<Box<[&'static str]>>);

impl Types {
    /// # Errors
    /// The word that names no type.
    pub fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut named: Vec<&'static str> = Vec::new();
        for word in words.map(str::trim).filter(|word| !word.is_empty()) {
            let before = named.len();
            let all = Fact::TYPES.iter().map(|(name, _)| *name);
            match word.strip_suffix('*') {
                Some(start) if start.ends_with('.') => named.extend(all.filter(|name| name.starts_with(start))),
                _ => named.extend(all.filter(|name| *name == word)),
            }
            if named.len() == before {
                return Err(word.chars().take(64).collect());
            }
        }
        named.sort_unstable();
        named.dedup();
        Ok(Self((!named.is_empty()).then(|| named.into())))
    }

    /// Whether events of this type are wanted.
    #[must_use]
    pub fn want(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|named| named.binary_search(&name).is_ok())
    }
}
