//! A router of one's own: a queue may be decided from outside. What is asked of the outside, how such a decision ends, and what
//! a conversation keeps of it. Plain values and their checks; who is asked about when is in `deciding.rs`.
//!
//! ```text
//!   waiting ──DecisionWanted──▶ waiting, and a decision is pending ──DecisionEnded──┬─ decided ──▶ offered to whom the outside named
//!      ▲                                                                            ├─ left, silent ──▶ Offhook decides, once
//!      └──── an offer that failed: asked anew, at its old age                       └─ withdrawn: it goes elsewhere, or was closed
//! ```

use super::conversation::Conversation;
use super::event::RequiredSkill;
use super::ids::{AgentId, ConversationId, CustomerId, DecisionId};
use super::refusal::Refusal;
use super::time::{DeskTime, WallTime};
use super::why::Candidate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Decisions of one workspace that are pending at once; of what comes beyond that Offhook decides by itself.
pub const DECISIONS_PENDING_MAX: usize = 500;
/// Candidates that one decision names.
pub const CANDIDATES_MAX: usize = 50;
/// Decisions that one answer describes; the rest comes with the next.
pub const DECISIONS_PAGE_MAX: usize = 20;
/// How long the outside may be given.
pub const WITHIN_MS_MAX: u64 = 60_000;

/// Who decides whom a queue's conversations are offered to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "QueueRouter")]
pub struct Router {
    pub by: DecidedBy,
    /// The outside has so long, 100 ms to a minute; then Offhook decides by itself.
    pub within_ms: u64,
}

impl Default for Router {
    fn default() -> Self {
        Self { by: DecidedBy::default(), within_ms: 2_000 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    #[default]
    Offhook,
    /// By whoever answers over the admin API.
    Outside,
}

impl Router {
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// The field that does not hold.
    pub fn check(&self, field: &str) -> Result<(), Refusal> {
        if (100..=WITHIN_MS_MAX).contains(&self.within_ms) {
            return Ok(());
        }
        let what = format!("100 to {WITHIN_MS_MAX} (a minute)");
        Err(Refusal::BadSetting { field: format!("{field}.within_ms"), what })
    }
}

/// The one end of a decision that was wanted from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionEnd {
    /// The outside named an agent, to whom it was then offered.
    Decided,
    /// The outside left it to Offhook.
    Left,
    /// Nobody answered in time.
    Silent,
    /// The conversation left the queue, or Offhook decides there again.
    Withdrawn,
    /// Too many were pending, so it was not asked about.
    Crowded,
}

impl DecisionEnd {
    pub const ALL: [DecisionEnd; 5] =
        [DecisionEnd::Decided, DecisionEnd::Left, DecisionEnd::Silent, DecisionEnd::Withdrawn, DecisionEnd::Crowded];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DecisionEnd::Decided => "decided",
            DecisionEnd::Left => "left",
            DecisionEnd::Silent => "silent",
            DecisionEnd::Withdrawn => "withdrawn",
            DecisionEnd::Crowded => "crowded",
        }
    }

    /// Whether the next offer of the conversation is then Offhook's to make.
    #[must_use]
    pub fn falls_back(self) -> bool {
        match self {
            DecisionEnd::Left | DecisionEnd::Silent | DecisionEnd::Crowded => true,
            DecisionEnd::Decided | DecisionEnd::Withdrawn => false,
        }
    }
}

/// What a conversation keeps of being decided from outside; those of other queues have none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Routed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingDecision>,
    /// The next offer of it is Offhook's to make.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// How the last decision about it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<LastDecision>,
}

/// A decision that the outside has not given yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingDecision {
    pub decision: DecisionId,
    /// Whom Offhook would ask: its room is spoken for meanwhile, by this decision, so that no more are wanted than there is room for.
    pub agent: AgentId,
    pub until: DeskTime,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LastDecision {
    pub decision: DecisionId,
    pub end: DecisionEnd,
    /// Whom the outside named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The name of the key, or of the agent, that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Arc<str>>,
    pub at: WallTime,
}

impl Conversation {
    /// While it waits: the decision about it that is pending.
    #[must_use]
    pub fn pending_decision(&self) -> Option<PendingDecision> {
        self.routed.as_ref()?.pending
    }

    /// It is offered: if Offhook was to decide by itself, it has.
    pub(super) fn was_decided_by_itself(&mut self) {
        if self.routed.as_ref().is_some_and(|routed| routed.by_itself) {
            self.change_routed(|routed| routed.by_itself = false);
        }
    }

    pub(super) fn change_routed(&mut self, change: impl FnOnce(&mut Routed)) {
        let mut routed = self.routed.take().unwrap_or_default();
        change(&mut routed);
        self.routed = (*routed != Routed::default()).then_some(routed);
    }
}

/// The outside answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecideAsk {
    pub conversation: ConversationId,
    pub decision: DecisionId,
    /// Who is thought to own it; absent: nobody.
    pub expected_owner: Option<Arc<str>>,
    pub choice: Choice,
    /// The name of the key, or of the agent, that answers.
    pub by: Arc<str>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DecisionChoice")]
pub enum Choice {
    /// Offer it to this agent.
    Agent(Arc<str>),
    /// Offhook is to decide by itself.
    Offhook,
}

/// What changed among the pending decisions, for one who knows of some.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Decisions {
    /// Those that were not known, oldest first, at most `DECISIONS_PAGE_MAX`.
    pub wanted: Vec<Wanted>,
    /// Those that were known and are pending no more.
    pub ended: Vec<Ended>,
    /// More are wanted than were described.
    pub more: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ended {
    pub decision: DecisionId,
    /// Absent for one of long ago.
    pub end: Option<DecisionEnd>,
}

/// One decision that is wanted, and all that it may rest on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wanted {
    pub decision: DecisionId,
    pub conversation: ConversationId,
    pub ends_in_ms: u64,
    pub queue: Arc<str>,
    pub channel: Arc<str>,
    pub customer: CustomerId,
    pub priority: i32,
    /// What it requires now, as far as its rings have widened it.
    pub skills: Vec<RequiredSkill>,
    pub preferred_skills: Vec<Arc<str>>,
    pub ring: u8,
    pub waiting_since: WallTime,
    pub offers_made: u32,
    /// How many wait in its queue, this one among them.
    pub waiting: u32,
    /// To be named in the answer: nobody owns what waits.
    pub expected_owner: Option<Arc<str>>,
    /// Those who could take it, in the order in which Offhook would ask them.
    pub candidates: Vec<Fitting>,
    /// There are more of them.
    pub more_candidates: bool,
}

/// An agent who could take it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DecisionCandidate")]
pub struct Fitting {
    #[serde(flatten)]
    pub standing: Candidate,
    /// How many more of this channel it has room for.
    pub room: u32,
    /// Offers and conversations that it holds.
    pub holds: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_an_agent_or_offhook() {
        assert_eq!(serde_json::from_str::<Choice>(r#"{"agent":"ann"}"#).unwrap(), Choice::Agent("ann".into()));
        assert_eq!(serde_json::from_str::<Choice>(r#""offhook""#).unwrap(), Choice::Offhook);
    }
}
