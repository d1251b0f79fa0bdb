//! What a queue allows and wants when its conversations change hands. Plain values with their defaults, and their checks.

use super::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const DAY_MS: u64 = 86_400_000;

/// A queue's settings of moves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueMoves {
    /// Agents may see what waits here, and pick from it.
    pub pick: bool,
    /// What becomes of a conversation whose owner went offline; absent: by its channel (live: `after`, others: `next_message`).
    pub vanished_owner: Option<VanishedOwner>,
    /// Over the workspace's.
    pub vanished_owner_ms: Option<u64>,
    /// Whom a closed conversation is for when its customer writes again.
    pub reopened_for: ReopenedFor,
    /// For how long it is kept for its old owner, where it is for that one.
    pub reopened_for_ms: u64,
    /// It takes nothing new in, and finishes what waits.
    pub draining: Option<Draining>,
}

impl Default for QueueMoves {
    fn default() -> Self {
        Self {
            pick: false,
            vanished_owner: None,
            vanished_owner_ms: None,
            reopened_for: ReopenedFor::default(),
            reopened_for_ms: 60_000,
            draining: None,
        }
    }
}

/// What becomes of a conversation whose owner went offline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VanishedOwner {
    /// It waits again after `vanished_owner_ms`.
    After,
    /// It waits again when its customer next writes.
    NextMessage,
    /// It stays its owner's, unless that one is deactivated: then as `next_message`.
    Keep,
}

/// Whom a closed conversation is for when its customer writes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReopenedFor {
    /// For whoever comes first.
    #[default]
    Queue,
    /// Its old owner is preferred for a time, if it could take it when the customer writes.
    OldOwner,
}

/// Where what is new goes meanwhile.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Draining {
    /// Another queue; absent: it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Arc<str>>,
}

impl QueueMoves {
    /// Refused with the field named, below `moves.`.
    ///
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self, own: &str, is_queue: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        let bad = |field: &str, what: String| Refusal::BadSetting { field: format!("moves.{field}"), what };
        for (ms, field) in
            [(self.vanished_owner_ms, "vanished_owner_ms"), (Some(self.reopened_for_ms), "reopened_for_ms")]
        {
            if ms.is_some_and(|ms| ms > DAY_MS) {
                return Err(bad(field, "at most 86400000 (a day)".into()));
            }
        }
        match self.draining.as_ref().and_then(|draining| draining.to.as_ref()) {
            Some(to) if **to == *own || !is_queue(to) => {
                Err(bad("draining.to", format!("there is no other queue {to:?}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether it names this queue.
    #[must_use]
    pub fn names_queue(&self, name: &str) -> bool {
        self.draining.as_ref().is_some_and(|draining| draining.to.as_deref() == Some(name))
    }
}
