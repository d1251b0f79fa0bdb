//! Whether an agent may be offered a conversation now: the one list of rules, in the order in which they are tested.
//! Pairing, the invariants and *why* all ask here, so that what is explained is what was done. Never changes anything.

use super::Desk;
use super::agent::Connection;
use super::conversation::Conversation;
use super::ids::AgentId;
use super::need::{Need, has_skills};
use super::settings::ChannelId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The first rule by which this agent is not offered this conversation, in the order of testing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// The conversation's queue is closed at this hour.
    QueueClosed,
    Deactivated,
    Offline,
    Reconnecting,
    Unreachable,
    StatusNotAvailable,
    /// A supervisor lets it take nothing new.
    Draining,
    /// It has chosen a status for when its work is over.
    NextStatus,
    /// A wrap-up of its own blocks it as a whole.
    WrappingUp,
    NotInQueue,
    /// Of a tier that no ring has let in yet.
    TierNotYet,
    /// People are not let in yet.
    ProgramsFirst,
    /// It is kept for its preferred agent for now, or requires another one.
    KeptForAnother,
    ChannelOff,
    ChannelFull,
    CapacityFull,
    LacksSkill,
    CoolingDown,
    /// It is decided from outside, and a decision is pending: of the conversation, or of all the room that the agent has.
    DecisionPending,
}

impl WhyNot {
    pub const ALL: [WhyNot; 19] = [
        WhyNot::QueueClosed,
        WhyNot::Deactivated,
        WhyNot::Offline,
        WhyNot::Reconnecting,
        WhyNot::Unreachable,
        WhyNot::StatusNotAvailable,
        WhyNot::Draining,
        WhyNot::NextStatus,
        WhyNot::WrappingUp,
        WhyNot::NotInQueue,
        WhyNot::TierNotYet,
        WhyNot::ProgramsFirst,
        WhyNot::KeptForAnother,
        WhyNot::ChannelOff,
        WhyNot::ChannelFull,
        WhyNot::CapacityFull,
        WhyNot::LacksSkill,
        WhyNot::CoolingDown,
        WhyNot::DecisionPending,
    ];

    /// Whether the rule is about this very conversation. Any other holds for all that need the same, so that an agent whom it
    /// excludes passes them by together.
    #[must_use]
    pub fn is_of_one_conversation(self) -> bool {
        self == WhyNot::CoolingDown
    }

    /// The stable code on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            WhyNot::QueueClosed => "queue_closed",
            WhyNot::Deactivated => "deactivated",
            WhyNot::Offline => "offline",
            WhyNot::Reconnecting => "reconnecting",
            WhyNot::Unreachable => "unreachable",
            WhyNot::StatusNotAvailable => "status_not_available",
            WhyNot::Draining => "draining",
            WhyNot::NextStatus => "next_status",
            WhyNot::WrappingUp => "wrapping_up",
            WhyNot::NotInQueue => "not_in_queue",
            WhyNot::TierNotYet => "tier_not_yet",
            WhyNot::ProgramsFirst => "programs_first",
            WhyNot::KeptForAnother => "kept_for_another",
            WhyNot::ChannelOff => "channel_off",
            WhyNot::ChannelFull => "channel_full",
            WhyNot::CapacityFull => "capacity_full",
            WhyNot::LacksSkill => "lacks_skill",
            WhyNot::CoolingDown => "cooling_down",
            WhyNot::DecisionPending => "decision_pending",
        }
    }
}

impl Desk {
    /// Whether this conversation may be offered to this agent now, and if not, by which rule first.
    ///
    /// # Errors
    /// The first rule that excludes the agent.
    pub fn fits(&self, agent: AgentId, conversation: &Conversation) -> Result<(), WhyNot> {
        self.fits_need(agent, conversation, &self.need_of(conversation))
    }

