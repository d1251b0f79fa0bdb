//! What the server's operator allows a workspace of what its desk counts.
//!
//! It is handed in as the time is, and is no part of the state: an event says what happened and not what would have been allowed,
//! so a replay asks nobody, and a workspace whose quota was lowered below what it has keeps that and gets nothing more.

use super::Desk;
use super::refusal::Refusal;

/// The most of each; none: without a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allowed {
    /// That are active.
    pub agents: Option<u64>,
    /// That are not closed.
    pub open_conversations: Option<u64>,
}

impl Desk {
    /// From now on.
    pub fn allow(&mut self, allowed: Allowed) {
        self.allowed = allowed;
    }

    /// Agents that are not deactivated.
    #[must_use]
    pub fn active_agents(&self) -> u64 {
        u64::from(self.active_agents)
    }

    /// Conversations that are not closed.
    #[must_use]
    pub fn open_conversations(&self) -> u64 {
        self.conversations.len() as u64
    }

    pub(super) fn may_hold_one_agent_more(&self) -> Result<(), Refusal> {
        within("agents", self.active_agents(), self.allowed.agents)
    }

    pub(super) fn may_open_one_more(&self) -> Result<(), Refusal> {
        within("open_conversations", self.open_conversations(), self.allowed.open_conversations)
    }
}

fn within(what: &'static str, held: u64, most: Option<u64>) -> Result<(), Refusal> {
    match most {
        Some(most) if held >= most => Err(Refusal::Quota { what: what.into(), most }),
        _ => Ok(()),
    }
}
