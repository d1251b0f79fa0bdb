//! Health as users would recognise it: how each part of the product stands, computed from what its users experience, and
//! the history of it.
//!
//! What is seen is counted where it happens ([`experience`]), judged by pure rules ([`rules`]), remembered ([`history`]) and kept
//! beside the data ([`kept`]). Nothing here knows how anything is served.

pub mod experience;
pub mod history;
pub mod kept;
pub mod rules;
pub mod shown;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the product, as its users name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Agents come in, stay in and work.
    AgentInterface,
    /// What waits is offered, and offers are accepted.
    ConversationOffers,
    /// Customers start, write and read, and agents' answers reach them.
    Messenger,
    /// What is administered.
    Api,
}

impl Component {
    pub const ALL: [Component; 4] =
        [Component::AgentInterface, Component::ConversationOffers, Component::Messenger, Component::Api];

    /// The word in metrics and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Component::AgentInterface => "agent_interface",
            Component::ConversationOffers => "conversation_offers",
            Component::Messenger => "messenger",
            Component::Api => "api",
        }
    }

    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Component::AgentInterface => "Agent interface",
            Component::ConversationOffers => "Conversation offers",
            Component::Messenger => "Messenger",
            Component::Api => "API",
        }
    }

    /// Its place in arrays of one thing for each.
    #[must_use]
    pub fn place(self) -> usize {
        self as usize
    }
}

/// How a component stands, the better first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComponentState {
    #[default]
    Operational,
    /// It works for all, but slowly; or it fails for a few.
    Degraded,
    /// It fails for many.
    PartialOutage,
    /// It works for next to nobody.
    MajorOutage,
}

impl ComponentState {
    pub const ALL: [ComponentState; 4] = [
        ComponentState::Operational,
        ComponentState::Degraded,
        ComponentState::PartialOutage,
        ComponentState::MajorOutage,
    ];

    /// For people: "major outage".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            ComponentState::Operational => "operational",
            ComponentState::Degraded => "degraded",
            ComponentState::PartialOutage => "partial outage",
            ComponentState::MajorOutage => "major outage",
        }
    }

    /// The word in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ComponentState::Operational => "operational",
            ComponentState::Degraded => "degraded",
            ComponentState::PartialOutage => "partial_outage",
            ComponentState::MajorOutage => "major_outage",
        }
    }

    /// 0 to 3: for the metric.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// One thing for each component.
pub type Each<T> = [T; Component::ALL.len()];