    /// The same, where what the conversation needs is at hand.
    pub(super) fn fits_need(&self, agent: AgentId, conversation: &Conversation, need: &Need) -> Result<(), WhyNot> {
        self.could_take(agent, need)?;
        if !has_skills(&self.agents[agent.0 as usize].profile.skills, &need.skills) {
            return Err(WhyNot::LacksSkill);
        }
        if conversation.cools_down(agent, self.now.desk) {
            return Err(WhyNot::CoolingDown);
        }
        Ok(())
    }

    /// The rules before those of skills and cool-downs: pairing tests skills by their numbers, before it comes here.
    pub(super) fn could_take(&self, agent: AgentId, need: &Need) -> Result<(), WhyNot> {
        if need.closed {
            return Err(WhyNot::QueueClosed);
        }
        let held = &self.agents[agent.0 as usize];
        self.may_be_offered(agent)?;
        match need.queue_of(&held.profile) {
            None => return Err(WhyNot::NotInQueue),
            Some((_, tier)) if tier > need.tiers_up_to => return Err(WhyNot::TierNotYet),
            Some(_) => {}
        }
        if need.only_programs && !held.profile.program {
            return Err(WhyNot::ProgramsFirst);
        }
        if need.kept_for.is_some_and(|other| other != agent) {
            return Err(WhyNot::KeptForAnother);
        }
        self.has_room(agent, need.channel)
    }

    /// The rules about one more conversation of this channel alone.
    ///
    /// # Errors
    /// The first rule that excludes the agent.
    pub(super) fn has_room(&self, agent: AgentId, channel: ChannelId) -> Result<(), WhyNot> {
        let held = &self.agents[agent.0 as usize];
        if held.room_on(&self.settings, channel) {
            return Ok(());
        }
        Err(if held.blocked > 0 {
            WhyNot::WrappingUp
        } else if !held.has_channel(channel) {
            WhyNot::ChannelOff
        } else if held.is_full_on(&self.settings, channel) {
            WhyNot::ChannelFull
        } else {
            WhyNot::CapacityFull
        })
    }

    /// Whether an agent may be given this conversation, whose owner, or a supervisor, knows whom it asks: queue, skills and
    /// cool-downs do not matter. `own`: it asks for itself, so its status does not matter either.
    ///
    /// # Errors
    /// The first rule that excludes the agent.
    pub(super) fn may_be_given(&self, agent: AgentId, conversation: &Conversation, own: bool) -> Result<(), WhyNot> {
        if own {
            self.is_here(agent)?;
        } else {
            self.may_be_offered(agent)?;
        }
        // What it holds of it already is given back first.
        if conversation.is_held_by(agent) { Ok(()) } else { self.has_room(agent, conversation.channel) }
    }

    /// Whether the agent works here and is not offline: else nobody would notice what it is given.
    pub(super) fn is_here(&self, agent: AgentId) -> Result<(), WhyNot> {
        let held = &self.agents[agent.0 as usize];
        match (held.profile.active, held.connection) {
            (false, _) => Err(WhyNot::Deactivated),
            (true, Connection::Offline) => Err(WhyNot::Offline),
            (true, Connection::Online | Connection::Reconnecting { .. } | Connection::Unreachable) => Ok(()),
        }
    }

    /// The rules about the agent alone: whether anything may be offered to it.
    ///
    /// # Errors
    /// The first rule that excludes the agent.
    pub fn may_be_offered(&self, agent: AgentId) -> Result<(), WhyNot> {
        let held = &self.agents[agent.0 as usize];
        if held.is_able(&self.settings) {
            return if held.blocked == 0 { Ok(()) } else { Err(WhyNot::WrappingUp) };
        }
        if !held.profile.active {
            return Err(WhyNot::Deactivated);
        }
        Err(match held.connection {
            Connection::Offline => WhyNot::Offline,
            Connection::Reconnecting { .. } => WhyNot::Reconnecting,
            Connection::Unreachable => WhyNot::Unreachable,
            Connection::Online if !held.has_available_status(&self.settings) => WhyNot::StatusNotAvailable,
            Connection::Online if held.draining => WhyNot::Draining,
            Connection::Online => WhyNot::NextStatus,
        })
    }
}
